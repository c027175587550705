package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// mendsMost bounds what is mended in one upload; more is work for a spreadsheet.
const mendsMost = 2000

// A problemView is a problem and, where typing helps, what can be typed.
type problemView struct {
	Where, Field, Text string
	Key                string
	Fatal, Lost        bool
	Mendable           bool
	Row, Line          int
	About              string // the row's question, to know it by
	Inputs             []input
	Encodings          []knowledge.Encoding // other ways to read the file
}

// An input is one field of a row that can be mended.
type input struct {
	ID, Label, Value, Hint string
	Long, Wide             bool
}

func (s scope) viewProblem(p knowledge.Problem, open bool) problemView {
	v := problemView{Field: s.One("field_", p.Field), Text: p.Text, Key: p.Key, Fatal: p.Fatal, Lost: p.Lost, Row: p.Row, Line: p.Line}
	if p.Line > 0 {
		v.Where = s.Say("line_n", "n", p.Line)
	}
	v.About = clip(p.Given["question"])
	if open && len(p.Encodings) > 0 {
		v.Encodings = p.Encodings[1:]
	}
	if !open || !p.Lost || p.Row == 0 || p.Given == nil {
		return v
	}
	v.Mendable = true
	for _, field := range faqfile.Mendable() {
		if asked(p, field) {
			v.Inputs = append(v.Inputs, input{ID: fmt.Sprintf("r%d-%s", p.Row, field), Label: s.One("field_", field),
				Value: p.Given[field], Hint: s.Texts["hint_"+field], Long: field == "answer" || field == "media", Wide: field == "question"})
		}
	}
	return v
}

// asked reports whether a field is worth typing to solve p.
func asked(p knowledge.Problem, field string) bool {
	switch p.Field {
	case field:
		return true
	case "": // the row could not be read right
		return field == "question" || field == "answer" || p.Given[field] != ""
	case "to":
		return field == "from" && p.Given["from"] != ""
	case "question": // the same one stands elsewhere, or there is none
		return field == "answer" && p.Given["answer"] == ""
	}
	return false
}

// A mendedRow is a row that was mended here.
type mendedRow struct {
	Row   int
	Where string
	Words string
}

func (s scope) viewMended(mends []knowledge.Fix) []mendedRow {
	var list []mendedRow
	for _, m := range mends {
		words := s.Say("mended_typed", "field", s.One("field_", m.Field))
		if m.Drop {
			words = s.Say("mended_left")
		}
		where := s.Say("line_n", "n", m.Line)
		if m.Line == 0 {
			where = s.Say("row_n", "n", m.Row)
		}
		if i := slices.IndexFunc(list, func(r mendedRow) bool { return r.Row == m.Row }); i >= 0 {
			if !strings.Contains(list[i].Words, words) {
				list[i].Words += ", " + words
			}
			continue
		}
		list = append(list, mendedRow{m.Row, where, words})
	}
	return list
}

// mend reads the file again with what was typed beside the problems.
func (p *Portal) mend(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	if err := g.Request.ParseForm(); err != nil {
		return err
	}
	reading := u.Reading
	reading.Mends = slices.Clone(reading.Mends)
	rows := 0
	drop := number(g.Request.PostForm.Get("drop"))
	for _, pr := range u.Problems {
		if !pr.Lost || pr.Given == nil {
			continue
		}
		if g.Request.PostForm.Has("drop") && pr.Row == drop {
			reading.Mends = append(reading.Mends, knowledge.Fix{Row: pr.Row, Line: pr.Line, Drop: true})
			rows++
			continue
		}
		if typed := typedMends(g, pr); len(typed) > 0 {
			reading.Mends = append(reading.Mends, typed...)
			rows++
		}
	}
	if rows == 0 {
		return see(g, s.at("/uploads/"+string(u.ID)))
	}
	if reading.Mends = compact(reading.Mends); len(reading.Mends) > mendsMost {
		return &told{status: http.StatusUnprocessableEntity, key: "too_much"}
	}
	return p.seeAgain(g, s, u, reading, "?mended="+strconv.Itoa(rows))
}

// typedMends are the fields of a problem's row of which something else was typed than stands there.
func typedMends(g *gin.Context, pr knowledge.Problem) (list []knowledge.Fix) {
	for _, field := range faqfile.Mendable() {
		values, ok := g.Request.PostForm[fmt.Sprintf("r%d-%s", pr.Row, field)]
		if !ok || len(values) == 0 {
			continue
		}
		value := strings.TrimSpace(strings.ReplaceAll(values[0], "\r\n", "\n"))
		if value != strings.TrimSpace(pr.Given[field]) {
			list = append(list, knowledge.Fix{Row: pr.Row, Line: pr.Line, Field: field, Value: value})
		}
	}
	return list
}

// compact keeps the last mend of each row and field, and no more than that of rows left out.
func compact(mends []knowledge.Fix) []knowledge.Fix {
	type at struct {
		row   int
		field string
	}
	last, dropped := map[at]int{}, map[int]bool{}
	for i, m := range mends {
		last[at{m.Row, m.Field}] = i
		dropped[m.Row] = dropped[m.Row] || m.Drop
	}
	var list []knowledge.Fix
	for i, m := range mends {
		if last[at{m.Row, m.Field}] == i && m.Drop == dropped[m.Row] {
			list = append(list, m)
		}
	}
	return list
}

// setEncoding reads the file again in the encoding that was chosen among those that it may have.
func (p *Portal) setEncoding(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	reading := u.Reading
	reading.Encoding = g.PostForm("encoding")
	if !slices.Contains(faqfile.Encodings(), reading.Encoding) {
		return knowledge.ErrNotFound
	}
	return p.seeAgain(g, s, u, reading, "")
}

// unmend takes back what was mended in one row.
func (p *Portal) unmend(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	row := number(g.PostForm("row"))
	reading := u.Reading
	reading.Mends = slices.DeleteFunc(slices.Clone(reading.Mends), func(m knowledge.Fix) bool { return m.Row == row })
	return p.seeAgain(g, s, u, reading, "")
}

// refresh compares the file afresh with what is published now.
func (p *Portal) refresh(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	if len(u.Edits) > 0 {
		var only []knowledge.EntryID
		for _, ref := range u.Edits {
			only = append(only, ref.Entry)
		}
		return p.reviewEdits(g, s, only...)
	}
	return p.seeAgain(g, s, u, u.Reading, "")
}

// seeAgain reads u's file another way and shows the result.
func (p *Portal) seeAgain(g *gin.Context, s scope, u knowledge.Upload, reading knowledge.Reading, query string) error {
	again, err := p.readAgain(g.Request.Context(), s, u, reading)
	if err != nil {
		return err
	}
	return see(g, s.at("/uploads/"+string(again.ID)+query))
}

// editable is an upload that may still be read otherwise.
func (p *Portal) editable(g *gin.Context, s scope) (knowledge.Upload, error) {
	u, err := p.stored(g, s)
	if err == nil && u.Published != 0 {
		err = &told{status: http.StatusConflict, key: "is_published"}
	}
	return u, err
}
