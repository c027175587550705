// Package jsonl reads JSON Lines files: one JSON value a line. It is for files that people name on a
// command line, not for uploads, which faqfile bounds.
package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// maxRow is the most bytes of one row.
const maxRow = 4 << 20

// Read gives each row of a JSON Lines file to take. An error of it, or a row that cannot be
// read, is returned with the file and the line, from 1.
func Read[T any](path string, take func(line int, row T) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read a JSON Lines file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxRow)
	n := 1
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\xEF\xBB\xBF")))
		if len(line) == 0 {
			continue
		}
		var row T
		err := json.Unmarshal(line, &row)
		if err == nil {
			err = take(n, row)
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%s, line %d: the row is longer than %d MiB", path, n, maxRow>>20)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read a JSON Lines file: %w", err)
	}
	return nil
}
