package faqsite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
)

// An edition is what one affiliate shows at one time. Its entries never change; its pages are made when they are first
// asked for.
type edition struct {
	affiliate knowledge.Affiliate
	saved     brand.Saved
	languages []*language // the default first
	entries   []knowledge.Entry
	bySlug    map[string]*knowledge.Entry
	byKey     map[string][]*knowledge.Entry // translations of each other
	files     map[string]knowledge.Media    // that may be fetched, by ID
	look      page.Asset                    // the style sheet
	lookAt    string                        // its address
	till      time.Time                     // when an entry begins or ends to hold; zero: never

	checked time.Time // guarded by Site.mu, as is what follows
	made    map[string]page.Asset
	size    int // bytes of made
	once    sync.Mutex
}

// A language is what an edition shows in one language.
type language struct {
	locale string
	topics []*topic
	count  int
	whole  bool              // all of it fits on one page
	byName map[string]*topic // while it is put together
}

// A topic is some entries with one topic in one language.
type topic struct {
	Name    string // "" for those that have none
	slug    string
	entries []*knowledge.Entry
	pages   [][]*knowledge.Entry // as many on each as fit
}

const (
	// freshFor is how long an edition is shown without asking whether it is still what counts.
	freshFor = time.Second
	// maxKept is how many bytes of pages are kept in memory, of all affiliates.
	maxKept = 64 << 20
	// maxEditions is how many affiliates' entries are kept in memory.
	maxEditions = 200
	// maxPageEntries and maxPageText (bytes) bound what a page lists: 30 kB when it is compressed.
	maxPageEntries = 120
	maxPageText    = 36_000
)

// current returns what an affiliate shows now, or knowledge.ErrNotFound if they show nothing to everybody.
func (s *Site) current(ctx context.Context, id knowledge.AffiliateID) (*edition, error) {
	now := s.o.Now()
	s.mu.Lock()
	e := s.editions[id]
	fresh := e != nil && now.Before(e.checked.Add(freshFor)) && e.holds(now)
	s.mu.Unlock()
	if fresh {
		return e, nil
	}
	a, err := s.corpus.Affiliate(ctx, id)
	if err != nil {
		return nil, err
	}
	saved, err := s.brands.Latest(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.Archived() || !saved.PublicFAQ {
		s.replace(id, nil)
		return nil, fmt.Errorf("public FAQ of %s: %w", id, knowledge.ErrNotFound)
	}
	if e == nil || !e.of(a, saved, now) {
		return s.renew(ctx, a, saved, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.checked = now
	return e, nil
}

// renew makes an affiliate's edition, one at a time: of many readers who come after a publish the first makes it for all.
func (s *Site) renew(ctx context.Context, a knowledge.Affiliate, saved brand.Saved, now time.Time) (*edition, error) {
	s.loads.Lock()
	defer s.loads.Unlock()
	s.mu.Lock()
	e := s.editions[a.ID]
	s.mu.Unlock()
	if e != nil && e.of(a, saved, now) {
		return e, nil
	}
	e, err := s.load(ctx, a, saved, now)
	if err != nil {
		return nil, err
	}
	e.checked = now
	s.replace(a.ID, e)
	return e, nil
}

// of reports whether the edition is of this affiliate and brand, at this time.
func (e *edition) of(a knowledge.Affiliate, saved brand.Saved, now time.Time) bool {
	return e.affiliate == a && e.saved.Version == saved.Version && e.holds(now)
}

// holds reports whether the same entries hold as when the edition was made.
func (e *edition) holds(now time.Time) bool { return e.till.IsZero() || now.Before(e.till) }

// replace puts an edition in the place of an affiliate's, or removes it.
func (s *Site) replace(id knowledge.AffiliateID, e *edition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.editions[id]
	if old == e {
		return
	}
	if old != nil {
		s.kept -= old.size
		old.size, old.made = 0, nil // somebody may still be reading of it; nothing more is kept
		delete(s.editions, id)
	}
	if e == nil {
		return
	}
	for other, o := range s.editions { // any: who is read most is back at once
		if len(s.editions) < maxEditions {
			break
		}
		s.kept -= o.size
		delete(s.editions, other)
	}
	s.editions[id] = e
}

// load reads what an affiliate has published.
func (s *Site) load(ctx context.Context, a knowledge.Affiliate, saved brand.Saved, now time.Time) (*edition, error) {
	all, revision, err := s.corpus.Published(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	a.Revision = revision
	e := &edition{affiliate: a, saved: saved, bySlug: map[string]*knowledge.Entry{}, byKey: map[string][]*knowledge.Entry{}, files: map[string]knowledge.Media{}, made: map[string]page.Asset{}}
	for _, one := range all {
		for _, t := range []time.Time{one.From, one.To} {
			if t.After(now) && (e.till.IsZero() || t.Before(e.till)) {
				e.till = t
			}
		}
		if one.Holds(now) {
			if one.Slug == "" { // it was published before entries had slugs
				one.Slug = strings.ToLower(string(one.ID))
			}
			e.entries = append(e.entries, one)
		}
	}
	slices.SortStableFunc(e.entries, func(a, b knowledge.Entry) int { return strings.Compare(a.Key, b.Key) })
	e.arrange()
	for i := range e.entries {
		for _, m := range e.entries[i].Media {
			e.files[m.File] = m
		}
	}
	if saved.Logo != "" {
		e.files[saved.Logo] = knowledge.Media{Kind: "photo", File: saved.Logo, Name: "logo"}
	}
	delete(e.files, "")
	e.dress()
	return e, nil
}

// arrange sorts the entries by language and topic.
func (e *edition) arrange() {
	fallback := locale.First(e.saved.Locale)
	byLocale := map[string]*language{}
	for i := range e.entries {
		one := &e.entries[i]
		one.Locale = cmp.Or(one.Locale, fallback)
		e.bySlug[one.Slug] = one
		if one.Key != "" {
			e.byKey[one.Key] = append(e.byKey[one.Key], one)
		}
		l := byLocale[one.Locale]
		if l == nil {
			l = &language{locale: one.Locale, byName: map[string]*topic{}}
			byLocale[one.Locale] = l
			e.languages = append(e.languages, l)
		}
		l.add(one)
	}
	if len(e.languages) == 0 { // a page that says so is in the affiliate's language
		e.languages = []*language{{locale: fallback}}
	}
	own := func(l *language) bool { return e.saved.Locale != "" && l.locale == e.saved.Locale }
	slices.SortFunc(e.languages, func(a, b *language) int {
		if own(a) != own(b) {
			if own(a) {
				return -1
			}
			return 1
		}
		return cmp.Or(b.count-a.count, strings.Compare(a.locale, b.locale))
	})
	for _, l := range e.languages {
		l.finish()
	}
}

func (l *language) add(one *knowledge.Entry) {
	l.count++
	name := strings.TrimSpace(one.Topic)
	t := l.byName[brand.TopicKey(name)]
	if t == nil {
		t = &topic{Name: name}
		l.byName[brand.TopicKey(name)] = t
		l.topics = append(l.topics, t)
	}
	t.entries = append(t.entries, one)
}

// finish sorts the topics, the largest first and what has none last, gives them slugs, and divides them into pages.
func (l *language) finish() {
	l.byName = nil
	slices.SortStableFunc(l.topics, func(a, b *topic) int {
		if (a.Name == "") != (b.Name == "") {
			return strings.Compare(b.Name, a.Name)
		}
		return cmp.Or(len(b.entries)-len(a.entries), strings.Compare(a.Name, b.Name))
	})
	taken, all := map[string]bool{}, 0
	for _, t := range l.topics {
		base := cmp.Or(knowledge.Slugify(t.Name), "other")
		t.slug = base
		for n := 2; taken[t.slug]; n++ {
			t.slug = fmt.Sprintf("%s-%d", base, n)
		}
		taken[t.slug] = true
		size := maxPageText
		for _, one := range t.entries {
			all += textSize(one)
			if size += textSize(one); size > maxPageText || len(t.pages[len(t.pages)-1]) == maxPageEntries {
				t.pages, size = append(t.pages, nil), textSize(one)
			}
			last := len(t.pages) - 1
			t.pages[last] = append(t.pages[last], one)
		}
	}
	l.whole = all <= maxPageText && l.count <= maxPageEntries
}

func textSize(e *knowledge.Entry) int { return len(e.Question) + len(e.Answer) }

// in is the language of a locale, nil if nothing is in it.
func (e *edition) in(locale string) *language {
	for _, l := range e.languages {
		if strings.EqualFold(l.locale, locale) {
			return l
		}
	}
	return nil
}

// asset returns the file called name, which make makes unless it was made before.
func (s *Site) asset(e *edition, name string, build func() ([]byte, error)) (page.Asset, error) {
	s.mu.Lock()
	a, ok := e.made[name]
	s.mu.Unlock()
	if ok {
		return a, nil
	}
	e.once.Lock() // one at a time, so that many who come after a publish do not all make the same page
	defer e.once.Unlock()
	s.mu.Lock()
	a, ok = e.made[name]
	s.mu.Unlock()
	if ok {
		return a, nil
	}
	data, err := build()
	if err != nil {
		return a, err
	}
	a = page.NewAsset(name, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.made == nil || s.editions[e.affiliate.ID] != e {
		return a, nil
	}
	if s.kept+len(data) > maxKept {
		for _, o := range s.editions {
			o.made, o.size = map[string]page.Asset{}, 0
		}
		s.kept = 0
	}
	e.made[name] = a
	e.size += len(data)
	s.kept += len(data)
	return a, nil
}
