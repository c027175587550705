package console

import (
	"slices"
	"sync"
	"time"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/people"
)

// awayAfter is how long somebody counts as at the desk after their page last asked for news. Tabs out of
// view hold no stream and ask every 30 s, which browsers stretch to a minute.
const awayAfter = 2 * time.Minute

// A hub knows every open stream: who listens, to what, and what they have yet to be told.
type hub struct {
	now func() time.Time

	mu        sync.Mutex
	listeners map[*listener]bool
	polled    map[people.PersonID]poll
	began     chan struct{} // holds one when somebody began to listen
	poke      chan struct{}
	done      chan struct{} // closed when the streams must end
	ended     bool
}

// A poll is when somebody's page last asked for news without a stream.
type poll struct {
	person people.Person
	at     time.Time
}

// A listener is one stream, of all tabs of a browser.
type listener struct {
	person people.Person
	shown  []topic
	wake   chan struct{}
	list   bool     // something in a list changed; guarded by the hub, like here
	here   []string // the names of topics that changed
}

// A topic is what one tab shows: a ticket or a conversation.
type topic struct {
	name          string // as the page has it: "ticket=…"
	ticket        handoff.TicketID
	conversations []bot.ConversationID // all of the customer's
}

// A change is one conversation or ticket that is not what it was.
type change struct {
	affiliate    knowledge.AffiliateID
	conversation bot.ConversationID
}

func newHub(now func() time.Time) *hub {
	return &hub{now: now, listeners: map[*listener]bool{}, polled: map[people.PersonID]poll{}, began: make(chan struct{}, 1), poke: make(chan struct{}, 1), done: make(chan struct{})}
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
	l.tell(true, l.shown...)
	h.seen(l)
	signal(h.began)
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
	h.seen(l)
}

// seen tells those who have one of l's tickets open that somebody came or went.
func (h *hub) seen(l *listener) {
	for other := range h.listeners {
		for _, t := range other.shown {
			if other != l && t.ticket != "" && l.shows(t.ticket) {
				other.tell(false, t)
			}
		}
	}
}

func (l *listener) shows(id handoff.TicketID) bool {
	return slices.ContainsFunc(l.shown, func(t topic) bool { return t.ticket == id })
}

func (l *listener) tell(list bool, topics ...topic) {
	l.list = l.list || list
	for _, t := range topics {
		if !slices.Contains(l.here, t.name) {
			l.here = append(l.here, t.name)
		}
	}
	signal(l.wake)
}

// heard returns what l is to be told, and forgets it.
func (h *hub) heard(l *listener) (list bool, here []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, here = l.list, l.here
	l.list, l.here = false, nil
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
		list := slices.ContainsFunc(changes, func(ch change) bool { return l.person.May(ch.affiliate) })
		var here []topic
		for _, t := range l.shown { // which the stream was opened for: it may
			if slices.ContainsFunc(changes, func(ch change) bool { return slices.Contains(t.conversations, ch.conversation) }) {
				here = append(here, t)
			}
		}
		if list || len(here) > 0 {
			l.tell(list, here...)
		}
	}
}

// tellAll tells everybody to look: what happened meanwhile is not known.
func (h *hub) tellAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		l.tell(true, l.shown...)
	}
}

// asked notes that a page of p's asked for news without a stream.
func (h *hub) asked(p people.Person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.polled[p.ID] = poll{p, h.now()}
}

func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners) > 0
}

// staffed reports whether somebody of whom who is true sits at the desk.
func (h *hub) staffed(who func(people.Person) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if who(l.person) {
			return true
		}
	}
	for id, p := range h.polled {
		if h.now().Sub(p.at) > awayAfter {
			delete(h.polled, id)
		} else if who(p.person) {
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
		if l.shows(id) && l.person.ID != me.ID && !slices.Contains(names, l.person.Name) {
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
