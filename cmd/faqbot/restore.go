package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// restoreCommand puts a backup in the place of the database.
type restoreCommand struct {
	File     string `arg:"" help:"What faqbot backup wrote." type:"existingfile"`
	Erasures string `help:"A file with what faqbot forget --list printed where the database was last: those customers are erased again." type:"existingfile" placeholder:"FILE"`
	Replace  bool   `help:"Restore over a database that is not empty. What was there is kept beside it."`
}

// maxManifest bounds what is read of a backup's manifest or key, in bytes.
const maxManifest = 64 << 10

// A restoring is one restore.
type restoring struct {
	c       config
	replace bool
	out     io.Writer
	backup  *zip.Reader
	m       manifest
	suffix  string // of what is kept
}

func (cmd restoreCommand) Run(ctx context.Context, cli *commands, term terminal) (err error) {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	z, err := zip.OpenReader(cmd.File)
	if err != nil {
		return fmt.Errorf("%s is not a backup, or only a part of one: %w", cmd.File, err)
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	r := &restoring{c: c, replace: cmd.Replace, out: term.out, backup: &z.Reader, suffix: ".before-restore-" + time.Now().Format("20060102-150405")}
	if err := r.readManifest(); err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	key, err := r.readKey()
	if err != nil {
		return err
	}
	forgotten, err := r.readErasures(ctx, cmd.Erasures)
	if err != nil {
		return err
	}
	restore := r.sqlite
	if r.m.Database == "postgres" {
		restore = r.postgres
	}
	if err := restore(ctx); err != nil {
		return err
	}
	if err := r.placeKey(key); err != nil {
		return fmt.Errorf("the database is restored, but the key is not: %w", err)
	}
	fmt.Fprintf(term.out, "Restored: the database as it was on %s, written by faqbot %s.\n", r.m.MadeAt.Local().Format("2 January 2006 15:04:05"), r.m.Build)
	return errors.Join(r.checkKey(ctx), r.eraseAgain(ctx, forgotten))
}

// readManifest reads the manifest and refuses what cannot be restored here.
func (r *restoring) readManifest() error {
	text, err := r.read(backupManifest)
	if err != nil {
		return fmt.Errorf("not a backup: %w", err)
	}
	if err := json.Unmarshal(text, &r.m); err != nil {
		return fmt.Errorf("not a backup: %s: %w", backupManifest, err)
	}
	if r.m.Format > backupFormat || r.m.Format < 1 {
		return fmt.Errorf("the backup has format %d, and this build knows %d: use the build that wrote it, faqbot %s, or a newer one", r.m.Format, backupFormat, r.m.Build)
	}
	if here := kindOf(string(r.c.Database.DSN)); r.m.Database != here {
		return fmt.Errorf("the backup is of a %s database, and [database] dsn names a %s one: a backup goes back into the same kind", r.m.Database, here)
	}
	known, err := sqldb.Known(schemas()...)
	if err != nil {
		return err
	}
	return r.m.Schemas.Refuse(known)
}

func (r *restoring) read(name string) ([]byte, error) {
	f, err := r.backup.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	return text, errors.Join(err, f.Close())
}

// readKey returns the backup's key, "" if there is none or it is here already. Another key is in the way
// unless it may be replaced.
func (r *restoring) readKey() (string, error) {
	if !r.m.Key {
		return "", nil
	}
	text, err := r.read(backupKey)
	if err != nil {
		return "", fmt.Errorf("the backup's key: %w", err)
	}
	where := r.c.keyFile()
	here, err := vault.ReadText(where)
	switch {
	case err == nil && strings.TrimSpace(here) == strings.TrimSpace(string(text)):
		return "", nil
	case strings.HasPrefix(where, "env:"):
		return "", fmt.Errorf("key_file = %q: the backup's key is another; set it to a file's path, or restore a backup without a key", where)
	case errors.Is(err, vault.ErrNoKey):
		return string(text), nil
	case err != nil:
		return "", err
	case !r.replace:
		return "", fmt.Errorf("there is another key in %s than in the backup: move it away, or run the same command with --replace, which keeps it beside", where)
	}
	return string(text), nil
}

// placeKey writes the backup's key, and keeps the one that was there.
func (r *restoring) placeKey(text string) error {
	if text == "" {
		return nil
	}
	where := r.c.keyFile()
	if _, err := os.Lstat(where); err == nil {
		if err := os.Rename(where, where+r.suffix); err != nil {
			return err
		}
		fmt.Fprintf(r.out, "The key that was there is in %s.\n", where+r.suffix)
	}
	return vault.WriteFile(where, text)
}

// extract writes the backup's database to a new file, readable by its owner alone.
func (r *restoring) extract(path string) error {
	from, err := r.backup.Open(backupDatabase)
	if err != nil {
		return fmt.Errorf("the backup's database: %w", err)
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, from) // which checks the sum, too
	if err = errors.Join(err, to.Chmod(0o600), to.Sync(), to.Close(), from.Close()); err != nil {
		return fmt.Errorf("the backup's database: %w", err)
	}
	return nil
}

func (r *restoring) postgres(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "faqbot-restore-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, backupDatabase)
	if err := r.extract(path); err != nil {
		return err
	}
	kept, err := sqldb.Load(ctx, string(r.c.Database.DSN), path, r.replace)
	if errors.Is(err, sqldb.ErrNotEmpty) {
		return fmt.Errorf("%w: nothing was changed. To restore over it, run the same command with --replace", err)
	}
	if err == nil && kept != "" {
		fmt.Fprintf(r.out, "What was there is in the schema %s. Once it is not needed: DROP SCHEMA %s CASCADE\n", kept, kept)
	}
	return err
}

func (r *restoring) sqlite(ctx context.Context) (err error) {
	dsn := string(r.c.Database.DSN)
	unlock, err := lockFile(dsn + ".lock")
	if err != nil {
		return fmt.Errorf("a faqbot serves %s: stop it first: %w", dsn, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	full, err := inUse(ctx, dsn)
	if err != nil {
		return err
	}
	if full && !r.replace {
		return fmt.Errorf("%s is not empty: nothing was changed. To restore over it, run the same command with --replace", dsn)
	}
	dir, err := os.MkdirTemp(filepath.Dir(dsn), ".faqbot-restore-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := filepath.Join(dir, backupDatabase)
	if err := r.extract(fresh); err != nil {
		return err
	}
	if err := checkCopy(ctx, fresh); err != nil {
		return fmt.Errorf("the backup: %w", err)
	}
	if full {
		if err := keep(dsn, dsn+r.suffix); err != nil {
			return fmt.Errorf("keep what is there: %w", err)
		}
		fmt.Fprintf(r.out, "What was there is in %s.\n", dsn+r.suffix)
	}
	return moveIntoPlace(fresh, dsn)
}

// inUse reports whether there is something in the SQLite file. It is an error if somebody has it open.
func inUse(ctx context.Context, dsn string) (full bool, err error) {
	if info, err := os.Stat(dsn); err != nil || info.Size() == 0 {
		return false, nil
	}
	db, err := sqldb.Open(ctx, dsn)
	if err != nil {
		return true, nil // it is damaged, and kept as it is
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	versions, err := db.Versions(ctx)
	if err != nil {
		return true, nil
	}
	return len(versions) > 0, db.TakeAlone(ctx)
}

// checkCopy refuses a damaged or newer database, and leaves it in one file.
func checkCopy(ctx context.Context, path string) (err error) {
	db, err := sqldb.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CheckIntegrity(ctx); err != nil {
		return err
	}
	if err := db.RefuseNewer(ctx, schemas()...); err != nil {
		return err
	}
	return db.TakeAlone(ctx)
}

// keep gives the database a second name, under which it stays when the first one is replaced. A damaged one
// may have a log still, which goes with it.
func keep(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	for _, file := range sqldb.Files(from) {
		if file != from {
			if err := os.Rename(file, to+strings.TrimPrefix(file, from)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkKey says what is missing if the key does not fit what was restored.
func (r *restoring) checkKey(ctx context.Context) (err error) {
	db, err := openRaw(ctx, r.c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if current, err := isCurrent(ctx, db); err != nil || !current {
		return err // an older build's: the next start looks
	}
	err = newKeyring(r.c, db).Check(ctx)
	if errors.Is(err, vault.ErrNoKey) || errors.Is(err, vault.ErrSealed) {
		fmt.Fprintf(r.out, "! %v. Put the key that belongs to the backup into %s: until then added accounts do not work and the chat on pages is closed. If it is lost: faqbot key reset\n", err, r.c.keyFile())
		return nil
	}
	return err
}
