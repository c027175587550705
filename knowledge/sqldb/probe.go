package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed schema/*.sql
var ownMigrations embed.FS

// OwnSchema returns the migrations of this package's one table.
func OwnSchema() Schema { return Embedded("sqldb", ownMigrations) }

// maxProbe bounds a Probe.
const maxProbe = 2 * time.Second

// Probe writes one row, to learn whether the database takes what is written. It returns within maxProbe,
// although a SQLite file that another process holds keeps the write waiting for longer: call it again only
// when the last one's done is closed.
func (db *DB) Probe(ctx context.Context) (done <-chan struct{}, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxProbe)
	ended, result := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		defer cancel()
		result <- db.InTx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO probe (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at`, Millis(time.Now()))
			return err
		})
	}()
	select {
	case err := <-result:
		return ended, err
	case <-ctx.Done():
		return ended, ctx.Err()
	}
}

// Reason says in words, without anything that is secret, why the database failed.
func Reason(err error) string {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the rest tells more exactly
		case sqlite3.SQLITE_FULL:
			return "the disk is full"
		case sqlite3.SQLITE_READONLY:
			return "the database cannot be written: its file or folder is read-only"
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return "another process keeps the database locked"
		case sqlite3.SQLITE_IOERR:
			return "the database's disk fails"
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return "the database's file is damaged: restore a backup"
		}
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "53100":
			return "the database's disk is full"
		case "25006":
			return "the database cannot be written: it is read-only"
		case "53300":
			return "the database has no connection left: raise its max_connections, or lower [database] pool"
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the database does not answer within " + maxProbe.String()
	}
	return "the database does not answer"
}
