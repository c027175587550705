package faqfile

import (
	"fmt"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// readMarkdown reads headings as questions and what stands below as their answers, or the pairs that stand
// below a heading that does not ask. A heading above deeper ones is a topic, unless it ends in a question
// mark: then the deeper ones that do not are parts of its answer.
func readMarkdown(b *builder, source string) {
	if readEntryFile(b, source) {
		return
	}
	if data := b.dataAbove(source); data != "" {
		readYAML(b, data)
		return
	}
	matter, source := frontMatter(source)
	source = newComponents().rewrite(withoutImports(source))
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
	if matter.question != "" && !root.asksInside() && !root.hasQuestions(b.names) {
		f := fields{line: 1, plain: true, hidden: matter.hidden}
		f.text[colQuestion], f.text[colTopic], f.text[colKey], f.text[colLocale] = matter.question, matter.topic, matter.key, matter.locale
		f.text[colAnswer], f.text[colMedia] = pictures(joinLines(root.appendTo(nil)))
		b.add(f)
		return
	}
	if len(root.sections) == 0 && !root.hasQuestions(b.names) {
		b.stop("No questions were found. Make each question a heading with its answer below, or write Q: and A: in front of them.")
		return
	}
	b.readSection(root, "")
}

// dataAbove returns the settings above the text if the entries stand there, as a list that the page shows, else "".
func (b *builder) dataAbove(source string) string {
	rest, ok := strings.CutPrefix(source, "---\n")
	settings, _, found := strings.Cut(rest, "\n---")
	if !ok || !found {
		return ""
	}
	questions, answers := 0, 0
	for line := range strings.Lines(settings) {
		bare := strings.TrimLeft(line, " -\t")
		if len(bare) == len(line) {
			continue // not in a list
		}
		name, _, _ := strings.Cut(bare, ":")
		switch k, known := lookUp(b.names, name); {
		case known && k.column == colQuestion:
			questions++
		case known && k.column == colAnswer:
			answers++
		}
	}
	if questions < 2 || answers < 2 {
		return ""
	}
	return "\n" + settings
}

// A matter is what the settings above a text say of it.
type matter struct{ question, topic, key, locale, hidden string }

// frontMatter reads and blanks the settings that some tools keep above the text, which Markdown would take
// for a heading. Lines keep their numbers. A title is a question if it asks.
func frontMatter(source string) (m matter, rest string) {
	const maxSettings = 100 // lines
	rest, ok := strings.CutPrefix(source, "---\n")
	if !ok {
		return m, source
	}
	settings, after, ok := strings.Cut(rest, "\n---\n")
	if !ok || strings.Count(settings, "\n") > maxSettings {
		return m, source
	}
	for line := range strings.Lines(settings) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch normalHeader(name) {
		case "question":
			m.question = value
		case "title":
			if m.question == "" && asks(value) {
				m.question = value
			}
		case "topic", "category":
			m.topic = value
		case "id", "slug":
			m.key = value
		case "lang", "locale", "language":
			m.locale = value
		}
		if m.hidden == "" {
			m.hidden = notPublic(name, value)
		}
	}
	return m, strings.Repeat("\n", strings.Count(settings, "\n")+3) + after
}

// withoutImports blanks the lines with which MDX imports its components, above the text.
func withoutImports(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		bare := strings.TrimSpace(line)
		if bare != "" && !strings.HasPrefix(bare, "import ") && !strings.HasPrefix(bare, "export ") {
			break
		}
		b.WriteString("\n")
	}
	return b.String() + source[lineStart(source, strings.Count(b.String(), "\n")):]
}

// lineStart returns where the line behind n others begins.
func lineStart(source string, n int) int {
	at := 0
	for ; n > 0; n-- {
		end := strings.IndexByte(source[at:], '\n')
		if end < 0 {
			return len(source)
		}
		at += end + 1
	}
	return at
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
	case s.asks():
		b.readAsked(s, topic)
		return
	case b.readLabels(s, topic):
		return
	case s.findQuestions(b.names):
		if s.heading != "" {
			inner = s.heading
		}
		b.readBody(s, inner)
	case s.level == 0:
		b.leave(s.body)
	case len(s.sections) == 0:
		if b.strict && !s.listed {
			b.leave(s.body)
			return
		}
		b.addText(s.line, s.heading, s.unmark(s.body), topic)
	default:
		inner = s.heading
		if len(s.body) > 0 && s.level > 1 && !b.strict {
			b.problem(knowledge.Problem{Line: s.line, Key: KeyOf(s.heading), Text: fmt.Sprintf(
				"The text below %s is no answer, because there are headings below it too. If it is one, end the heading with a question mark.", quote(s.heading))})
		} else {
			b.leave(s.body)
		}
	}
	s.list()
	for _, part := range s.sections {
		if b.stopped == "" {
			b.readSection(part, inner)
		}
	}
}

// readAsked adds the entry of a heading that asks. The headings below that do not are parts of its answer.
func (b *builder) readAsked(s *section, topic string) {
	var apart []*section
	body := s.body
	for _, part := range s.sections {
		if part.asksInside() {
			apart = append(apart, part)
		} else {
			body = part.appendTo(body)
		}
	}
	b.addText(s.line, s.heading, s.unmark(body), topic)
	for _, part := range apart {
		if b.stopped == "" {
			b.readSection(part, topic)
		}
	}
}

// unmark drops the "A:" in front of the answer to a question that was marked too.
func (s *section) unmark(body []bodyLine) []bodyLine {
	if !s.marked || len(body) == 0 {
		return body
	}
	if rest, ok := marked(body[0].text, answerMarks); ok {
		return append([]bodyLine{{line: body[0].line, text: rest}}, body[1:]...)
	}
	return body
}

func (b *builder) addText(line int, question string, answer []bodyLine, topic string) {
	f := fields{line: line, plain: true}
	f.text[colTopic] = topic
	question = cleanQuestion(question)
	if rest, ok := marked(question, questionMarks); ok && rest != "" {
		question = rest
	}
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
	questionMarks = "q question p pregunta pergunta f frage domanda vraag вопрос pytanie soru 问 問 质问 質問 pertanyaan întrebare otázka fråga spørsmål"
	answerMarks   = "a answer r respuesta resposta réponse reponse antwort risposta antwoord ответ odpowiedź cevap yanıt 答 回答 jawaban răspuns odpověď svar"
)

// marked returns what follows "Q:", "Q1." or the like at the beginning of a line.
func marked(line, marks string) (string, bool) {
	line = strings.TrimPrefix(line, wrapped)
	line = strings.Replace(line, "：", ":", 1)
	end := strings.IndexAny(line, ":.)")
	if end < 1 || end > 24 {
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
			question = append(question, bodyLine{line: l.line, text: rest})
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
