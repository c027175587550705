// Package pagetest looks at rendered pages as a browser without JavaScript and as a reader's tools
// would. It is for tests only, and no parser for anybody's HTML but ours.
package pagetest

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A tag is one tag of a page.
type tag struct {
	end        bool
	name       string
	attributes map[string]string
	from, to   int
}

func tags(body string) (list []tag) {
	tagAt := regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)\s*/?>`)
	attribute := regexp.MustCompile(`([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
	for _, m := range tagAt.FindAllStringSubmatchIndex(body, -1) {
		t := tag{end: m[3] > m[2], name: strings.ToLower(body[m[4]:m[5]]), attributes: map[string]string{}, from: m[0], to: m[1]}
		for _, a := range attribute.FindAllStringSubmatch(body[m[6]:m[7]], -1) {
			t.attributes[strings.ToLower(a[1])] = html.UnescapeString(a[2] + a[3] + a[4])
		}
		list = append(list, t)
	}
	return list
}

// Check finds what browsers forgive and readers' tools do not, and what our Content-Security-Policy
// would drop: tags that do not match, an ID twice, references to nothing, fields without a label,
// inline styles and handlers, files from elsewhere, more or fewer than one h1 and main.
func Check(t *testing.T, body string) {
	t.Helper()
	void := map[string]bool{"meta": true, "link": true, "input": true, "img": true, "br": true, "hr": true, "source": true, "track": true}
	ids, labelled, wanted, count := map[string]bool{}, map[string]bool{}, []string{}, map[string]int{}
	var open []string
	var fields []tag
	for _, g := range tags(body) {
		if g.end {
			require.NotEmpty(t, open, "</%s> closes nothing", g.name)
			require.Equal(t, open[len(open)-1], g.name, "at %.80q", body[g.from:])
			open = open[:len(open)-1]
			continue
		}
		count[g.name]++
		inLabel := false
		for _, o := range open {
			inLabel = inLabel || o == "label"
		}
		if !void[g.name] {
			open = append(open, g.name)
		}
		checkAttributes(t, g)
		if id, ok := g.attributes["id"]; ok {
			require.False(t, ids[id], "the id %q twice", id)
			ids[id] = true
		}
		for _, key := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls"} {
			wanted = append(wanted, strings.Fields(g.attributes[key])...)
		}
		labelled[g.attributes["for"]] = true
		if !inLabel && (g.name == "input" || g.name == "select" || g.name == "textarea") {
			fields = append(fields, g)
		}
	}
	require.Empty(t, open, "tags left open")
	for _, id := range wanted {
		require.True(t, ids[id], "nothing has the id %q", id)
	}
	for _, f := range fields {
		_, hidden := f.attributes["hidden"]
		require.True(t, hidden || f.attributes["type"] == "hidden" || f.attributes["aria-label"] != "" || f.attributes["aria-labelledby"] != "" ||
			labelled[f.attributes["id"]] && f.attributes["id"] != "", "no label for %s %v", f.name, f.attributes)
	}
	require.Equal(t, 1, count["h1"], "h1")
	require.Equal(t, 1, count["main"], "main")
}

func checkAttributes(t *testing.T, g tag) {
	t.Helper()
	for key, value := range g.attributes {
		require.NotEqual(t, "style", key, "inline style on %s", g.name)
		require.False(t, strings.HasPrefix(key, "on") || strings.HasPrefix(key, "hx-on"), "inline handler on %s", g.name)
		if slices.Contains([]string{"href", "src", "action", "formaction", "hx-get", "hx-post"}, key) {
			require.False(t, strings.HasPrefix(strings.ToLower(strings.TrimSpace(value)), "javascript:"), "%s of %s", key, g.name)
		}
		if key == "src" {
			require.True(t, strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//"), "a file from elsewhere: %s", value)
		}
	}
	if g.name == "script" && g.attributes["type"] != "application/ld+json" { // which is data: it does not run
		require.NotEmpty(t, g.attributes["src"], "inline script")
	}
	require.NotEqual(t, "style", g.name, "inline style")
}

// A Form is one form as a browser without JavaScript sends it. Values are what it holds already, with
// the name and value of its first button.
type Form struct {
	Method, Action string // "post"; "" stands for the page itself
	Values         url.Values
	Names          []string // of all its fields, filled or not
}

// Forms returns the forms of a page in order. Each has a button, or nobody could send it.
func Forms(t *testing.T, body string) (forms []Form) {
	t.Helper()
	var now *Form
	button, selected := false, ""
	for _, g := range tags(body) {
		switch {
		case g.name == "form" && !g.end:
			forms = append(forms, Form{Method: strings.ToLower(g.attributes["method"]), Action: g.attributes["action"], Values: url.Values{}})
			now, button = &forms[len(forms)-1], false
		case g.name == "form":
			require.True(t, button, "the form for %q has no button", now.Action)
			now = nil
		case now == nil || g.end && g.name != "textarea":
		case g.name == "button" && g.attributes["type"] != "button" && !button:
			button = true
			now.add(g.attributes["name"], g.attributes["value"], true)
		case g.name == "input":
			_, checked := g.attributes["checked"]
			tick := g.attributes["type"] == "checkbox" || g.attributes["type"] == "radio"
			now.add(g.attributes["name"], g.attributes["value"], !tick || checked)
		case g.name == "select":
			selected = g.attributes["name"]
			now.add(selected, "", false)
		case g.name == "option":
			_, chosen := g.attributes["selected"]
			if chosen || !now.Values.Has(selected) {
				now.Values.Set(selected, g.attributes["value"])
			}
		case g.name == "textarea" && !g.end:
			text, _, _ := strings.Cut(body[g.to:], "</textarea>")
			now.add(g.attributes["name"], strings.TrimPrefix(html.UnescapeString(text), "\n"), true)
		}
	}
	return forms
}

func (f *Form) add(name, value string, filled bool) {
	if name == "" {
		return
	}
	f.Names = append(f.Names, name)
	if filled {
		f.Values.Add(name, value)
	}
}
