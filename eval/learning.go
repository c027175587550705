package eval

import (
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// A Chance is one question, as far as live calibration looks at it.
type Chance struct {
	Said   float64 `json:"said"`   // the best entry's probability
	Right  bool    `json:"right"`  // it answers
	Share  float64 `json:"share"`  // of the odds of all entries but the best, that of those that a menu would offer with it
	InMenu bool    `json:"inMenu"` // one of those, or the best entry, answers
	Asks   bool    `json:"asks"`   // something else than the probability keeps the best entry from being the answer
}

const (
	learnedLabels = 20  // that are learned from
	learnedDraws  = 10  // of those labels
	wrongOfLabels = .1  // the share of labels that say the opposite of what is so, unless all are right
	learnedLeast  = 100 // questions that are left to measure on, for a figure to say something
)

// Learning is what labels do for the probabilities of one set, on average over the draws, on questions that are not
// among the labels.
type Learning struct {
	Set     string
	Wrong   float64 // the share of labels that say the opposite of what is so
	Queries int
	ECE     Change
	Loss    Change // log loss
	Net     Change // right answers less wrong ones, by question
	Menus   int    // questions for which a menu is shown
	MenuECE Change `json:"-"` // of the probability that it holds the answer; NaN for fewer menus than say something
}

// A Change is a figure before and after.
type Change struct{ Before, After float64 }

func (c Change) add(before, after float64) Change {
	return Change{c.Before + before/learnedDraws, c.After + after/learnedDraws}
}

// chanceOf is a question with the hits that were found, the best first; right says whether one of them answers.
func chanceOf(hits []retrieval.Hit, right func(retrieval.Hit) bool) Chance {
	policy := dialogue.DefaultPolicy()
	c := Chance{Said: hits[0].Score, Right: right(hits[0]), Asks: hits[0].Contrast != nil}
	c.InMenu = c.Right
	for i, h := range hits[1:] {
		if h.Odds >= policy.CloseOdds && (h.Entry.Answer != hits[0].Entry.Answer || h.Entry.Answer == "") {
			c.Asks = true
		}
		if h.Odds >= policy.WorthOdds && i+1 < policy.MaxChoices && c.Said > 0 && c.Said < 1 {
			c.Share += h.Score / (c.Said * (1 - c.Said))
			c.InMenu = c.InMenu || right(h)
		}
	}
	return c
}

// chancesOf are the questions of a set for which something was found.
func chancesOf(set Set, s *Sample) (list []Chance) {
	entries := make(map[knowledge.EntryID]knowledge.Entry, len(set.Entries))
	for _, e := range set.Entries {
		entries[e.ID] = e
	}
	for _, r := range s.results {
		var hits []retrieval.Hit
		for _, h := range r.Outcome.Trace.Hits {
			hits = append(hits, retrieval.Hit{Entry: entries[h.Entry], Score: h.Score, Odds: h.Odds, Contrast: h.Contrast})
		}
		if len(hits) > 0 {
			list = append(list, chanceOf(hits, func(h retrieval.Hit) bool { return r.relevant(h.Entry.ID) }))
		}
	}
	return list
}

// menu is the probability that a menu holds the answer, with the best entry's as it is said.
func (c Chance) menu(said float64) float64 { return said + said*(1-said)*c.Share }

// learnFrom learns from labels of list, drawn from the questions that are answered or asked back about, and measures what
// that does for the others. A share of the labels is wrong.
func learnFrom(set string, list []Chance, wrong float64) (l Learning, ok bool) {
	policy := dialogue.DefaultPolicy()
	var shown, menus []int
	for i, c := range list {
		if c.Said >= policy.AnswerAt || c.menu(c.Said) >= policy.OfferAt {
			shown = append(shown, i)
		}
		if c.Said < policy.AnswerAt && c.menu(c.Said) >= policy.OfferAt {
			menus = append(menus, i)
		}
	}
	l = Learning{Set: set, Wrong: wrong, Queries: len(list), Menus: len(menus), MenuECE: Change{math.NaN(), math.NaN()}}
	if len(shown) < learnedLabels || len(list) < learnedLeast+learnedLabels {
		return l, false
	}
	tap := len(menus) >= learnedLeast+learnedLabels
	if tap {
		l.MenuECE = Change{}
	}
	for draw := range learnedDraws {
		random := rand.New(rand.NewPCG(hash(set), uint64(draw)))
		labels := drawLabels(random, list, shown, wrong)
		l.measure(list, labels, offsetOf(labels, func(c Chance) learn.Outcome { return learn.Outcome{Said: c.Said, Right: c.Right} }))
		if tap {
			l.measureMenus(list, menus, drawLabels(random, list, menus, wrong))
		}
	}
	return l, true
}

// drawLabels draws labels of some questions, by their places. A label that is wrong says the opposite of all.
func drawLabels(random *rand.Rand, list []Chance, of []int, wrong float64) map[int]Chance {
	labels := map[int]Chance{}
	for _, k := range random.Perm(len(of))[:learnedLabels] {
		c := list[of[k]]
		if random.Float64() < wrong {
			c.Right, c.InMenu = !c.Right, !c.InMenu
		}
		labels[of[k]] = c
	}
	return labels
}

// offsetOf is what labels speak for, each by an outcome of its own.
func offsetOf(labels map[int]Chance, outcome func(Chance) learn.Outcome) float64 {
	var list []learn.Outcome
	for _, i := range slices.Sorted(maps.Keys(labels)) { // the same sum every time
		list = append(list, outcome(labels[i]))
	}
	return learn.Offset(list)
}

// measure adds what an offset does for the questions that are no labels.
func (l *Learning) measure(list []Chance, labels map[int]Chance, offset float64) {
	var before, after []Judged
	var lossBefore, lossAfter, netBefore, netAfter float64
	for i, c := range list {
		if _, known := labels[i]; known {
			continue
		}
		now := retrieval.Shift(c.Said, offset)
		before, after = append(before, Judged{c.Said, c.Right, true}), append(after, Judged{now, c.Right, true})
		lossBefore, lossAfter = lossBefore+logLoss(c.Said, c.Right), lossAfter+logLoss(now, c.Right)
		netBefore, netAfter = netBefore+c.net(c.Said), netAfter+c.net(now)
	}
	n := float64(len(before))
	l.ECE = l.ECE.add(ECE(SampleOf(before), nil), ECE(SampleOf(after), nil))
	l.Loss, l.Net = l.Loss.add(lossBefore/n, lossAfter/n), l.Net.add(netBefore/n, netAfter/n)
}

// measureMenus adds what the taps on some menus, which tell of the best entry as well, do for the others.
func (l *Learning) measureMenus(list []Chance, menus []int, taps map[int]Chance) {
	best := offsetOf(taps, func(c Chance) learn.Outcome { return learn.Outcome{Said: c.Said, Right: c.Right} })
	held := offsetOf(taps, func(c Chance) learn.Outcome {
		return learn.Outcome{Said: c.menu(retrieval.Shift(c.Said, best)), Right: c.InMenu}
	})
	var before, after []Judged
	for _, i := range menus {
		if _, known := taps[i]; !known {
			c := list[i]
			now := retrieval.Shift(c.menu(retrieval.Shift(c.Said, best)), held)
			before, after = append(before, Judged{c.menu(c.Said), c.InMenu, true}), append(after, Judged{now, c.InMenu, true})
		}
	}
	l.MenuECE = l.MenuECE.add(ECE(SampleOf(before), nil), ECE(SampleOf(after), nil))
}

// net is what answering adds: 1 if it is right, -1 if it is wrong, 0 if nothing is answered.
func (c Chance) net(said float64) float64 {
	switch {
	case said < dialogue.DefaultPolicy().AnswerAt || c.Asks:
		return 0
	case c.Right:
		return 1
	}
	return -1
}

func logLoss(p float64, right bool) float64 {
	if !right {
		p = 1 - p
	}
	return -math.Log(max(p, 1e-6))
}

func printLearning(w io.Writer, list []Learning) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "after %d labels, %.0f %% of them wrong\tqueries\tECE\tafter\tlog loss\tafter\tnet\tafter\tmenus\tECE\tafter\n", learnedLabels, 100*list[0].Wrong)
	var mean Learning
	n, withMenus, worst := float64(len(list)), 0.0, math.Inf(1)
	sum := func(c *Change, with Change) { c.Before, c.After = c.Before+with.Before, c.After+with.After }
	for _, l := range list {
		l.print(w)
		sum(&mean.ECE, l.ECE)
		sum(&mean.Loss, l.Loss)
		sum(&mean.Net, l.Net)
		if !math.IsNaN(l.MenuECE.After) {
			withMenus++
			sum(&mean.MenuECE, l.MenuECE)
		}
		mean.Queries, mean.Menus, worst = mean.Queries+l.Queries, mean.Menus+l.Menus, min(worst, l.Net.After-l.Net.Before)
	}
	over := func(c Change, n float64) Change { return Change{ratio(c.Before, n), ratio(c.After, n)} }
	mean.Set, mean.ECE, mean.Loss, mean.Net, mean.MenuECE = "mean", over(mean.ECE, n), over(mean.Loss, n), over(mean.Net, n), over(mean.MenuECE, withMenus)
	mean.print(w)
	fmt.Fprintf(w, "worst change of net\t%s\n\n", signed(worst))
}

func (l Learning) print(w io.Writer) {
	fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.Set, l.Queries, three(l.ECE.Before), three(l.ECE.After), three(l.Loss.Before), three(l.Loss.After),
		three(l.Net.Before), three(l.Net.After), l.Menus, three(l.MenuECE.Before), three(l.MenuECE.After))
}
