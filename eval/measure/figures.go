package measure

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/subject"
	"faqbot/knowledge"
)

// Passed is the first figure, over all cases; all others are over the cases about answers.
const Passed = "passed"

// Figures are those of a suite: those of every set, and those that only a suite has.
func Figures() []eval.Named {
	return append([]eval.Named{{Name: Passed, Of: eval.Passed()}, {Name: "resolved", Of: eval.Resolved()}, {Name: "effort", Of: eval.Effort(), Low: true}}, eval.Figures()...)
}

func (r Run) report(done []Finished) *Report {
	report := &Report{Version: Version, Suite: r.Suite.Name, Digest: r.Suite.Digest(), Subject: r.Subject.Name(), Entries: len(r.Entries),
		Figures: []Figure{}, Gates: []Gate{}, Slices: []eval.Part{}}
	var tokens subject.Tokens
	took := make([]float64, len(done))
	for i, one := range done {
		report.Cases = append(report.Cases, one.Row)
		took[i] = float64(one.Took.Microseconds()) / 1000
		tokens.In += one.Row.Tokens.In
		tokens.Out += one.Row.Tokens.Out
		if !one.Row.Passed {
			report.Failed++
		}
	}
	if tokens != (subject.Tokens{}) {
		report.Tokens = &tokens
		report.Cost = (float64(tokens.In)*r.Prices.In + float64(tokens.Out)*r.Prices.Out) / 1e6
	}
	report.Timings.Took = percentiles(took)
	report.measure()
	report.Findings = findingsOf(report.Cases, r.Entries)
	return report
}

// measure computes all figures from the rows.
func (r *Report) measure() {
	all := sample(r.Cases)
	answers := about(all)
	r.Figures = append(figuresOf(all, Figures()[:1]), figuresOf(answers, Figures()[1:])...)
	r.Decisions, r.Curve, r.Bins = answers.Decisions(), answers.RiskCoverageHundredths(), answers.Reliability()
	for _, by := range slicings() {
		cut := all.SliceBy(by.keys)
		if len(cut) < 2 {
			continue
		}
		for _, part := range cut {
			r.Slices = append(r.Slices, eval.Part{By: by.name, Name: part.Name, Queries: part.Len(),
				Good: eval.Measured{Name: Passed, Value: part.Value(eval.Passed()), Interval: part.Interval(eval.Passed())}})
		}
	}
}

// figuresOf are those of list that mean something on s.
func figuresOf(s *eval.Sample, list []eval.Named) []Figure {
	figures := []Figure{}
	list = slices.DeleteFunc(list, func(f eval.Named) bool { return math.IsNaN(s.Value(f.Of)) })
	for i, interval := range s.Intervals(list) {
		figures = append(figures, Figure{eval.Measured{Name: list[i].Name, Value: s.Value(list[i].Of), Interval: interval}, list[i].Low})
	}
	return figures
}

// A slicing cuts the cases by something they have in common.
type slicing struct {
	name string
	keys func(eval.Result) []string
}

func slicings() []slicing {
	one := func(of func(eval.Result) string) func(eval.Result) []string {
		return func(r eval.Result) []string {
			if name := of(r); name != "" {
				return []string{name}
			}
			return nil
		}
	}
	return []slicing{
		{"tag", func(r eval.Result) []string { return r.Case.Tags }},
		{"lang", one(func(r eval.Result) string { return r.Case.Lang })},
		{"topic", one(func(r eval.Result) string { return r.Topic })},
		{"kind", one(func(r eval.Result) string { return r.Case.Kind })},
		{"length", one(lengthOf)},
	}
}

// lengthOf is how many words a question has, roughly.
func lengthOf(r eval.Result) string {
	switch n := len(strings.Fields(r.Case.Text)); {
	case n <= 3:
		return "1–3 words"
	case n <= 8:
		return "4–8 words"
	case n <= 15:
		return "9–15 words"
	}
	return "16 words or more"
}

// percentiles are the times that shares of the turns took at most.
func percentiles(took []float64) eval.Milliseconds {
	if len(took) == 0 {
		return eval.Milliseconds{}
	}
	sorted := slices.Sorted(slices.Values(took))
	at := func(q float64) float64 { return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)] }
	return eval.Milliseconds{P50: at(.5), P95: at(.95), P99: at(.99)}
}

// Findings are what the rows show beside figures.
type Findings struct {
	Confused   []Confusion           `json:"confused"`    // the most frequent first
	NeverFirst []knowledge.EntryID   `json:"never_first"` // some case expects them, and they were never ranked first
	Duplicates [][]knowledge.EntryID `json:"duplicates"`  // entries with a wording in common
}

// A Confusion is an entry that was given in the place of another.
type Confusion struct {
	Expected knowledge.EntryID `json:"expected"` // "" if no entry answers
	Given    knowledge.EntryID `json:"given"`
	Cases    int               `json:"cases"`
}

func findingsOf(rows []Row, entries []knowledge.Entry) Findings {
	f := Findings{Confused: []Confusion{}, NeverFirst: []knowledge.EntryID{}, Duplicates: [][]knowledge.EntryID{}}
	first, expected := map[knowledge.EntryID]bool{}, map[knowledge.EntryID]bool{}
	pairs := map[Confusion]int{}
	for _, r := range rows {
		if len(r.Ranked) > 0 {
			first[r.Ranked[0].Entry] = true
		}
		want := knowledge.EntryID("")
		for i, id := range r.Relevant {
			if expected[id] = true; i == 0 {
				want = id
			}
		}
		if r.Action == bot.ActionAnswer && r.Verdict == eval.AnsweredWrong && !r.NoSearch {
			pairs[Confusion{Expected: want, Given: r.Entries[0]}]++
		}
	}
	for pair, n := range pairs {
		pair.Cases = n
		f.Confused = append(f.Confused, pair)
	}
	slices.SortFunc(f.Confused, func(a, b Confusion) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), cmp.Compare(a.Expected, b.Expected), cmp.Compare(a.Given, b.Given))
	})
	wordings := map[string]knowledge.EntryID{}
	for _, e := range entries {
		if expected[e.ID] && !first[e.ID] {
			f.NeverFirst = append(f.NeverFirst, e.ID)
		}
		for _, w := range e.Wordings() {
			w = strings.ToLower(strings.TrimRight(w, ".?! "))
			pair := []knowledge.EntryID{wordings[w], e.ID}
			if pair[0] != "" && pair[0] != e.ID && !slices.ContainsFunc(f.Duplicates, func(known []knowledge.EntryID) bool { return slices.Equal(known, pair) }) {
				f.Duplicates = append(f.Duplicates, pair)
			}
			wordings[w] = e.ID
		}
	}
	return f
}
