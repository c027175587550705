package faqfile

import (
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// A record is one row of a table.
type record struct {
	line   int
	cells  []string // at most limits.MaxColumns
	more   int      // the place of the last cell behind those that is not empty, from 1
	unsure string   // what was odd about it
}

// blank reports whether a record says nothing: empty, or the rule under a Markdown table's header.
func (r record) blank() bool {
	return !slices.ContainsFunc(r.cells, func(cell string) bool { return strings.Trim(cell, "-: \t\n\u00a0") != "" })
}

// limit empties cells that are longer than any field may be, and says so.
func (r *record) limit() {
	for i, cell := range r.cells {
		if len(cell) > limits.MaxCell {
			r.cells[i] = ""
			r.unsure = fmt.Sprintf("Cell %d of the row has more than %d bytes and was left out. Shorten it, or make several rows of it.", i+1, limits.MaxCell)
		}
	}
}

// width is the number of cells up to the last one that is not empty.
func (r record) width() int {
	if r.more > 0 {
		return r.more
	}
	n := len(r.cells)
	for n > 0 && strings.TrimSpace(r.cells[n-1]) == "" {
		n--
	}
	return n
}

// headerRows is how far down a header is looked for, below titles and notes.
const headerRows = 20

// findHeader returns the place of the header among records: the first row that names a question
// and an answer, or only a question where answers are optional.
func (b *builder) findHeader(records []record) (int, layout, bool) {
	if len(b.places) > 0 { // somebody said what is where
		i := headerGuess(b.names, records)
		l := layOut(b.names, b.places, nil)
		if !b.o.Reading.Headless && len(records) > 0 {
			l = layOut(b.names, b.places, records[i].cells)
		} else {
			i = -1
		}
		return i, l, l.has(colQuestion) && l.has(colAnswer)
	}
	head := records[:min(len(records), headerRows)]
	for i, r := range head {
		if l := b.layOut(r.cells); l.has(colQuestion) && l.has(colAnswer) {
			return i, l, true
		}
	}
	if b.o.Trial {
		for i, r := range head {
			if l := b.layOut(r.cells); l.has(colQuestion) {
				return i, l, true
			}
		}
	}
	return 0, layout{}, false
}

func (b *builder) layOut(cells []string) layout { return layOut(b.names, b.places, cells) }

// headerGuess is the place of what is most like a header among records: the row with the most known
// names or else the first with two cells or more.
func headerGuess(names map[string]known, records []record) int {
	best, most := -1, 0
	for i, r := range records[:min(len(records), headerRows)] {
		if found := layOut(names, nil, r.cells).found; found > most || best < 0 && r.width() > 1 {
			best, most = i, found
		}
	}
	return max(best, 0)
}

// How much must speak for a table without a header: the share of rows that have a question and an
// answer.
const (
	guessMost  = 0.5 // the file calls itself a table
	guessAll   = 1.0 // it may be a letter
	guessNever = 2.0
)

// readTable reads records, none of them blank. enough says when a table may do without a header.
// ragged means that a row may have fallen apart into too many cells, as it may where a delimiter
// separates them.
func (b *builder) readTable(records []record, enough float64, ragged bool) {
	if b.look != nil {
		b.look(records)
		return
	}
	header, l, ok := b.findHeader(records)
	if !ok {
		if l, ok = b.guess(records, enough); !ok {
			b.stopTable(records)
			return
		}
		header = -1
	}
	width := 3
	if header >= 0 {
		width = len(records[header].cells)
	} else if len(b.places) > 0 {
		ragged = false
	}
	own := header >= 0 && written(records[header].cells)
	for _, r := range records[header+1:] {
		if own {
			r.cells = unguard(r.cells)
		}
		if header >= 0 && slices.Equal(r.cells, records[header].cells) {
			continue // files joined end to end
		}
		f := l.fields(r)
		if n := r.width(); ragged && n > width {
			f.useless = fmt.Sprintf("The row has %d cells, but there are %d columns. Put cells that contain the delimiter in double quotes.", n, width)
		}
		if !b.add(f) {
			return
		}
	}
}

// fields sorts the cells of r into fields.
func (l layout) fields(r record) fields {
	f := fields{line: r.line, unsure: r.unsure}
	for c, i := range l.cell {
		if i >= 0 && i < len(r.cells) {
			f.text[c] = r.cells[i]
		}
	}
	for _, i := range l.variants {
		if i < len(r.cells) {
			f.variants = append(f.variants, splitVariants(r.cells[i])...)
		}
	}
	for _, i := range l.media {
		if i < len(r.cells) {
			f.text[colMedia] += "\n" + r.cells[i]
		}
	}
	return f
}

// guess lays out a table without a header: two columns are question and answer, a third is the
// topic, or the first is the id if it never has a space. It says so in a problem.
func (b *builder) guess(records []record, enough float64) (layout, bool) {
	width, full, ids := 0, 0, true
	for _, r := range records {
		if width = max(width, r.width()); width > 3 {
			return layout{}, false
		}
		if l := b.layOut(r.cells); l.has(colQuestion) || l.has(colAnswer) {
			return layout{}, false // a header, but not a whole one
		}
		if len(r.cells) > 1 && strings.TrimSpace(r.cells[0]) != "" && strings.TrimSpace(r.cells[1]) != "" {
			full++
		}
		ids = ids && !strings.Contains(strings.TrimSpace(r.cells[0]), " ")
	}
	if width < 2 || width > 3 || float64(full) < enough*float64(len(records)) {
		return layout{}, false
	}
	order := []column{colQuestion, colAnswer, colTopic}[:width]
	if width == 3 && ids {
		order = []column{colKey, colQuestion, colAnswer}
	}
	l := b.layOut(nil)
	var said []string
	for i, c := range order {
		l.cell[c] = i
		said = append(said, columnName(c))
	}
	b.problem(knowledge.Problem{Text: fmt.Sprintf("There is no row with column names, so the columns were taken to be %s. If that is wrong, name them in the first row.",
		strings.Join(said, ", "))})
	return l, true
}

// stopTable says which columns were found and which are expected.
func (b *builder) stopTable(records []record) {
	if len(records) == 0 {
		b.stop("The table is empty. Put the column names in the first row and one question in each row below.")
		return
	}
	best := records[headerGuess(b.names, records)]
	var cells []string
	for _, cell := range best.cells {
		if cell = oneLine(cell); cell != "" {
			cells = append(cells, cut(cell, 20))
		}
	}
	missing := "columns for the question and the answer"
	switch l := b.layOut(best.cells); {
	case l.has(colQuestion):
		missing = "a column for the answer"
	case l.has(colAnswer):
		missing = "a column for the question"
	}
	b.stop(fmt.Sprintf("The table lacks %s. The columns found: %s. Name them question and answer and, if you have them, %s.",
		missing, quote(strings.Join(cells, ", ")), "id, topic, variants, locale, from, to, media"))
}
