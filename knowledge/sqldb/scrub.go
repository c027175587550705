package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Selection is rows of a table.
type Selection struct{ Table, Where string }

// Delete removes the rows.
func (s Selection) Delete(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM `+s.Table+` WHERE `+s.Where); err != nil {
		return fmt.Errorf("delete from %s: %w", s.Table, err)
	}
	return nil
}

// Read returns the rows, each column by its name.
func (s Selection) Read(ctx context.Context, r Reader) (list []map[string]any, err error) {
	err = Each(ctx, r, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := map[string]any{}
		for i, name := range columns {
			row[name] = values[i]
		}
		list = append(list, row)
		return nil
	}, `SELECT * FROM `+s.Table+` WHERE `+s.Where)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Table, err)
	}
	return list, nil
}

// scrubWithin is how long Scrub waits for those who read what it overwrites.
const scrubWithin = 10 * time.Second

// Scrub makes sure that nothing of what was deleted stands in the database's files any more. SQLite's file is written
// anew, about a second for 100 MB in which writers wait, and its log emptied. Postgres vacuums every table; rows that
// an older transaction still sees stay until its next vacuum.
func (db *DB) Scrub(ctx context.Context) error {
	if db.postgres {
		return db.vacuumTables(ctx)
	}
	if err := db.lock(ctx); err != nil {
		return err
	}
	defer db.unlock()
	if _, err := db.writer.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("write the database anew: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, scrubWithin)
	defer cancel()
	for {
		var busy, pages, moved int
		if err := db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
			return fmt.Errorf("empty the log: %w", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("empty the log: others read the database all the time; try again")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (db *DB) vacuumTables(ctx context.Context) error {
	var tables []string
	if err := Each(ctx, db, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		tables = append(tables, name)
		return err
	}, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()`); err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for _, name := range tables {
		if _, err := db.ExecContext(ctx, `VACUUM `+name); err != nil {
			return fmt.Errorf("vacuum %s: %w", name, err)
		}
	}
	return db.rebuildTextIndexes(ctx)
}

// rebuildTextIndexes makes Postgres's text indexes anew: vacuuming leaves in them every word that there ever was.
func (db *DB) rebuildTextIndexes(ctx context.Context) error {
	var indexes []string
	if err := Each(ctx, db, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		indexes = append(indexes, name)
		return err
	}, `SELECT quote_ident(c.relname) FROM pg_class c JOIN pg_am a ON a.oid = c.relam
		WHERE a.amname = 'gin' AND c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace`); err != nil {
		return fmt.Errorf("list the text indexes: %w", err)
	}
	for _, name := range indexes {
		if _, err := db.ExecContext(ctx, `REINDEX INDEX CONCURRENTLY `+name); err != nil {
			return fmt.Errorf("rebuild %s: %w", name, err)
		}
	}
	return nil
}
