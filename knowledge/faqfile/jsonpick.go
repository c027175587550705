package faqfile

import (
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
)

// chosen returns the entries, without those that only look like some beside surer ones.
func (w *jsonWalk) chosen() (list []jsonEntry) {
	type group struct{ full, strong, named int }
	groups := map[int]group{}
	strong, full, named := false, false, false
	for _, e := range w.entries {
		g := groups[e.group]
		if e.full {
			g.full++
			full = true
			if e.strong {
				g.strong++
				strong = true
			}
			if e.named {
				g.named++
				named = true
			}
		}
		groups[e.group] = g
	}
	left := map[int]int{}
	for _, e := range w.entries {
		g := groups[e.group]
		switch {
		case strong && g.strong == 0 && e.full:
			left[e.group]++
		case strong && g.strong == 0, !strong && full && g.full == 0:
		case named && !w.lists[e.group] && g.named == 0 && e.full: // a title and a text of the page around
		case !full && !w.half(e.at):
		default:
			list = append(list, e)
		}
	}
	for i, n := range left {
		if n > 1 || i > 0 && i <= len(w.groups) {
			name := ""
			if i > 0 && i <= len(w.groups) {
				name = w.groups[i-1]
			}
			w.left = append(w.left, fmt.Sprintf("%s (%d)", name, n))
		}
	}
	slices.Sort(w.left)
	return list
}

// half reports whether a value has a question or an answer.
func (w *jsonWalk) half(at span) bool {
	return slices.ContainsFunc(w.j.members(at), func(m member) bool {
		k, ok := lookUp(w.j.b.names, m.name)
		return ok && (k.column == colQuestion || k.column == colAnswer)
	})
}

func (w *jsonWalk) tell() {
	if len(w.left) > 0 {
		w.j.b.problem(knowledge.Problem{Text: fmt.Sprintf("Lists that do not look like questions and answers were not read: %s. Name their fields question and answer if they are.", quote(strings.Join(w.left, ", ")))})
	}
	if w.j.alternates > 0 {
		w.j.b.problem(knowledge.Problem{Text: fmt.Sprintf("%d entries have several answers; the first was read.", w.j.alternates)})
	}
}
