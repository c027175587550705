package knowledge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
)

// An address is what an affiliate calls an entry; it is unique within the affiliate.
type address struct{ key, locale string }

func (e Entry) address() address { return address{e.Key, e.Locale} }

// same reports whether a and b say the same, to the millisecond that the databases keep.
func same(a, b Entry) bool {
	return a.Question == b.Question && slices.Equal(a.Variants, b.Variants) && a.Answer == b.Answer && slices.Equal(a.Media, b.Media) &&
		a.Topic == b.Topic && a.Slug == b.Slug && slices.Equal(a.FollowUps, b.FollowUps) && sqldb.Millis(a.From) == sqldb.Millis(b.From) && sqldb.Millis(a.To) == sqldb.Millis(b.To)
}

func byAddress(entries []Entry) map[address]Entry {
	m := make(map[address]Entry, len(entries))
	for _, e := range entries {
		m[e.address()] = e
	}
	return m
}

// checkRows refuses rows no file reader would hand over, before the database does less kindly.
func checkRows(rows []Row) error {
	seen := make(map[address]bool, len(rows))
	for _, r := range rows {
		switch {
		case r.Key == "":
			return fmt.Errorf("line %d has no key", r.Line)
		case r.Question == "":
			return fmt.Errorf("line %d has no question", r.Line)
		case slices.ContainsFunc(r.Media, func(m Media) bool { return m.File == "" && m.Link == "" }):
			return fmt.Errorf("line %d names a file that nobody looked for: see FindFiles", r.Line)
		case seen[r.address()]:
			return fmt.Errorf("line %d repeats key %q, locale %q", r.Line, r.Key, r.Locale)
		}
		seen[r.address()] = true
	}
	return nil
}

// compare fills in u's changes and counts: what rows would change about live. An upload with a
// fatal problem changes nothing, so it is not compared.
func compare(u *Upload, rows []Row, live []Entry, newID func(address) EntryID) {
	if u.Fatal() {
		return
	}
	before := byAddress(live)
	for _, r := range rows {
		after := r.Entry
		after.Affiliate, after.Revision, after.Source, after.EditedBy, after.EditedAt = u.Affiliate, 0, u.File, "", time.Time{}
		after.From, after.To = sqldb.Time(sqldb.Millis(after.From)), sqldb.Time(sqldb.Millis(after.To))
		old, known := before[r.address()]
		if after.Slug == "" { // a file need not say it
			after.Slug = old.Slug
		}
		if after.FollowUps == nil {
			after.FollowUps = old.FollowUps
		}
		delete(before, r.address())
		switch {
		case !known:
			after.ID = newID(r.address())
			u.Changes = append(u.Changes, Change{Kind: ChangeAdded, After: after})
		case same(old, after):
			u.Unchanged++
		case u.holds(old):
			after.ID = old.ID
			u.Held = append(u.Held, Change{Kind: ChangeEdited, Before: old, After: after})
		default:
			after.ID = old.ID
			u.Changes = append(u.Changes, Change{Kind: ChangeEdited, Before: old, After: after})
		}
	}
	retire(u, slices.Collect(maps.Values(before)), live)
	refuseTooMany(u, live)
}

// holds reports whether e stays as somebody edited it here: it came from the same file, which says something else of
// it, and nobody chose the file's words.
func (u *Upload) holds(e Entry) bool {
	return e.ByHand() && e.Source == u.File && u.Reading.Absent != AbsentRetired && !slices.Contains(u.Reading.Take, e.ID)
}

// refuseTooMany gives u a fatal problem if the affiliate would have more wordings than one may publish.
func refuseTooMany(u *Upload, live []Entry) {
	wordings := 0
	for _, e := range After(live, u.Changes) {
		wordings += 1 + len(e.Variants)
	}
	if wordings <= limits.MaxAllWordings {
		return
	}
	u.Changes, u.Stay, u.Held, u.Unchanged, u.Kept = nil, nil, nil, 0, 0
	u.Problems = append(slices.Clone(u.Problems), Problem{Fatal: true, Text: fmt.Sprintf(
		"There would be %d wordings, with those of entries that stay because a row could not be read; at most %d can be published. Fix the rows, or keep the variants that differ most.",
		wordings, limits.MaxAllWordings)})
}

// retire retires the entries the file lacks, except those a row that could not be read may be about, those that
// u.Reading.Absent keeps, and those edited by hand.
func retire(u *Upload, absent, live []Entry) {
	gone := u.gone(absent, live)
	keep := make(map[string]bool)
	for _, p := range u.Problems {
		if p.Line > 0 || p.Key != "" {
			keep[p.Key] = true
		}
	}
	slices.SortFunc(absent, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Locale, b.Locale))
	})
	for _, e := range absent {
		switch {
		case keep[""] || keep[e.Key] || !gone(e):
			u.Kept++
			u.Stay = append(u.Stay, e)
		case u.holds(e):
			u.Held = append(u.Held, Change{Kind: ChangeRetired, Before: e})
		default:
			u.Changes = append(u.Changes, Change{Kind: ChangeRetired, Before: e})
		}
	}
}

// gone returns what tells whether a published entry that the file lacks may be retired, and decides AbsentByShare.
func (u *Upload) gone(absent, live []Entry) func(Entry) bool {
	written := func(e Entry) bool { return e.Source == "" && e.ByHand() } // here, so that no file can lack it
	meant := func(e Entry) bool { return !written(e) }
	if slices.ContainsFunc(live, func(e Entry) bool { return e.Source == u.File }) { // the file was published before
		meant = func(e Entry) bool { return !written(e) && (e.Source == "" || e.Source == u.File) }
	}
	count := func(list []Entry) (n int) {
		for _, e := range list {
			if meant(e) {
				n++
			}
		}
		return n
	}
	if u.Reading.Absent == AbsentByShare && count(absent)*2 > count(live) {
		u.Reading.Absent = AbsentStay // a small file must not empty the FAQ
	}
	switch u.Reading.Absent {
	case AbsentStay:
		return func(Entry) bool { return false }
	case AbsentRetired:
		return func(Entry) bool { return true }
	}
	return meant
}

// restore returns the changes that turn live into then.
func restore(then, live []Entry) []Change {
	var changes []Change
	now := byAddress(live)
	for _, e := range then {
		old, known := now[e.address()]
		if e.Slug == "" { // it is of before slugs were kept
			e.Slug = old.Slug
		}
		delete(now, e.address())
		switch {
		case !known:
			changes = append(changes, Change{Kind: ChangeAdded, After: e})
		case !same(old, e):
			changes = append(changes, Change{Kind: ChangeEdited, Before: old, After: e})
		}
	}
	for _, e := range now {
		changes = append(changes, Change{Kind: ChangeRetired, Before: e})
	}
	return changes
}
