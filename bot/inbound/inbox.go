package inbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/bot/worker"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

// Storing posts comes before reading them: networks wait for their 200, and give up on us if it takes long; nobody
// waits for a message before its turn is due.
const (
	// maxBatchWait is how long the first batch waits while posts keep coming. The turn is due later than that.
	maxBatchWait = store.QuietPeriod - 200*time.Millisecond
	// postGap is how long no post must come for a batch to begin at once.
	postGap = 5 * time.Millisecond
	// minBatch is how many posts the first batch takes in: the fewer, the shorter posts wait for the database.
	minBatch = 16
	// storingShare is how many times as long as a batch took posts may then be stored before the next one.
	storingShare = 3
	// inboxEvery is how often we look for posts that a process received which then died.
	inboxEvery = time.Second
)

// Receive stores what a network posted to account, verified and yet to be read, and returns after it is
// durable. Run takes it in. An error means that the network must post it again.
func (in *Intake) Receive(ctx context.Context, account bot.Account, body []byte) error {
	now := in.now()
	in.storing.Add(1)
	err := in.store.AddPost(ctx, account, body, now, func() string { return in.order.Next(now) })
	in.storing.Add(-1)
	if err != nil {
		in.missedAt.Store(in.now().UnixMilli())
		return fmt.Errorf("store what was posted to %s: %w", account.Key(), err)
	}
	worker.Poke(in.received)
	return nil
}

// ReceivingSince is since when everything that networks posted was stored: since the service began or could last
// not store a post. What a network has not told in this time it has not tried to tell.
func (in *Intake) ReceivingSince() time.Time { return time.UnixMilli(in.missedAt.Load()) }

// drain takes in what lies in the inbox until ctx ends, the oldest first.
//
// While the database is unavailable everything waits. What fails together is tried one by one. What fails by
// itself is tried again later, and then set aside for a person, while others go on.
func (in *Intake) drain(ctx context.Context) error {
	tick := time.NewTicker(inboxEvery)
	defer tick.Stop()
	most, trouble := minBatch, 0
	left, err := in.newestPost(ctx)
	for err == nil && ctx.Err() == nil {
		began := time.Now()
		b, err := in.processBatch(ctx, most, left)
		if err == nil && trouble > 0 {
			in.log.Info("the database is available again")
			trouble = 0
		}
		switch {
		case err == nil && len(b.IDs) == 0:
			most = minBatch
			select {
			case <-ctx.Done():
			case <-in.received:
				in.waitForGap(ctx, maxBatchWait)
			case <-tick.C:
			}
		case err == nil:
			most = batchSize(in.now().Sub(b.Oldest))
			in.waitForGap(ctx, storingShare*time.Since(began))
		case sqldb.Unavailable(err):
			if trouble++; trouble == 1 {
				in.log.WithError(err).Error("cannot take in what networks posted: the database is unavailable; all of it waits")
			}
			in.uncount(ctx, b)
			worker.Rest(ctx, worker.DatabaseBackoff(trouble))
		case len(b.IDs) > 1:
			most = 1
		default:
			in.log.WithError(err).Error("cannot take in what a network posted; it is tried again later")
			if err := in.failed(ctx, b, err); err != nil && ctx.Err() == nil {
				in.log.WithError(err).Error("cannot note that a post failed")
			}
		}
	}
	return err
}

// batchSize is how many posts to take in together when the oldest has waited for age: as many more as it waited
// longer than the first batch may. Small batches keep Receive fast, large ones drain a backlog.
func batchSize(age time.Duration) int {
	return min(max(minBatch, int(minBatch*age/maxBatchWait)), store.MaxBatch)
}

// waitForGap waits while posts keep coming, at most within. Posts that came during a batch are still being stored,
// since SQLite has one writer: where there is none, nobody is waited for.
func (in *Intake) waitForGap(ctx context.Context, within time.Duration) {
	if in.storing.Load() == 0 && len(in.received) == 0 {
		return
	}
	end := time.After(within)
	for {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-time.After(postGap):
			return
		case <-in.received:
		}
	}
}

// newestPost is the newest post that was there when the process began, "" if there was none. What ended the
// process before may be among the posts up to it.
func (in *Intake) newestPost(ctx context.Context) (id string, err error) {
	return id, worker.Persist(ctx, in.log, "look into the inbox", func(ctx context.Context) (err error) {
		id, err = in.store.NewestPost(ctx)
		return err
	})
}

// processBatch decodes and stores the oldest posts that are due, at most so many. Posts up to left are suspected
// of having ended the process: see NewBatch.
func (in *Intake) processBatch(ctx context.Context, most int, left string) (b store.Batch, err error) {
	ctx = context.WithoutCancel(ctx) // it is short, and watching for an end costs as much as a statement
	list, err := in.events.DuePosts(ctx, most, in.now())
	if err != nil || len(list) == 0 {
		return b, err
	}
	if first := list[0]; first.Attempt >= store.MaxPostAttempts {
		return store.Batch{IDs: []string{first.ID}}, in.setAside(ctx, first)
	}
	if b, err = in.store.NewBatch(ctx, list, left, in.now()); err != nil {
		return b, err
	}
	var unreadable []unreadablePost
	arrivals, err := in.events.StoreBatch(ctx, b, func(posts []store.Post) (list []store.Arrival) {
		unreadable = nil
		for _, p := range posts {
			account, events, err := in.decode(p)
			if err != nil { // it is kept: the network would repeat it for days
				unreadable = append(unreadable, unreadablePost{p, err})
				events = []bot.Event{{Undecodable: &bot.Undecodable{Body: p.Body, Reason: err.Error()}}}
			}
			arrivals := in.arrivals(account, events, p.At)
			for i := range arrivals {
				if err == nil && arrivals[i].Undecodable != nil {
					arrivals[i].Post = p.Body
				}
			}
			list = append(list, arrivals...)
		}
		return list
	})
	if err != nil {
		guard.Log(in.log, "taking in a post", err)
		return b, err
	}
	for _, u := range unreadable {
		guard.Log(in.log, "reading a post", u.err)
		in.log.WithFields(logrus.Fields{"channel": u.Channel, "account": u.Account}).WithError(u.err).
			Error("cannot read what the network posted; it is kept")
	}
	in.scheduleTurns(slices.DeleteFunc(arrivals, func(a store.Arrival) bool { return a.Undecodable != nil && a.Post == nil })) // those are logged
	return b, nil
}

type unreadablePost struct {
	store.Post
	err error
}

// setAside moves a post whose attempts are used up to the rejects.
func (in *Intake) setAside(ctx context.Context, p store.DuePost) error {
	reason, err := in.events.SetAside(ctx, p, func(p store.Post) bot.Account {
		if known, ok := in.accounts.Account(bot.AccountKey(p.Channel, p.Account)); ok {
			return known
		}
		return bot.Account{Channel: p.Channel, ID: p.Account}
	})
	if err != nil {
		return err
	}
	in.log.WithFields(logrus.Fields{"attempt": p.Attempt, "reason": reason}).Error("a post cannot be taken in; it is kept among the rejects")
	in.poke()
	return nil
}

// uncount takes back an attempt that the database kept from being made.
func (in *Intake) uncount(ctx context.Context, b store.Batch) {
	err := worker.Persist(ctx, in.log, "take back an attempt", func(ctx context.Context) error { return in.store.UncountBatch(ctx, b) })
	if err != nil {
		in.log.WithError(err).Error("cannot take back an attempt at a post")
	}
}

// failed notes why the only post of a batch failed.
func (in *Intake) failed(ctx context.Context, b store.Batch, cause error) error {
	return worker.Persist(ctx, in.log, "note that a post failed", func(ctx context.Context) error { return in.store.FailBatch(ctx, b, cause) })
}

// decode reads a post. A panic in it is the post's fault, as any error.
func (in *Intake) decode(p store.Post) (account bot.Account, events []bot.Event, err error) {
	key := bot.AccountKey(p.Channel, p.Account)
	receiver, ok := in.accounts.Channel(key).(bot.Receiver)
	if !ok {
		return bot.Account{Channel: p.Channel, ID: p.Account}, nil, errors.New("the account has been removed since")
	}
	account, _ = in.accounts.Account(key)
	if err := guard.Run(func() error { events, err = receiver.Decode(p.Body); return err }); err != nil {
		return account, nil, err
	}
	if p.Replay != "" {
		if events, err = replayed(p, events); err != nil {
			return account, nil, err
		}
	}
	return account, events, nil
}

// senders are the customers whose words are in a body that cannot be read, in the order in which all lock them.
func (in *Intake) senders(account bot.Account, body []byte) (list []string) {
	finder, ok := in.accounts.Channel(account.Key()).(bot.SenderFinder)
	if !ok {
		return nil
	}
	if err := guard.Run(func() error { list = finder.Senders(body); return nil }); err != nil {
		guard.Log(in.log, "looking for the sender of a post", err)
		return nil
	}
	for i := range list {
		list[i] = store.CleanText(list[i])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// replayed are the events of a post that is read again which are to be taken in.
func replayed(p store.Post, events []bot.Event) ([]bot.Event, error) {
	if p.Replay == store.ReplayPart { // what it says of statuses, consent and the like is out of date
		events = slices.DeleteFunc(events, func(e bot.Event) bool { return e.Message == nil && e.Echo == nil && e.Undecodable == nil })
	}
	if len(events) == 0 {
		return nil, errNothingKnown
	}
	return events, nil
}

// errNothingKnown is why a post becomes a reject again.
var errNothingKnown = errors.New("read again, it holds nothing that is known")
