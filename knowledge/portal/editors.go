package portal

import (
	"slices"
	"sync"
	"time"

	"faqbot/knowledge"
)

// editors knows who has which entry open in this process, so that two are told of each other. It is a courtesy: that
// nobody overwrites another's work, knowledge.Corpus sees to.
type editors struct {
	mu   sync.Mutex
	seen map[sight]time.Time
}

// A sight is somebody at an entry.
type sight struct {
	affiliate knowledge.AffiliateID
	entry     knowledge.EntryID
	person    string
}

// openFor is how long somebody counts as at an entry after their page last asked. It asks every 10 s, in a tab out of
// view once a minute.
const openFor = 90 * time.Second

func (e *editors) note(affiliate knowledge.AffiliateID, entry knowledge.EntryID, person string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen == nil {
		e.seen = map[sight]time.Time{}
	}
	now := time.Now()
	e.seen[sight{affiliate, entry, person}] = now
	for s, at := range e.seen {
		if now.Sub(at) > openFor {
			delete(e.seen, s)
		}
	}
}

// others are the names of those other than person who have the entry open.
func (e *editors) others(affiliate knowledge.AffiliateID, entry knowledge.EntryID, person string) (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s, at := range e.seen {
		if s.affiliate == affiliate && s.entry == entry && s.person != person && time.Since(at) <= openFor {
			names = append(names, s.person)
		}
	}
	slices.Sort(names)
	return names
}
