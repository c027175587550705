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
// instead of on SQLite's busy handler, which polls: waiting is fair, costs nothing and ends with its
// context. Another
// process writing to the same file (an import beside the server) is waited for by busy_timeout.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"faqbot/knowledge/guard"
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
	dsn      string
	writer   *sql.DB       // on SQLite one connection, whose page cache stays good as long as it alone writes; else DB
	write    chan struct{} // full while there is a write transaction on SQLite
	group    group

	checkpoints checkpointer // on SQLite
}

// Options are a database's settings.
type Options struct {
	MaxConns int // the pool's size; 0 is DefaultMaxConns
}

// DefaultMaxConns is the pool's size unless Options say otherwise. SQLite reads with as many connections and
// writes with one more.
func DefaultMaxConns(dsn string) int {
	if IsPostgres(dsn) {
		return 20
	}
	return 8
}

// Open opens the database that dsn names: "postgres://…" is Postgres, anything else the path of a
// SQLite file, made if absent and readable by its owner alone. ":memory:" is refused: each connection would
// have its own.
func Open(ctx context.Context, dsn string) (*DB, error) { return OpenWith(ctx, dsn, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.MaxConns == 0 {
		o.MaxConns = DefaultMaxConns(dsn)
	}
	if IsPostgres(dsn) {
		return openPostgres(ctx, dsn, o)
	}
	return openSQLite(ctx, dsn, o)
}

// IsPostgres reports whether dsn names a Postgres database.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("open SQLite: name a file, for example faqbot.db")
	}
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("open SQLite %s: %w", path, err)
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
	raw.SetMaxOpenConns(o.MaxConns)
	raw.SetMaxIdleConns(o.MaxConns)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite %s: %w", path, err), raw.Close())
	}
	writer := sql.OpenDB(writing)
	writer.SetMaxOpenConns(1)
	db := &DB{DB: raw, dsn: path, writer: writer, write: make(chan struct{}, 1)}
	db.startCheckpoints(ctx)
	return db, nil
}

// createPrivate makes an absent file that its owner alone may read and write, whatever the umask. SQLite
// gives its log and index the mode of the file that they belong to, so those are private too.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close()) // the umask may have taken too much
}

// Files returns the files of the SQLite database dsn that are there now; none for Postgres.
func Files(dsn string) (list []string) {
	if IsPostgres(dsn) {
		return nil
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(dsn + suffix); err == nil {
			list = append(list, dsn+suffix)
		}
	}
	return list
}

// lock waits until there is no other write transaction, or ctx ends. Whoever waits longest is first.
func (db *DB) lock(ctx context.Context) error {
	select {
	case db.write <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to write: %w", ctx.Err())
	}
}

func (db *DB) unlock() { <-db.write }

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

// Change carries out one statement in a transaction of its own, and returns how many rows it changed.
func (db *DB) Change(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.InTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// InTx runs do in one transaction and commits it if do returns nil. do must not make network calls
// and must use tx alone. A panic in it is an error, a *guard.Panic: it must not leave the writer locked.
func (db *DB) InTx(ctx context.Context, do func(tx *sql.Tx) error) error {
	if !db.postgres {
		if err := db.lock(ctx); err != nil {
			return err
		}
		defer db.unlock()
	}
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := guard.Run(func() error { return do(tx) }); err != nil {
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

// Overwriting runs do, in tx, with what it deletes and replaces overwritten by zeros on the disk. On Postgres
// old values stay until it vacuums the table.
func (db *DB) Overwriting(ctx context.Context, tx *sql.Tx, do func() error) error {
	if db.postgres {
		return do()
	}
	if _, err := tx.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return err
	}
	err := do()
	_, off := tx.ExecContext(ctx, `PRAGMA secure_delete = OFF`)
	return errors.Join(err, off)
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
