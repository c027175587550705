package faqfile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// ErrBusy means that too many files are being read: this one waited for limits.MaxWait in vain.
var ErrBusy = errors.New("other files are being read")

// A Pool reads files, at most limits.MaxReaders at once, each in a process of its own: a parser cannot be
// stopped from outside, a process can, and its memory goes back when it ends. It is safe for concurrent use.
type Pool struct {
	command []string // arguments that make this program a reader; none: read in this process
	slots   chan struct{}
}

// NewPool returns a Pool whose processes are this program with args, which must make it call Serve. Without
// args, or where no process can be started, files are read in this process: with the same bounds, but what
// was begun goes on to its end.
func NewPool(args ...string) *Pool {
	return &Pool{command: args, slots: make(chan struct{}, limits.MaxReaders)}
}

// Parse is the function Parse. The error is ctx's, ErrBusy, or that the machine cannot start a process.
func (p *Pool) Parse(ctx context.Context, name string, data []byte, o Options) ([]knowledge.Row, []knowledge.Problem, error) {
	a, err := p.ask(ctx, request{Name: name, Options: o}, data)
	return a.rows, a.problems, err
}

// Look is the function Look, with the errors of Parse.
func (p *Pool) Look(ctx context.Context, name string, data []byte, o Options) (Table, bool, error) {
	a, err := p.ask(ctx, request{Name: name, Options: o, Look: true}, data)
	if a.table == nil {
		return Table{}, false, err
	}
	return *a.table, true, err
}

// A request is what a reader's standard input begins with, as one line of JSON. The file follows.
type request struct {
	Name    string
	Options Options
	Look    bool
	Size    int // bytes of the file
}

// A reply is one line of a reader's standard output.
type reply struct {
	Row     *knowledge.Row     `json:",omitempty"`
	Problem *knowledge.Problem `json:",omitempty"`
	Table   *Table             `json:",omitempty"`
	End     bool               `json:",omitempty"` // nothing is missing
}

// An answer is all that a reader says of a file.
type answer struct {
	rows     []knowledge.Row
	problems []knowledge.Problem
	table    *Table
}

// read answers r in this process.
func (r request) read(data []byte) (a answer) {
	if !r.Look {
		a.rows, a.problems = Parse(r.Name, data, r.Options)
	} else if t, ok := Look(r.Name, data, r.Options); ok {
		a.table = &t
	}
	return a
}

func (p *Pool) ask(ctx context.Context, r request, data []byte) (answer, error) {
	if len(data) > limits.MaxFile {
		return r.read(data), nil // says so at once
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return answer{}, ctx.Err()
	case <-time.After(limits.MaxWait):
		return answer{}, ErrBusy
	}
	release := sync.OnceFunc(func() { <-p.slots })
	if len(p.command) > 0 {
		a, started, err := p.askProcess(ctx, r, data)
		if started {
			release()
			return a, err
		}
	}
	done := make(chan answer, 1)
	go func() {
		defer release()
		done <- r.read(data)
	}()
	select {
	case a := <-done:
		return a, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// askProcess lets a process of its own read data. It reports whether one could be started.
func (p *Pool) askProcess(ctx context.Context, r request, data []byte) (a answer, started bool, err error) {
	limited, cancel := context.WithTimeout(ctx, limits.MaxReading)
	defer cancel()
	cmd := exec.CommandContext(limited, executable(), p.command...)
	cmd.Args[0] = "faqbot"
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"} // no secret of ours is needed to read a file
	cmd.WaitDelay = time.Second
	bind(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return a, false, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return a, false, err
	}
	if err := cmd.Start(); err != nil {
		return a, false, err
	}
	r.Size = len(data)
	go func() { // what it does not take is told by its end
		head, _ := json.Marshal(r)
		_, _ = in.Write(append(head, '\n'))
		_, _ = in.Write(data)
	}()
	a, whole := collect(io.LimitReader(out, limits.MaxOutput))
	if !whole {
		cancel() // it has said more than it may, or has ended
	}
	_ = in.Close() // until here an open input meant that somebody waits
	err = cmd.Wait()
	switch {
	case whole:
		return a, true, nil
	case ctx.Err() != nil:
		return answer{}, true, ctx.Err()
	}
	return answer{problems: fatal(whyEnded(limited, cmd, err))}, true, nil
}

// collect reads what a reader says, and reports whether it said all.
func collect(out io.Reader) (a answer, whole bool) {
	dec := json.NewDecoder(bufio.NewReaderSize(out, 64<<10))
	for {
		var line reply
		switch err := dec.Decode(&line); {
		case err != nil:
			return answer{}, false
		case line.Row != nil:
			a.rows = append(a.rows, *line.Row)
		case line.Problem != nil:
			a.problems = append(a.problems, *line.Problem)
		case line.Table != nil:
			a.table = line.Table
		case line.End:
			return a, true
		}
	}
}

// Exit codes of a reader that gives up; 2 is Go's own for a panic and for memory that the system refuses.
const exitMemory = 3

// whyEnded says what to do about a file that ended its reader.
func whyEnded(limited context.Context, cmd *exec.Cmd, err error) string {
	state := cmd.ProcessState
	const rounding = time.Second // the kernel ends a process by its own count, which is ahead of the one it reports
	switch {
	case errors.Is(limited.Err(), context.DeadlineExceeded), state != nil && state.UserTime()+state.SystemTime() >= limits.MaxProcessing-rounding:
		return fmt.Sprintf("The file takes more than %d seconds to read. Split it, or save it as CSV with the questions and answers alone.", int(limits.MaxProcessing.Seconds()))
	case err != nil && state != nil && state.ExitCode() == exitMemory:
		return fmt.Sprintf("The file needs more than %d MB of memory to be read. Split it, or save it as CSV with the questions and answers alone.", limits.MaxMemory>>20)
	}
	return "The file cannot be read: it makes the program that reads it fail. Save it again, or as CSV."
}

// Serve is a reader: it answers the one request on in. It ends the process if that needs more memory than
// limits.MaxMemory, or if in ends, which means that nobody waits any more.
func Serve(in io.Reader, out io.Writer) error {
	confine()
	buffered := bufio.NewReader(in)
	head, err := buffered.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	var r request
	if err := json.Unmarshal(head, &r); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if r.Size < 0 || r.Size > limits.MaxFile {
		return fmt.Errorf("a file of %d bytes is not read", r.Size)
	}
	data := make([]byte, r.Size)
	if _, err := io.ReadFull(buffered, data); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	go endWith(buffered)
	return r.read(data).write(out)
}

func (a answer) write(out io.Writer) error {
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range a.rows {
		if err := enc.Encode(reply{Row: &a.rows[i]}); err != nil {
			return err
		}
	}
	for i := range a.problems {
		if err := enc.Encode(reply{Problem: &a.problems[i]}); err != nil {
			return err
		}
	}
	if a.table != nil {
		if err := enc.Encode(reply{Table: a.table}); err != nil {
			return err
		}
	}
	if err := enc.Encode(reply{End: true}); err != nil {
		return err
	}
	return w.Flush()
}
