// Package figures counts what happened: how many questions came and what became of them, how fast people answered, and
// how tickets ended. All of it is counted from package events when it is asked for; nothing is kept, so that figures can
// always be had anew and are the same.
//
// A figure belongs to the period in which what it counts ended: a reply's time to the day of the reply. The package shows
// nothing: see board.
package figures

import (
	"slices"
	"time"

	"faqbot/handoff"
	"faqbot/knowledge/events"
)

// lookBack is how long before a period something may have begun that ends in it. What takes longer has no duration.
const lookBack = 14 * 24 * time.Hour

// A Period is from From up to To.
type Period struct{ From, To time.Time }

// Has reports whether t is in the period.
func (p Period) Has(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Before is the period of the same length before this one.
func (p Period) Before() Period { return Period{p.From.Add(p.From.Sub(p.To)), p.From} }

// Durations are how long things of one kind took.
type Durations struct{ list []time.Duration }

// N is how many there are.
func (d *Durations) N() int { return len(d.list) }

// Mean is 0 for none.
func (d *Durations) Mean() time.Duration {
	if len(d.list) == 0 {
		return 0
	}
	var sum time.Duration
	for _, one := range d.list {
		sum += one
	}
	return sum / time.Duration(len(d.list))
}

// Median is the lower one of two, 0 for none.
func (d *Durations) Median() time.Duration { return d.quantile(.5) }

// P90 is the shortest within which nine of ten are, 0 for none.
func (d *Durations) P90() time.Duration { return d.quantile(.9) }

// quantile is by nearest rank.
func (d *Durations) quantile(q float64) time.Duration {
	if len(d.list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d.list))
	rank := int(q * float64(len(sorted)))
	if float64(rank) == q*float64(len(sorted)) {
		rank--
	}
	return sorted[max(0, rank)]
}

func (d *Durations) add(one time.Duration) { d.list = append(d.list, one) }

// Figures are those of a period, or of a part of it.
type Figures struct {
	Conversations int // in which a customer wrote
	Answered      int // turns that the bot answered
	AskedBack     int
	Tickets       int // turns that fetched a person, while none had the conversation
	Helped        int // answers of which customers said so
	NotHelped     int
	Replies       int // of people
	Resolved      int // tickets that an agent closed
	HandedBack    int
	Abandoned     int // tickets whose customer went back to the bot
	Reopened      int
	OneTouch      int       // resolved with one reply at most
	First         Durations // from the handoff to a person's first reply
	Next          Durations // from the customer's oldest message without one to a person's reply, after the first
	All           Durations // both
	Resolution    Durations // from the handoff to the close, of those that were resolved
	seen          map[string]bool
}

// Questions are the turns that were decided.
func (f *Figures) Questions() int { return f.Answered + f.AskedBack + f.Tickets }

// Contained is the share of questions that fetched no person; ok is false if there were none.
func (f *Figures) Contained() (share float64, ok bool) {
	return ratio(f.Questions()-f.Tickets, f.Questions())
}

// Solved is how many of the tickets that ended were resolved by an agent.
func (f *Figures) Solved() (share float64, ok bool) {
	return ratio(f.Resolved, f.Resolved+f.HandedBack+f.Abandoned)
}

// Satisfied is how many of those who said whether an answer helped said yes.
func (f *Figures) Satisfied() (share float64, ok bool) { return ratio(f.Helped, f.Helped+f.NotHelped) }

// Touched is how many of the resolved tickets took one reply at most.
func (f *Figures) Touched() (share float64, ok bool) { return ratio(f.OneTouch, f.Resolved) }

func ratio(n, of int) (float64, bool) {
	if of == 0 {
		return 0, false
	}
	return float64(n) / float64(of), true
}

// A Row is one conversation in a period.
type Row struct {
	Conversation, Channel, Affiliate string
	Began                            time.Time // the customer's first message in the period
	Figures
	HandedOff, Replied, Closed time.Time // the last ones
	Outcome                    string
	Agent                      string // who replied last
}

// A matter is what is known of a conversation while events are gone through.
type matter struct {
	handedOff time.Time // zero while the bot has the conversation, and before lookBack
	replies   int       // of people, since then
	waiting   time.Time // the customer's oldest message without a reply of a person
	open      bool      // people have it
}

// take takes the next event of the conversation, and adds it to figures if it is counted.
func (m *matter) take(e events.Event, to []*Figures) {
	each := func(do func(*Figures)) {
		for _, f := range to {
			do(f)
		}
	}
	switch e.Kind {
	case events.Received:
		if e.Reason == events.ReasonStandby {
			return
		}
		if m.open && m.waiting.IsZero() {
			m.waiting = e.At
		}
		each(func(f *Figures) { f.wrote(e.Conversation) })
	case events.Answered:
		each(func(f *Figures) { f.Answered++ })
	case events.AskedBack:
		each(func(f *Figures) { f.AskedBack++ })
	case events.Feedback:
		each(func(f *Figures) {
			if e.Reason == events.ReasonHelped {
				f.Helped++
			} else {
				f.NotHelped++
			}
		})
	case events.HandedOff:
		if m.open {
			return
		}
		*m = matter{handedOff: e.At, waiting: e.At, open: true}
		each(func(f *Figures) { f.Tickets++ })
	case events.Reopened:
		m.open, m.waiting = true, e.At
		each(func(f *Figures) { f.Reopened++ })
	case events.Replied:
		m.reply(e.At, each)
	case events.Closed:
		m.end(e, each)
	}
}

func (f *Figures) wrote(conversation string) {
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if !f.seen[conversation] {
		f.seen[conversation] = true
		f.Conversations++
	}
}

func (m *matter) reply(at time.Time, each func(func(*Figures))) {
	waited, first := at.Sub(m.waiting), m.replies == 0
	known := !m.waiting.IsZero()
	m.replies++
	m.waiting = time.Time{}
	each(func(f *Figures) {
		f.Replies++
		if !known {
			return
		}
		f.All.add(waited)
		if first {
			f.First.add(waited)
		} else {
			f.Next.add(waited)
		}
	})
}

func (m *matter) end(e events.Event, each func(func(*Figures))) {
	took, known, touched := e.At.Sub(m.handedOff), !m.handedOff.IsZero(), m.replies <= 1
	m.open, m.waiting = false, time.Time{}
	each(func(f *Figures) {
		switch handoff.Resolution(e.Reason) {
		case handoff.ResolutionHandedBack:
			f.HandedBack++
		case handoff.ResolutionLeft:
			f.Abandoned++
		default:
			f.Resolved++
			if touched {
				f.OneTouch++
			}
			if known {
				f.Resolution.add(took)
			}
		}
	})
}
