package bot

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

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
	Workers int                // deliveries carried out at once; 16 if 0
	Now     func() time.Time   // time.Now if nil
	Link    func(Media) string // where a network may fetch a file of ours by https, "" if nowhere; nil means nowhere
	Observe func(stage string, took time.Duration, err error)
	// HearingSince is since when all that networks posted was stored; the beginning of time if nil. See Intake.
	HearingSince func() time.Time
}

// A Courier carries out deliveries: replies to channels, news to the desk.
type Courier struct {
	store    *Store
	accounts *Registry
	desk     Desk
	log      logrus.FieldLogger
	o        CourierOptions
	poke     chan struct{}

	mu   sync.Mutex
	hand map[DeliveryID]bool // claimed and not settled
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
	if o.HearingSince == nil {
		o.HearingSince = func() time.Time { return time.Time{} }
	}
	return &Courier{store: store, accounts: accounts, desk: desk, log: log, o: o, poke: make(chan struct{}, 1), hand: map[DeliveryID]bool{}}
}

// Poke makes the courier look for work now.
func (c *Courier) Poke() { poke(c.poke) }

// Run works until ctx ends, then finishes what it holds.
func (c *Courier) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return guard.Loop(ctx, c.log, "withdraw", c.withdraw) })
	g.Go(func() error {
		claim := oneByOne(func() (delivery, time.Time, bool, error) { return c.claim(ctx) })
		return work(ctx, c.o.Workers, c.poke, claim, func(ctx context.Context, d delivery) {
			renewing(ctx, renewEvery, func(ctx context.Context) error { return c.store.renewDelivery(ctx, d, c.o.Now().Add(leaseTime)) },
				func(ctx context.Context) { c.carry(ctx, d) })
		}, c.log.WithField("loop", "courier"))
	})
	return g.Wait()
}

// claim claims a delivery. One whose settling waits for the database is still in hand, whatever its lease says.
func (c *Courier) claim(ctx context.Context) (d delivery, next time.Time, ok bool, err error) {
	d, next, ok, err = c.store.claimDelivery(ctx, c.o.Now(), leaseTime, c.inHand())
	if ok && err == nil {
		c.mu.Lock()
		c.hand[d.id] = true
		c.mu.Unlock()
	}
	return d, next, ok, err
}

func (c *Courier) inHand() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.hand {
		ids = append(ids, string(id))
	}
	return ids
}

func (c *Courier) letGo(id DeliveryID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hand, id)
}

// carry carries out one claimed delivery and settles it.
func (c *Courier) carry(ctx context.Context, d delivery) {
	defer c.letGo(d.id)
	log := c.log.WithFields(logrus.Fields{"conversation": d.conv, "delivery": d.id, "lane": d.lane})
	began := c.o.Now()
	var v verdict
	err := guard.Run(func() error {
		switch {
		case d.payload == payload{}:
			v = verdict{state: DeliveryFailed, code: "unreadable"}
		case d.lane == LaneDesk:
			v = c.tell(ctx, d, log)
		default:
			v = c.send(ctx, d, log)
		}
		return nil
	})
	if err != nil { // after whatever the network was told
		guard.Log(log, "a delivery", err)
		v = c.broken(d)
	}
	c.o.Observe("deliver_"+string(d.lane), c.o.Now().Sub(began), nil)
	// The send has happened: that must be stored, even when the service is stopping.
	if err := persist(ctx, log, "settle a delivery", func(ctx context.Context) error { return c.store.finishDelivery(ctx, d, v, c.o.Now()) }); err != nil {
		log.WithError(err).Error("cannot settle; the lease will end")
		return
	}
	log.WithFields(logrus.Fields{"state": v.state, "code": v.code, "attempt": d.attempt, "doubts": d.doubts,
		"took": c.o.Now().Sub(began).String()}).Info("delivery")
	c.Poke() // the next of the lane
}

// broken is what becomes of a delivery at which we panicked.
func (c *Courier) broken(d delivery) verdict {
	if d.lane == LaneDesk {
		return c.untold(d, "panic")
	}
	limits := Limits{}
	if channel := c.accounts.Channel(AccountKey(d.to.Channel, d.to.Account)); channel != nil {
		limits = channel.Limits()
	}
	v := c.judge(d, &SendError{Kind: SendUnknown, Code: "panic"}, limits)
	v.network = unknownHealth
	return v
}

func (c *Courier) tell(ctx context.Context, d delivery, log logrus.FieldLogger) verdict {
	n := *d.payload.News
	n.Conversation, n.Seq = d.conv, d.seq
	if d.attempt > maxTellAttempts { // the process ended each time
		return c.untold(d, "desk")
	}
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	err := c.desk.Tell(ctx, n)
	if err == nil {
		return verdict{state: DeliverySent}
	}
	log.WithError(err).Error("the desk did not take the news")
	if sqldb.Unavailable(err) {
		return verdict{state: DeliveryQueued, due: c.o.Now().Add(newsBackoff(d.attempt)), code: "desk", uncount: true}
	}
	return c.untold(d, "desk")
}

// untold is what becomes of news at which the desk fails: it is tried again, or set aside. A conversation that
// people have and that has no ticket then gets one from Desk.Sweep.
func (c *Courier) untold(d delivery, code string) verdict {
	if d.attempt >= maxTellAttempts {
		c.log.WithFields(logrus.Fields{"conversation": d.conv, "delivery": d.id}).Error("the desk cannot be told of something; it is set aside")
		return verdict{state: DeliveryFailed, code: code}
	}
	return verdict{state: DeliveryQueued, due: c.o.Now().Add(newsBackoff(d.attempt)), code: code}
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
	if v, hold := c.hold(ctx, channel, d, limits); hold {
		return v
	}
	if d.doubts > 0 {
		if limits.Confirm > 0 && d.doubts == 1 { // the network may yet tell; it settles the delivery then
			return verdict{state: DeliveryQueued, due: c.o.Now().Add(limits.Confirm), code: string(SendUnknown), doubt: true}
		}
		if !limits.Resend || d.doubts > 1 {
			return verdict{state: DeliveryDoubtful, code: string(SendUnknown)}
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
		return verdict{state: DeliverySent, external: external, pace: limits.Pace, network: answers}
	}
	log.WithError(err).Warn("send failed")
	return c.judge(d, sendErrorOf(err), limits)
}

// hold is what becomes of a delivery that is not to be sent now: a late answer that nobody wants any more, one of
// which the network may yet tell that it has it, and all while the network is away.
func (c *Courier) hold(ctx context.Context, channel Channel, d delivery, l Limits) (v verdict, hold bool) {
	now := c.o.Now()
	again := func(due time.Time) (verdict, bool) {
		return verdict{state: DeliveryQueued, due: due, code: d.code, uncount: true}, true
	}
	if d.payload.Reply.Agent == "" && now.Sub(d.created) > lateAfter {
		overtaken, err := c.store.overtaken(ctx, d)
		if err != nil {
			return again(now.Add(time.Second))
		}
		if overtaken {
			return verdict{state: DeliveryDropped, code: "overtaken"}, true
		}
	}
	if d.code == string(SendErrored) && d.doubts == 0 || l.Confirm > 0 && d.doubts > 1 {
		if until := c.o.HearingSince().Add(l.Confirm); now.Before(until) { // it could not tell all the time
			return again(until)
		}
		if has, err := c.store.HasPosts(ctx, d.to); has || err != nil { // it may have told already
			return again(now.Add(time.Second))
		}
	}
	if p, ok := channel.(Prober); ok && d.inIncident() {
		if err := p.Probe(ctx); err != nil && sendErrorOf(err).Kind != SendRefused {
			v := c.probeFailed(d, sendErrorOf(err), l)
			v.code, v.uncount = cmp.Or(d.code, v.code), true
			return v, true
		}
	}
	return v, false
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
	if linked, ok := asLink(r, limits); ok && (kind == SendRefused || kind == SendFile) {
		return channel.Send(ctx, d.to, d.id, linked)
	}
	return external, err
}

// probeFailed judges a failed probe before a repeat: nothing was sent, so no doubt is added.
func (c *Courier) probeFailed(d delivery, err *SendError, l Limits) verdict {
	if err.Kind == SendUnknown || err.Kind == SendErrored {
		err = &SendError{Kind: SendTransient, Code: err.Code}
	}
	return c.judge(d, err, l)
}

// judge says what to do about a failed send.
func (c *Courier) judge(d delivery, err *SendError, l Limits) verdict {
	now := c.o.Now()
	v := verdict{state: DeliveryQueued, code: string(err.Kind), due: now.Add(sendBackoff(d.attempt)), network: fails}
	switch err.Kind {
	case SendThrottled:
		v.due, v.uncount = now.Add(cmp.Or(err.After, throttleWait(d.failing+1))), true
		v.pause = &pause{until: v.due, reason: pauseThrottled, code: err.Code}
	case SendMisconfigured:
		v.due, v.uncount, v.network = now, true, unknownHealth
		v.pause = &pause{until: now.Add(misconfiguredPause), reason: pauseMisconfigured, code: err.Code}
	case SendErrored:
		return c.judgeErrored(d, v, l)
	case SendUnknown:
		v.doubt = true
		if l.Confirm == 0 && (!l.Resend || d.doubts > 0) {
			v.state = DeliveryDoubtful
		}
	case SendWindowClosed:
		v.network = answers
		if !d.mayBeOpen(now) {
			v.state = DeliveryFailed
		}
	case SendRefused, SendFile, SendBlocked, SendUnwanted:
		v.state, v.network = DeliveryFailed, answers
	default:
		return judgeTransient(d, v, err.ThisCustomer, now)
	}
	return v
}

// judgeErrored is what becomes of a send that the network says failed, and may have carried out all the same: it goes
// again if the network has not told of it by then. What is of the bot goes on until it is withdrawn.
func (c *Courier) judgeErrored(d delivery, v verdict, l Limits) verdict {
	if l.Confirm == 0 {
		return c.judge(d, &SendError{Kind: SendUnknown}, l)
	}
	wait := l.Confirm
	if d.payload.Reply.Agent != "" {
		wait = max(wait, sendBackoff(d.attempt))
		if d.attempt >= sayAttempts {
			v.state = DeliveryDoubtful
		}
	}
	v.due = c.o.Now().Add(wait)
	return v
}

// judgeTransient is what becomes of a send that surely did not go out. While the network is away tries are not
// counted.
func judgeTransient(d delivery, v verdict, thisCustomer bool, now time.Time) verdict {
	if thisCustomer {
		v.network = answers
	}
	if d.payload.Reply != nil && d.payload.Reply.Agent == "" {
		v.due = now.Add(min(sendBackoff(d.attempt), maxRetryWait))
	}
	if v.uncount = d.inIncident() && !thisCustomer; v.uncount {
		v.due = now
	} else if d.attempt >= sayAttempts {
		v.state = DeliveryFailed
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
		late, err := c.store.overdue(ctx, now)
		inHand := c.inHand()
		for _, d := range late {
			if err != nil || slices.Contains(inHand, string(d.id)) {
				continue
			}
			v := verdict{state: DeliveryWithdrawn, code: "late"}
			if d.code == string(SendErrored) || d.doubts > 0 { // it may have arrived
				v = verdict{state: DeliveryDoubtful, code: d.code}
			}
			err = c.store.finishDelivery(ctx, d, v, now)
		}
		if err != nil && ctx.Err() == nil {
			c.log.WithError(err).Error("cannot withdraw late replies")
		}
		if len(late) > 0 {
			c.Poke()
		}
	}
}

// newsBackoff is the wait after the desk's n-th refusal: 1, 2, 4, … s, at most a minute.
func newsBackoff(n int) time.Duration {
	return min(time.Second<<min(n-1, 6), time.Minute)
}

// asLink is r with the link of its file in words, for a network that does not take the file. ok is false
// if there is no link that its limits have room for. An answer of the bot's is then said without its file;
// a person of ours is told, and can do something about it.
func asLink(r Reply, l Limits) (_ Reply, ok bool) {
	if r.Media == nil {
		return r, false
	}
	if m := *r.Media; m.Link != "" {
		r.Text = strings.Join(slices.DeleteFunc([]string{r.Text, m.Name, m.Link}, func(s string) bool { return s == "" }), "\n")
	} else if r.Text == "" || r.Agent != "" {
		return r, false
	}
	r.Media = nil
	return r, l.Text == 0 || UTF16Len(r.Text) <= l.Text
}
