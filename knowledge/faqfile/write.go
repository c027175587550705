package faqfile

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge"
)

// CSV returns entries as a file that a spreadsheet shows and Parse reads back as they were. It begins
// with a byte order mark, without which Excel takes UTF-8 for something else.
//
// A cell that a spreadsheet would run as a formula gets an apostrophe in front. Parse takes it away
// again, but only in a table with all the columns that CSV writes: elsewhere an apostrophe is one.
func CSV(entries []knowledge.Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := stdcsv.NewWriter(&b)
	w.UseCRLF = false
	variants, most := make([][]string, len(entries)), 1
	for i, e := range entries {
		var err error
		if variants[i], err = variantCells(e.Variants); err != nil {
			return nil, err
		}
		most = max(most, len(variants[i]))
	}
	header := Fields()
	for i := 1; i < most; i++ {
		header = append(header, fmt.Sprintf("%s%d", columnName(colVariants), i+1))
	}
	if err := w.Write(header); err != nil {
		return nil, err
	}
	for i, e := range entries {
		list := append(variants[i], slices.Repeat([]string{""}, most-len(variants[i]))...)
		row := []string{e.Question, e.Answer, e.Key, e.Topic, list[0], e.Locale, stamp(e.From), stamp(e.To), mediaText(e.Media)}
		row = append(row, list[1:]...)
		for j, cell := range row {
			row[j] = guard(cell)
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// variantCells returns variants as JSON arrays, several where one would be more than a cell holds.
func variantCells(variants []string) ([]string, error) {
	const most = 25_000 // bytes; a spreadsheet's cell has 32,767 characters
	var cells []string
	for len(variants) > 0 {
		n, size := 0, 0
		for n < len(variants) && (n == 0 || size+len(variants[n]) < most) {
			size += 2*len(variants[n]) + 3
			n++
		}
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(variants[:n]); err != nil {
			return nil, err
		}
		cells, variants = append(cells, strings.TrimSpace(b.String())), variants[n:]
	}
	return cells, nil
}

// formula begins cells that some spreadsheet runs.
const formula = "=+-@＝＋－＠"

// dangerous reports whether a cell begins a formula, or with the apostrophes of one guarded before.
func dangerous(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.ContainsRune(formula, []rune(cut(bare, 1))[0])
}

func guard(cell string) string {
	if dangerous(cell) {
		return "'" + cell
	}
	return cell
}

// unguard takes away what guard put before cells.
func unguard(cells []string) []string {
	cells = slices.Clone(cells)
	for i, cell := range cells {
		if bare, ok := strings.CutPrefix(cell, "'"); ok && dangerous(cell) {
			cells[i] = bare
		}
	}
	return cells
}

// written reports whether a header is of a file that CSV wrote, whatever was added to it.
func written(header []string) bool {
	return !slices.ContainsFunc(Fields(), func(field string) bool { return !slices.Contains(header, field) })
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// A line is one entry in JSON Lines.
type line struct {
	Key      string   `json:"id"`
	Question string   `json:"question"`
	Answer   string   `json:"answer"`
	Topic    string   `json:"topic,omitempty"`
	Variants []string `json:"variants,omitempty"`
	Locale   string   `json:"locale,omitempty"`
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Media    []string `json:"media,omitempty"`
	Plain    bool     `json:"plain"` // the fields are text as customers read it, also where it looks like HTML
}

// JSONLines returns entries as a file that Parse reads back as they were.
func JSONLines(entries []knowledge.Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		err := enc.Encode(line{Key: e.Key, Question: e.Question, Answer: e.Answer, Topic: e.Topic, Variants: e.Variants,
			Locale: e.Locale, From: stamp(e.From), To: stamp(e.To), Media: marks(e.Media), Plain: true})
		if err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
