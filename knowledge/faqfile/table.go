package faqfile

import (
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
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
func (b *builder) findHeader(records []record) (int, tableLayout, bool) {
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
	return 0, tableLayout{}, false
}

func (b *builder) layOut(cells []string) tableLayout { return layOut(b.names, b.places, cells) }

// headerGuess is the place of what is most like a header among records: the row with the most known
// names or else the first with two cells or more.
func headerGuess(names lexicon, records []record) int {
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
		if header, l, ok = b.guess(records, enough); !ok {
			b.stopTable(records)
			return
		}
	}
	width := 3
	if header >= 0 {
		width = len(records[header].cells)
	} else if len(b.places) > 0 {
		ragged = false
	}
	own := header >= 0 && written(records[header].cells)
	t := tableReader{b: b, tableLayout: l, own: own, topic: b.topic, wide: ragged, width: width}
	if header >= 0 {
		t.header = records[header].cells
	}
	t.rows = records[header+1:]
	t.read()
}

// A tableReader reads the rows below a header.
type tableReader struct {
	b *builder
	tableLayout
	header []string
	rows   []record
	own    bool   // of a file that CSV wrote
	topic  string // of rows that name none
	wide   bool   // a row with more cells than width fell apart
	width  int

	topics  []string // rows that were taken for topics
	apart   int      // rows that fell apart
	asking  int      // rows whose question ends in a question mark
	torn    int      // rows with more cells than columns
	filled  bool     // a row was added
	answers int      // rows that have an answer and nothing else: one alone may be a slip
}

func (t *tableReader) read() {
	t.count()
	first := ""
	for i, r := range t.rows {
		if t.own {
			r.cells = unguard(r.cells)
		}
		if t.isHeader(r) {
			continue // files joined end to end
		}
		if t.asking*2 >= len(t.rows)-len(t.topics) && t.isTopic(i) {
			t.topic = oneLine(strings.Join(r.cells, " "))
			t.topics = append(t.topics, t.topic)
			continue
		}
		if t.continues(r) {
			continue
		}
		joined := t.joinAnswer(&r)
		list := t.fields(r)
		if joined != "" && len(list) > 0 {
			list[0].unsure = joined
		}
		if n := r.width(); t.wide && n > t.width {
			list = list[:min(len(list), 1)]
			for j := range list {
				list[j].useless = fmt.Sprintf("The row has %d cells, but there are %d columns. Put cells that contain the delimiter in double quotes.", n, t.width)
			}
			if t.apart++; t.apart == 1 {
				first = fmt.Sprintf("line %d has %d cells, but there are %d columns", r.line, n, t.width)
			}
		}
		for _, f := range list {
			f.plain = t.own || t.b.ready
			if strings.TrimSpace(f.text[colTopic]) == "" {
				f.text[colTopic] = t.topic
			}
			if strings.TrimSpace(f.text[colLocale]) == "" {
				f.text[colLocale] = t.b.locale
			}
			if !t.b.add(f) {
				return
			}
			t.filled = true
		}
	}
	if t.apart > 1 && t.apart*2 > len(t.rows) {
		t.b.stop(fmt.Sprintf("Most rows do not fit the columns: %s. Put cells that contain the delimiter in double quotes, or save the table as CSV again.", first))
	}
	if len(t.topics) > 0 {
		t.b.problem(knowledge.Problem{Text: fmt.Sprintf("%d rows with one cell were read as topics of the rows below: %s.", len(t.topics), quote(strings.Join(t.topics, ", ")))})
	}
}

// continues adds r to the answer of the row above if r says nothing else, and reports whether it did: long
// answers stand on several rows.
func (t *tableReader) continues(r record) bool {
	if t.own || !t.filled || len(t.parts) > 0 || !t.onlyAnswer(r) || t.answers < 2 {
		return false
	}
	at := t.cell[colAnswer]
	last := &t.b.found[len(t.b.found)-1]
	if last.useless != "" || strings.TrimSpace(last.text[colQuestion]) == "" || len(last.text[colAnswer])+len(r.cells[at]) > limits.MaxCell {
		return false
	}
	last.text[colAnswer] += "\n" + r.cells[at]
	return true
}

// count tells how many rows ask, continue an answer or fell apart.
func (t *tableReader) count() {
	for _, r := range t.rows {
		if i := t.cell[colQuestion]; i >= 0 && i < len(r.cells) && asks(r.cells[i]) {
			t.asking++
		}
		if t.onlyAnswer(r) {
			t.answers++
		}
		if r.width() > t.width {
			t.torn++
		}
	}
}

// joinAnswer puts the cells behind the last column into that, if it is the answer, and says so: what separates cells
// stands in the answer, without quotes around it.
func (t *tableReader) joinAnswer(r *record) string {
	n := r.width()
	if !t.wide || t.own || n <= t.width || t.torn*3 > len(t.rows) || r.more > 0 || t.cell[colAnswer] != t.width-1 || t.b.comma == 0 || t.b.comma == '\t' {
		return ""
	}
	var parts []string
	for _, cell := range r.cells[t.width-1 : n] {
		parts = append(parts, strings.TrimSpace(cell))
	}
	r.cells = append(slices.Clip(r.cells[:t.width-1]), strings.Join(parts, string(t.b.comma)+" "))
	return fmt.Sprintf("The row has %d cells, but there are %d columns: the last ones were read as the answer. Put cells that contain the delimiter in double quotes.", n, t.width)
}

// onlyAnswer reports whether r has an answer and nothing else.
func (t *tableReader) onlyAnswer(r record) bool {
	at := t.cell[colAnswer]
	for i, cell := range r.cells {
		if (strings.TrimSpace(cell) != "") != (i == at) {
			return false
		}
	}
	return at >= 0 && at < len(r.cells)
}

// isHeader reports whether r is the header again.
func (t *tableReader) isHeader(r record) bool {
	return t.header != nil && slices.EqualFunc(r.cells, t.header, func(a, b string) bool {
		return a == b || len(a) <= maxHeader && strings.EqualFold(oneLine(a), oneLine(b))
	})
}

// isTopic reports whether the row at i is the topic of those below: one cell that does not ask, with an
// entry below.
func (t *tableReader) isTopic(i int) bool {
	full := func(cells []string) (n int) {
		for _, cell := range cells {
			if strings.TrimSpace(cell) != "" {
				n++
			}
		}
		return n
	}
	r := t.rows[i]
	if full(r.cells) != 1 || i+1 >= len(t.rows) || full(t.rows[i+1].cells) < 2 || len(t.parts) > 0 || t.own {
		return false
	}
	text := oneLine(strings.Join(r.cells, " "))
	at := slices.IndexFunc(r.cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
	if at == t.cell[colKey] && (isNumber(text) || at >= len(t.rows[i+1].cells) || !isNumber(t.rows[i+1].cells[at])) {
		return false // it may be the ID of a row that lacks the rest
	}
	return !asks(text) && at != t.cell[colAnswer] && len(text) <= limits.MaxTopic
}

// isNumber reports whether a cell is a number, as rows are counted by.
func isNumber(cell string) bool {
	cell = strings.TrimRight(strings.TrimSpace(cell), ".)")
	return cell != "" && strings.Trim(cell, "0123456789") == ""
}

// guess lays out a table without known names: two columns are question and answer, a third is the
// topic, or the first is the id if all of its cells are short codes. It says so in a problem. header is the
// row of names that we do not know, or -1.
func (b *builder) guess(records []record, enough float64) (header int, l tableLayout, ok bool) {
	width, full, ids := 0, 0, true
	for _, r := range records {
		if width = max(width, r.width()); width > 3 {
			return -1, tableLayout{}, false
		}
		if l := b.layOut(r.cells); l.has(colQuestion) || l.has(colAnswer) {
			return -1, tableLayout{}, false // a header, but not a whole one
		}
		if len(r.cells) > 1 && strings.TrimSpace(r.cells[0]) != "" && strings.TrimSpace(r.cells[1]) != "" {
			full++
		}
		ids = ids && isCode(r.cells[0])
	}
	if width < 2 || width > 3 || float64(full) < enough*float64(len(records)) {
		return -1, tableLayout{}, false
	}
	order := []column{colQuestion, colAnswer, colTopic}[:width]
	if width == 3 && ids {
		order = []column{colKey, colQuestion, colAnswer}
	}
	l = b.layOut(nil)
	var said []string
	for i, c := range order {
		l.cell[c] = i
		said = append(said, columnName(c))
	}
	text := "There is no row with column names"
	if header = -1; len(records) > 1 && likeHeader(records, l.cell[colQuestion]) {
		header, text = 0, fmt.Sprintf("The column names %s are not known", quote(strings.Join(records[0].cells, ", ")))
	}
	b.problem(knowledge.Problem{Text: fmt.Sprintf("%s, so the columns were taken to be %s. If that is wrong, name them in the first row.",
		text, strings.Join(said, ", "))})
	return header, l, true
}

// isCode reports whether a cell looks like an ID: letters and digits of ASCII without a space, and no question.
func isCode(cell string) bool {
	cell = strings.TrimSpace(cell)
	return !asks(cell) && !strings.ContainsFunc(cell, func(r rune) bool { return r <= ' ' || r > '~' })
}

// likeHeader reports whether the first record does not ask and is short while most others ask.
func likeHeader(records []record, question int) bool {
	asking := 0
	for _, r := range records[1:] {
		if question < len(r.cells) && asks(r.cells[question]) {
			asking++
		}
	}
	const maxName = 30 // bytes of a column's name
	return asking*2 > len(records)-1 && !slices.ContainsFunc(records[0].cells, func(cell string) bool {
		return asks(cell) || len(cell) > maxName || strings.ContainsAny(cell, ".!。")
	})
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
			cells = append(cells, plaintext.Cut(cell, 20))
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
