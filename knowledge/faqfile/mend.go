package faqfile

import (
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// mends is what was mended in one row.
type mends struct {
	drop bool
	text map[column]string
}

func mendsByRow(list []knowledge.Fix) map[int]mends {
	byRow := make(map[int]mends)
	for _, m := range list {
		row := byRow[m.Row]
		if row.text == nil {
			row.text = make(map[column]string)
		}
		if c, ok := columnOf(m.Field); ok && c != colVariants {
			row.text[c] = m.Value
		}
		row.drop = m.Drop
		byRow[m.Row] = row
	}
	return byRow
}

// apply returns f as mended. Somebody looked at the row, so what was odd about it is settled.
func (m mends) apply(f fields) fields {
	for c, text := range m.text {
		f.text[c] = text
	}
	f.unsure, f.useless = "", ""
	return f
}

const (
	givenMost = 500 // rows of a file that are kept for mending; nobody types more
	givenText = 2 * limits.MaxAnswer
)

// given is what a lost row says, for a person to mend.
func (b *builder) given(f fields) map[string]string {
	if b.kept >= givenMost {
		return nil
	}
	b.kept++
	given := make(map[string]string)
	for c, text := range f.text {
		if text != "" {
			given[columnName(column(c))] = plaintext.Cut(text, givenText)
		}
	}
	return given
}

// Mendable returns the fields that a Mend may change, in the order of a form.
func Mendable() []string {
	var list []string
	for _, c := range []column{colQuestion, colAnswer, colKey, colTopic, colLocale, colFrom, colTo, colMedia} {
		list = append(list, columnName(c))
	}
	return list
}
