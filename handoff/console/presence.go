package console

import (
	"slices"
	"sync"
	"time"

	"faqbot/handoff"
	"faqbot/knowledge/people"
)

// awayAfter is how long somebody counts as at the desk after their page last polled. Tabs out of view
// hold no stream and poll every 30 s, which browsers stretch to a minute.
const awayAfter = 2 * time.Minute

// presence knows who is at the desk, and which tickets they have open.
type presence struct {
	now func() time.Time

	mu     sync.Mutex
	seats  map[*seat]struct{}
	polled map[people.PersonID]poll
	began  chan struct{} // holds one when somebody sat down
}

// A seat is one open stream.
type seat struct {
	person  people.Person
	tickets []handoff.TicketID
}

// A poll is when somebody's page last asked for news without a stream.
type poll struct {
	person people.Person
	at     time.Time
}

func newPresence(now func() time.Time) *presence {
	return &presence{now: now, seats: map[*seat]struct{}{}, polled: map[people.PersonID]poll{}, began: make(chan struct{}, 1)}
}

func (p *presence) sit(s *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seats[s] = struct{}{}
	signal(p.began)
}

func (p *presence) leave(s *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seats, s)
}

// polledBy notes that a page of who's asked for news without a stream.
func (p *presence) polledBy(who people.Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polled[who.ID] = poll{who, p.now()}
}

// watched reports whether there is a stream.
func (p *presence) watched() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seats) > 0
}

// staffed reports whether somebody of whom may is true is at the desk.
func (p *presence) staffed(may func(people.Person) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.seats {
		if may(s.person) {
			return true
		}
	}
	for id, last := range p.polled {
		if p.now().Sub(last.at) > awayAfter {
			delete(p.polled, id)
		} else if may(last.person) {
			return true
		}
	}
	return false
}

// with are the names of those other than me who have a ticket open.
func (p *presence) with(id handoff.TicketID, me people.PersonID) (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.seats {
		if s.person.ID != me && slices.Contains(s.tickets, id) && !slices.Contains(names, s.person.Name) {
			names = append(names, s.person.Name)
		}
	}
	slices.Sort(names)
	return names
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
