package faqfile

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// A Table is what a file's columns look like to a person who is asked which is which.
type Table struct {
	Columns  []Column
	Headless bool // the first row looks like an entry
}

// A Column is one column of a Table.
type Column struct {
	Key     string   // for knowledge.Reading.Columns; "#2" where the header cannot tell it
	Header  string   // "" if it has none
	Field   string   // what it was taken for, "" if nothing
	Samples []string // of the first rows
}

// samples is how many rows are shown of a table, and sampleText how many characters of a cell.
const (
	samples    = 3
	sampleText = 120
	lookMost   = 60 // columns
)

// Fields returns the fields that a column may be, in the order of a form. The first two are needed.
func Fields() []string {
	return []string{"question", "answer", "id", "topic", "variants", "locale", "from", "to", "media", "follow_ups", "slug"}
}

// Look returns the columns of a file that is a table, or of a list of JSON objects. It reports false
// for anything else, and for a table of one column: there is nothing to choose.
func Look(name string, data []byte, o Options) (Table, bool) {
	var t Table
	b := newBuilder(Options{Trial: o.Trial})
	b.look = func(records []record) { t = b.lookAt(records) }
	switch {
	case len(data) > limits.MaxFile || binary(data) != "":
		return Table{}, false
	case isDocument(data):
		return Table{}, false
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		readWorkbook(data)(b)
	default:
		text, _ := decode(data, o.Reading.Encoding)
		ext := strings.ToLower(path.Ext(name))
		if looksMarkdown(text) && !slices.Contains([]string{".csv", ".tsv", ".tab", ".psv"}, ext) {
			return Table{}, false
		}
		readers(ext, text, true)[0](b)
	}
	for i, c := range t.Columns {
		if field := o.Reading.Columns[c.Key]; field != "" {
			t.Columns[i].Field = field
		} else if len(o.Reading.Columns) > 0 {
			t.Columns[i].Field = ""
		}
	}
	if len(o.Reading.Columns) > 0 {
		t.Headless = o.Reading.Headless
	}
	return t, len(t.Columns) > 1
}

// lookAt describes a table.
func (b *builder) lookAt(records []record) Table {
	var t Table
	if len(records) == 0 {
		return t
	}
	at := headerGuess(b.names, records)
	if header, _, ok := b.findHeader(records); ok {
		at = header
	}
	l := b.layOut(records[at].cells)
	t.Headless = l.found == 0 && looksAnswer(records[at])
	width := 0
	for _, r := range records[at:min(len(records), at+samples+1)] {
		width = max(width, r.width())
	}
	seen := make(map[string]bool)
	for i := range min(width, lookMost) {
		c := Column{Key: fmt.Sprintf("#%d", i+1)}
		if i < len(records[at].cells) {
			c.Header = oneLine(records[at].cells[i])
		}
		if name := normalHeader(c.Header); name != "" && !seen[name] && len(c.Header) <= 100 && !t.Headless && place(c.Header) < 0 {
			c.Key, seen[name] = c.Header, true
		}
		c.Field = l.field(i)
		for _, r := range records[min(len(records), at+1):min(len(records), at+1+samples)] {
			cell := ""
			if i < len(r.cells) {
				cell = short(r.cells[i])
			}
			c.Samples = append(c.Samples, cell)
		}
		c.Header = plaintext.Cut(c.Header, sampleText)
		t.Columns = append(t.Columns, c)
	}
	if !l.has(colQuestion) && !l.has(colAnswer) {
		t.preselect(records[min(len(records), at+1):])
	}
	return t
}

// preselect takes the column that asks most for the question, and of the others the one with the most text for
// the answer: nobody confirmed it yet, so it is only offered. What is called internal is neither.
func (t *Table) preselect(records []record) {
	asking, size := make([]int, len(t.Columns)), make([]int, len(t.Columns))
	for _, r := range records[:min(len(records), 100)] {
		for i, cell := range r.cells[:min(len(r.cells), len(t.Columns))] {
			if size[i] += len(cell); asks(cell) {
				asking[i]++
			}
		}
	}
	inside := func(header string) bool {
		return slices.ContainsFunc([]string{"intern", "note", "margin", "comment", "privat", "secret"}, func(s string) bool { return strings.Contains(normalHeader(header), s) })
	}
	question, answer := -1, -1
	for i, c := range t.Columns {
		if c.Field == "" && asking[i] > 0 && !inside(c.Header) && (question < 0 || asking[i] > asking[question]) {
			question = i
		}
	}
	for i, c := range t.Columns {
		if question >= 0 && i != question && c.Field == "" && !inside(c.Header) && (answer < 0 || size[i] > size[answer]) {
			answer = i
		}
	}
	if answer >= 0 {
		t.Columns[question].Field, t.Columns[answer].Field = columnName(colQuestion), columnName(colAnswer)
	}
}

// field returns the name of what a cell is, "" if nothing.
func (l tableLayout) field(cell int) string {
	for c, i := range l.cell {
		if i == cell && column(c) != colVariants {
			return columnName(column(c))
		}
	}
	if slices.Contains(l.variants, cell) {
		return columnName(colVariants)
	}
	if slices.Contains(l.media, cell) {
		return columnName(colMedia)
	}
	return ""
}

// looksAnswer reports whether a row is rather an entry than a header: it asks, or goes on and on.
func looksAnswer(r record) bool {
	return slices.ContainsFunc(r.cells, func(cell string) bool {
		return strings.ContainsAny(cell, "?？؟") || len(strings.Fields(cell)) > 6
	})
}

func short(cell string) string {
	cell = oneLine(cell)
	if s := plaintext.Cut(cell, sampleText); s != cell {
		return s + "…"
	}
	return cell
}

// lookAt describes the fields of a list of objects.
func (j *jsonFile) lookAt(entries []span) {
	var header []string
	place := make(map[string]int)
	var rows []record
	for _, s := range entries[:min(len(entries), samples)] {
		r := record{cells: slices.Repeat([]string{""}, lookMost)}
		for _, m := range j.members(s) {
			i, ok := place[normalHeader(m.name)]
			if !ok {
				i = len(header)
				if i == lookMost || normalHeader(m.name) == "" {
					continue
				}
				header = append(header, m.name)
				place[normalHeader(m.name)] = i
			}
			r.cells[i] = strings.Trim(j.of(m.value), `"`)
		}
		rows = append(rows, r)
	}
	j.b.look(append([]record{{cells: header}}, rows...))
}
