package sqldb

import (
	"context"
	"errors"
	"fmt"
)

// Snapshot writes the database, as it is at one moment, into a new SQLite file at path, while others read and
// write. The file is readable by its owner alone. It is for SQLite.
func (db *DB) Snapshot(ctx context.Context, path string) error {
	if db.postgres {
		return errors.New("a snapshot of Postgres is pg_dump's to make")
	}
	if err := createPrivate(path); err != nil { // VACUUM INTO takes an empty file, and leaves its mode
		return fmt.Errorf("copy the database: %w", err)
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}

// CheckIntegrity reads the whole SQLite database and returns an error if it is damaged.
func (db *DB) CheckIntegrity(ctx context.Context) error {
	var said string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the database is damaged: %s", said)
	}
	return nil
}

// TakeAlone moves what is in the log into the SQLite file, and makes sure that nobody else has it open. While
// the result is nil the file is complete by itself.
func (db *DB) TakeAlone(ctx context.Context) error {
	db.checkpoints.close()
	db.SetMaxIdleConns(0) // our own readers would be in the way
	var mode string
	if err := db.writer.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode); err != nil {
		return fmt.Errorf("another process has the database open: %w", err)
	}
	if mode != "delete" {
		return errors.New("another process has the database open")
	}
	return nil
}
