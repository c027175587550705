package faqfile

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"faqbot/knowledge"
	"faqbot/knowledge/plaintext"
)

// A Format is one in which entries are written. Parse reads the file back as the entries were.
type Format struct {
	Extension string // of the file: ".csv"
	Type      string // media type
	Write     func(entries []knowledge.Entry) ([]byte, error)
}

// Formats are those that hold any entries in one file, the likeliest wish first.
func Formats() []Format {
	return []Format{
		{".csv", "text/csv; charset=utf-8", CSV},
		{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", XLSX},
		{".tsv", "text/tab-separated-values; charset=utf-8", TSV},
		{".json", "application/json", JSON},
		{".jsonl", "application/jsonl; charset=utf-8", JSONLines},
	}
}

// CSV returns entries as a file that a spreadsheet shows. It begins with a byte order mark, without which Excel takes
// UTF-8 for something else.
//
// A cell that a spreadsheet would run as a formula gets an apostrophe in front. Parse takes it away
// again, but only in a table with all the columns that a table of ours has: elsewhere an apostrophe is one.
func CSV(entries []knowledge.Entry) ([]byte, error) { return separated(entries, ',') }

// TSV is CSV with tabs.
func TSV(entries []knowledge.Entry) ([]byte, error) { return separated(entries, '\t') }

func separated(entries []knowledge.Entry, comma rune) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := stdcsv.NewWriter(&b)
	w.Comma = comma
	err := w.WriteAll(rowsOf(entries))
	return b.Bytes(), err
}

// XLSX returns entries as a workbook of one sheet, in which every cell is text.
func XLSX(entries []knowledge.Entry) (data []byte, err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	const sheet = "Sheet1"
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return nil, err
	}
	for i, row := range rowsOf(entries) {
		cells := make([]any, len(row))
		for j, cell := range row {
			cells[j] = cell
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// rowsOf are a header and a row for each entry.
func rowsOf(entries []knowledge.Entry) (rows [][]string) {
	variants, most := make([][]string, len(entries)), 1
	for i, e := range entries {
		variants[i] = variantCells(e.Variants)
		most = max(most, len(variants[i]))
	}
	header := Fields()
	for i := 1; i < most; i++ {
		header = append(header, fmt.Sprintf("%s%d", columnName(colVariants), i+1))
	}
	rows = append(rows, header)
	for i, e := range entries {
		list := append(variants[i], slices.Repeat([]string{""}, most-len(variants[i]))...)
		row := []string{e.Question, e.Answer, e.Key, e.Topic, list[0], e.Locale, stamp(e.From), stamp(e.To), mediaText(e.Media), jsonList(e.FollowUps), e.Slug}
		row = append(row, list[1:]...)
		for j, cell := range row {
			row[j] = guard(cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// variantCells returns variants as JSON arrays, several where one would be more than a cell holds.
func variantCells(variants []string) []string {
	const most = 25_000 // bytes; a spreadsheet's cell has 32,767 characters
	var cells []string
	for len(variants) > 0 {
		n, size := 0, 0
		for n < len(variants) && (n == 0 || size+len(variants[n]) < most) {
			size += 2*len(variants[n]) + 3
			n++
		}
		cells, variants = append(cells, jsonList(variants[:n])), variants[n:]
	}
	return cells
}

// jsonList is texts as a JSON array, "" for none. Texts always can be written so.
func jsonList(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(texts) // a list of strings cannot fail
	return strings.TrimSpace(b.String())
}

// formula begins cells that some spreadsheet runs.
const formula = "=+-@＝＋－＠"

// dangerous reports whether a cell begins a formula, or with the apostrophes of one guarded before.
func dangerous(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.ContainsRune(formula, []rune(plaintext.Cut(bare, 1))[0])
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

// written reports whether a header is of a table that we wrote, whatever was added to it.
func written(header []string) bool {
	const since = 9 // fields of the first tables of ours
	return !slices.ContainsFunc(Fields()[:since], func(field string) bool { return !slices.Contains(header, field) })
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// A line is one entry in JSON Lines.
type line struct {
	Key       string   `json:"id"`
	Question  string   `json:"question"`
	Answer    string   `json:"answer"`
	Topic     string   `json:"topic,omitempty"`
	Variants  []string `json:"variants,omitempty"`
	Locale    string   `json:"locale,omitempty"`
	From      string   `json:"from,omitempty"`
	To        string   `json:"to,omitempty"`
	Media     []string `json:"media,omitempty"`
	FollowUps []string `json:"follow_ups,omitempty"`
	Slug      string   `json:"slug,omitempty"`
	Plain     bool     `json:"plain"` // the fields are text as customers read it, also where it looks like HTML
}

func lineOf(e knowledge.Entry) line {
	return line{Key: e.Key, Question: e.Question, Answer: e.Answer, Topic: e.Topic, Variants: e.Variants,
		Locale: e.Locale, From: stamp(e.From), To: stamp(e.To), Media: marks(e.Media), FollowUps: e.FollowUps, Slug: e.Slug, Plain: true}
}

// JSONLines returns entries as an object in each line.
func JSONLines(entries []knowledge.Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		if err := enc.Encode(lineOf(e)); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// JSON returns entries as a list of objects.
func JSON(entries []knowledge.Entry) ([]byte, error) {
	list := []line{}
	for _, e := range entries {
		list = append(list, lineOf(e))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(list)
	return b.Bytes(), err
}
