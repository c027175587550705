package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"faqbot/knowledge/locale"
)

// An Empty says what would be here, and offers the one action that fills it.
type Empty struct {
	Title, Words string
	Href, Action string // the button; no Href means none
}

// A Problem says what happened, what is safe, what to do, and an ID to quote. Each may be "".
type Problem struct {
	What, Safe, Do, ID string
}

// A Toast says what was done. Undo is the address that a button posts to; "" means no button.
type Toast struct {
	Words        string
	Undo, Action string
}

// A Field is one labelled input of a form with what was typed and what is wrong with it. Options make
// it a select, with Many boxes of which any number may be ticked, and Rows a text area.
type Field struct {
	Name, Label, Type, Value string
	Hint, Error              string
	Placeholder              string
	Autocomplete             string
	Required, Autofocus      bool
	MaxLength, Rows          int
	Options                  []Option
	Many                     bool
	Values                   []string // ticked, with Many
}

// Has reports whether a value is ticked.
func (f Field) Has(value string) bool { return slices.Contains(f.Values, value) }

// An Option is one choice of a Field. Label "" shows the value.
type Option struct {
	Value, Label string
}

// DescribedBy is the IDs of the field's hint and error, for aria-describedby.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Error != "" {
		ids = append(ids, f.Name+"-error")
	}
	return strings.Join(ids, " ")
}

// functions are what templates may call besides the standard ones.
func functions(shared, own *AssetSet, texts locale.Texts) template.FuncMap {
	asset := func(name string) string {
		if own != nil && own.has(name) {
			return own.Address(name)
		}
		return shared.Address(name)
	}
	icons := asset("icons.svg")
	return template.FuncMap{
		"asset":       asset,
		"when":        when,
		"icon":        func(name string) template.HTML { return icon(icons, name) },
		"percent":     func(p float64) string { return percent(texts, p) },
		"t":           func(key string, args ...any) any { return say(texts, key, args) },
		"tn":          texts.Count,
		"bold":        bold,
		"mono":        mono,
		"link":        link,
		"scriptWords": func() (string, error) { return scriptWords(texts) },
		"initial":     initial,
		"wrong":       wrong,
		"empty":       makeEmpty,
		"problem":     func(what, safe, do, id string) Problem { return Problem{What: what, Safe: safe, Do: do, ID: id} },
		"toast":       makeToast,
		"field":       makeField,
	}
}

// say is the text called key. One of args may be HTML; then so is the whole, and all else is escaped.
func say(texts locale.Texts, key string, args []any) any {
	if !slices.ContainsFunc(args, func(arg any) bool { _, is := arg.(template.HTML); return is }) {
		return texts.Say(key, args...)
	}
	escaped := make([]any, len(args))
	for i, arg := range args {
		if html, is := arg.(template.HTML); is {
			escaped[i] = html
		} else {
			escaped[i] = template.HTMLEscaper(arg)
		}
	}
	return template.HTML(locale.Texts{key: template.HTMLEscapeString(texts.Say(key))}.Say(key, escaped...))
}

// bold, mono and link are HTML that a text may hold.
func bold(words any) template.HTML {
	return template.HTML("<b>" + template.HTMLEscaper(words) + "</b>")
}

func mono(words string) template.HTML {
	return template.HTML(`<span class="mono">` + template.HTMLEscapeString(words) + "</span>")
}

// link is a web address to follow; any other address is only shown.
func link(address string) template.HTML {
	shown := template.HTMLEscapeString(address)
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return template.HTML(shown)
	}
	return template.HTML(`<a href="` + shown + `" rel="noreferrer">` + shown + "</a>")
}

// scriptWords are the texts that the page's scripts say, as JSON: those whose keys begin with "js_".
func scriptWords(texts locale.Texts) (string, error) {
	words := map[string]string{}
	for key, text := range texts {
		if name, ok := strings.CutPrefix(key, "js_"); ok {
			words[name] = text
		}
	}
	data, err := json.Marshal(words)
	return string(data), err
}

// when is t for a reader: a module turns it into their own time zone and language.
func when(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	utc := t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, utc.Format(time.RFC3339), utc.Format("2 Jan 2006 15:04 UTC")))
}

func icon(sprite, name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true" width="16" height="16"><use href="` +
		template.HTMLEscapeString(sprite+"#"+name) + `"></use></svg>`)
}

// percent never rounds an unsure thing to certain, nor a possible one to nothing.
func percent(texts locale.Texts, p float64) string {
	n := int(math.Round(p * 100))
	switch {
	case n >= 100 && p < 1:
		n = 99
	case n <= 0 && p > 0:
		return texts.Say("page_percent_under", "percent", "1\u00a0%")
	}
	return strconv.Itoa(n) + "\u00a0%"
}

// initial is what stands in a name's avatar.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}

func wrong(fields []Field) (list []Field) {
	for _, f := range fields {
		if f.Error != "" {
			list = append(list, f)
		}
	}
	return list
}

func makeEmpty(title, words string, action ...string) Empty {
	return Empty{Title: title, Words: words, Href: at(action, 0), Action: at(action, 1)}
}

func makeToast(words string, undo ...string) Toast {
	return Toast{Words: words, Undo: at(undo, 0), Action: at(undo, 1)}
}

func makeField(name, label string, rest ...string) Field {
	return Field{Name: name, Label: label, Value: at(rest, 0), Error: at(rest, 1)}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
