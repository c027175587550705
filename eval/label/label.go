// Package label reads and writes sheets in which two people say what should come of questions, says how far they agree,
// and makes a suite of what is agreed or settled.
//
// It asks nothing: see eval/measure. Agreement is computed in package eval.
package label

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// A Row is a question with its labels. A label is the ID of an entry, several after each other of which one is right
// ("a; b"), "menu: a; b", or one of Words; "" if it is not labelled yet.
type Row struct {
	ID       string `json:"id"`
	Question string `json:"question"`
	Context  string `json:"context,omitempty"` // what was said before, a line each
	Lang     string `json:"lang,omitempty"`
	Group    string `json:"group,omitempty"`
	First    string `json:"first"`
	Second   string `json:"second"`
	Settled  string `json:"settled"` // where the two differ
	line     int
}

// Words are the labels that name no entry.
func Words() []string { return []string{"none", "person", "small talk", "silence"} }

// A Sheet is rows to be labelled.
type Sheet struct {
	file string
	Rows []Row
}

// columns are the fields of a row, in the order in which a table has them.
func (r *Row) columns() map[string]*string {
	return map[string]*string{"id": &r.ID, "question": &r.Question, "context": &r.Context, "lang": &r.Lang, "group": &r.Group, "first": &r.First, "second": &r.Second, "settled": &r.Settled}
}

func header() []string {
	return []string{"id", "question", "context", "lang", "group", "first", "second", "settled"}
}

// Read reads a sheet, CSV, TSV or JSON Lines, and refuses labels that mean nothing, or entries that are not there.
func Read(path string, entries []knowledge.Entry) (Sheet, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Sheet{}, fmt.Errorf("read the labels: %w", err)
	}
	s := Sheet{file: path}
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv":
		err = s.table(data)
	case ".jsonl":
		err = s.jsonLines(data)
	default:
		err = fmt.Errorf("%s: labels are in a file that ends in .csv, .tsv or .jsonl", path)
	}
	if err != nil {
		return s, err
	}
	return s, s.check(entries)
}

func (s *Sheet) table(data []byte) error {
	c := csv.NewReader(bytes.NewReader(data))
	c.FieldsPerRecord = -1
	head, _, _ := bytes.Cut(data, []byte("\n"))
	switch {
	case strings.EqualFold(filepath.Ext(s.file), ".tsv"):
		c.Comma, c.LazyQuotes = '\t', true
	case bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")):
		c.Comma = ';'
	}
	names, err := c.Read()
	if err != nil {
		return fmt.Errorf("%s, line 1: the first row names the columns: %s", s.file, strings.Join(header(), ", "))
	}
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSpace(names[i]))
	}
	for _, needed := range []string{"question", "first"} {
		if !slices.Contains(names, needed) {
			return fmt.Errorf("%s, line 1: there is no column %q; the first row names the columns: %s", s.file, needed, strings.Join(header(), ", "))
		}
	}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		var r Row
		r.line, _ = c.FieldPos(0)
		columns := r.columns()
		for i, cell := range cells {
			if i < len(names) && columns[names[i]] != nil { // others are for people
				*columns[names[i]] = strings.TrimSpace(cell)
			}
		}
		s.Rows = append(s.Rows, r)
	}
}

func (s *Sheet) jsonLines(data []byte) error {
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := Row{line: i + 1}
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s, line %d: this is no row of labels (%w); write {\"question\":\"…\",\"first\":\"…\",\"second\":\"…\"}", s.file, i+1, err)
		}
		s.Rows = append(s.Rows, r)
	}
	return nil
}

// check gives rows IDs and refuses what cannot be meant.
func (s *Sheet) check(entries []knowledge.Entry) error {
	known := map[knowledge.EntryID]bool{}
	for _, e := range entries {
		known[e.ID] = true
	}
	var wrong suite.Problems
	seen := map[string]int{}
	for i := range s.Rows {
		r := &s.Rows[i]
		if r.ID == "" {
			r.ID = r.Question
		}
		if r.Question == "" {
			wrong = append(wrong, suite.Problem{File: s.file, Line: r.line, Text: `there is no "question"; write one, or remove the row`})
		}
		if first := seen[r.ID]; first > 0 {
			wrong = append(wrong, suite.Problem{File: s.file, Line: r.line, Text: fmt.Sprintf("the id or question stood on line %d before; remove one", first)})
		}
		seen[r.ID] = r.line
		for _, label := range []*string{&r.First, &r.Second, &r.Settled} {
			e, canonical := meaning(*label)
			*label = canonical
			for _, id := range append(slices.Clone(e.Answer), e.Clarify...) {
				if !known[id] {
					wrong = append(wrong, suite.Problem{File: s.file, Line: r.line, Text: fmt.Sprintf("%q is neither the id of an entry nor one of %s", id, strings.Join(Words(), ", "))})
				}
			}
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// meaning is what a label says, and how it is written to be compared.
func meaning(label string) (e suite.Expect, canonical string) {
	label = strings.TrimSpace(label)
	switch strings.ToLower(label) {
	case "":
		return e, ""
	case "none":
		return suite.Expect{None: true}, "none"
	case "person":
		return suite.Expect{Handoff: suite.AnyReason}, "person"
	case "small talk", "smalltalk":
		return suite.Expect{SmallTalk: true}, "small talk"
	case "silence":
		return suite.Expect{Silence: true}, "silence"
	}
	list, menu := strings.CutPrefix(label, "menu:")
	var names []string
	for _, one := range strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == '\n' }) {
		if one = strings.TrimSpace(one); one != "" {
			names = append(names, one)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var ids []knowledge.EntryID
	for _, one := range names {
		ids = append(ids, knowledge.EntryID(one))
	}
	canonical = strings.Join(names, "; ")
	if menu {
		return suite.Expect{Clarify: ids}, "menu: " + canonical
	}
	return suite.Expect{Answer: ids}, canonical
}

// Both are the labels of the rows that both people labelled.
func (s Sheet) Both() (first, second []string) {
	for _, r := range s.Rows {
		if r.First != "" && r.Second != "" {
			first, second = append(first, r.First), append(second, r.Second)
		}
	}
	return first, second
}

// Differing are the rows on which the two differ and nobody has settled it.
func (s Sheet) Differing() (list []Row) {
	for _, r := range s.Rows {
		if r.First != "" && r.Second != "" && r.First != r.Second && r.Settled == "" {
			list = append(list, r)
		}
	}
	return list
}

// Suite is the rows that are settled, agreed on, or labelled by one person alone.
func (s Sheet) Suite(name string) suite.Suite {
	out := suite.Suite{Name: name}
	for _, r := range s.Rows {
		label := r.Settled
		if label == "" && (r.First == r.Second || r.Second == "") {
			label = r.First
		}
		if label == "" && r.First == "" {
			label = r.Second
		}
		if label == "" {
			continue
		}
		e, _ := meaning(label)
		c := suite.Case{ID: r.ID, Turns: []suite.Turn{{Say: r.Question, Expect: e}}, Lang: r.Lang, Group: r.Group, Weight: 1}
		for line := range strings.Lines(r.Context) {
			if line = strings.TrimSpace(line); line != "" {
				c.Context = append(c.Context, line)
			}
		}
		out.Cases = append(out.Cases, c)
	}
	return out
}

// Write writes rows as a sheet: CSV, TSV or JSON Lines, as the end of the file's name says.
func Write(w io.Writer, name string, rows []Row) error {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for _, r := range rows {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	case ".csv", ".tsv":
		c := csv.NewWriter(w)
		if strings.EqualFold(filepath.Ext(name), ".tsv") {
			c.Comma = '\t'
		}
		table := [][]string{header()}
		for _, r := range rows {
			columns, line := r.columns(), []string{}
			for _, name := range header() {
				line = append(line, *columns[name])
			}
			table = append(table, line)
		}
		return c.WriteAll(table)
	}
	return fmt.Errorf("%s: labels are in a file that ends in .csv, .tsv or .jsonl", name)
}
