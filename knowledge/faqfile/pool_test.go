package faqfile

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/waittest"
)

// A process of its own reads what Parse and Look read.
func TestPoolReadsAsParseDoes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/uploads/*")
	require.NoError(t, err)
	for _, p := range []*Pool{NewPool("reader-is-well"), NewPool()} {
		for _, file := range files {
			if strings.HasSuffix(file, ".want") {
				continue
			}
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			name := filepath.Base(file)
			rows, problems := Parse(name, data, Options{})
			gotRows, gotProblems, err := p.Parse(t.Context(), name, data, Options{})
			require.NoError(t, err)
			require.Equal(t, show(rows, problems), show(gotRows, gotProblems))
			require.Equal(t, rows, gotRows, name)
			table, ok := Look(name, data, Options{})
			gotTable, gotOK, err := p.Look(t.Context(), name, data, Options{})
			require.NoError(t, err)
			require.Equal(t, ok, gotOK)
			if ok {
				require.Equal(t, table, gotTable, name)
			}
		}
	}
}

// A reader that goes on for ever ends with the request that it reads for, and leaves its place to others.
func TestPoolEndsWithItsContext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	p := NewPool("reader-hangs", file)
	for range limits.MaxReaders + 1 {
		_ = os.Remove(file)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, _, err := p.Parse(ctx, "a.csv", []byte("question,answer\n"), Options{})
			ended <- err
		}()
		pid := waitForPID(t, file)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the process goes on")
	}
}

func waitForPID(t *testing.T, file string) (pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			return false
		}
		pid, err = strconv.Atoi(string(text))
		return err == nil
	}, waittest.Hang, time.Millisecond)
	return pid
}

// No more files are read at once than limits.MaxReaders; the next waits.
func TestPoolReadsFewAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := NewPool("reader-hangs", filepath.Join(dir, "pid"))
	running, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, limits.MaxReaders)
	for range limits.MaxReaders {
		go func() {
			_, _, err := p.Parse(running, "a.csv", nil, Options{})
			ended <- err
		}()
	}
	require.Eventually(t, func() bool { return len(p.slots) == limits.MaxReaders }, waittest.Hang, time.Millisecond)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := p.Parse(short, "a.csv", nil, Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	stop()
	for range limits.MaxReaders {
		require.ErrorIs(t, <-ended, context.Canceled)
	}
	require.Eventually(t, func() bool { return len(p.slots) == 0 }, waittest.Hang, time.Millisecond)
}

// A reader that takes too much memory, fails or never ends its answer is ended, and its author is told what
// to do.
func TestPoolSurvivesItsReaders(t *testing.T) {
	t.Parallel()
	ills := map[string]string{
		"reader-eats":  "needs more than 128 MB of memory",
		"reader-fails": "makes the program that reads it fail",
		"reader-talks": "makes the program that reads it fail",
	}
	if slow() {
		ills["reader-spins"] = "takes more than 15 seconds"
	}
	for ill, want := range ills {
		rows, problems, err := NewPool(ill).Parse(t.Context(), "a.csv", []byte("question,answer\n"), Options{})
		require.NoError(t, err, ill)
		assert.Empty(t, rows, ill)
		require.Len(t, problems, 1, ill)
		assert.True(t, problems[0].Fatal, ill)
		assert.Contains(t, problems[0].Text, want, ill)
	}
}

// A reader does not outlive the program that started it, however that ends.
func TestReaderEndsWithItsParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("a killed parent is noticed by the kernel on Linux")
	}
	file := filepath.Join(t.TempDir(), "pid")
	parent := exec.Command(os.Args[0], "-test.run", "^TestHangInAReader$")
	parent.Env = append(os.Environ(), "FAQBOT_TEST_HANG="+file)
	require.NoError(t, parent.Start())
	pid := waitForPID(t, file)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return gone(pid) }, waittest.Hang, 5*time.Millisecond, "the reader goes on alone")
}

// gone reports whether a process has ended, be it unburied.
func gone(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(status), ") Z ")
}

// TestHangInAReader is the parent of TestReaderEndsWithItsParent.
func TestHangInAReader(t *testing.T) {
	file := os.Getenv("FAQBOT_TEST_HANG")
	if file == "" {
		t.Skip("run by another test")
	}
	_, _, _ = NewPool("reader-hangs", file).Parse(t.Context(), "a.csv", nil, Options{})
}

// Where no process is to be started, files are read in this one.
func TestPoolReadsWithoutProcesses(t *testing.T) {
	t.Parallel()
	rows, problems, err := NewPool().Parse(t.Context(), "a.csv", []byte("question,answer\nq,a\n"), Options{})
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Len(t, rows, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = NewPool("reader-hangs").Parse(ended, "a.csv", nil, Options{})
	require.ErrorIs(t, err, context.Canceled)
}
