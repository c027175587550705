// Package worker runs loops that claim work from the database, a lease at a time, and keep what was done however
// long the database is away.
package worker

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

const (
	// LeaseTime is how long nobody else takes what was claimed. It is renewed while the work goes on,
	// so it is what a customer waits at most, beyond the work itself, when a process dies on it.
	LeaseTime  = 6 * time.Second
	RenewEvery = 2 * time.Second
	// pollEvery is how often the loops look for work that nobody poked them about.
	pollEvery = 250 * time.Millisecond
	// lookEvery is the least time between two looks that find nothing: thousands of pokes a second, one
	// for every message, must not cost as many looks.
	lookEvery = 5 * time.Millisecond
	// stopTimeout is how long a loop's work in hand may go on once the service stops.
	stopTimeout = 20 * time.Second
)

// Poke makes a loop that waits on c look for work now.
func Poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}

// Run is the loop of Runner, Courier and Collector: claim, at most as much as there are idle ones among n
// workers, hand it to them, and with nothing to claim wait for a poke, for what is due next, or for
// pollEvery. Workers outlive ctx by stopTimeout at most.
func Run[T any](ctx context.Context, n int, poked <-chan struct{}, claim func(most int) (list []T, next time.Time, err error),
	do func(context.Context, T), log logrus.FieldLogger) error {
	inHand, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(stopTimeout, stop) })

	var g errgroup.Group
	slots := make(chan struct{}, n)
	looked := time.Time{}
	for ctx.Err() == nil {
		Rest(ctx, time.Until(looked.Add(lookEvery)))
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

// OneByOne is a claim of at most one.
func OneByOne[T any](claim func() (T, time.Time, bool, error)) func(int) ([]T, time.Time, error) {
	return func(int) ([]T, time.Time, error) {
		one, next, ok, err := claim()
		if err != nil || !ok {
			return nil, next, err
		}
		return []T{one}, next, nil
	}
}

// Rest waits for d or until ctx ends.
func Rest(ctx context.Context, d time.Duration) {
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

// KeepLease does its work while a lease is renewed beside it. A lease that cannot be renewed ends: the
// fence, or a doubt, then tells whoever comes second.
func KeepLease(ctx context.Context, every time.Duration, renew func(context.Context) error, do func(context.Context)) {
	renewals, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error {
		guard.Every(renewals, every, func(ctx context.Context) {
			if err := guard.Run(func() error { return renew(ctx) }); err != nil && !sqldb.Unavailable(err) {
				stop()
			}
		})
		return nil
	})
	defer func() {
		stop()
		_ = g.Wait() // that a renewal failed shows when the work is committed
	}()
	do(ctx)
}
