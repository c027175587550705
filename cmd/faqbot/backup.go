package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// A backup is a ZIP file with these in it.
const (
	backupManifest = "manifest.json"
	backupDatabase = "database" // a SQLite file, or what pg_dump wrote in its custom format
	backupKey      = "key"      // the key file; only if it was asked for
)

// backupFormat is the version of the format. A restore refuses a later one.
const backupFormat = 1

// A manifest says what is in a backup.
type manifest struct {
	Format   int            `json:"format"`
	Build    string         `json:"build"`
	MadeAt   time.Time      `json:"made_at"`
	Database string         `json:"database"` // "sqlite" or "postgres"
	Schemas  sqldb.Versions `json:"schemas"`
	Key      bool           `json:"key"`
}

// kindOf is a database's kind, as a manifest names it.
func kindOf(dsn string) string {
	if sqldb.IsPostgres(dsn) {
		return "postgres"
	}
	return "sqlite"
}

// backupCommand writes a backup.
type backupCommand struct {
	File    string `arg:"" help:"The file to write. It must not exist yet." type:"path"`
	WithKey bool   `name:"with-key" help:"Put the key of the secrets into it, too. Who has the file then has everything; without it, back the key file up elsewhere."`
}

func (cmd backupCommand) Run(ctx context.Context, cli *commands, term terminal) (err error) {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(cmd.File); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already: name another file", cmd.File)
	}
	if err := mustExist(c); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(cmd.File), ".faqbot-backup-*") // mode 0700
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := copyDatabase(ctx, c, filepath.Join(dir, backupDatabase))
	if err != nil {
		return err
	}
	key := ""
	if m.Key = cmd.WithKey; m.Key {
		if key, err = vault.ReadText(c.keyFile()); err != nil {
			return err
		}
	}
	partial := filepath.Join(dir, "backup")
	if err := writeBackup(partial, m, filepath.Join(dir, backupDatabase), key); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := moveIntoPlace(partial, cmd.File); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	fmt.Fprintf(term.out, "The database is in %s.\n", cmd.File)
	if !cmd.WithKey {
		fmt.Fprintf(term.out, "The key of the secrets is not. Keep a copy of %s, apart from the backup: without it accounts must be added again, and the web chat's visitors begin anew.\n", c.keyFile())
	}
	return nil
}

// mustExist refuses a SQLite file that is not there: opening it would make it.
func mustExist(c config) error {
	if dsn := string(c.Database.DSN); !sqldb.IsPostgres(dsn) {
		if _, err := os.Stat(dsn); err != nil {
			return fmt.Errorf("there is no database to back up: %w; run it where faqbot.toml is, or with --config", err)
		}
	}
	return nil
}

// copyDatabase copies the database, as it is at one moment, to a new file. It migrates nothing: backups are
// made before upgrades.
func copyDatabase(ctx context.Context, c config, path string) (m manifest, err error) {
	db, err := openRaw(ctx, c)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	dsn := string(c.Database.DSN)
	m = manifest{Format: backupFormat, Build: version, MadeAt: time.Now().UTC().Truncate(time.Second), Database: kindOf(dsn)}
	if m.Schemas, err = db.Versions(ctx); err != nil {
		return m, err
	}
	if db.Postgres() {
		return m, sqldb.Dump(ctx, dsn, path)
	}
	return m, db.Snapshot(ctx, path)
}

// writeBackup writes the ZIP file, readable by its owner alone, and syncs it to the disk.
func writeBackup(path string, m manifest, database, key string) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	z := zip.NewWriter(out)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	from, err := os.Open(database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	parts := []struct {
		name string
		from io.Reader
	}{{backupManifest, strings.NewReader(string(text) + "\n")}, {backupDatabase, from}}
	if key != "" {
		parts = append(parts, struct {
			name string
			from io.Reader
		}{backupKey, strings.NewReader(key)})
	}
	for _, p := range parts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: m.MadeAt})
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, p.from); err != nil {
			return err
		}
	}
	return errors.Join(z.Close(), out.Chmod(0o600), out.Sync())
}

// moveIntoPlace gives a finished file its name, for good: a power cut leaves the whole of it, or none.
func moveIntoPlace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return vault.SyncFolder(filepath.Dir(to))
}
