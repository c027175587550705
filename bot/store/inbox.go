package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/backoff"
	"faqbot/knowledge/sqldb"
)

const (
	// MaxBatch is how many posts one transaction stores.
	MaxBatch = 128
	// maxBatchBytes bounds their bodies: up to here a transaction begins to read another one.
	maxBatchBytes = 8 << 20
	// MaxPostAttempts is how often a post is tried that fails by its own fault, or whose processing the process
	// did not survive. Then it is set aside.
	MaxPostAttempts = 4
	// maxLooked is how many posts are looked through for one that is not held back.
	maxLooked = 8 << 10
	// maxHeldBack is how many posts that wait for their next attempt hold back others.
	maxHeldBack = 100
)

// PostBackoff is the wait after a post's n-th attempt: 0, 1 and 4 s. The first is repeated at once, since most
// processes that die were killed, and a later post must not overtake an innocent one.
func PostBackoff(n int) time.Duration {
	if n >= MaxPostAttempts {
		return 0 // it is set aside at once
	}
	return backoff.Waits{0, time.Second, 4 * time.Second}.After(n)
}

// A Post is what a network posted, as it came.
type Post struct {
	ID, Channel, Account string
	Body                 []byte
	At                   time.Time
	Replay               string // it was among the rejects: ReplayWhole, ReplayPart, "" if not
}

// A DuePost is a post that is due, without its body.
type DuePost struct {
	ID      string
	Attempt int
	bytes   int64
	at      int64  // when it came, in Unix milliseconds
	reason  string // of its last failure
	gaps    bool   // posts before or after it are held back
}

// A Batch is the posts of one transaction.
type Batch struct {
	IDs     []string
	Oldest  time.Time // when the first of them came
	counted bool      // this attempt is counted in their rows already
	gaps    bool      // posts between them are held back
}

// AddPost stores a post that is yet to be read. id is called when its turn comes, so that IDs are in the order of
// commits.
func (s *Store) AddPost(ctx context.Context, account bot.Account, body []byte, now time.Time, id func() string) error {
	return s.db.ExecGrouped(ctx, `INSERT INTO inbox (id, channel, account, body, at) VALUES ($1, $2, $3, $4, $5)`, func() []any {
		return []any{id(), account.Channel, account.ID, body, now.UnixMilli()}
	})
}

// NewestPost is the newest post that waits, "" if there is none.
func (s *Store) NewestPost(ctx context.Context) (id string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), '') FROM inbox`).Scan(&id)
	return id, err
}

// HasPosts reports whether something that the network posted to an account is yet to be read.
func (s *Store) HasPosts(ctx context.Context, to bot.Address) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM inbox WHERE channel = $1 AND account = $2)`, to.Channel, to.Account).Scan(&has)
	return has, err
}

// DuePosts lists the oldest posts that are due, at most so many and maxBatchBytes together. A customer's posts stay
// in their order: while an earlier one waits for its next attempt, later ones are not listed.
func (w EventWriter) DuePosts(ctx context.Context, most int, now time.Time) (list []DuePost, err error) {
	bytes := int64(0)
	err = sqldb.Each(ctx, w.Store.db, func(rows *sql.Rows) error {
		var p DuePost
		if err := rows.Scan(&p.ID, &p.bytes, &p.Attempt, &p.reason, &p.at); err != nil {
			return err
		}
		if bytes < maxBatchBytes {
			list, bytes = append(list, p), bytes+p.bytes
		}
		return nil
	}, fmt.Sprintf(`SELECT id, LENGTH(body), attempt, reason, at FROM inbox WHERE due_at <= $1 ORDER BY id LIMIT %d`, most), now.UnixMilli())
	found := len(list)
	if err == nil && found > 0 {
		list, err = w.dropHeldBack(ctx, list, now)
	}
	if err != nil {
		return nil, fmt.Errorf("look into the inbox: %w", err)
	}
	if found > 0 && len(list) == 0 && most < maxLooked { // all of them are held back: those behind them must not be
		return w.DuePosts(ctx, 8*most, now)
	}
	return list[:min(len(list), MaxBatch)], nil
}

// dropHeldBack is list without posts of customers of whom an earlier post waits for its next attempt.
func (w EventWriter) dropHeldBack(ctx context.Context, list []DuePost, now time.Time) ([]DuePost, error) {
	first := map[string]string{} // the post that waits, by who wrote it
	err := w.eachWriter(ctx, func(id, writer string) {
		if first[writer] == "" {
			first[writer] = id
		}
	}, fmt.Sprintf(`SELECT id, channel, account, body FROM inbox WHERE due_at > 0 AND due_at > $1 ORDER BY id LIMIT %d`, maxHeldBack), now.UnixMilli())
	if err != nil || len(first) == 0 {
		return list, err
	}
	held := map[string]bool{}
	var args []any
	var ids []string
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	err = w.eachWriter(ctx, func(id, writer string) {
		held[id] = held[id] || first[writer] != "" && first[writer] < id
	}, `SELECT id, channel, account, body FROM inbox WHERE id IN (`+marks(ids, &args)+`)`, args...)
	for i := range list {
		list[i].gaps = true
	}
	return slices.DeleteFunc(list, func(p DuePost) bool { return held[p.ID] }), err
}

// eachWriter calls do for everybody who wrote one of the posts that a query selects.
func (w EventWriter) eachWriter(ctx context.Context, do func(id, writer string), query string, args ...any) error {
	return sqldb.Each(ctx, w.Store.db, func(rows *sql.Rows) error {
		var p Post
		err := rows.Scan(&p.ID, &p.Channel, &p.Account, &p.Body)
		for _, customer := range w.Senders(bot.Account{Channel: p.Channel, ID: p.Account}, p.Body) {
			do(p.ID, bot.AccountKey(p.Channel, p.Account)+"/"+customer)
		}
		return err
	}, query, args...)
}

// NewBatch is the posts of list to store together. Posts up to left, and those that failed before, are suspected of
// having ended the process: their attempt is counted before. Those that failed are tried one at a time.
func (s *Store) NewBatch(ctx context.Context, list []DuePost, left string, now time.Time) (b Batch, err error) {
	b.Oldest = time.UnixMilli(list[0].at)
	b.counted, b.gaps = list[0].Attempt > 0 || list[0].ID <= left, list[0].gaps
	for _, p := range list {
		if len(b.IDs) > 0 && (p.Attempt > 0 || list[0].Attempt > 0 || b.counted != (p.ID <= left)) {
			break
		}
		b.IDs = append(b.IDs, p.ID)
	}
	if !b.counted {
		return b, nil
	}
	n := list[0].Attempt + 1 // the same for all
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		args := []any{now.Add(PostBackoff(n)).UnixMilli(), n}
		_, err := tx.ExecContext(ctx, `UPDATE inbox SET due_at = $1, attempt = $2 WHERE id IN (`+marks(b.IDs, &args)+`)`, args...)
		return err
	})
	if err != nil {
		b.counted = false
		return b, fmt.Errorf("count an attempt at a post: %w", err)
	}
	return b, nil
}

// UncountBatch takes back an attempt that the database kept from being made.
func (s *Store) UncountBatch(ctx context.Context, b Batch) error {
	if !b.counted {
		return nil
	}
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		var args []any
		_, err := tx.ExecContext(ctx, `UPDATE inbox SET attempt = attempt - 1, due_at = 0 WHERE id IN (`+marks(b.IDs, &args)+`)`, args...)
		return err
	})
}

// FailBatch notes why the only post of a batch failed, and counts the attempt unless it is counted.
func (s *Store) FailBatch(ctx context.Context, b Batch, cause error) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		count := 1
		if b.counted {
			count = 0
		}
		_, err := tx.ExecContext(ctx, `UPDATE inbox SET reason = $2, attempt = attempt + $3 WHERE id = $1`, b.IDs[0], CleanText(cause.Error()), count)
		return err
	})
}

// StoreBatch removes a batch from the inbox, has decode read it, and stores the events, in one transaction: what is
// out of the inbox is stored, once, whoever dies. decode may be called again; posts that another process has taken
// meanwhile are missing.
func (w EventWriter) StoreBatch(ctx context.Context, b Batch, decode func([]Post) []Arrival) (list []Arrival, err error) {
	err = w.Store.db.InTx(ctx, func(tx *sql.Tx) error {
		posts, err := removePosts(ctx, tx, b)
		if err != nil || len(posts) == 0 {
			return err
		}
		list = decode(posts)
		return w.storeEventsIn(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("take in what was posted: %w", err)
	}
	return list, nil
}

// SetAside moves a post whose attempts are used up to the rejects, and returns why.
func (w EventWriter) SetAside(ctx context.Context, p DuePost, account func(Post) bot.Account) (reason string, err error) {
	reason = p.reason
	if reason == "" {
		reason = fmt.Sprintf("the service ended %d times while it took this in", p.Attempt)
	}
	move := func(reject func(context.Context, *sql.Tx, Arrival) error) error {
		return w.Store.db.InTx(ctx, func(tx *sql.Tx) error {
			posts, err := removePosts(ctx, tx, Batch{IDs: []string{p.ID}, counted: true})
			for _, p := range posts {
				err = errors.Join(err, reject(ctx, tx, Arrival{Event: bot.Event{Undecodable: &bot.Undecodable{Body: p.Body, Reason: reason}}, Account: account(p), At: p.At}))
			}
			return err
		})
	}
	err = move(w.rejectPost)
	if err != nil && !sqldb.Unavailable(err) { // its customer's conversation may be what is at fault
		err = move(func(ctx context.Context, tx *sql.Tx, a Arrival) error {
			_, err := storeReject(ctx, tx, a)
			return err
		})
	}
	if err != nil {
		return reason, fmt.Errorf("set a post aside: %w", err)
	}
	return reason, nil
}

// removePosts takes a batch out of the inbox, in the order in which it came. What another process has taken
// meanwhile is not returned.
func removePosts(ctx context.Context, tx *sql.Tx, b Batch) (list []Post, err error) {
	where, args := `id >= $1 AND id <= $2 AND attempt = 0`, []any{b.IDs[0], b.IDs[len(b.IDs)-1]} // one text for all sizes
	if b.counted || b.gaps {
		args = nil
		where = `id IN (` + marks(b.IDs, &args) + `)`
	}
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var p Post
		var at int64
		err := rows.Scan(&p.ID, &p.Channel, &p.Account, &p.Body, &at, &p.Replay)
		p.At = sqldb.Time(at)
		list = append(list, p)
		return err
	}, `DELETE FROM inbox WHERE `+where+` RETURNING id, channel, account, body, at, replay`, args...)
	slices.SortFunc(list, func(a, b Post) int { return strings.Compare(a.ID, b.ID) })
	return list, err
}

// marks are the parameters of a list, which joins args.
func marks[T ~string](ids []T, args *[]any) string {
	var list []string
	for _, id := range ids {
		*args = append(*args, string(id))
		list = append(list, fmt.Sprintf("$%d", len(*args)))
	}
	return strings.Join(list, ", ")
}
