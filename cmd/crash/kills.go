package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// trapPatience is how long a kill waits for somebody to come to its trap before it strikes anyway.
const trapPatience = 2 * time.Second

// A kill is one death of the service.
type kill struct {
	Life     int
	What     string // "at start", "at random", or the point of the trap
	Targeted bool   // somebody came to the trap
	At       time.Time
}

// A plan says when to kill a life.
type plan struct {
	atStart bool          // delay counts from the start, not from when the service listens
	delay   time.Duration // then strike, or lay the trap
	trap    point         // "" for none
	nth     int           // who falls into it
	after   time.Duration // from falling to striking, where nobody is held
}

// newPlan draws a plan. Half of all kills come at random, from the very start on; half at the
// moments at which what the network knows and what the service has stored differ.
//
// A send that the kill before, last, left in doubt is now and then killed again when it is repeated.
func newPlan(r *rand.Rand, mode string, last kill) plan {
	if last.Targeted && last.What == string(sendReceived) && r.IntN(3) == 0 {
		return plan{atStart: true, trap: pick(r, []point{sendReceived, sendReceived, sendArrived, typingShown}), nth: 1}
	}
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	switch n := r.IntN(100); {
	case n < 8: // before it listens
		return plan{atStart: true, delay: between(0, 50*time.Millisecond)}
	case n < 12:
		return plan{atStart: true, delay: between(0, 300*time.Millisecond)}
	case n < 45:
		return plan{delay: between(0, 600*time.Millisecond)}
	case n < 50: // long enough for what a dead life left to be worked off
		return plan{delay: between(1500*time.Millisecond, 2500*time.Millisecond)}
	}
	points := []point{sendArrived, sendReceived, sendReceived, sendReceived, sendAnswered, sendAnswered, typingShown, called}
	if mode == modePoll {
		points = append(points, pollOffered, pollOffered, pollOffered, pollUnsaid, pollUnsaid)
	} else {
		points = append(points, posted, posted, acceptUnsaid, acceptUnsaid, acceptSaid)
	}
	return plan{delay: between(0, 300*time.Millisecond), trap: pick(r, points), nth: 1 + r.IntN(4),
		after: between(0, 8*time.Millisecond)}
}

// A killer keeps the service alive by starting it, and dead by killing it.
type killer struct {
	service *service
	network *network
	mode    string
	r       *rand.Rand
	lives   int
	kills   []kill
	odd     []string // lives that ended by themselves
}

// errDies means that the service ends by itself whenever it is started.
var errDies = errors.New("the service keeps ending by itself")

// begin starts the next life. The network learns where it listens once it does.
func (k *killer) begin(ctx context.Context) (*life, error) {
	k.lives++
	return k.service.start(ctx, k.lives, k.network.connect)
}

// listening waits until l listens.
func (k *killer) listening(ctx context.Context, l *life) error {
	timer := time.NewTimer(startWithin)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.serving:
		return nil
	case <-l.died:
		return fmt.Errorf("the service ended while it started: %w", l.err)
	case <-timer.C:
		return fmt.Errorf("the service does not listen after %s", startWithin)
	}
}

// run starts and kills the service n times, telling of its progress.
func (k *killer) run(ctx context.Context, n int, progress func(done int)) error {
	failed, last := 0, kill{}
	for len(k.kills) < n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l, err := k.begin(ctx)
		if err != nil {
			return err
		}
		p := newPlan(k.r, k.mode, last)
		killed := k.live(ctx, l, p)
		k.network.connect("")
		if killed {
			failed, last = 0, k.kills[len(k.kills)-1]
			progress(len(k.kills))
			continue
		}
		k.odd = append(k.odd, fmt.Sprintf("life %d ended by itself: %v", l.number, l.err))
		if failed++; failed == 3 {
			return fmt.Errorf("%w: %w", errDies, l.err)
		}
	}
	return nil
}

// live lets l live as p says and kills it. It reports false if l ended by itself.
func (k *killer) live(ctx context.Context, l *life, p plan) bool {
	what := "at start"
	if !p.atStart {
		what = "at random"
		if err := k.listening(ctx, l); err != nil {
			l.kill()
			return false
		}
	}
	pause(ctx, p.delay)
	if p.trap == "" {
		return k.strike(l, what, false)
	}
	t := k.network.lay(p.trap, p.nth)
	defer k.network.lift(t)
	timer := time.NewTimer(trapPatience)
	defer timer.Stop()
	select {
	case <-t.hit:
		if !p.trap.held() {
			pause(ctx, p.after)
		}
		return k.strike(l, string(p.trap), true)
	case <-timer.C:
	case <-l.died:
	case <-ctx.Done():
	}
	return k.strike(l, what, false)
}

func (k *killer) strike(l *life, what string, targeted bool) bool {
	at := time.Now()
	if !l.kill() {
		return false
	}
	k.kills = append(k.kills, kill{Life: l.number, What: what, Targeted: targeted, At: at})
	return true
}
