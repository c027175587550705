package faqfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// A notation is how the cells of a column write text.
type notation struct{ html, markdown, escapes bool }

// patterns are the marks by which a column's notation is told.
type patterns struct{ markdown, escape, path, formula *regexp.Regexp }

func newPatterns() patterns {
	return patterns{
		markdown: regexp.MustCompile(`!?\[[^\]\n]*\]\((https?://|mailto:|tel:|/|\.|#)[^()\s]*\)|\*\*[^*\s]([^*\n]*[^*\s])?\*\*|(?m:^#{1,6} \S)`),
		escape:   regexp.MustCompile(`\\r\\n|\\n`),
		path:     regexp.MustCompile(`(?:^|[\s"'(])(?:[A-Za-z]:\\|\\\\)\S`),
		formula:  regexp.MustCompile(`(?i)^=HYPERLINK\(\s*"([^"]*)"\s*(?:[,;]\s*"([^"]*)"\s*)?\)$`),
	}
}

// makeText turns the fields of all rows into what a customer should read: HTML, Markdown, escaped line ends
// and formulas of links. It decides for each column by all of its cells, and says so once.
func (b *builder) makeText() {
	p := newPatterns()
	var found [columns]notation
	for _, f := range b.found {
		if f.plain {
			continue
		}
		for _, c := range textColumns() {
			found[c].learn(f.text[c], p)
		}
		for _, v := range f.variants {
			found[colVariants].learn(v, p)
		}
	}
	t := texter{b: b, patterns: p, parser: goldmark.DefaultParser()}
	for i := range b.found {
		f := &b.found[i]
		if f.plain {
			continue
		}
		for _, c := range textColumns() {
			text, pictures := t.text(f.text[c], found[c])
			f.text[c] = text
			if c == colAnswer && len(pictures) > 0 {
				f.text[colMedia] = strings.TrimSpace(f.text[colMedia] + "\n" + strings.Join(pictures, "\n"))
			}
		}
		for j, v := range f.variants {
			f.variants[j], _ = t.text(v, found[colVariants])
		}
	}
	t.tell(found)
}

// textColumns are the columns that hold text.
func textColumns() []column { return []column{colQuestion, colAnswer, colTopic} }

func (n *notation) learn(cell string, p patterns) {
	if cell == "" {
		return
	}
	n.html = n.html || plaintext.Looks(cell)
	n.markdown = n.markdown || strings.ContainsAny(cell, "[*#") && p.markdown.MatchString(cell)
	n.escapes = n.escapes || strings.Contains(cell, `\n`) && !p.path.MatchString(cell)
}

// A texter makes text of cells.
type texter struct {
	b *builder
	patterns
	parser parser.Parser
	left   int // cells with more marks than may be read
}

// text returns a cell as text, and the addresses of the pictures in it.
func (t *texter) text(cell string, n notation) (text string, pictures []string) {
	if strings.HasPrefix(cell, "=") {
		if m := t.formula.FindStringSubmatch(strings.TrimSpace(cell)); m != nil {
			return m[2] + plaintext.Address(m[2], m[1]), nil
		}
	}
	if n.escapes && !t.path.MatchString(cell) {
		cell = t.escape.ReplaceAllString(cell, "\n")
	}
	if n.html && plaintext.Looks(cell) {
		text, pictures, ok := plaintext.HTML(brokenLines(cell))
		if ok {
			return text, pictures
		}
		t.left++
		return cell, nil
	}
	if n.markdown && strings.ContainsAny(cell, "[*#_`>\\") {
		return t.markdown(cell)
	}
	return plaintext.Entities(cell), nil
}

// brokenLines keeps the line ends of HTML that has no other: text with tags for bold letters and links.
func brokenLines(cell string) string {
	lower := strings.ToLower(cell)
	for _, tag := range []string{"<br", "<p", "<div", "<li", "<tr", "<h"} {
		if strings.Contains(lower, tag) {
			return cell
		}
	}
	return strings.ReplaceAll(cell, "\n", "<br>")
}

// markdown returns a cell of Markdown as text. A line end of the cell stays one, as its author saw it.
func (t *texter) markdown(cell string) (string, []string) {
	work, _ := markupWork(cell)
	nodes := 0
	for line := range strings.Lines(cell) {
		nodes += lineNodes(line)
	}
	if t.b.markup+work > limits.MaxMarkup || nodes > limits.MaxNodes || nesting(cell) > limits.MaxNesting || strings.Count(cell, "]:") > limits.MaxDefinitions {
		t.left++
		return cell, nil
	}
	t.b.markup += work
	p := printer{source: []byte(cell), first: 1}
	var lines []string
	doc := t.parser.Parse(text.NewReader(p.source))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		for _, l := range p.block(n) {
			lines = append(lines, strings.TrimPrefix(l.text, wrapped))
		}
	}
	words, addresses := pictures(strings.Join(lines, "\n"))
	list := slices.DeleteFunc(strings.Split(addresses, "\n"), func(s string) bool { return !strings.HasPrefix(s, "https://") })
	return words, list
}

// tell says what the columns were written in.
func (t *texter) tell(found [columns]notation) {
	say := func(what, done string, has func(notation) bool) {
		var list []string
		for c, n := range found {
			if has(n) {
				list = append(list, columnName(column(c)))
			}
		}
		if len(list) > 0 {
			t.b.problem(knowledge.Problem{Text: fmt.Sprintf("%s in %s: %s.", what, strings.Join(list, ", "), done)})
		}
	}
	say("HTML", "tags were removed, links and line breaks kept, pictures read as media", func(n notation) bool { return n.html })
	say("Markdown", "marks were removed, links kept, pictures read as media", func(n notation) bool { return n.markdown })
	say(`The characters \n`, "they were read as line ends", func(n notation) bool { return n.escapes })
	if t.left > 0 {
		t.b.problem(knowledge.Problem{Text: fmt.Sprintf("%d fields have too many tags or marks to be read and stay as they are. Write them as plain text.", t.left)})
	}
}
