package suite

import (
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
)

// Check compares s, which was read from file, with the FAQ that it is about. Cases that name entries that
// are not there are errors; the rest is warnings: what makes figures say less than they seem to.
func (s Suite) Check(file string, entries []knowledge.Entry) (list Problems) {
	known, wordings := map[knowledge.EntryID]bool{}, map[string]knowledge.EntryID{}
	for _, e := range entries {
		known[e.ID] = true
		for _, w := range e.Wordings() {
			wordings[plain(w)] = e.ID
		}
	}
	add := func(line int, warning bool, format string, args ...any) {
		list = append(list, Problem{file, line, fmt.Sprintf(format, args...), warning})
	}
	asked, expected := map[string]Case{}, map[knowledge.EntryID]bool{}
	for _, c := range s.Cases {
		for _, t := range c.Turns {
			for _, id := range append(slices.Clone(t.Expect.Answer), t.Expect.Clarify...) {
				if expected[id] = true; !known[id] {
					add(c.Line, false, "the FAQ has no entry %q%s", id, nearest(id, known))
				}
			}
		}
		if len(c.Turns) > 1 || len(c.Context) > 0 {
			continue
		}
		words := plain(c.Last().Say)
		if first, again := asked[words]; again && !slices.Equal(first.Relevant(), c.Relevant()) {
			add(c.Line, true, "it asks the same as the case on line %d and expects something else", first.Line)
		} else if again {
			add(c.Line, true, "it asks the same as the case on line %d; remove one", first.Line)
		}
		asked[words] = c
		if id, ok := wordings[words]; ok {
			add(c.Line, true, "its question is a wording of the entry %q, so it shows only that the entry can be found; use a customer's words", id)
		}
	}
	for _, e := range entries {
		if !expected[e.ID] {
			add(0, true, "no case expects the entry %q", e.ID)
		}
	}
	return list
}

// plain is a text without letter case and punctuation at its end.
func plain(s string) string {
	return strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(s), " ")), ".?!¿¡ ")
}

// nearest suggests the entry whose ID is hardly different.
func nearest(id knowledge.EntryID, known map[knowledge.EntryID]bool) string {
	best, least := "", 3
	for other := range known {
		if d := edits(string(id), string(other)); d < least || d == least && best != "" && string(other) < best {
			best, least = string(other), d
		}
	}
	if best == "" {
		return "; name the id of an entry"
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
