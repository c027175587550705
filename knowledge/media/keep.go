package media

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Keep keeps a file until then at least. It runs in the transaction in which something begins to refer
// to the file, so that none that is referred to is ever swept. ErrNotFound: it was swept before.
func Keep(ctx context.Context, tx *sql.Tx, id string, until time.Time) error {
	return update(ctx, tx, `UPDATE blobs SET kept_until = CASE WHEN kept_until < $2 THEN $2 ELSE kept_until END WHERE id = $1`, id, until.UnixMilli())
}

// Pin keeps a file for good, like Keep.
func Pin(ctx context.Context, tx *sql.Tx, id string) error {
	return update(ctx, tx, `UPDATE blobs SET pinned = TRUE WHERE id = $1`, id)
}

func update(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("keep a file for longer: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, ErrNotFound)
	}
	return nil
}

// sweepBatch is how many files one transaction removes: others wait for the writer meanwhile.
const sweepBatch = 50

// Sweep removes the files whose time has ended, and returns how many they were.
func (s *Store) Sweep(ctx context.Context) (removed int64, err error) {
	for {
		n, err := s.db.Change(ctx, `DELETE FROM blobs WHERE id IN
			(SELECT id FROM blobs WHERE kept_until < $1 AND NOT pinned ORDER BY kept_until LIMIT 50 `+s.db.SkipLocked+`)`, s.o.Now().UnixMilli())
		if removed += n; err != nil {
			return removed, fmt.Errorf("sweep files: %w", err)
		}
		if n < sweepBatch {
			return removed, nil
		}
	}
}

// Remove removes a file unless it is pinned.
func Remove(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM blobs WHERE id = $1 AND NOT pinned`, id); err != nil {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}
