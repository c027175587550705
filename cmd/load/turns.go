package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	warmUp     = 3 * time.Second
	turnsFor   = 10 * time.Second
	answerMost = time.Minute // an answer that takes longer is lost
)

// turns measures whole turns with more and more customers, each of whom asks, waits for the answer
// and asks again at once.
func (s *stage) turns(ctx context.Context) (rows []row, err error) {
	best := 0.0
	for _, n := range []int{100, 400, 1000, 2000} {
		r, err := s.converse(ctx, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{what: fmt.Sprintf("turns a second, %d customers", n), value: r.String()})
		best = max(best, r.perSecond)
		if err := s.drain(ctx); err != nil {
			return nil, err
		}
	}
	return append(rows, row{what: "whole turns a second, at most", value: fmt.Sprintf("%.0f", best), wanted: fmt.Sprintf("≥ %d", markTurns), mark: true, met: best >= markTurns}), nil
}

// A conversed is what came of customers who ask and wait.
type conversed struct {
	perSecond     float64
	took          []time.Duration // from the question to the answer, ascending
	service, rest float64         // cores used by the service, and by this program
}

func (c conversed) String() string {
	return fmt.Sprintf("%.0f; question to answer p50 %s, p99 %s; cores used by the service %.2f, by fake and customers %.2f, of %d",
		c.perSecond, quantile(c.took, .5).Round(time.Millisecond), quantile(c.took, .99).Round(time.Millisecond), c.service, c.rest, runtime.NumCPU())
}

// converse has n customers ask and wait.
func (s *stage) converse(ctx context.Context, n int) (c conversed, err error) {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	var working sync.WaitGroup
	var mu sync.Mutex
	var counting atomic.Bool
	failed := make([]error, n)
	for i := range n {
		working.Go(func() {
			customer := fmt.Sprint(15552000000 + i)
			pause(asking, time.Duration(rand.Int64N(int64(time.Second)))) // people do not write in step
			for asking.Err() == nil && failed[i] == nil {
				var took time.Duration
				if took, failed[i] = s.ask(ctx, customer); failed[i] == nil && counting.Load() {
					mu.Lock()
					c.took = append(c.took, took)
					mu.Unlock()
				}
			}
		})
	}
	pause(ctx, warmUp)
	ours, rest, began := cpu(s.service.cmd.Process.Pid), cpu(os.Getpid()), time.Now()
	counting.Store(true)
	pause(ctx, turnsFor)
	counting.Store(false)
	d := time.Since(began)
	c.service = (cpu(s.service.cmd.Process.Pid) - ours).Seconds() / d.Seconds()
	c.rest = (cpu(os.Getpid()) - rest).Seconds() / d.Seconds()
	stop()
	working.Wait()
	c.perSecond = float64(len(c.took)) / d.Seconds()
	slices.Sort(c.took)
	return c, errors.Join(failed...)
}

// ask has a customer ask one question and wait for the answer.
func (s *stage) ask(ctx context.Context, customer string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, answerMost)
	defer cancel()
	before := s.account.SentTo(customer)
	began := time.Now()
	s.account.Say(customer, s.questions[rand.IntN(len(s.questions))]) // the network posts it
	if err := s.account.WaitCount(ctx, customer, before+1); err != nil {
		return 0, fmt.Errorf("a question has no answer: %w", err)
	}
	return time.Since(began), nil
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
