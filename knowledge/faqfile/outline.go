package faqfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// A section is a heading and what stands below it, in Markdown, a web page or a text document.
type section struct {
	level    int // 0: the document before its first heading
	line     int
	heading  string
	marked   bool // the heading was "Q: …"
	listed   bool // most headings beside it ask
	strict   bool // of a page or a document, where headings that do not ask are no questions
	body     []bodyLine
	sections []*section // with deeper headings
}

// A bodyLine is a line of plain text; "" stands between blocks.
type bodyLine struct {
	line  int
	text  string
	ask   string   // the line's text if it may be a question: bold, or the beginning of an item
	item  bool     // it begins an item
	mark  int      // markQuestion, markEnd
	cells []string // of a row of a table
}

const (
	markQuestion = iota + 1 // the line is a question whatever its words: a summary, a term, a toggle
	markEnd                 // the answer to that ends before the line
)

// An outline is built by headings and what stands below them.
type outline struct {
	open   []*section
	size   int // headings and lines
	strict bool
}

// full reports whether there are more headings and lines than are read.
func (o *outline) full() bool { return o.size > limits.MaxLines }

func tooManyLines() string {
	return fmt.Sprintf("The text has more than %d lines. Split it, or leave out what is no longer needed.", limits.MaxLines)
}

func newOutline() outline { return outline{open: []*section{{line: 1}}} }

func (o *outline) root() *section { return o.open[0] }

func (o *outline) add(lines ...bodyLine) {
	o.size += len(lines)
	at := o.open[len(o.open)-1]
	at.body = append(at.body, lines...)
}

// head adds a heading.
func (o *outline) head(level, line int, heading string) {
	o.size++
	for len(o.open) > 1 && o.open[len(o.open)-1].level >= level {
		o.open = o.open[:len(o.open)-1]
	}
	s := &section{level: level, line: line, heading: cleanQuestion(heading), strict: o.strict}
	if rest, ok := marked(s.heading, questionMarks); ok && rest != "" {
		s.heading, s.marked = rest, true
	}
	parent := o.open[len(o.open)-1]
	parent.sections = append(parent.sections, s)
	o.open = append(o.open, s)
}

// asks reports whether text ends in a question mark.
func asks(text string) bool {
	text = strings.TrimRight(text, ` "'”»)*_`)
	return strings.HasSuffix(text, "?") || strings.HasSuffix(text, "？") || strings.HasSuffix(text, "؟")
}

func (s *section) asks() bool { return asks(s.heading) }

// asksInside reports whether s or a section in it has a question for heading.
func (s *section) asksInside() bool {
	return s.asks() || slices.ContainsFunc(s.sections, (*section).asksInside)
}

// hasQuestions reports whether s or a section in it has questions in its text.
func (s *section) hasQuestions(names lexicon) bool {
	return hasPairs(s.body) || s.findQuestions(names) || slices.ContainsFunc(s.sections, func(part *section) bool { return part.hasQuestions(names) })
}

// list marks the sections in s if most of them ask: then the others are questions too.
func (s *section) list() {
	asking := 0
	for _, part := range s.sections {
		if part.asks() {
			asking++
		}
	}
	for _, part := range s.sections {
		part.listed = asking*2 > len(s.sections)
	}
}

// appendTo appends s as a part of an answer.
func (s *section) appendTo(body []bodyLine) []bodyLine {
	if s.level > 0 {
		body = append(body, bodyLine{}, bodyLine{line: s.line, text: s.heading})
	}
	body = append(body, s.body...)
	for _, inner := range s.sections {
		body = inner.appendTo(body)
	}
	return body
}

// cleanQuestion takes off a question what is none of its words: a number, a picture in front, an icon or a
// link's name behind.
func cleanQuestion(text string) string {
	text = strings.TrimSpace(text)
	if at := strings.LastIndex(text, "{"); at > 0 && strings.HasSuffix(text, "}") && strings.ContainsAny(strings.TrimLeft(text[at+1:], " ")[:1], "#.:") {
		text = strings.TrimSpace(text[:at])
	}
	text = strings.TrimLeftFunc(text, func(r rune) bool {
		return unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == '\ufe0f' || r == '\u200d' || unicode.IsSpace(r)
	})
	text = strings.TrimRightFunc(text, func(r rune) bool { return strings.ContainsRune("+−×▼▾▸▶›⌄¶", r) || unicode.IsSpace(r) })
	digits := strings.TrimLeft(text, "0123456789")
	const longest = 3 // digits of a number in a list
	if n := len(text) - len(digits); n > 0 && n <= longest && len(digits) > 1 && strings.ContainsRune(".)", rune(digits[0])) &&
		(digits[1] == ' ' || strings.HasPrefix(digits[1:], "\u00a0")) {
		if rest := strings.TrimSpace(digits[1:]); rest != "" {
			return rest
		}
	}
	return text
}

// isChrome reports whether a line belongs to the page and not to its text.
func isChrome(line string) bool {
	line = strings.ToLower(strings.Trim(line, " ↑⬆^*_[]→←|"))
	for _, begins := range []string{"©", "(c) 20", "copyright ", "edit this page", "edit on git", "made with ❤", "made with :heart", "made with love", "made with ♥", "built with ❤", "was this helpful", "was this article helpful", "was this page helpful"} {
		if strings.HasPrefix(line, begins) {
			return true
		}
	}
	return slices.Contains([]string{"back to top", "to top", "top", "table of contents", "наверх", "nach oben", "zurück nach oben", "retour en haut", "volver arriba", "voltar ao topo", "torna su"}, strings.TrimFunc(line, func(r rune) bool { return !unicode.IsLetter(r) }))
}

// tableRows returns the rows of a table of Markdown whose lines are text, each with its cells, or nil.
func tableRows(text string, line int) []bodyLine {
	if !strings.Contains(text, "|") || !strings.Contains(text, "-") {
		return nil
	}
	lines := strings.Split(text, "\n"+wrapped)
	if len(lines) < 2 || !strings.Contains(lines[1], "-") || strings.Trim(lines[1], "|-: \t") != "" || !strings.Contains(lines[0], "|") {
		return nil
	}
	header := tableCells(lines[0])
	rows := []bodyLine{{line: line, cells: header}}
	for i, s := range lines[2:] {
		cells := tableCells(s)
		rows = append(rows, bodyLine{line: line + 2 + i, cells: cells, text: plaintext.Row(header, cells)})
	}
	return rows
}

func tableCells(line string) []string {
	line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|")
	cells := strings.Split(line, "|")
	cells = cells[:min(len(cells), limits.MaxColumns)]
	for i, cell := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(cell, escapedPipe, "|"), pipeInCode, "|"))
	}
	return cells
}

// linesOf prints the nodes of HTML within Markdown that begins on a line. ends says whether the answers below
// summaries end with their details.
func linesOf(root *plaintext.Node, line int, ends bool) (lines []bodyLine) {
	p := plaintext.Printer{Picture: markPicture}
	p.Instead = func(n *plaintext.Node) bool {
		switch n.Tag {
		case "summary":
			question(&p, n)
			return true
		case "details":
			p.Blank()
			for _, c := range n.Children {
				p.Print(c)
			}
			p.Blank()
			if ends {
				p.Lines = append(p.Lines, plaintext.Line{Mark: markEnd})
			}
			return true
		}
		return false
	}
	p.Print(root)
	for _, l := range p.Finish() {
		if !isChrome(l.Text) {
			lines = append(lines, bodyOf(l, line-1))
		}
	}
	return lines
}

// markPicture marks a picture's address in text.
func markPicture(address string) string { return pictured + address + pictured }

// question prints what is in n as a question.
func question(p *plaintext.Printer, n *plaintext.Node) {
	p.Blank()
	before := len(p.Lines)
	p.Heading(n, 1)
	if len(p.Lines) > before {
		p.Lines = p.Lines[:before+1]
		p.Lines[before].Level, p.Lines[before].Mark = 0, markQuestion
	}
}

// bodyOf is a printed line behind so many others.
func bodyOf(l plaintext.Line, above int) bodyLine {
	body := bodyLine{line: l.Number + above, text: l.Text, item: l.Item, mark: l.Mark, cells: l.Cells}
	if l.Bold || l.Item {
		body.ask = strings.TrimPrefix(strings.TrimSpace(l.Text), "- ")
	}
	return body
}

// findQuestions finds the questions in s's text by the surest way that gives any, and marks them.
func (s *section) findQuestions(names lexicon) bool {
	table := func(body []bodyLine) bool { return qaTable(body, names) }
	for _, find := range []func([]bodyLine) bool{explicit, table, definitionLists, bolds, items} {
		if find(s.body) {
			return true
		}
	}
	return (s.level <= 1 || s.strict) && plainQuestions(s.body)
}

func explicit(body []bodyLine) bool {
	return slices.ContainsFunc(body, func(l bodyLine) bool { return l.mark == markQuestion })
}

// qaTable reports whether the text has a table with a column of questions and one of answers, by their names
// or because two rows or more begin with a question.
func qaTable(body []bodyLine, names lexicon) bool {
	asking := 0
	return slices.ContainsFunc(body, func(l bodyLine) bool {
		if l.cells == nil {
			return false
		}
		if len(l.cells) == 2 && asks(l.cells[0]) && l.cells[1] != "" {
			asking++
		}
		lay := layOut(names, nil, l.cells)
		return lay.has(colQuestion) && lay.has(colAnswer) || asking > 1
	})
}

// definitionLists marks lines with a line below that begins with a colon.
func definitionLists(body []bodyLine) (found bool) {
	for i := range max(0, len(body)-1) {
		if next := strings.TrimPrefix(body[i+1].text, wrapped); strings.HasPrefix(next, ": ") && asks(body[i].text) {
			body[i].mark, found = markQuestion, true
			body[i+1].text = strings.TrimSpace(next[1:])
		}
	}
	return found
}

// bolds marks bold lines that ask. If those are most of the bold lines that are paragraphs, all are questions.
func bolds(body []bodyLine) bool {
	asking, all := 0, 0
	bold := func(l bodyLine) bool { return l.ask != "" && (!l.item || l.ask != bareItem(l.text)) }
	for _, l := range body {
		if bold(l) {
			if all++; asks(l.ask) {
				asking++
			}
		}
	}
	for i, l := range body {
		if bold(l) && (asks(l.ask) || asking*2 > all && l.text == l.ask && len(strings.Fields(l.ask)) > 1) && asking > 0 {
			body[i].mark = markQuestion
		}
	}
	return asking > 0
}

// bareItem is the text of an item without its mark.
func bareItem(text string) string {
	_, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	return rest
}

// items marks items of lists that ask and have more text below.
func items(body []bodyLine) (found bool) {
	for i, l := range body {
		if l.item && asks(l.ask) && i+1 < len(body) && !body[i+1].item && (body[i+1].text != "" || i+2 < len(body) && !body[i+2].item && body[i+2].text != "") {
			body[i].mark, found = markQuestion, true
		}
	}
	return found
}

// plainQuestions marks lines that ask, if they are two or more and each has an answer below.
func plainQuestions(body []bodyLine) bool {
	var at []int
	for i, l := range body {
		text := strings.TrimPrefix(l.text, wrapped)
		if asks(text) && !strings.Contains(strings.TrimRight(cleanQuestion(text), "?？؟ "), "? ") && utf8.RuneCountInString(text) <= maxPlain && !strings.Contains(cleanQuestion(text), ". ") && l.cells == nil {
			at = append(at, i)
		}
	}
	for n, i := range at {
		next := len(body)
		if n+1 < len(at) {
			next = at[n+1]
		}
		if !slices.ContainsFunc(body[i+1:next], func(l bodyLine) bool { return l.text != "" }) {
			return false
		}
	}
	const least = 2 // one line that asks is in many a letter
	if len(at) < least {
		return false
	}
	for _, i := range at {
		body[i].mark = markQuestion
	}
	return true
}

// maxPlain is how many characters a question in plain text may have.
const maxPlain = 200

// readBody adds the entries of s's text, whose questions are marked.
func (b *builder) readBody(s *section, topic string) {
	var asked *bodyLine
	var answer []bodyLine
	flush := func() {
		if asked != nil && b.stopped == "" {
			question := asked.text
			if asked.ask != "" {
				question = asked.ask
			}
			b.addText(asked.line, strings.TrimPrefix(question, wrapped), dedent(answer, asked.item), topic)
		}
		asked, answer = nil, nil
	}
	for i := 0; i < len(s.body) && b.stopped == ""; i++ {
		switch l := s.body[i]; {
		case l.mark == markQuestion:
			flush()
			asked = &s.body[i]
		case l.mark == markEnd:
			flush()
		case l.cells != nil && asked == nil:
			i = b.readRows(s.body, i, topic)
		case asked == nil:
			b.leave(s.body[i : i+1])
		default:
			answer = append(answer, l)
		}
	}
	flush()
}

// readRows adds the entries of the table that begins at a place, or leaves it, and returns its last place.
func (b *builder) readRows(body []bodyLine, at int, topic string) int {
	end := at
	var records []record
	for end < len(body) && body[end].cells != nil {
		records = append(records, record{line: body[end].line, cells: body[end].cells})
		end++
	}
	header, _, ok := b.findHeader(records)
	asking := 0
	for _, r := range records {
		if asks(r.cells[0]) {
			asking++
		}
	}
	if ok || asking*2 > len(records) {
		b.topic, b.ready = topic, true
		b.readTable(records[header:], guessMost, false)
		b.topic, b.ready = "", false
	} else {
		b.leave(body[at:end])
	}
	return end - 1
}

// dedent takes off the answer to an item what indents it, and the mark of a single item that answers.
func dedent(answer []bodyLine, item bool) []bodyLine {
	if !item {
		return answer
	}
	marks := 0
	for i, l := range answer {
		answer[i].text = strings.TrimPrefix(l.text, "  ")
		if strings.HasPrefix(answer[i].text, "- ") {
			marks++
		}
	}
	if len(answer) > 0 && marks == 1 {
		answer[0].text = strings.TrimPrefix(answer[0].text, "- ")
	}
	return answer
}

// readLabels adds the entries of headings such as "Question 1" and "Answer 1", whose texts stand below.
func (b *builder) readLabels(s *section, topic string) bool {
	is := func(s *section, marks string) bool {
		label := strings.ToLower(strings.TrimRight(s.heading, " #.:0123456789"))
		return len(label) > 1 && slices.Contains(strings.Fields(marks), label)
	}
	var flat []*section
	var flatten func(list []*section)
	flatten = func(list []*section) {
		for _, part := range list {
			if flat = append(flat, part); is(part, questionMarks) {
				flatten(part.sections)
			}
		}
	}
	flatten(s.sections)
	if !slices.ContainsFunc(flat, func(s *section) bool { return is(s, questionMarks) }) {
		return false
	}
	if s.level > 0 {
		topic = s.heading
	}
	for i, part := range flat {
		switch {
		case is(part, questionMarks):
			var answer []bodyLine
			if i+1 < len(flat) && is(flat[i+1], answerMarks) {
				answer = flat[i+1].appendTo(nil)[2:]
			}
			b.addText(part.line, oneLine(joinLines(part.body)), answer, topic)
		case is(part, answerMarks):
		case b.stopped == "":
			b.readSection(part, topic)
		}
	}
	return true
}

// leave remembers text that is in no entry.
func (b *builder) leave(lines []bodyLine) {
	for _, l := range lines {
		if l.text != "" {
			b.unread = append(b.unread, l)
		}
	}
}

// maxUnread is how many characters of text may be in no entry without a word about it: titles, a greeting.
const maxUnread = 100

func (b *builder) tellUnread() {
	n := 0
	for _, l := range b.unread {
		n += utf8.RuneCountInString(l.text)
	}
	if n > maxUnread {
		b.problem(knowledge.Problem{Line: b.unread[0].line, Text: fmt.Sprintf(
			"%d characters of text are in no answer, the first of them: %s. Make what customers should read an answer, with its question above.", n, quote(b.unread[0].text))})
	}
}
