package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Backups that are made while messages come, restored elsewhere, have every message that was acknowledged
// before the backup began.
func TestSlowBackupUnderLoad(t *testing.T) {
	slow(t)
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "faqbot.db" }, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			s := newHookSite(t, dsn(t))
			backupsHold(t, s, 4, "--with-key")
		})
	}
}

// backupsHold takes n backups of a site under load and restores each elsewhere.
func backupsHold(t *testing.T, s *site, n int, flags ...string) {
	p := post(s, 4)
	files, acked := []string{}, []map[int64]bool{}
	for i := range n {
		p.more(150)
		before := p.known()
		file := filepath.Join(s.dir, fmt.Sprintf("backup-%d.zip", i))
		s.faqbot(append([]string{"backup", file}, flags...)...)
		files, acked = append(files, file), append(acked, before)
	}
	all := p.end()
	require.Empty(t, p.refusals(), "no post was refused for a backup")
	holds(t, s.open(s.dsn()), all)
	for i, file := range files {
		e := &oldSite{kind: kindOf(s.dsn()), site: &site{t: t}}
		dir, dsn := t.TempDir(), "faqbot.db"
		if sqldb.IsPostgres(s.dsn()) {
			dsn = sqldbtest.Postgres(t)
		}
		e.configure(dir, dsn)
		e.dir = dir
		e.faqbot("restore", file)
		e.faqbot("migrate") // an older build's
		holds(t, e.open(dsn), acked[i])
	}
}

// The service of the build before, under load, is backed up by this build; then this build takes the database
// over. It needs the repository's history, and builds that commit.
func TestSlowUpgradeUnderLoad(t *testing.T) {
	slow(t)
	const before = "a378ddb"
	dir := t.TempDir()
	archive := exec.CommandContext(t.Context(), "sh", "-c", "git archive "+before+" | tar -x -C '"+dir+"'")
	archive.Dir = "../.."
	if out, err := archive.CombinedOutput(); err != nil || exec.CommandContext(t.Context(), "test", "-f", filepath.Join(dir, "go.mod")).Run() != nil {
		t.Skipf("there is no commit %s here: %s", before, out)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "bin", "faqbot"), "./cmd/faqbot")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-buildvcs=false")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "faqbot.db" }, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			s := newSiteOf(t, filepath.Join(dir, "bin", "faqbot"), dsn(t), network.ModeWebhook)
			s.start()
			backupsHold(t, s, 2)
			p := post(s, 4)
			p.more(100)
			s.stop()
			acked := p.end()
			s.binary = "faqbot"
			s.start()
			p = post(s, 4)
			p.more(50)
			for n := range p.end() {
				acked[n] = true
			}
			s.answered(acked)
			holds(t, s.open(s.dsn()), acked)
		})
	}
}
