package faqfile

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// wrapped begins a line that was only wrapped in the source: in the answer it continues the line
// before it. It is a control character, of which decoded text has none.
const wrapped = "\v"

// pictured stands around a picture's address, behind the words for it.
const pictured = "\f"

// escapedPipe and pipeInCode stand for "\|" in text and in code, until a paragraph is known to be a table, where both
// are a pipe that separates no cells, or none, where code keeps its backslash.
const escapedPipe, pipeInCode = "\x1d", "\x1e"

func outsideTables(text string) string {
	if !strings.ContainsAny(text, escapedPipe+pipeInCode) {
		return text // as nearly all is
	}
	return strings.NewReplacer(escapedPipe, "|", pipeInCode, `\|`).Replace(text)
}

// pictures returns text without the addresses of pictures, and those, a line for each.
func pictures(text string) (words, addresses string) {
	var kept, list []string
	for i, piece := range strings.Split(text, pictured) {
		if i%2 == 0 {
			kept = append(kept, piece)
		} else {
			list = append(list, piece)
		}
	}
	return strings.Join(kept, ""), strings.Join(list, "\n")
}

// A printer prints parsed Markdown as plain text.
type printer struct {
	source       []byte
	first        int // the line that source begins on
	offset, line int // of the last line asked for
}

// block prints a block, and an empty line after it.
func (p *printer) block(n ast.Node) []bodyLine {
	var lines []bodyLine
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		if leadsNowhere(n) {
			return nil
		}
		lines = p.paragraph(n)
	case *ast.List:
		return append(p.list(n), bodyLine{})
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		for i := range n.Lines().Len() {
			s := n.Lines().At(i)
			lines = append(lines, bodyLine{line: p.lineAt(s.Start), text: strings.TrimRight(string(s.Value(p.source)), "\n")})
		}
	case *ast.HTMLBlock:
		lines = p.htmlBlock(n)
	case *ast.Heading: // in a quotation or a list
		lines = append(lines, bodyLine{line: p.lineOf(n), text: p.inline(n)})
	case *ast.ThematicBreak, *ast.LinkReferenceDefinition:
		return nil
	default:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			lines = append(lines, p.block(c)...)
		}
		return lines
	}
	if len(lines) == 0 {
		return nil
	}
	return append(lines, bodyLine{})
}

// paragraph prints a paragraph. One whose lines are the rows of a table is one.
func (p *printer) paragraph(n ast.Node) (lines []bodyLine) {
	var marked strings.Builder
	p.writeInline(&marked, n)
	line := p.lineOf(n)
	if rows := tableRows(marked.String(), line); rows != nil {
		return rows
	}
	text := outsideTables(marked.String())
	for i, s := range strings.Split(text, "\n") {
		if bare := strings.TrimPrefix(s, wrapped); strings.HasPrefix(bare, ":::") || strings.HasPrefix(bare, "[!") || isChrome(bare) || isRule(strings.TrimSpace(bare)) {
			continue
		}
		lines = append(lines, bodyLine{line: line + i, text: s})
	}
	strong, ok := n.FirstChild().(*ast.Emphasis)
	if !ok || strong.Level != 2 || len(lines) == 0 { // Markdown's two stars
		return lines
	}
	bold := strings.TrimSpace(oneLine(p.inline(strong)))
	rest, ok := strings.CutPrefix(lines[0].text, bold)
	switch rest = strings.TrimSpace(rest); {
	case !ok:
	case rest == "" || rest == ":":
		lines[0].ask = bold
	case asks(bold): // and answers behind it, on the same line
		lines = slices.Insert(lines, 1, bodyLine{line: line, text: rest})
		lines[0].text, lines[0].ask = bold, bold
	}
	return lines
}

// leadsNowhere reports whether a block has nothing but links to places on its own page.
func leadsNowhere(n ast.Node) bool {
	links := 0
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Link:
			if !strings.HasPrefix(string(c.Destination), "#") {
				return false
			}
			links++
		case *ast.Text:
		default:
			return false
		}
	}
	return links > 0 && n.FirstChild() != nil && n.FirstChild().Kind() == ast.KindLink
}

// htmlBlock prints a block of HTML. A summary is a question, and </details> ends its answer.
func (p *printer) htmlBlock(n *ast.HTMLBlock) []bodyLine {
	var b strings.Builder
	for i := range n.Lines().Len() {
		s := n.Lines().At(i)
		b.Write(s.Value(p.source))
	}
	root, ok := plaintext.Parse(b.String(), limits.MaxTags)
	if !ok {
		return nil
	}
	lower := strings.ToLower(b.String())
	opened, closed := strings.Count(lower, "<details"), strings.Count(lower, "</details")
	lines := linesOf(root, p.lineOf(n), closed >= opened)
	if closed > opened {
		lines = append(lines, bodyLine{mark: markEnd})
	}
	return lines
}

// list prints a list, an item on each line, what belongs to an item indented below it.
func (p *printer) list(list *ast.List) []bodyLine {
	var lines []bodyLine
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if list.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		indent := mark
		for c := item.FirstChild(); c != nil; c = c.NextSibling() {
			for _, l := range p.block(c) {
				switch {
				case l.text == "":
				case strings.HasPrefix(l.text, wrapped):
					lines = append(lines, l)
				default:
					bare := l.text
					l.text, l.item = indent+l.text, indent == mark
					if l.ask == "" && l.item {
						l.ask = bare
					} else if !l.item {
						l.ask = ""
					}
					lines = append(lines, l)
					indent = "  "
				}
			}
		}
	}
	return lines
}

// inline prints the text inside a block. Links keep their addresses: "text (url)".
func (p *printer) inline(n ast.Node) string {
	var b strings.Builder
	p.writeInline(&b, n)
	return outsideTables(b.String())
}

// writeInline appends to b what inline returns. It copies no text, however deep n is nested.
func (p *printer) writeInline(b *strings.Builder, n ast.Node) {
	linked, address := 0, "" // of a link in HTML that is open
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.WriteString(p.unescape(c))
			if c.HardLineBreak() {
				b.WriteString("\n")
			} else if c.SoftLineBreak() {
				b.WriteString("\n" + wrapped)
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.Link:
			start := b.Len()
			p.writeInline(b, c)
			b.WriteString(plaintext.Address(b.String()[start:], string(c.Destination)))
		case *ast.AutoLink:
			b.Write(c.Label(p.source))
		case *ast.RawHTML:
			for i := range c.Segments.Len() {
				s := c.Segments.At(i)
				switch tag := string(s.Value(p.source)); {
				case strings.HasPrefix(strings.ToLower(tag), "<br"):
					b.WriteString("\n")
				case strings.HasPrefix(tag, "<a "):
					linked, address = b.Len(), hrefOf(tag)
				case tag == "</a>" && address != "":
					b.WriteString(plaintext.Address(b.String()[linked:], address))
					address = ""
				}
			}
		case *ast.Image:
			p.writeInline(b, c)
			b.WriteString(pictured + string(c.Destination) + pictured)
		default: // emphasis, code
			p.writeInline(b, c)
		}
	}
}

// hrefOf is where a tag of HTML leads, or "".
func hrefOf(tag string) string {
	_, rest, _ := strings.Cut(tag, "href=")
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	address, _, _ := strings.Cut(rest[1:], rest[:1])
	return html.UnescapeString(address)
}

// unescape returns what a piece of text means: "\*" is "*", "&amp;" is "&".
func (p *printer) unescape(t *ast.Text) string {
	value := t.Value(p.source)
	if t.IsRaw() {
		return strings.ReplaceAll(string(value), `\|`, pipeInCode)
	}
	value = bytes.ReplaceAll(value, []byte(`\|`), []byte(escapedPipe))
	return html.UnescapeString(string(util.UnescapePunctuations(value)))
}

// lineOf returns the line a block begins on, from 1.
func (p *printer) lineOf(n ast.Node) int {
	for n != nil {
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			return p.lineAt(n.Lines().At(0).Start)
		}
		n = n.FirstChild()
	}
	return p.line
}

// lineAt returns the line of an offset. Blocks come in order, so counting goes on from the last one.
func (p *printer) lineAt(offset int) int {
	if offset < p.offset {
		p.offset, p.line = 0, 0
	}
	p.line = max(p.first, p.line) + bytes.Count(p.source[p.offset:offset], []byte("\n"))
	p.offset = offset
	return p.line
}
