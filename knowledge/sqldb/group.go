package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"faqbot/knowledge/guard"
)

// groupMax bounds one shared transaction: enough to make an fsync cheap, few enough that nobody
// waits long for strangers.
const groupMax = 256

// A group is the queue of those who will share the next transaction.
type group struct {
	mu    sync.Mutex
	queue []*member
	busy  bool // somebody is committing
}

// A member is one caller of Grouped.
type member struct {
	do   func(ctx context.Context, tx *sql.Tx) error
	err  error
	wake chan bool // true: lead the next transaction; false: err is your result
}

// Grouped runs do like InTx, but in a transaction shared with whoever calls Grouped at the same
// time, so that one fsync serves many: it returns after the commit that contains do. If do fails,
// only its own changes are undone, and the others are done again: do may run more than once, and only
// its last run counts. It must use the context it is given, which in a group does not end: the
// others did not agree to the end of its caller's. A failed commit fails everyone in it.
//
// On Postgres it is InTx: there the server lets commits share an fsync, and its own connections do more
// at once than one transaction of ours.
//
// There is no committer goroutine. The first caller commits for all who queue up behind it, then
// wakes the next in line to do the same.
func (db *DB) Grouped(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	if db.postgres {
		return db.InTx(ctx, func(tx *sql.Tx) error { return do(ctx, tx) })
	}
	me := &member{do: do, wake: make(chan bool, 1)}
	g := &db.group
	g.mu.Lock()
	g.queue = append(g.queue, me)
	lead := !g.busy
	g.busy = true
	g.mu.Unlock()
	if !lead {
		if done, err := g.wait(ctx, me); done {
			return err
		}
	}

	g.mu.Lock()
	n := min(len(g.queue), groupMax)
	batch := g.queue[:n:n] // me is among them: leaders are woken from the front
	g.queue = g.queue[n:]
	g.mu.Unlock()

	db.commitGroup(context.WithoutCancel(ctx), batch)

	g.mu.Lock()
	if g.busy = len(g.queue) > 0; g.busy {
		g.queue[0].wake <- true
	}
	g.mu.Unlock()
	for _, m := range batch {
		if m != me {
			m.wake <- false
		}
	}
	return me.err
}

// wait waits until me must lead the next transaction, or is done. Whoever's context ends while they are in the
// queue leaves it.
func (g *group) wait(ctx context.Context, me *member) (done bool, err error) {
	select {
	case lead := <-me.wake:
		return !lead, me.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	i := slices.Index(g.queue, me)
	if i < 0 { // in somebody's batch, which ends soon
		g.mu.Unlock()
		<-me.wake // it is never to lead now
		return true, me.err
	}
	defer g.mu.Unlock()
	g.queue = slices.Delete(slices.Clone(g.queue), i, i+1) // a batch may share the array
	select {
	case <-me.wake: // to lead: the next one does
		if g.busy = len(g.queue) > 0; g.busy {
			g.queue[0].wake <- true
		}
	default:
	}
	return true, fmt.Errorf("wait to write: %w", ctx.Err())
}

// commitGroup does the parts of a batch in one transaction. When one fails, all is undone and done again
// without it. Failures are rare, and savepoints, which would undo one part alone, cost as much as a part. When
// the transaction as a whole fails, as on a full disk or when another process holds the file, everyone fails:
// each of up to 256 waiting for the file alone would take 256 times as long.
func (db *DB) commitGroup(ctx context.Context, batch []*member) {
	for len(batch) > 0 {
		failed := -1
		err := db.InTx(ctx, func(tx *sql.Tx) error {
			for i, m := range batch {
				if m.err = guard.Run(func() error { return m.do(ctx, tx) }); m.err != nil {
					failed = i
					return m.err
				}
			}
			return nil
		})
		if err == nil {
			return
		}
		if failed < 0 || Unavailable(err) {
			for _, m := range batch {
				m.err = err
			}
			return
		}
		batch = slices.Concat(batch[:failed], batch[failed+1:])
	}
}

// ExecGrouped carries out one statement like Grouped. On SQLite args is called when its turn has come, so
// in the order of the commits, and again if the statement is.
func (db *DB) ExecGrouped(ctx context.Context, query string, args func() []any) error {
	if db.postgres { // one round trip, and a transaction of its own
		_, err := db.ExecContext(ctx, query, args()...)
		return err
	}
	return db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args()...)
		return err
	})
}
