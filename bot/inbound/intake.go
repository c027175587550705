// Package inbound takes in what networks post: receive, decode, store the events, schedule a turn. It also fetches
// the files that customers sent.
package inbound

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/phone"
	"faqbot/bot/store"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/plaintext"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

const (
	// maxHold is how long an answer waits for what is said in a voice note to be known.
	maxHold = 20 * time.Second
	// receiptEvery is the least time between two receipts, and maxReceipts is how many wait: under load
	// customers do without, since networks count them against what we send.
	receiptEvery = 10 * time.Millisecond
	maxReceipts  = 50
	// receiptTimeout bounds a typing sign or an acknowledgement.
	receiptTimeout = 5 * time.Second
)

// IntakeOptions are the parts of an Intake that may be left out.
type IntakeOptions struct {
	Poke        func()           // called when a turn has become due sooner than the runner knows
	Now         func() time.Time // time.Now if nil
	Transcribes bool             // a Collector turns voice notes into words: their turns wait for it
	LinkKey     vault.Signer     // Conversations' own; without it no link of ours is known
	Shelf       Shelf            // keeps customers' profile pictures; none are asked for if nil
}

// An Intake takes in what channels heard. What Receive or Accept returns nil for is on disk.
type Intake struct {
	store       *store.Store
	accounts    *bot.Registry
	log         logrus.FieldLogger
	poke        func()
	now         func() time.Time
	events      store.EventWriter
	transcribes bool
	receipts    chan receipt
	shelf       Shelf
	profiles    chan bot.Address // of customers who may have to be asked for
	order       sqldb.Sequence   // of the inbox
	received    chan struct{}    // something is in the inbox
	storing     atomic.Int64     // posts that are being stored
	missedAt    atomic.Int64     // when one was last not stored, or the Intake was made, in Unix milliseconds
}

// A receipt is a best-effort sign to a customer that we heard.
type receipt struct {
	to      bot.Address
	tap     string // acknowledge this; "" shows typing
	message string // the network's name for what was heard
}

// NewIntake returns an Intake for accounts.
func NewIntake(st *store.Store, accounts *bot.Registry, log logrus.FieldLogger, o IntakeOptions) *Intake {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	in := &Intake{store: st, accounts: accounts, log: log, poke: o.Poke, now: o.Now, transcribes: o.Transcribes,
		receipts: make(chan receipt, maxReceipts), shelf: o.Shelf, profiles: make(chan bot.Address, maxReceipts), received: make(chan struct{}, 1)}
	in.events = store.EventWriter{Store: st, LinkKey: o.LinkKey, Senders: in.senders}
	in.missedAt.Store(o.Now().UnixMilli())
	return in
}

// Accept stores events of account and returns after they are durable. An event that came before
// changes nothing. An error means that none, or not all, were stored: the network must deliver them
// again.
func (in *Intake) Accept(ctx context.Context, account bot.Account, events []bot.Event) error {
	list := in.arrivals(account, events, in.now())
	if err := in.events.StoreEvents(ctx, list); err != nil {
		return fmt.Errorf("accept %d events on %s: %w", len(events), account.Key(), err)
	}
	in.scheduleTurns(list)
	return nil
}

func (in *Intake) arrivals(account bot.Account, events []bot.Event, at time.Time) (list []store.Arrival) {
	limits := in.accounts.Limits(account.Key())
	for _, e := range events {
		a := store.Arrival{Event: complete(e, at), Account: account, Limits: limits, At: at}
		if in.transcribes && e.Message != nil && slices.ContainsFunc(e.Message.Attachments, bot.Attachment.Spoken) {
			a.Hold = at.Add(maxHold)
		}
		list = append(list, a)
	}
	return list
}

// scheduleTurns wakes the runner, and shows customers that their messages came.
func (in *Intake) scheduleTurns(list []store.Arrival) {
	for _, a := range list {
		if a.Undecodable != nil {
			in.log.WithFields(logrus.Fields{"channel": a.Account.Channel, "account": a.Account.ID, "reason": a.Undecodable.Reason}).
				Error("cannot read a part of what the network posted; it is kept")
		}
		if a.Waits {
			in.queueReceipt(a.Event)
		}
	}
	in.poke()
}

func (in *Intake) queueReceipt(e bot.Event) {
	c := receipt{to: e.Address, tap: e.Message.Tap, message: e.Message.NetworkID}
	select {
	case in.receipts <- c:
	default: // a sign that comes late is worth nothing
	}
	select {
	case in.profiles <- e.Address:
	default: // their next message does as well
	}
}

// Run takes in what is received, shows typing and acknowledges taps, until ctx ends. Without it Accept works
// all the same.
func (in *Intake) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	for name, loop := range map[string]func(context.Context) error{"inbox": in.drain, "receipts": in.sendReceipts, "profiles": in.askProfiles} {
		loops.Go(func() { guard.Loop(ctx, in.log, name, loop) })
	}
	loops.Wait()
	return nil
}

func (in *Intake) sendReceipts(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(8)
	tick := time.NewTicker(receiptEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return g.Wait()
		case c := <-in.receipts:
			g.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, receiptTimeout)
				defer cancel()
				if err := guard.Run(func() error { return in.sendReceipt(ctx, c) }); err != nil && ctx.Err() == nil {
					in.log.WithFields(logrus.Fields{"channel": c.to.Channel, "account": c.to.Account}).WithError(err).
						Debug("receipt failed")
				}
				return nil
			})
		}
	}
}

func (in *Intake) sendReceipt(ctx context.Context, c receipt) error {
	channel := in.accounts.Channel(c.to.Key())
	if c.tap != "" {
		if a, ok := channel.(bot.Acknowledger); ok {
			return a.Acknowledge(ctx, c.tap)
		}
		return nil
	}
	if r, ok := channel.(bot.Reader); ok && c.message != "" {
		return r.Read(ctx, c.to, c.message)
	}
	if t, ok := channel.(bot.Typist); ok {
		return t.Typing(ctx, c.to)
	}
	return nil
}

// complete is e with a time that can be, and with words that can be stored. Networks leave times out
// (Telegram does not say when a button was tapped); one ahead of ours would hold a window open.
func complete(e bot.Event, now time.Time) bot.Event {
	if e.At.IsZero() || e.At.After(now) {
		e.At = now
	}
	return clean(e)
}

// maxName is how much of a name is kept, in characters.
const maxName = 100

func cutName(name string) string { return plaintext.Cut(strings.TrimSpace(name), maxName) }

// clean makes e's words storable: Postgres refuses NUL and invalid UTF-8.
func clean(e bot.Event) bot.Event {
	e.ExternalID, e.Locale, e.Address.Customer = store.CleanText(e.ExternalID), store.CleanText(e.Locale), store.CleanText(e.Address.Customer)
	e.Stable, e.Phone, e.Name = store.CleanText(e.Stable), phone.Canonical(store.CleanText(e.Phone)), cutName(store.CleanText(e.Name))
	if e.Message != nil {
		m := *e.Message
		m.NetworkID, m.Text, m.Choice, m.Ref = store.CleanText(m.NetworkID), store.CleanText(m.Text), store.CleanText(m.Choice), store.CleanText(m.Ref)
		e.Message = &m
	}
	if e.Edit != nil {
		e.Edit = &bot.Edit{NetworkID: store.CleanText(e.Edit.NetworkID), Text: store.CleanText(e.Edit.Text), Gone: e.Edit.Gone}
	}
	if e.Echo != nil {
		a := *e.Echo
		a.Delivery, a.NetworkID, a.Text = bot.DeliveryID(store.CleanText(string(a.Delivery))), store.CleanText(a.NetworkID), store.CleanText(a.Text)
		e.Echo = &a
	}
	if e.Status != nil {
		s := *e.Status
		s.Delivery, s.NetworkID, s.Code = bot.DeliveryID(store.CleanText(string(s.Delivery))), store.CleanText(s.NetworkID), store.CleanText(s.Code)
		e.Status = &s
	}
	if e.AddressChanged != nil {
		e.AddressChanged = &bot.AddressChanged{Customer: store.CleanText(e.AddressChanged.Customer), Stable: store.CleanText(e.AddressChanged.Stable)}
	}
	return e
}
