package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/guard"
)

const (
	sweepEvery = time.Minute
	// sweepAfter keeps Sweep's hands off conversations that are just changing hands.
	sweepAfter = time.Minute
	// maxAdoptions is how often a ticket is opened with what a conversation holds. After that it is opened with
	// nothing but its name, since something in it must be at fault.
	maxAdoptions = 3
)

// Run sweeps every minute until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	guard.Every(ctx, sweepEvery, func(ctx context.Context) {
		if err := d.Sweep(ctx); err != nil && ctx.Err() == nil {
			d.log.WithError(err).Error("sweep failed")
		}
	})
	return nil
}

// Sweep wakes the tickets whose time has come, and opens a ticket for every conversation that has waited for a person for a minute and has none. One at which it
// fails keeps it from no other.
func (d *Desk) Sweep(ctx context.Context) error {
	if err := d.store.wakeDue(ctx, d.now()); err != nil {
		return err
	}
	waiting, err := d.conversations.WithPerson(ctx, d.now().Add(-sweepAfter))
	if err != nil {
		return err
	}
	var failed error
	for _, c := range waiting {
		err := guard.Run(func() error { return d.sweepConversation(ctx, c) })
		guard.Log(d.log.WithField("conversation", c.ID), "the sweep", err)
		failed = errors.Join(failed, err)
	}
	return failed
}

// sweepConversation opens a ticket for a conversation that has none.
func (d *Desk) sweepConversation(ctx context.Context, c bot.Conversation) error {
	has, err := d.store.hasOpen(ctx, c.ID)
	if err != nil || has {
		return err
	}
	n, wait, err := d.attempts.Begin(ctx, "sweep", string(c.ID))
	if err != nil || wait > 0 {
		return err
	}
	opened := false
	err = guard.Run(func() (err error) {
		opened, err = d.openFor(ctx, c, n)
		return err
	})
	if opened {
		d.log.WithField("conversation", c.ID).Warn("a conversation waited for a person without a ticket")
	}
	return errors.Join(err, d.attempts.End(context.WithoutCancel(ctx), "sweep", string(c.ID), err))
}

// openFor opens c's ticket, at the n-th attempt.
func (d *Desk) openFor(ctx context.Context, c bot.Conversation, n int) (opened bool, err error) {
	if n > maxAdoptions {
		return true, d.store.open(ctx, c.ID, opening{at: d.now(), waits: true,
			Escalation: bot.Escalation{ID: "sweep:" + rand.Text(), Affiliate: c.Affiliate, Reason: bot.ReasonPersonHasIt, Locale: c.Locale}})
	}
	t, err := d.current(ctx, c.ID)
	if err == nil && t.State != StateClosed { // on another channel of the customer
		return false, nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	return true, d.adopt(ctx, c.ID, "sweep:"+rand.Text(), d.now(), false)
}
