package suite

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
	"go.yaml.in/yaml/v3"

	"faqbot/knowledge"
)

// A row is a case as YAML and JSON have it.
type row struct {
	ID      string   `yaml:"id" json:"id"`
	Ask     string   `yaml:"ask,omitempty" json:"ask,omitempty"`
	Turns   []turn   `yaml:"turns,omitempty" json:"turns,omitempty"`
	Context []string `yaml:"context,omitempty,flow" json:"context,omitempty"`
	Lang    string   `yaml:"lang,omitempty" json:"lang,omitempty"`
	Tags    []string `yaml:"tags,omitempty,flow" json:"tags,omitempty"`
	Kind    string   `yaml:"kind,omitempty" json:"kind,omitempty"`
	Group   string   `yaml:"group,omitempty" json:"group,omitempty"`
	Weight  int      `yaml:"weight,omitempty" json:"weight,omitempty"`
	Must    bool     `yaml:"must,omitempty" json:"must,omitempty"`
	Reword  []string `yaml:"reword,omitempty" json:"reword,omitempty"`
	outcome `yaml:",inline"`
}

type turn struct {
	Ask     string `yaml:"ask,omitempty" json:"ask,omitempty"`
	Tap     string `yaml:"tap,omitempty" json:"tap,omitempty"`
	outcome `yaml:",inline"`
}

type outcome struct {
	Answer    []knowledge.EntryID `yaml:"answer,omitempty,flow" json:"answer,omitempty"`
	Clarify   []knowledge.EntryID `yaml:"clarify,omitempty,flow" json:"clarify,omitempty"`
	None      bool                `yaml:"none,omitempty" json:"none,omitempty"`
	Handoff   string              `yaml:"handoff,omitempty" json:"handoff,omitempty"`
	SmallTalk bool                `yaml:"smalltalk,omitempty" json:"smalltalk,omitempty"`
	Silence   bool                `yaml:"silence,omitempty" json:"silence,omitempty"`
	Reply     map[string][]string `yaml:"reply,omitempty" json:"reply,omitempty"`
}

func outcomeOf(e Expect) outcome {
	o := outcome{Answer: e.Answer, Clarify: e.Clarify, None: e.None, Handoff: e.Handoff, SmallTalk: e.SmallTalk, Silence: e.Silence}
	for _, a := range e.Reply {
		if o.Reply == nil {
			o.Reply = map[string][]string{}
		}
		o.Reply[a.Kind] = append(o.Reply[a.Kind], a.Value)
	}
	return o
}

func rowOf(c Case) row {
	r := row{ID: c.ID, Context: c.Context, Lang: c.Lang, Tags: c.Tags, Kind: c.Kind, Group: c.Group, Must: c.Must, Reword: c.Reword}
	if c.Weight > 1 {
		r.Weight = c.Weight
	}
	if len(c.Turns) == 1 && c.Turns[0].Tap == "" {
		r.Ask, r.outcome = c.Turns[0].Say, outcomeOf(c.Turns[0].Expect)
		return r
	}
	for _, t := range c.Turns {
		r.Turns = append(r.Turns, turn{t.Say, t.Tap, outcomeOf(t.Expect)})
	}
	return r
}

// Write writes s to a file in the format that the end of its name says. A case that the format cannot
// hold is an error.
func Write(path string, s Suite) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".yaml", ".yml":
		return create(path, s.WriteYAML)
	case ".jsonl":
		return create(path, s.writeJSONLines)
	case ".csv", ".tsv", ".xlsx":
		rows, err := s.rows()
		if err != nil {
			return err
		}
		if ext == ".xlsx" {
			return create(path, func(w io.Writer) error { return writeWorkbook(w, rows) })
		}
		return create(path, func(w io.Writer) error {
			c := csv.NewWriter(w)
			if ext == ".tsv" {
				c.Comma = '\t'
			}
			return c.WriteAll(rows)
		})
	case ".qrels":
		return s.writeQrels(path)
	}
	return fmt.Errorf("%s: the name of a suite ends in %s", path, strings.Join(Extensions(), ", "))
}

func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the suite: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("write the suite %s: %w", path, err)
	}
	return nil
}

// WriteYAML writes s as YAML, which holds every case.
func (s Suite) WriteYAML(w io.Writer) error {
	file := struct {
		FAQ   string   `yaml:"faq,omitempty"`
		Gates []string `yaml:"gates,omitempty"`
		Cases []row    `yaml:"cases"`
	}{FAQ: s.FAQ, Gates: s.Gates}
	for _, c := range s.Cases {
		file.Cases = append(file.Cases, rowOf(c))
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	return errors.Join(e.Encode(file), e.Close())
}

// EncodeCases are the cases as JSON, each as a line of a file has it.
func (s Suite) EncodeCases() ([]string, error) {
	rows := make([]string, len(s.Cases))
	for i, c := range s.Cases {
		row, err := json.Marshal(rowOf(c))
		if err != nil {
			return nil, fmt.Errorf("write case %q: %w", c.ID, err)
		}
		rows[i] = string(row)
	}
	return rows, nil
}

func (s Suite) writeJSONLines(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, c := range s.Cases {
		if err := e.Encode(rowOf(c)); err != nil {
			return err
		}
	}
	return nil
}

// rows are s as a table. Tables hold cases of one turn.
func (s Suite) rows() ([][]string, error) {
	rows := [][]string{{"id", "question", "answer", "clarify", "none", "handoff", "smalltalk", "silence", "contains", "not_contains", "matches", "not_matches",
		"context", "reword", "lang", "tags", "kind", "group", "weight", "must"}}
	for _, c := range s.Cases {
		if err := c.flat("a table"); err != nil {
			return nil, err
		}
		e := c.Last().Expect
		words := outcomeOf(e).Reply
		line := []string{c.ID, c.Last().Say, joined(names(e.Answer)), joined(names(e.Clarify)), mark(e.None), e.Handoff, mark(e.SmallTalk), mark(e.Silence)}
		for _, kind := range AssertKinds() {
			if len(words[kind]) > 1 {
				return nil, fmt.Errorf("case %q has several conditions of one kind on the reply; write YAML or JSON Lines", c.ID)
			}
			line = append(line, joined(words[kind]))
		}
		rows = append(rows, append(line, joined(c.Context), joined(c.Reword), c.Lang, joined(c.Tags), c.Kind, c.Group, strconv.Itoa(c.Weight), mark(c.Must)))
	}
	return rows, nil
}

// flat refuses a case that has more than one turn, or texts that would fall apart.
func (c Case) flat(what string) error {
	if len(c.Turns) > 1 || c.Last().Tap != "" {
		return fmt.Errorf("case %q has several turns or a tap, which %s cannot hold; write YAML or JSON Lines", c.ID, what)
	}
	for _, text := range append(append([]string{}, c.Context...), c.Reword...) {
		if strings.ContainsAny(text, ";\n") {
			return fmt.Errorf("case %q has a semicolon or a line break in a list, which %s cannot hold; write YAML or JSON Lines", c.ID, what)
		}
	}
	return nil
}

func names(ids []knowledge.EntryID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	return list
}

func joined(list []string) string { return strings.Join(list, "; ") }

func mark(yes bool) string {
	if yes {
		return "x"
	}
	return ""
}

func writeWorkbook(w io.Writer, rows [][]string) error {
	f := excelize.NewFile()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r); err != nil {
			return err
		}
	}
	return errors.Join(f.Write(w), f.Close())
}

// writeQrels writes judgements and, beside them, the questions. It holds what ranking needs, no more.
func (s Suite) writeQrels(path string) error {
	var judged, topics strings.Builder
	for _, c := range s.Cases {
		if err := c.flat("TREC qrels"); err != nil {
			return err
		}
		if c.NoSearch() {
			return fmt.Errorf("case %q expects no answer from the FAQ, which TREC qrels cannot hold; write YAML or JSON Lines", c.ID)
		}
		id, words := strings.Join(strings.Fields(c.ID), "_"), strings.Join(strings.Fields(c.Last().Say), " ")
		fmt.Fprintf(&topics, "%s\t%s\n", id, words)
		for _, entry := range c.Relevant() {
			fmt.Fprintf(&judged, "%s 0 %s 1\n", id, entry)
		}
	}
	for file, text := range map[string]string{path: judged.String(), topicsOf(path): topics.String()} {
		err := create(file, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
