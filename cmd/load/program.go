package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 25 * time.Second
	ticks       = 100 // of /proc/PID/stat in a second, on every Linux there is
)

// A program is a process that listens, and says where in its log.
type program struct {
	cmd     *exec.Cmd
	address string
	died    chan struct{} // closed when it is dead
	err     error         // how it ended, once died is closed

	mu      sync.Mutex
	trouble map[string]int // warnings and errors in its log, by what they say
}

// start starts a program and waits until it listens.
func start(ctx context.Context, name string, args ...string) (*program, error) {
	p := &program{cmd: exec.CommandContext(ctx, name, args...), died: make(chan struct{}), trouble: map[string]int{}}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	listens := make(chan string, 1)
	go func() {
		p.follow(stderr, listens)
		p.err = p.cmd.Wait()
		close(p.died)
	}()
	select {
	case p.address = <-listens:
		return p, nil
	case <-p.died:
		return nil, fmt.Errorf("%s ended while it started: %w", name, p.err)
	case <-time.After(startWithin):
		return nil, errors.Join(fmt.Errorf("%s does not listen after %s", name, startWithin), p.cmd.Process.Kill())
	}
}

// follow reads what the program logs until it is dead.
func (p *program) follow(log io.Reader, listens chan<- string) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.Contains(line, `"level":"info"`) && !strings.Contains(line, `"listen"`) {
			continue
		}
		var e struct{ Level, Msg, Error, Listen string }
		if json.Unmarshal([]byte(line), &e) != nil {
			e.Level, e.Msg = "error", line
		}
		if e.Listen != "" {
			listens <- e.Listen
		}
		if e.Level == "warning" || e.Level == "error" {
			p.mu.Lock()
			p.trouble[e.Msg+": "+e.Error]++
			p.mu.Unlock()
		}
	}
}

// troubles are the warnings and errors in the program's log.
func (p *program) troubles() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for what, n := range p.trouble {
		list = append(list, fmt.Sprintf("%d × %s", n, what))
	}
	slices.Sort(list)
	return list
}

// cpu is how much time of a core a process has used; zero where that cannot be read.
func cpu(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(raw), ") ") // the name before it may hold anything
	fields := strings.Fields(rest)
	if err != nil || !ok || len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64) // fields 14 and 15 of proc(5)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks
}

// stop asks the program to stop and waits until it did.
func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	select {
	case <-p.died:
		return p.err
	case <-time.After(stopWithin):
		return errors.Join(errors.New("it had to be killed"), p.cmd.Process.Kill())
	}
}
