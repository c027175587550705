package faqfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// maxSheetsRead is how many sheets of a workbook are looked at.
const maxSheetsRead = 30

// errTooLarge means that a sheet has more cells than any list of questions.
var errTooLarge = errors.New("too many cells")

// readWorkbook returns a reader of an .xlsx file: of all sheets with a header that are not hidden or, if none
// has one, the first that is not empty.
func readWorkbook(data []byte) reader {
	return func(b *builder) {
		// Files from strangers go through a large library; a slip in it must not end the service.
		defer func() {
			if recover() != nil {
				b.stop(brokenWorkbook)
			}
		}()
		a, problem := checkArchive(data)
		if problem != "" {
			b.stop(problem)
			return
		}
		// Both limits are the same so that nothing is unpacked to disk.
		f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: limits.MaxUnpacked, UnzipXMLSizeLimit: limits.MaxUnpacked})
		if err != nil {
			b.stop(brokenWorkbook)
			return
		}
		if err := readSheets(b, f, &a.marks); err != nil {
			b.stop(brokenWorkbook)
		}
		if f.Close() != nil {
			b.stop(brokenWorkbook)
		}
	}
}

const brokenWorkbook = "The workbook cannot be opened: it is damaged, has a password, or is no Excel workbook. Save it again as .xlsx, or as CSV."

// A sheet is one of a workbook, with its rows.
type sheet struct {
	name    string
	records []record
	header  int
	tableLayout
}

func readSheets(b *builder, f *excelize.File, marks *sheetMarks) error {
	list, unread, err := findSheets(b, f, marks)
	if err != nil || b.stopped != "" {
		return err
	}
	var tables []sheet
	for _, s := range list {
		if s.header >= 0 {
			tables = append(tables, s)
		}
	}
	switch {
	case len(list) == 0:
		b.readTable(nil, guessMost, false)
		return nil
	case len(tables) == 0:
		readBareSheet(b, list[0])
		tables = list[:1]
	case len(b.places) > 0 || b.look != nil || b.o.Reading.Headless:
		tables = tables[:1] // what was said of the columns is of the first sheet with any
		b.readTable(tables[0].records, guessMost, false)
	default:
		for _, s := range tables {
			if err := replaceDates(f, s.name, s.records[s.header+1:], s.tableLayout); err != nil {
				return err
			}
			if len(tables) > 1 {
				b.topic, b.locale = s.name, languageOf(s.name)
			}
			if b.locale != "" || strings.HasPrefix(normalHeader(s.name), "sheet") {
				b.topic = ""
			}
			b.readTable(s.records[s.header:], guessMost, false)
			b.topic, b.locale = "", ""
		}
	}
	for _, s := range list {
		if !slices.ContainsFunc(tables, func(t sheet) bool { return t.name == s.name }) {
			unread = append(unread, s.name)
		}
	}
	if len(unread) > 0 && b.look == nil {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("%d of %d sheets were not read, as they are hidden or have no columns named question and answer: %s.",
			len(unread), len(f.GetSheetList()), quote(strings.Join(unread, ", ")))})
	}
	return nil
}

// findSheets returns the sheets that are neither empty nor hidden, and the names of those that are hidden.
func findSheets(b *builder, f *excelize.File, marks *sheetMarks) (list []sheet, hidden []string, err error) {
	cells, hiddenRows := 0, 0
	names := f.GetSheetList()
	for _, name := range names[:min(len(names), maxSheetsRead)] {
		if visible, err := f.GetSheetVisible(name); err == nil && !visible && len(names) > 1 {
			hidden = append(hidden, name)
			continue
		}
		records, out, err := sheetRecords(f, name, false, &cells)
		if errors.Is(err, errTooLarge) {
			b.stop(fmt.Sprintf("The sheet %s has more than %d cells. Keep only the questions and their columns, or save as CSV.", quote(name), limits.MaxCells))
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("sheet %s: %w", name, err)
		}
		hiddenRows += out
		if len(records) == 0 {
			continue
		}
		marks.apply(name, records)
		s := sheet{name: name, records: records, header: -1}
		if header, l, ok := b.findHeader(records); ok {
			s.header, s.tableLayout = max(header, 0), l
		}
		list = append(list, s)
	}
	if hiddenRows > 0 {
		b.problem(knowledge.Problem{Text: fmt.Sprintf("%d hidden rows were left out. Show them in the workbook if customers should read them.", hiddenRows)})
	}
	return list, append(hidden, names[min(len(names), maxSheetsRead):]...), nil
}

// readBareSheet reads a sheet without names of columns. One of a single column is read as lines.
func readBareSheet(b *builder, s sheet) {
	var o outline
	for _, r := range s.records {
		if r.width() != 1 {
			b.readTable(s.records, guessMost, false)
			return
		}
	}
	o = newOutline()
	for _, r := range s.records {
		o.add(bodyLine{line: r.line, text: oneLine(r.cells[len(r.cells)-1])})
	}
	if b.look != nil || !plainQuestions(o.root().body) {
		b.readTable(s.records, guessMost, false)
		return
	}
	b.readBody(o.root(), "")
}

// sheetRecords returns the rows of a sheet that are neither blank nor hidden, as shown or as stored, and how
// many are hidden. cells counts those of all sheets. It streams:
// whatever has excelize load a sheet as a whole, merged cells among it, can be made to take gigabytes
// by a small file.
func sheetRecords(f *excelize.File, sheet string, raw bool, cells *int) (records []record, hidden int, err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for line := 1; line <= limits.MaxSheetRow && rows.Next() && len(records) <= headerRows+limits.MaxRows; line++ {
		isHidden := rows.GetRowOpts().Hidden
		all, err := rows.Columns(excelize.Options{RawCellValue: raw})
		if err != nil {
			return nil, 0, err
		}
		if *cells += len(all); *cells > limits.MaxCells {
			return nil, 0, errTooLarge
		}
		r := record{line: line, cells: slices.Clone(all[:min(len(all), limits.MaxColumns)])}
		r.limit()
		switch {
		case r.blank():
		case isHidden:
			hidden++
		default:
			records = append(records, r)
		}
	}
	return records, hidden, rows.Error()
}

// replaceDates puts stored dates in place of shown ones, which leave out the century or swap day and
// month as the author's country does.
func replaceDates(f *excelize.File, sheet string, records []record, l tableLayout) error {
	if !l.has(colFrom) && !l.has(colTo) {
		return nil
	}
	cells := 0
	stored, _, err := sheetRecords(f, sheet, true, &cells)
	if err != nil {
		return err
	}
	props, err := f.GetWorkbookProps()
	if err != nil {
		return err
	}
	from1904 := props.Date1904 != nil && *props.Date1904
	raw := make(map[int][]string, len(stored))
	for _, r := range stored {
		raw[r.line] = r.cells
	}
	for _, r := range records {
		for _, i := range []int{l.cell[colFrom], l.cell[colTo]} {
			cells := raw[r.line]
			if i < 0 || i >= len(r.cells) || i >= len(cells) {
				continue
			}
			// Days since 1900; anything smaller or larger is not a date of our time.
			days, err := strconv.ParseFloat(cells[i], 64)
			if err != nil || days < 20_000 || days > 120_000 {
				continue
			}
			t, err := excelize.ExcelDateToTime(days, from1904)
			if err != nil {
				continue
			}
			form := "2006-01-02 15:04:05"
			if days == float64(int(days)) {
				form = "2006-01-02"
			}
			r.cells[i] = t.Format(form)
		}
	}
	return nil
}
