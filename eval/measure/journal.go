package measure

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"faqbot/knowledge"
)

// A Journal keeps the finished cases of a run, so that an interrupted run goes on where it stopped. Add is called by
// several goroutines.
type Journal interface {
	Begin(ctx context.Context, run string) (map[string]Finished, error) // returns those of that run, by case ID, and drops those of another
	Add(context.Context, Finished) error
	Close(context.Context) error
}

// FileJournal is a Journal in a file, a line for each case. The first line says of which run it is.
type FileJournal struct {
	path string
	mu   sync.Mutex
	file *os.File
	done map[string]Finished
	n    int
}

var _ Journal = (*FileJournal)(nil)

// NewFileJournal is the journal at path. Nothing is written until a run begins.
func NewFileJournal(path string) *FileJournal { return &FileJournal{path: path} }

// Begin opens the file.
func (j *FileJournal) Begin(_ context.Context, run string) (map[string]Finished, error) {
	j.done = map[string]Finished{}
	whole, err := j.load(run)
	if err != nil {
		return nil, fmt.Errorf("read the cases that were asked before: %w", err)
	}
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("keep the finished cases: %w", err)
	}
	err = j.file.Truncate(whole)
	if err == nil {
		_, err = j.file.Seek(whole, 0)
	}
	if err == nil && whole == 0 {
		err = j.write(run)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the finished cases: %w", errors.Join(err, j.file.Close()))
	}
	j.n = len(j.done)
	return j.done, nil
}

// load reads what is there of a run and returns how many bytes are whole lines: a process that was killed may have
// left a part of one.
func (j *FileJournal) load(run string) (whole int64, err error) {
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return whole, nil // the end, or a part of a line
		}
		var of string
		var one Finished
		switch {
		case whole == 0 && (json.Unmarshal(line, &of) != nil || of != run):
			return 0, nil
		case whole == 0:
		case json.Unmarshal(line, &one) != nil:
			return whole, nil
		default:
			j.done[one.Row.ID] = one
		}
		whole += int64(len(line))
	}
}

func (j *FileJournal) write(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	return err
}

// Add keeps a finished case.
func (j *FileJournal) Add(_ context.Context, one Finished) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.n++
	return j.write(one)
}

// Close closes the file, which stays until Remove.
func (j *FileJournal) Close(context.Context) error { return j.file.Close() }

// Kept says that the run can go on, "" if it cannot.
func (j *FileJournal) Kept() string {
	if j.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d finished cases are kept in %s: the same command goes on from there", j.n, j.path)
}

// Remove removes the file, once the report is safe.
func (j *FileJournal) Remove() error {
	if err := os.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the finished cases: %w", err)
	}
	return nil
}

// digestOf changes with anything in entries.
func digestOf(entries []knowledge.Entry) string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(entries) // a hash takes everything, and entries are plain data
	return hex.EncodeToString(h.Sum(nil))[:16]
}
