package suite

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// maxSize bounds a suite's file in bytes; the largest public set has 2 MB of questions.
const maxSize = 64 << 20

// load reads a file whole, as UTF-8 without a byte order mark.
func (r *reader) load(path string) ([]byte, error) {
	if r.data != nil {
		return bytes.TrimPrefix(r.data, []byte("\xEF\xBB\xBF")), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the suite: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the suite: %w", err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s is larger than %d MB; split it", path, maxSize>>20)
	}
	return bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")), nil
}

// loadText is load for files of text. The first line that is not UTF-8 is a problem.
func (r *reader) loadText(path string) ([]byte, error) {
	data, err := r.load(path)
	if err != nil || utf8.Valid(data) {
		return data, err
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			r.problem(i+1, "this line is not UTF-8; save the file as UTF-8")
			break
		}
	}
	return nil, nil
}

// yaml reads {faq, gates, cases}, or a list of cases.
func (r *reader) yaml(path string, s *Suite) error {
	data, err := r.loadText(path)
	if err != nil || data == nil {
		return err
	}
	v, err := parseYAML(data)
	if err != nil {
		r.problem(lineOf(data, err))
		return nil
	}
	switch v.kind {
	case listed:
		v = value{kind: mapping, fields: []field{{"cases", v.line, v}}}
	case mapping:
	default:
		r.problem(v.line, "a suite is {faq: FILE, gates: […], cases: […]}, or a list of cases")
		return nil
	}
	for _, f := range v.fields {
		switch f.name {
		case "name":
			s.Name = r.text(f)
		case "faq":
			if s.FAQ = r.text(f); !filepath.IsAbs(s.FAQ) {
				s.FAQ = filepath.Join(filepath.Dir(path), s.FAQ)
			}
		case "gates":
			s.Gates = r.texts(f)
		case "cases":
			if f.value.kind != listed {
				r.problem(f.line, `"cases" is a list, each case after "- ", not %s`, f.value.kind)
			}
			for _, one := range f.value.list {
				r.add(s, one)
			}
		default:
			r.problem(f.line, "a suite has no field %q; it has name, faq, gates and cases", f.name)
		}
	}
	return nil
}

// lineOf is where YAML goes wrong, and how. The parser tells where the block around it begins, so the line is the one
// after the last that the file could end with.
func lineOf(data []byte, err error) (line int, format string, what any) {
	format, what = `this is not YAML: %s; indent with spaces, and put quotes around texts with : # ? , { or [`, err
	m := regexp.MustCompile(`(?s)line (\d+): (.*)`).FindStringSubmatch(strings.TrimSpace(err.Error()))
	if m == nil {
		return 0, format, what
	}
	line, _ = strconv.Atoi(m[1])
	lines := bytes.SplitAfter(data, []byte("\n"))
	for n := min(len(lines)-1, line+maxSearched); n >= line; n-- {
		if _, err := parseYAML(bytes.Join(lines[:n], nil)); err == nil {
			line = n + 1
			break
		}
	}
	return line, format, m[2]
}

// maxSearched is how many lines are looked at for an error in YAML.
const maxSearched = 200

func (r *reader) jsonLines(path string, s *Suite) error {
	data, err := r.loadText(path)
	if err != nil {
		return err
	}
	for i, row := range bytes.Split(data, []byte("\n")) {
		if row = bytes.TrimSpace(row); len(row) == 0 {
			continue
		}
		v, err := parseJSON(row, i+1)
		if err != nil {
			r.problem(i+1, `this is not JSON (%v); a row is {"id":"…","ask":"…","answer":["…"]}`, err)
			continue
		}
		r.add(s, v)
	}
	return nil
}

// folder reads a set: queries.jsonl, with the FAQ beside it.
func (r *reader) folder(path string, s *Suite) error {
	r.file = filepath.Join(path, "queries.jsonl")
	if _, err := os.Stat(r.file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: a folder is a suite if it has queries.jsonl and an FAQ; else name the suite's file", path)
	}
	faqs, err := filepath.Glob(filepath.Join(path, "faq.*"))
	if err != nil {
		return err
	}
	if len(faqs) == 1 || slices.Contains(faqs, filepath.Join(path, "faq.jsonl")) {
		s.FAQ = faqs[max(0, slices.Index(faqs, filepath.Join(path, "faq.jsonl")))]
	}
	return r.jsonLines(r.file, s)
}

// delimited reads CSV and TSV. Spreadsheets of some countries separate by semicolons.
func (r *reader) delimited(path string, s *Suite) error {
	data, err := r.loadText(path)
	if err != nil || data == nil {
		return err
	}
	c := csv.NewReader(bytes.NewReader(data))
	c.FieldsPerRecord = -1
	head, _, _ := bytes.Cut(data, []byte("\n"))
	switch {
	case strings.EqualFold(filepath.Ext(path), ".tsv"):
		c.Comma, c.LazyQuotes = '\t', true
	case bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")):
		c.Comma = ';'
	}
	var rows [][]string
	var lines []int
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			r.problem(bad.StartLine, `this row cannot be read (%v); put quotes around a cell with quotes or line breaks, and write each quote in it twice`, bad.Err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the suite: %w", err)
		}
		line, _ := c.FieldPos(0)
		rows, lines = append(rows, row), append(lines, line)
	}
	r.table(rows, lines, s)
	return nil
}

// workbook reads the first sheet that has a header of ours.
func (r *reader) workbook(path string, s *Suite) error {
	data, err := r.load(path)
	if err != nil {
		return err
	}
	limit := min(int64(len(data))*maxRatio+1<<20, 4*maxSize)
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: limit, UnzipXMLSizeLimit: min(limit, maxSize)})
	if err != nil {
		r.problem(0, "this is no XLSX workbook (%v); save it as XLSX, or as CSV", err)
		return nil
	}
	defer func() { _ = f.Close() }()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			return fmt.Errorf("read the sheet %s of %s: %w", sheet, path, err)
		}
		if len(rows) == 0 || !slices.ContainsFunc(rows[0], func(name string) bool { return keyOf(name) == "ask" }) {
			continue
		}
		lines := make([]int, len(rows))
		for i := range lines {
			lines[i] = i + 1
		}
		r.table(rows, lines, s)
		return nil
	}
	r.problem(1, `no sheet has a column "question" in its first row; add one, and a column "answer" with the entry's id`)
	return nil
}

// maxRatio is how many times as large a workbook may be unpacked.
const maxRatio = 50

// table reads rows under a header. A row without any text is skipped.
func (r *reader) table(rows [][]string, lines []int, s *Suite) {
	if len(rows) == 0 {
		return
	}
	header, asks := rows[0], false
	for i, name := range header {
		switch key := keyOf(name); {
		case strings.TrimSpace(name) == "":
		case key == "":
			r.problem(lines[0], "there is no column %q%s", name, didYouMean(name))
		case key == "turns" || key == "reply":
			r.problem(lines[0], "a table has no column %q; cases of several turns go into YAML or JSON Lines", name)
		case slices.ContainsFunc(header[:i], func(other string) bool { return keyOf(other) == key }):
			r.problem(lines[0], "the column %q is there twice, or under two names; keep one", key)
		default:
			asks = asks || key == "ask"
		}
	}
	if !asks {
		r.problem(lines[0], `no column is called "question"; the first row names the columns: question, answer, and others as needed`)
	}
	if len(r.problems) > 0 {
		return
	}
	for i, row := range rows[1:] {
		line := lines[i+1]
		v := value{line: line, kind: mapping}
		for k, words := range row {
			words = strings.TrimSpace(words)
			switch {
			case words == "":
			case k >= len(header) || strings.TrimSpace(header[k]) == "":
				r.problem(line, "%q is beyond the columns that the first row names; put quotes around cells with separators", words)
			case !listKey(keyOf(header[k])):
				v.fields = append(v.fields, field{header[k], line, value{line: line, kind: scalarCell(keyOf(header[k])), text: words}})
			default:
				v.fields = append(v.fields, field{header[k], line, value{line: line, kind: cell, text: words}})
			}
		}
		if len(v.fields) > 0 {
			r.add(s, v)
		}
	}
}

// listKey reports whether a cell of a column may hold several texts. Words of a reply may have semicolons.
func listKey(key string) bool {
	return slices.Contains([]string{"answer", "clarify", "context", "tags", "reword"}, key)
}

func scalarCell(key string) kind {
	if slices.Contains([]string{"none", "must", "smalltalk", "silence", "handoff"}, key) {
		return cell
	}
	return text
}

// topicsOf is where the questions of qrels stand.
func topicsOf(qrels string) string {
	return strings.TrimSuffix(qrels, filepath.Ext(qrels)) + ".topics.tsv"
}

// qrels reads TREC judgements, "topic 0 entry relevance", and the topics, "topic<tab>question".
func (r *reader) qrels(path string, s *Suite) error {
	judged, err := r.loadText(path)
	if err != nil || judged == nil {
		return err
	}
	relevant := map[string][]value{}
	lines := bufio.NewScanner(bytes.NewReader(judged))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		grade, err := strconv.Atoi(words[len(words)-1])
		if len(words) != 4 || err != nil {
			r.problem(n, "a judgement is four words, the last one a number: topic 0 entry relevance")
			continue
		}
		if grade > 0 {
			relevant[words[0]] = append(relevant[words[0]], value{line: n, kind: text, text: words[2]})
		}
	}
	r.file = topicsOf(path)
	topics, err := r.loadText(r.file)
	if err != nil {
		return fmt.Errorf("%w; the questions stand there, a line each: topic, tab, question", err)
	}
	seen := map[string]bool{}
	lines = bufio.NewScanner(bytes.NewReader(topics))
	for n := 1; lines.Scan(); n++ {
		id, question, ok := strings.Cut(lines.Text(), "\t")
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if !ok {
			r.problem(n, "a topic is its number, a tab, and the question")
			continue
		}
		seen[id] = true
		r.add(s, value{line: n, kind: mapping, fields: []field{{"id", n, value{line: n, kind: text, text: id}}, {"ask", n, value{line: n, kind: text, text: question}},
			{"relevant", n, value{line: n, kind: listed, list: relevant[id]}}}})
	}
	for id, judgements := range relevant {
		if !seen[id] {
			r.problem(0, "topic %q is judged on line %d of %s and has no question here; add it", id, judgements[0].line, path)
		}
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return strings.Compare(a.Text, b.Text) })
	return nil
}
