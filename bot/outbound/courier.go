// Package outbound carries deliveries out: replies to networks, events to the desk. It decides what becomes of a failed send.
package outbound

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/backoff"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

const (
	// lateAfter is from when on a reply is not sent any more if it has been overtaken: see Store.overtaken.
	lateAfter = time.Minute
	// maxRetryWait is the longest wait of a bot's reply that surely did not go out.
	maxRetryWait = 2 * time.Minute
	// sayAttempts bounds the tries for a person's reply, over about a day.
	sayAttempts = 12
	// maxTellAttempts bounds the tries to tell the desk of something at which it fails: some eight minutes. After
	// that Desk.Sweep opens the ticket.
	maxTellAttempts = 12
	// misconfiguredPause outlasts any run: Unpause ends it.
	misconfiguredPause = 100 * 365 * 24 * time.Hour
)

// CourierOptions are the parts of a Courier that may be left out.
type CourierOptions struct {
	Workers int                    // deliveries carried out at once; 16 if 0
	Now     func() time.Time       // time.Now if nil
	Link    func(bot.Media) string // where a network may fetch a file of ours by https, "" if nowhere; nil means nowhere
	Observe func(stage string, took time.Duration, err error)
	// ReceivingSince is since when all that networks posted was stored; the beginning of time if nil. See Intake.
	ReceivingSince func() time.Time
}

// A Courier carries out deliveries: replies to channels, news to the desk.
type Courier struct {
	store    *store.Store
	accounts *bot.Registry
	desk     bot.Desk
	log      logrus.FieldLogger
	o        CourierOptions
	poke     chan struct{}

	mu      sync.Mutex
	claimed map[bot.DeliveryID]bool // claimed and not settled
}

// NewCourier returns a Courier over the channels of accounts, and desk.
func NewCourier(store *store.Store, accounts *bot.Registry, desk bot.Desk, log logrus.FieldLogger, o CourierOptions) *Courier {
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
		o.Link = func(bot.Media) string { return "" }
	}
	if o.ReceivingSince == nil {
		o.ReceivingSince = func() time.Time { return time.Time{} }
	}
	return &Courier{store: store, accounts: accounts, desk: desk, log: log, o: o, poke: make(chan struct{}, 1), claimed: map[bot.DeliveryID]bool{}}
}

// Poke makes the courier look for work now.
func (c *Courier) Poke() { worker.Poke(c.poke) }

// Run works until ctx ends, then finishes what it holds.
func (c *Courier) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { guard.Loop(ctx, c.log, "withdraw", c.withdraw); return nil })
	g.Go(func() error {
		claim := worker.OneByOne(func() (store.Delivery, time.Time, bool, error) { return c.claimDelivery(ctx) })
		return worker.Run(ctx, c.o.Workers, c.poke, claim, func(ctx context.Context, d store.Delivery) {
			worker.KeepLease(ctx, worker.RenewEvery, func(ctx context.Context) error { return c.store.RenewDelivery(ctx, d, c.o.Now().Add(worker.LeaseTime)) },
				func(ctx context.Context) { c.deliver(ctx, d) })
		}, c.log.WithField("loop", "courier"))
	})
	return g.Wait()
}

// claimDelivery claims the delivery that is due next. A delivery whose result waits for the database stays claimed,
// even when its lease has ended.
func (c *Courier) claimDelivery(ctx context.Context) (d store.Delivery, next time.Time, ok bool, err error) {
	d, next, ok, err = c.store.ClaimDelivery(ctx, c.o.Now(), worker.LeaseTime, c.claimedIDs())
	if ok && err == nil {
		c.mu.Lock()
		c.claimed[d.ID] = true
		c.mu.Unlock()
	}
	return d, next, ok, err
}

func (c *Courier) claimedIDs() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.claimed {
		ids = append(ids, string(id))
	}
	return ids
}

func (c *Courier) unclaim(id bot.DeliveryID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.claimed, id)
}

// deliver sends one claimed delivery and stores the result.
func (c *Courier) deliver(ctx context.Context, d store.Delivery) {
	defer c.unclaim(d.ID)
	log := c.log.WithFields(logrus.Fields{"conversation": d.Conversation, "delivery": d.ID, "lane": d.Lane})
	began := c.o.Now()
	var v store.DeliveryResult
	err := guard.Run(func() error {
		switch {
		case d.Payload == store.Payload{}:
			v = store.DeliveryResult{State: bot.DeliveryFailed, Code: "unreadable"}
		case d.Lane == store.LaneDesk:
			v = c.tellDesk(ctx, d, log)
		default:
			v = c.send(ctx, d, log)
		}
		return nil
	})
	if err != nil { // after whatever the network was told
		guard.Log(log, "a delivery", err)
		v = c.failedByPanic(d)
	}
	c.o.Observe("deliver_"+string(d.Lane), c.o.Now().Sub(began), nil)
	// The send has happened: that must be stored, even when the service is stopping.
	if err := worker.Persist(ctx, log, "settle a delivery", func(ctx context.Context) error { return c.store.FinishDelivery(ctx, d, v, c.o.Now()) }); err != nil {
		log.WithError(err).Error("cannot settle; the lease will end")
		return
	}
	log.WithFields(logrus.Fields{"state": v.State, "code": v.Code, "attempt": d.Attempt, "doubts": d.Doubts,
		"took": c.o.Now().Sub(began).String()}).Info("delivery")
	c.Poke() // the next of the lane
}

// failedByPanic is the result of a delivery whose send panicked: the network may have it.
func (c *Courier) failedByPanic(d store.Delivery) store.DeliveryResult {
	if d.Lane == store.LaneDesk {
		return c.retryDeskEvent(d, "panic")
	}
	v := c.judge(d, &bot.SendError{Kind: bot.SendUnknown, Code: "panic"}, c.accounts.Limits(d.To.Key()))
	v.Network = store.NetworkUnknown
	return v
}

func (c *Courier) tellDesk(ctx context.Context, d store.Delivery, log logrus.FieldLogger) store.DeliveryResult {
	n := *d.Payload.News
	n.Conversation, n.Seq = d.Conversation, d.Seq
	if d.Attempt > maxTellAttempts { // the process ended each time
		return c.retryDeskEvent(d, "desk")
	}
	ctx, cancel := context.WithTimeout(ctx, bot.SendTimeout)
	defer cancel()
	err := c.desk.Tell(ctx, n)
	if err == nil {
		return store.DeliveryResult{State: bot.DeliverySent}
	}
	log.WithError(err).Error("the desk did not take the news")
	if sqldb.Unavailable(err) {
		return store.DeliveryResult{State: bot.DeliveryQueued, Due: c.o.Now().Add(newsBackoff(d.Attempt)), Code: "desk", Uncounted: true}
	}
	return c.retryDeskEvent(d, "desk")
}

// retryDeskEvent is what becomes of news at which the desk fails: it is tried again, or set aside. A conversation that
// people have and that has no ticket then gets one from Desk.Sweep.
func (c *Courier) retryDeskEvent(d store.Delivery, code string) store.DeliveryResult {
	if d.Attempt >= maxTellAttempts {
		c.log.WithFields(logrus.Fields{"conversation": d.Conversation, "delivery": d.ID}).Error("the desk cannot be told of something; it is set aside")
		return store.DeliveryResult{State: bot.DeliveryFailed, Code: code}
	}
	return store.DeliveryResult{State: bot.DeliveryQueued, Due: c.o.Now().Add(newsBackoff(d.Attempt)), Code: code}
}

// send sends a reply. What it returns is the whole policy of retries.
func (c *Courier) send(ctx context.Context, d store.Delivery, log logrus.FieldLogger) store.DeliveryResult {
	channel := c.accounts.Channel(d.To.Key())
	if channel == nil {
		return c.judge(d, &bot.SendError{Kind: bot.SendMisconfigured, Code: "no such account"}, bot.Limits{})
	}
	r := c.withLink(*d.Payload.Reply)
	within := bot.SendTimeout
	if r.Media != nil {
		within = bot.MediaTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	limits := channel.Limits()
	if v, hold := c.hold(ctx, channel, d, limits); hold {
		return v
	}
	if d.Doubts > 0 {
		if limits.Confirm > 0 && d.Doubts == 1 { // the network may yet tell; it settles the delivery then
			return store.DeliveryResult{State: bot.DeliveryQueued, Due: c.o.Now().Add(limits.Confirm), Code: string(bot.SendUnknown), InDoubt: true}
		}
		if !limits.Resend || d.Doubts > 1 {
			return store.DeliveryResult{State: bot.DeliveryDoubtful, Code: string(bot.SendUnknown)}
		}
		// The one repeat must not be wasted on a network that is still down.
		if t, ok := channel.(bot.Typist); ok {
			if err := t.Typing(ctx, d.To); err != nil && bot.SendErrorOf(err).Kind != bot.SendRefused {
				return c.probeFailed(d, bot.SendErrorOf(err), limits)
			}
		}
		log.WithField("doubts", d.Doubts).Warn("repeating a send that may have arrived")
	}
	external, err := sendOrLink(ctx, channel, d, r)
	if err == nil {
		return store.DeliveryResult{State: bot.DeliverySent, ExternalID: external, Pace: limits.Pace, Network: store.NetworkAnswers}
	}
	log.WithError(err).Warn("send failed")
	return c.judge(d, bot.SendErrorOf(err), limits)
}

// hold is what becomes of a delivery that is not to be sent now: a late answer that nobody wants any more, one of
// which the network may yet tell that it has it, and all while the network is away.
func (c *Courier) hold(ctx context.Context, channel bot.Channel, d store.Delivery, l bot.Limits) (v store.DeliveryResult, hold bool) {
	now := c.o.Now()
	again := func(due time.Time) (store.DeliveryResult, bool) {
		return store.DeliveryResult{State: bot.DeliveryQueued, Due: due, Code: d.Code, Uncounted: true}, true
	}
	if d.Payload.Reply.Agent == "" && now.Sub(d.Created) > lateAfter {
		overtaken, err := c.store.Overtaken(ctx, d)
		if err != nil {
			return again(now.Add(time.Second))
		}
		if overtaken {
			return store.DeliveryResult{State: bot.DeliveryDropped, Code: "overtaken"}, true
		}
	}
	if d.Code == string(bot.SendErrored) && d.Doubts == 0 || l.Confirm > 0 && d.Doubts > 1 {
		if until := c.o.ReceivingSince().Add(l.Confirm); now.Before(until) { // it could not tell all the time
			return again(until)
		}
		if has, err := c.store.HasPosts(ctx, d.To); has || err != nil { // it may have told already
			return again(now.Add(time.Second))
		}
	}
	if p, ok := channel.(bot.Prober); ok && d.InIncident() {
		if err := p.Probe(ctx); err != nil && bot.SendErrorOf(err).Kind != bot.SendRefused {
			v := c.probeFailed(d, bot.SendErrorOf(err), l)
			v.Code, v.Uncounted = cmp.Or(d.Code, v.Code), true
			return v, true
		}
	}
	return v, false
}

// withLink is r with the address at which a network may fetch its file. It is made anew for each try:
// it ends.
func (c *Courier) withLink(r bot.Reply) bot.Reply {
	if r.Media != nil && r.Media.File != "" {
		m := *r.Media
		m.Link = c.o.Link(m)
		r.Media = &m
	}
	return r
}

// sendOrLink sends r. A file that the network does not take, or surely refused, now or after it had taken it,
// goes as its link instead.
func sendOrLink(ctx context.Context, channel bot.Channel, d store.Delivery, r bot.Reply) (external string, err error) {
	limits := channel.Limits()
	switch {
	case d.Payload.Linked:
		err = &bot.SendError{Kind: bot.SendFile, Code: "no link to the file"}
	case r.Media != nil && !limits.Media:
		err = &bot.SendError{Kind: bot.SendRefused, Code: "no files"}
	default:
		external, err = channel.Send(ctx, d.To, d.ID, r)
	}
	if err == nil {
		return external, nil
	}
	kind := bot.SendErrorOf(err).Kind
	if linked, ok := asLink(r, limits); ok && (kind == bot.SendRefused || kind == bot.SendFile) {
		return channel.Send(ctx, d.To, d.ID, linked)
	}
	return external, err
}

// probeFailed judges a failed probe before a repeat: nothing was sent, so no doubt is added.
func (c *Courier) probeFailed(d store.Delivery, err *bot.SendError, l bot.Limits) store.DeliveryResult {
	if err.Kind == bot.SendUnknown || err.Kind == bot.SendErrored {
		err = &bot.SendError{Kind: bot.SendTransient, Code: err.Code}
	}
	return c.judge(d, err, l)
}

// judge says what to do about a failed send.
func (c *Courier) judge(d store.Delivery, err *bot.SendError, l bot.Limits) store.DeliveryResult {
	now := c.o.Now()
	v := store.DeliveryResult{State: bot.DeliveryQueued, Code: string(err.Kind), Due: now.Add(store.SendBackoff(d.Attempt)), Network: store.NetworkFails}
	switch err.Kind {
	case bot.SendThrottled:
		v.Due, v.Uncounted = now.Add(cmp.Or(err.After, store.ThrottleWait(d.FailuresInARow+1))), true
		v.Pause = &store.Pause{Until: v.Due, Reason: store.PauseThrottled, Code: err.Code}
	case bot.SendMisconfigured:
		v.Due, v.Uncounted, v.Network = now, true, store.NetworkUnknown
		v.Pause = &store.Pause{Until: now.Add(misconfiguredPause), Reason: store.PauseMisconfigured, Code: err.Code}
	case bot.SendErrored:
		return c.judgeErrored(d, v, l)
	case bot.SendUnknown:
		v.InDoubt = true
		if l.Confirm == 0 && (!l.Resend || d.Doubts > 0) {
			v.State = bot.DeliveryDoubtful
		}
	case bot.SendWindowClosed:
		v.Network = store.NetworkAnswers
		if !d.MayBeOpen(now) {
			v.State = bot.DeliveryFailed
		}
	case bot.SendRefused, bot.SendFile, bot.SendBlocked, bot.SendUnwanted:
		v.State, v.Network = bot.DeliveryFailed, store.NetworkAnswers
	default:
		return judgeTransient(d, v, err.ThisCustomer, now)
	}
	return v
}

// judgeErrored is what becomes of a send that the network says failed, and may have carried out all the same: it goes
// again if the network has not told of it by then. What is of the bot goes on until it is withdrawn.
func (c *Courier) judgeErrored(d store.Delivery, v store.DeliveryResult, l bot.Limits) store.DeliveryResult {
	if l.Confirm == 0 {
		return c.judge(d, &bot.SendError{Kind: bot.SendUnknown}, l)
	}
	wait := l.Confirm
	if d.Payload.Reply.Agent != "" {
		wait = max(wait, store.SendBackoff(d.Attempt))
		if d.Attempt >= sayAttempts {
			v.State = bot.DeliveryDoubtful
		}
	}
	v.Due = c.o.Now().Add(wait)
	return v
}

// judgeTransient is what becomes of a send that surely did not go out. While the network is away tries are not
// counted.
func judgeTransient(d store.Delivery, v store.DeliveryResult, thisCustomer bool, now time.Time) store.DeliveryResult {
	if thisCustomer {
		v.Network = store.NetworkAnswers
	}
	if d.Payload.Reply != nil && d.Payload.Reply.Agent == "" {
		v.Due = now.Add(min(store.SendBackoff(d.Attempt), maxRetryWait))
	}
	if v.Uncounted = d.InIncident() && !thisCustomer; v.Uncounted {
		v.Due = now
	} else if d.Attempt >= sayAttempts {
		v.State = bot.DeliveryFailed
	}
	return v
}

// withdraw gives replies of the bot that wait too long to a person, until ctx ends.
func (c *Courier) withdraw(ctx context.Context) error {
	guard.Every(ctx, 5*time.Second, c.withdrawLate)
	return nil
}

func (c *Courier) withdrawLate(ctx context.Context) {
	now := c.o.Now()
	late, err := c.store.OverdueDeliveries(ctx, now)
	inHand := c.claimedIDs()
	for _, d := range late {
		if err != nil || slices.Contains(inHand, string(d.ID)) {
			continue
		}
		v := store.DeliveryResult{State: bot.DeliveryWithdrawn, Code: "late"}
		if d.Code == string(bot.SendErrored) || d.Doubts > 0 { // it may have arrived
			v = store.DeliveryResult{State: bot.DeliveryDoubtful, Code: d.Code}
		}
		err = c.store.FinishDelivery(ctx, d, v, now)
	}
	if err != nil && ctx.Err() == nil {
		c.log.WithError(err).Error("cannot withdraw late replies")
	}
	if len(late) > 0 {
		c.Poke()
	}
}

// newsBackoff is the wait after the desk's n-th refusal: 1, 2, 4, … s, at most a minute.
func newsBackoff(n int) time.Duration {
	return backoff.Doubling(time.Second, time.Minute).After(n)
}

// asLink is r with the link of its file in words, for a network that does not take the file. ok is false
// if there is no link that its limits have room for. An answer of the bot's is then said without its file;
// a person of ours is told, and can do something about it.
func asLink(r bot.Reply, l bot.Limits) (_ bot.Reply, ok bool) {
	if r.Media == nil {
		return r, false
	}
	if m := *r.Media; m.Link != "" {
		r.Text = strings.Join(slices.DeleteFunc([]string{r.Text, m.Name, m.Link}, func(s string) bool { return s == "" }), "\n")
	} else if r.Text == "" || r.Agent != "" {
		return r, false
	}
	r.Media = nil
	return r, l.Text == 0 || fit.UTF16Len(r.Text) <= l.Text
}
