package faqfile

import (
	"fmt"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// A section is a heading and what stands below it.
type section struct {
	level    int // 0: the document before its first heading
	line     int
	heading  string
	marked   bool // the heading was "Q: …"
	body     []bodyLine
	sections []*section // with deeper headings
}

// A bodyLine is a line of plain text; "" stands between blocks.
type bodyLine struct {
	line int
	text string
}

// readMarkdown reads headings as questions and what stands below as their answers, or pairs marked
// "Q:" and "A:". A heading above deeper ones is a topic, unless it ends in a question mark: then
// the deeper ones that do not are parts of its answer.
func readMarkdown(b *builder, source string) {
	source = withoutFrontMatter(source)
	if depth := nesting(source); depth > limits.MaxNesting {
		b.stop(fmt.Sprintf("Lists or quotations are nested more than %d deep. Write them flat.", limits.MaxNesting))
		return
	}
	if strings.Count(source, "]:") > limits.MaxDefinitions {
		b.stop(fmt.Sprintf("The file has more than %d link definitions. Write links like [text](address).", limits.MaxDefinitions))
		return
	}
	if text := tooMuchMarkup(source); text != "" {
		b.stop(text)
		return
	}
	root, text := sections(source)
	if text != "" {
		b.stop(text)
		return
	}
	if len(root.sections) == 0 && !hasPairs(root.body) {
		b.stop("No questions were found. Make each question a heading with its answer below, or write Q: and A: in front of them.")
		return
	}
	b.readSection(root, "")
}

// withoutFrontMatter blanks the settings some tools keep above the text, which Markdown would take
// for a heading. Lines keep their numbers.
func withoutFrontMatter(source string) string {
	rest, ok := strings.CutPrefix(source, "---\n")
	if !ok {
		return source
	}
	settings, after, ok := strings.Cut(rest, "\n---\n")
	if !ok || strings.Count(settings, "\n") > 100 {
		return source
	}
	return strings.Repeat("\n", strings.Count(settings, "\n")+3) + after
}

// asks reports whether s's heading ends in a question mark.
func (s *section) asks() bool {
	heading := strings.TrimRight(s.heading, ` "'”»)`)
	return strings.HasSuffix(heading, "?") || strings.HasSuffix(heading, "？") || strings.HasSuffix(heading, "؟")
}

// asksInside reports whether s or a section in it has a question for heading.
func (s *section) asksInside() bool {
	if s.asks() {
		return true
	}
	for _, inner := range s.sections {
		if inner.asksInside() {
			return true
		}
	}
	return false
}

// readSection adds the entries of s. topic is the heading it stands below.
func (b *builder) readSection(s *section, topic string) {
	inner := topic
	switch {
	case hasPairs(s.body):
		if s.heading != "" {
			inner = s.heading
		}
		b.readPairs(s.body, inner)
	case s.level == 0:
	case s.asks():
		var apart []*section
		body := s.body
		for _, part := range s.sections {
			if part.asksInside() {
				apart = append(apart, part)
			} else {
				body = part.appendTo(body)
			}
		}
		if b.addText(s.line, s.heading, s.unmark(body), topic); b.stopped != "" {
			return
		}
		for _, part := range apart {
			b.readSection(part, topic)
		}
		return
	case len(s.sections) == 0:
		b.addText(s.line, s.heading, s.unmark(s.body), topic)
	default:
		inner = s.heading
		if len(s.body) > 0 && s.level > 1 {
			b.problem(knowledge.Problem{Line: s.line, Key: deriveKey(s.heading), Text: fmt.Sprintf(
				"The text below %s is no answer, because there are headings below it too. If it is one, end the heading with a question mark.", quote(s.heading))})
		}
	}
	for _, part := range s.sections {
		if b.stopped == "" {
			b.readSection(part, inner)
		}
	}
}

// unmark drops the "A:" in front of the answer to a question that was marked too.
func (s *section) unmark(body []bodyLine) []bodyLine {
	if !s.marked || len(body) == 0 {
		return body
	}
	if rest, ok := marked(body[0].text, answerMarks); ok {
		return append([]bodyLine{{body[0].line, rest}}, body[1:]...)
	}
	return body
}

// appendTo appends s as a part of an answer.
func (s *section) appendTo(body []bodyLine) []bodyLine {
	body = append(body, bodyLine{}, bodyLine{s.line, s.heading})
	body = append(body, s.body...)
	for _, inner := range s.sections {
		body = inner.appendTo(body)
	}
	return body
}

func (b *builder) addText(line int, question string, answer []bodyLine, topic string) {
	f := fields{line: line}
	f.text[colTopic] = topic
	f.text[colQuestion], _ = pictures(question)
	f.text[colAnswer], f.text[colMedia] = pictures(joinLines(answer))
	b.add(f)
}

// joinLines makes paragraphs of lines: those the author only wrapped are joined.
func joinLines(lines []bodyLine) string {
	var out strings.Builder
	empty := true // the last line in out
	for i, l := range lines {
		if l.text == "" && i > 0 && empty {
			continue
		}
		if rest, ok := strings.CutPrefix(l.text, wrapped); ok && i > 0 && !empty {
			out.WriteString(" " + strings.TrimSpace(rest))
			continue
		}
		if i > 0 {
			out.WriteString("\n")
		}
		text := strings.TrimPrefix(l.text, wrapped)
		out.WriteString(text)
		empty = text == ""
	}
	return out.String()
}

// Marks in front of questions and answers, in lower case.
const (
	questionMarks = "q question p pregunta pergunta f frage"
	answerMarks   = "a answer r respuesta resposta réponse reponse antwort"
)

// marked returns what follows "Q:", "Q1." or the like at the beginning of a line.
func marked(line, marks string) (string, bool) {
	line = strings.TrimPrefix(line, wrapped)
	end := strings.IndexAny(line, ":.)")
	if end < 1 || end > 14 {
		return "", false
	}
	mark := strings.ToLower(strings.TrimSpace(line[:end]))
	bare := strings.TrimRight(mark, "0123456789 ")
	if bare == mark && line[end] != ':' {
		return "", false // "A. First choice"
	}
	for m := range strings.FieldsSeq(marks) {
		if m == bare {
			return strings.TrimSpace(line[end+1:]), true
		}
	}
	return "", false
}

// hasPairs reports whether a marked question is followed by a marked answer. One alone means little:
// "P: 555 0100" is a telephone.
func hasPairs(body []bodyLine) bool {
	asked := false
	for _, l := range body {
		if _, ok := marked(l.text, questionMarks); ok {
			asked = true
		} else if _, ok := marked(l.text, answerMarks); ok && asked {
			return true
		}
	}
	return false
}

// readPairs adds the marked pairs in body. Lines without a mark go on with what the last one began.
func (b *builder) readPairs(body []bodyLine, topic string) {
	var question, answer []bodyLine
	asked := false // the question has ended: after a blank line comes the answer, marked or not
	flush := func() {
		if len(question) > 0 && b.stopped == "" {
			b.addText(question[0].line, joinLines(question), answer, topic)
		}
		question, answer, asked = nil, nil, false
	}
	for _, l := range body {
		if rest, ok := marked(l.text, questionMarks); ok {
			flush()
			question = append(question, bodyLine{l.line, rest})
			continue
		}
		if rest, ok := marked(l.text, answerMarks); ok && len(answer) == 0 {
			l.text, asked = rest, true
		}
		switch {
		case len(question) == 0: // above the first question
		case l.text == "" && len(answer) == 0:
			asked = true
		case asked:
			answer = append(answer, l)
		default:
			question = append(question, l)
		}
	}
	flush()
}
