// Package sqldbtest runs a test on every database the service supports. It is for tests only.
package sqldbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
)

// Env names the variable with the DSN of a Postgres server in which tests may make databases;
// `make test` starts one and sets it.
const Env = "FAQBOT_TEST_POSTGRES"

// templates holds, by their migrations, SQLite files that have them: a func() ([]byte, error). Migrating is most of what a
// small test does under the race detector, a second each time.
var templates sync.Map

// Run runs test on a fresh SQLite file and on a fresh Postgres database, in parallel. Without a
// Postgres server the second is skipped, and failed where CI is set.
func Run(t *testing.T, schemas []sqldb.Schema, test func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Migrated(t, schemas...))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t, Postgres(t), schemas...))
	})
}

// SQLite returns the DSN of a SQLite file that does not exist yet.
func SQLite(t testing.TB) string {
	return filepath.Join(t.TempDir(), "test.db")
}

// Postgres returns the DSN of a new, empty Postgres database that is dropped after the test.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Env)
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set: in CI every store test runs on Postgres too", Env)
		}
		t.Skipf("%s is not set; `make test` starts a Postgres and sets it", Env)
	}
	name := "t_" + strings.ToLower(rand.Text())
	admin, err := sql.Open("pgx", server)
	require.NoError(t, err)
	_, err = admin.ExecContext(t.Context(), `CREATE DATABASE `+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`)
		require.NoError(t, err)
		require.NoError(t, admin.Close())
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// Migrated returns an open SQLite database with some schemas, and closes it after the test.
func Migrated(t testing.TB, schemas ...sqldb.Schema) *sqldb.DB {
	t.Helper()
	dsn := SQLite(t)
	Copy(t, dsn, schemas...)
	return Open(t, dsn, schemas...)
}

// Copy makes a SQLite file with some schemas at path: a copy of the first one that was made.
func Copy(t testing.TB, path string, schemas ...sqldb.Schema) {
	t.Helper()
	made, _ := templates.LoadOrStore(migrationsOf(t, schemas), sync.OnceValues(func() (data []byte, err error) {
		dir, err := os.MkdirTemp("", "faqbot-migrated-*")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		db, err := sqldb.Open(context.Background(), filepath.Join(dir, "test.db"))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(db.Migrate(context.Background(), schemas...), db.Close()); err != nil {
			return nil, err
		}
		return os.ReadFile(filepath.Join(dir, "test.db"))
	}))
	data, err := made.(func() ([]byte, error))()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// migrationsOf names some schemas by what is in them: a test may have some of its own.
func migrationsOf(t testing.TB, schemas []sqldb.Schema) (names string) {
	t.Helper()
	for _, s := range schemas {
		names += s.Owner + ":"
		files, err := fs.Glob(s.Files, "*.sql")
		require.NoError(t, err)
		for _, file := range files {
			data, err := fs.ReadFile(s.Files, file)
			require.NoError(t, err)
			names += fmt.Sprintf("%x,", sha256.Sum256(data))
		}
	}
	return names
}

// Open opens and migrates dsn and closes it after the test.
func Open(t testing.TB, dsn string, schemas ...sqldb.Schema) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context(), schemas...))
	return db
}
