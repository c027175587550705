package faqfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"

	"faqbot/knowledge/limits"
)

// maxSheetsRead is how many sheets of a workbook are looked at.
const maxSheetsRead = 30

// errTooLarge means that a sheet has more cells than any list of questions.
var errTooLarge = errors.New("too many cells")

// readWorkbook returns a reader of an .xlsx file: of the first sheet with a header or, if none has
// one, the first that is not empty.
func readWorkbook(data []byte) reader {
	return func(b *builder) {
		// Files from strangers go through a large library; a slip in it must not end the service.
		defer func() {
			if recover() != nil {
				b.stop(brokenWorkbook)
			}
		}()
		if problem := checkArchive(data); problem != "" {
			b.stop(problem)
			return
		}
		// Both limits are the same so that nothing is unpacked to disk.
		f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: limits.MaxUnpacked, UnzipXMLSizeLimit: limits.MaxUnpacked})
		if err != nil {
			b.stop(brokenWorkbook)
			return
		}
		if err := readSheets(b, f); err != nil {
			b.stop(brokenWorkbook)
		}
		if f.Close() != nil {
			b.stop(brokenWorkbook)
		}
	}
}

const brokenWorkbook = "The workbook cannot be opened: it is damaged, has a password, or is no Excel workbook. Save it again as .xlsx, or as CSV."

func readSheets(b *builder, f *excelize.File) error {
	var fallback []record
	sheets := f.GetSheetList()
	for _, sheet := range sheets[:min(len(sheets), maxSheetsRead)] {
		records, err := sheetRecords(f, sheet, false)
		if errors.Is(err, errTooLarge) {
			b.stop(fmt.Sprintf("The sheet %s has more than %d cells. Keep only the questions and their columns, or save as CSV.", quote(sheet), limits.MaxCells))
			return nil
		}
		if err != nil {
			return fmt.Errorf("sheet %s: %w", sheet, err)
		}
		if len(records) == 0 && (b.look != nil || len(b.places) > 0) {
			continue // what was said of the columns is of the first sheet with any
		}
		if header, l, ok := b.findHeader(records); ok {
			if err := replaceDates(f, sheet, records[header+1:], l); err != nil {
				return err
			}
			b.readTable(records, guessMost, false)
			return nil
		}
		if fallback == nil {
			fallback = records
		}
	}
	b.readTable(fallback, guessMost, false)
	return nil
}

// sheetRecords returns the rows of a sheet that are not blank, as shown or as stored. It streams:
// whatever has excelize load a sheet as a whole, merged cells among it, can be made to take gigabytes
// by a small file.
func sheetRecords(f *excelize.File, sheet string, raw bool) (records []record, err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	cells := 0
	for line := 1; line <= limits.MaxSheetRow && rows.Next() && len(records) <= headerRows+limits.MaxRows; line++ {
		all, err := rows.Columns(excelize.Options{RawCellValue: raw})
		if err != nil {
			return nil, err
		}
		if cells += len(all); cells > limits.MaxCells {
			return nil, errTooLarge
		}
		r := record{line: line, cells: slices.Clone(all[:min(len(all), limits.MaxColumns)])}
		r.limit()
		if !r.blank() {
			records = append(records, r)
		}
	}
	return records, rows.Error()
}

// replaceDates puts stored dates in place of shown ones, which leave out the century or swap day and
// month as the author's country does.
func replaceDates(f *excelize.File, sheet string, records []record, l layout) error {
	if !l.has(colFrom) && !l.has(colTo) {
		return nil
	}
	stored, err := sheetRecords(f, sheet, true)
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
