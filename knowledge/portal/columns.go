package portal

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/page"
)

// A columnsView asks which column is which.
type columnsView struct {
	At       string // the upload's address
	Headless bool
	Columns  []columnView
	Fields   []page.Option
	Error    string
}

type columnView struct {
	N       int
	Name    string
	Key     string
	Field   string
	Samples []string
}

// A columnsPage is a columnsView by itself.
type columnsPage struct {
	frame
	File    string
	Columns *columnsView
}

func (s scope) viewColumns(t faqfile.Table, at string) *columnsView {
	v := &columnsView{At: at, Headless: t.Headless, Fields: []page.Option{{Value: "", Label: s.Say("column_unused")}}}
	for _, f := range faqfile.Fields() {
		v.Fields = append(v.Fields, page.Option{Value: f, Label: s.One("field_", f)})
	}
	for i, c := range t.Columns {
		name := c.Header
		if t.Headless || name == "" {
			name = s.Say("column_n", "n", i+1)
		}
		samples := c.Samples
		if t.Headless {
			samples = append([]string{c.Header}, samples[:min(len(samples), 2)]...)
		}
		v.Columns = append(v.Columns, columnView{N: i + 1, Name: name, Key: c.Key, Field: c.Field, Samples: samples})
	}
	return v
}

func (p *Portal) showColumns(g *gin.Context, s scope) error {
	u, table, err := p.table(g, s)
	if err != nil {
		return err
	}
	return p.show(g, http.StatusOK, "columns", columnsPage{s.frame("upload"), u.File, s.viewColumns(table, s.at("/uploads/"+string(u.ID)))})
}

// table is the upload that the address names, and its columns.
func (p *Portal) table(g *gin.Context, s scope) (knowledge.Upload, faqfile.Table, error) {
	u, err := p.editable(g, s)
	if err != nil {
		return u, faqfile.Table{}, err
	}
	data, err := p.raw(g.Request.Context(), u)
	if err != nil {
		return u, faqfile.Table{}, err
	}
	end, mine := p.turns.begin(workReading, s.affiliate)
	if !mine {
		return u, faqfile.Table{}, errTurn(workReading)
	}
	defer end()
	table, ok, err := p.o.Files.Look(g.Request.Context(), u.File, data, faqfile.Options{Reading: u.Reading})
	if errors.Is(err, faqfile.ErrBusy) {
		return u, table, errBusy()
	}
	if err != nil {
		return u, table, err
	}
	if !ok {
		return u, table, &told{status: http.StatusUnprocessableEntity, key: "no_columns"}
	}
	return u, table, nil
}

// setColumns reads the file again with the columns that were chosen.
func (p *Portal) setColumns(g *gin.Context, s scope) error {
	u, table, err := p.table(g, s)
	if err != nil {
		return err
	}
	reading := knowledge.Reading{Columns: map[string]string{}, Headless: g.PostForm("headless") != "", Absent: u.Reading.Absent}
	if reading.Headless == u.Reading.Headless {
		reading.Mends = u.Reading.Mends
	}
	times := map[string]int{}
	for i := range table.Columns {
		field := g.PostForm(fmt.Sprintf("c%d", i+1))
		if !known(field) {
			continue
		}
		key := table.Columns[i].Key
		if reading.Headless {
			key = fmt.Sprintf("#%d", i+1)
		}
		times[field]++
		reading.Columns[key] = field
		table.Columns[i].Field = field
	}
	if words := s.wrongColumns(times); words != "" {
		v := s.viewColumns(table, s.at("/uploads/"+string(u.ID)))
		v.Error = words
		v.Headless = reading.Headless
		return p.show(g, http.StatusUnprocessableEntity, "columns", columnsPage{s.frame("upload"), u.File, v})
	}
	return p.seeAgain(g, s, u, reading, "")
}

func known(field string) bool {
	for _, f := range faqfile.Fields() {
		if f == field {
			return true
		}
	}
	return false
}

// wrongColumns says what is wrong with a choice, "" if nothing.
func (s scope) wrongColumns(times map[string]int) string {
	switch question, answer := times["question"] > 0, times["answer"] > 0; {
	case !question && !answer:
		return s.Say("columns_both")
	case !question:
		return s.Say("columns_question")
	case !answer:
		return s.Say("columns_answer")
	}
	for _, field := range faqfile.Fields() {
		if times[field] > 1 && field != "variants" {
			return s.Say("columns_twice", "field", s.One("field_", field), "n", times[field])
		}
	}
	return ""
}
