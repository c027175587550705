package console

import (
	"slices"
	"sync"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/people"
)

// A hub knows every open stream: who listens, to what, and what they have yet to be told.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]bool
	began     chan struct{} // holds one when somebody began to listen
	poke      chan struct{}
	done      chan struct{} // closed when the streams must end
	ended     bool
}

// A listener is one stream. Its ticket and conversations are what the page shows, none for a list alone.
type listener struct {
	person     people.Person
	ticket     handoff.TicketID
	shown      []bot.ConversationID // all of the customer's
	wake       chan struct{}
	list, here bool // what to tell; guarded by the hub
}

// A change is one conversation or ticket that is not what it was.
type change struct {
	affiliate    knowledge.AffiliateID
	conversation bot.ConversationID
}

func newHub() *hub {
	return &hub{listeners: map[*listener]bool{}, began: make(chan struct{}, 1), poke: make(chan struct{}, 1), done: make(chan struct{})}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (h *hub) poked() { signal(h.poke) }

// join adds a stream, which learns at once that it should look: the page is older than the stream.
func (h *hub) join(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.wake = make(chan struct{}, 1)
	h.listeners[l] = true
	l.tell(true, true)
	h.seen(l)
	signal(h.began)
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
	h.seen(l)
}

// seen tells those who have l's ticket open that somebody came or went.
func (h *hub) seen(l *listener) {
	if l.ticket == "" {
		return
	}
	for other := range h.listeners {
		if other != l && other.ticket == l.ticket {
			other.tell(false, true)
		}
	}
}

func (l *listener) tell(list, here bool) {
	l.list, l.here = l.list || list, l.here || here
	signal(l.wake)
}

// heard returns what l is to be told, and forgets it.
func (h *hub) heard(l *listener) (list, here bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, here = l.list, l.here
	l.list, l.here = false, false
	return list, here
}

// tell tells everybody of those changes that they may know of.
func (h *hub) tell(changes []change) {
	if len(changes) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		list, here := false, false
		for _, ch := range changes {
			list = list || l.person.May(ch.affiliate)
			here = here || slices.Contains(l.shown, ch.conversation) // which the stream was opened for: it may
		}
		if list || here {
			l.tell(list, here)
		}
	}
}

// tellAll tells everybody to look: what happened meanwhile is not known.
func (h *hub) tellAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		l.tell(true, true)
	}
}

func (h *hub) staffed(who func(people.Person) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if who(l.person) {
			return true
		}
	}
	return false
}

// present are the names of the others who have a ticket open.
func (h *hub) present(id handoff.TicketID, me people.Person) (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if l.ticket == id && l.person.ID != me.ID && !slices.Contains(names, l.person.Name) {
			names = append(names, l.person.Name)
		}
	}
	slices.Sort(names)
	return names
}

// end ends every stream, now and from now on.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.done)
	}
}
