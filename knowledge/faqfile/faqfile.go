// Package faqfile reads the files affiliates send, tables, workbooks, JSON, YAML, Markdown, text documents,
// web pages and plain text, into rows, and says what is wrong with them in words their authors can act on. It writes entries as
// files that it reads back as they were. Parse and Look are pure: bytes in, rows and problems out; a Pool
// runs them where they can be ended. It is not for comparing rows with what is published or for storing
// them; that is knowledge.Corpus.
package faqfile

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// Options say how strictly to read.
type Options struct {
	// Trial reads for trying out retrieval. It keeps rows without an answer, of which one problem
	// then says how many there are, and rows whose question stood before under another key.
	// Otherwise each is left out with a problem of its own.
	Trial bool
	// Reading says which columns are which, and what was mended, where that is not in the file. With
	// Columns the file is read as a table, or as JSON, and its own headers mean nothing else.
	Reading knowledge.Reading
}

// Parse reads a file. name decides the format unless data is clearly something else. Rows come in
// the file's order with Key, Question and Answer filled in (but see Options), valid UTF-8 in NFC
// without control characters, and without two of the same key or question in one locale.
//
// It never fails as a whole: a row that cannot be used is left out with a problem that names its
// line and key; where nothing can be used, the one problem is fatal and there are no rows.
func Parse(name string, data []byte, o Options) ([]knowledge.Row, []knowledge.Problem) {
	if len(data) > limits.MaxFile {
		return nil, fatal(fmt.Sprintf("The file is larger than %d MiB. Split it, or leave out what is no longer needed.",
			limits.MaxFile>>20))
	}
	if what := binary(data); what != "" {
		return nil, fatal(what)
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		if isDocument(data) {
			return newBuilder(o).finish(readDocument(data))
		}
		return newBuilder(o).finish(readWorkbook(data))
	}
	text, note := decode(data, o.Reading.Encoding)
	if strings.TrimSpace(text) == "" {
		return nil, fatal("The file is empty. Send one with a row for each question.")
	}
	var first []knowledge.Problem
	for _, read := range readers(strings.ToLower(path.Ext(name)), text, len(o.Reading.Columns) > 0) {
		b := newBuilder(o)
		if note.Text != "" {
			b.problem(note)
		}
		rows, problems := b.finish(read)
		if len(rows) > 0 || b.tooMany {
			return rows, problems
		}
		if first == nil {
			first = problems
		}
	}
	return nil, first
}

// A reader reads a file into b. It calls b.stop if there is nothing in the file that it can read.
type reader func(b *builder)

// readers returns the readers to try on text, the likeliest first. columns means that somebody said
// which column is which, so that it must have some.
func readers(ext, text string, columns bool) []reader {
	asJSON := func(b *builder) { readJSON(b, text) }
	asTable := func(enough float64) reader { return func(b *builder) { readText(b, text, enough) } }
	asMarkdown := func(b *builder) { readMarkdown(b, text) }
	switch {
	case isPage(ext, text):
		return []reader{func(b *builder) { readPage(b, text) }}
	case looksXML(text):
		return []reader{func(b *builder) { readXML(b, text) }}
	case ext == ".rst":
		return []reader{func(b *builder) { readRST(b, text) }}
	case ext == ".yml", ext == ".yaml":
		return []reader{func(b *builder) { readYAML(b, text) }}
	case columns && looksJSON(text), ext == ".js", ext == ".mjs", ext == ".ts", ext == ".json5", ext == ".jsonc":
		return []reader{asJSON}
	case columns:
		return []reader{asTable(guessNever)}
	case looksJSON(text), ext == ".jsonl", ext == ".ndjson", ext == ".json", ext == ".jsonld":
		return []reader{asJSON, asTable(guessNever), asMarkdown}
	case ext == ".md", ext == ".markdown", ext == ".mdown", ext == ".mdx":
		return []reader{asMarkdown, asTable(guessNever)}
	case ext == ".csv", ext == ".tsv", ext == ".tab", ext == ".psv", ext == ".xlsx":
		return []reader{asTable(guessMost), asMarkdown}
	case looksMarkdown(text):
		return []reader{asMarkdown, asTable(guessAll)}
	default:
		return []reader{asTable(guessAll), asMarkdown}
	}
}

// looksJSON reports whether text begins as JSON with objects does. A Markdown link begins with a
// bracket too, but not with one followed by a brace.
func looksJSON(text string) bool {
	text = strings.TrimSpace(text)
	rest := strings.TrimSpace(strings.TrimPrefix(text, "["))
	if rest == "" || rest[0] != '{' {
		return false
	}
	rest = strings.TrimSpace(rest[1:])
	return rest != "" && (rest[0] == '"' || rest[0] == '}')
}

// looksMarkdown reports whether a line of text is a heading or a marked question.
func looksMarkdown(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if bare := strings.TrimLeft(line, "#"); bare != line && strings.HasPrefix(bare, " ") {
			return true
		}
		if _, ok := marked(strings.ReplaceAll(line, "**", ""), questionMarks); ok {
			return true
		}
	}
	return false
}

// binary says what to do about files that are no text and no workbook we read, or returns "".
func binary(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return "This is an old Excel file (.xls) or one with a password. Save it as .xlsx without a password, or as CSV."
	case bytes.HasPrefix(data, []byte("%PDF")):
		return "PDF files cannot be read. Send a table (CSV or .xlsx), a .docx document, JSON or Markdown."
	case bytes.HasPrefix(data, []byte("\x1f\x8b")), bytes.HasPrefix(data, []byte("Rar!")), bytes.HasPrefix(data, []byte("7z\xbc\xaf")):
		return "This is an archive. Unpack it and send the file inside."
	}
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) && noText(data) {
		return "This is not a text and not an Excel workbook or Word document. Send a table (CSV or .xlsx), .docx, JSON or Markdown."
	}
	return ""
}

// noText reports whether data has more control characters than any text: pictures and programs do.
func noText(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return false // UTF-16 says so
	}
	head := data[:min(len(data), 1<<14)]
	_, wide := utf16Order(head)
	odd := 0
	for _, c := range head {
		if c < ' ' && (c != 0 || !wide) && !bytes.ContainsRune([]byte("\t\n\v\f\r"), rune(c)) {
			odd++
		}
	}
	return odd > len(head)/10
}

func fatal(text string) []knowledge.Problem {
	return []knowledge.Problem{{Text: text, Fatal: true}}
}
