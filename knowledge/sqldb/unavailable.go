package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Unavailable reports whether err says that the database could not do its work, whatever the work was: it is
// locked, full, broken, restarting, unreachable or too slow, or two transactions were in each other's way. The
// same work can succeed later, so nothing may be given up for it. Every other error is the work's own fault:
// data that breaks a constraint, or an error that is not the database's.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return !refusedBySQLite(e.Code())
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return !refusedByPostgres(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded} {
		if errors.Is(err, known) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// refusedBySQLite reports whether an (extended) result code says that the data is not allowed.
func refusedBySQLite(code int) bool {
	switch code & 0xff { // the primary code
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return true
	}
	return false
}

// refusedByPostgres reports whether an SQLSTATE says that the data is not allowed: class 22 is data exceptions,
// 23 constraints, 54 values that are too large.
func refusedByPostgres(state string) bool {
	if len(state) < 2 {
		return false
	}
	switch state[:2] {
	case "22", "23", "54":
		return true
	}
	return false
}
