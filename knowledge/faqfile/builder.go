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
	"faqbot/knowledge/plaintext"
)

// fields is a row as a file has it.
type fields struct {
	line     int
	text     [columns]string // but for the variants
	variants []string
	unsure   string // a problem met in reading the row that does not make it useless
	useless  string // one that does
	hidden   string // why the row is not for customers: "draft"
	plain    bool   // it is text as customers read it already
	tagged   bool   // the topic is one of several tags, less than what stands around
}

// clean is f in clean text: the answer and the media keep their lines.
func (f fields) clean() fields {
	for c := range f.text {
		if column(c) == colAnswer || column(c) == colMedia || column(c) == colFollowUps {
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
	names     lexicon
	places    map[int]column // columns known by their places
	mends     map[int]mends  // row → what was mended in it
	topic     string         // of rows of a table that name none
	locale    string         // likewise
	ready     bool           // the cells of a table are text as customers read it
	strict    bool           // a heading is a question only if it, or most beside it, ask
	unread    []bodyLine     // text that is in no entry
	look      func([]record) // called instead of reading a table, if not nil
	rows      []knowledge.Row
	problems  []knowledge.Problem
	found     []fields         // rows as the file has them, until all are known
	seen      int              // rows, usable or not
	wordings  int              // questions and variants of the rows
	notes     int              // problems of rows that are used all the same
	keys      map[identity]int // → line
	questions map[identity]int // → line
	byTopic   map[identity]int // question → place in rows of the first entry with it
	twice     int              // rows that say the same as one before
	hidden    []string         // what the rows say that are not for customers
	markup    int              // work of reading Markdown in fields, see tooMuchMarkup
	kept      int              // lost rows kept for mending
	lacking   int              // rows without an answer, where that is allowed
	lackingAt knowledge.Problem
	comma     byte   // what separates the cells of the table, 0 if that is not text
	stopped   string // the fatal problem
	tooMany   bool   // stopped by the number of rows: it is no use to try another format
}

func newBuilder(o Options) *builder {
	b := &builder{o: o, names: names(), keys: make(map[identity]int), questions: make(map[identity]int), byTopic: make(map[identity]int), mends: mendsByRow(o.Reading.Mends)}
	if len(o.Reading.Columns) > 0 {
		b.names, b.places = chosen(o.Reading.Columns), places(o.Reading.Columns)
	}
	return b
}

// finish reads with read and returns the result.
func (b *builder) finish(read reader) ([]knowledge.Row, []knowledge.Problem) {
	read(b)
	b.settle()
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
	b.tellCounts()
	if more := b.notes - limits.MaxNotes; more > 0 {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("There are %d more problems like these, of rows that are used without what is wrong. Fix these first.", more)})
	}
	if len(b.rows) == 0 {
		b.problem(knowledge.Problem{Text: "No row of the file can be used. Fix the problems above.", Fatal: true})
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

// add takes a row as the file has it. It reports whether there may be another one.
func (b *builder) add(f fields) bool {
	if b.found = append(b.found, f); len(b.found) > limits.MaxRows {
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

// settle makes text of all rows found, and checks them.
func (b *builder) settle() {
	if b.stopped == "" {
		b.makeText()
	}
	for _, f := range b.found {
		if b.stopped != "" {
			return
		}
		b.check(f)
	}
	b.found = nil
}

// tellCounts says how many rows were left out for what they say of themselves.
func (b *builder) tellCounts() {
	if len(b.hidden) > 0 {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("Left out, as the file says that they are not for customers: %s.", counted(b.hidden))})
	}
	b.tellUnread()
	if b.twice > 0 {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("%d rows have the question and the answer of a row before and were read once.", b.twice)})
	}
}

// counted says how often each of a list of words is in it: "2 draft, 1 hidden".
func counted(words []string) string {
	slices.Sort(words)
	var list []string
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n] == words[0] {
			n++
		}
		list = append(list, fmt.Sprintf("%d %s", n, words[0]))
		words = words[n:]
	}
	return strings.Join(list, ", ")
}

// check counts a row and keeps it, or says what is wrong with it.
func (b *builder) check(f fields) bool {
	b.seen++
	if f.hidden != "" {
		b.hidden = append(b.hidden, f.hidden)
		return true
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
		r.Key = KeyOf(r.Question)
	}
	lose := func(field, key, text string) bool {
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Field: field, Key: plaintext.Cut(key, limits.MaxKey), Text: text, Lost: true, Given: b.given(f)})
		return true
	}
	// A key made from a question that may have been misread would protect the wrong entry.
	if f.unsure != "" {
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Key: plaintext.Cut(f.text[colKey], limits.MaxKey), Text: f.unsure})
	}
	if f.useless != "" {
		return lose("", f.text[colKey], f.useless)
	}
	if c, text := checkRow(&r, f, b.o); text != "" {
		return lose(columnName(c), r.Key, text)
	}
	if b.same(r) {
		b.twice++
		return true
	}
	if b.tellApart(&r, own) {
		f.variants = append(f.variants, f.text[colQuestion])
	}
	if own && b.isSerial(r) {
		r.Key = KeyOf(r.Question)
	}
	if c, text := b.repeats(r, own); text != "" {
		return lose(columnName(c), r.Key, text)
	}
	return b.complete(r, f)
}

// isSerial reports whether r's key is a number that a row before has: each sheet or list counts from 1.
func (b *builder) isSerial(r knowledge.Row) bool {
	_, taken := b.keys[identity{r.Key, r.Locale}]
	return taken && strings.Trim(r.Key, "0123456789") == "" && b.first(r) == nil
}

// complete adds to a sound row what else it has, and keeps it. What is wrong with that costs only itself.
func (b *builder) complete(r knowledge.Row, f fields) bool {
	tell := func(c column, text string) {
		if b.notes++; b.notes > limits.MaxNotes {
			return
		}
		b.problem(knowledge.Problem{Line: f.line, Row: b.seen, Field: columnName(c), Key: plaintext.Cut(r.Key, limits.MaxKey), Text: text})
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
	var many string
	if r.FollowUps, many = readFollowUps(f.text[colFollowUps]); many != "" {
		tell(colFollowUps, many)
	}
	r.Slug = knowledge.Slugify(f.text[colSlug])
	if text := topicTooLong(r.Topic); text != "" {
		tell(colTopic, text)
		r.Topic = ""
	}
	b.keep(r)
	return true
}

// topicTooLong says so of a topic that is.
func topicTooLong(topic string) string {
	n := utf8.RuneCountInString(topic)
	if n <= limits.MaxTopic {
		return ""
	}
	return fmt.Sprintf("The topic has %d characters and was left out; at most %d are possible.", n, limits.MaxTopic)
}

// keep adds a row.
func (b *builder) keep(r knowledge.Row) {
	if r.Answer == "" {
		if b.lacking++; b.lacking == 1 {
			b.lackingAt = knowledge.Problem{Line: r.Line, Field: columnName(colAnswer), Key: r.Key}
		}
	}
	if _, ok := b.byTopic[identity{normalQuestion(r.Question), r.Locale}]; !ok {
		b.byTopic[identity{normalQuestion(r.Question), r.Locale}] = len(b.rows)
	}
	b.rows = append(b.rows, r)
}

// first returns the entry that asked what r asks, or nil.
func (b *builder) first(r knowledge.Row) *knowledge.Row {
	if i, ok := b.byTopic[identity{normalQuestion(r.Question), r.Locale}]; ok {
		return &b.rows[i]
	}
	return nil
}

// same reports whether an entry has the question and the answer of r, as a copied sheet does.
func (b *builder) same(r knowledge.Row) bool {
	before := b.first(r)
	return before != nil && !b.o.Trial && before.Answer == r.Answer
}

// tellApart gives r, and the entry that asks the same under another topic, the topic in its question, so
// that customers can choose between them. It reports whether it did.
func (b *builder) tellApart(r *knowledge.Row, own bool) bool {
	before := b.first(*r)
	if before == nil || b.o.Trial || before.Topic == r.Topic || before.Topic == "" || r.Topic == "" ||
		utf8.RuneCountInString(r.Question)+len(before.Topic)+len(r.Topic) > limits.MaxQuestion {
		return false
	}
	plain := r.Question
	r.Question = fmt.Sprintf("%s (%s)", plain, r.Topic)
	if !own {
		r.Key = KeyOf(r.Question)
	}
	if !strings.HasSuffix(before.Question, " ("+before.Topic+")") {
		before.Variants = append(before.Variants, before.Question)
		before.Question = fmt.Sprintf("%s (%s)", before.Question, before.Topic)
	}
	return true
}

// checkRow fills in r's locale and dates and returns what makes r unusable, if anything does.
func checkRow(r *knowledge.Row, f fields, o Options) (column, string) {
	if r.Question == "" {
		return colQuestion, "The question is missing. Write it, or delete the row."
	}
	if r.Answer == "" && !o.Trial {
		return colAnswer, "The answer is missing. Write it, or delete the row."
	}
	if c, text := checkLengths(r.Entry); text != "" {
		return c, text
	}
	return readDetails(&r.Entry, f)
}

// checkLengths returns what is too long in e.
func checkLengths(e knowledge.Entry) (column, string) {
	if n := utf8.RuneCountInString(e.Key); n > limits.MaxKey {
		return colKey, fmt.Sprintf("The id has %d characters; at most %d are possible. Shorten it.", n, limits.MaxKey)
	}
	if n := utf8.RuneCountInString(e.Question); n > limits.MaxQuestion {
		return colQuestion, fmt.Sprintf("The question has %d characters; at most %d are possible. Shorten it and move details to the answer.", n, limits.MaxQuestion)
	}
	if n := utf8.RuneCountInString(e.Answer); n > limits.MaxAnswer {
		return colAnswer, fmt.Sprintf("The answer has %d characters; at most %d are possible. Shorten it, or make several questions of it.", n, limits.MaxAnswer)
	}
	return 0, ""
}

// readDetails fills in e's locale and dates and returns what of them cannot be used.
func readDetails(e *knowledge.Entry, f fields) (column, string) {
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
	if e.Locale, bad = readLocale(f.text[colLocale]); bad != "" {
		return colLocale, bad
	}
	if e.From, bad = readDate(f.text[colFrom], false); bad != "" {
		return colFrom, bad
	}
	if e.To, bad = readDate(f.text[colTo], true); bad != "" {
		return colTo, bad
	}
	if !e.From.IsZero() && !e.To.IsZero() && !e.From.Before(e.To) {
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

// KeyOf makes a key from a question: some of its words to read, and a digest to tell it apart.
// It does not depend on the answer, so an edited answer is still the same entry.
func KeyOf(question string) string {
	question = normalQuestion(question)
	words := strings.FieldsFunc(question, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	sum := sha256.Sum256([]byte(question))
	slug := strings.Trim(plaintext.Cut(strings.Join(words, "-"), 40), "-")
	return strings.Join(slices.DeleteFunc([]string{slug, hex.EncodeToString(sum[:5])}, func(s string) bool { return s == "" }), "-")
}

// quote quotes the beginning of s. Problems are read in lists: 60 characters are enough to find a cell.
func quote(s string) string {
	s = oneLine(s)
	if short := plaintext.Cut(s, 59); short != s {
		s = short + "…"
	}
	return `"` + s + `"`
}
