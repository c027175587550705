package faqfile

import (
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// sheetMarks are the links and the merged ranges of a workbook's cells, found while its parts are counted:
// the library would load a sheet as a whole for them.
type sheetMarks struct {
	targets map[string]string // part and relation's ID → where it leads
	sheets  map[string]string // sheet's name → relation's ID
	links   map[string][]cellLink
	merges  map[string][]string // part → ranges
	patterns
	count int
}

// A cellLink is a link of a cell.
type cellLink struct{ cell, relation, text, address string }

func newSheetMarks() sheetMarks {
	return sheetMarks{targets: map[string]string{}, sheets: map[string]string{}, links: map[string][]cellLink{}, merges: map[string][]string{}, patterns: newPatterns()}
}

// element notes an element of a part. Beyond limits.MaxLinks the others go without.
func (m *sheetMarks) element(part, local string, attributes []byte) {
	if m.count >= limits.MaxLinks {
		return
	}
	switch local {
	case "sheet":
		m.sheets[attributeOf(attributes, "name")] = attributeOf(attributes, "id")
	case "Relationship":
		m.targets[part+"#"+attributeOf(attributes, "Id")] = attributeOf(attributes, "Target")
	case "hyperlink":
		cell, _, _ := strings.Cut(attributeOf(attributes, "ref"), ":")
		m.links[part] = append(m.links[part], cellLink{cell: cell, relation: attributeOf(attributes, "id")})
	case "mergeCell":
		m.merges[part] = append(m.merges[part], attributeOf(attributes, "ref"))
	default:
		return
	}
	m.count++
}

// formula notes a formula that is a link.
func (m *sheetMarks) formula(part, cell, text string) {
	if !strings.HasPrefix(strings.ToUpper(text), "HYPERLINK(") || cell == "" {
		return
	}
	if found := m.patterns.formula.FindStringSubmatch("=" + text); found != nil {
		if m.count++; m.count <= limits.MaxLinks {
			m.links[part] = append(m.links[part], cellLink{cell: cell, text: found[2], address: found[1]})
		}
	}
}

// relations is the part with the relations of a part.
func relations(part string) string { return path.Dir(part) + "/_rels/" + path.Base(part) + ".rels" }

// partOf returns the part of a sheet, "" if it is not known.
func (m *sheetMarks) partOf(sheet string) string {
	target := strings.ToLower(m.targets["xl/_rels/workbook.xml.rels#"+m.sheets[sheet]])
	if strings.HasPrefix(target, "/") {
		return target[1:]
	}
	return path.Join("xl", target)
}

// apply writes the addresses of links behind the texts of cells, and what a merged range says into each of its rows.
func (m *sheetMarks) apply(sheet string, records []record) {
	part := m.partOf(sheet)
	row := make(map[int]int, len(records))
	for i, r := range records {
		row[r.line] = i
	}
	for _, l := range m.links[part] {
		column, line, err := excelize.CellNameToCoordinates(l.cell)
		i, ok := row[line]
		if err != nil || !ok || column > limits.MaxColumns {
			continue
		}
		if n := column - len(records[i].cells); n > 0 {
			records[i].cells = append(records[i].cells, slices.Repeat([]string{""}, n)...)
		}
		cell := &records[i].cells[column-1]
		if l.relation != "" {
			l.address = m.targets[relations(part)+"#"+l.relation]
		}
		if strings.TrimSpace(*cell) == "" {
			*cell = l.text
		}
		*cell += plaintext.Address(*cell, l.address)
	}
	m.fill(part, records, row)
}

// fill writes what merged ranges say into their rows, of which limits.MaxCells are looked at in all.
func (m *sheetMarks) fill(part string, records []record, row map[int]int) {
	steps := 0
	for _, ref := range m.merges[part] {
		from, to, _ := strings.Cut(ref, ":")
		column, first, err := excelize.CellNameToCoordinates(from)
		_, last, err2 := excelize.CellNameToCoordinates(to)
		top, ok := row[first]
		if err != nil || err2 != nil || !ok || column > len(records[top].cells) {
			continue
		}
		text := records[top].cells[column-1]
		for i := top + 1; i < len(records) && records[i].line <= last && steps < limits.MaxCells; i++ {
			steps++
			if n := column - len(records[i].cells); n > 0 {
				records[i].cells = append(records[i].cells, slices.Repeat([]string{""}, n)...)
			}
			if strings.TrimSpace(records[i].cells[column-1]) == "" {
				records[i].cells[column-1] = text
			}
		}
	}
}
