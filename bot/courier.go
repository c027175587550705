package bot

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"
)

const (
	// withdrawAfter is how long a bot's reply may wait for its network. Later than that nobody wants
	// to read it: a person takes over.
	withdrawAfter = 10 * time.Minute
	// sayAttempts bounds the tries for a person's reply, over about a day.
	sayAttempts = 12
	// againAttempts bounds the tries after a network took a message and did not deliver it, or said that
	// a window that we know to be open is closed.
	againAttempts = 3
	// misconfiguredPause outlasts any run: Unpause ends it.
	misconfiguredPause = 100 * 365 * 24 * time.Hour
)

// sendBackoff is the wait after a delivery's n-th failed attempt: 1, 4, 15, 60 s, then 10 min, and
// from the 7th on 4 h.
func sendBackoff(n int) time.Duration {
	waits := []time.Duration{time.Second, 4 * time.Second, 15 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute}
	if n > len(waits) {
		return 4 * time.Hour
	}
	return waits[max(n, 1)-1]
}

// newsBackoff is the wait after the desk's n-th refusal: 1, 2, 4, … s, at most a minute.
func newsBackoff(n int) time.Duration {
	return min(time.Second<<min(n-1, 6), time.Minute)
}

// CourierOptions are the parts of a Courier that may be left out.
type CourierOptions struct {
	Workers int                // deliveries carried out at once; 16 if 0
	Now     func() time.Time   // time.Now if nil
	Link    func(Media) string // where a network may fetch a file of ours by https, "" if nowhere; nil means nowhere
	Observe func(stage string, took time.Duration, err error)
}

// A Courier carries out deliveries: replies to channels, news to the desk.
type Courier struct {
	store    *Store
	accounts *Registry
	desk     Desk
	log      logrus.FieldLogger
	o        CourierOptions
	poke     chan struct{}
}

// NewCourier returns a Courier over the channels of accounts, and desk.
func NewCourier(store *Store, accounts *Registry, desk Desk, log logrus.FieldLogger, o CourierOptions) *Courier {
	if o.Workers == 0 {
		o.Workers = 16
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration, error) {}
	}
	if o.Link == nil {
		o.Link = func(Media) string { return "" }
	}
	return &Courier{store: store, accounts: accounts, desk: desk, log: log, o: o, poke: make(chan struct{}, 1)}
}

// Poke makes the courier look for work now.
func (c *Courier) Poke() { poke(c.poke) }

// Run works until ctx ends, then finishes what it holds.
func (c *Courier) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.withdraw(ctx) })
	g.Go(func() error {
		claim := oneByOne(func() (delivery, time.Time, bool, error) { return c.store.claimDelivery(ctx, c.o.Now(), leaseTime) })
		return work(ctx, c.o.Workers, c.poke, claim, func(ctx context.Context, d delivery) {
			renewing(ctx, renewEvery, func(ctx context.Context) error { return c.store.renewDelivery(ctx, d, c.o.Now().Add(leaseTime)) },
				func(ctx context.Context) { c.carry(ctx, d) })
		}, c.log.WithField("loop", "courier"))
	})
	return g.Wait()
}

// carry carries out one claimed delivery and settles it.
func (c *Courier) carry(ctx context.Context, d delivery) {
	log := c.log.WithFields(logrus.Fields{"conversation": d.conv, "delivery": d.id, "lane": d.lane})
	began := c.o.Now()
	var v verdict
	switch {
	case d.payload == payload{}:
		v = verdict{state: "failed", code: "unreadable"}
	case d.lane == laneDesk:
		v = c.tell(ctx, d, log)
	default:
		v = c.send(ctx, d, log)
	}
	c.o.Observe("deliver_"+d.lane, c.o.Now().Sub(began), nil)
	// Settling must work even when the service is stopping: the send has happened.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.store.settle(ctx, d, v, c.o.Now()); err != nil {
		log.WithError(err).Error("cannot settle; the lease will end")
		return
	}
	log.WithFields(logrus.Fields{"state": v.state, "code": v.code, "attempt": d.attempt, "doubts": d.doubts,
		"took": c.o.Now().Sub(began).String()}).Info("delivery")
	c.Poke() // the next of the lane
}

func (c *Courier) tell(ctx context.Context, d delivery, log logrus.FieldLogger) verdict {
	n := *d.payload.News
	n.Conversation, n.Seq = d.conv, d.seq
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	if err := c.desk.Tell(ctx, n); err != nil {
		log.WithError(err).Error("the desk did not take the news")
		return verdict{state: "queued", due: c.o.Now().Add(newsBackoff(d.attempt)), code: "desk"}
	}
	return verdict{state: "sent"}
}

// send sends a reply. What it returns is the whole policy of retries.
func (c *Courier) send(ctx context.Context, d delivery, log logrus.FieldLogger) verdict {
	channel := c.accounts.Channel(AccountKey(d.to.Channel, d.to.Account))
	if channel == nil {
		return c.judge(d, &SendError{Kind: SendMisconfigured, Code: "no such account"}, Limits{})
	}
	r := c.withLink(*d.payload.Reply)
	within := SendTimeout
	if r.Media != nil {
		within = MediaTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	limits := channel.Limits()
	if d.doubts > 0 {
		if limits.Confirm > 0 && d.doubts == 1 { // the network may yet tell; it settles the delivery then
			return verdict{state: "queued", due: c.o.Now().Add(limits.Confirm), code: string(SendUnknown), doubt: true}
		}
		if !limits.Resend || d.doubts > 1 {
			return verdict{state: "doubtful", code: string(SendUnknown)}
		}
		// The one repeat must not be wasted on a network that is still down.
		if t, ok := channel.(Typist); ok {
			if err := t.Typing(ctx, d.to); err != nil && sendErrorOf(err).Kind != SendRefused {
				return c.probeFailed(d, sendErrorOf(err), limits)
			}
		}
		log.WithField("doubts", d.doubts).Warn("repeating a send that may have arrived")
	}
	external, err := sendOrLink(ctx, channel, d, r)
	if err == nil {
		return verdict{state: "sent", external: external, pace: limits.Pace}
	}
	log.WithError(err).Warn("send failed")
	return c.judge(d, sendErrorOf(err), limits)
}

// withLink is r with the address at which a network may fetch its file. It is made anew for each try:
// it ends.
func (c *Courier) withLink(r Reply) Reply {
	if r.Media != nil && r.Media.File != "" {
		m := *r.Media
		m.Link = c.o.Link(m)
		r.Media = &m
	}
	return r
}

// sendOrLink sends r. A file that the network does not take, or surely refused, now or after it had taken it,
// goes as its link instead.
func sendOrLink(ctx context.Context, channel Channel, d delivery, r Reply) (external string, err error) {
	limits := channel.Limits()
	switch {
	case d.payload.Linked:
		err = &SendError{Kind: SendFile, Code: "no link to the file"}
	case r.Media != nil && !limits.Media:
		err = &SendError{Kind: SendRefused, Code: "no files"}
	default:
		external, err = channel.Send(ctx, d.to, d.id, r)
	}
	if err == nil {
		return external, nil
	}
	kind := sendErrorOf(err).Kind
	if linked, ok := r.linked(limits); ok && (kind == SendRefused || kind == SendFile) {
		return channel.Send(ctx, d.to, d.id, linked)
	}
	return external, err
}

// probeFailed judges a failed probe before a repeat: nothing was sent, so no doubt is added.
func (c *Courier) probeFailed(d delivery, err *SendError, l Limits) verdict {
	if err.Kind == SendUnknown {
		err = &SendError{Kind: SendTransient, Code: err.Code}
	}
	return c.judge(d, err, l)
}

// judge says what to do about a failed send.
func (c *Courier) judge(d delivery, err *SendError, l Limits) verdict {
	now := c.o.Now()
	v := verdict{state: "queued", code: string(err.Kind), due: now.Add(sendBackoff(d.attempt))}
	switch err.Kind {
	case SendThrottled:
		v.due, v.uncount = now.Add(err.After), true
		v.pause = &pause{until: v.due, reason: pauseThrottled, code: err.Code}
	case SendMisconfigured:
		v.due, v.uncount = now, true
		v.pause = &pause{until: now.Add(misconfiguredPause), reason: pauseMisconfigured, code: err.Code}
	case SendUnknown:
		v.doubt = true
		if l.Confirm == 0 && (!l.Resend || d.doubts > 0) {
			v.state = "doubtful"
		}
	case SendWindowClosed:
		if !d.mayBeOpen(now) {
			v.state = "failed"
		}
	case SendRefused, SendFile, SendBlocked, SendUnwanted:
		v.state = "failed"
	default:
		if d.attempt >= sayAttempts {
			v.state = "failed"
		}
	}
	return v
}

// mayBeOpen reports whether a refusal for a closed window is worth another try: the network tells of the
// message that opens a window a moment before it lets us write.
func (d delivery) mayBeOpen(now time.Time) bool {
	return d.window.After(now) && d.attempt < againAttempts
}

// withdraw gives replies of the bot that wait too long to a person, until ctx ends.
func (c *Courier) withdraw(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := c.o.Now()
		late, err := c.store.overdue(ctx, now.Add(-withdrawAfter), now)
		for _, d := range late {
			if err == nil {
				err = c.store.settle(ctx, d, verdict{state: "withdrawn", code: "late"}, now)
			}
		}
		if err != nil && ctx.Err() == nil {
			c.log.WithError(err).Error("cannot withdraw late replies")
		}
		if len(late) > 0 {
			c.Poke()
		}
	}
}
