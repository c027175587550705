package main

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// Whatever the umask, what a command makes is its owner's alone. Looser files are warned about at start and
// by check, with the command that helps.
func TestFilesOfOursArePrivate(t *testing.T) {
	t.Parallel()
	s := newOldSite(t, "faqbot.db")
	require.NoError(t, os.Remove(filepath.Join(s.dir, "faqbot.db")))
	require.NoError(t, os.Remove(s.key(s.dir)))
	faq, err := filepath.Abs("testdata/shop.jsonl")
	require.NoError(t, err)
	for _, line := range []string{"exec faqbot import '" + faq + "' --affiliate shop --publish", "exec faqbot channel list", "exec faqbot backup --with-key backup.zip"} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "umask 0; "+line)
		cmd.Dir = s.dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	s.start()
	files := []string{"faqbot.db", "faqbot.db-wal", "faqbot.db-shm", "faqbot.db.key", "faqbot.db.lock", "backup.zip"}
	for _, file := range files {
		require.Equal(t, os.FileMode(0o600), modeOf(t, filepath.Join(s.dir, file)), file)
	}
	require.NotContains(t, s.log.String(), "chmod")
	require.NotContains(t, s.faqbot("check"), "chmod")
	s.stop()
	for _, file := range []string{"faqbot.db", "faqbot.db.key"} {
		require.NoError(t, os.Chmod(filepath.Join(s.dir, file), 0o644))
	}
	out := s.faqbot("check")
	require.Contains(t, out, "other users of this machine may read")
	s.start()
	require.Contains(t, s.log.String(), "chmod 600")
	s.stop()
	help := exec.CommandContext(t.Context(), "sh", "-c", regexp.MustCompile(`chmod 600 .*`).FindString(out))
	help.Dir = s.dir
	require.NoError(t, help.Run())
	require.NotContains(t, s.faqbot("check"), "chmod")
}

// While another process holds the file the service is not ready and says so; then it is again. Probes that come
// often write seldom.
func TestReadyWritesAndSaysWhyNot(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModeWebhook)
	s.start()
	db := s.open("faqbot.db")
	probes := map[int64]bool{}
	began := time.Now()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s.status("/readyz")
			}
		})
	}
	asked := make(chan struct{})
	go func() { wg.Wait(); close(asked) }()
	for done := false; !done; {
		select {
		case <-asked:
			done = true
		default:
		}
		var at int64
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT at FROM probe`).Scan(&at))
		probes[at] = true
	}
	require.LessOrEqual(t, len(probes), int(time.Since(began)/readyFor)+2, "400 probes, one write a second")

	require.NoError(t, db.InTx(t.Context(), func(*sql.Tx) error {
		require.Eventually(t, func() bool {
			return strings.Contains(s.body("/readyz"), "the database does not answer within 2s") || strings.Contains(s.body("/readyz"), "locked")
		}, waittest.Hang, 50*time.Millisecond)
		require.Equal(t, http.StatusOK, s.status("/healthz"))
		return nil
	}))
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
}

// A Postgres that has become read-only is said.
func TestReadyOnReadOnlyPostgres(t *testing.T) {
	t.Parallel()
	dsn := sqldbtest.Postgres(t)
	s := newSite(t, dsn, network.ModeWebhook)
	s.start()
	raw, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, raw.Close()) }()
	name := regexp.MustCompile(`t_[a-z0-9]+`).FindString(dsn)
	set := func(value string) {
		_, err := raw.ExecContext(t.Context(), `ALTER DATABASE `+name+` SET default_transaction_read_only = `+value)
		require.NoError(t, err)
		_, err = raw.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		require.NoError(t, err)
	}
	set("on")
	require.Eventually(t, func() bool { return strings.Contains(s.body("/readyz"), "it is read-only") }, waittest.Hang, 50*time.Millisecond)
	_, err = raw.ExecContext(t.Context(), `SET default_transaction_read_only = off`)
	require.NoError(t, err)
	set("off")
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
}

// Two services that start at the same time on one empty Postgres print one link, and it works.
func TestOneLinkForTheFirstAdmin(t *testing.T) {
	t.Parallel()
	dsn := sqldbtest.Postgres(t)
	one := newEmptySite(t, dsn)
	two := *one
	two.addr, two.log = freeAddress(t), &syncBuffer{}
	second := filepath.Join(one.dir, "second.toml")
	text, err := os.ReadFile(filepath.Join(one.dir, "faqbot.toml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(second, []byte(strings.ReplaceAll(string(text), one.addr, two.addr)), 0o600))
	t.Cleanup(two.stop)
	var wg sync.WaitGroup
	wg.Go(func() { one.launch("faqbot.toml") })
	wg.Go(func() { two.launch("second.toml") })
	wg.Wait()
	link := regexp.MustCompile(`/welcome/\S+`)
	for _, s := range []*site{one, &two} {
		require.Eventually(t, func() bool { return link.MatchString(s.log.String()) }, waittest.Hang, 20*time.Millisecond)
	}
	first := link.FindString(one.log.String())
	require.Equal(t, first, link.FindString(two.log.String()))
	for _, s := range []*site{one, &two} {
		require.Eventually(t, func() bool { return s.status(first) == http.StatusOK }, waittest.Hang, 20*time.Millisecond)
	}
	one.stop()
	one.launch("faqbot.toml")
	require.Eventually(t, func() bool { return strings.Count(one.log.String(), first) == 2 }, waittest.Hang, 20*time.Millisecond, "a later start prints it again")
}

// newEmptySite is a site on an empty database.
func newEmptySite(t *testing.T, dsn string) *site {
	s := &oldSite{kind: kindOf(dsn), site: &site{t: t, dir: t.TempDir(), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}}
	s.addr = freeAddress(t)
	s.configure(s.dir, dsn)
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s.site
}

// The pool's size is a key, and one that cannot work is said.
func TestPoolIsAKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "pool 8", "pool = 12": "pool 12", "pool = 3": "write a number from 4 to 500", "pool = 501": "write a number from 4 to 500", "pool = -1": "write a number"} {
		dir := t.TempDir()
		writeFile(t, dir, "faqbot.toml", "[database]\n"+text+"\n")
		cmd := exec.CommandContext(t.Context(), "faqbot", "check")
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		require.Contains(t, string(out), want)
	}
	c := config{}
	c.Database.DSN, c.Database.Pool = secret(sqldbtest.SQLite(t)), 5
	require.NoError(t, c.complete())
	db, err := openDB(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 5, db.Stats().MaxOpenConnections)
	require.NoError(t, db.Close())
	require.Equal(t, 20, sqldb.DefaultMaxConns("postgres://x"))
}

// Every request ends, but for streams and the pages that publish.
func TestRequestsHaveADeadline(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(boundRequest)
	for path, bounded := range map[string]bool{"/hooks/:channel/:account": true, "/desk": true, "/chat/:account/messages": true, "/chat/:account/events": false, "/desk/events": false, "/partners/publish": false} {
		r.GET(path, func(c *gin.Context) {
			_, has := c.Request.Context().Deadline()
			require.Equal(t, bounded, has, path)
		})
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	}
}
