package bot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge/guard"
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
	// maxPostAttempts is how often a post is tried that fails by its own fault, or whose processing the process
	// did not survive. Then it is set aside.
	maxPostAttempts = 4
)

// postBackoff is the wait after a post's n-th attempt: 0, 1 and 4 s. The first is repeated at once, since most
// processes that die were killed, and a later post must not overtake an innocent one.
func postBackoff(n int) time.Duration {
	waits := []time.Duration{0, time.Second, 4 * time.Second}
	if n >= maxPostAttempts {
		return 0 // it is set aside at once
	}
	return waits[max(n, 1)-1]
}

// A post is what a network posted, as it came.
type post struct {
	id, channel, account string
	body                 []byte
	at                   time.Time
	replay               string // it was among the rejects: replayWhole, replayPart, "" if not
}

// A candidate is a post that is due, without its body.
type candidate struct {
	id      string
	bytes   int64
	attempt int
	reason  string // of its last failure
	gaps    bool   // posts before or after it are held back
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
		in.deafAt.Store(in.now().UnixMilli())
		return fmt.Errorf("store what was posted to %s: %w", AccountKey(account.Channel, account.ID), err)
	}
	in.lastPost.Store(time.Now().UnixNano())
	select {
	case in.received <- struct{}{}:
	default:
	}
	return nil
}

// HearingSince is since when everything that networks posted was stored: since the service began or could last
// not store a post. What a network has not told in this time it has not tried to tell.
func (in *Intake) HearingSince() time.Time { return time.UnixMilli(in.deafAt.Load()) }

// empty takes in what lies in the inbox until ctx ends, the oldest first.
//
// While the database is unavailable everything waits. What fails together is tried one by one. What fails by
// itself is tried again later, and then set aside for a person, while others go on.
func (in *Intake) empty(ctx context.Context) error {
	tick := time.NewTicker(inboxEvery)
	defer tick.Stop()
	most, trouble := postsLeast, 0
	left, err := in.leftovers(ctx)
	for err == nil && ctx.Err() == nil {
		in.letOthersPost(ctx, turnOfOthers*postsLeast/time.Duration(max(most, postsLeast)))
		b, err := in.takeOut(ctx, most, left)
		if err == nil && trouble > 0 {
			in.log.Info("the database is available again")
			trouble = 0
		}
		switch {
		case err == nil && len(b.ids) == 0:
			most = postsLeast
			select {
			case <-ctx.Done():
			case <-in.received:
				in.letOthersPost(ctx, patience)
			case <-tick.C:
			}
		case err == nil:
			most = min(2*most, bite(in.now().Sub(b.oldest)))
		case sqldb.Unavailable(err):
			if trouble++; trouble == 1 {
				in.log.WithError(err).Error("cannot take in what networks posted: the database is unavailable; all of it waits")
			}
			in.uncount(ctx, b)
			rest(ctx, databaseBackoff(trouble))
		case len(b.ids) > 1:
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

// leftovers is the newest post that was there when the process began, "" if there was none. What ended the
// process before may be among them.
func (in *Intake) leftovers(ctx context.Context) (id string, err error) {
	return id, persist(ctx, in.log, "look into the inbox", func(ctx context.Context) error {
		return in.store.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), '') FROM inbox`).Scan(&id)
	})
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

// A batch is the posts of one transaction.
type batch struct {
	ids     []string
	counted bool      // this attempt is counted in their rows already
	gaps    bool      // posts between them are held back
	oldest  time.Time // when the oldest came
}

// takeOut takes in the oldest posts that are due, at most so many. It is one transaction: what is out of the
// inbox is stored, once, whoever dies. Posts up to left, and those that failed before, are suspected of having
// ended the process: their attempt is counted before. Those that failed are tried one at a time.
func (in *Intake) takeOut(ctx context.Context, most int, left string) (b batch, err error) {
	ctx = context.WithoutCancel(ctx) // it is short, and watching for an end costs as much as a statement
	list, err := in.candidates(ctx, most)
	if err != nil || len(list) == 0 {
		return b, err
	}
	if first := list[0]; first.attempt >= maxPostAttempts {
		return in.setAside(ctx, first)
	}
	if b, err = in.batchOf(ctx, list, left); err != nil {
		return b, err
	}
	var arrived []arrival
	var unread []post
	var why []error
	err = in.store.db.InTx(ctx, func(tx *sql.Tx) error {
		arrived, unread, why = nil, nil, nil
		posts, err := remove(ctx, tx, b)
		if err != nil || len(posts) == 0 {
			return err
		}
		b.oldest = posts[0].at
		for _, p := range posts {
			account, events, err := in.decode(p)
			if err == nil {
				arrived = append(arrived, in.arrivals(account, events, p.at)...)
				continue
			}
			// The network would repeat it for days.
			if err := in.reject(ctx, tx, account, Unread{Body: p.body, Reason: err.Error()}, p.at); err != nil {
				return fmt.Errorf("keep what cannot be read: %w", err)
			}
			unread, why = append(unread, p), append(why, err)
		}
		return in.takeIn(ctx, tx, inOrder(arrived))
	})
	if err != nil {
		guard.Log(in.log, "taking in a post", err)
		return b, fmt.Errorf("take in what was posted: %w", err)
	}
	for i, p := range unread {
		guard.Log(in.log, "reading a post", why[i])
		in.log.WithFields(logrus.Fields{"channel": p.channel, "account": p.account}).WithError(why[i]).
			Error("cannot read what the network posted; it is kept")
	}
	in.tell(arrived)
	return b, nil
}

// candidates are the oldest posts that are due, at most so many and postsBytes together.
func (in *Intake) candidates(ctx context.Context, most int) (list []candidate, err error) {
	bytes := int64(0)
	err = sqldb.Each(ctx, in.store.db, func(rows *sql.Rows) error {
		var c candidate
		if err := rows.Scan(&c.id, &c.bytes, &c.attempt, &c.reason); err != nil {
			return err
		}
		if bytes < postsBytes {
			list, bytes = append(list, c), bytes+c.bytes
		}
		return nil
	}, fmt.Sprintf(`SELECT id, LENGTH(body), attempt, reason FROM inbox WHERE due_at <= $1 ORDER BY id LIMIT %d`, most), in.now().UnixMilli())
	found := len(list)
	if err == nil && found > 0 {
		list, err = in.behind(ctx, list)
	}
	if err != nil {
		return nil, fmt.Errorf("look into the inbox: %w", err)
	}
	if found > 0 && len(list) == 0 && most < maxLooked { // all of them are held back: those behind them must not be
		return in.candidates(ctx, 8*most)
	}
	return list[:min(len(list), postsMost)], nil
}

// maxLooked is how many posts are looked through for one that is not held back.
const maxLooked = 8 << 10

// maxHeldBack is how many posts that wait for their next attempt hold back others.
const maxHeldBack = 100

// behind is list without posts of customers of whom an earlier post waits for its next attempt: what somebody wrote
// stays in its order.
func (in *Intake) behind(ctx context.Context, list []candidate) ([]candidate, error) {
	first := map[string]string{} // the post that waits, by who wrote it
	err := in.eachWritten(ctx, func(id, writer string) {
		if first[writer] == "" {
			first[writer] = id
		}
	}, fmt.Sprintf(`SELECT id, channel, account, body FROM inbox WHERE due_at > 0 AND due_at > $1 ORDER BY id LIMIT %d`, maxHeldBack), in.now().UnixMilli())
	if err != nil || len(first) == 0 {
		return list, err
	}
	held := map[string]bool{}
	var args []any
	var ids []string
	for _, c := range list {
		ids = append(ids, c.id)
	}
	err = in.eachWritten(ctx, func(id, writer string) {
		held[id] = held[id] || first[writer] != "" && first[writer] < id
	}, `SELECT id, channel, account, body FROM inbox WHERE id IN (`+marks(ids, &args)+`)`, args...)
	for i := range list {
		list[i].gaps = true
	}
	return slices.DeleteFunc(list, func(c candidate) bool { return held[c.id] }), err
}

// eachWritten calls do for everybody who wrote one of the posts that a query selects.
func (in *Intake) eachWritten(ctx context.Context, do func(id, writer string), query string, args ...any) error {
	return sqldb.Each(ctx, in.store.db, func(rows *sql.Rows) error {
		var p post
		err := rows.Scan(&p.id, &p.channel, &p.account, &p.body)
		for _, customer := range in.senders(Account{Channel: p.channel, ID: p.account}, p.body) {
			do(p.id, AccountKey(p.channel, p.account)+"/"+customer)
		}
		return err
	}, query, args...)
}

// batchOf is the posts of list to take in together, with their attempt counted if one of them is suspect.
func (in *Intake) batchOf(ctx context.Context, list []candidate, left string) (b batch, err error) {
	b.counted, b.gaps = list[0].attempt > 0 || list[0].id <= left, list[0].gaps
	for _, c := range list {
		if len(b.ids) > 0 && (c.attempt > 0 || list[0].attempt > 0 || b.counted != (c.id <= left)) {
			break
		}
		b.ids = append(b.ids, c.id)
	}
	if !b.counted {
		return b, nil
	}
	n := list[0].attempt + 1 // the same for all
	err = in.store.db.InTx(ctx, func(tx *sql.Tx) error {
		args := []any{in.now().Add(postBackoff(n)).UnixMilli(), n}
		_, err := tx.ExecContext(ctx, `UPDATE inbox SET due_at = $1, attempt = $2 WHERE id IN (`+marks(b.ids, &args)+`)`, args...)
		return err
	})
	if err != nil {
		b.counted = false
		return b, fmt.Errorf("count an attempt at a post: %w", err)
	}
	return b, nil
}

// marks are the parameters of a list, which joins args.
func marks(ids []string, args *[]any) string {
	var list []string
	for _, id := range ids {
		*args = append(*args, id)
		list = append(list, fmt.Sprintf("$%d", len(*args)))
	}
	return strings.Join(list, ", ")
}

// uncount takes back an attempt that the database kept from being made.
func (in *Intake) uncount(ctx context.Context, b batch) {
	if !b.counted {
		return
	}
	err := persist(ctx, in.log, "take back an attempt", func(ctx context.Context) error {
		return in.store.db.InTx(ctx, func(tx *sql.Tx) error {
			var args []any
			_, err := tx.ExecContext(ctx, `UPDATE inbox SET attempt = attempt - 1, due_at = 0 WHERE id IN (`+marks(b.ids, &args)+`)`, args...)
			return err
		})
	})
	if err != nil {
		in.log.WithError(err).Error("cannot take back an attempt at a post")
	}
}

// failed notes why the only post of a batch failed, and counts the attempt unless it is counted.
func (in *Intake) failed(ctx context.Context, b batch, cause error) error {
	return persist(ctx, in.log, "note that a post failed", func(ctx context.Context) error {
		return in.store.db.InTx(ctx, func(tx *sql.Tx) error {
			if b.counted {
				_, err := tx.ExecContext(ctx, `UPDATE inbox SET reason = $2 WHERE id = $1`, b.ids[0], storable(cause.Error()))
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE inbox SET reason = $2, attempt = attempt + 1 WHERE id = $1`, b.ids[0], storable(cause.Error()))
			return err
		})
	})
}

// decode reads a post. A panic in it is the post's fault, as any error.
func (in *Intake) decode(p post) (account Account, events []Event, err error) {
	key := AccountKey(p.channel, p.account)
	receiver, ok := in.accounts.Channel(key).(Receiver)
	if !ok {
		return Account{Channel: p.channel, ID: p.account}, nil, errors.New("the account has been removed since")
	}
	account, _ = in.accounts.Account(key)
	if err := guard.Run(func() error { events, err = receiver.Decode(p.body); return err }); err != nil {
		return account, nil, err
	}
	if p.replay != "" {
		if events, err = replayed(p, events); err != nil {
			return account, nil, err
		}
	}
	for i := range events {
		if u := events[i].Unread; u != nil {
			part := *u
			part.post = p.body
			events[i].Unread = &part
		}
	}
	return account, events, nil
}

// remove takes a batch out of the inbox, in the order in which it came. What another process has taken
// meanwhile is not returned.
func remove(ctx context.Context, tx *sql.Tx, b batch) (list []post, err error) {
	where, args := `id >= $1 AND id <= $2 AND attempt = 0`, []any{b.ids[0], b.ids[len(b.ids)-1]} // one text for all sizes
	if b.counted || b.gaps {
		args = nil
		where = `id IN (` + marks(b.ids, &args) + `)`
	}
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var p post
		var at int64
		err := rows.Scan(&p.id, &p.channel, &p.account, &p.body, &at, &p.replay)
		p.at = sqldb.Time(at)
		list = append(list, p)
		return err
	}, `DELETE FROM inbox WHERE `+where+` RETURNING id, channel, account, body, at, replay`, args...)
	slices.SortFunc(list, func(a, b post) int { return strings.Compare(a.id, b.id) })
	return list, err
}
