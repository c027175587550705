package faqfile

import (
	"strings"

	"faqbot/knowledge"
)

// ReadTyped reads an entry that somebody typed field by field, as a row of a file is read: HTML and Markdown become
// text. Other wordings and media stand one on a line. It returns what could be read, without a key if none was typed,
// and what is wrong with the rest; that the question or the answer is missing is for the caller to say.
func ReadTyped(typed map[string]string) (e knowledge.Entry, problems []knowledge.Problem) {
	var f fields
	for c := range f.text {
		f.text[c] = typed[columnName(column(c))]
	}
	f.variants = strings.Split(typed[columnName(colVariants)], "\n")
	b := newBuilder(Options{})
	b.found = []fields{f}
	b.makeText()
	f = b.found[0].clean()
	problems = b.problems
	tell := func(c column, texts ...string) {
		for _, text := range texts {
			if text != "" {
				problems = append(problems, knowledge.Problem{Field: columnName(c), Text: text})
			}
		}
	}
	e = knowledge.Entry{Key: f.text[colKey], Question: f.text[colQuestion], Answer: f.text[colAnswer], Topic: f.text[colTopic]}
	for _, check := range []func() (column, string){
		func() (column, string) { return checkLengths(e) },
		func() (column, string) { return readDetails(&e, f) },
	} {
		c, text := check()
		tell(c, text)
	}
	if text := topicTooLong(e.Topic); text != "" {
		tell(colTopic, text)
		e.Topic = ""
	}
	var wrong []string
	e.Variants, wrong = wordings(e.Question, f.variants)
	tell(colVariants, wrong...)
	e.Media, wrong = readMedia(f.text[colMedia])
	tell(colMedia, wrong...)
	return e, problems
}
