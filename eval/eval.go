// Package eval says how well the service answers: it asks the engine that serves customers the
// questions of a data set, compares what it did with what was wanted, and puts numbers with
// intervals on the difference. It also fits what the search ships with, from the same sets.
//
// It reads data sets from folders and keeps nothing. It does not decide, search or serve.
package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/jsonl"
	"faqbot/knowledge/limits"
)

// A Case is a question and what should come of it.
type Case struct {
	ID       string
	Text     string
	Context  []string            // what the customer said before, oldest first
	Lang     string              // BCP 47, "" if not said
	Relevant []knowledge.EntryID // the entries that answer it; none means out of scope
	Kind     string              // what sort of question, like "ood-oos"
	Tags     []string
	Dialog   string // cases of one dialogue, or of one entry, are not independent of each other
	Weight   int    // how often the case counts; 0 is once
	NoSearch bool   // about something else than answers, like small talk: figures of search leave it out
}

// InScope reports whether an entry answers c.
func (c Case) InScope() bool { return len(c.Relevant) > 0 }

// A Set is entries and questions about them.
type Set struct {
	Name    string
	Entries []knowledge.Entry // with IDs as in the file
	Cases   []Case
}

// affiliate is whose entries an Asker answers from.
const affiliate knowledge.AffiliateID = "eval"

// ReadSet reads a set in the two-file format: faq is any file that import reads, queries is JSON
// Lines: {"id","text","relevant":[entry IDs]} with [] for out of scope, optionally "lang",
// "context":[…], "kind", "tags":[…] (or a string of one-letter tags), "dialog". Other fields are
// ignored. Whatever would make a case mean something else than was written is an error that names
// the file and the line.
func ReadSet(name, faq, queries string) (Set, error) {
	s := Set{Name: name}
	var err error
	if s.Entries, err = ReadEntries(faq); err != nil {
		return Set{}, err
	}
	known := make(map[knowledge.EntryID]bool, len(s.Entries))
	for _, e := range s.Entries {
		known[e.ID] = true
	}
	if s.Cases, err = readCases(queries, known); err != nil {
		return Set{}, err
	}
	return s, nil
}

// ReadEntries reads a FAQ file; entries need no answer, and have their IDs from the file.
func ReadEntries(path string) ([]knowledge.Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, limits.MaxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	rows, problems := faqfile.Parse(filepath.Base(path), data, faqfile.Options{Trial: true})
	for _, p := range problems {
		if p.Fatal || p.Lost {
			return nil, fmt.Errorf("%s, line %d: %s", path, p.Line, p.Text)
		}
	}
	entries := make([]knowledge.Entry, len(rows))
	for i, r := range rows {
		r.ID = knowledge.EntryID(r.Key)
		entries[i] = r.Entry
	}
	return entries, nil
}

// A caseRow is a case as a file has it.
type caseRow struct {
	ID       string              `json:"id"`
	Text     string              `json:"text"`
	Context  []string            `json:"context"`
	Lang     string              `json:"lang"`
	Relevant []knowledge.EntryID `json:"relevant"`
	Kind     string              `json:"kind"`
	Tags     tags                `json:"tags"`
	Dialog   string              `json:"dialog"`
}

// tags are a list, or a string of one-letter tags.
type tags []string

func (t *tags) UnmarshalJSON(raw []byte) error {
	var letters string
	if json.Unmarshal(raw, &letters) == nil {
		*t = strings.Split(letters, "")
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New(`"tags" is neither a list of strings nor a string`)
	}
	*t = list
	return nil
}

func readCases(path string, known map[knowledge.EntryID]bool) ([]Case, error) {
	var cases []Case
	seen := make(map[string]int)
	err := jsonl.Read(path, func(line int, r caseRow) error {
		switch first, again := seen[r.ID]; {
		case r.ID == "":
			return errors.New(`"id" is missing; a row is {"id":"…","text":"…","relevant":["…"]}`)
		case again:
			return fmt.Errorf("the id %q stood on line %d before; give each query its own", r.ID, first)
		case strings.TrimSpace(r.Text) == "":
			return errors.New(`"text" is missing or empty`)
		case r.Relevant == nil:
			return errors.New(`"relevant" is missing; write [] for a query that no entry answers`)
		}
		seen[r.ID] = line
		for _, id := range r.Relevant {
			if !known[id] {
				return fmt.Errorf("%q in \"relevant\" is not the id of an entry", id)
			}
		}
		cases = append(cases, r.plain())
		return nil
	})
	if err == nil && len(cases) == 0 {
		err = fmt.Errorf("%s has no rows", path)
	}
	return cases, err
}

func (r caseRow) plain() Case {
	return Case{ID: r.ID, Text: r.Text, Context: r.Context, Lang: r.Lang, Relevant: r.Relevant,
		Kind: r.Kind, Tags: r.Tags, Dialog: r.Dialog}
}
