package measure

import (
	"slices"

	"faqbot/eval"
)

// A Comparison is what changed from one run to another, over the cases that both have.
type Comparison struct {
	Before   string     `json:"before"` // the subject
	Suite    string     `json:"suite"`
	Cases    int        `json:"cases"` // in both
	Unpaired int        `json:"left"`  // in one only
	Figures  []Compared `json:"figures"`
	Fixed    []Change   `json:"fixed"`
	Broken   []Change   `json:"broken"`
	Changed  []Change   `json:"changed"` // passed or failed as before, with another outcome
}

// A Compared is one figure of both runs.
type Compared struct {
	eval.Comparison
	Verdict string `json:"verdict"` // better, worse, no evidence
}

// A Change is a case with another outcome.
type Change struct {
	ID       string `json:"id"`
	Question string `json:"question"`
	Before   string `json:"before"`
	After    string `json:"after"`
	Expected string `json:"expected,omitempty"`
}

// comparedFigures are the figures that runs are compared by: what customers notice, ranking, and confidence. The first is what a
// suite is for, so its test stands alone; the others are corrected for their number.
func comparedFigures() []string {
	return []string{Passed, "acc", "MRR", "right", "wrong", "utility", "AUROC", "AURC", "ECE", "overanswered", "resolved"}
}

// Compare compares two runs.
func Compare(before, after *Report) Comparison {
	old, now := paired(before, after)
	c := Comparison{Before: before.Subject, Suite: before.Suite, Figures: []Compared{}, Fixed: []Change{}, Broken: []Change{}, Changed: []Change{}}
	c.Cases, c.Unpaired = len(old), len(before.Cases)+len(after.Cases)-2*len(old)
	all, allNow := sample(old), sample(now)
	answers, answersNow := about(all), about(allNow)
	var list []eval.Comparison
	for _, part := range []struct {
		before, after *eval.Sample
		passed        bool
	}{{all, allNow, true}, {answers, answersNow, false}} {
		var figures []eval.Named
		for _, f := range Figures() {
			if slices.Contains(comparedFigures(), f.Name) && (f.Name == Passed) == part.passed {
				figures = append(figures, f)
			}
		}
		list = append(list, eval.CompareFigures(part.before, part.after, figures)...)
	}
	eval.Adjust(list[min(1, len(list)):])
	for _, one := range list {
		c.Figures = append(c.Figures, Compared{one, one.Verdict()})
	}
	c.changes(old, now)
	return c
}

// paired are the cases of both runs, in the order of the later one. A case of which something else is expected is another
// case.
func paired(before, after *Report) (old, now []Row) {
	known := map[string]Row{}
	for _, r := range before.Cases {
		known[r.ID] = r
	}
	for _, r := range after.Cases {
		was, both := known[r.ID]
		if both && was.NoSearch == r.NoSearch && slices.Equal(was.Relevant, r.Relevant) {
			old, now = append(old, was), append(now, r)
		}
	}
	return old, now
}

// BrokenCases are the cases that pass before and fail after.
func BrokenCases(before, after *Report) []Change {
	var c Comparison
	c.changes(paired(before, after))
	return c.Broken
}

// changes lists the cases with another outcome.
func (c *Comparison) changes(old, now []Row) {
	for i, r := range now {
		was := old[i]
		change := Change{ID: r.ID, Question: r.Question, Before: outcomeOf(was), After: outcomeOf(r)}
		if len(r.Relevant) > 0 {
			change.Expected = ids(r.Relevant, " or ")
		}
		switch {
		case r.Passed && !was.Passed:
			c.Fixed = append(c.Fixed, change)
		case was.Passed && !r.Passed:
			c.Broken = append(c.Broken, change)
		case change.Before != change.After:
			c.Changed = append(c.Changed, change)
		}
	}
}

// Worse are the figures that got worse, and not by chance.
func (c Comparison) Worse() (names []string) {
	for _, f := range c.Figures {
		if f.Verdict == "worse" {
			names = append(names, f.Name)
		}
	}
	return names
}
