package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

const (
	// turnTimeout bounds working out one turn.
	turnTimeout = 12 * time.Second
	// leaseTime is how long nobody else takes what was claimed. It is renewed while the work goes on,
	// so it is what a customer waits at most, beyond the work itself, when a process dies on it.
	leaseTime  = 6 * time.Second
	renewEvery = 2 * time.Second
	// pollEvery is how often the loops look for work that nobody poked them about.
	pollEvery = 250 * time.Millisecond
	// lookEvery is the least time between two looks that find nothing: thousands of pokes a second, one
	// for every message, must not cost as many looks.
	lookEvery = 5 * time.Millisecond
	// stopTimeout is how long a loop's work in hand may go on once the service stops.
	stopTimeout = 20 * time.Second
)

// turnWaits are the waits after a turn's first, second, third failure, and after any later one.
func turnWaits() []time.Duration {
	return []time.Duration{2 * time.Second, 8 * time.Second, 30 * time.Second}
}

const (
	// maxTurnAttempts is how often the engine is asked. After that the turn goes to a person.
	maxTurnAttempts = 3
	// maxLoadedAttempts is how often what was said is loaded for a turn. After that it goes to a person by what the
	// conversation's row says alone.
	maxLoadedAttempts = maxTurnAttempts + 1
)

// errUndecided means that it was the engine that failed.
var errUndecided = errors.New("the engine failed")

// turnBackoff is the wait after a turn's n-th failure.
func turnBackoff(n int) time.Duration { return turnWaits()[min(max(n, 1), len(turnWaits()))-1] }

// RunnerOptions are the parts of a Runner that may be left out.
type RunnerOptions struct {
	Workers int              // turns worked out at once; 8 if 0
	Poke    func()           // called when deliveries were queued
	Now     func() time.Time // time.Now if nil
	Observe func(stage string, took time.Duration, err error)
}

// A Runner claims conversations whose turn is due, lets the engine decide, and commits.
type Runner struct {
	store    *Store
	engine   Engine
	accounts *Registry
	log      logrus.FieldLogger
	o        RunnerOptions
	poke     chan struct{}
}

// NewRunner returns a Runner that answers for accounts, whose channels it asks for their limits.
func NewRunner(store *Store, engine Engine, accounts *Registry, log logrus.FieldLogger, o RunnerOptions) *Runner {
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
func (r *Runner) Poke() { poke(r.poke) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}

// Run works until ctx ends, then finishes or gives back what it holds.
func (r *Runner) Run(ctx context.Context) error {
	claim := func(most int) ([]turnClaim, time.Time, error) {
		return r.store.claimTurns(ctx, r.o.Now(), leaseTime, most)
	}
	return work(ctx, r.o.Workers, r.poke, claim, func(ctx context.Context, c turnClaim) {
		renewing(ctx, renewEvery, func(ctx context.Context) error { return r.store.renewTurn(ctx, c, r.o.Now().Add(leaseTime)) },
			func(ctx context.Context) { r.handle(ctx, c) })
	}, r.log.WithField("loop", "runner"))
}

// work is the loop of Runner, Courier and Collector: claim, at most as much as there are idle ones among n
// workers, hand it to them, and with nothing to claim wait for a poke, for what is due next, or for
// pollEvery. Workers outlive ctx by stopTimeout at most.
func work[T any](ctx context.Context, n int, poked <-chan struct{}, claim func(most int) (list []T, next time.Time, err error),
	do func(context.Context, T), log logrus.FieldLogger) error {
	inHand, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(stopTimeout, stop) })

	var g errgroup.Group
	slots := make(chan struct{}, n)
	looked := time.Time{}
	for ctx.Err() == nil {
		rest(ctx, time.Until(looked.Add(lookEvery)))
		idle := take(ctx, slots) // claim only what can start at once
		if idle == 0 {
			break
		}
		var list []T
		var next time.Time
		err := guard.Run(func() (err error) { list, next, err = claim(idle); return err })
		guard.Log(log, "looking for work", err)
		for _, claimed := range list {
			g.Go(func() error {
				defer func() { <-slots }()
				guard.Do(log, "work", func() { do(inHand, claimed) }) // its lease ends by itself then
				return nil
			})
		}
		for range idle - len(list) {
			<-slots
		}
		if len(list) > 0 {
			continue
		}
		looked = time.Now()
		wait := pollEvery
		if err != nil && ctx.Err() == nil {
			log.WithError(err).Error("cannot look for work")
			wait = time.Second
		} else if !next.IsZero() {
			wait = min(max(time.Until(next), time.Millisecond), pollEvery)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-poked:
		case <-timer.C:
		}
		timer.Stop()
	}
	return g.Wait()
}

// oneByOne is a claim of at most one.
func oneByOne[T any](claim func() (T, time.Time, bool, error)) func(int) ([]T, time.Time, error) {
	return func(int) ([]T, time.Time, error) {
		one, next, ok, err := claim()
		if err != nil || !ok {
			return nil, next, err
		}
		return []T{one}, next, nil
	}
}

// rest waits for d or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// take takes all free slots, of which it waits for the first, and returns how many; 0 if ctx ended.
func take(ctx context.Context, slots chan<- struct{}) int {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case slots <- struct{}{}:
		default:
			return n
		}
	}
}

// renewing does its work while a lease is renewed beside it. A lease that cannot be renewed ends: the
// fence, or a doubt, then tells whoever comes second.
func renewing(ctx context.Context, every time.Duration, renew func(context.Context) error, do func(context.Context)) {
	renewals, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-renewals.Done():
				return nil
			case <-tick.C:
				if err := guard.Run(func() error { return renew(renewals) }); err != nil && !sqldb.Unavailable(err) {
					return err
				}
			}
		}
	})
	defer func() {
		stop()
		_ = g.Wait() // that a renewal failed shows when the work is committed
	}()
	do(ctx)
}

// handle works out one claimed turn and commits it.
func (r *Runner) handle(ctx context.Context, c turnClaim) {
	log := r.log.WithFields(logrus.Fields{"conversation": c.turn.Conversation.ID, "turn": c.turn.ID})
	began := r.o.Now()
	var outcome Outcome
	err := guard.Run(func() (err error) { outcome, err = r.workOut(ctx, &c); return err })
	if err == nil {
		outcome.Trace.Took = r.o.Now().Sub(began)
		err = persist(ctx, log, "commit a turn", func(ctx context.Context) error { return r.store.commitTurn(ctx, c, outcome, r.o.Now()) })
	}
	if errors.Is(err, errFenced) { // no failure: somebody else speaks
		r.o.Observe("turn", r.o.Now().Sub(began), nil)
		log.Info("turn overtaken")
		r.Poke() // what waits now waits for the one who overtook
		return
	}
	r.o.Observe("turn", r.o.Now().Sub(began), err)
	if err != nil {
		guard.Log(log, "a turn", err)
		r.putOff(ctx, c, err, log)
		return
	}
	log.WithFields(logrus.Fields{"action": outcome.Decision.Action, "reason": outcome.Decision.Reason,
		"took": r.o.Now().Sub(began).String()}).Info("turn")
	r.o.Poke()
}

// workOut runs the engine on what was said, or gives up on it.
func (r *Runner) workOut(ctx context.Context, c *turnClaim) (Outcome, error) {
	r.know(c)
	if c.attempt > maxLoadedAttempts {
		if err := r.store.loadBare(ctx, c); err != nil {
			return Outcome{}, err
		}
		return r.handOver(*c)
	}
	if err := r.store.loadTurn(ctx, c); err != nil {
		return Outcome{}, err
	}
	outcome, err := r.decide(ctx, c)
	if err != nil {
		return outcome, fmt.Errorf("%w: %w", errUndecided, err)
	}
	outcome.Replies = r.fit(c.turn.Account, outcome.Replies)
	return outcome, nil
}

// know fills in whose account a turn is on.
func (r *Runner) know(c *turnClaim) {
	a := c.turn.Conversation.Address
	account, known := r.accounts.Account(AccountKey(a.Channel, a.Account))
	if !known { // it was taken out of the configuration: nobody's entries answer, so a person does
		account = Account{Channel: a.Channel, ID: a.Account}
	}
	c.turn.Account = account
}

// handOver is the outcome of a turn of which only the conversation's row can be read: people have it.
func (r *Runner) handOver(c turnClaim) (Outcome, error) {
	t := c.turn
	if len(t.Waiting) == 0 {
		return Outcome{}, errors.New("a turn is due and nothing waits")
	}
	next := t.Conversation
	next.Mode = ModePerson
	o := Outcome{Next: next, Trace: Trace{Rule: "kept failing"}, Decision: Decision{Action: ActionForward, Reason: ReasonPersonHasIt}}
	if t.Conversation.Mode == ModePerson {
		return o, nil
	}
	o.Decision = Decision{Action: ActionHandoff, Reason: ReasonBroken}
	o.Escalate = &Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: ReasonBroken, Locale: t.Conversation.Locale}
	err := guard.Run(func() error {
		o.Replies = r.fit(t.Account, r.engine.Broken(t).Replies) // what the customer is told
		return nil
	})
	guard.Log(r.log, "telling a customer that a person takes over", err)
	return o, nil
}

// decide runs the engine, or gives up on it.
func (r *Runner) decide(ctx context.Context, c *turnClaim) (Outcome, error) {
	t := &c.turn
	if channel := r.accounts.Channel(AccountKey(t.Account.Channel, t.Account.ID)); channel != nil && channel.Limits().Tells {
		t.Disclose = false
	}
	if c.attempt > maxTurnAttempts {
		return r.engine.Broken(*t), nil
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	return r.engine.Turn(ctx, *t)
}

// putOff has a failed turn tried again later. That the service stops, or the database was away, is no failure of
// the turn's.
func (r *Runner) putOff(ctx context.Context, c turnClaim, cause error, log logrus.FieldLogger) {
	wait, interrupted := turnBackoff(c.attempt), false
	switch {
	case ctx.Err() != nil:
		wait, interrupted = 0, true
	case sqldb.Unavailable(cause) && !errors.Is(cause, errUndecided):
		wait, interrupted = databaseBackoff(c.attempt), true
	}
	log.WithError(cause).WithField("attempt", c.attempt).Error("turn failed")
	err := persist(ctx, log, "put a turn off", func(ctx context.Context) error {
		return r.store.deferTurn(ctx, c, r.o.Now().Add(wait), interrupted)
	})
	if err != nil {
		log.WithError(err).Error("cannot put the turn off; its lease will end")
	}
}

// fit cuts replies to what the account's channel can carry.
func (r *Runner) fit(a Account, replies []Reply) (list []Reply) {
	channel := r.accounts.Channel(AccountKey(a.Channel, a.ID))
	if channel == nil {
		return replies
	}
	for _, reply := range replies {
		list = append(list, Fit(reply, channel.Limits())...)
	}
	return list
}
