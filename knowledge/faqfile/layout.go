package faqfile

import (
	"slices"
	"strconv"
	"strings"
)

// A tableLayout says in which cell of a table's rows each column is.
type tableLayout struct {
	cell     [columns]int // -1: absent; variants and media are below
	variants []int
	media    []int
	flags    []publicFlag
	parts    []part
	found    int // columns recognised
}

// A publicFlag is a cell that may say that its row is not for customers.
type publicFlag struct {
	cell int
	name string
}

// A part is what a row says in one language, or the first, second … entry of a row that has several.
type part struct {
	name   string // "de", "2"
	locale string
	cell   [columns]int
	more   []int // variants
}

func (l tableLayout) has(c column) bool {
	return l.cell[c] >= 0 || c == colVariants && len(l.variants) > 0 || c == colMedia && len(l.media) > 0 ||
		slices.ContainsFunc(l.parts, func(p part) bool { return p.cell[c] >= 0 })
}

func absent() (cell [columns]int) {
	for c := range cell {
		cell[c] = -1
	}
	return cell
}

// layOut recognises the columns of a header, and takes those of fixed for what they are.
func layOut(names lexicon, fixed map[int]column, cells []string) tableLayout {
	l := tableLayout{cell: absent()}
	var rank [columns]int
	numbered := map[column]map[int]int{colQuestion: {}, colAnswer: {}}
	for i, cell := range cells {
		if !names.chosen && l.addPart(names, cell, i) {
			continue
		}
		k, ok := lookUp(names, cell)
		switch {
		case !ok:
			if c, n := numberedHeader(names, cell); n > 0 && !names.chosen {
				numbered[c][n] = i
			} else if len(cell) <= maxHeader && isFlag(cell) {
				l.flags = append(l.flags, publicFlag{i, cell})
			}
		case k.column == colVariants:
			l.variants = append(l.variants, i)
		case k.column == colMedia:
			l.media = append(l.media, i)
		case l.cell[k.column] < 0 || k.rank < rank[k.column]:
			l.cell[k.column], rank[k.column] = i, k.rank
		}
	}
	if l.cell[colAnswer] >= 0 || len(numbered[colAnswer]) > 0 {
		l.addNumbered(numbered[colQuestion], numbered[colAnswer])
	}
	for i, c := range fixed {
		switch c {
		case colVariants:
			l.variants = append(l.variants, i)
		case colMedia:
			l.media = append(l.media, i)
		default:
			l.cell[c] = i
		}
	}
	slices.Sort(l.variants)
	slices.Sort(l.media)
	for c := range columns {
		if l.has(c) {
			l.found++
		}
	}
	if l.cell[colKey] < 0 { // a slug names its row where nothing else does
		l.cell[colKey] = l.cell[colSlug]
	}
	return l
}

// part returns the part of a name, which it adds if there is none.
func (l *tableLayout) part(name, locale string) *part {
	for i := range l.parts {
		if l.parts[i].name == name {
			return &l.parts[i]
		}
	}
	l.parts = append(l.parts, part{name: name, locale: locale, cell: absent()})
	return &l.parts[len(l.parts)-1]
}

// addPart adds a column of one language, and reports whether a header names such a one.
func (l *tableLayout) addPart(names lexicon, header string, cell int) bool {
	if len(header) > maxHeader {
		return false
	}
	base, locale := splitHeader(header)
	k, ok := lookUp(names, base)
	if locale == "" || !ok || k.column != colQuestion && k.column != colAnswer && k.column != colTopic && k.column != colVariants {
		return false
	}
	if p := l.part(locale, locale); k.column == colVariants {
		p.more = append(p.more, cell)
	} else if p.cell[k.column] < 0 {
		p.cell[k.column] = cell
	}
	return true
}

// numberedHeader returns the column and the number of a header such as "question2", or 0.
func numberedHeader(names lexicon, header string) (column, int) {
	if len(header) > maxHeader {
		return 0, 0
	}
	name := normalHeader(header)
	bare := strings.TrimRight(name, "0123456789")
	n, err := strconv.Atoi(name[len(bare):])
	k, ok := names.known[bare]
	if err != nil || !ok || k.column != colQuestion && k.column != colAnswer {
		return 0, 0
	}
	return k.column, n
}

// addNumbered adds numbered columns: with an answer each they are entries of their own, else the questions
// are wordings of one.
func (l *tableLayout) addNumbered(questions, answers map[int]int) {
	order := func(m map[int]int) (list []int) {
		for n := range m {
			list = append(list, n)
		}
		slices.Sort(list)
		return list
	}
	if len(answers) > 1 {
		for _, n := range order(questions) {
			if at, ok := answers[n]; ok {
				p := l.part(strconv.Itoa(n), "")
				p.cell[colQuestion], p.cell[colAnswer] = questions[n], at
			}
		}
		return
	}
	for _, n := range order(answers) {
		if l.cell[colAnswer] < 0 {
			l.cell[colAnswer] = answers[n]
		}
	}
	for _, n := range order(questions) {
		if l.cell[colQuestion] < 0 {
			l.cell[colQuestion] = questions[n]
		} else {
			l.variants = append(l.variants, questions[n])
		}
	}
}

// fields sorts the cells of r into rows: one, or one for each of its parts.
func (l tableLayout) fields(r record) []fields {
	f := fields{line: r.line, unsure: r.unsure}
	at := func(i int) string {
		if i >= 0 && i < len(r.cells) {
			return r.cells[i]
		}
		return ""
	}
	for c, i := range l.cell {
		f.text[c] = at(i)
	}
	for _, i := range l.variants {
		f.variants = append(f.variants, splitVariants(at(i))...)
	}
	for _, i := range l.media {
		f.text[colMedia] += "\n" + at(i)
	}
	for _, flag := range l.flags {
		if f.hidden == "" {
			f.hidden = notPublic(flag.name, at(flag.cell))
		}
	}
	if len(l.parts) == 0 {
		return []fields{f}
	}
	var list []fields
	if f.text[colQuestion] != "" && f.text[colAnswer] != "" {
		list = append(list, f)
	}
	for _, p := range l.parts {
		own := f
		own.variants = nil
		for _, i := range p.more {
			own.variants = append(own.variants, splitVariants(at(i))...)
		}
		for _, c := range []column{colQuestion, colAnswer, colTopic} {
			if p.cell[c] >= 0 || c != colTopic && p.locale == "" {
				own.text[c] = at(p.cell[c])
			}
		}
		if p.locale != "" {
			own.text[colLocale] = p.locale
		} else if own.text[colKey] != "" {
			own.text[colKey] += "." + p.name
		}
		if strings.TrimSpace(own.text[colQuestion]) != "" || strings.TrimSpace(at(p.cell[colAnswer])) != "" {
			list = append(list, own)
		}
	}
	for i := range list { // translations share a key
		if first := list[0].text[colQuestion]; i > 0 && list[i].text[colKey] == "" && list[i].text[colLocale] != list[0].text[colLocale] && first != "" {
			list[i].text[colKey] = KeyOf(oneLine(first))
		}
	}
	return list
}
