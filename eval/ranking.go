package eval

import (
	"maps"
	"math"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
)

// rankedMost is how many entries the engine ranks, at most; what answers and was not ranked is missed.
const rankedMost = 10

// marks are what figures of ranks and actions are means of, worked out once: a bootstrap looks at
// each result thousands of times.
type marks struct {
	inScope   bool
	first     int     // rank, from 1, of the first entry that answers; 0 if none was ranked
	gain      float64 // normalised discounted cumulative gain
	precision float64 // average precision
	verdict   Verdict
	passed    bool
	effort    int
}

func marksOf(results []Result) []marks {
	list := make([]marks, len(results))
	for i, r := range results {
		list[i] = marks{inScope: r.Case.InScope(), first: r.first(), verdict: r.Verdict(), passed: r.Passed, effort: r.Effort}
		if list[i].inScope {
			list[i].gain, list[i].precision = r.gain(), r.precision()
		}
	}
	return list
}

// mean is the figure that is the mean of value over the results that have one.
func mean(value func(*marks) (float64, bool)) Figure {
	figure := new(byte) // has an address of its own
	return func(s *Sample, weights []int) float64 {
		sum, n := 0.0, 0.0
		if s.draw != nil {
			for kind, v := range s.draw.kinds.valued(figure, value) {
				sum += s.draw.counts[kind] * v.value
				n += s.draw.counts[kind] * v.counts
			}
			return ratio(sum, n)
		}
		for i, v := range valuesOf(s.marks, value) {
			w := 1.0
			if weights != nil {
				w = float64(weights[i])
			}
			sum += w * v.value
			n += w * v.counts
		}
		return ratio(sum, n)
	}
}

// A valued is what a result adds to a mean: its value, and 1; nothing if it has none.
type valued struct{ value, counts float64 }

// valued is what each kind adds to a mean, worked out once.
func (k *kinds) valued(figure *byte, value func(*marks) (float64, bool)) []valued {
	if known, ok := k.means.Load(figure); ok {
		return known.([]valued)
	}
	list := valuesOf(k.marks, value)
	k.means.Store(figure, list)
	return list
}

func valuesOf(list []marks, value func(*marks) (float64, bool)) []valued {
	values := make([]valued, len(list))
	for i := range list {
		if v, ok := value(&list[i]); ok {
			values[i] = valued{v, 1}
		}
	}
	return values
}

// Accuracy is the share of the questions in scope whose best entry answers them, however likely it is.
func Accuracy(s *Sample, weights []int) float64 {
	all := s.total(weights)
	return ratio(all.right, all.in)
}

// Recall is the share of the questions in scope with an entry that answers among the first k.
func Recall(k int) Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.first > 0 && m.first <= k), m.inScope })
}

// MRR is the mean reciprocal rank of the first entry that answers, in scope; 0 if it was not ranked.
func MRR() Figure {
	return mean(func(m *marks) (float64, bool) {
		if m.first == 0 {
			return 0, m.inScope
		}
		return 1 / float64(m.first), m.inScope
	})
}

// NDCG is the normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen 2002),
// in scope, where an entry answers or does not.
func NDCG() Figure { return mean(func(m *marks) (float64, bool) { return m.gain, m.inScope }) }

// MAP is the mean average precision of the first ten, in scope.
func MAP() Figure { return mean(func(m *marks) (float64, bool) { return m.precision, m.inScope }) }

func (r Result) gain() float64 {
	gain, most := 0.0, 0.0
	for i, ranked := range r.Ranked[:min(rankedMost, len(r.Ranked))] {
		if r.relevant(ranked.Entry) {
			gain += 1 / math.Log2(float64(i+2))
		}
	}
	for i := range min(rankedMost, len(r.Case.Relevant)) {
		most += 1 / math.Log2(float64(i+2))
	}
	return gain / most
}

func (r Result) precision() float64 {
	found, sum := 0.0, 0.0
	for i, ranked := range r.Ranked[:min(rankedMost, len(r.Ranked))] {
		if r.relevant(ranked.Entry) {
			found++
			sum += found / float64(i+1)
		}
	}
	return sum / float64(len(r.Case.Relevant))
}

// first is the rank, from 1, of the first entry that answers; 0 if none was ranked.
func (r Result) first() int {
	return 1 + slices.IndexFunc(r.Ranked, func(ranked dialogue.Ranked) bool { return r.relevant(ranked.Entry) })
}

// A Verdict is what a decision came to for the customer.
type Verdict string

// Decisions as customers see them. Asking for other words is to decline: the bot has shown nothing.
const (
	AnsweredRight Verdict = "answered right"
	AnsweredWrong Verdict = "answered wrong"
	OfferedRight  Verdict = "offered, one is right"
	OfferedWrong  Verdict = "offered, none is right"
	SmallTalk     Verdict = "small talk"
	Declined      Verdict = "declined"
	HandedOff     Verdict = "handed off"
)

// Verdicts are all, in the order in which they are shown.
func Verdicts() []Verdict {
	return []Verdict{AnsweredRight, AnsweredWrong, OfferedRight, OfferedWrong, SmallTalk, Declined, HandedOff}
}

// Verdict judges r's action, not its ranking.
func (r Result) Verdict() Verdict {
	d := r.Outcome.Decision
	right := slices.ContainsFunc(d.Entries, r.relevant)
	switch {
	case d.Action == bot.ActionHandoff:
		return HandedOff
	case d.Action == bot.ActionAnswer && len(d.Entries) == 0:
		return SmallTalk
	case d.Action == bot.ActionAnswer && right:
		return AnsweredRight
	case d.Action == bot.ActionAnswer:
		return AnsweredWrong
	case d.Action == bot.ActionClarify && right:
		return OfferedRight
	case d.Action == bot.ActionClarify && len(d.Entries) > 0:
		return OfferedWrong
	}
	return Declined
}

// A Decisions is how often each verdict fell, in scope and out of it.
type Decisions struct {
	InScope    map[Verdict]int `json:"in_scope"`
	OutOfScope map[Verdict]int `json:"out_of_scope"`
}

// Decisions counts the verdicts.
func (s *Sample) Decisions() Decisions {
	d := Decisions{InScope: make(map[Verdict]int), OutOfScope: make(map[Verdict]int)}
	for _, r := range s.results {
		if r.Case.InScope() {
			d.InScope[r.Verdict()]++
		} else {
			d.OutOfScope[r.Verdict()]++
		}
	}
	return d
}

// What decisions are worth, beside a right answer's 1 and nothing shown's 0. At these costs
// dialogue.DefaultPolicy's thresholds break even: an answer that is right half the time, a menu that
// holds the right entry one time in five.
const (
	wrongCosts = 1.0
	tapCosts   = 0.2
)

// Utility is the mean worth of the decisions, from -1 to 1.
func Utility() Figure {
	return mean(func(m *marks) (float64, bool) {
		switch m.verdict {
		case AnsweredRight:
			return 1, true
		case AnsweredWrong:
			return -wrongCosts, true
		case OfferedRight:
			return 1 - tapCosts, true
		case OfferedWrong:
			return -tapCosts, true
		}
		return 0, true
	})
}

// AnswersRight, MenusRight and AnswersWrong are the shares of all questions that were answered with a right entry,
// asked back about with a menu that holds one, and answered with a wrong entry.
func AnswersRight() Figure { return shareOf(AnsweredRight) }
func MenusRight() Figure   { return shareOf(OfferedRight) }
func AnswersWrong() Figure { return shareOf(AnsweredWrong) }

func shareOf(verdicts ...Verdict) Figure {
	return mean(func(m *marks) (float64, bool) { return count(slices.Contains(verdicts, m.verdict)), true })
}

// Wasted is the share of all questions that cost the customer a turn for nothing: a menu without the right
// entry, or, in scope, neither an answer nor a menu.
func Wasted() Figure {
	return mean(func(m *marks) (float64, bool) {
		return count(m.verdict == OfferedWrong || m.inScope && (m.verdict == Declined || m.verdict == HandedOff || m.verdict == SmallTalk)), true
	})
}

// Net is right answers less wrong ones, as a share of all questions. A calibration is judged by it, since it is
// greatest when just those entries answer that are likelier right than wrong.
func Net() Figure {
	return mean(func(m *marks) (float64, bool) {
		return count(m.verdict == AnsweredRight) - count(m.verdict == AnsweredWrong), true
	})
}

const (
	figureReached      = "reached"      // the figure Reached
	figureOveranswered = "overanswered" // the figure Overanswered
)

// Passed is the share of a suite's cases whose expectations were all met.
func Passed() Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.passed), true })
}

// Resolved is the share of the questions in scope whose right answer a customer reaches by tapping and rewording.
func Resolved() Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.effort != NoAnswer), m.inScope })
}

// Effort is the mean number of taps and rewordings of the customers who reach the right answer.
func Effort() Figure {
	return mean(func(m *marks) (float64, bool) { return float64(m.effort), m.inScope && m.effort != NoAnswer })
}

// Reached is the share of the questions in scope that the right entry answered, or that had it on a menu.
func Reached() Figure {
	return mean(func(m *marks) (float64, bool) {
		return count(m.verdict == AnsweredRight || m.verdict == OfferedRight), m.inScope
	})
}

// Overanswered is the share of the questions out of scope that an entry was given to.
func Overanswered() Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.answered()), !m.inScope })
}

// Coverage is the share of all questions that an entry was given as the answer to.
func Coverage() Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.answered()), true })
}

// SelectiveAccuracy is the share of the answers given that were right.
func SelectiveAccuracy() Figure {
	return mean(func(m *marks) (float64, bool) { return count(m.verdict == AnsweredRight), m.answered() })
}

// MenuHit is the share of the menus offered that held an entry that answers.
func MenuHit() Figure {
	return mean(func(m *marks) (float64, bool) {
		return count(m.verdict == OfferedRight), m.verdict == OfferedRight || m.verdict == OfferedWrong
	})
}

func (m *marks) answered() bool { return m.verdict == AnsweredRight || m.verdict == AnsweredWrong }

func count(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Latency is the time within which the share q, over 0 and up to 1, of the results was there; 0 if
// there are none.
func (s *Sample) Latency(q float64) time.Duration {
	if len(s.results) == 0 {
		return 0
	}
	took := make([]time.Duration, len(s.results))
	for i, r := range s.results {
		took[i] = r.Took
	}
	slices.Sort(took)
	return took[max(0, int(math.Ceil(q*float64(len(took))))-1)]
}

// A Slice is the results that have something in common.
type Slice struct {
	Name string
	*Sample
}

// SliceBy cuts s by what keys says of each result, in alphabetical order. A result may be in several
// slices.
func (s *Sample) SliceBy(keys func(Result) []string) []Slice {
	places := map[string][]int{}
	for i, r := range s.results {
		for _, name := range keys(r) {
			if n := len(places[name]); n == 0 || places[name][n-1] != i { // a key may be given twice
				places[name] = append(places[name], i)
			}
		}
	}
	var list []Slice
	for _, name := range slices.Sorted(maps.Keys(places)) {
		list = append(list, Slice{name, s.at(places[name])})
	}
	return list
}
