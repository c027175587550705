package faqsite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
)

// A listView is a list of topics, each with entries or the links to them.
type listView struct {
	Heading string
	Back    string // the address of the list that this is a part of
	Topics  []topicView
	Pages   []alternate // of a topic that has several
	Count   int
}

// A topicView is a topic on a list.
type topicView struct {
	Name, Slug string
	Entries    []entryView
	More       string // the address of the whole topic
	Count      int
}

// linked is how many questions of a topic a list shows that has no room for all.
const linked = 5

// index is the list of everything in a language, or the search in it.
func (s *Site) index(v *visit) error {
	if name := v.Param("locale"); name != "" {
		l := v.in(name)
		if l == nil {
			return knowledge.ErrNotFound
		}
		v.lang = l
		if l == v.languages[0] || l.locale != name {
			v.Redirect(http.StatusMovedPermanently, withQuery(v.home(l), v.Request.URL.RawQuery))
			return nil
		}
	}
	if v.Request.URL.RawQuery != "" && (v.Query("q") != "" || v.Query("part") != "") {
		return s.search(v)
	}
	return s.serve(v, "index/"+v.lang.locale+".html", func() ([]byte, error) { return s.makeIndex(v.edition, v.lang) })
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

func (s *Site) makeIndex(e *edition, l *language) ([]byte, error) {
	w := s.view(e, l)
	main, whole := listView{Heading: w.T.Say("heading"), Count: l.count}, l.whole
	var all []*knowledge.Entry
	for _, t := range l.topics {
		tv := s.topicView(w, e, l, t)
		for i, one := range t.entries {
			if whole {
				all = append(all, one)
				tv.Entries = append(tv.Entries, s.show(e, one))
			} else if i < linked {
				tv.Entries = append(tv.Entries, entryView{Question: one.Question, Href: e.entryAt(one)})
			}
		}
		if !whole {
			tv.More = e.topicAt(l, t, 1)
		}
		main.Topics = append(main.Topics, tv)
	}
	if whole && l.count > 0 {
		w.Data = s.describeAs(l, e.home(l), all)
	}
	w.Title, w.Description = w.T.Say("title", "name", e.name()), w.T.Say("description", "name", e.name())
	w.Address, w.Robots, w.Alternates, w.Main = s.full(e.home(l)), true, s.homes(e), main
	return s.render("list", w)
}

func (s *Site) topicView(w view, e *edition, l *language, t *topic) topicView {
	name := t.Name
	if name == "" && len(l.topics) > 1 {
		name = w.T.Say("other_questions")
	}
	return topicView{Name: name, Slug: t.slug, Count: len(t.entries)}
}

// topic is one page of a topic.
func (s *Site) topic(v *visit) error {
	l := v.in(v.Param("locale"))
	if l == nil {
		return knowledge.ErrNotFound
	}
	v.lang = l
	i := slices.IndexFunc(l.topics, func(t *topic) bool { return t.slug == v.Param("topic") })
	if i < 0 {
		return knowledge.ErrNotFound
	}
	t, number := l.topics[i], 1
	if text := v.Query("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(t.pages) {
			return knowledge.ErrNotFound
		}
		number = n
	}
	return s.serve(v, fmt.Sprintf("topic/%s/%s/%d.html", l.locale, t.slug, number), func() ([]byte, error) { return s.makeTopic(v.edition, l, t, number) })
}

func (s *Site) makeTopic(e *edition, l *language, t *topic, number int) ([]byte, error) {
	w := s.view(e, l)
	tv := s.topicView(w, e, l, t)
	main := listView{Heading: tv.Name, Back: e.home(l), Count: len(t.entries)}
	if main.Heading == "" {
		main.Heading = w.T.Say("heading")
	}
	tv.Name = "" // the heading says it
	for _, one := range t.pages[number-1] {
		tv.Entries = append(tv.Entries, s.show(e, one))
	}
	main.Topics = []topicView{tv}
	for n := range t.pages {
		if len(t.pages) > 1 {
			main.Pages = append(main.Pages, alternate{Name: fmt.Sprint(n + 1), Href: e.topicAt(l, t, n+1), Current: n+1 == number})
		}
	}
	path := e.topicAt(l, t, number)
	w.Title = w.T.Say("title_of", "title", main.Heading, "name", e.name())
	w.Description = describe(main.Heading + ": " + t.pages[number-1][0].Question)
	w.Address, w.Robots, w.Data, w.Main = s.full(path), true, s.describeAs(l, path, t.pages[number-1]), main
	return s.render("list", w)
}

// An entryPage is a page of one entry.
type entryPage struct {
	entryView
	Topic   string
	TopicAt string
	Related []entryView
	Vote    bool
}

// related is how many other questions a page offers.
const related = 5

// entry is the page of one entry; an address that it had before leads to it.
func (s *Site) entry(v *visit) error {
	one := v.bySlug[v.Param("slug")]
	if one == nil {
		return s.moved(v, v.Param("slug"))
	}
	v.lang = v.in(one.Locale)
	return s.serve(v, "entry/"+one.Slug+".html", func() ([]byte, error) { return s.makeEntry(v.edition, v.lang, one) })
}

func (s *Site) makeEntry(e *edition, l *language, one *knowledge.Entry) ([]byte, error) {
	w := s.view(e, l)
	main := entryPage{entryView: s.show(e, one), TopicAt: e.home(l), Vote: true}
	i := slices.IndexFunc(l.topics, func(t *topic) bool { return slices.Contains(t.entries, one) })
	t := l.topics[i]
	if main.Topic = t.Name; l.whole {
		main.TopicAt += "#t-" + t.slug
	} else {
		main.TopicAt = e.topicAt(l, t, 1)
	}
	near := []*knowledge.Entry{one}
	add := func(other *knowledge.Entry) {
		if len(near) <= related && !slices.Contains(near, other) {
			near = append(near, other)
			main.Related = append(main.Related, entryView{Question: other.Question, Href: e.entryAt(other)})
		}
	}
	for _, key := range one.FollowUps {
		for _, other := range e.byKey[key] {
			if other.Locale == one.Locale {
				add(other)
			}
		}
	}
	for at := slices.Index(t.entries, one); at < len(t.entries) && len(near) <= related; at++ { // those behind it
		add(t.entries[at])
	}
	for at := 0; at < len(t.entries) && len(near) <= related; at++ {
		add(t.entries[at])
	}
	w.Title, w.Description = w.T.Say("title_of", "title", one.Question, "name", e.name()), describe(one.Answer)
	w.Address, w.Robots, w.Alternates = s.full(e.entryAt(one)), true, s.translations(e, one)
	w.Data, w.Main, w.Query = s.describeAs(l, e.entryAt(one), near[:1]), main, ""
	for _, m := range main.Media {
		if m.Kind == "photo" {
			w.Image = m.Href
		}
	}
	if w.Chat != "" {
		w.Chat += "?" + url.Values{"ask": {one.Question}}.Encode()
	}
	return s.render("entry", w)
}

// moved leads from an address that an entry had to where it is, or says that it is gone.
func (s *Site) moved(v *visit, slug string) error {
	id, err := s.corpus.SlugOwner(v.Request.Context(), v.affiliate.ID, slug)
	if errors.Is(err, knowledge.ErrNotFound) { // an entry without a slug had its ID
		id = knowledge.EntryID(strings.ToUpper(slug))
	} else if err != nil {
		return err
	}
	if i := slices.IndexFunc(v.entries, func(one knowledge.Entry) bool { return one.ID == id }); i >= 0 {
		v.Redirect(http.StatusMovedPermanently, v.entryAt(&v.entries[i]))
		return nil
	}
	if err != nil {
		return knowledge.ErrNotFound
	}
	s.gone(v, http.StatusGone)
	return nil
}

// media serves a file of an entry that is shown, or the logo.
func (s *Site) media(v *visit) error {
	m, ok := v.files[v.Param("file")]
	if !ok || s.o.Media == nil {
		return knowledge.ErrNotFound
	}
	blob, data, err := s.o.Media.Get(v.Request.Context(), m.File)
	if errors.Is(err, media.ErrNotFound) {
		return knowledge.ErrNotFound
	}
	if err != nil {
		return err
	}
	if isCaptions(m) {
		blob.Type = "text/vtt; charset=utf-8"
	}
	media.Serve(v.Writer, v.Request, blob, m.Name, data)
	return nil
}

// maxQuery is how many characters of a search count.
const maxQuery = 300

// found is how many entries a search shows.
const found = 8

// A searchView is what a search found.
type searchView struct {
	Found []entryView
	Count string
}

// search shows the entries that may answer a question: as a page, or as the part of one that a script puts in its place.
func (s *Site) search(v *visit) error {
	if slow(v.Context, s.searches) {
		return nil
	}
	query := strings.TrimSpace(strings.ToValidUTF8(v.Query("q"), ""))
	if runes := []rune(query); len(runes) > maxQuery {
		query = string(runes[:maxQuery])
	}
	w := s.view(v.edition, v.lang)
	var main searchView
	if query != "" && s.o.Search != nil {
		hits, err := s.o.Search(v.Request.Context(), Search{Affiliate: v.affiliate.ID, Text: query, Locale: v.lang.locale, Limit: found})
		if err != nil {
			return err
		}
		for _, hit := range hits { // what was found may be newer than what is shown
			if one := v.bySlug[hit.Slug]; one != nil && one.ID == hit.ID && one.Locale == v.lang.locale {
				main.Found = append(main.Found, entryView{Question: one.Question, Href: v.entryAt(one), Excerpt: describe(one.Answer)})
			}
		}
	}
	main.Count = w.T.Count("found", len(main.Found))
	w.Title, w.Query, w.Main = w.T.Say("title", "name", v.name()), query, main
	if w.Chat != "" && query != "" {
		w.Chat += "?" + url.Values{"ask": {query}}.Encode()
	}
	name := "layout"
	if v.Query("part") != "" {
		name = "found"
	}
	v.Header("Cache-Control", "no-store")
	v.Header("Content-Type", "text/html; charset=utf-8")
	return s.pages["search"].ExecuteTemplate(v.Writer, name, w)
}

// vote keeps whether an entry helped a reader. It is for the affiliate to see, and teaches the bot nothing: anybody may
// press the button as often as they like.
func (s *Site) vote(v *visit) error {
	one, reason := v.bySlug[v.Param("slug")], ""
	switch v.PostForm("helped") {
	case "yes":
		reason = events.ReasonHelped
	case "no":
		reason = events.ReasonNoHelp
	}
	if one == nil || reason == "" {
		return knowledge.ErrNotFound
	}
	e := events.Event{Kind: events.PageFeedback, At: s.o.Now(), Affiliate: string(v.affiliate.ID), Entry: string(one.ID), Reason: reason}
	if err := s.db.InTx(v.Request.Context(), func(tx *sql.Tx) error { return events.Append(context.WithoutCancel(v.Request.Context()), tx, e) }); err != nil {
		return fmt.Errorf("keep whether an entry helped: %w", err)
	}
	v.Redirect(http.StatusSeeOther, v.entryAt(one)+"#thanks")
	return nil
}
