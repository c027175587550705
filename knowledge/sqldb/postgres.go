package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// maxStatement bounds a statement on Postgres, waiting for locks included.
	maxStatement = 25 * time.Second
	// maxSilence bounds how long Postgres may say nothing while we wait for it, or take nothing while we
	// write: a server that is paused or cut off does not end statements itself. It is longer than
	// maxStatement, so that a server that lives says why.
	maxSilence = 30 * time.Second
	// maxConnect bounds connecting, unless the DSN says connect_timeout.
	maxConnect = 5 * time.Second
)

// appName is how our connections call themselves in pg_stat_activity.
const appName = "faqbot"

func openPostgres(ctx context.Context, dsn string, o Options) (*DB, error) {
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &boundedConn{Conn: c, max: maxSilence}, nil
	}
	var options []stdlib.OptionOpenDB
	if config.RuntimeParams["statement_timeout"] == "" {
		// A statement of its own, since a pooler between may refuse it as a parameter of the connection.
		options = append(options, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, `SET statement_timeout = `+strconv.FormatInt(maxStatement.Milliseconds(), 10))
			return err
		}))
	}
	raw := stdlib.OpenDB(*config, options...)
	raw.SetMaxOpenConns(o.MaxConns)
	raw.SetMaxIdleConns(o.MaxConns)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Postgres: %w", err), raw.Close())
	}
	return &DB{DB: raw, dsn: dsn, SkipLocked: "FOR UPDATE SKIP LOCKED", ForUpdate: "FOR UPDATE", writer: raw, postgres: true}, nil
}

// unboundedPostgres opens a second pool, whose statements take as long as they take.
func unboundedPostgres(dsn string) (*sql.DB, error) {
	config, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

func parsePostgres(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open Postgres: %w", err)
	}
	config.RuntimeParams["application_name"] = cmp.Or(config.RuntimeParams["application_name"], appName)
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = maxConnect
	}
	return config, nil
}

// A boundedConn is a connection whose every read and write ends within max. pgx reads only while it
// waits for an answer, so an idle connection is not cut.
type boundedConn struct {
	net.Conn
	max   time.Duration
	mu    sync.Mutex
	limit time.Time // pgx's own deadline, by which it ends what a context has ended; zero for none
}

func (c *boundedConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	return c.Conn.SetDeadline(t)
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if err := c.bound(c.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *boundedConn) Write(p []byte) (int, error) {
	if err := c.bound(c.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// bound sets the earlier of pgx's deadline and ours.
func (c *boundedConn) bound(set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := time.Now().Add(c.max)
	if !c.limit.IsZero() && c.limit.Before(t) {
		t = c.limit
	}
	return set(t)
}
