// Package suite reads, checks and writes suites: questions with their expected outcomes, as teams keep
// them beside their FAQ. A suite is YAML, JSON Lines, a table (CSV, TSV, XLSX), the two files of a set,
// or TREC qrels with their topics; each is read strictly, and every problem names its file and line.
//
// It asks nothing and computes no figures: see eval/measure.
package suite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"faqbot/knowledge"
)

// A Suite is cases and what their figures must reach.
type Suite struct {
	Name  string
	FAQ   string   // the FAQ that the suite is about, "" if it names none
	Gates []string // conditions on figures, as measure.ParseGate reads them
	Cases []Case
}

// A Case is a conversation of a customer and the outcome that is expected at its end.
type Case struct {
	ID      string
	Turns   []Turn   // what the customer does; never empty. The last one is measured
	Context []string // what the customer said before, oldest first, without the bot's replies
	Lang    string   // BCP 47, "" if not known
	Tags    []string
	Kind    string // what sort of question, like "near miss"
	Group   string // cases of one group are not independent of each other; "" is a group of its own
	Weight  int    // how often the case counts, from 1
	Must    bool   // the run fails if this case fails
	Reword  []string
	Line    int // in its file
}

// A Turn is one message of the customer: words, or a tap on a button.
type Turn struct {
	Say    string
	Tap    string // the button: an entry's ID, a label, its number, or one of Taps
	Expect Expect
}

// Taps are the buttons that stand for no entry.
func Taps() []string { return []string{"none", "person", "again"} }

// Expect is the outcome that is right. Any of those named will do; the asserts on the reply must hold as
// well. The zero Expect takes anything.
type Expect struct {
	Answer    []knowledge.EntryID // one of these is given
	Clarify   []knowledge.EntryID // a menu offers all of these
	None      bool                // no entry answers: none is given
	Handoff   string              // a person is called for this reason; AnyReason: for any
	SmallTalk bool
	Silence   bool

	Reply []Assert
}

// AnyReason is a handoff for whatever reason.
const AnyReason = "any"

// An Assert is a condition on the words of the reply.
type Assert struct {
	Kind  string // one of AssertKinds
	Value string
}

// AssertKinds are the conditions that there are. Letter case counts only in regular expressions.
func AssertKinds() []string { return []string{"contains", "not_contains", "matches", "not_matches"} }

// Named reports whether e names an outcome.
func (e Expect) Named() bool {
	return len(e.Answer) > 0 || len(e.Clarify) > 0 || e.None || e.Handoff != "" || e.SmallTalk || e.Silence
}

// Last is the turn that is measured.
func (c Case) Last() Turn { return c.Turns[len(c.Turns)-1] }

// Relevant are the entries that answer the last turn; none if the case is out of scope, or about
// something else than answers.
func (c Case) Relevant() []knowledge.EntryID {
	e := c.Last().Expect
	all := slices.Clone(e.Answer)
	for _, id := range e.Clarify {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// NoSearch reports whether the case is neither in scope nor out of it: small talk, silence or a request for a
// person. Figures about search leave it out.
func (c Case) NoSearch() bool {
	e := c.Last().Expect
	return len(e.Answer) == 0 && len(e.Clarify) == 0 && !e.None
}

// Digest changes with anything in the cases that an answer may depend on.
func (s Suite) Digest() string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	for _, c := range s.Cases {
		c.Line = 0
		_ = encoder.Encode(c) // a hash takes everything, and a case is plain data
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// A Problem is something in a suite that must be fixed, or would better be.
type Problem struct {
	File    string
	Line    int // 0: the file as a whole
	Text    string
	Warning bool // the suite can be used as it is
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	}
	return fmt.Sprintf("%s, line %d: %s", p.File, p.Line, p.Text)
}

// Problems is the error of a suite that cannot be used.
type Problems []Problem

// Error has a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Extensions are the ends of the names of files that are suites.
func Extensions() []string {
	return []string{".yaml", ".yml", ".jsonl", ".csv", ".tsv", ".xlsx", ".qrels"}
}

// Read reads a suite from a file, by the end of its name, or from the folder of a set. An error that is
// Problems says what to fix.
func Read(path string) (Suite, error) {
	return (&reader{file: path, lines: map[string]int{}}).readWhole(path)
}

func (r *reader) readWhole(path string) (Suite, error) {
	s := Suite{Name: nameOf(path)}
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		err = r.yaml(path, &s)
	case ".jsonl":
		err = r.jsonLines(path, &s)
	case ".csv", ".tsv":
		err = r.delimited(path, &s)
	case ".xlsx":
		err = r.workbook(path, &s)
	case ".qrels":
		err = r.qrels(path, &s)
	case "":
		err = r.folder(path, &s)
	default:
		err = fmt.Errorf("%s: a suite is a folder with queries.jsonl, or a file that ends in %s", path, strings.Join(Extensions(), ", "))
	}
	switch {
	case err != nil:
		return Suite{}, err
	case len(r.problems) == 0 && len(s.Cases) == 0:
		r.problem(0, "it has no cases; a case is a question and its expected outcome")
	}
	if len(r.problems) > 0 {
		return Suite{}, r.problems
	}
	return s, nil
}

// FromRows is the suite of rows, each as EncodeCases gives it.
func FromRows(name string, rows []string) (Suite, error) {
	r := &reader{file: name, lines: map[string]int{}}
	s := Suite{Name: name}
	for i, row := range rows {
		v, err := parseJSON([]byte(row), i+1)
		if err != nil {
			return s, fmt.Errorf("case %d of %s: %w", i+1, name, err)
		}
		r.add(&s, v)
	}
	if len(r.problems) > 0 {
		return s, r.problems
	}
	return s, nil
}

// Parse is Read of a file that is at hand: YAML, JSON Lines or a table.
func Parse(name string, data []byte) (Suite, error) {
	if ext := strings.ToLower(filepath.Ext(name)); ext == "" || ext == ".qrels" {
		return Suite{}, Problems{{File: name, Text: "send YAML, JSON Lines, CSV, TSV or XLSX"}}
	}
	return (&reader{file: name, lines: map[string]int{}, data: data}).readWhole(name)
}

// nameOf is how reports call the suite in a file: the file's name, or the folder's for a file whose name
// is the same in each set.
func nameOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if name == "queries" {
		return filepath.Base(filepath.Dir(path))
	}
	return name
}
