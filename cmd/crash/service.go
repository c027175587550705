package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// stopWithin is how long the service may take to stop when asked to.
	stopWithin = 25 * time.Second
	// startWithin is how long it may take to listen.
	startWithin = 30 * time.Second

	affiliate     = "acme"
	accountID     = "shop"
	accountToken  = "7000000001:AAcrashcrashcrashcrash"
	graphToken    = "EAAcrashcrashcrashcrash"
	accountSecret = "hook-crash-secret"
	// canary is in all that customers write in words of their own and in all that agents reply. It
	// must never be in a log.
	canary = "Quillfeather"
)

// A service is the real binary with its configuration, database and log.
type service struct {
	binary, dir, dsn string
	apiURL, hooksURL string
	account          func(base string) string // its part of the configuration
	log              *journal
}

// config is the path of the configuration.
func (s *service) config() string { return filepath.Join(s.dir, "faqbot.toml") }

// configure writes the configuration of life number n. Tools that run beside the service read it
// meanwhile, so it appears all at once.
func (s *service) configure(n int) error {
	text := fmt.Sprintf(`[server]
listen = "127.0.0.1:0"
public_url = %q
[database]
dsn = %q
[[account]]
id = %q
locale = "en"
affiliates = [%q]
%s`, s.hooksURL, s.dsn, accountID, affiliate, s.account(fmt.Sprintf("%s/life/%d", s.apiURL, n)))
	next := s.config() + ".next"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return os.Rename(next, s.config())
}

// tool runs one of the binary's other commands and returns what it printed.
func (s *service) tool(ctx context.Context, args ...string) (out string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"--config", s.config()}, args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, s.dir
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("faqbot %s: %w: %s", strings.Join(args[:min(len(args), 2)], " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// A life is one run of the service, from its start to its death.
type life struct {
	number  int
	cmd     *exec.Cmd
	began   time.Time
	serving chan struct{} // closed when it listens
	died    chan struct{} // closed when it is dead and all it logged was read
	err     error         // how it ended, once died is closed
	log     *journal
}

// start starts life number n, which dies with ctx at the latest. Once it listens, listens is called
// with where.
func (s *service) start(ctx context.Context, n int, listens func(address string)) (*life, error) {
	if err := s.configure(n); err != nil {
		return nil, err
	}
	l := &life{number: n, began: time.Now(), serving: make(chan struct{}), died: make(chan struct{}), log: s.log}
	l.cmd = exec.CommandContext(ctx, s.binary, "--config", s.config(), "serve")
	l.cmd.Dir = s.dir
	stderr, err := l.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	go func() {
		l.follow(stderr, listens)
		l.err = l.cmd.Wait()
		close(l.died)
	}()
	return l, nil
}

// follow reads what the life logs until it is dead.
func (l *life) follow(stderr io.Reader, listens func(string)) {
	lines := bufio.NewReader(stderr)
	listening := false
	for {
		line, err := lines.ReadString('\n')
		if e := l.log.take(line, err == nil); e.Listen != "" && !listening {
			listening = true
			listens(e.Listen)
			close(l.serving)
		}
		if err != nil {
			return
		}
	}
}

// kill kills the life and waits until it is dead. It reports false if it was dead already.
func (l *life) kill() bool {
	select {
	case <-l.died:
		return false
	default:
	}
	_ = l.cmd.Process.Kill() // SIGKILL; it fails only if the process is gone
	<-l.died
	status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// stop asks the life to stop and waits until it did.
func (l *life) stop() (took time.Duration, err error) {
	began := time.Now()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("SIGTERM: %w", err)
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-l.died:
		return time.Since(began), l.err
	case <-timer.C:
		l.kill()
		return time.Since(began), errors.New("it had to be killed")
	}
}

// A journal takes all that the service logs, in all its lives, keeps it in a file, and notes what
// must not be there.
type journal struct {
	mu     sync.Mutex
	file   *os.File
	leaks  []string       // messages of lines with a customer's words or a secret
	odd    []string       // whole lines that are no log entry: a panic, a fatal error
	counts map[string]int // of warnings and errors, by what they say
}

// An entry is what is read of a line of the log.
type entry struct {
	Level  string `json:"level"`
	Msg    string `json:"msg"`
	Error  string `json:"error"`
	Listen string `json:"listen"`
}

func newJournal(path string) (*journal, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("keep the log: %w", err)
	}
	return &journal{file: f, counts: map[string]int{}}, nil
}

// take takes one line. One that is not whole was cut off by a kill.
func (j *journal) take(line string, whole bool) (e entry) {
	if line == "" {
		return e
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.file.WriteString(line) // for people to read; nothing depends on it
	err := json.Unmarshal([]byte(line), &e)
	for _, secret := range []string{canary, accountToken, graphToken, accountSecret} {
		if strings.Contains(line, secret) {
			j.leaks = append(j.leaks, fmt.Sprintf("%s %q", e.Level, e.Msg))
			break
		}
	}
	switch {
	case err != nil && whole, strings.HasPrefix(e.Msg, "panic"):
		j.odd = append(j.odd, strings.TrimSpace(line))
	case e.Level == "warning" || e.Level == "error":
		j.counts[fmt.Sprintf("%s: %s: %s", e.Level, e.Msg, e.Error)]++
	}
	return e
}

// trouble lists warnings and errors, the most frequent first, each with how often it came.
func (j *journal) trouble(most int) (list []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for said := range j.counts {
		list = append(list, said)
	}
	slices.SortFunc(list, func(a, b string) int {
		if j.counts[a] != j.counts[b] {
			return j.counts[b] - j.counts[a]
		}
		return strings.Compare(a, b)
	})
	list = list[:min(len(list), most)]
	for i, said := range list {
		list[i] = fmt.Sprintf("%d × %s", j.counts[said], said)
	}
	return list
}
