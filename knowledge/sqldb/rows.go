package sqldb

import (
	"context"
	"database/sql"
	"errors"
)

// A Reader is what rows are read from: a DB, or a transaction.
type Reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var (
	_ Reader = (*DB)(nil)
	_ Reader = (*sql.Tx)(nil)
)

// Each runs a query and calls row for every row of its result, until row fails.
func Each(ctx context.Context, r Reader, row func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := r.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
