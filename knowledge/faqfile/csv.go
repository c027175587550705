package faqfile

import (
	"fmt"
	"strings"

	"faqbot/knowledge/limits"
)

// readText reads a table in plain text. See readTable for enough.
func readText(b *builder, text string, enough float64) {
	r := newCSV(text, 0)
	if first, rest, ok := strings.Cut(text, "\n"); ok && len(first) == 5 && strings.HasPrefix(strings.ToLower(first), "sep=") {
		r = csv{text: rest, line: 2, comma: first[4]} // Excel's way to say it
	}
	if r.comma == 0 {
		d := b
		if len(b.o.Reading.Columns) > 0 {
			d = newBuilder(Options{Trial: b.o.Trial}) // as Look saw it
		}
		r.comma = d.delimiter(text)
	}
	records := r.records(headerRows + limits.MaxRows + 1)
	if r.kept > limits.MaxCells {
		b.stop(fmt.Sprintf("The table has more than %d cells. Keep only the questions and their columns.", limits.MaxCells))
		return
	}
	if r.unclosed > unclosedMax {
		b.stop(fmt.Sprintf("On more than %d lines a cell begins with a double quote that is never closed, the last on line %d. Save the table as CSV again.",
			unclosedMax, r.line))
		return
	}
	b.comma = r.comma
	b.readTable(records, enough, true)
}

// delimiter returns what separates the cells of text: where a header can be read with it or, without
// one, what gives the most rows the same number of cells.
func (b *builder) delimiter(text string) byte {
	best, most := byte(','), 0.0
	for _, comma := range []byte(",;\t|") {
		sample := newCSV(text[:min(len(text), 1<<16)], comma)
		records := sample.records(50)
		score := 0.0
		if _, l, ok := b.findHeader(records); ok {
			score = float64(l.found)
		} else {
			score = consistency(records)
		}
		if score > most {
			best, most = comma, score
		}
	}
	return best
}

// consistency is the share of records that have the commonest number of cells, 0 if that is one.
func consistency(records []record) float64 {
	count := make(map[int]int)
	for _, r := range records {
		if r.width() > 1 {
			count[r.width()]++
		}
	}
	most := 0
	for _, n := range count {
		most = max(most, n)
	}
	return float64(most) / float64(max(1, len(records)))
}

// A csv reads delimited text as spreadsheets and people write it, which encoding/csv does not
// tolerate: quotes inside cells, quotes never closed.
type csv struct {
	text     string
	comma    byte
	pos      int
	line     int // of pos
	unclosed int // quotes never closed so far
	kept     int // cells
	columns  int // cells of the first record with more than one
}

func newCSV(text string, comma byte) csv { return csv{text: text, comma: comma, line: 1} }

// unclosedMax bounds how often the end of a quoted cell is looked for in vain, limits.MaxCell bytes each time.
const unclosedMax = 100

// records reads up to n records that are not blank.
func (r *csv) records(n int) []record {
	var records []record
	for len(records) < n && r.pos < len(r.text) && r.unclosed <= unclosedMax && r.kept <= limits.MaxCells {
		if next := r.record(); !next.blank() {
			next.limit()
			r.kept += len(next.cells)
			if r.columns == 0 && len(next.cells) > 1 {
				r.columns = len(next.cells)
			}
			records = append(records, next)
		}
	}
	return records
}

// record reads one record. There is text left.
func (r *csv) record() record {
	next, places := record{line: r.line}, 0
	for {
		start := r.pos
		for start < len(r.text) && r.text[start] == ' ' {
			start++
		}
		cell, ok := "", false
		if start < len(r.text) && r.text[start] == '"' && r.unclosed <= unclosedMax {
			if cell, ok = r.quoted(start + 1); !ok {
				r.unclosed++
				next.unsure = "A cell of the row begins with a double quote that is never closed. Check the row, and close the quote or remove it."
			}
		}
		if !ok {
			cell = r.bare()
		}
		if places++; places <= limits.MaxColumns {
			next.cells = append(next.cells, cell)
		} else if strings.TrimSpace(cell) != "" {
			next.more = places
		}
		if r.pos >= len(r.text) {
			return next
		}
		end := r.text[r.pos] == '\n'
		r.pos++
		if end {
			r.line++
			return next
		}
	}
}

// bare reads a cell without quotes up to the delimiter or the line's end.
func (r *csv) bare() string {
	start := r.pos
	for r.pos < len(r.text) && r.text[r.pos] != r.comma && r.text[r.pos] != '\n' {
		r.pos++
	}
	return r.text[start:r.pos]
}

// quoted reads a cell whose opening quote is before i, and leaves r where the cell ends. It reports
// false, and leaves r alone, if the cell has no closing quote: that is, none, or on a later line a
// quote that by its place can only open another cell, or that stands inside of a line while the lines before
// it are rows of the table.
func (r *csv) quoted(i int) (string, bool) {
	var cell strings.Builder
	lines, stray := 0, false
	start := i
	for ; i < len(r.text) && i-start <= limits.MaxCell; i++ {
		c := r.text[i]
		if c != '"' {
			if c == '\n' {
				lines++
			}
			cell.WriteByte(c)
			continue
		}
		if i+1 < len(r.text) && r.text[i+1] == '"' {
			cell.WriteByte('"')
			i++
			continue
		}
		end := i + 1
		for end < len(r.text) && r.text[end] == ' ' {
			end++
		}
		if end == len(r.text) || r.text[end] == r.comma || r.text[end] == '\n' {
			if stray && lines > 1 && r.rowsInside(r.text[start:i]) {
				return "", false
			}
			r.pos, r.line = end, r.line+lines
			return cell.String(), true
		}
		if before := strings.TrimRight(r.text[start:i], " "); lines > 0 && before != "" && (before[len(before)-1] == r.comma || before[len(before)-1] == '\n') {
			return "", false
		}
		cell.WriteByte('"') // a quote inside, not doubled
		stray = true
	}
	return "", false
}

// rowsInside reports whether most whole lines inside of a cell have as many cells as the table.
func (r *csv) rowsInside(cell string) bool {
	lines := strings.Split(cell, "\n")
	rows := 0
	for _, line := range lines[1:] {
		if strings.Count(line, string(r.comma)) == r.columns-1 {
			rows++
		}
	}
	return r.columns > 1 && rows*2 > len(lines)-1
}
