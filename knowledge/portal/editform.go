package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
)

// A sheet is the editor's form as it was filled in.
type sheet struct {
	typed         map[string]string // by the fields of a file
	base          string            // see knowledge.Edit
	version, page string
	do            string
	files         []knowledge.Media // that were sent with it
}

// typedOf is what the form says of an entry before anybody typed.
func typedOf(e knowledge.Entry) map[string]string {
	typed := map[string]string{"question": e.Question, "answer": e.Answer, "variants": strings.Join(e.Variants, "\n"), "topic": e.Topic, "locale": e.Locale,
		"from": typedTime(e.From, false), "to": typedTime(e.To, true)}
	typed["slug"], typed[followUpsField] = e.Slug, strings.Join(e.FollowUps, "\n")
	if e.Key != faqfile.KeyOf(e.Question) {
		typed["id"] = e.Key
	}
	var marks []string
	for _, m := range e.Media {
		marks = append(marks, m.Mark())
	}
	typed["media"] = strings.Join(marks, "\n")
	return typed
}

// typedTime is a day, said as people do where it is an end, or a time that is no whole day.
func typedTime(t time.Time, end bool) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return ""
	case !t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format("2006-01-02 15:04")
	case end:
		t = t.AddDate(0, 0, -1)
	}
	return t.Format(time.DateOnly)
}

// receiveSheet reads the editor's form, and keeps the files that came with it.
func (p *Portal) receiveSheet(r *http.Request, s scope) (sheet, error) {
	form := url.Values{}
	var files []knowledge.Media
	parts, err := r.MultipartReader()
	if err != nil { // without files it need not be of parts
		if err := r.ParseForm(); err != nil {
			return sheet{}, err
		}
		form = r.PostForm
	}
	for parts != nil {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sheet{}, err
		}
		if part.FormName() == "file" {
			if part.FileName() == "" || p.o.Media == nil {
				continue
			}
			m, err := p.keepFile(r.Context(), s, part.FileName(), part)
			if err != nil {
				return sheet{}, err
			}
			files = append(files, m)
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxForm))
		if err != nil {
			return sheet{}, err
		}
		form.Add(part.FormName(), string(value))
	}
	sh := sheet{typed: map[string]string{}, base: form.Get("base"), version: form.Get("version"), page: first(form.Get("page"), pageMost), do: form.Get("do"), files: files}
	for _, field := range append(faqfile.Mendable(), "variants") {
		sh.typed[field] = strings.ReplaceAll(form.Get(field), "\r\n", "\n")
	}
	sh.typed["slug"] = form.Get("slug")
	sh.typed[followUpsField] = strings.Join(slices.DeleteFunc(form[followUpsField], func(text string) bool { return strings.TrimSpace(text) == "" }), "\n")
	for i, mark := range form["media"] {
		if alt := strings.NewReplacer("|", ",", ";", ",", `"`, "'", "\n", " ").Replace(strings.TrimSpace(form.Get("alt " + mark))); alt != "" {
			form["media"][i] += ` "` + alt + `"`
		}
	}
	sh.typed["media"] = strings.Join(append(form["media"], sh.typed["link"], form.Get("link")), "\n")
	return sh, p.corpus.AddFiles(r.Context(), s.affiliate, files)
}

// pageMost bounds the name of an open page, in characters.
const pageMost = 40

// read returns the entry that the sheet says, as far as it can be read, and what is wrong, as fields.
func (p *Portal) readSheet(ctx context.Context, s scope, sh sheet, id knowledge.EntryID) (knowledge.Entry, []knowledge.Problem, error) {
	e, problems := faqfile.ReadTyped(sh.typed)
	known, err := p.corpus.Files(ctx, s.affiliate)
	if err != nil {
		return e, nil, err
	}
	rows := []knowledge.Row{{Entry: e}}
	problems = append(problems, knowledge.FindFiles(rows, known)...)
	e = rows[0].Entry
	for _, m := range sh.files {
		if !slices.Contains(e.Media, m) {
			e.Media = append(e.Media, m)
		}
	}
	if len(e.Media) > faqfile.MaxMedia {
		e.Media = e.Media[:faqfile.MaxMedia]
		problems = append(problems, knowledge.Problem{Field: "media", Text: s.Say("too_much_media", "n", faqfile.MaxMedia)})
	}
	e.ID, e.Slug = id, knowledge.Slugify(sh.typed["slug"])
	i, all, removed, err := p.find(ctx, s, string(id))
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) { // it may be new
		return e, nil, err
	}
	in := e
	if removed || i.published.ID != "" { // its language is not in the form
		in.Locale = i.entry.Locale
	}
	var unknown []string
	if e.FollowUps, unknown = followUps(all, in, sh.typed[followUpsField]); len(unknown) > 0 {
		problems = append(problems, knowledge.Problem{Field: followUpsField, Text: s.Say("no_such_question", "question", unknown[0])})
	}
	if e.Key == "" {
		e.Key = faqfile.KeyOf(e.Question)
	}
	return e, problems, nil
}

const followUpsField = "follow_ups"

// followUps returns the keys of the entries that lines name by question or key, in e's language, and the lines that name none.
func followUps(all []item, e knowledge.Entry, lines string) (keys, unknown []string) {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		at := slices.IndexFunc(all, func(i item) bool {
			return i.entry.Locale == e.Locale && i.entry.ID != e.ID && (strings.EqualFold(i.entry.Question, line) || i.entry.Key == line)
		})
		switch {
		case at < 0:
			unknown = append(unknown, line)
		case !slices.Contains(keys, all[at].entry.Key):
			keys = append(keys, all[at].entry.Key)
		}
	}
	return keys, unknown
}

// followUpFields are the inputs of what to suggest after an answer, with questions where lines name entries by key.
func (s scope) followUpFields(all []item, e knowledge.Entry, lines, wrong string) []page.Field {
	list := make([]page.Field, limits.MaxFollowUps)
	n := 0
	for line := range strings.Lines(lines) {
		if n == len(list) {
			break
		}
		line = strings.TrimSpace(line)
		list[n].Value = line
		if at := slices.IndexFunc(all, func(i item) bool { return i.entry.Key == line && i.entry.Locale == e.Locale }); at >= 0 {
			list[n].Value = all[at].entry.Question
		}
		n++
	}
	for i := range list {
		list[i].Name, list[i].Label, list[i].Error = fmt.Sprintf("%s-%d", followUpsField, i+1), s.Say("follow_up_n", "n", i+1), wrong
		wrong = ""
	}
	return list
}

// fields are the form's, with what was typed and what is wrong.
func (s scope) fields(typed map[string]string, problems []knowledge.Problem, fixed bool) map[string]page.Field {
	fields := map[string]page.Field{}
	for _, name := range append(faqfile.Mendable(), "variants") {
		f := page.Field{Name: name, Label: s.One("field_", name), Value: typed[name], Hint: s.Texts["edit_hint_"+name]}
		switch name {
		case "question":
			f.MaxLength, f.Rows = 1000, 2
		case "answer":
			f.Rows = 8
		case "variants":
			f.Rows = 4
		case "from", "to":
			if typed[name] == "" || regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(typed[name]) {
				f.Type, f.Hint = "date", ""
			}
		}
		for _, p := range problems {
			if p.Field == name {
				f.Error = p.Text
			}
		}
		if !fixed || name != "id" && name != "locale" {
			fields[name] = f
		}
	}
	return fields
}
