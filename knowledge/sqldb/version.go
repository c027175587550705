package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// versionsPrefix begins the names of the tables in which goose keeps what was applied, one for each owner.
const versionsPrefix = "migrations_"

// Versions is the newest migration of each schema, by its owner.
type Versions map[string]int64

// A NewerError means that a newer build has used the database.
type NewerError struct {
	Owner   string
	Version int64
	Known   int64 // 0: this build has no such schema
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("a newer faqbot has used this database: its schema %s is at version %d, and this build knows %s. "+
		"Run the newer build, or restore a backup from before the upgrade (faqbot restore)", e.Owner, e.Version, knownWords(e.Known))
}

func knownWords(version int64) string {
	if version == 0 {
		return "no such schema"
	}
	return fmt.Sprintf("versions up to %d", version)
}

// Known returns the versions of schemas that this build has.
func Known(schemas ...Schema) (Versions, error) {
	known := Versions{}
	for _, s := range schemas {
		files, err := fs.Glob(s.Files, "*.sql")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			number, _, _ := strings.Cut(file, "_")
			version, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("migration %s/%s has no number: %w", s.Owner, file, err)
			}
			known[s.Owner] = max(known[s.Owner], version)
		}
	}
	return known, nil
}

// Refuse returns a *NewerError if v is newer than known.
func (v Versions) Refuse(known Versions) error {
	for owner, version := range v {
		if version > known[owner] {
			return &NewerError{Owner: owner, Version: version, Known: known[owner]}
		}
	}
	return nil
}

// Versions returns what was applied to the database.
func (db *DB) Versions(ctx context.Context) (Versions, error) {
	list := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if db.postgres {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	var tables []string
	err := Each(ctx, db, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		if strings.HasPrefix(name, versionsPrefix) {
			tables = append(tables, name)
		}
		return err
	}, list)
	if err != nil {
		return nil, fmt.Errorf("read the database's version: %w", err)
	}
	slices.Sort(tables)
	versions := Versions{}
	for _, table := range tables {
		var version int64
		if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+quoteName(table)+` WHERE is_applied`).Scan(&version); err != nil {
			return nil, fmt.Errorf("read the database's version: %w", err)
		}
		versions[strings.TrimPrefix(table, versionsPrefix)] = version
	}
	return versions, nil
}

// RefuseNewer returns a *NewerError if the database has a schema newer than those of this build, or one that
// it does not have. schemas are all of the build's.
func (db *DB) RefuseNewer(ctx context.Context, schemas ...Schema) error {
	known, err := Known(schemas...)
	if err != nil {
		return err
	}
	versions, err := db.Versions(ctx)
	if err != nil {
		return err
	}
	return versions.Refuse(known)
}
