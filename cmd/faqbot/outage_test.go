//go:build linux

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/waittest"
)

// A full disk: what is not taken is refused with an error, readyz says why, what was acknowledged is there and
// answered once there is space again, without a restart.
func TestSlowDiskFull(t *testing.T) {
	slow(t)
	dir := t.TempDir()
	// SQLite's log alone may have 32 MB (sqldb's logMost) while the machine is busy; a disk that it fills has nothing to
	// give back.
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	s := newHookSite(t, filepath.Join(dir, "faqbot.db"))
	p := post(s, 4)
	p.more(200)
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	_, err = io.Copy(filler, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Eventually(t, func() bool {
		_, _ = io.Copy(filler, zeros{}) // what a checkpoint gave back
		return strings.Contains(s.body("/readyz"), "the disk is full") && p.refusals()[http.StatusInternalServerError]+p.refusals()[http.StatusServiceUnavailable] > 50
	}, waittest.Hang, 100*time.Millisecond)
	t.Logf("while full: %v by status; readyz: %q", p.refusals(), s.body("/readyz"))
	require.Zero(t, p.refusals()[0], "every post was answered")
	require.NoError(t, os.Remove(filler.Name()))
	require.NoError(t, filler.Close())
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
	p.more(100)
	acked := p.end()
	s.answered(acked)
	holds(t, s.open(s.dsn()), acked)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// A cluster is a Postgres server of the test's own.
type cluster struct {
	t   *testing.T
	dsn string
	dir string
}

func newCluster(t *testing.T) *cluster {
	script, err := filepath.Abs("../../.ci/with-postgres")
	require.NoError(t, err)
	cmd := exec.Command(script, "sh", "-c", `echo "$FAQBOT_TEST_POSTGRES"; cat >/dev/null`)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FAQBOT_TEST_POSTGRES=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	dsn, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	u, err := url.Parse(strings.TrimSpace(dsn))
	require.NoError(t, err)
	c := &cluster{t: t, dsn: u.String(), dir: u.Query().Get("host")}
	t.Cleanup(func() { c.signal(syscall.SIGCONT) }) // so that it can be stopped
	return c
}

// signal signals every process of the server.
func (c *cluster) signal(s syscall.Signal) {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	require.NoError(c.t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(first)
	require.NoError(c.t, err)
	require.NoError(c.t, syscall.Kill(postmaster, s))
	children, err := exec.Command("ps", "-o", "pid=", "--ppid", first).Output()
	require.NoError(c.t, err)
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		require.NoError(c.t, err)
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// restart crashes the server and starts it again.
func (c *cluster) restart() {
	c.t.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	require.NoError(c.t, err)
	args := []string{bins[len(bins)-1], "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "-w", "-l", filepath.Join(c.dir, "log"), "restart"}
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), waittest.Hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = "/"
	require.NoError(c.t, cmd.Run())
}

// A Postgres that is paused for longer than anything waits for it, and one that crashes and comes back: every
// post is answered, readyz says why, what was acknowledged is there and answered, without a restart of ours.
func TestSlowPostgresPausedAndRestarted(t *testing.T) {
	slow(t)
	c := newCluster(t)
	s := newHookSite(t, c.dsn)
	p := post(s, 4)
	p.more(200)
	c.signal(syscall.SIGSTOP)
	require.Eventually(t, func() bool { return strings.Contains(s.body("/readyz"), "the database does not answer within 2s") }, waittest.Hang, 50*time.Millisecond)
	refused := func() (n int) {
		for _, of := range p.refusals() {
			n += of
		}
		return n
	}
	require.Eventually(t, func() bool { return refused() > 4 }, waittest.Hang, 50*time.Millisecond, "posts are not left waiting")
	t.Logf("while paused: %v by status", p.refusals())
	c.signal(syscall.SIGCONT)
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
	p.more(100)
	c.restart()
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 50*time.Millisecond)
	p.more(100)
	t.Logf("in all: %v by status", p.refusals())
	require.Zero(t, p.refusals()[0], "every post was answered")
	acked := p.end()
	s.answered(acked)
	holds(t, s.open(c.dsn), acked)
}
