package page

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// CSV writes a table as a file to be kept, called name. Whoever goes away meanwhile does not want the rest.
func CSV(w http.ResponseWriter, name string, rows [][]string) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	out := csv.NewWriter(w)
	for _, row := range rows {
		row = slices.Clone(row)
		for i := range row {
			row[i] = cell(row[i])
		}
		_ = out.Write(row)
	}
	out.Flush()
}

// cell is text that no spreadsheet takes for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
