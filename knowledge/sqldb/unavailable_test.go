package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func insertRow(ctx context.Context, db *sqldb.DB, n any) error {
	return db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO numbers (n) VALUES ($1)`, n)
		return err
	})
}

// What breaks a rule is the data's fault, on both databases, and so is every error that is not a database's.
func TestOwnFault(t *testing.T) {
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, insertRow(t.Context(), db, 1))
		for name, err := range map[string]error{
			"twice":  insertRow(t.Context(), db, 1),
			"null":   fmt.Errorf("wrapped: %w", insertRow(t.Context(), db, nil)),
			"no row": db.QueryRowContext(t.Context(), `SELECT n FROM numbers WHERE n = 7`).Scan(new(int)),
			"ours":   errors.New("an event without content"),
			"panic":  db.InTx(t.Context(), func(*sql.Tx) error { panic("stumbled") }),
			"none":   nil,
		} {
			require.False(t, sqldb.Unavailable(err), "%s: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.True(t, sqldb.Unavailable(insertRow(ctx, db, 2)))
	})
}

func TestUnavailableSQLite(t *testing.T) {
	t.Parallel()
	path := sqldbtest.SQLite(t)
	db := sqldbtest.Open(t, path, numbers()...)
	other, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	conn, err := other.Conn(t.Context())
	require.NoError(t, err)
	exec := func(statement string) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	exec("BEGIN EXCLUSIVE")
	patience, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = insertRow(patience, db, 1)
	require.True(t, sqldb.Unavailable(err), "waiting for the lock was cut short: %v", err)
	_, err = db.ExecContext(t.Context(), `PRAGMA busy_timeout = 1`) // of some connection: it has its own
	require.NoError(t, err)
	exec("ROLLBACK")

	full := func(most int) {
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, most)).Scan(new(int))
		}))
	}
	full(1) // no more than there are
	for n := 10; err == nil; n++ {
		err = insertRow(t.Context(), db, n)
	}
	require.ErrorContains(t, err, "full")
	require.True(t, sqldb.Unavailable(err))
	full(1 << 20)
	require.NoError(t, insertRow(t.Context(), db, -1))

	_, err = sqldb.Open(t.Context(), t.TempDir()) // a folder
	require.True(t, sqldb.Unavailable(err), "%v", err)
}

func TestUnavailablePostgres(t *testing.T) {
	t.Parallel()
	dsn := sqldbtest.Postgres(t)
	db := sqldbtest.Open(t, dsn, numbers()...)
	locker := sqldbtest.Open(t, dsn)
	locked, done := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return locker.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `LOCK TABLE numbers`)
			close(locked)
			<-done
			return err
		})
	})
	<-locked
	tried := func(set string) error {
		return db.InTx(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), set); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (1)`)
			return err
		})
	}
	for name, err := range map[string]error{
		"lock_timeout":      tried(`SET LOCAL lock_timeout = '10ms'`),
		"statement_timeout": tried(`SET LOCAL statement_timeout = '10ms'`),
		"terminated":        tried(`SELECT pg_terminate_backend(pg_backend_pid())`),
		"read only":         tried(`SET LOCAL transaction_read_only = on`),
	} {
		require.Error(t, err, name)
		require.True(t, sqldb.Unavailable(err), "%s: %v", name, err)
	}
	close(done)
	require.NoError(t, g.Wait())
	err := insertRow(t.Context(), db, 1)
	require.NoError(t, err)
	_, err = sqldb.Open(t.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	require.True(t, sqldb.Unavailable(err), "%v", err)
	_, err = db.ExecContext(t.Context(), `SELECT convert_from('\xff', 'UTF8')`)
	require.Error(t, err)
	require.False(t, sqldb.Unavailable(err))
}

// A panic in a transaction is the error of whoever panicked: it undoes their changes, locks nothing, and ends nobody
// else's who shares the commit.
func TestPanicInATransaction(t *testing.T) {
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		var g errgroup.Group
		for n := range 60 {
			g.Go(func() error {
				err := db.Grouped(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					if _, err := tx.ExecContext(ctx, `INSERT INTO numbers (n) VALUES ($1)`, n); err != nil {
						return err
					}
					if n%3 == 0 {
						panic("stumbled")
					}
					return nil
				})
				if _, panicked := errors.AsType[*guard.Panic](err); panicked != (n%3 == 0) || !panicked && err != nil {
					return fmt.Errorf("number %d: %w", n, err)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Len(t, list(t, db), 40)
		require.NoError(t, insertRow(t.Context(), db, 100), "the writer is free")
	})
}
