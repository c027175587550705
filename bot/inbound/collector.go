package inbound

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/media"
)

const (
	// fetchTimeout bounds one try to get a file, transcribeTimeout turning it into words, tries included.
	fetchTimeout      = 45 * time.Second
	transcribeTimeout = 15 * time.Second
)

// errFetchEnds is why a file is lost of which the service died again and again.
var errFetchEnds = errors.New("the service ended each time it fetched this file")

// A Shelf keeps files; *media.Store is one.
type Shelf interface {
	Put(ctx context.Context, name string, r io.Reader, owner media.Owner) (media.Blob, error)
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// CollectorOptions are the parts of a Collector that may be left out.
type CollectorOptions struct {
	Speech  bot.Transcriber  // nobody listens to voice notes if nil; see IntakeOptions.Transcribes
	Workers int              // files fetched at once; 4 if 0
	Poke    func()           // called when a file came
	Now     func() time.Time // time.Now if nil
	Observe func(stage string, took time.Duration, err error)
}

// A Collector fetches the files that customers sent, and has what they said turned into words. It works
// beside turns and deliveries: neither waits for a file, but for a voice note, and for that a while only.
type Collector struct {
	store    *store.Store
	accounts *bot.Registry
	shelf    Shelf
	log      logrus.FieldLogger
	o        CollectorOptions
	poke     chan struct{}
}

// NewCollector returns a Collector that fetches through accounts' channels and keeps in shelf.
func NewCollector(store *store.Store, accounts *bot.Registry, shelf Shelf, log logrus.FieldLogger, o CollectorOptions) *Collector {
	if o.Workers == 0 {
		o.Workers = 4
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
	return &Collector{store: store, accounts: accounts, shelf: shelf, log: log, o: o, poke: make(chan struct{}, 1)}
}

// Poke makes the collector look for work now.
func (c *Collector) Poke() { worker.Poke(c.poke) }

// Run works until ctx ends, then finishes or gives back what it holds.
func (c *Collector) Run(ctx context.Context) error {
	claim := worker.OneByOne(func() (store.Fetch, time.Time, bool, error) {
		return c.store.ClaimFetch(ctx, c.o.Now(), worker.LeaseTime)
	})
	return worker.Run(ctx, c.o.Workers, c.poke, claim, func(ctx context.Context, f store.Fetch) {
		worker.KeepLease(ctx, worker.RenewEvery, func(ctx context.Context) error { return c.store.RenewFetch(ctx, f, c.o.Now().Add(worker.LeaseTime)) },
			func(ctx context.Context) { c.collect(ctx, f) })
	}, c.log.WithField("loop", "collector"))
}

// collect carries out one claimed fetch and settles it.
func (c *Collector) collect(ctx context.Context, f store.Fetch) {
	log := c.log.WithFields(logrus.Fields{"conversation": f.Conversation, "fetch": f.ID, "kind": f.Attachment.Kind})
	began := c.o.Now()
	a, data, err := f.Attachment, []byte(nil), error(nil)
	if f.Attempt > len(store.FetchWaits())+1 { // the process ended each time
		err = errFetchEnds
	} else {
		err = guard.Run(func() (err error) { a, data, err = c.fetch(ctx, f); return err })
	}
	c.o.Observe("fetch", c.o.Now().Sub(began), nil)
	interrupted := ctx.Err() != nil
	again := f.Attempt <= len(store.FetchWaits())
	if wait := store.FetchWaits().After(f.Attempt); err != nil && (again || interrupted) {
		guard.Log(log, "fetching a file", err)
		log.WithError(err).WithField("attempt", f.Attempt).Warn("cannot fetch a file that a customer sent")
		if interrupted {
			wait = 0
		}
		if err := worker.Persist(ctx, log, "put a file off", func(ctx context.Context) error {
			return c.store.DeferFetch(ctx, f, c.o.Now().Add(wait), interrupted)
		}); err != nil {
			log.WithError(err).Error("cannot put a file off; its lease will end")
		}
		return
	}
	if err != nil {
		a.Lost = bot.LostUnreachable
	}
	if f.Transcribe && a.Lost == "" {
		heard := a
		if err := guard.Run(func() error { heard = c.transcribe(ctx, a, data, log); return nil }); err != nil {
			guard.Log(log, "listening to a recording", err)
			heard.Unheard = bot.UnheardFailed
		}
		a = heard
	}
	if err := worker.Persist(ctx, log, "settle a file", func(ctx context.Context) error { return c.store.SettleFetch(ctx, f, a, c.o.Now()) }); err != nil {
		log.WithError(err).Error("cannot settle a file; its lease will end")
		return
	}
	log.WithFields(logrus.Fields{"lost": a.Lost, "unheard": a.Unheard, "attempt": f.Attempt, "took": c.o.Now().Sub(began).String()}).Info("fetched a file")
	c.o.Poke()
}

// fetch gets f's file and keeps it. An error means that it may work another time.
func (c *Collector) fetch(ctx context.Context, f store.Fetch) (a bot.Attachment, data []byte, err error) {
	a = f.Attachment
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if a.Kept == "" {
		if a, err = c.keep(ctx, f.From, a); err != nil || a.Lost != "" {
			return a, nil, err
		}
	}
	if !f.Transcribe {
		return a, nil, nil
	}
	_, data, err = c.shelf.Get(ctx, a.Kept)
	if errors.Is(err, media.ErrNotFound) {
		a.Lost, err = bot.LostGone, nil
	}
	return a, data, err
}

// keep gets an attachment's file from its network.
func (c *Collector) keep(ctx context.Context, from bot.Address, a bot.Attachment) (bot.Attachment, error) {
	fetcher, ok := c.accounts.Channel(from.Key()).(bot.Fetcher)
	switch {
	case !ok:
		a.Lost = bot.LostNetwork
		return a, nil
	case a.File == "": // taken back before it was fetched
		a.Lost = bot.LostGone
		return a, nil
	case a.Size > media.MaxBytes:
		a.Lost = bot.LostTooLarge
		return a, nil
	}
	r, err := fetcher.Fetch(ctx, a)
	if errors.Is(err, bot.ErrNoFile) {
		a.Lost = bot.LostGone
		return a, nil
	}
	if err != nil {
		return a, err
	}
	key := from.Key()
	account, _ := c.accounts.Account(key)
	b, err := c.shelf.Put(ctx, a.Name, r, media.Owner{Visitor: key + "/" + from.Customer, Account: key, Affiliate: string(account.Owner())}) // also fails when the network breaks off
	_ = r.Close()                                                                                                                            // what counts has been read
	switch {
	case errors.Is(err, media.ErrTooLarge):
		a.Lost = bot.LostTooLarge
	case errors.Is(err, media.ErrType):
		a.Lost = bot.LostType
	case errors.Is(err, media.ErrQuota):
		a.Lost = bot.LostQuota
	case errors.Is(err, media.ErrDisk):
		a.Lost = bot.LostDisk
	case err != nil:
		return a, err
	default:
		a.Kept, a.Type, a.Size = b.ID, b.Type, b.Size
	}
	return a, nil
}

// transcribe has a's words taken down.
func (c *Collector) transcribe(ctx context.Context, a bot.Attachment, data []byte, log logrus.FieldLogger) bot.Attachment {
	if c.o.Speech == nil {
		return a
	}
	began := c.o.Now()
	ctx, cancel := context.WithTimeout(ctx, transcribeTimeout)
	defer cancel()
	words, err := c.o.Speech.Transcribe(ctx, media.Blob{ID: a.Kept, Name: a.Name, Type: a.Type, Size: a.Size}, data)
	c.o.Observe("transcribe", c.o.Now().Sub(began), nil)
	words = store.CleanText(words)
	switch {
	case errors.Is(err, bot.ErrTooLong):
		a.Unheard = bot.UnheardTooLong
	case errors.Is(err, bot.ErrNothingSaid) || err == nil && words == "":
		a.Unheard = bot.UnheardNothing
	case err != nil:
		log.WithError(err).Warn("cannot transcribe a voice note")
		a.Unheard = bot.UnheardFailed
	default:
		a.Heard = words
	}
	return a
}
