package faqsite

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/locale"
)

// At is the address of something below an affiliate's public FAQ.
func At(a knowledge.AffiliateID, path string) string {
	return "/faq/" + url.PathEscape(string(a)) + path
}

// A view is what every page shows.
type view struct {
	Lang, Dir   string
	Own         string // the language of our words, if it is another
	T           locale.Texts
	Name        string // of the affiliate
	Title       string // of the page
	Description string
	Address     string // of the page: where its canonical link leads; "" for one that search engines should forget
	Robots      bool   // search engines may list the page
	Alternates  []alternate
	Languages   []alternate // to choose from
	Home, Look  string
	Logo, Image string
	Chat        string
	Query       string
	Disclosure  string
	Imprint     string
	Privacy     string
	Data        any // of JSON-LD; nil means none
	Main        any // of the page itself
}

// An alternate is the same page in another language, or in this one.
type alternate struct {
	Lang, Name, Href string
	Current          bool
}

// full is an address with our own in front of it, if that is known.
func (s *Site) full(path string) string { return s.o.PublicURL + path }

// home is the address of the list in a language.
func (e *edition) home(l *language) string {
	if l == e.languages[0] {
		return At(e.affiliate.ID, "")
	}
	return At(e.affiliate.ID, "/in/"+url.PathEscape(l.locale))
}

func (e *edition) entryAt(one *knowledge.Entry) string {
	return At(e.affiliate.ID, "/"+url.PathEscape(one.Slug))
}

func (e *edition) topicAt(l *language, t *topic, number int) string {
	path := At(e.affiliate.ID, "/in/"+url.PathEscape(l.locale)+"/"+url.PathEscape(t.slug))
	if number > 1 {
		path += "?page=" + fmt.Sprint(number)
	}
	return path
}

func (e *edition) name() string { return cmp.Or(e.saved.Name, e.affiliate.Name()) }

// view is what pages in a language have in common.
func (s *Site) view(e *edition, l *language) view {
	own := s.texts.Match(locale.First(l.locale))
	if !sameLanguage(own, l.locale) { // ours are in none that the reader prefers: the affiliate's will do
		own = s.texts.Match(e.saved.Locale)
	}
	v := view{Lang: l.locale, T: s.texts.In(own), Name: e.name(), Home: e.home(l), Look: e.lookAt, Imprint: e.saved.Imprint, Privacy: e.saved.Privacy}
	if locale.RightToLeft(l.locale) {
		v.Dir = "rtl"
	}
	if !sameLanguage(own, l.locale) {
		v.Own = own
	}
	if e.saved.Logo != "" && s.o.Media != nil {
		v.Logo = At(e.affiliate.ID, "/media/"+e.saved.Logo)
		v.Image = v.Logo
	}
	if s.o.Chat != nil {
		v.Chat = s.o.Chat(e.affiliate.ID)
	}
	if s.o.Disclosure != nil {
		v.Disclosure = s.o.Disclosure(e.saved.Brand, own)
	}
	if len(e.languages) > 1 {
		for _, other := range e.languages {
			v.Languages = append(v.Languages, alternate{Lang: other.locale, Name: locale.OwnName(other.locale), Href: e.home(other), Current: other == l})
		}
	}
	return v
}

func sameLanguage(a, b string) bool {
	language := func(l string) string { l, _, _ = strings.Cut(strings.ToLower(l), "-"); return l }
	return language(a) == language(b)
}

// listed are the addresses of a page in each language, with x-default for that of the affiliate's; none if it is in one.
func (s *Site) listed(byLocale []alternate, fallback string) (list []alternate) {
	if len(byLocale) < 2 {
		return nil
	}
	for _, a := range byLocale {
		a.Href = s.full(a.Href)
		list = append(list, a)
		if a.Lang == fallback {
			list = append(list, alternate{Lang: "x-default", Href: a.Href})
		}
	}
	return list
}

// homes are the lists in each language.
func (s *Site) homes(e *edition) []alternate {
	var list []alternate
	for _, l := range e.languages {
		list = append(list, alternate{Lang: l.locale, Href: e.home(l)})
	}
	return s.listed(list, e.languages[0].locale)
}

// translations are the pages of an entry in each language.
func (s *Site) translations(e *edition, one *knowledge.Entry) []alternate {
	var list []alternate
	fallback := ""
	for _, l := range e.languages { // the default first
		i := slices.IndexFunc(e.byKey[one.Key], func(other *knowledge.Entry) bool { return other.Locale == l.locale })
		if i < 0 {
			continue
		}
		fallback = cmp.Or(fallback, l.locale)
		list = append(list, alternate{Lang: l.locale, Href: e.entryAt(e.byKey[one.Key][i])})
	}
	return s.listed(list, fallback)
}

// An entryView is an entry as a page shows it.
type entryView struct {
	Question, Href, Slug string
	Excerpt              string // of the answer, where it is not shown
	Blocks               []block
	Media                []mediaView
}

// A mediaView is what goes with an answer. What lies elsewhere is a link: a page asks nobody else for anything.
type mediaView struct {
	Kind, Href, Name, Type string
	Alt                    string // what a picture shows, or what is said in a recording
	Captions               string // the address of a video's captions
}

// show is how an entry is shown.
func (s *Site) show(e *edition, one *knowledge.Entry) entryView {
	v := entryView{Question: one.Question, Href: e.entryAt(one), Slug: one.Slug, Blocks: blocks(one.Answer)}
	for _, m := range one.Media {
		w := mediaView{Kind: m.Kind, Href: m.Link, Name: cmp.Or(m.Name, m.Link), Type: m.Type, Alt: m.Alt}
		last := len(v.Media) - 1
		switch {
		case m.File == "":
			w.Kind = "link"
		case s.o.Media == nil:
			continue
		default:
			w.Href = At(e.affiliate.ID, "/media/"+m.File)
			if isCaptions(m) && last >= 0 && (v.Media[last].Kind == "video" || v.Media[last].Kind == "audio") {
				v.Media[last].Captions = w.Href
				continue
			}
		}
		v.Media = append(v.Media, w)
	}
	return v
}

// isCaptions reports whether a file is what is said in the recording before it, with times.
func isCaptions(m knowledge.Media) bool {
	return m.Kind == "document" && strings.HasSuffix(strings.ToLower(m.Name), ".vtt")
}

// A ldPage, and what it consists of, is schema.org's description of a page of questions.
type ldPage struct {
	Context  string       `json:"@context"`
	Type     string       `json:"@type"`
	Language string       `json:"inLanguage"`
	URL      string       `json:"url,omitempty"`
	Entity   []ldQuestion `json:"mainEntity"`
}

type ldQuestion struct {
	Type   string   `json:"@type"`
	Name   string   `json:"name"`
	Answer ldAnswer `json:"acceptedAnswer"`
}

type ldAnswer struct {
	Type string `json:"@type"`
	Text string `json:"text"`
}

func (s *Site) describeAs(l *language, path string, entries []*knowledge.Entry) any {
	p := ldPage{Context: "https://schema.org", Type: "FAQPage", Language: l.locale, Entity: []ldQuestion{}}
	if s.o.PublicURL != "" {
		p.URL = s.full(path)
	}
	for _, one := range entries {
		p.Entity = append(p.Entity, ldQuestion{"Question", one.Question, ldAnswer{"Answer", one.Answer}})
	}
	return p
}

// render makes a page.
func (s *Site) render(name string, v view) ([]byte, error) {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", v); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// serve answers with a page that is the same for every reader. A browser may keep it and asks each time whether it is
// still what counts, which costs next to nothing: a publish shows at once.
func (s *Site) serve(v *visit, name string, build func() ([]byte, error)) error {
	a, err := s.asset(v.edition, name, build)
	if err != nil {
		return err
	}
	a.Serve(v.Writer, v.Request, "public, no-cache")
	return nil
}

// gone answers that there is no such page, or no longer, in the way of the affiliate's other pages.
func (s *Site) gone(v *visit, status int) {
	w := s.view(v.edition, v.lang)
	title := w.T.Say("missing")
	if status == http.StatusGone {
		title = w.T.Say("retired")
	}
	w.Title, w.Main = title, nil
	data, err := s.render("gone", w)
	if err != nil {
		s.o.Log.WithError(err).Error("a page of a public FAQ failed")
		v.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	v.Header("Cache-Control", "no-cache")
	v.Data(status, "text/html; charset=utf-8", data)
}
