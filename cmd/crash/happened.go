package main

import (
	"strings"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge/events"
)

// A told is what an event tells: its kind and cause.
type told struct {
	kind  events.Kind
	cause string
}

// checkEvents checks that each thing that is in the database has its event, once, and that no event tells of
// anything else or holds words.
func (c *checker) checkEvents() {
	want, have := c.expectedEvents(), map[told]int{}
	for _, e := range c.e.Events {
		if strings.Contains(strings.Join([]string{e.Cause, e.Entry, e.Reason, e.Agent, e.Episode}, " "), canary) {
			c.violate(logged, "an event (%s of %s) holds words", e.Kind, e.Cause)
		}
		have[told{e.Kind, e.Cause}]++
	}
	for t, n := range want {
		if have[t] != n {
			c.violate(lost, "event %s of %s is there %d times instead of %d", t.kind, t.cause, have[t], n)
		}
	}
	for t := range have {
		switch t.kind {
		case events.Received, events.Tapped, events.Answered, events.AskedBack, events.HandedOff, events.Replied:
			if want[t] == 0 {
				c.violate(other, "event %s of %s tells of nothing that happened", t.kind, t.cause)
			}
		}
	}
	c.checkTicketEvents(have)
}

// expectedEvents are the events of messages, turns and handoffs that there must be.
func (c *checker) expectedEvents() map[told]int {
	want := map[told]int{}
	for _, m := range c.e.Messages {
		switch {
		case m.Author == bot.AuthorCustomer:
			want[told{events.Received, string(m.ID)}]++
			if m.Choice != "" {
				want[told{events.Tapped, string(m.ID)}]++
			}
		case m.Author == bot.AuthorAgent && strings.HasSuffix(m.External, ":0"): // the first message of a reply
			want[told{events.Replied, string(m.ID)}]++
		}
	}
	kinds := map[bot.Action]events.Kind{bot.ActionAnswer: events.Answered, bot.ActionClarify: events.AskedBack}
	for _, t := range c.e.Turns {
		if kind, ok := kinds[t.Action]; ok {
			want[told{kind, string(t.ID)}]++
		}
	}
	for _, list := range c.desk {
		for _, d := range list {
			if d.News != nil && d.News.Escalation != nil {
				want[told{events.HandedOff, d.News.Escalation.ID}]++
			}
		}
	}
	return want
}

// checkTicketEvents checks that the events of each ticket lead to the state in which it is.
func (c *checker) checkTicketEvents(have map[told]int) {
	for _, t := range c.e.Tickets {
		id := string(t.ID)
		closed := have[told{events.Closed, id}] - have[told{events.Reopened, id}]
		if is := t.State == handoff.StateClosed; closed != map[bool]int{true: 1}[is] {
			c.violate(lost, "ticket %s is %s, and its events close it %d times more than they reopen it", id, t.State, closed)
		}
		if taken := have[told{events.Taken, id}]; (taken > 0) != (t.Assignee != "") || taken > 1 { // one agent, who takes nothing over
			c.violate(lost, "ticket %s of agent %q was taken %d times by its events", id, t.Assignee, taken)
		}
	}
}
