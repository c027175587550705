// Package sqldb opens the service's database, SQLite or Postgres, applies the schemas that other
// packages own, and runs transactions. It knows no domain type and holds no query of its own.
//
// One SQL text serves both databases. The rules that keep it so: parameters are $1, $2, …; IDs are
// text made in Go; times are BIGINT Unix milliseconds in UTC passed in as arguments; columns are
// BOOLEAN, TEXT, BIGINT, BYTEA, DOUBLE PRECISION only; a claim ends in DB.SkipLocked, a
// read before a change in DB.ForUpdate. What a partial index is about, and a LIMIT, stand in the text of
// what runs often: as parameters they would have SQLite prepare the statement anew each time.
//
// SQLite has one writer at a time whatever we do, so DB lets its own writers queue on a mutex
// instead of on SQLite's busy handler, which polls: waiting is fair and costs nothing. Another
// process writing to the same file (an import beside the server) is waited for by busy_timeout.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// writerCache is the page cache of SQLite's writer in KiB: a group's changes lie all over the file, and those
// that SQLite's own 2 MB do not hold are written twice and read again.
const writerCache = 16 << 10

// A DB is an open database. It is safe for concurrent use.
type DB struct {
	*sql.DB
	// SkipLocked ends the sub-select of a claim: "FOR UPDATE SKIP LOCKED" on Postgres, where two
	// claims would otherwise wait for, and then both take, the same row; empty on SQLite, where a
	// write transaction is alone.
	SkipLocked string
	// ForUpdate ends a read of a row that the transaction will change: "FOR UPDATE" on Postgres, where
	// it waits for those who hold the row and then reads what they left; empty on SQLite.
	ForUpdate string

	postgres bool
	path     string     // of the SQLite file
	writer   *sql.DB    // on SQLite one connection, whose page cache stays good as long as it alone writes; else DB
	write    sync.Mutex // held by the write transaction on SQLite
	group    group

	checkpoints checkpointer // on SQLite
}

// Open opens the database that dsn names: "postgres://…" is Postgres, anything else the path of a
// SQLite file, made if absent. ":memory:" is refused: each connection would have its own.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if isPostgres(dsn) {
		return openPostgres(ctx, dsn)
	}
	return openSQLite(ctx, dsn)
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	raw, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open Postgres: %w", err)
	}
	raw.SetMaxOpenConns(20)
	raw.SetMaxIdleConns(20)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Postgres: %w", err), raw.Close())
	}
	return &DB{DB: raw, SkipLocked: "FOR UPDATE SKIP LOCKED", ForUpdate: "FOR UPDATE", writer: raw, postgres: true}, nil
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("open SQLite: name a file, for example faqbot.db")
	}
	// busy_timeout comes first: switching to WAL itself may have to wait for another process.
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", fmt.Sprintf("wal_autocheckpoint(%d)", 4*logMost)}}
	q.Set("_txlock", "immediate")
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	reading, err := newKeeper(file + q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite %s: %w", path, err)
	}
	q.Add("_pragma", fmt.Sprintf("cache_size(-%d)", writerCache))
	writing, err := newKeeper(file + q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite %s: %w", path, err)
	}
	raw := sql.OpenDB(reading)
	raw.SetMaxOpenConns(8)
	raw.SetMaxIdleConns(8)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite %s: %w", path, err), raw.Close())
	}
	writer := sql.OpenDB(writing)
	writer.SetMaxOpenConns(1)
	db := &DB{DB: raw, writer: writer, path: path}
	db.startCheckpoints(ctx)
	return db, nil
}

// Close closes the database.
func (db *DB) Close() error {
	if db.postgres {
		return db.DB.Close()
	}
	db.checkpoints.close()
	return errors.Join(db.writer.Close(), db.DB.Close())
}

// Postgres reports whether the database is Postgres.
func (db *DB) Postgres() bool { return db.postgres }

// InTx runs do in one transaction and commits it if do returns nil. do must not make network calls
// and must use tx alone.
func (db *DB) InTx(ctx context.Context, do func(tx *sql.Tx) error) error {
	if !db.postgres {
		db.write.Lock()
		defer db.write.Unlock()
	}
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if !db.postgres {
		db.checkpoints.note()
	}
	return nil
}

// ignoreDone drops the error of rolling back what has ended already, as it has when its context did.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// Millis is t as the databases keep it: Unix milliseconds, 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time undoes Millis.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
