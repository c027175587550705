package plaintext

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"faqbot/knowledge/limits"
)

// A Line is a line of text; one without text stands between two blocks.
type Line struct {
	Text   string
	Number int      // of the file's line
	Level  int      // of a heading, from 1
	Bold   bool     // all of it is bold
	Item   bool     // it begins an item of a list that is in no other list
	Cells  []string // of a row of a table, whose Text names the columns
	Mark   int      // of the caller's
}

// A Printer prints nodes as lines. Pictures go through Picture, which returns the text to put in their place.
type Printer struct {
	Lines   []Line
	Skip    func(*Node) bool // if not nil, which nodes are left out
	Instead func(*Node) bool // if not nil, prints a node in its own way, or reports false
	Picture func(address string) string

	text   strings.Builder // of the line that is being written
	bold   int             // elements open that make text bold
	thin   bool            // some of the line is not bold
	number int
	lists  []int  // the open lists: the number of the next item, or -1
	prefix string // of the next text: "- "
	item   bool
	pre    int
}

// HTML returns s as text, and the addresses of the pictures in it. Of text with more than
// limits.MaxTags tags it returns "" and false.
func HTML(s string) (text string, pictures []string, ok bool) {
	root, ok := Parse(s, limits.MaxTags)
	if !ok {
		return "", nil, false
	}
	p := Printer{Picture: func(address string) string {
		pictures = append(pictures, address)
		return ""
	}}
	p.Print(root)
	return strings.TrimSpace(Join(p.Finish())), pictures, true
}

// Looks reports whether s has a tag of HTML that closes, breaks a line or shows a picture.
func Looks(s string) bool {
	const maxTried = 20 // tags; each may be looked for in all of s
	rest := s
	for range maxTried {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			return false
		}
		rest = rest[i:]
		if name := tagAt(rest); name != "" && (rest[1] == '/' || isVoid(name) || strings.Contains(rest, "</"+name)) {
			return true
		}
		rest = rest[1:]
	}
	return false
}

// Entities decodes the entities of s that end in a semicolon: "&amp;", "&#8211;".
func Entities(s string) string {
	if !strings.Contains(s, "&") || !strings.Contains(s, ";") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		const longest = 34 // bytes of an entity
		end := strings.IndexByte(s[:min(len(s), longest)], ';')
		if end < 0 || strings.ContainsAny(s[1:end], " &") {
			end = 0
		}
		b.WriteString(html.UnescapeString(s[:end+1]))
		s = s[end+1:]
	}
}

// Join joins lines.
func Join(lines []Line) string {
	var texts []string
	for _, l := range lines {
		if l.Text != "" || len(texts) > 0 && texts[len(texts)-1] != "" {
			texts = append(texts, l.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// Address is what follows the text of a link: its address, unless the text says it or nobody outside of
// its page can open it.
func Address(text, address string) string {
	address = strings.TrimSpace(address)
	lower := strings.ToLower(address)
	bare := strings.TrimPrefix(strings.TrimPrefix(address, "mailto:"), "tel:")
	opens := slices.ContainsFunc([]string{"http://", "https://", "mailto:", "tel:"}, func(s string) bool { return strings.HasPrefix(lower, s) })
	switch {
	case !opens, strings.Contains(text, bare):
		return ""
	case strings.TrimSpace(text) == "":
		return bare
	}
	return " (" + bare + ")"
}

// Row is a row of a table as a line: the first cell, then the others with the names of their columns.
func Row(header, cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = strings.Join(strings.Fields(cell), " ")
		switch {
		case cell == "":
			continue
		case b.Len() == 0:
			b.WriteString(cell)
			continue
		}
		b.WriteString(" – ")
		if i < len(header) && header[i] != "" && len(header) > 1 {
			b.WriteString(strings.TrimSuffix(header[i], ":") + ": ")
		}
		b.WriteString(cell)
	}
	return b.String()
}

// Finish ends the last line and returns all.
func (p *Printer) Finish() []Line {
	p.end()
	return p.Lines
}

// Print prints n.
func (p *Printer) Print(n *Node) {
	p.number = n.Line
	if n.Tag == "" && n.Parent != nil {
		p.write(n.Text)
		return
	}
	if p.Skip != nil && p.Skip(n) || p.Instead != nil && p.Instead(n) {
		return
	}
	switch n.Tag {
	case "script", "style", "template", "noscript", "head", "title", "svg", "iframe", "object", "select", "textarea", "audio", "video":
		return
	case "br":
		p.end()
	case "hr":
		p.Blank()
	case "img":
		p.picture(n)
	case "a":
		start := p.text.Len()
		p.children(n)
		p.text.WriteString(Address(p.text.String()[min(start, p.text.Len()):], n.Attr("href")))
	case "b", "strong":
		p.bold++
		p.children(n)
		p.bold--
	case "h1", "h2", "h3", "h4", "h5", "h6":
		p.Blank()
		p.Heading(n, int(n.Tag[1]-'0'))
	case "ul", "ol", "menu":
		p.list(n)
	case "li", "dd":
		p.listItem(n)
	case "table":
		p.Blank()
		p.table(n)
		p.Blank()
	case "pre":
		p.Blank()
		p.pre++
		p.children(n)
		p.pre--
		p.Blank()
	case "p", "blockquote", "dl", "figure", "section", "article", "details", "form", "fieldset", "address", "header", "footer", "main", "aside", "nav":
		p.Blank()
		p.children(n)
		p.Blank()
	case "div", "dt", "tr", "caption", "figcaption", "summary", "center", "button", "legend":
		p.end()
		p.children(n)
		p.end()
	default:
		p.children(n)
	}
}

func (p *Printer) children(n *Node) {
	for _, c := range n.Children {
		p.Print(c)
	}
}

func (p *Printer) picture(n *Node) {
	address := n.Attr("src")
	if lazy := n.Attr("data-src"); lazy != "" && !strings.HasPrefix(address, "https://") {
		address = lazy
	}
	if p.Picture != nil && strings.HasPrefix(address, "https://") {
		p.text.WriteString(p.Picture(address))
	}
}

// Heading prints what is in n as a heading.
func (p *Printer) Heading(n *Node, level int) {
	before := len(p.Lines)
	p.prefix = "" // in a list it is the item's heading, not a line of it
	p.children(n)
	p.end()
	var words []string
	for _, l := range p.Lines[before:] {
		words = append(words, l.Text)
	}
	if text := strings.TrimSpace(strings.Join(words, " ")); text != "" {
		p.Lines = append(p.Lines[:before], Line{Text: text, Number: n.Line, Level: level}, Line{})
	}
}

func (p *Printer) list(n *Node) {
	p.end()
	next := -1
	if n.Tag == "ol" {
		next = 1
	}
	p.lists = append(p.lists, next)
	p.children(n)
	p.lists = p.lists[:len(p.lists)-1]
	p.end()
	if len(p.lists) == 0 {
		p.Blank()
	}
}

func (p *Printer) listItem(n *Node) {
	p.end()
	if n.Tag == "li" && len(p.lists) > 0 {
		at := &p.lists[len(p.lists)-1]
		p.prefix = strings.Repeat("  ", len(p.lists)-1) + "- "
		if *at > 0 {
			p.prefix = strings.Repeat("  ", len(p.lists)-1) + fmt.Sprintf("%d. ", *at)
			*at++
		}
		p.item = len(p.lists) == 1
	}
	p.children(n)
	p.end()
	p.prefix, p.item = "", false
}

// isLayout reports whether a table only places the parts of a page, as old pages do: a cell has headings, rules or
// several paragraphs.
func isLayout(table *Node) (is bool) {
	table.All(func(cell *Node) bool {
		if cell.Tag == "th" {
			return false
		}
		if cell.Tag != "td" {
			return !is
		}
		paragraphs := 0
		cell.All(func(n *Node) bool {
			switch n.Tag {
			case "h1", "h2", "h3", "h4", "hr", "table":
				is = true
			case "p":
				paragraphs++
			}
			return !is
		})
		is = is || paragraphs > 2
		return !is
	})
	return is
}

// table prints a row on a line. A first row of <th> alone names the columns.
func (p *Printer) table(n *Node) {
	if isLayout(n) {
		p.children(n)
		return
	}
	var header []string
	first := true
	n.All(func(tr *Node) bool {
		if tr.Tag != "tr" {
			return tr.Tag != "table" || tr == n
		}
		var cells []string
		names := true
		for _, cell := range tr.Children {
			if cell.Tag != "td" && cell.Tag != "th" {
				continue
			}
			names = names && cell.Tag == "th"
			inner := Printer{Picture: p.Picture, Skip: p.Skip}
			inner.children(cell)
			if cells = append(cells, Join(inner.Finish())); len(cells) == limits.MaxColumns {
				break
			}
		}
		if len(cells) > 0 {
			line := Line{Text: Row(header, cells), Number: tr.Line, Cells: cells}
			if names && first {
				header = cells
				line.Text = ""
			}
			p.Lines = append(p.Lines, line)
			first = false
		}
		return false
	})
}

// write adds text to the line. White space is one space.
func (p *Printer) write(text string) {
	if p.pre > 0 {
		for i, line := range strings.Split(text, "\n") {
			if i > 0 {
				p.end()
			}
			p.text.WriteString(line)
		}
		return
	}
	words := strings.Fields(text)
	before := p.text.String()
	space := text != "" && strings.ContainsAny(text[:1], " \t\n\r")
	if len(words) == 0 {
		if space && before != "" && !strings.HasSuffix(before, " ") {
			p.text.WriteByte(' ')
		}
		return
	}
	if space && before != "" && !strings.HasSuffix(before, " ") {
		p.text.WriteByte(' ')
	}
	if before == "" {
		p.text.WriteString(p.prefix)
		if p.prefix != "" {
			p.prefix = strings.Repeat(" ", len(p.prefix))
		}
	}
	p.thin = p.thin || p.bold == 0
	p.text.WriteString(strings.Join(words, " "))
	if strings.ContainsAny(text[len(text)-1:], " \t\n\r") {
		p.text.WriteByte(' ')
	}
}

// end ends the line.
func (p *Printer) end() {
	if text := strings.TrimRight(p.text.String(), " "); text != "" {
		p.Lines = append(p.Lines, Line{Text: text, Number: p.number, Bold: !p.thin, Item: p.item})
		p.item = false
	}
	p.text.Reset()
	p.thin = false
}

// Blank ends the block.
func (p *Printer) Blank() {
	p.end()
	if n := len(p.Lines); n > 0 && p.Lines[n-1].Text != "" {
		p.Lines = append(p.Lines, Line{})
	}
}

// Cut returns the first n characters of s.
func Cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
