// Package page is what all our pages share: one layout, one style sheet, small modules, security
// headers, and rendering. A package with pages brings templates of its own; this one knows none of
// them, nor who may see what.
//
// A page works without JavaScript: every action is a form or a link. htmx and the modules only make
// it livelier. Nothing is inline and nothing comes from elsewhere, so that the Content-Security-Policy
// can be strict.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"faqbot/knowledge/locale"
)

//go:embed layout
var layoutFiles embed.FS

// problemPage is the name of the page that Fail shows. No file of a package has it: names there come
// from *.html.
const problemPage = "layout/problem"

// A Link is one place to go.
type Link struct {
	Href, Label string
	Current     bool
}

// A Chrome is what surrounds a page's own content: who reads it and where they can go.
type Chrome struct {
	Links []Link
	Who   string // the reader's name, "" if nobody is signed in
	Lang  string // the reader's, BCP 47; "" means the default. The page is in the nearest that has texts.
}

// Pages renders one package's templates inside the layout.
type Pages struct {
	byLocale map[string]map[string]*template.Template // and then by name
	texts    *locale.Catalog
	chrome   func(*http.Request) Chrome
}

// Options are what a package's pages need besides their templates. All may be left out.
type Options struct {
	Chrome func(*http.Request) Chrome // what surrounds a page; nil means nothing does
	Assets *AssetSet                  // the package's own files, found by {{asset}} before the shared ones
	Parts  fs.FS                      // _*.html of another package that these pages use; nil means none
	Texts  string                     // the area of locale's texts that {{t}} says, besides those of all pages
}

// New parses the *.html of files. One named _x.html holds parts that the others share; every other is
// a page, which defines the templates "title" and "main".
func New(files fs.FS, o Options) (*Pages, error) {
	if o.Chrome == nil {
		o.Chrome = func(*http.Request) Chrome { return Chrome{} }
	}
	shared, err := Assets()
	if err != nil {
		return nil, err
	}
	areas := []string{"page"}
	if o.Texts != "" {
		areas = append(areas, o.Texts)
	}
	p := &Pages{byLocale: map[string]map[string]*template.Template{}, chrome: o.Chrome}
	if p.texts, err = locale.Load(areas...); err != nil {
		return nil, err
	}
	for _, name := range p.texts.Spoken() {
		if p.byLocale[name], err = parse(files, o.Parts, functions(shared, o.Assets, p.texts.In(name))); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// parse returns the pages in one language by name.
func parse(files, parts fs.FS, functions template.FuncMap) (map[string]*template.Template, error) {
	base, err := template.New("layout.html").Funcs(functions).ParseFS(layoutFiles, "layout/*.html")
	if err == nil && parts != nil {
		base, err = base.ParseFS(parts, "_*.html")
	}
	if err != nil {
		return nil, fmt.Errorf("parse the layout: %w", err)
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	byName := map[string]*template.Template{}
	if byName[problemPage], err = extend(base, layoutFiles, "layout/problem/problem.html"); err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			if base, err = base.ParseFS(files, name); err != nil {
				return nil, fmt.Errorf("parse %s: %w", name, err)
			}
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		t, err := extend(base, files, name)
		if err != nil {
			return nil, err
		}
		byName[strings.TrimSuffix(name, path.Ext(name))] = t
	}
	return byName, nil
}

// Texts are the texts in the language in which r's page is shown.
func (p *Pages) Texts(r *http.Request) locale.Texts { return p.texts.In(p.chrome(r).Lang) }

// extend is base with the templates of one more file.
func extend(base *template.Template, files fs.FS, name string) (*template.Template, error) {
	t, err := base.Clone()
	if err == nil {
		t, err = t.ParseFS(files, name)
	}
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	return t, nil
}

// A view is what templates see: {{.Data}} is the page's own.
type view struct {
	Chrome
	Dir  string // "rtl" where Lang is written from the right
	Path string
	Data any
}

// Show renders the page called name with data. A page that cannot be rendered is an error before
// anything is written.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	return p.render(w, r, status, name, "layout.html", data)
}

// Fail renders a page of its own that says what went wrong. title is its heading: "Not found".
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, status int, title string, problem Problem) error {
	return p.Show(w, r, status, problemPage, struct {
		Title string
		Problem
	}{title, problem})
}

// Part renders one template of a page, for a live update; it sees data as {{.Data}} too.
func (p *Pages) Part(w http.ResponseWriter, r *http.Request, name, part string, data any) error {
	return p.render(w, r, http.StatusOK, name, part, data)
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, name, part string, data any) error {
	v := view{Chrome: p.chrome(r), Path: r.URL.Path, Data: data}
	v.Lang = p.texts.Match(v.Lang)
	if locale.RightToLeft(v.Lang) {
		v.Dir = "rtl"
	}
	t := p.byLocale[v.Lang][name]
	if t == nil {
		return fmt.Errorf("there is no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, v); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store") // what is behind a sign-in stays out of caches
	}
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}
