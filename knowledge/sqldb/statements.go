package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
)

// statementsMost bounds the statements that one connection keeps. The service has some two hundred.
const statementsMost = 400

// A keeper opens connections to a SQLite file that keep the statements they have prepared: parsing and
// planning one takes longer than most of ours then run. pgx does the same for Postgres.
type keeper struct{ driver.Connector }

func newKeeper(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	return keeper{c}, err
}

func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	begin, canBegin := c.(driver.ConnBeginTx)
	prepare, canPrepare := c.(driver.ConnPrepareContext)
	reset, canReset := c.(driver.SessionResetter)
	valid, canValid := c.(driver.Validator)
	if !canBegin || !canPrepare || !canReset || !canValid {
		return nil, errors.Join(errors.New("the SQLite driver has changed"), c.Close())
	}
	return &keepingConn{c, begin, prepare, reset, valid, map[string]driver.Stmt{}}, nil
}

// A keepingConn is a connection with its idle statements, by their text.
type keepingConn struct {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.SessionResetter
	driver.Validator
	idle map[string]driver.Stmt
}

// take takes an idle statement, or prepares one.
func (c *keepingConn) take(ctx context.Context, query string) (driver.Stmt, error) {
	if s := c.idle[query]; s != nil {
		delete(c.idle, query)
		return s, nil
	}
	return c.PrepareContext(ctx, query)
}

// give gives a statement back for the next who needs it.
func (c *keepingConn) give(query string, s driver.Stmt) error {
	if c.idle[query] != nil { // two were in use at once
		return s.Close()
	}
	var err error
	if len(c.idle) == statementsMost {
		err = c.forget()
	}
	c.idle[query] = s
	return err
}

func (c *keepingConn) forget() error {
	var err error
	for query, s := range c.idle {
		err = errors.Join(err, s.Close())
		delete(c.idle, query)
	}
	return err
}

// BeginTx begins a transaction that is gone once it was committed, also if that failed.
func (c *keepingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.ConnBeginTx.BeginTx(ctx, o)
	return endingTx{tx}, err
}

// An endingTx rolls back when it cannot commit, as on a full disk: SQLite may leave it open, and the next
// user of the connection could not begin.
type endingTx struct{ driver.Tx }

func (t endingTx) Commit() error {
	err := t.Tx.Commit()
	if err != nil {
		_ = t.Rollback() // mostly SQLite has done it already
	}
	return err
}

func (c *keepingConn) Close() error { return errors.Join(c.forget(), c.Conn.Close()) }

// ExecContext carries out a query without rows.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if err != nil { // whatever state it is in, nobody gets it again
		_ = s.Close() // SQLite only says again why it failed
		return nil, err
	}
	return r, c.give(query, s)
}

// QueryContext carries out a query. Its statement is in use until the rows are closed.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = s.Close() // SQLite only says again why it failed
		return nil, err
	}
	return &keptRows{rows, func() error { return c.give(query, s) }}, nil
}

// keptRows are rows whose statement is given back when they are closed.
type keptRows struct {
	driver.Rows
	give func() error
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if r.give != nil {
		err = errors.Join(err, r.give())
		r.give = nil
	}
	return err
}
