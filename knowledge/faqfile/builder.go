package faqfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// fields is a row as a file has it.
type fields struct {
	line     int
	text     [columns]string // but for the variants
	variants []string
	unsure   string // a problem met in reading the row that does not make it useless
	useless  string // one that does
}

// clean is f in clean text: the answer and the media keep their lines.
func (f fields) clean() fields {
	for c := range f.text {
		if column(c) == colAnswer || column(c) == colMedia {
			f.text[c] = paragraphs(f.text[c])
		} else {
			f.text[c] = oneLine(f.text[c])
		}
	}
	return f
}

// An identity tells rows of a file apart.
type identity struct{ what, locale string }

// A builder collects a file's rows and problems.
type builder struct {
	o         Options
	names     map[string]known
	places    map[int]column // columns known by their places
	mends     map[int]mends  // row → what was mended in it
	look      func([]record) // called instead of reading a table, if not nil
	rows      []knowledge.Row
	problems  []knowledge.Problem
	seen      int              // rows, usable or not
	wordings  int              // questions and variants of the rows
	notes     int              // problems of rows that are used all the same
	keys      map[identity]int // → line
	questions map[identity]int // → line
	kept      int              // lost rows kept for mending
	lacking   int              // rows without an answer, where that is allowed
	lackingAt knowledge.Problem
	stopped   string // the fatal problem
	tooMany   bool   // stopped by the number of rows: it is no use to try another format
}

func newBuilder(o Options) *builder {
	b := &builder{o: o, names: names(), keys: make(map[identity]int), questions: make(map[identity]int), mends: mendsByRow(o.Reading.Mends)}
	if len(o.Reading.Columns) > 0 {
		b.names, b.places = chosen(o.Reading.Columns), places(o.Reading.Columns)
	}
	return b
}

// finish reads with read and returns the result.
func (b *builder) finish(read reader) ([]knowledge.Row, []knowledge.Problem) {
	read(b)
	if b.stopped == "" && b.seen == 0 {
		b.stop("The file has no entries. Put one question in each row, below the row with the column names.")
	}
	if b.stopped != "" {
		return nil, fatal(b.stopped)
	}
	if b.lacking > 0 {
		p := b.lackingAt
		p.Text = fmt.Sprintf("%d of %d rows have no answer, the first on line %d. They can be tried out but not published.",
			b.lacking, b.seen, p.Line)
		b.problem(p)
	}
	if more := b.notes - limits.MaxNotes; more > 0 {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("There are %d more problems like these, of rows that are used without what is wrong. Mend these first.", more)})
	}
	if len(b.rows) == 0 {
		b.problem(knowledge.Problem{Text: "No row of the file can be used. Mend the problems above.", Fatal: true})
	}
	return b.rows, b.problems
}

// stop makes the file unusable. The first reason counts.
func (b *builder) stop(text string) {
	if b.stopped == "" {
		b.stopped = text
	}
}

func (b *builder) problem(p knowledge.Problem) { b.problems = append(b.problems, p) }

// count counts a row and reports whether there may be another one.
func (b *builder) count() bool {
	if b.seen++; b.seen > limits.MaxRows {
		b.tooMany = true
		b.stop(fmt.Sprintf("The file has more than %d rows. Split it, or leave out what is no longer needed.", limits.MaxRows))
	}
	return b.stopped == ""
}

// countWordings counts a row's wordings and reports whether there may be more.
func (b *builder) countWordings(n int) bool {
	if b.wordings += n; b.wordings > limits.MaxAllWordings {
		b.tooMany = true
		b.stop(fmt.Sprintf("The file has more than %d wordings, questions and variants together. Keep the variants that differ most.", limits.MaxAllWordings))
	}
	return b.stopped == ""
}

// bad counts a row that could not be read at all. key is "" if that could not be read either.
func (b *builder) bad(line int, key, text string) bool {
	f := fields{line: line, useless: text}
	f.text[colKey] = key
	return b.add(f)
}

// add counts a row and checks it. It reports whether there may be another one.
func (b *builder) add(f fields) bool {
	if !b.count() {
		return false
	}
	if m, ok := b.mends[b.seen]; ok {
		if m.drop {
			return true
		}
		f = m.apply(f)
	}
	f = f.clean()
	own := f.text[colKey] != ""
	r := knowledge.Row{Line: f.line, Entry: knowledge.Entry{
		Key: f.text[colKey], Question: f.text[colQuestion], Answer: f.text[colAnswer], Topic: f.text[colTopic],
	}}
	if !own && r.Question != "" {
		r.Key = deriveKey(r.Question)
	}
	tell := func(c column, text string) {
		if b.notes++; b.notes > limits.MaxNotes {
			return
		}
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Field: columnName(c), Key: cut(r.Key, limits.MaxKey), Text: text})
	}
	lose := func(field, key, text string) bool {
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Field: field, Key: cut(key, limits.MaxKey), Text: text, Lost: true, Given: b.given(f)})
		return true
	}
	// A key made from a question that may have been misread would protect the wrong entry.
	if f.unsure != "" {
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Key: cut(f.text[colKey], limits.MaxKey), Text: f.unsure})
	}
	if f.useless != "" {
		return lose("", f.text[colKey], f.useless)
	}
	if c, text := checkRow(&r, f, b.o); text != "" {
		return lose(columnName(c), r.Key, text)
	}
	if c, text := b.repeats(r, own); text != "" {
		return lose(columnName(c), r.Key, text)
	}
	var dropped []string
	r.Variants, dropped = wordings(r.Question, f.variants)
	if !b.countWordings(1 + len(r.Variants)) {
		return false
	}
	for _, text := range dropped {
		tell(colVariants, text)
	}
	r.Media, dropped = readMedia(f.text[colMedia])
	for _, text := range dropped {
		tell(colMedia, text)
	}
	if n := utf8.RuneCountInString(r.Topic); n > limits.MaxTopic {
		tell(colTopic, fmt.Sprintf("The topic has %d characters and was left out; at most %d are possible.", n, limits.MaxTopic))
		r.Topic = ""
	}
	b.keep(r)
	return true
}

// keep adds a row.
func (b *builder) keep(r knowledge.Row) {
	if r.Answer == "" {
		if b.lacking++; b.lacking == 1 {
			b.lackingAt = knowledge.Problem{Line: r.Line, Field: columnName(colAnswer), Key: r.Key}
		}
	}
	b.rows = append(b.rows, r)
}

// checkRow fills in r's locale and dates and returns what makes r unusable, if anything does.
func checkRow(r *knowledge.Row, f fields, o Options) (column, string) {
	if r.Question == "" {
		return colQuestion, "The question is missing. Write it, or delete the row."
	}
	if r.Answer == "" && !o.Trial {
		return colAnswer, "The answer is missing. Write it, or delete the row."
	}
	if n := utf8.RuneCountInString(r.Key); n > limits.MaxKey {
		return colKey, fmt.Sprintf("The id has %d characters; at most %d are possible. Shorten it.", n, limits.MaxKey)
	}
	if n := utf8.RuneCountInString(r.Question); n > limits.MaxQuestion {
		return colQuestion, fmt.Sprintf("The question has %d characters; at most %d are possible. Shorten it and move details to the answer.", n, limits.MaxQuestion)
	}
	if n := utf8.RuneCountInString(r.Answer); n > limits.MaxAnswer {
		return colAnswer, fmt.Sprintf("The answer has %d characters; at most %d are possible. Shorten it, or make several questions of it.", n, limits.MaxAnswer)
	}
	for _, c := range []column{colLocale, colFrom, colTo} {
		most := limits.MaxDate
		if c == colLocale {
			most = limits.MaxLocale
		}
		if n := utf8.RuneCountInString(f.text[c]); n > most {
			return c, fmt.Sprintf("The field has %d characters; at most %d are possible. Correct it, or leave it empty.", n, most)
		}
	}
	var bad string
	if r.Locale, bad = readLocale(f.text[colLocale]); bad != "" {
		return colLocale, bad
	}
	if r.From, bad = readDate(f.text[colFrom], false); bad != "" {
		return colFrom, bad
	}
	if r.To, bad = readDate(f.text[colTo], true); bad != "" {
		return colTo, bad
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return colTo, fmt.Sprintf("The answer would end on %s before it begins on %s. Correct one of the dates.",
			quote(f.text[colTo]), quote(f.text[colFrom]))
	}
	return 0, ""
}

// repeats says whether r's key or question stood in the file before, and remembers both. own means
// that the file gave the key.
func (b *builder) repeats(r knowledge.Row, own bool) (column, string) {
	key, question := identity{r.Key, r.Locale}, identity{normalQuestion(r.Question), r.Locale}
	if line, ok := b.keys[key]; ok && own {
		return colKey, fmt.Sprintf("The id %s is on line %d already, in the same language; that row counts. Give this one an id of its own, or delete it.",
			quote(r.Key), line)
	}
	if line, ok := b.questions[question]; ok && (!b.o.Trial || !own) {
		return colQuestion, fmt.Sprintf("The question %s is on line %d already, in the same language; that row counts. Merge the two, or word this one differently.",
			quote(r.Question), line)
	}
	if line, ok := b.keys[key]; ok {
		return colKey, fmt.Sprintf("The row has no id, and the one made from its question is the id of line %d; that row counts. Give this one an id.", line)
	}
	b.keys[key], b.questions[question] = r.Line, r.Line
	return 0, ""
}

// maxWordingsRead is how many variants of a row are looked at, repetitions included.
const maxWordingsRead = 10 * limits.MaxWordings

// wordings returns the variants worth keeping and what was dropped but for plain repetitions.
func wordings(question string, variants []string) (kept, dropped []string) {
	seen := map[string]bool{question: true}
	long, many := 0, 0
	for i, v := range variants {
		if i == maxWordingsRead {
			many += len(variants) - i
			break
		}
		v = oneLine(v)
		switch {
		case v == "" || seen[v]:
		case utf8.RuneCountInString(v) > limits.MaxQuestion:
			long++
		case len(kept)+1 >= limits.MaxWordings:
			many++
		default:
			seen[v] = true
			kept = append(kept, v)
		}
	}
	if long > 0 {
		dropped = append(dropped, fmt.Sprintf("%d of the variants have more than %d characters and were left out. Shorten them.", long, limits.MaxQuestion))
	}
	if many > 0 {
		dropped = append(dropped, fmt.Sprintf("The question has more than %d wordings; the last %d were left out. Keep those that differ most.", limits.MaxWordings, many))
	}
	return kept, dropped
}

// splitVariants splits a cell of variants: by lines, bars or semicolons, or as a JSON array.
func splitVariants(cell string) []string {
	if list, ok := jsonStrings(cell); ok {
		return list
	}
	return strings.FieldsFunc(cell, func(r rune) bool { return r == '\n' || r == '|' || r == ';' })
}

func readLocale(s string) (locale, bad string) {
	if s == "" || strings.EqualFold(s, "und") {
		return "", ""
	}
	tag, err := language.Parse(s)
	if err != nil {
		return "", fmt.Sprintf("%s is not a language. Write it like \"en\" or \"pt-BR\", or leave it empty.", quote(s))
	}
	return tag.String(), ""
}

// normalQuestion is what two questions have in common that differ in nothing that matters.
func normalQuestion(question string) string {
	s := strings.ToLower(question)
	if bare := strings.Trim(s, " ?!.,;:¿¡？！。،؟…\"'“”„«»"); bare != "" {
		return bare
	}
	return s
}

// deriveKey makes a key from a question: some of its words to read, and a digest to tell it apart.
// It does not depend on the answer, so an edited answer is still the same entry.
func deriveKey(question string) string {
	question = normalQuestion(question)
	words := strings.FieldsFunc(question, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	sum := sha256.Sum256([]byte(question))
	slug := strings.Trim(cut(strings.Join(words, "-"), 40), "-")
	return strings.Join(slices.DeleteFunc([]string{slug, hex.EncodeToString(sum[:5])}, func(s string) bool { return s == "" }), "-")
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// quote quotes the beginning of s. Problems are read in lists: 60 characters are enough to find a cell.
func quote(s string) string {
	s = oneLine(s)
	if short := cut(s, 59); short != s {
		s = short + "…"
	}
	return `"` + s + `"`
}
