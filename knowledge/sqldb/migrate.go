package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// A Schema is one folder's migrations: goose files named 00001_what.sql. Those that only one of the databases
// understands are in the folders sqlite and postgres, and count with the others.
type Schema struct {
	Owner string // the owning folder, "bot"; its versions live in the table migrations_{owner}
	Files fs.FS
}

// Embedded is the schema of a package that embeds its migrations in a folder called schema.
func Embedded(owner string, files embed.FS) Schema {
	sub, err := fs.Sub(files, "schema")
	if err != nil {
		panic(err) // the name is a constant
	}
	return Schema{Owner: owner, Files: sub}
}

// Migrate brings every schema to its newest version, in the order given. Processes that start at
// the same time are safe: on Postgres they take turns under an advisory lock, on SQLite a write
// transaction is alone.
func (db *DB) Migrate(ctx context.Context, schemas ...Schema) (err error) {
	raw := db.DB
	if db.postgres { // a migration may take longer than a statement that serves somebody
		if raw, err = unboundedPostgres(db.dsn); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, raw.Close()) }()
	}
	for _, s := range schemas {
		if err := db.migrateSchema(ctx, raw, s); err != nil {
			return fmt.Errorf("migrate %s: %w", s.Owner, err)
		}
	}
	return nil
}

func (db *DB) migrateSchema(ctx context.Context, raw *sql.DB, s Schema) (err error) {
	dialect := goose.DialectSQLite3
	opts := []goose.ProviderOption{goose.WithTableName(versionsPrefix + s.Owner), goose.WithDisableGlobalRegistry(true)}
	if db.postgres {
		dialect = goose.DialectPostgres
		// One try a second for five minutes: a neighbour's long migration is waited for.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	} else {
		if err := db.lock(ctx); err != nil {
			return err
		}
		defer db.unlock()
	}
	own := "sqlite"
	if db.postgres {
		own = "postgres"
	}
	p, err := goose.NewProvider(dialect, raw, layered{s.Files, own}, opts...)
	if err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil || !pending {
		return err
	}
	_, err = p.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return fmt.Errorf("%s: %w", partial.Failed.Source.Path, partial.Err)
	}
	return err
}

// layered is a folder of migrations together with those in one of its folders.
type layered struct {
	fs.FS
	own string
}

func (l layered) Open(name string) (fs.File, error) {
	f, err := l.FS.Open(path.Join(l.own, name))
	if errors.Is(err, fs.ErrNotExist) {
		return l.FS.Open(name)
	}
	return f, err
}

// Glob names the files of both by their last part.
func (l layered) Glob(pattern string) ([]string, error) {
	list, err := fs.Glob(l.FS, pattern)
	if err != nil {
		return nil, err
	}
	own, err := fs.Glob(l.FS, path.Join(l.own, pattern))
	for _, name := range own {
		list = append(list, path.Base(name))
	}
	return list, err
}
