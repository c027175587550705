package main

import (
	"archive/zip"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// elsewhere is another machine: its own folder, database and address, and no key.
func (s *oldSite) elsewhere() *oldSite {
	s.t.Helper()
	dsn := "faqbot.db"
	if s.kind == "postgres" {
		dsn = sqldbtest.Postgres(s.t)
	}
	e := &oldSite{kind: s.kind, visitor: s.visitor, ticket: s.ticket, site: &site{t: s.t, dir: s.t.TempDir(), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}}
	e.addr = freeAddress(s.t)
	e.configure(e.dir, dsn)
	s.t.Cleanup(e.stop)
	return e
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

// A backup of a running service, restored elsewhere: with its key nobody is signed out. Without it the service
// says what is missing, shows nobody a chat that is not theirs, and all is well once the key is there.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	onOldSites(t, func(t *testing.T, s *oldSite) {
		s.start()
		with, without := filepath.Join(s.dir, "with.zip"), filepath.Join(s.dir, "without.zip")
		out := s.faqbot("backup", "--with-key", with)
		require.NotContains(t, out, "The key of the secrets is not")
		require.Contains(t, s.faqbot("backup", without), "The key of the secrets is not. Keep a copy of")
		for _, file := range []string{with, without} {
			require.Equal(t, os.FileMode(0o600), modeOf(t, file))
		}
		key, err := os.ReadFile(s.key(s.dir))
		require.NoError(t, err)
		require.NotContains(t, readZip(t, without), string(key))
		out, code := s.try("backup", with)
		require.Equal(t, exitCouldNot, code)
		require.Contains(t, out, "exists already")
		s.stop()

		e := s.elsewhere()
		require.Contains(t, e.faqbot("restore", with), "Restored: the database as it was on")
		require.Equal(t, os.FileMode(0o600), modeOf(t, e.key(e.dir)))
		e.start()
		e.whole()
		if e.kind == "sqlite" {
			require.Equal(t, os.FileMode(0o600), modeOf(t, filepath.Join(e.dir, "faqbot.db")))
		}
		for _, args := range [][]string{{"restore", with}, {"restore", "--replace", with}} {
			out, code = e.try(args...)
			require.Equal(t, exitCouldNot, code, out)
			require.Regexp(t, "a faqbot serves|stop every service", out)
		}
		e.whole()
		e.stop()

		e = s.elsewhere()
		out = e.faqbot("restore", without)
		require.Contains(t, out, "! the key of the secrets is not there")
		require.Contains(t, out, "Put the key that belongs to the backup into")
		e.startUnready()
		require.Contains(t, e.body("/readyz"), "the key of the secrets is missing")
		status, _ := e.chat()
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.NoError(t, os.WriteFile(e.key(e.dir), key, 0o600))
		require.Eventually(t, func() bool { return e.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
		e.whole()
	})
}

func readZip(t *testing.T, path string) string {
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	require.NoError(t, z.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Join(names, " ") + string(data)
}

// A restore over what is there needs a flag and keeps it; a refused or failed one changes nothing.
func TestRestoreLosesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	onOldSites(t, func(t *testing.T, s *oldSite) {
		s.start()
		backup := filepath.Join(s.dir, "backup.zip")
		s.faqbot("backup", backup)
		s.faqbot("user", "add", "later", "--role", "agent")
		s.stop()
		refused := func(want string, args ...string) {
			t.Helper()
			out, code := s.try(args...)
			require.Equal(t, exitCouldNot, code, out)
			require.Contains(t, out, want)
			require.Contains(t, s.faqbot("user", "list"), "later")
		}
		refused("is not empty", "restore", backup)
		data, err := os.ReadFile(backup)
		require.NoError(t, err)
		cut := filepath.Join(s.dir, "cut.zip")
		require.NoError(t, os.WriteFile(cut, data[:len(data)/2], 0o600))
		refused("only a part of one", "restore", "--replace", cut)
		spoilt := filepath.Join(s.dir, "spoilt.zip")
		data[len(data)/2] ^= 0xff
		require.NoError(t, os.WriteFile(spoilt, data, 0o600))
		refused("the backup", "restore", "--replace", spoilt)
		foreign := s.rewrite(backup, func(m string) string {
			return strings.NewReplacer(`"sqlite"`, `"postgres"`, `"postgres"`, `"sqlite"`).Replace(m)
		})
		refused("a backup goes back into the same kind", "restore", "--replace", foreign)
		newer := s.rewrite(backup, func(m string) string { return strings.Replace(m, `"bot": `, `"bot": 9`, 1) })
		refused("a newer faqbot has used this database", "restore", "--replace", newer)
		format := s.rewrite(backup, func(m string) string { return strings.Replace(m, `"format": 1`, `"format": 2`, 1) })
		refused("has format 2", "restore", "--replace", format)
		nonsense := s.rewritePart(backup, backupDatabase, func(data string) string { return strings.Repeat("not a database. ", 1000) })
		refused(map[string]string{"sqlite": "not a database", "postgres": "pg_restore"}[s.kind], "restore", "--replace", nonsense)
		half := s.rewritePart(backup, backupDatabase, func(data string) string { return data[:len(data)*2/3] })
		refused(map[string]string{"sqlite": "malformed", "postgres": "pg_restore"}[s.kind], "restore", "--replace", half)

		out := s.faqbot("restore", "--replace", backup)
		require.Contains(t, out, "What was there is in ")
		require.NotContains(t, s.faqbot("user", "list"), "later")
		s.start()
		s.whole()
		s.stop()
		if s.kind == "sqlite" {
			kept, err := filepath.Glob(filepath.Join(s.dir, "faqbot.db.before-restore-*"))
			require.NoError(t, err)
			require.Len(t, kept, 1)
			require.NoError(t, os.Rename(kept[0], filepath.Join(s.dir, "faqbot.db")))
			require.Contains(t, s.faqbot("user", "list"), "later")
		}
	})
}

// rewrite returns a copy of a backup with another manifest.
func (s *oldSite) rewrite(path string, change func(string) string) string {
	return s.rewritePart(path, backupManifest, change)
}

// rewritePart returns a copy of a backup with another part.
func (s *oldSite) rewritePart(path, part string, change func(string) string) string {
	from, err := zip.OpenReader(path)
	require.NoError(s.t, err)
	to, err := os.Create(filepath.Join(s.t.TempDir(), "backup.zip"))
	require.NoError(s.t, err)
	z := zip.NewWriter(to)
	for _, f := range from.File {
		r, err := f.Open()
		require.NoError(s.t, err)
		data, err := io.ReadAll(r)
		require.NoError(s.t, err)
		if f.Name == part {
			changed := change(string(data))
			require.NotEqual(s.t, string(data), changed)
			data = []byte(changed)
		}
		w, err := z.Create(f.Name)
		require.NoError(s.t, err)
		_, err = w.Write(data)
		require.NoError(s.t, err)
	}
	require.NoError(s.t, errors.Join(z.Close(), to.Close(), from.Close()))
	return to.Name()
}

// A damaged database can be replaced, and is kept with its log.
func TestRestoreOverADamagedFile(t *testing.T) {
	t.Parallel()
	s := newOldSite(t, "faqbot.db")
	backup := filepath.Join(s.dir, "backup.zip")
	s.faqbot("backup", backup) // of the earlier build's schema: an upgrade is made after a backup
	path := filepath.Join(s.dir, "faqbot.db")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database. ", 1000)), 0o600))
	require.Contains(t, s.faqbot("restore", "--replace", backup), "Restored")
	s.start()
	s.whole()
}

// Without Postgres's own programs a backup says what to install, and leaves nothing behind.
func TestBackupWithoutPgDump(t *testing.T) {
	t.Parallel()
	s := newOldSite(t, sqldbtest.Postgres(t))
	faqbot, err := exec.LookPath("faqbot")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), faqbot, "backup", "backup.zip")
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=/nowhere"}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "pg_dump is not installed")
	left, err := filepath.Glob(filepath.Join(s.dir, "*backup*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
