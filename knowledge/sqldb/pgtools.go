package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// keptPrefix begins the name of a Postgres schema into which Load moves what it replaces.
const keptPrefix = "before_restore_"

// libpqParameters are those of a DSN's parameters that Postgres's own programs know, too; pgx takes others.
func libpqParameters() []string {
	return []string{"host", "hostaddr", "port", "dbname", "user", "passfile", "service", "connect_timeout", "options", "sslmode",
		"sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "channel_binding", "gssencmode", "krbsrvname", "target_session_attrs"}
}

// Dump writes the Postgres database dsn, as it is at one moment, into a new file at path by pg_dump, in its
// custom format. The file is readable by its owner alone.
func Dump(ctx context.Context, dsn, path string) error {
	if err := createPrivate(path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return runTool(ctx, "pg_dump", dsn, "--format=custom", "--no-owner", "--no-privileges", "--exclude-schema="+keptPrefix+"*", "--file="+path)
}

// Load puts what Dump wrote in the place of the Postgres database dsn. The tables that are there move into
// the schema kept, "" if there are none; without replace they are an error. Nothing changes if it fails.
func Load(ctx context.Context, dsn, path string, replace bool) (kept string, err error) {
	raw, err := unboundedPostgres(dsn)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	raw.SetMaxOpenConns(1) // so that other connections are others'
	if err := alone(ctx, raw); err != nil {
		return "", err
	}
	if _, err := exec.LookPath("pg_restore"); err != nil {
		return "", toolMissing("pg_restore")
	}
	var schema string
	if err := raw.QueryRowContext(ctx, `SELECT quote_ident(current_schema())`).Scan(&schema); err != nil {
		return "", fmt.Errorf("look what is in the database: %w", err)
	}
	tables, err := listTables(ctx, raw)
	if err != nil {
		return "", err
	}
	if len(tables) > 0 {
		if !replace {
			return "", ErrNotEmpty
		}
		kept = keptPrefix + time.Now().UTC().Format("20060102150405")
		if err := moveTables(ctx, raw, tables, schema, kept, true); err != nil {
			return "", err
		}
	}
	err = runTool(ctx, "pg_restore", dsn, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", path)
	if err != nil && kept != "" {
		return "", errors.Join(err, moveTables(context.WithoutCancel(ctx), raw, tables, kept, schema, false))
	}
	return kept, err
}

// ErrNotEmpty means that there is something in a database that was to be replaced.
var ErrNotEmpty = errors.New("the database is not empty")

// maxLeaving bounds how long the connections of a program that has just ended may take to go.
const maxLeaving = 10 * time.Second

// alone returns an error if anybody else is connected to the database, and still is after maxLeaving.
func alone(ctx context.Context, raw *sql.DB) error {
	for deadline := time.Now().Add(maxLeaving); ; {
		n, names, err := countOthers(ctx, raw)
		if err != nil || n == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d other connections use the database (%s): stop every service on it first", n, names)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// countOthers counts the connections to the database that are not raw's only one, and names their programs.
func countOthers(ctx context.Context, raw *sql.DB) (n int, names string, err error) {
	err = raw.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(STRING_AGG(DISTINCT application_name, ', '), '') FROM pg_stat_activity
		WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&n, &names)
	if err != nil {
		return 0, "", fmt.Errorf("look who uses the database: %w", err)
	}
	return n, names, nil
}

func listTables(ctx context.Context, raw *sql.DB) (tables []string, err error) {
	err = Each(ctx, raw, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		tables = append(tables, name)
		return err
	}, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1`)
	return tables, err
}

// moveTables moves tables from one schema to another, which it makes if make says so.
func moveTables(ctx context.Context, raw *sql.DB, tables []string, from, to string, create bool) error {
	statements := []string{}
	if create {
		statements = append(statements, `CREATE SCHEMA `+to)
	}
	for _, table := range tables {
		statements = append(statements, `ALTER TABLE `+from+`.`+quoteName(table)+` SET SCHEMA `+to)
	}
	if !create {
		statements = append(statements, `DROP SCHEMA `+from)
	}
	tx, err := raw.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("move tables from %s to %s: %w", from, to, err)
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("move tables from %s to %s: %w", from, to, err), tx.Rollback())
		}
	}
	return tx.Commit()
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// runTool runs one of Postgres's programs on the database dsn. The password goes by the environment: a command
// line is for all to see.
func runTool(ctx context.Context, name, dsn string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return toolMissing(name)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("[database] dsn is not an address")
	}
	password, has := u.User.Password()
	query := u.Query()
	if query.Has("password") {
		password, has = query.Get("password"), true
	}
	for key := range query {
		if !slices.Contains(libpqParameters(), key) {
			query.Del(key)
		}
	}
	u.RawQuery = query.Encode()
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--dbname=" + u.String()}, args...)...)
	cmd.Env = os.Environ()
	if has {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func toolMissing(name string) error {
	return fmt.Errorf("%s is not installed: install Postgres's client programs (on Debian postgresql-client), at least as new as the server", name)
}
