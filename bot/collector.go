package bot

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/media"
)

const (
	// fetchTimeout bounds one try to get a file, hearTimeout turning it into words, tries included.
	fetchTimeout = 45 * time.Second
	hearTimeout  = 15 * time.Second
)

// fetchBackoff is the wait after a file's n-th failed try, if it is to be tried again.
func fetchBackoff(n int) (time.Duration, bool) {
	waits := fetchWaits()
	if n > len(waits) {
		return 0, false
	}
	return waits[max(n, 1)-1], true
}

// errFetchEnds is why a file is lost of which the service died again and again.
var errFetchEnds = errors.New("the service ended each time it fetched this file")

// A Shelf keeps files; *media.Store is one.
type Shelf interface {
	Put(ctx context.Context, name string, r io.Reader, owner media.Owner) (media.Blob, error)
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// CollectorOptions are the parts of a Collector that may be left out.
type CollectorOptions struct {
	Speech  Transcriber      // nobody listens to voice notes if nil; see IntakeOptions.Hears
	Workers int              // files fetched at once; 4 if 0
	Poke    func()           // called when a file came
	Now     func() time.Time // time.Now if nil
	Observe func(stage string, took time.Duration, err error)
}

// A Collector fetches the files that customers sent, and has what they said turned into words. It works
// beside turns and deliveries: neither waits for a file, but for a voice note, and for that a while only.
type Collector struct {
	store    *Store
	accounts *Registry
	shelf    Shelf
	log      logrus.FieldLogger
	o        CollectorOptions
	poke     chan struct{}
}

// NewCollector returns a Collector that fetches through accounts' channels and keeps in shelf.
func NewCollector(store *Store, accounts *Registry, shelf Shelf, log logrus.FieldLogger, o CollectorOptions) *Collector {
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
func (c *Collector) Poke() { poke(c.poke) }

// Run works until ctx ends, then finishes or gives back what it holds.
func (c *Collector) Run(ctx context.Context) error {
	claim := oneByOne(func() (fetch, time.Time, bool, error) { return c.store.claimFetch(ctx, c.o.Now(), leaseTime) })
	return work(ctx, c.o.Workers, c.poke, claim, func(ctx context.Context, f fetch) {
		renewing(ctx, renewEvery, func(ctx context.Context) error { return c.store.renewFetch(ctx, f, c.o.Now().Add(leaseTime)) },
			func(ctx context.Context) { c.collect(ctx, f) })
	}, c.log.WithField("loop", "collector"))
}

// collect carries out one claimed fetch and settles it.
func (c *Collector) collect(ctx context.Context, f fetch) {
	log := c.log.WithFields(logrus.Fields{"conversation": f.conv, "fetch": f.id, "kind": f.attachment.Kind})
	began := c.o.Now()
	a, data, err := f.attachment, []byte(nil), error(nil)
	if f.attempt > len(fetchWaits())+1 { // the process ended each time
		err = errFetchEnds
	} else {
		err = guard.Run(func() (err error) { a, data, err = c.fetch(ctx, f); return err })
	}
	c.o.Observe("fetch", c.o.Now().Sub(began), nil)
	interrupted := ctx.Err() != nil
	if wait, again := fetchBackoff(f.attempt); err != nil && (again || interrupted) {
		guard.Log(log, "fetching a file", err)
		log.WithError(err).WithField("attempt", f.attempt).Warn("cannot fetch a file that a customer sent")
		if interrupted {
			wait = 0
		}
		if err := persist(ctx, log, "put a file off", func(ctx context.Context) error {
			return c.store.deferFetch(ctx, f, c.o.Now().Add(wait), interrupted)
		}); err != nil {
			log.WithError(err).Error("cannot put a file off; its lease will end")
		}
		return
	}
	if err != nil {
		a.Lost = LostUnreachable
	}
	if f.hear && a.Lost == "" {
		heard := a
		if err := guard.Run(func() error { heard = c.hear(ctx, a, data, log); return nil }); err != nil {
			guard.Log(log, "listening to a recording", err)
			heard.Unheard = UnheardFailed
		}
		a = heard
	}
	if err := persist(ctx, log, "settle a file", func(ctx context.Context) error { return c.store.settleFetch(ctx, f, a, c.o.Now()) }); err != nil {
		log.WithError(err).Error("cannot settle a file; its lease will end")
		return
	}
	log.WithFields(logrus.Fields{"lost": a.Lost, "unheard": a.Unheard, "attempt": f.attempt, "took": c.o.Now().Sub(began).String()}).Info("fetched a file")
	c.o.Poke()
}

// fetch gets f's file and keeps it. An error means that it may work another time.
func (c *Collector) fetch(ctx context.Context, f fetch) (a Attachment, data []byte, err error) {
	a = f.attachment
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if a.Kept == "" {
		if a, err = c.keep(ctx, f.from, a); err != nil || a.Lost != "" {
			return a, nil, err
		}
	}
	if !f.hear {
		return a, nil, nil
	}
	_, data, err = c.shelf.Get(ctx, a.Kept)
	if errors.Is(err, media.ErrNotFound) {
		a.Lost, err = LostGone, nil
	}
	return a, data, err
}

// keep gets an attachment's file from its network.
func (c *Collector) keep(ctx context.Context, from Address, a Attachment) (Attachment, error) {
	fetcher, ok := c.accounts.Channel(AccountKey(from.Channel, from.Account)).(Fetcher)
	switch {
	case !ok:
		a.Lost = LostNetwork
		return a, nil
	case a.File == "": // taken back before it was fetched
		a.Lost = LostGone
		return a, nil
	case a.Size > media.MaxBytes:
		a.Lost = LostTooLarge
		return a, nil
	}
	r, err := fetcher.Fetch(ctx, a)
	if errors.Is(err, ErrNoFile) {
		a.Lost = LostGone
		return a, nil
	}
	if err != nil {
		return a, err
	}
	key := AccountKey(from.Channel, from.Account)
	account, _ := c.accounts.Account(key)
	b, err := c.shelf.Put(ctx, a.Name, r, media.Owner{Visitor: key + "/" + from.Customer, Account: key, Affiliate: string(account.Owner())}) // also fails when the network breaks off
	_ = r.Close()                                                                                                                            // what counts has been read
	switch {
	case errors.Is(err, media.ErrTooLarge):
		a.Lost = LostTooLarge
	case errors.Is(err, media.ErrType):
		a.Lost = LostType
	case errors.Is(err, media.ErrQuota):
		a.Lost = LostQuota
	case errors.Is(err, media.ErrDisk):
		a.Lost = LostDisk
	case err != nil:
		return a, err
	default:
		a.Kept, a.Type, a.Size = b.ID, b.Type, b.Size
	}
	return a, nil
}

// hear has a's words taken down.
func (c *Collector) hear(ctx context.Context, a Attachment, data []byte, log logrus.FieldLogger) Attachment {
	if c.o.Speech == nil {
		return a
	}
	began := c.o.Now()
	ctx, cancel := context.WithTimeout(ctx, hearTimeout)
	defer cancel()
	words, err := c.o.Speech.Transcribe(ctx, media.Blob{ID: a.Kept, Name: a.Name, Type: a.Type, Size: a.Size}, data)
	c.o.Observe("transcribe", c.o.Now().Sub(began), nil)
	words = storable(words)
	switch {
	case errors.Is(err, ErrTooLong):
		a.Unheard = UnheardTooLong
	case errors.Is(err, ErrNothingSaid) || err == nil && words == "":
		a.Unheard = UnheardNothing
	case err != nil:
		log.WithError(err).Warn("cannot transcribe a voice note")
		a.Unheard = UnheardFailed
	default:
		a.Heard = words
	}
	return a
}
