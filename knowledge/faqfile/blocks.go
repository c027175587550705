package faqfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"faqbot/knowledge/limits"
)

// sections parses source into a tree, a chunk at a time: the parser keeps some 1,000 bytes of each line and
// mark. It says why it does not, or "".
func sections(source string) (root *section, problem string) {
	references := definitions(source)
	o := newOutline()
	line := 1
	for len(source) > 0 {
		size, nodes := chunk(source)
		if nodes > limits.MaxNodes {
			return nil, fmt.Sprintf("The text from line %d on has more than %d lines and marks without a heading or a new paragraph. Make each question a heading, and put empty lines between paragraphs.", line, limits.MaxNodes)
		}
		addSections(&o, source[:size], line, references)
		if o.full() {
			return nil, tooManyLines()
		}
		line += strings.Count(source[:size], "\n")
		source = source[size:]
	}
	return o.root(), ""
}

// addSections parses a chunk that begins on a line.
func addSections(o *outline, chunk string, line int, references []parser.Reference) {
	p := printer{source: []byte(chunk), first: line}
	known := parser.NewContext()
	for _, r := range references {
		known.AddReference(r)
	}
	doc := goldmark.New().Parser().Parse(text.NewReader(p.source), parser.WithContext(known))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			o.add(p.block(n)...)
			continue
		}
		o.head(h.Level, p.lineOf(h), oneLine(p.inline(h)))
	}
}

// definitions are the link definitions of source, which count in all of it.
func definitions(source string) []parser.Reference {
	line := regexp.MustCompile(`(?m)^ {0,3}\[[^\]\n]{1,200}\]:.*$`)
	found := line.FindAllString(source, -1)
	if len(found) == 0 {
		return nil
	}
	known := parser.NewContext()
	goldmark.New().Parser().Parse(text.NewReader([]byte(strings.Join(found, "\n"))), parser.WithContext(known))
	return known.References()
}

// minChunk is in bytes: smaller ones take longer than they save.
const minChunk = 16 << 10

// chunk returns how much of source can be parsed by itself, and how many nodes that makes at most. It ends
// before a line that surely begins a block at the top: a heading, or a letter behind an empty line.
func chunk(source string) (size, nodes int) {
	inside := "" // what ends a block that goes on over headings
	blank := true
	for line := range strings.Lines(source) {
		bare := strings.TrimSpace(line)
		first, _ := utf8.DecodeRuneInString(line)
		if size >= minChunk && inside == "" && (beginsBlock(line, bare) && first == '#' || blank && unicode.IsLetter(first)) {
			return size, nodes
		}
		inside = goesOn(inside, bare)
		blank = bare == ""
		size += len(line)
		nodes += lineNodes(line)
	}
	return size, nodes
}

// lineNodes is how many nodes a line makes at most: itself, what it is nested in, and its marks.
func lineNodes(line string) int {
	n := 1
	for i := range len(line) {
		if strings.IndexByte("[]!*_`<&>+-", line[i]) >= 0 {
			n++
		}
	}
	return n
}

// goesOn returns what ends the block that a line is in, if a heading does not.
func goesOn(inside, bare string) string {
	if inside != "" {
		if strings.Contains(strings.ToLower(bare), inside) {
			return ""
		}
		return inside
	}
	lower := strings.ToLower(bare[:min(len(bare), 20)])
	for _, fence := range []string{"```", "~~~"} {
		if rest, ok := strings.CutPrefix(bare, fence); ok && !strings.Contains(rest, fence) {
			return fence
		}
	}
	for _, block := range [][2]string{{"<!--", "-->"}, {"<script", "</script>"}, {"<pre", "</pre>"}, {"<style", "</style>"}, {"<textarea", "</textarea>"}, {"<?", "?>"}, {"<![cdata[", "]]>"}} {
		if strings.HasPrefix(lower, block[0]) && !strings.Contains(strings.ToLower(bare[len(block[0]):]), block[1]) {
			return block[1]
		}
	}
	return ""
}

// nesting returns the most block markers at the beginning of a line.
func nesting(source string) int {
	most := 0
	for line := range strings.Lines(source) {
		n := 0
	count:
		for i := range len(line) {
			switch line[i] {
			case '>', '-', '+', '*':
				n++
			case ' ', '\t':
			default:
				break count
			}
		}
		if bare := strings.Trim(line, " \t\n*"); bare != "" && strings.Trim(line, " \t\n-") != "" {
			most = max(most, n) // not a rule across the page
		}
	}
	return most
}

// tooMuchMarkup says which block would take the Markdown parser too long, or returns "".
func tooMuchMarkup(source string) string {
	work, worstLine := markupWork(source)
	if work > limits.MaxMarkup {
		return fmt.Sprintf("The text has too many brackets, stars and the like in long paragraphs, most of them from line %d on. Put empty lines between paragraphs, or remove what is no text.", worstLine)
	}
	return ""
}

// markupWork is the work of the Markdown parser. From each mark of a block it may look at the rest of the
// block, so it is marks × bytes, summed over all blocks; the worst begins on worstLine.
func markupWork(source string) (work, worstLine int) {
	marks, size, first, line, worst := 0, 0, 1, 0, 0
	end := func() {
		if work += marks * size; marks*size > worst {
			worst, worstLine = marks*size, first
		}
		marks, size, first = 0, 0, line
	}
	for text := range strings.Lines(source) {
		line++
		if bare := strings.TrimSpace(text); bare == "" || beginsBlock(text, bare) {
			end()
		}
		size += len(text)
		for i := range len(text) {
			if strings.IndexByte("[]!*_`<&", text[i]) >= 0 {
				marks++
			}
		}
	}
	end()
	return work, worstLine
}

// beginsBlock reports whether a line surely begins a block of its own: a heading or an item of a list.
func beginsBlock(text, bare string) bool {
	if strings.HasPrefix(text, "    ") || strings.HasPrefix(text, "\t") {
		return false
	}
	mark, rest, ok := strings.Cut(bare, " ")
	if !ok || strings.TrimSpace(rest) == "" {
		return false
	}
	return mark == "-" || mark == "*" || mark == "+" || len(mark) <= 6 && strings.Trim(mark, "#") == ""
}
