package measure

import (
	"slices"

	"faqbot/eval"
)

// A Ranking is runs of one suite by several subjects. Each is compared with the first.
type Ranking struct {
	Suite   string
	Cases   int
	Names   []string // of figures
	Entrant []Entrant
}

// An Entrant is a subject in a Ranking.
type Entrant struct {
	Subject string
	Took    eval.Milliseconds
	Figures []Standing // as Names are
}

// A Standing is a figure of a subject, beside the first subject's.
type Standing struct {
	eval.Measured
	Known    bool // the figure means something for this subject
	Compared bool // with the first; P is the probability that chance makes such a difference
	P        float64
	Verdict  string // of the subject: better, worse, no evidence
}

// rankedFigures are what subjects are compared by.
func rankedFigures() []string {
	return []string{"acc", "MRR", "AUROC", "AURC", "right", "wrong", "utility"}
}

// Rank puts runs beside each other, those of one suite together, in the order in which they are given. The probabilities are
// corrected for the number of all comparisons (Holm).
func Rank(reports []*Report) []Ranking {
	var list []Ranking
	var tests []eval.Comparison
	var at []*Standing
	first := map[string]*Report{}
	for _, r := range reports {
		i := slices.IndexFunc(list, func(k Ranking) bool { return k.Suite == r.Suite })
		if i < 0 {
			i = len(list)
			list = append(list, Ranking{Suite: r.Suite, Cases: len(r.Cases), Names: rankedFigures()})
			first[r.Suite] = r
		}
		entrant := Entrant{Subject: r.Subject, Took: r.Timings.Took, Figures: make([]Standing, len(rankedFigures()))}
		for n, name := range rankedFigures() {
			if k := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Name == name }); k >= 0 {
				entrant.Figures[n].Measured, entrant.Figures[n].Known = r.Figures[k].Measured, true
			}
		}
		if first[r.Suite] != r {
			for _, c := range compared(first[r.Suite], r) {
				tests, at = append(tests, c), append(at, &entrant.Figures[slices.Index(rankedFigures(), c.Name)])
			}
		}
		list[i].Entrant = append(list[i].Entrant, entrant)
	}
	eval.Adjust(tests)
	for i, c := range tests {
		at[i].Compared, at[i].P, at[i].Verdict = true, c.P, c.Verdict()
	}
	return list
}

// compared compares two runs by rankedFigures.
func compared(before, after *Report) []eval.Comparison {
	old, now := paired(before, after)
	var figures []eval.Named
	for _, f := range Figures() {
		if slices.Contains(rankedFigures(), f.Name) {
			figures = append(figures, f)
		}
	}
	return eval.CompareFigures(about(sample(old)), about(sample(now)), figures)
}
