// Package attempts counts attempts at work that has no row in a queue, so that work which fails, or ends the whole
// process, is not begun again at once and for ever. An attempt is counted before it begins: what a crash leaves
// behind is a counted attempt.
package attempts

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/knowledge/backoff"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("attempts", migrations) }

// Backoff is the wait after the n-th attempt, if it does not succeed: 0, 2, 8, 30 s, then 2 minutes. The first is
// repeated at once: most processes that die were killed, and not by their work.
func Backoff(n int) time.Duration {
	return backoff.Waits{0, 2 * time.Second, 8 * time.Second, 30 * time.Second, 2 * time.Minute}.After(n)
}

// A Counter counts attempts. It is safe for concurrent use, by many processes on Postgres.
type Counter struct {
	db  *sqldb.DB
	now func() time.Time
}

// NewCounter returns a Counter in db, to which Schema has been applied. now is time.Now if nil.
func NewCounter(db *sqldb.DB, now func() time.Time) *Counter {
	if now == nil {
		now = time.Now
	}
	return &Counter{db, now}
}

// Begin counts an attempt at work on id and returns its number, from 1. If it is too soon after the last one it returns
// 0 and how long to wait.
func (c *Counter) Begin(ctx context.Context, kind, id string) (n int, wait time.Duration, err error) {
	err = c.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := c.now().UnixMilli()
		var before int
		var due int64
		err := tx.QueryRowContext(ctx, `SELECT attempt, due_at FROM attempts WHERE kind = $1 AND id = $2 `+c.db.ForUpdate, kind, id).Scan(&before, &due)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if n, wait = 0, 0; due > now {
			wait = time.Duration(due-now) * time.Millisecond
			return nil
		}
		n = before + 1
		_, err = tx.ExecContext(ctx, `INSERT INTO attempts (kind, id, attempt, due_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, id) DO UPDATE SET attempt = excluded.attempt, due_at = excluded.due_at`,
			kind, id, n, now+Backoff(n).Milliseconds())
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count an attempt at %s %s: %w", kind, id, err)
	}
	return n, wait, nil
}

// End forgets work that succeeded. With a failure it keeps the reason instead; one of the database's does not
// count as an attempt.
func (c *Counter) End(ctx context.Context, kind, id string, failure error) error {
	err := c.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		switch {
		case failure == nil:
			_, err = tx.ExecContext(ctx, `DELETE FROM attempts WHERE kind = $1 AND id = $2`, kind, id)
		case sqldb.Unavailable(failure):
			_, err = tx.ExecContext(ctx, `UPDATE attempts SET attempt = attempt - 1 WHERE kind = $1 AND id = $2`, kind, id)
		default:
			_, err = tx.ExecContext(ctx, `UPDATE attempts SET reason = $3 WHERE kind = $1 AND id = $2`, kind, id,
				strings.ReplaceAll(strings.ToValidUTF8(failure.Error(), "\uFFFD"), "\x00", ""))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end an attempt at %s %s: %w", kind, id, err)
	}
	return nil
}
