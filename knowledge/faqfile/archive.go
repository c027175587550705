package faqfile

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"

	"faqbot/knowledge/limits"
)

// An archive counts what the library for workbooks would have to read, keep and copy, before it does.
type archive struct {
	unpacked, elements, sheets int

	strings    []int          // bytes of each shared text
	text       int            // bytes of all cells' text
	formats    map[string]int // number format's ID → bytes
	styles     []string       // number format's ID of each style of cells
	formatting int            // bytes of number formats, of all cells with a style

	marks sheetMarks // links and merged ranges of the cells

	// Of the part being read, and where in it.
	shared, sheet, style        bool
	inString, inValue, inStyles bool
	cellShared                  bool // the cell uses a shared text
	name, cell                  string
	inFormula                   bool
}

// checkArchive counts a workbook. It says why it is not read, or returns "".
func checkArchive(data []byte) (*archive, string) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, brokenWorkbook
	}
	if len(z.File) > limits.MaxParts {
		return nil, fmt.Sprintf("The workbook has %d parts; at most %d are read. Copy the questions into a new workbook, or save as CSV.", len(z.File), limits.MaxParts)
	}
	// Cells refer to shared texts and styles, so those come first.
	files := slices.Clone(z.File)
	slices.SortStableFunc(files, func(a, b *zip.File) int { return cmp.Compare(order(a.Name), order(b.Name)) })
	a := &archive{marks: newSheetMarks()}
	for _, f := range files {
		if a.unpacked += int(min(f.UncompressedSize64, limits.MaxUnpacked+1)); a.unpacked > limits.MaxUnpacked {
			return nil, tooLargeUnpacked()
		}
	}
	for _, f := range files {
		part, err := readPart(f)
		if errors.Is(err, errTooLarge) {
			return nil, tooLargeUnpacked()
		}
		if err != nil {
			return nil, brokenWorkbook
		}
		if problem := a.part(f.Name, part); problem != "" {
			return nil, problem
		}
	}
	return a, ""
}

func tooLargeUnpacked() string {
	return fmt.Sprintf("The workbook unpacks to more than %d MiB. Keep only the sheet with the questions, or save it as CSV.", limits.MaxUnpacked>>20)
}

func isShared(name string) bool {
	return strings.EqualFold(strings.ReplaceAll(name, `\`, "/"), "xl/sharedStrings.xml")
}

func isSheet(name string) bool {
	return strings.HasPrefix(strings.ToLower(strings.ReplaceAll(name, `\`, "/")), "xl/worksheets/")
}

func isStyles(name string) bool {
	return strings.EqualFold(strings.ReplaceAll(name, `\`, "/"), "xl/styles.xml")
}

func order(name string) int {
	if isShared(name) || isStyles(name) {
		return 0
	}
	return 1
}

// readPart unpacks a part no further than its size says.
func readPart(f *zip.File) (data []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	size := int64(f.UncompressedSize64)
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err = b.ReadFrom(io.LimitReader(r, size+1)); err == nil && int64(b.Len()) > size {
		err = errTooLarge
	}
	return b.Bytes(), err
}

// part counts a part. It says why the workbook is not read, or returns "".
func (a *archive) part(name string, data []byte) string {
	a.shared, a.sheet, a.style = isShared(name), isSheet(name), isStyles(name)
	a.inString, a.inValue, a.inStyles, a.cellShared = false, false, false, false
	a.name, a.cell, a.inFormula = strings.ToLower(strings.ReplaceAll(name, `\`, "/")), "", false
	most := limits.MaxSettings
	switch { // of two parts of one name the later counts
	case a.shared:
		a.strings, most = nil, limits.MaxShared
	case a.style:
		a.styles, a.formats = nil, map[string]int{}
	case a.sheet:
		most = limits.MaxElements
	}
	before := a.elements
	for len(data) > 0 {
		at := bytes.IndexByte(data, '<')
		if at < 0 {
			at = len(data)
		}
		a.countText(data[:at])
		if data = data[at:]; len(data) == 0 {
			break
		}
		tag, rest, ok := cutMarkup(data)
		if !ok {
			if a.shared || a.sheet || strings.HasSuffix(strings.ToLower(name), ".xml") {
				return brokenWorkbook
			}
			break // a picture, or damaged
		}
		if content, ok := bytes.CutPrefix(tag, []byte("<![CDATA[")); ok {
			a.countText(content)
		} else if problem := a.element(tag); problem != "" {
			return problem
		}
		if data = rest; a.elements > limits.MaxElements || a.elements-before > most {
			return fmt.Sprintf("The workbook has too much in it: its part %s has more than %d cells, styles or settings. Copy the questions into a new workbook, or save as CSV.", quote(name), most)
		}
	}
	return ""
}

// cutMarkup cuts a tag, comment or CDATA section off data. Document types, which no workbook has, are refused.
func cutMarkup(data []byte) (tag, rest []byte, ok bool) {
	for _, kind := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}} {
		if bytes.HasPrefix(data, []byte(kind[0])) {
			tag, rest, ok = bytes.Cut(data, []byte(kind[1]))
			return tag, rest, ok
		}
	}
	if bytes.HasPrefix(data, []byte("<!")) {
		return nil, nil, false
	}
	for i := 1; i < len(data); i++ {
		switch c := data[i]; c {
		case '>':
			return data[:i], data[i+1:], true
		case '"', '\'':
			end := bytes.IndexByte(data[i+1:], c)
			if end < 0 {
				return nil, nil, false
			}
			i += end + 1
		}
	}
	return nil, nil, false
}

// countText counts the text between two tags.
func (a *archive) countText(text []byte) {
	if len(text) == 0 {
		return
	}
	switch {
	case a.inFormula && a.sheet:
		a.marks.formula(a.name, a.cell, unescape(text))
		a.text += len(text)
	case a.shared && a.inString:
		a.strings[len(a.strings)-1] += len(text)
	case a.inValue && a.cellShared:
		if n, err := strconv.Atoi(strings.TrimSpace(unescape(text))); err == nil && n >= 0 && n < len(a.strings) {
			a.text += a.strings[n]
		}
	case len(bytes.TrimSpace(text)) > 0:
		a.text += len(text)
	}
}

func unescape(text []byte) string {
	return html.UnescapeString(string(text))
}

// element counts a tag. It says why the workbook is not read, or returns "".
func (a *archive) element(tag []byte) string {
	if len(tag) < 2 || tag[1] == '?' || tag[1] == '!' {
		return ""
	}
	local, attributes, closing, single := cutTag(tag)
	if !closing {
		a.elements += 1 + bytes.Count(attributes, []byte("="))
		a.marks.element(a.name, local, attributes)
	}
	switch local {
	case "row":
		if n, _ := strconv.Atoi(attributeOf(attributes, "r")); n < 0 || n > limits.MaxSheetRow {
			return fmt.Sprintf("A row of the workbook has the number %s; Excel has at most %d rows. Save it again as .xlsx, or as CSV.", quote(attributeOf(attributes, "r")), limits.MaxSheetRow)
		}
	case "c":
		if !closing {
			a.cellShared, a.cell = attributeOf(attributes, "t") == "s", attributeOf(attributes, "r")
			if n, err := strconv.Atoi(attributeOf(attributes, "s")); err == nil && n >= 0 && n < len(a.styles) {
				a.formatting += a.formats[a.styles[n]] // 0 for one that every workbook has
			}
		}
	case "v":
		a.inValue = !closing && !single
	case "si":
		if !closing && a.shared {
			a.strings = append(a.strings, 0)
		}
		a.inString = !closing && !single
	case "f":
		a.inFormula = !closing && !single
	case "sheet":
		if a.sheets++; a.sheets > limits.MaxSheets*2 { // each may have a closing tag
			return fmt.Sprintf("The workbook has more than %d sheets. Keep only the one with the questions.", limits.MaxSheets)
		}
	case "cellXfs":
		a.inStyles = !closing
	case "xf":
		if a.inStyles && !closing {
			a.styles = append(a.styles, attributeOf(attributes, "numFmtId"))
		}
	case "numFmt":
		if a.style && !closing { // one is looked for among all
			a.formats[attributeOf(attributes, "numFmtId")] = len(attributeOf(attributes, "formatCode")) + len(attributeOf(attributes, "formatCode16")) + len(a.formats)/8
		}
	}
	return a.tooMuch()
}

// tooMuch says what there is too much of, or returns "".
func (a *archive) tooMuch() string {
	if a.formatting > limits.MaxFormats {
		return "The workbook has too many cells with long number formats. Copy the questions as plain text into a new workbook, or save as CSV."
	}
	if a.text > limits.MaxText {
		return fmt.Sprintf("The cells of the workbook have more than %d MiB of text, each counted by itself. Keep only the questions and their columns, or split the file.", limits.MaxText>>20)
	}
	return ""
}

// cutTag cuts a tag of two bytes or more into its name, without the prefix, and its attributes.
func cutTag(tag []byte) (local string, attributes []byte, closing, single bool) {
	name := tag[1:]
	if closing = name[0] == '/'; closing {
		name = name[1:]
	}
	if end := bytes.IndexAny(name, " \t\r\n/"); end > 0 {
		name, attributes = name[:end], name[end:]
	}
	local = strings.TrimSpace(string(name[bytes.LastIndexByte(name, ':')+1:]))
	return local, attributes, closing, bytes.HasSuffix(attributes, []byte("/"))
}

// attributeOf returns the value of an attribute, whatever its prefix, or "". The last of several counts most.
func attributeOf(attributes []byte, local string) (value string) {
	for len(attributes) > 0 {
		at := bytes.IndexByte(attributes, '=')
		if at < 0 {
			return value
		}
		name := strings.TrimSpace(string(attributes[:at]))
		rest := bytes.TrimLeft(attributes[at+1:], " \t\r\n")
		if len(rest) == 0 {
			return value
		}
		inside, after, ok := bytes.Cut(rest[1:], rest[:1])
		if !ok {
			return value
		}
		if name = name[strings.LastIndexByte(name, ':')+1:]; name == local {
			value = unescape(inside)
		}
		attributes = after
	}
	return value
}
