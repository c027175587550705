// Package turns answers: it claims a conversation whose turn is due, lets the engine decide, and commits.
package turns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

const (
	// turnTimeout bounds working out one turn.
	turnTimeout = 12 * time.Second
)

const (
	// maxTurnAttempts is how often the engine is asked. After that the turn goes to a person.
	maxTurnAttempts = 3
	// maxLoadedAttempts is how often what was said is loaded for a turn. After that it goes to a person by what the
	// conversation's row says alone.
	maxLoadedAttempts = maxTurnAttempts + 1
)

// errUndecided means that it was the engine that failed.
var errUndecided = errors.New("the engine failed")

// RunnerOptions are the parts of a Runner that may be left out.
type RunnerOptions struct {
	Workers int              // turns worked out at once; 8 if 0
	Poke    func()           // called when deliveries were queued
	Now     func() time.Time // time.Now if nil
	Observe func(stage string, took time.Duration, err error)
}

// A Runner claims conversations whose turn is due, lets the engine decide, and commits.
type Runner struct {
	store    *store.Store
	engine   bot.Engine
	accounts *bot.Registry
	log      logrus.FieldLogger
	o        RunnerOptions
	poke     chan struct{}
}

// NewRunner returns a Runner that answers for accounts, whose channels it asks for their limits.
func NewRunner(store *store.Store, engine bot.Engine, accounts *bot.Registry, log logrus.FieldLogger, o RunnerOptions) *Runner {
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration, error) {}
	}
	return &Runner{store: store, engine: engine, accounts: accounts, log: log, o: o,
		poke: make(chan struct{}, 1)}
}

// Poke makes the runner look for work now.
func (r *Runner) Poke() { worker.Poke(r.poke) }

// Run works until ctx ends, then finishes or gives back what it holds.
func (r *Runner) Run(ctx context.Context) error {
	claim := func(most int) ([]store.TurnClaim, time.Time, error) {
		return r.store.ClaimTurns(ctx, r.o.Now(), worker.LeaseTime, most)
	}
	return worker.Run(ctx, r.o.Workers, r.poke, claim, func(ctx context.Context, c store.TurnClaim) {
		worker.KeepLease(ctx, worker.RenewEvery, func(ctx context.Context) error { return r.store.RenewTurn(ctx, c, r.o.Now().Add(worker.LeaseTime)) },
			func(ctx context.Context) { r.runTurn(ctx, c) })
	}, r.log.WithField("loop", "runner"))
}

// runTurn decides one claimed turn and commits the outcome.
func (r *Runner) runTurn(ctx context.Context, c store.TurnClaim) {
	log := r.log.WithFields(logrus.Fields{"conversation": c.Turn.Conversation.ID, "turn": c.Turn.ID})
	began := r.o.Now()
	var outcome bot.Outcome
	err := guard.Run(func() (err error) { outcome, err = r.loadAndDecide(ctx, &c); return err })
	if err == nil {
		outcome.Trace.Took = r.o.Now().Sub(began)
		err = worker.Persist(ctx, log, "commit a turn", func(ctx context.Context) error { return r.store.CommitTurn(ctx, c, outcome, r.o.Now()) })
	}
	if errors.Is(err, store.ErrFenced) { // no failure: somebody else speaks
		r.o.Observe("turn", r.o.Now().Sub(began), nil)
		log.Info("turn overtaken")
		r.Poke() // what waits now waits for the one who overtook
		return
	}
	r.o.Observe("turn", r.o.Now().Sub(began), err)
	if err != nil {
		guard.Log(log, "a turn", err)
		r.deferTurn(ctx, c, err, log)
		return
	}
	log.WithFields(logrus.Fields{"action": outcome.Decision.Action, "reason": outcome.Decision.Reason,
		"took": r.o.Now().Sub(began).String()}).Info("turn")
	r.o.Poke()
}

// loadAndDecide loads a turn and runs the engine on it. A turn that could not be loaded again and again is escalated.
func (r *Runner) loadAndDecide(ctx context.Context, c *store.TurnClaim) (bot.Outcome, error) {
	r.resolveAccount(c)
	if c.Attempt > maxLoadedAttempts {
		if err := r.store.LoadWaiting(ctx, c); err != nil {
			return bot.Outcome{}, err
		}
		return r.escalateUnread(*c)
	}
	if err := r.store.LoadTurn(ctx, c); err != nil {
		return bot.Outcome{}, err
	}
	outcome, err := r.decideTurn(ctx, c)
	if err != nil {
		return outcome, fmt.Errorf("%w: %w", errUndecided, err)
	}
	outcome.Replies = r.fitReplies(c.Turn.Account, outcome.Replies)
	return outcome, nil
}

// resolveAccount fills in the account that a turn is on.
func (r *Runner) resolveAccount(c *store.TurnClaim) {
	a := c.Turn.Conversation.Address
	account, known := r.accounts.Account(a.Key())
	if !known { // it was taken out of the configuration: nobody's entries answer, so a person does
		account = bot.Account{Channel: a.Channel, ID: a.Account}
	}
	c.Turn.Account = account
}

// escalateUnread is the outcome of a turn of which only the conversation's row can be read: it goes to a person.
func (r *Runner) escalateUnread(c store.TurnClaim) (bot.Outcome, error) {
	t := c.Turn
	if len(t.Waiting) == 0 {
		return bot.Outcome{}, errors.New("a turn is due and nothing waits")
	}
	next := t.Conversation
	next.Mode = bot.ModePerson
	o := bot.Outcome{Next: next, Trace: bot.Trace{Rule: "kept failing"}, Decision: bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt}}
	if t.Conversation.Mode == bot.ModePerson {
		return o, nil
	}
	o.Decision = bot.Decision{Action: bot.ActionHandoff, Reason: bot.ReasonBroken}
	o.Escalate = &bot.Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: bot.ReasonBroken, Locale: t.Conversation.Locale}
	err := guard.Run(func() error {
		o.Replies = r.fitReplies(t.Account, r.engine.Broken(t).Replies) // what the customer is told
		return nil
	})
	guard.Log(r.log, "telling a customer that a person takes over", err)
	return o, nil
}

// decideTurn runs the engine. A turn that failed too often is escalated.
func (r *Runner) decideTurn(ctx context.Context, c *store.TurnClaim) (bot.Outcome, error) {
	t := &c.Turn
	if r.accounts.Limits(t.Account.Key()).DisclosesBot {
		t.Disclose = false
	}
	if c.Attempt > maxTurnAttempts {
		return r.engine.Broken(*t), nil
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	return r.engine.Turn(ctx, *t)
}

// deferTurn requeues a failed turn. An interruption by shutdown or by the database does not count as an attempt.
func (r *Runner) deferTurn(ctx context.Context, c store.TurnClaim, cause error, log logrus.FieldLogger) {
	wait, interrupted := store.TurnWaits().After(c.Attempt), false
	switch {
	case ctx.Err() != nil:
		wait, interrupted = 0, true
	case sqldb.Unavailable(cause) && !errors.Is(cause, errUndecided):
		wait, interrupted = worker.DatabaseBackoff(c.Attempt), true
	}
	log.WithError(cause).WithField("attempt", c.Attempt).Error("turn failed")
	err := worker.Persist(ctx, log, "put a turn off", func(ctx context.Context) error {
		return r.store.DeferTurn(ctx, c, r.o.Now().Add(wait), interrupted)
	})
	if err != nil {
		log.WithError(err).Error("cannot put the turn off; its lease will end")
	}
}

// fitReplies splits replies into messages that the account's channel can carry.
func (r *Runner) fitReplies(a bot.Account, replies []bot.Reply) (list []bot.Reply) {
	channel := r.accounts.Channel(a.Key())
	if channel == nil {
		return replies
	}
	for _, reply := range replies {
		list = append(list, fit.Split(reply, channel.Limits())...)
	}
	return list
}
