package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page/live"
)

// maxTabs is how many tabs of one browser are told what becomes of the ticket they show; those after
// them poll.
const maxTabs = 30

// A tab is what one tab shows: a ticket or a conversation.
type tab struct {
	name          string // as the page has it: "ticket=…"
	ticket        handoff.TicketID
	conversations []bot.ConversationID // all of the customer's
}

// events is the stream of all tabs of a browser: "changed" when something in a list may be another,
// "here" with the name of a tab when the ticket or conversation that it shows is.
func (c *Console) events(g *gin.Context, p reader) error {
	tabs, err := c.tabs(g, p)
	if err != nil {
		return err
	}
	release, ok := c.streams.Take(limits.Bound{Key: "all", Max: limits.MaxDeskStreams}, limits.Bound{Key: "person\x00" + string(p.ID), Max: limits.MaxPersonStreams},
		limits.Bound{Key: "address\x00" + limits.Network(g.ClientIP()), Max: limits.MaxDeskAtOneAddress})
	if !ok {
		g.Header("Retry-After", "30")
		g.String(http.StatusTooManyRequests, p.Say("too_many_open")+"\n")
		return nil
	}
	defer release()
	s := &seat{person: p.Person}
	topics := listTopics(p)
	shownBy := map[string][]string{} // names of tabs, by topic
	for _, t := range tabs {
		for _, topic := range t.topics() {
			topics, shownBy[topic] = append(topics, topic), append(shownBy[topic], t.name)
		}
		if t.ticket != "" {
			s.tickets = append(s.tickets, t.ticket)
		}
	}
	c.sit(s)
	defer c.leave(s)
	err = c.hub.Serve(g.Writer, g.Request, live.Stream{Topics: topics, Beat: c.o.Beat,
		// Whoever signed out, or may see less by now, begins anew.
		Allowed: func() bool { now, ok := c.o.Who(g.Request); return ok && same(now, p.Person) },
		News:    func(woken []string) ([]live.Event, error) { return eventsOf(woken, shownBy), nil }})
	if err != nil && g.Request.Context().Err() == nil {
		c.o.Log.WithError(err).Debug("a stream of the desk ended")
	}
	return nil
}

// eventsOf says what the topics that were woken mean to the tabs.
func eventsOf(woken []string, shownBy map[string][]string) (list []live.Event) {
	changed, here := false, []string{}
	for _, topic := range woken {
		names, shown := shownBy[topic]
		changed = changed || !shown
		for _, name := range names {
			if !slices.Contains(here, name) {
				here = append(here, name)
			}
		}
	}
	if changed {
		list = append(list, live.Event{Name: "changed", Data: "list"})
	}
	for _, name := range here {
		list = append(list, live.Event{Name: "here", Data: name})
	}
	return list
}

// listTopics are woken when something changes that p's lists may show.
func listTopics(p reader) (topics []string) {
	for _, a := range p.Affiliates {
		topics = append(topics, listTopic(a))
	}
	return topics
}

func listTopic(a knowledge.AffiliateID) string       { return "list\x00" + string(a) }
func conversationTopic(id bot.ConversationID) string { return "conversation\x00" + string(id) }
func presenceTopic(id handoff.TicketID) string       { return "presence\x00" + string(id) }

// topics are woken when what the tab shows changes.
func (t tab) topics() (list []string) {
	for _, id := range t.conversations {
		list = append(list, conversationTopic(id))
	}
	if t.ticket != "" {
		list = append(list, presenceTopic(t.ticket))
	}
	return list
}

// sit and leave tell those who have one of the tickets open that somebody came or went.
func (c *Console) sit(s *seat) {
	c.presence.sit(s)
	c.wakePresence(s)
}

func (c *Console) leave(s *seat) {
	c.presence.leave(s)
	c.wakePresence(s)
}

func (c *Console) wakePresence(s *seat) {
	for _, id := range s.tickets {
		c.hub.Wake(presenceTopic(id))
	}
}

// tabs are what the tabs of the browser show. One of several that is not there, or not p's, is left out; a stream of
// nothing else is refused.
func (c *Console) tabs(g *gin.Context, p reader) (list []tab, err error) {
	var missing error
	for _, kind := range []string{"ticket", "conversation"} {
		for _, id := range g.QueryArray(kind) {
			if len(list) == maxTabs {
				return list, nil
			}
			t, err := c.tabOf(g.Request.Context(), p, kind, id)
			switch {
			case errors.Is(err, handoff.ErrNotFound), errors.Is(err, bot.ErrNotFound):
				missing = err
			case err != nil:
				return nil, err
			default:
				list = append(list, t)
			}
		}
	}
	if len(list) == 0 {
		return nil, missing
	}
	return list, nil
}

func (c *Console) tabOf(ctx context.Context, p reader, kind, id string) (t tab, err error) {
	t.name = kind + "=" + url.QueryEscape(id)
	var conv bot.Conversation
	if kind == "ticket" {
		var tk handoff.Ticket
		if tk, err = c.ticketOf(ctx, p, handoff.TicketID(id)); err == nil {
			t.ticket = tk.ID
			conv, err = c.conversations.Get(ctx, tk.Conversation)
		}
	} else {
		conv, err = c.conversationOf(ctx, p, bot.ConversationID(id))
	}
	if err != nil {
		return t, err
	}
	identities, err := c.conversations.Identities(ctx, conv)
	for _, i := range identities {
		t.conversations = append(t.conversations, i.ID)
	}
	return t, err
}
