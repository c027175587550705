package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/jsonl"
)

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

// A query is one row of a batch, as a file or the API has it.
type query struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Lang    string   `json:"lang"`
	Context []string `json:"context"` // what was said before, oldest first
}

func (q query) question() dialogue.Question {
	return dialogue.Question{ID: q.ID, Text: q.Text, Locale: q.Lang, Said: q.Context}
}

// readQueries reads all rows of a batch, or says which is wrong.
func readQueries(path string) (list []dialogue.Question, err error) {
	err = jsonl.Read(path, func(_ int, q query) error {
		list = append(list, q.question())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf(`%w; a row is {"id":"…","text":"…"}`, err)
	}
	return list, nil
}

// batch asks all queries on all cores and writes one row each, in order. The file appears whole or
// not at all.
func (a *asker) batch(ctx context.Context, queries []dialogue.Question, path string, term terminal) error {
	progress := newProgress(term.err, "asking")
	results, err := a.AskAll(ctx, queries, func(done int) { progress.set(done, len(queries)) })
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return encodeRows(w, results, a.all) }
	if path == "" {
		return write(term.out)
	}
	return writeWhole(path, write)
}

// rowOf is what r led to; where nothing could be ranked, any of all is as good as another.
func rowOf(r dialogue.Answer, all []knowledge.Entry) batchRow {
	o := r.Outcome
	row := batchRow{ID: r.Question.ID, Action: string(o.Decision.Action), Probability: r.Probability(), Ranked: []rankedEntry{}, Choices: []knowledge.EntryID{},
		TookUS: r.Took.Microseconds(), Signals: append([]string{}, o.Trace.Signals...)}
	for _, h := range r.Ranked[:min(len(r.Ranked), rankedMost)] {
		row.Ranked = append(row.Ranked, rankedEntry(h))
	}
	if len(row.Ranked) == 0 {
		for _, e := range all[:min(len(all), rankedMost)] {
			row.Ranked = append(row.Ranked, rankedEntry{e.ID, 0})
		}
	}
	switch {
	case o.Decision.Action == bot.ActionAnswer && len(o.Decision.Entries) > 0:
		row.Entry = o.Decision.Entries[0]
	case o.Decision.Action == bot.ActionClarify:
		row.Choices = append(row.Choices, o.Decision.Entries...)
	}
	return row
}

// encodeRows writes a row for each result as JSON Lines.
func encodeRows(w io.Writer, results []dialogue.Answer, all []knowledge.Entry) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, r := range results {
		if err := encoder.Encode(rowOf(r, all)); err != nil {
			return err
		}
	}
	return nil
}
