package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func insert(ctx context.Context, n int) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO numbers (n) VALUES ($1)`, n)
		return err
	}
}

// holdWriter keeps the one writer in a transaction of g until release is closed.
func holdWriter(t *testing.T, db *sqldb.DB, g *errgroup.Group) (release chan struct{}) {
	held, release := make(chan struct{}), make(chan struct{})
	g.Go(func() error {
		return db.InTx(t.Context(), func(*sql.Tx) error { close(held); <-release; return nil })
	})
	<-held
	return release
}

// Whoever waits to write waits no longer than their context, and what they gave up is not written; the others'
// turn comes all the same.
func TestWaitingToWriteEnds(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), numbers()...)
	var g errgroup.Group
	release := holdWriter(t, db, &g)
	grouped := func(ctx context.Context, n int) error {
		return db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error { return insert(ctx, n)(tx) })
	}
	g.Go(func() error { return grouped(t.Context(), 1) }) // leads, and waits for the transaction
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 20)
	for n := range 10 {
		go func() { gaveUp <- grouped(ctx, 100+n) }()
		go func() { gaveUp <- db.InTx(ctx, insert(ctx, 200+n)) }()
	}
	time.AfterFunc(20*time.Millisecond, cancel) // most of them are in the queue by then; those that are not see it at once
	lead := 0
	for range 19 { // one of them may have led in place of the first
		require.ErrorIs(t, <-gaveUp, context.Canceled)
	}
	for n := range 5 {
		g.Go(func() error { return grouped(t.Context(), 2+n) })
	}
	close(release)
	require.NoError(t, g.Wait())
	if err := <-gaveUp; err == nil {
		lead = 1
	}
	require.Len(t, list(t, db), 6+lead)
}

// When the database is away, those who share a transaction fail with the first of them: each would wait for it alone.
func TestGroupFailsWithItsFirst(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), numbers()...)
	var g errgroup.Group
	release := holdWriter(t, db, &g)
	const members = 50
	var tried atomic.Int64
	failed := make(chan error, members)
	for range members {
		go func() {
			failed <- db.Grouped(t.Context(), func(context.Context, *sql.Tx) error { tried.Add(1); return io.EOF })
		}()
	}
	time.AfterFunc(20*time.Millisecond, func() { close(release) }) // most of them are in the queue by then
	for range members {
		require.ErrorIs(t, <-failed, io.EOF)
	}
	require.NoError(t, g.Wait())
	require.Less(t, tried.Load(), int64(members))
}

// A full database refuses what is written, says why, and takes it again when there is space.
func TestFullDatabase(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), append(numbers(), sqldb.OwnSchema())...)
	limit := func(pages int) {
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `PRAGMA max_page_count = `+strconv.Itoa(pages)).Scan(new(int))
		}))
	}
	limit(1) // as many as there are
	var err error
	n := 0
	for ; err == nil; n++ {
		err = db.Grouped(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return insert(ctx, n)(tx) })
	}
	require.Equal(t, "the disk is full", sqldb.Reason(err))
	limit(1 << 20)
	require.NoError(t, db.InTx(t.Context(), insert(t.Context(), n)))
	require.Len(t, list(t, db), n) // all that was acknowledged, and the last
	_, err = db.Probe(t.Context())
	require.NoError(t, err)
}

// A database that cannot be written fails a probe, with the reason.
func TestProbe(t *testing.T) {
	sqldbtest.Run(t, append(numbers(), sqldb.OwnSchema()), func(t *testing.T, db *sqldb.DB) {
		for range 2 {
			done, err := db.Probe(t.Context())
			require.NoError(t, err)
			<-done
		}
		readOnly := `PRAGMA query_only = ON`
		if db.Postgres() {
			var name string
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name))
			_, err := db.ExecContext(t.Context(), `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
			require.NoError(t, err)
			_, _ = db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			db.SetMaxIdleConns(0) // new connections take it up
			_, err = db.Probe(t.Context())
			require.Contains(t, sqldb.Reason(err), "read-only")
			return
		}
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), readOnly)
			return err
		}))
		_, err := db.Probe(t.Context())
		require.Contains(t, sqldb.Reason(err), "read-only")
	})
}

// A probe of a file that another process holds returns all the same.
func TestProbeOfALockedFile(t *testing.T) {
	path := sqldbtest.SQLite(t)
	db := sqldbtest.Open(t, path, sqldb.OwnSchema())
	other := sqldbtest.Open(t, path)
	held, release := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return other.InTx(t.Context(), func(*sql.Tx) error { close(held); <-release; return nil })
	})
	<-held
	done, err := db.Probe(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "the database does not answer within 2s", sqldb.Reason(err))
	close(release)
	<-done
	require.NoError(t, g.Wait())
}

// When the file is held by another process, those who share a transaction fail together instead of each
// waiting for it anew.
func TestGroupFailsTogether(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("it waits for SQLite's busy timeout; make slow runs it")
	}
	t.Parallel()
	path := sqldbtest.SQLite(t)
	db, other := sqldbtest.Open(t, path, numbers()...), sqldbtest.Open(t, path)
	require.NoError(t, other.InTx(t.Context(), func(*sql.Tx) error {
		began := time.Now()
		alone := db.InTx(t.Context(), insert(t.Context(), 1))
		one := time.Since(began)
		began = time.Now()
		var g errgroup.Group
		for n := range 20 {
			g.Go(func() error {
				if db.Grouped(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return insert(ctx, n)(tx) }) == nil {
					return errors.New("it was taken")
				}
				return nil
			})
		}
		require.Equal(t, "another process keeps the database locked", sqldb.Reason(alone))
		require.NoError(t, g.Wait())
		require.Less(t, time.Since(began), 4*one, "the first one's wait and the others'")
		return nil
	}))
	require.Empty(t, list(t, db))
}

// A build refuses a database that a newer one has used, and one with a schema that it does not have.
func TestNewerSchemaIsRefused(t *testing.T) {
	newer := []sqldb.Schema{{Owner: "numbers", Files: fstest.MapFS{
		"00001_numbers.sql": numbers()[0].Files.(fstest.MapFS)["00001_numbers.sql"],
		"00002_more.sql":    {Data: []byte("-- +goose Up\nALTER TABLE numbers ADD COLUMN m BIGINT NOT NULL DEFAULT 0;\n")}}}}
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.RefuseNewer(t.Context(), newer...), "an older one is migrated")
		require.NoError(t, db.Migrate(t.Context(), newer...))
		require.NoError(t, db.RefuseNewer(t.Context(), newer...))
		versions, err := db.Versions(t.Context())
		require.NoError(t, err)
		require.Equal(t, sqldb.Versions{"numbers": 2}, versions)
		var refused *sqldb.NewerError
		require.ErrorAs(t, db.RefuseNewer(t.Context(), numbers()...), &refused)
		require.Equal(t, sqldb.NewerError{Owner: "numbers", Version: 2, Known: 1}, *refused)
		require.ErrorContains(t, db.RefuseNewer(t.Context(), sqldb.OwnSchema()), "no such schema")
	})
}

// The pool is as large as it was asked to be.
func TestMaxConns(t *testing.T) {
	for _, dsn := range []func(testing.TB) string{sqldbtest.SQLite, sqldbtest.Postgres} {
		t.Run("", func(t *testing.T) {
			db, err := sqldb.OpenWith(t.Context(), dsn(t), sqldb.Options{MaxConns: 5})
			require.NoError(t, err)
			require.Equal(t, 5, db.Stats().MaxOpenConnections)
			require.NoError(t, db.Close())
		})
	}
}

// A statement on Postgres ends, also one that waits for a lock.
func TestStatementsEnd(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Postgres(t))
	var timeout, app string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT current_setting('statement_timeout'), current_setting('application_name')`).Scan(&timeout, &app))
	require.Equal(t, []string{"25s", "faqbot"}, []string{timeout, app})
	slow := []sqldb.Schema{{Owner: "slow", Files: fstest.MapFS{"00001_slow.sql": {Data: []byte("-- +goose Up\nCREATE TABLE slow AS SELECT current_setting('statement_timeout') AS t;\n")}}}}
	require.NoError(t, db.Migrate(t.Context(), slow...))
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT t FROM slow`).Scan(&timeout))
	require.Equal(t, "0", timeout, "a migration takes as long as it takes")
}

// A file that another process has open is not taken; once it is alone it is complete by itself.
func TestTakeAlone(t *testing.T) {
	path := sqldbtest.SQLite(t)
	db := sqldbtest.Open(t, path, numbers()...)
	require.NoError(t, db.InTx(t.Context(), insert(t.Context(), 1)))
	other, err := sqldb.Open(t.Context(), path)
	require.NoError(t, err)
	require.Len(t, list(t, other), 1)
	require.ErrorContains(t, db.TakeAlone(t.Context()), "another process has the database open")
	require.NoError(t, other.InTx(t.Context(), insert(t.Context(), 2)))
	require.NoError(t, other.Close())
	require.NoError(t, db.TakeAlone(t.Context()))
	require.Equal(t, []string{path}, sqldb.Files(path))
}
