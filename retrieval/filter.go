package retrieval

import (
	"strings"
	"time"

	"faqbot/knowledge"
)

// A filter says which entries of an index may compete.
type filter struct {
	entries  []knowledge.Entry
	locales  []string // canonical, by entry
	windowed []int32  // entries that do not always hold
	twins    [][]int32
	twin     []int32 // by entry, its place in twins; -1 for none
}

func newFilter(entries []knowledge.Entry) filter {
	f := filter{entries: entries, locales: make([]string, len(entries)), twin: make([]int32, len(entries))}
	byKey := make(map[string][]int32, len(entries))
	for i, e := range entries {
		f.locales[i] = canonical(e.Locale)
		f.twin[i] = -1
		if !e.From.IsZero() || !e.To.IsZero() {
			f.windowed = append(f.windowed, int32(i))
		}
		if e.Key != "" {
			byKey[e.Key] = append(byKey[e.Key], int32(i))
		}
	}
	for _, e := range entries {
		group := byKey[e.Key]
		if len(group) < 2 {
			continue
		}
		for _, i := range group {
			f.twin[i] = int32(len(f.twins))
		}
		f.twins = append(f.twins, group)
		delete(byKey, e.Key)
	}
	return f
}

// excluded marks the entries that may not compete: those that do not hold now, and translations when
// another that holds fits locale better. Nil means that all may. Translations that fit equally, as
// when the locale is unknown, all compete; ranking then keeps the best.
func (f *filter) excluded(now time.Time, locale string) []bool {
	if len(f.windowed) == 0 && len(f.twins) == 0 {
		return nil
	}
	excluded := make([]bool, len(f.entries))
	for _, i := range f.windowed {
		excluded[i] = !f.entries[i].Holds(now)
	}
	for _, group := range f.twins {
		best := -1
		for _, i := range group {
			if !excluded[i] {
				best = max(best, fit(f.locales[i], locale))
			}
		}
		for _, i := range group {
			excluded[i] = excluded[i] || fit(f.locales[i], locale) < best
		}
	}
	return excluded
}

// fit is how well an entry in locale have serves a customer of locale want, both canonical: the
// same tag, the same language, a language not said, another one. If want is unknown none fits better.
func fit(have, want string) int {
	switch {
	case want == "":
		return 0
	case have == want:
		return 3
	case base(have) == base(want):
		return 2
	case have == "":
		return 1
	}
	return 0
}

func canonical(locale string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(locale), "_", "-"))
}

func base(locale string) string {
	language, _, _ := strings.Cut(locale, "-")
	return language
}
