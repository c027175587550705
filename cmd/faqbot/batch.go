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
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/knowledge"
)

// longestRow is the most bytes of one row of a batch.
const longestRow = 4 << 20

// A batchRow is what one query led to. Its fields are a contract.
type batchRow struct {
	ID          string              `json:"id"`
	Action      string              `json:"action"`      // answer, clarify, handoff, ignore
	Entry       knowledge.EntryID   `json:"entry"`       // the answered entry, "" if none
	Probability float64             `json:"probability"` // of the best-ranked entry, whatever the action
	Ranked      []rankedEntry       `json:"ranked"`      // at most 10, best first; never empty when there are entries
	Choices     []knowledge.EntryID `json:"choices"`     // the entries offered
	TookUS      int64               `json:"took_us"`     // microseconds
	Signals     []string            `json:"signals"`     // what the words showed: greeting, complaint, urgent, …
}

type rankedEntry struct {
	Entry       knowledge.EntryID `json:"entry"`
	Probability float64           `json:"probability"`
}

const rankedMost = 10

// readQueries reads all rows of a batch, or says which is wrong.
func readQueries(path string) (list []query, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the batch: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), longestRow)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\xEF\xBB\xBF")))
		if len(line) == 0 {
			continue
		}
		var q query
		if err := json.Unmarshal(line, &q); err != nil {
			return nil, fmt.Errorf(`%s, line %d: %w; a row is {"id":"…","text":"…"}`, path, n, err)
		}
		list = append(list, q)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s, line %d: the row is longer than %d MiB", path, len(list)+1, longestRow>>20)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the batch: %w", err)
	}
	return list, nil
}

// batch asks all queries on all cores and writes one row each, in order. The file appears whole or
// not at all.
func (a *asker) batch(ctx context.Context, queries []query, path string, term terminal) error {
	rows := make([]batchRow, len(queries))
	progress := newProgress(term.err, "asking")
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(queries) {
					return nil
				}
				o, took, err := a.ask(ctx, queries[i])
				if err != nil {
					return fmt.Errorf("query %s: %w", queries[i].ID, err)
				}
				rows[i] = a.row(queries[i].ID, o)
				rows[i].TookUS = took.Microseconds()
				progress.set(int(done.Add(1)), len(queries))
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return writeRows(rows, path, term.out)
}

func (a *asker) row(id string, o bot.Outcome) batchRow {
	r := batchRow{ID: id, Action: string(o.Decision.Action), Ranked: []rankedEntry{}, Choices: []knowledge.EntryID{}, Signals: append([]string{}, o.Trace.Signals...)}
	for _, h := range o.Trace.Hits {
		if len(r.Ranked) < rankedMost {
			r.Ranked = append(r.Ranked, rankedEntry{h.Entry, h.Score})
		}
	}
	if len(r.Ranked) == 0 { // no words to rank by: any entry is as good as another
		for _, e := range a.all[:min(len(a.all), rankedMost)] {
			r.Ranked = append(r.Ranked, rankedEntry{e.ID, 0})
		}
	}
	if len(r.Ranked) > 0 {
		r.Probability = r.Ranked[0].Probability
	}
	switch {
	case o.Decision.Action == bot.ActionAnswer && len(o.Decision.Entries) > 0:
		r.Entry = o.Decision.Entries[0]
	case o.Decision.Action == bot.ActionClarify:
		r.Choices = append(r.Choices, o.Decision.Entries...)
	}
	return r
}

// writeRows writes rows as JSON Lines to path, or to out if path is "".
func writeRows(rows []batchRow, path string, out io.Writer) error {
	if path == "" {
		return encodeRows(out, rows)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".faqbot-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = errors.Join(encodeRows(f, rows), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

func encodeRows(w io.Writer, rows []batchRow) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for _, r := range rows {
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
