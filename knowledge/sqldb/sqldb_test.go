package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func numbers() []sqldb.Schema {
	return []sqldb.Schema{{Owner: "numbers", Files: fstest.MapFS{"00001_numbers.sql": {Data: []byte("-- +goose Up\nCREATE TABLE numbers (n BIGINT PRIMARY KEY);\n")}}}}
}

func list(t *testing.T, db *sqldb.DB) (ns []int) {
	t.Helper()
	require.NoError(t, sqldb.Each(t.Context(), db, func(r *sql.Rows) error {
		var n int
		ns = append(ns, 0)
		err := r.Scan(&n)
		ns[len(ns)-1] = n
		return err
	}, `SELECT n FROM numbers ORDER BY n`))
	return ns
}

// Many at once share commits: who fails undoes only its own, and who returned is in the database.
func TestGrouped(t *testing.T) {
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		bad := errors.New("one in three fails")
		var g errgroup.Group
		for n := range 120 {
			g.Go(func() error {
				err := db.Grouped(t.Context(), func(_ context.Context, tx *sql.Tx) error {
					if _, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES ($1)`, n); err != nil {
						return err
					}
					if n%3 == 0 {
						return bad
					}
					return nil
				})
				if failed := n%3 == 0; failed != errors.Is(err, bad) || !failed && err != nil {
					return fmt.Errorf("number %d: %w", n, err)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		got := list(t, db)
		require.Len(t, got, 80)
		for _, n := range got {
			require.NotZero(t, n%3)
		}
	})
}

// A member whose statement the database refuses, which on Postgres spoils a transaction, harms nobody.
func TestGroupedRefusedStatement(t *testing.T) {
	const query = `INSERT INTO numbers (n) VALUES ($1)`
	for name, insert := range map[string]func(context.Context, *sqldb.DB, int) error{
		"Grouped": func(ctx context.Context, db *sqldb.DB, n int) error {
			return db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, query, n)
				return err
			})
		},
		"ExecGrouped": func(ctx context.Context, db *sqldb.DB, n int) error {
			return db.ExecGrouped(ctx, query, func() []any { return []any{n} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
				require.NoError(t, insert(t.Context(), db, 0))
				var g errgroup.Group
				refused := make([]error, 20)
				for i := range refused {
					g.Go(func() error { refused[i] = insert(t.Context(), db, 0); return nil })
					g.Go(func() error { return insert(t.Context(), db, i+1) })
				}
				require.NoError(t, g.Wait())
				for _, err := range refused {
					require.Error(t, err)
				}
				require.Len(t, list(t, db), 21)
			})
		})
	}
}

func TestInTxRollsBack(t *testing.T) {
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		bad := errors.New("no")
		require.ErrorIs(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (1)`)
			return errors.Join(err, bad)
		}), bad)
		require.Empty(t, list(t, db))
		require.NoError(t, db.Migrate(t.Context(), numbers()...), "what is up to date stays as it is")
	})
}

func TestOpenRefusesMemory(t *testing.T) {
	for _, dsn := range []string{"", ":memory:"} {
		_, err := sqldb.Open(t.Context(), dsn)
		require.ErrorContains(t, err, "name a file")
	}
}
