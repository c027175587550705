package faqfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// isDocument reports whether an archive is a text document of Word.
func isDocument(data []byte) bool { return bytes.Contains(data, []byte("word/document.xml")) }

const brokenDocument = "The document cannot be opened: it is damaged or has a password. Save it again as .docx, or as text."

// readDocument returns a reader of a .docx file: headings, bold lines, lists and tables are read as in
// Markdown. Headers, footers, comments and deleted text are left out.
func readDocument(data []byte) reader {
	return func(b *builder) {
		if b.look != nil {
			return
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil || len(z.File) > limits.MaxParts {
			b.stop(brokenDocument)
			return
		}
		d := document{outline: outline{open: newOutline().open, strict: true}, styles: map[string]int{}, targets: map[string]string{}, line: 1}
		for _, part := range []struct {
			name    string
			element func(attributes []byte, closing, single bool, name string)
		}{{"word/styles.xml", d.style}, {"word/_rels/document.xml.rels", d.relation}, {"word/document.xml", d.element}} {
			text, err := documentPart(z, part.name)
			if err != nil {
				b.stop(brokenDocument)
				return
			}
			if len(text) > limits.MaxDocument {
				b.stop(fmt.Sprintf("The text of the document is larger than %d MiB. Split it, or leave out what is no longer needed.", limits.MaxDocument>>20))
				return
			}
			d.scan(text, part.element)
		}
		if d.endParagraph(); d.full() {
			b.stop(tooManyLines())
			return
		}
		b.strict = true
		root := d.root()
		if !root.asksInside() && !root.hasQuestions(b.names) {
			b.stop("No questions were found in the document. Make each question a heading or a bold line that ends in a question mark, with its answer below, or use a table with the columns question and answer.")
			return
		}
		b.readSection(root, "")
	}
}

// documentPart unpacks a part, no further than one byte beyond limits.MaxDocument. One that is not there is empty.
func documentPart(z *zip.Reader, name string) ([]byte, error) {
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(r, limits.MaxDocument+1))
		_ = r.Close() // it was read as far as it is needed
		return data, err
	}
	return nil, nil
}

// A document is read element by element.
type document struct {
	outline
	styles  map[string]int    // style's ID → level of a heading
	targets map[string]string // relation's ID → address
	styleID string            // being defined

	line            int // the number of the paragraph
	level           int // of the paragraph's heading
	item            bool
	text            strings.Builder
	inText, inProps bool
	bold, thin      bool // the run is; some of the paragraph is not
	hidden          bool // the run is
	deleted         int
	link            string
	linkAt          int
	tables          int
	cells, header   []string
	cell            strings.Builder
	rows            int // of the table so far
}

// scan calls element for each tag of a part, and takes the text between them.
func (d *document) scan(data []byte, element func(attributes []byte, closing, single bool, name string)) {
	for len(data) > 0 && !d.full() {
		at := bytes.IndexByte(data, '<')
		if at < 0 {
			return
		}
		if d.inText && !d.hidden && d.deleted == 0 {
			d.write(unescape(data[:at]))
		}
		tag, rest, ok := cutMarkup(data[at:])
		if !ok {
			return
		}
		if data = rest; len(tag) < 2 || tag[1] == '?' || tag[1] == '!' {
			continue
		}
		local, attributes, closing, single := cutTag(tag)
		element(attributes, closing, single, local)
	}
}

// style notes the styles that are headings: "heading 2", whatever their IDs.
func (d *document) style(attributes []byte, closing, _ bool, name string) {
	switch {
	case closing:
	case name == "style":
		d.styleID = attributeOf(attributes, "styleId")
	case name == "name":
		d.note(attributeOf(attributes, "val"))
	case name == "outlineLvl":
		if n, err := strconv.Atoi(attributeOf(attributes, "val")); err == nil && n >= 0 && n < 6 {
			d.styles[d.styleID] = n + 1
		}
	}
}

func (d *document) note(name string) {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "heading "); ok {
		if n, err := strconv.Atoi(rest); err == nil && n > 0 && n < 10 {
			d.styles[d.styleID] = n
		}
	} else if name == "title" {
		d.styles[d.styleID] = 1
	}
}

func (d *document) relation(attributes []byte, closing, _ bool, name string) {
	if name == "Relationship" && !closing && len(d.targets) < limits.MaxLinks {
		d.targets[attributeOf(attributes, "Id")] = attributeOf(attributes, "Target")
	}
}

func (d *document) element(attributes []byte, closing, single bool, name string) {
	switch name {
	case "t":
		d.inText = !closing && !single
	case "rPr", "pPr":
		d.inProps = !closing && !single
	case "r":
		d.bold, d.hidden = false, false
	case "b":
		d.bold = !closing && on(attributes)
	case "vanish":
		d.hidden = !closing && on(attributes)
	case "tab":
		if !d.inProps {
			d.write(" ")
		}
	case "br", "cr":
		d.write("\n")
	case "pStyle":
		if level := d.styles[attributeOf(attributes, "val")]; level > 0 {
			d.level = level
		} else if strings.HasPrefix(attributeOf(attributes, "val"), "List") {
			d.item = true
		}
	case "numPr":
		d.item = true
	case "del", "moveFrom":
		if closing {
			d.deleted = max(0, d.deleted-1)
		} else if !single && !d.inProps {
			d.deleted++
		}
	case "hyperlink":
		if closing {
			text := d.at().String()
			d.at().WriteString(plaintext.Address(text[min(d.linkAt, len(text)):], d.link))
		} else {
			d.link, d.linkAt = d.targets[attributeOf(attributes, "id")], d.at().Len()
		}
	case "p":
		if closing || single {
			d.endParagraph()
		}
	case "tbl", "tr", "tc":
		d.table(name, closing)
	}
}

// on reports whether a switch such as <w:b/> is on.
func on(attributes []byte) bool {
	switch attributeOf(attributes, "val") {
	case "0", "false", "off":
		return false
	}
	return true
}

func (d *document) at() *strings.Builder {
	if d.tables > 0 {
		return &d.cell
	}
	return &d.text
}

func (d *document) write(text string) {
	if strings.TrimSpace(text) != "" {
		d.thin = d.thin || !d.bold
	}
	d.at().WriteString(text)
}

func (d *document) endParagraph() {
	d.line++
	if d.tables > 0 {
		d.cell.WriteString("\n")
		d.level, d.item, d.thin = 0, false, false
		return
	}
	text := strings.TrimSpace(d.text.String())
	switch {
	case text == "":
	case d.level > 0:
		d.head(d.level, d.line-1, oneLine(text))
	default:
		for i, line := range strings.Split(text, "\n") {
			l := bodyLine{line: d.line - 1, text: line}
			if d.item && i == 0 {
				l.text, l.item, l.ask = "- "+line, true, line
			} else if !d.thin {
				l.ask = line
			}
			d.add(l)
		}
		if !d.item {
			d.add(bodyLine{})
		}
	}
	d.text.Reset()
	d.level, d.item, d.thin = 0, false, false
}

// table begins and ends a table, its rows and cells. Tables in cells are text of those.
func (d *document) table(name string, closing bool) {
	switch {
	case name == "tbl" && !closing:
		if d.tables++; d.tables == 1 {
			d.header, d.rows = nil, 0
		}
	case name == "tbl":
		if d.tables = max(0, d.tables-1); d.tables == 0 {
			d.add(bodyLine{})
		}
	case d.tables != 1:
	case name == "tr" && !closing:
		d.cells = nil
	case name == "tc" && closing:
		if len(d.cells) < limits.MaxColumns {
			d.cells = append(d.cells, strings.TrimSpace(d.cell.String()))
		}
		d.cell.Reset()
	case name == "tr":
		l := bodyLine{line: d.line, cells: d.cells, text: plaintext.Row(d.header, d.cells)}
		if d.rows++; d.rows == 1 && len(d.cells) > 2 {
			d.header = d.cells
			l.text = ""
		}
		if len(d.cells) > 0 {
			d.add(l)
		}
	}
}
