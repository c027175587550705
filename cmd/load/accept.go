package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

const (
	// burst is how long one measurement lasts: less than a customer must be quiet before the service
	// answers, so that taking messages in is measured and not answering them.
	burst = 600 * time.Millisecond
	// flood is how long it is measured what can be taken in without an end, while customers are answered, too.
	flood = 10 * time.Second
	// maxLines is how many connections there are at the most.
	maxLines = 512
	// flooders is how many customers write in turns during a burst.
	flooders = 1000
)

// A contestant is a program, and what it did.
type contestant struct {
	*program
	best  int // lines with which it takes the most
	rates []float64
}

// accept measures taking in: first with more and more lines, then the service and the bare handler in
// turns, then the service at a third of what it can.
func (s *stage) accept(ctx context.Context) (rows []row, err error) {
	var customers []string
	for i := range flooders {
		customers = append(customers, fmt.Sprint(15551000000+i))
	}
	s.account.Know(customers...)
	m := newMint(s.account, customers, s.questions)
	ours, theirs := &contestant{program: s.service}, &contestant{program: s.bare}
	if rows, err = s.climb(ctx, ours, theirs, m); err != nil {
		return nil, err
	}
	shares, err := s.inTurns(ctx, ours, theirs, m)
	if err != nil {
		return nil, err
	}
	rate, share := median(ours.rates), median(shares)
	rows = append(rows,
		row{what: "posts to durable 200 a second", value: fmt.Sprintf("%.0f (%s)", rate, span(ours.rates, "%.0f")), wanted: fmt.Sprintf("≥ %d", markPosts), mark: true, met: rate >= markPosts},
		row{what: "bare gin handler, the same check", value: fmt.Sprintf("%.0f (%s)", median(theirs.rates), span(theirs.rates, "%.0f"))},
		row{what: "share of the bare handler's", value: fmt.Sprintf("%.2f (%s)", share, span(shares, "%.2f")), wanted: fmt.Sprintf("≥ %.2g", minShare), met: share >= minShare})
	tails, err := s.tails(ctx, ours, theirs, m, rate/3)
	if err != nil {
		return nil, err
	}
	long, err := s.flood(ctx, ours, m, median(theirs.rates))
	return slices.Concat(rows, tails, []row{long}), err
}

// climb has both take bursts over more and more lines, and finds with how many each takes the most.
func (s *stage) climb(ctx context.Context, ours, theirs *contestant, m *mint) (rows []row, err error) {
	for _, n := range []int{1, 8, 32, 128, maxLines} {
		var rates []float64
		for _, c := range []*contestant{ours, theirs} {
			rate, err := s.round(ctx, c, n, m)
			if err != nil {
				return nil, err
			}
			rates = append(rates, rate)
			if c.rates = append(c.rates, rate); rate == slices.Max(c.rates) {
				c.best = n
			}
		}
		rows = append(rows, row{what: fmt.Sprintf("posts a second, %d connections", n), value: fmt.Sprintf("%.0f; bare handler %.0f", rates[0], rates[1])})
	}
	return rows, nil
}

// inTurns measures both at their best, in turns, and returns ours as shares of theirs.
func (s *stage) inTurns(ctx context.Context, ours, theirs *contestant, m *mint) (shares []float64, err error) {
	ours.rates, theirs.rates = nil, nil
	for i := range s.o.rounds {
		for _, c := range []*contestant{ours, theirs} {
			rate, err := s.round(ctx, c, c.best, m)
			if err != nil {
				return nil, err
			}
			c.rates = append(c.rates, rate)
		}
		shares = append(shares, ours.rates[i]/theirs.rates[i])
	}
	return shares, nil
}

// flood has the service take in posts for so long that it must also work them off meanwhile.
func (s *stage) flood(ctx context.Context, c *contestant, m *mint, bare float64) (row, error) {
	count, rate, err := closed(ctx, c.program, c.best, m, flood)
	if err != nil {
		return row{}, err
	}
	s.accepted += count
	began := time.Now()
	r := row{what: fmt.Sprintf("the same for %s, with what comes after", flood)}
	if err := s.drain(ctx); err != nil {
		return r, err
	}
	r.value = fmt.Sprintf("%.0f a second, %.2f of the bare handler's; all answered %s later", rate, rate/bare, time.Since(began).Round(100*time.Millisecond))
	return r, nil
}

// round has a contestant take a burst. What it has taken is worked off before the next one.
func (s *stage) round(ctx context.Context, c *contestant, n int, m *mint) (float64, error) {
	count, rate, err := closed(ctx, c.program, n, m, burst)
	if err != nil || c.program != s.service {
		return rate, err
	}
	s.accepted += count
	return rate, s.drain(ctx)
}

// tails measures how long calls of both take at a rate: what the machine does to the one, it does to the other.
func (s *stage) tails(ctx context.Context, ours, theirs *contestant, m *mint, rate float64) ([]row, error) {
	a, err := s.tail(ctx, ours, m, rate)
	if err != nil {
		return nil, err
	}
	b, err := s.tail(ctx, theirs, m, rate)
	a.what, a.wanted = fmt.Sprintf("at %.0f a second, p99 over p50", rate), fmt.Sprintf("≤ %.3g", maxTail)
	b.what = "bare handler's at that rate"
	return []row{a, b}, err
}

// tail measures how long calls take at a rate. A round in which the disk stands still must not speak for all.
func (s *stage) tail(ctx context.Context, c *contestant, m *mint, rate float64) (row, error) {
	var p50, p99 []time.Duration
	var ratios []float64
	var most time.Duration
	for range s.o.rounds {
		took, err := open(ctx, c.program, maxLines, m, rate, burst)
		if err != nil {
			return row{}, err
		}
		slices.Sort(took)
		half, late := quantile(took, .5), quantile(took, .99)
		p50, p99, most = append(p50, half), append(p99, late), max(most, quantile(took, 1))
		ratios = append(ratios, float64(late)/float64(half))
		if c.program != s.service {
			continue
		}
		s.accepted += len(took)
		if err := s.drain(ctx); err != nil {
			return row{}, err
		}
	}
	ratio := median(ratios)
	return row{value: fmt.Sprintf("%.1f (%s; p50 %s, p99 %s, most %s)", ratio, span(ratios, "%.1f"), median(p50), median(p99), most), met: ratio <= maxTail}, nil
}

// pauseUntil waits until at. Go's own timers may come a millisecond late, longer than a call takes.
func pauseUntil(at time.Time) {
	if d := time.Until(at); d > 0 {
		t := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&t, nil) // cut short by a signal it is early, and what is early is not counted
	}
}

func median[T cmp.Ordered](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// span is the least and the most of a list.
func span(list []float64, format string) string {
	return fmt.Sprintf(format+"–"+format, slices.Min(list), slices.Max(list))
}

// quantile is the q-quantile of an ascending list.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return list[min(int(q*float64(len(list))), len(list)-1)].Round(10 * time.Microsecond)
}
