package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
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
	do   func(tx *sql.Tx) error
	err  error
	wake chan bool // true: lead the next transaction; false: err is your result
}

// Grouped runs do like InTx, but in a transaction shared with whoever calls Grouped at the same
// time, so that one fsync serves many: it returns after the commit that contains do. If do fails,
// only its own changes are undone. A failed commit fails everyone in it.
//
// There is no committer goroutine. The first caller commits for all who queue up behind it, then
// wakes the next in line to do the same.
func (db *DB) Grouped(ctx context.Context, do func(tx *sql.Tx) error) error {
	me := &member{do: do, wake: make(chan bool, 1)}
	g := &db.group
	g.mu.Lock()
	g.queue = append(g.queue, me)
	lead := !g.busy
	g.busy = true
	g.mu.Unlock()
	if !lead && !<-me.wake {
		return me.err
	}

	g.mu.Lock()
	n := min(len(g.queue), groupMax)
	batch := g.queue[:n:n] // me is among them: leaders are woken from the front
	g.queue = g.queue[n:]
	g.mu.Unlock()

	// The others did not agree to my context's end.
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

func (db *DB) commitGroup(ctx context.Context, batch []*member) {
	err := db.InTx(ctx, func(tx *sql.Tx) error {
		for _, m := range batch {
			if err := m.runIn(ctx, tx, len(batch) > 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	if len(batch) == 1 {
		batch[0].err = err
		return
	}
	// The transaction as a whole failed, as when Postgres breaks a deadlock with another process.
	// Alone each has only itself to blame.
	for _, m := range batch {
		m.err = db.InTx(ctx, m.do)
	}
}

// runIn runs m's part. Its error is the transaction's; m's own is in m.err.
func (m *member) runIn(ctx context.Context, tx *sql.Tx, shared bool) error {
	if !shared {
		return m.do(tx)
	}
	if _, err := tx.ExecContext(ctx, `SAVEPOINT member`); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	m.err = m.do(tx)
	end := `RELEASE SAVEPOINT member`
	if m.err != nil {
		end = `ROLLBACK TO SAVEPOINT member`
	}
	if _, err := tx.ExecContext(ctx, end); err != nil {
		return errors.Join(m.err, fmt.Errorf("end savepoint: %w", err))
	}
	return nil
}
