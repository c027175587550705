package main

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// An oldSite is a faqbot on what an earlier build left behind: testdata/before/README.md.
type oldSite struct {
	*site
	kind, visitor, ticket string
}

// onOldSites runs a test on both databases of the earlier build.
func onOldSites(t *testing.T, test func(t *testing.T, s *oldSite)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newOldSite(t, "faqbot.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newOldSite(t, sqldbtest.Postgres(t)))
	})
}

func newOldSite(t *testing.T, dsn string) *oldSite {
	t.Helper()
	s := &oldSite{kind: kindOf(dsn), site: &site{t: t, dir: t.TempDir(), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}}
	s.addr = freeAddress(t)
	s.configure(s.dir, dsn)
	s.visitor, s.ticket = string(s.left("visitor")), string(s.left("ticket"))
	require.NoError(t, os.WriteFile(s.key(s.dir), s.left("key"), 0o600))
	if sqldb.IsPostgres(dsn) {
		loadSQL(t, dsn, unzip(t, "testdata/before/faqbot.sql.gz"))
	} else {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, dsn), unzip(t, "testdata/before/faqbot.db.gz"), 0o600))
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// configure writes the configuration of a service in dir.
func (s *oldSite) configure(dir, dsn string) {
	require.NoError(s.t, os.WriteFile(filepath.Join(dir, "faqbot.toml"), fmt.Appendf(nil,
		"[server]\nlisten = %q\n[database]\ndsn = %q\n[[account]]\nchannel = \"webchat\"\nid = \"chat\"\naffiliates = [\"shop\"]\n", s.addr, dsn), 0o600))
}

// key is where the key file is of a service in dir.
func (s *oldSite) key(dir string) string {
	if s.kind == "postgres" {
		return filepath.Join(dir, "faqbot.key")
	}
	return filepath.Join(dir, "faqbot.db.key")
}

func (s *oldSite) left(what string) []byte {
	data, err := os.ReadFile("testdata/before/" + s.kind + "." + what)
	require.NoError(s.t, err)
	return data
}

func unzip(t *testing.T, path string) []byte {
	f, err := os.Open(path)
	require.NoError(t, err)
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(z)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return data
}

// loadSQL runs what pg_dump wrote, on a connection of its own: it changes settings.
func loadSQL(t *testing.T, dsn string, text []byte) {
	raw, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	_, err = raw.ExecContext(t.Context(), string(text))
	require.NoError(t, err)
	require.NoError(t, raw.Close())
}

// chat is the chat as the visitor sees it who wrote to the earlier build.
func (s *oldSite) chat() (int, string) {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.addr+"/chat/chat?all=1&locale=en", nil)
	require.NoError(s.t, err)
	r.Header.Set("Cookie", s.visitor)
	res, err := s.client.Do(r)
	require.NoError(s.t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	return res.StatusCode, string(text)
}

// whole makes sure that nothing of what the earlier build left is missing.
func (s *oldSite) whole() {
	s.t.Helper()
	status, text := s.chat()
	require.Equal(s.t, http.StatusOK, status)
	require.Contains(s.t, text, "A click counts for 30 days.", "the visitor is known")
	shown := s.faqbot("desk", "show", s.ticket)
	for _, words := range []string{"Here I am.", "a note between us", "this is what I see"} {
		require.Contains(s.t, shown, words)
	}
	list := s.faqbot("channel", "list")
	require.Contains(s.t, list, "telegram/shop")
	require.Contains(s.t, list, "whatsapp/shop")
	require.NotContains(s.t, s.faqbot("channel", "list"), "cannot be read")
	require.Regexp(s.t, `ada\s+admin`, s.faqbot("user", "list"))
}

// open opens the site's database beside the service.
func (s *site) open(dsn string) *sqldb.DB {
	if !sqldb.IsPostgres(dsn) && !filepath.IsAbs(dsn) {
		dsn = filepath.Join(s.dir, dsn)
	}
	db, err := sqldb.Open(s.t.Context(), dsn)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, db.Close()) })
	return db
}

func (s *site) dsn() string {
	c, err := loadConfig(filepath.Join(s.dir, "faqbot.toml"))
	require.NoError(s.t, err)
	return string(c.Database.DSN)
}

// plainKeys counts signing keys that stand in the database as they are.
func plainKeys(t *testing.T, db *sqldb.DB) (n int) {
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM people_secrets WHERE NOT sealed`).Scan(&n))
	return n
}

// What the earlier build left is taken over whole: nobody is signed out, and the signing keys are sealed from
// now on. A rotation of all keys beside the running service signs nobody out either; after a theft it can.
func TestOlderBuildIsTakenOver(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	onOldSites(t, func(t *testing.T, s *oldSite) {
		s.start()
		s.whole()
		db := s.open(s.dsn())
		require.Zero(t, plainKeys(t, db))
		old, err := os.ReadFile(s.key(s.dir))
		require.NoError(t, err)

		require.Contains(t, s.faqbot("key", "rotate"), "There is a new key in")
		s.whole()
		require.Equal(t, http.StatusOK, s.status("/readyz"))
		fresh, err := os.ReadFile(s.key(s.dir))
		require.NoError(t, err)
		require.True(t, bytes.HasSuffix(fresh, old), "the one before opens older backups")
		s.stop()
		// The new key alone opens everything: nothing is sealed with the old one.
		require.NoError(t, os.WriteFile(s.key(s.dir), bytes.Fields(fresh)[0], 0o600))
		s.start()
		s.whole()
		s.faqbot("key", "rotate", "--sign-out")
		require.Eventually(t, func() bool { _, text := s.chat(); return !strings.Contains(text, "A click counts") }, waittest.Hang, 50*time.Millisecond)
		require.NotContains(t, s.log.String(), "30 days")
	})
}

// With the key file gone the service runs, says so, shows nobody's chat to anybody and signs nobody out; no new
// key is made. With the key lost for good, one command begins anew.
func TestKeyFileIsGone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	onOldSites(t, func(t *testing.T, s *oldSite) {
		s.start()
		s.whole()
		key := s.key(s.dir)
		require.NoError(t, os.Rename(key, key+".kept"))
		require.Eventually(t, func() bool { return strings.Contains(s.body("/readyz"), "the key of the secrets is missing") }, waittest.Hang, 50*time.Millisecond)
		_, text := s.chat()
		require.Contains(t, text, "A click counts", "who runs goes on")
		s.stop()
		s.startUnready()
		require.Contains(t, s.body("/readyz"), "the key of the secrets is missing")
		require.NotContains(t, s.body("/readyz"), s.dir, "strangers may ask")
		status, text := s.chat()
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.NotContains(t, text, "A click counts")
		require.NoFileExists(t, key)
		out, code := s.try("check")
		require.Equal(t, exitCouldNot, code)
		require.Contains(t, out, "the key of the secrets is not there")
		require.NoError(t, os.Rename(key+".kept", key))
		require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond, "no restart is needed")
		s.whole()
		out, code = s.try("key", "reset")
		require.Equal(t, exitCouldNot, code)
		require.Contains(t, out, "nothing need be forgotten")
		s.stop()

		require.NoError(t, os.WriteFile(key, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600))
		s.startUnready()
		require.Contains(t, s.body("/readyz"), "another than the one that sealed them")
		s.stop()
		require.NoError(t, os.Remove(key))
		out = s.faqbot("key", "reset")
		require.Contains(t, out, "faqbot channel add telegram --id shop")
		s.start()
		status, text = s.chat()
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, text, "A click counts", "visitors begin anew")
		require.Contains(t, s.faqbot("desk", "show", s.ticket), "Here I am.", "what was said stays")
	})
}

// Every command refuses a database that a newer build has used, and leaves it as it is.
func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	onOldSites(t, func(t *testing.T, s *oldSite) {
		s.faqbot("migrate")
		dsn := s.dsn()
		backup := filepath.Join(s.dir, "newer.zip")
		db := s.open(dsn)
		exec := func(query string) {
			_, err := db.ExecContext(t.Context(), query)
			require.NoError(t, err)
		}
		for _, newer := range []string{`INSERT INTO migrations_bot (version_id, is_applied) VALUES (9000, TRUE)`,
			`CREATE TABLE migrations_future (version_id BIGINT, is_applied BOOLEAN)`} {
			exec(newer)
			if strings.Contains(newer, "future") {
				exec(`INSERT INTO migrations_future (version_id, is_applied) VALUES (1, TRUE)`)
			}
			faq, err := filepath.Abs("testdata/shop.jsonl")
			require.NoError(t, err)
			for _, args := range [][]string{{"serve"}, {"check"}, {"migrate"}, {"import", faq, "--affiliate", "shop"}, {"ask", "--affiliate", "shop", "payout?"}, {"user", "list"},
				{"desk", "list"}, {"channel", "list"}, {"key", "rotate"}, {"key", "reset"}, {"backup", backup}} {
				out, code := s.try(args...)
				require.Equal(t, exitCouldNot, code, "%v: %s", args, out)
				require.Contains(t, out, "a newer faqbot has used this database", "%v", args)
			}
			require.NoFileExists(t, backup)
			exec(`DELETE FROM migrations_bot WHERE version_id = 9000`)
		}
		exec(`DROP TABLE migrations_future`)
		s.start()
		s.whole()
	})
}

// try runs a command that may fail and returns what it printed and its exit code.
func (s *site) try(args ...string) (string, int) {
	s.t.Helper()
	n := &newcomer{site: s}
	return n.run(args...)
}
