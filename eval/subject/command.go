package subject

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Command is any program that reads a question a line and writes a reply a line, as JSON: the rows of
// faqbot ask --batch. Each worker has a process of its own, which is started when it is needed.
type Command struct {
	line  string
	said  func(string) string
	idle  chan *process // a place for each worker; nil is a process that is not started
	total int
}

var _ Subject = (*Command)(nil)

// NewCommand asks what a shell makes of line, in as many processes as there are workers.
func NewCommand(line string, workers int, entries []knowledge.Entry) *Command {
	c := &Command{line: line, said: labels(entries), idle: make(chan *process, workers), total: workers}
	for range workers {
		c.idle <- nil
	}
	return c
}

func (c *Command) Name() string { return c.line }

func (c *Command) Open(one suite.Case) Dialogue { return remember(one, c.said, c.ask) }

// A process is one run of the command.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	replies *bufio.Scanner
}

func (c *Command) ask(ctx context.Context, q question) (reply Reply, err error) {
	var p *process
	select {
	case p = <-c.idle:
	case <-ctx.Done():
		return Reply{}, context.Cause(ctx)
	}
	defer func() {
		if err != nil && p != nil { // it ended, or what it writes next belongs to another question
			p.end()
			p = nil
		}
		c.idle <- p
	}()
	if p == nil {
		started, err := start(c.line)
		if err != nil {
			return Reply{}, fmt.Errorf("start %q: %w", c.line, err)
		}
		p = started
	}
	began := time.Now()
	running := p.cmd.Process                                      // p may be given up before the function is done
	stop := context.AfterFunc(ctx, func() { _ = running.Kill() }) // it may be in the middle of a reply
	defer stop()
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		return Reply{}, fmt.Errorf("%q takes no more questions: %w", c.line, err)
	}
	if !p.replies.Scan() {
		if ctx.Err() != nil {
			return Reply{}, context.Cause(ctx)
		}
		return Reply{}, fmt.Errorf("%q ended without a reply to case %q: %w", c.line, q.ID, errors.Join(p.replies.Err(), io.ErrUnexpectedEOF))
	}
	var r row
	if err := json.Unmarshal(p.replies.Bytes(), &r); err != nil {
		return Reply{}, fmt.Errorf("%q wrote something that is no reply to case %q: %w", c.line, q.ID, err)
	}
	if r.ID != "" && r.ID != q.ID {
		return Reply{}, fmt.Errorf("%q replied to case %q when it was asked case %q; it must reply in order, a line for each question", c.line, r.ID, q.ID)
	}
	if reply, err = r.toReply(time.Since(began)); err != nil {
		return Reply{}, fmt.Errorf("%q, case %q: %w", c.line, q.ID, err)
	}
	return reply, nil
}

func start(line string) (*process, error) {
	cmd := exec.Command("sh", "-c", line)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	replies := bufio.NewScanner(out)
	replies.Buffer(make([]byte, 64<<10), maxReply)
	return &process{cmd, in, replies}, cmd.Start()
}

// end kills the process.
func (p *process) end() {
	_ = p.cmd.Process.Kill()
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// Close ends the processes. A command ends when its input does.
func (c *Command) Close() error {
	var failed error
	for range c.total {
		if p := <-c.idle; p != nil {
			failed = errors.Join(failed, p.in.Close())
			_ = p.cmd.Wait() // what it thinks of the end is no matter
		}
	}
	return failed
}
