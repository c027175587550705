package graphapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"faqbot/bot/exchange"
)

const (
	// slowFrom is the share of a limit, in per cent, from which calls are spread out. Meta refuses
	// everything for up to an hour from 100 on.
	slowFrom = 75
	// slowMost is the gap between two calls just below the limit.
	slowMost = 2 * time.Second
	// queueMost is how long a call waits for its turn; what would wait longer is told to come later.
	queueMost = 3 * time.Second
	// forget is for how long a share is believed. The windows that Meta counts in are an hour or more,
	// but every answer brings a new share.
	forget = 5 * time.Minute
)

// A usage keeps how much of Meta's limits is used, as its answers tell, and slows calls down before
// they are refused. Headers and units: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
// ("X-App-Usage", "X-Business-Use-Case-Usage"; shares in per cent, estimated_time_to_regain_access in
// minutes).
type usage struct {
	mu     sync.Mutex
	share  int       // per cent of the limit that is nearest
	until  time.Time // refused until then
	noted  time.Time
	nextAt time.Time // when the next call may start
}

// A share is one limit's entry in a header.
type share struct {
	Calls  float64 `json:"call_count"`
	CPU    float64 `json:"total_cputime"`
	Time   float64 `json:"total_time"`
	Regain float64 `json:"estimated_time_to_regain_access"` // minutes
}

func (u *usage) note(h http.Header) {
	var list []share
	var app share
	if text := h.Get("X-App-Usage"); text != "" && json.Unmarshal([]byte(text), &app) == nil {
		list = append(list, app)
	}
	var byBusiness map[string][]share
	if text := h.Get("X-Business-Use-Case-Usage"); text != "" && json.Unmarshal([]byte(text), &byBusiness) == nil {
		for _, of := range byBusiness {
			list = append(list, of...)
		}
	}
	if len(list) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.share, u.noted = 0, time.Now()
	for _, s := range list {
		u.share = max(u.share, int(max(s.Calls, s.CPU, s.Time)))
		if s.Regain > 0 {
			u.until = u.noted.Add(time.Duration(min(s.Regain, 24*60) * float64(time.Minute)))
		}
	}
}

// regain is how long calls will be refused, 0 if that is not known.
func (u *usage) regain() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return max(time.Until(u.until), 0)
}

// gap is the least time between two calls at a share of the limit.
func gap(share int) time.Duration {
	if share < slowFrom {
		return 0
	}
	over := min(share, 100) - slowFrom + 1
	return slowMost * time.Duration(over*over) / time.Duration((100-slowFrom+1)*(100-slowFrom+1))
}

// wait waits until a call may start. Its error is an *Error that means "throttled", or the context's
// as a *exchange.LostError.
func (u *usage) wait(ctx context.Context) error {
	u.mu.Lock()
	now := time.Now()
	if refused := u.until.Sub(now); refused > 0 {
		u.mu.Unlock()
		return &Error{Code: codeSlowDown, After: refused}
	}
	step := gap(u.share)
	if now.Sub(u.noted) > forget {
		step = 0
	}
	start := now
	if u.nextAt.After(now) && step > 0 {
		start = u.nextAt
	}
	pause := start.Sub(now)
	if pause > queueMost {
		u.mu.Unlock()
		return &Error{Code: codeSlowDown, After: pause}
	}
	u.nextAt = start.Add(step)
	u.mu.Unlock()
	if pause <= 0 {
		return nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return exchange.Lost(networkName, ctx.Err(), true)
	}
}
