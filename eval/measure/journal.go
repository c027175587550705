package measure

import (
	"bufio"
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

// A journal keeps the finished cases of a run in a file, a line each, so that an interrupted run goes on where it
// stopped. The first line says of which run it is.
type journal struct {
	path string
	mu   sync.Mutex
	file *os.File
	done map[string]finished // by case ID
	n    int
}

// openJournal opens the journal of a run; that of another run is begun anew.
func openJournal(path, run string) (*journal, error) {
	j := &journal{path: path, done: map[string]finished{}}
	if path == "" {
		return j, nil
	}
	whole, err := j.load(run)
	if err != nil {
		return nil, fmt.Errorf("read the cases that were asked before: %w", err)
	}
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
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
	return j, nil
}

// load reads what is there of a run and returns how many bytes are whole lines: a process that was killed may have
// left a part of one.
func (j *journal) load(run string) (whole int64, err error) {
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
		var one finished
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

func (j *journal) write(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	return err
}

// add keeps a finished case and returns how many there are.
func (j *journal) add(one finished) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.n++
	if j.file == nil {
		return j.n, nil
	}
	return j.n, j.write(one)
}

func (j *journal) close(err error) error {
	if j.file == nil {
		return err
	}
	return errors.Join(err, j.file.Close())
}

// kept says in an error that the run can go on.
func (j *journal) kept() string {
	if j.file == nil || j.n == 0 {
		return ""
	}
	return fmt.Sprintf("\n%d finished cases are kept in %s: the same command goes on from there", j.n, j.path)
}

func removeJournal(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
