package console

import (
	"context"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/guard"
)

const (
	// watchBack is how far back changes are looked for: what a slow transaction commits late, or
	// another process with another clock, is still seen.
	watchBack = 30 * time.Second
	// watchGap is the least time between two looks, however often somebody pokes.
	watchGap = 150 * time.Millisecond
)

// Run looks for changes and tells the open pages, while there are any, until ctx ends; then the
// streams end, and browsers come back by themselves when the service does.
func (c *Console) Run(ctx context.Context) error {
	defer c.hub.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.presence.began:
			c.watch(ctx)
		}
	}
}

// watch looks until nobody listens or ctx ends.
func (c *Console) watch(ctx context.Context) {
	tick := time.NewTicker(c.o.Every)
	defer tick.Stop()
	w := watcher{console: c}
	lost := true // what happened before is not known
	for ctx.Err() == nil && c.presence.watched() {
		began := time.Now()
		var changes []change
		err := guard.Run(func() (err error) { changes, err = w.look(ctx); return err })
		switch {
		case err == nil && lost:
			c.hub.WakeAll()
		case err == nil:
			c.tell(changes)
		case !lost && ctx.Err() == nil:
			c.o.Log.WithError(err).Error("the desk cannot look for changes")
		}
		lost = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			continue
		case <-c.poke:
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchGap - time.Since(began)):
		}
	}
}

// tell tells everybody of those changes that they may know of.
func (c *Console) tell(changes []change) {
	var topics []string
	for _, ch := range changes {
		topics = append(topics, listTopic(ch.affiliate), listTopic(knowledge.Everyone), conversationTopic(ch.conversation))
	}
	c.hub.Wake(topics...)
}

// A change is one conversation or ticket that is not what it was.
type change struct {
	affiliate    knowledge.AffiliateID
	conversation bot.ConversationID
}

// A watcher remembers what tickets and conversations were like at the last look.
type watcher struct {
	console *Console
	was     map[string]glance
}

type glance struct {
	change
	mark string
	owes bool
}

// look returns what changed since the last look.
func (w *watcher) look(ctx context.Context) (list []change, err error) {
	since := w.console.o.Now().Add(-watchBack)
	now := map[string]glance{}
	conversations, err := w.console.conversations.Pulses(ctx, since)
	if err != nil {
		return nil, err
	}
	for _, p := range conversations {
		now["c"+string(p.Conversation)] = glance{change{p.Affiliate, p.Conversation}, p.Mark, p.HasPending}
	}
	tickets, err := w.console.desk.Pulses(ctx, since)
	if err != nil {
		return nil, err
	}
	for _, p := range tickets {
		now["t"+string(p.Ticket)] = glance{change{p.Affiliate, p.Conversation}, fmt.Sprint(p.Changes), false}
	}
	for id, g := range now {
		if w.was[id].mark != g.mark {
			list = append(list, g.change)
		}
	}
	for id, g := range w.was { // old, and what it owed has gone out
		if _, still := now[id]; !still && g.owes {
			list = append(list, g.change)
		}
	}
	w.was = now
	return list, nil
}
