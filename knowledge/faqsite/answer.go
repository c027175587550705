package faqsite

import (
	"regexp"
	"strconv"
	"strings"

	"faqbot/knowledge/plaintext"
)

// A block is a paragraph, a list or a table of an answer. Templates escape what is in it: an answer is text, and no
// mark in it becomes a tag by itself.
type block struct {
	Kind  string // "p", "ul", "ol" or "table"
	Lines []line // of a paragraph; or the items of a list, each a line
	Start int    // the number of the first item of an "ol"
	Head  []line // the cells of a table
	Rows  [][]line
}

// A line is text with the links in it.
type line []plaintext.Part

// blocks finds paragraphs, lists and tables in an answer, where its author wrote them as Markdown or plain text does.
func blocks(answer string) (list []block) {
	item, numbered := regexp.MustCompile(`^\s*[-*•]\s+(\S.*)$`), regexp.MustCompile(`^\s*(\d{1,6})[.)]\s+(\S.*)$`)
	lines := strings.Split(strings.ReplaceAll(answer, "\r\n", "\n"), "\n")
	open := "" // the kind of the block that the next line may go on with
	for i := 0; i < len(lines); i++ {
		text := strings.TrimRight(lines[i], " \t\r")
		kind, start := "p", 0
		if strings.TrimSpace(text) == "" {
			open = ""
			continue
		} else if t, n := table(lines[i:]); n > 0 {
			list, open, i = append(list, t), "", i+n-1
			continue
		} else if m := item.FindStringSubmatch(text); m != nil {
			kind, text = "ul", m[1]
		} else if m := numbered.FindStringSubmatch(text); m != nil {
			kind, text = "ol", m[2]
			start, _ = strconv.Atoi(m[1]) // six digits at most
		}
		if kind != open {
			list = append(list, block{Kind: kind, Start: start})
			open = kind
		}
		last := &list[len(list)-1]
		last.Lines = append(last.Lines, plaintext.Linkify(strings.TrimSpace(text)))
	}
	return list
}

// table reads a table of Markdown that begins with the first line, and returns how many lines it has, 0 if it is none.
func table(lines []string) (t block, n int) {
	if len(lines) < 2 || !strings.Contains(lines[0], "|") || !regexp.MustCompile(`^\s*\|?(\s*:?-+:?\s*\|)+(\s*:?-+:?\s*)?$`).MatchString(strings.TrimRight(lines[1], " \t\r")) {
		return t, 0
	}
	t = block{Kind: "table", Head: cells(lines[0])}
	for n = 2; n < len(lines) && strings.Contains(lines[n], "|"); n++ {
		row := cells(lines[n])
		for len(row) < len(t.Head) {
			row = append(row, nil)
		}
		t.Rows = append(t.Rows, row[:len(t.Head)])
	}
	return t, n
}

func cells(text string) (list []line) {
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "|"), "|")
	for cell := range strings.SplitSeq(text, "|") {
		list = append(list, plaintext.Linkify(strings.TrimSpace(cell)))
	}
	return list
}

// maxDescription is how many characters of an answer search engines, and our own search, show.
const maxDescription = 160

// describe is the beginning of an answer on one line, without the marks of lists and tables.
func describe(answer string) string {
	var words []string
	for _, b := range blocks(answer) {
		for _, l := range b.Lines {
			words = append(words, l.text())
		}
		for _, row := range append([][]line{b.Head}, b.Rows...) {
			for _, cell := range row {
				words = append(words, cell.text())
			}
		}
	}
	text := strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	if cut := plaintext.Cut(text, maxDescription); cut != text {
		return strings.TrimSpace(cut) + "…"
	}
	return text
}

func (l line) text() string {
	var b strings.Builder
	for _, part := range l {
		b.WriteString(part.Text)
	}
	return b.String()
}
