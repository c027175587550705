package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

const (
	leftOutShare = .3 // of the entries
	maxLeft      = 400
)

// balanced is the first of the cases, of which three in ten at most have no answer, as if every entry had several wordings.
func balanced(list []suite.Case) []suite.Case {
	answered := 0
	for _, c := range list {
		if !c.Last().Expect.None {
			answered++
		}
	}
	none := int(math.Ceil(leftOutShare / (1 - leftOutShare) * float64(answered)))
	list = slices.DeleteFunc(list, func(c suite.Case) bool {
		if c.Last().Expect.None {
			none--
		}
		return c.Last().Expect.None && none < 0
	})
	return list[:min(len(list), maxLeft)]
}

// LeaveOut is an FAQ with something left out of it, and what was left out as cases: a wording of each entry that has
// several, which the entry is to answer, and three in ten entries, whose wordings nothing is to answer. It stands for
// questions that nobody has collected yet. The same draw of the same FAQ is the same.
func LeaveOut(entries []knowledge.Entry, draw int) (kept []knowledge.Entry, s suite.Suite) {
	random := rand.New(rand.NewPCG(uint64(len(entries)), uint64(draw)))
	gone := map[knowledge.EntryID]bool{}
	var ids []knowledge.EntryID // an entry in several languages is left out in all of them
	for _, e := range entries {
		if _, seen := gone[e.ID]; !seen {
			gone[e.ID] = false
			ids = append(ids, e.ID)
		}
	}
	for _, i := range random.Perm(len(ids))[:int(leftOutShare*float64(len(ids)))] {
		gone[ids[i]] = true
	}
	add := func(e knowledge.Entry, words string, expect suite.Expect) {
		s.Cases = append(s.Cases, suite.Case{ID: fmt.Sprintf("%d %s %s %d", draw, e.ID, e.Locale, len(s.Cases)), Turns: []suite.Turn{{Say: words, Expect: expect}},
			Lang: e.Locale, Group: string(e.ID), Weight: 1})
	}
	for _, e := range entries {
		wordings := e.Wordings()
		at := random.IntN(len(wordings))
		switch {
		case gone[e.ID]:
			add(e, wordings[at], suite.Expect{None: true})
			continue
		case len(wordings) > 1:
			add(e, wordings[at], suite.Expect{Answer: []knowledge.EntryID{e.ID}})
			wordings = slices.Delete(wordings, at, at+1)
		}
		e.Question, e.Variants = wordings[0], wordings[1:]
		kept = append(kept, e)
	}
	random.Shuffle(len(s.Cases), func(i, k int) { s.Cases[i], s.Cases[k] = s.Cases[k], s.Cases[i] })
	s.Name, s.Cases = "left out", balanced(s.Cases)
	return kept, s
}
