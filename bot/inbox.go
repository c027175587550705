package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge/sqldb"
)

// Storing what is posted comes before taking it in: networks wait for the one, and give up on us if it takes
// long; nobody waits for the other before a turn settles.
const (
	// patience is how long the oldest post waits while others keep coming, the next within lull.
	patience = settle - 200*time.Millisecond
	lull     = 5 * time.Millisecond
	// postsLeast is how many posts one transaction takes in: few, so that those who want to store the next
	// ones hardly wait. Each time that the oldest has waited twice as long they are twice as many, up to
	// postsMost: else a flood would be answered when it is over.
	postsLeast = 16
	postsMost  = 128
	// turnOfOthers is how long posts that keep coming are let past before a transaction that takes in
	// postsLeast. Before one that takes in more it is as much shorter.
	turnOfOthers = 20 * time.Millisecond
	// postsBytes bounds their bodies: up to here a transaction begins to read another one.
	postsBytes = 8 << 20
	// inboxEvery is how often we look for posts that a process received which then died.
	inboxEvery = time.Second
	// inboxTries is how often a post is tried that could be read and cannot be stored, and inboxPause is
	// the time between two tries.
	inboxTries = 4
	inboxPause = 100 * time.Millisecond
)

// A post is what a network posted, as it came.
type post struct {
	id, channel, account string
	body                 []byte
	at                   time.Time
}

// Receive stores what a network posted to account, verified and yet to be read, and returns after it is
// durable. Run takes it in. An error means that the network must post it again.
func (in *Intake) Receive(ctx context.Context, account Account, body []byte) error {
	in.storing.Add(1)
	defer in.storing.Add(-1)
	now := in.now()
	err := in.store.db.ExecGrouped(ctx, `INSERT INTO inbox (id, channel, account, body, at) VALUES ($1, $2, $3, $4, $5)`, func() []any {
		return []any{in.order.next(now), account.Channel, account.ID, body, now.UnixMilli()}
	})
	if err != nil {
		return fmt.Errorf("store what was posted to %s: %w", AccountKey(account.Channel, account.ID), err)
	}
	in.lastPost.Store(time.Now().UnixNano())
	select {
	case in.received <- struct{}{}:
	default:
	}
	return nil
}

// empty takes in what lies in the inbox until ctx ends, the oldest first.
//
// What fails together is tried one by one. What fails by itself again and again would keep all others
// waiting for good, so it is set aside for a person.
func (in *Intake) empty(ctx context.Context) error {
	tick := time.NewTicker(inboxEvery)
	defer tick.Stop()
	most, failures := postsLeast, 0
	for ctx.Err() == nil {
		in.letOthersPost(ctx, turnOfOthers*postsLeast/time.Duration(max(most, postsLeast)))
		n, oldest, err := in.takeOut(ctx, most)
		switch {
		case err == nil && n == 0:
			most = postsLeast
			select {
			case <-ctx.Done():
			case <-in.received:
				in.letOthersPost(ctx, patience)
			case <-tick.C:
			}
		case err == nil:
			most, failures = min(2*most, bite(in.now().Sub(oldest))), 0
		case ctx.Err() != nil:
		case most > 1:
			most = 1
		default:
			in.log.WithError(err).Error("cannot take in what a network posted; it is tried again")
			if failures++; failures%inboxTries == 0 {
				if err := in.setAside(ctx, err.Error()); err != nil && ctx.Err() == nil {
					in.log.WithError(err).Error("cannot set aside what cannot be taken in")
				}
			}
			rest(ctx, inboxPause)
		}
	}
	return nil
}

// bite is how many posts to take in at once when the oldest is of an age.
func bite(age time.Duration) int {
	n := postsLeast
	for ; age >= 2*patience && n < postsMost; age /= 2 {
		n *= 2
	}
	return n
}

// letOthersPost waits as long as posts keep coming and patience lasts.
func (in *Intake) letOthersPost(ctx context.Context, patience time.Duration) {
	began := time.Now()
	for ctx.Err() == nil && time.Since(began) < patience && (in.storing.Load() > 0 || time.Since(time.Unix(0, in.lastPost.Load())) < lull) {
		rest(ctx, time.Millisecond)
	}
}

// takeOut takes in the oldest posts, at most so many, and returns how many those were and when the oldest
// came. It is one transaction: what is out of the inbox is stored, once, whoever dies.
func (in *Intake) takeOut(ctx context.Context, most int) (n int, oldest time.Time, err error) {
	var list []arrival
	var unread []post
	var why []error
	ctx = context.WithoutCancel(ctx) // it is short, and watching for an end costs as much as a statement
	err = in.store.db.InTx(ctx, func(tx *sql.Tx) (err error) {
		defer func() { // a post that a decoder stumbles over would stop the service, and again when it starts
			if p := recover(); p != nil {
				in.log.WithField("stack", string(debug.Stack())).Error("a post makes us stumble")
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		posts, err := remove(ctx, tx, most)
		if err != nil || len(posts) == 0 {
			return err
		}
		n, oldest = len(posts), posts[0].at
		for _, p := range posts {
			account, events, err := in.decode(p)
			if err == nil {
				list = append(list, in.arrivals(account, events, p.at)...)
				continue
			}
			// The network would repeat it for days.
			if err := reject(ctx, tx, account, Unread{Body: p.body, Reason: err.Error()}, p.at); err != nil {
				return fmt.Errorf("keep what cannot be read: %w", err)
			}
			unread, why = append(unread, p), append(why, err)
		}
		return in.takeIn(ctx, tx, inOrder(list))
	})
	if err != nil {
		return 0, oldest, fmt.Errorf("take in what was posted: %w", err)
	}
	for i, p := range unread {
		in.log.WithFields(logrus.Fields{"channel": p.channel, "account": p.account}).WithError(why[i]).
			Error("cannot read what the network posted; it is kept")
	}
	if n > 0 {
		in.tell(list)
	}
	return n, oldest, nil
}

// decode reads a post.
func (in *Intake) decode(p post) (Account, []Event, error) {
	key := AccountKey(p.channel, p.account)
	receiver, ok := in.accounts.Channel(key).(Receiver)
	if !ok {
		return Account{Channel: p.channel, ID: p.account}, nil, errors.New("the account has been removed since")
	}
	account, _ := in.accounts.Account(key)
	events, err := receiver.Decode(p.body)
	return account, events, err
}

// remove takes the oldest posts out of the inbox, in the order in which they came.
func remove(ctx context.Context, tx *sql.Tx, most int) (list []post, err error) {
	last, bytes := "", int64(0)
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var id string
		var size int64
		if err := rows.Scan(&id, &size); err != nil {
			return err
		}
		if bytes < postsBytes {
			last, bytes = id, bytes+size
		}
		return nil
	}, fmt.Sprintf(`SELECT id, LENGTH(body) FROM inbox ORDER BY id LIMIT %d`, most))
	if err != nil || last == "" {
		return nil, err
	}
	// What another process has taken meanwhile is not returned, and what one of them stored late is.
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var p post
		var at int64
		err := rows.Scan(&p.id, &p.channel, &p.account, &p.body, &at)
		p.at = sqldb.Time(at)
		list = append(list, p)
		return err
	}, `DELETE FROM inbox WHERE id <= $1 RETURNING id, channel, account, body, at`, last)
	slices.SortFunc(list, func(a, b post) int { return strings.Compare(a.id, b.id) })
	return list, err
}

// setAside moves the oldest post to what could not be read.
func (in *Intake) setAside(ctx context.Context, reason string) error {
	return in.store.db.InTx(ctx, func(tx *sql.Tx) error {
		posts, err := remove(ctx, tx, 1)
		for _, p := range posts {
			err = errors.Join(err, reject(ctx, tx, Account{Channel: p.channel, ID: p.account}, Unread{Body: p.body, Reason: reason}, p.at))
		}
		return err
	})
}
