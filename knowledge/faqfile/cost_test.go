package faqfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// TestMain lets the test binary be a reader, and things that readers must not be.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || !strings.HasPrefix(os.Args[1], "reader-") {
		os.Exit(m.Run())
	}
	if err := serveAs(os.Args[1:]); err != nil {
		os.Exit(1)
	}
}

// serveAs serves as a reader with an ill of its own: args are what it is and where to write its process's ID.
func serveAs(args []string) error {
	if len(args) > 1 {
		if err := os.WriteFile(args[1], fmt.Append(nil, os.Getpid()), 0o600); err != nil {
			return err
		}
	}
	switch args[0] {
	case "reader-hangs":
		go endWith(os.Stdin)
		select {}
	case "reader-eats":
		confine()
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(all)
		}
	case "reader-spins":
		confine()
		for runtime.NumCPU() > 0 { // until the system ends it
		}
	case "reader-fails":
		panic("a slip in a library")
	case "reader-talks":
		for {
			if err := (answer{problems: fatal(strings.Repeat("x", 1000))}).write(cutEnd{os.Stdout}); err != nil {
				return err
			}
		}
	}
	if err := Serve(os.Stdin, os.Stdout); err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil // told on Linux alone
	}
	_, after, _ := strings.Cut(string(status), "\nVmHWM:")
	_, err = os.Stderr.WriteString(strings.Fields(after)[0])
	return err
}

// A cutEnd writes all but the end of an answer.
type cutEnd struct{ io.Writer }

func (c cutEnd) Write(p []byte) (int, error) {
	_, err := c.Writer.Write(bytes.ReplaceAll(p, []byte("{\"End\":true}\n"), nil))
	return len(p), err
}

// A cost is what one file takes.
type cost struct {
	cpu    time.Duration
	memory int64 // bytes, beyond those of a reader with nothing to read
}

// costOf lets a process of its own read a file.
func costOf(t *testing.T, name string, data []byte, o Options) (cost, answer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), executable(), "reader-is-well")
	cmd.Args[0] = os.Args[0]
	cmd.Env = []string{"GOMAXPROCS=1"}
	head, err := json.Marshal(request{Name: name, Options: o, Size: len(data)})
	require.NoError(t, err)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var peak strings.Builder
	cmd.Stderr = &peak
	require.NoError(t, cmd.Start())
	_, _ = in.Write(append(head, '\n'))
	_, _ = in.Write(data)
	a, whole := collect(out)
	if !whole {
		a.problems = fatal("ended")
	}
	_ = cmd.Wait() // one that gave up says so by its exit code
	kB, err := strconv.ParseInt(peak.String(), 10, 64)
	if err != nil {
		kB = limits.MaxMemory >> 10 // it was ended for it
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), kB << 10}, a
}

// slow reports whether the long checks are wanted: make slow.
func slow() bool { return os.Getenv("FAQBOT_SLOW") != "" }

// oneOfAKind are the hostile inputs that are tried every time, the others by make slow.
const oneOfAKind = "|distinct wordings|nothing but commas|nesting|an answer of scripts|one entry of many fields|#q and a|closed brackets|stars, no words|one long paragraph|" +
	"stray end tags|paragraphs in formatting|aliases|dictionaries in dictionaries|tables in tables|one question under many topics|a wide table|a row number without end|a shared string of 230 kB 20,000 times|a row of one shared string|"

// No file takes more than 1 s of CPU time and 100 MB of memory for each MiB begun, and none more than
// limits.MaxMemory. Time is told by a peer in the same run, a plain table of 1 MiB, which takes some 50 ms on
// the machine that the bound was set on.
func TestHostileInputs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a process's memory is told in kB on Linux")
	}
	size, list := 256<<10, slices.DeleteFunc(hostiles(), func(h hostile) bool { return !strings.Contains(oneOfAKind, "|"+h.what+"|") })
	if slow() {
		size, list = limits.MaxFile-100, append(hostiles(), longHostiles()...)
	}
	maxMemory := int64(limits.MaxMemory + 20<<20)
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		maxMemory *= 2 // the race detector keeps as much again
	}
	idle, _ := costOf(t, "a.csv", []byte("question,answer\nq,a\n"), Options{})
	plain := each("question,answer\n", "How is number % paid?,"+strings.Repeat("By bank transfer. ", 10)+"\n", "")(1 << 20)
	peer, _ := costOf(t, "a.csv", plain, Options{})
	second := 30 * max(peer.cpu-idle.cpu, 20*time.Millisecond)
	t.Logf("an idle reader %v, %d MB; a plain table of 1 MiB %v, %d MB", idle.cpu, idle.memory>>20, peer.cpu, peer.memory>>20)
	for _, h := range list {
		data := h.make(size)
		c, a := costOf(t, h.name, data, Options{})
		MiB := int64(len(data)>>20) + 1
		said := fmt.Sprintf("%d entries, %d problems", len(a.rows), len(a.problems))
		if len(a.problems) > 0 {
			said = plaintext.Cut(a.problems[len(a.problems)-1].Text, 70)
		}
		t.Logf("%-9s | %-40s | %8d B | %6.2f s | %4d MB | %s", h.reader, h.what, len(data), c.cpu.Seconds(), (c.memory-idle.memory)>>20, said)
		assert.Less(t, c.cpu-idle.cpu, time.Duration(MiB)*second, "%s: %s", h.reader, h.what)
		assert.Less(t, c.memory-idle.memory, min(MiB*maxMemory*2/3, maxMemory), "%s: %s", h.reader, h.what)
	}
}
