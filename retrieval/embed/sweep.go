package embed

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"faqbot/knowledge/sqldb"
)

// A Needed is a set of texts whose vectors are kept.
type Needed map[digest]bool

// Add adds texts.
func (n Needed) Add(texts []string) {
	for _, t := range texts {
		n[sha256.Sum256([]byte(t))] = true
	}
}

// Sweep removes the vectors, of every space, that were made before then and whose text is not needed. It
// returns how many they were. One that is wanted after all is made again.
func Sweep(ctx context.Context, db *sqldb.DB, needed Needed, before time.Time) (removed int64, err error) {
	var space string
	last := []byte{}
	for {
		var stale [][2]any
		n := 0
		err := sqldb.Each(ctx, db, func(rows *sql.Rows) error {
			n++
			if err := rows.Scan(&space, &last); err != nil {
				return err
			}
			if len(last) != sha256.Size || !needed[digest(last)] {
				stale = append(stale, [2]any{space, slices.Clone(last)})
			}
			return nil
		}, `SELECT space, digest FROM embeddings WHERE (space > $1 OR space = $1 AND digest > $2) AND made_at < $3 ORDER BY space, digest LIMIT 1000`,
			space, slices.Clone(last), before.UnixMilli())
		if err == nil {
			err = remove(ctx, db, stale)
		}
		if err != nil {
			return removed, fmt.Errorf("sweep vectors: %w", err)
		}
		removed += int64(len(stale))
		if n < readRows {
			return removed, nil
		}
	}
}

func remove(ctx context.Context, db *sqldb.DB, rows [][2]any) error {
	for part := range slices.Chunk(rows, writeRows) {
		if err := db.InTx(ctx, func(tx *sql.Tx) error {
			for _, r := range part {
				if _, err := tx.ExecContext(ctx, `DELETE FROM embeddings WHERE space = $1 AND digest = $2`, r[0], r[1]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
