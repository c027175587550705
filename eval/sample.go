package eval

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sync"
)

// A Sample is judged answers, ready for figures.
type Sample struct {
	results []Result // nil if there are only judgements
	marks   []marks  // of results
	judged  []Judged
	order   []int    // places in judged, by falling confidence
	sorted  []Judged // judged in that order: figures of confidence go through it thousands of times
	cluster []int    // by place: whose answers belong together; nil if all are independent
	weight  []int    // by place: how often the case counts; nil if each counts once

	draw *drawn // while a bootstrap draws
}

// A drawn is one draw of a bootstrap, made ready once for all figures.
type drawn struct {
	kinds  *kinds
	counts []float64 // results of each kind
	levels []level   // made when a figure asks for them: means need none
	total  level
	times  []int // how often each result, or cluster, was drawn
}

// kinds are what results may have in common, which is all that means look at. There are far fewer than results.
type kinds struct {
	marks []marks
	of    []int    // by place
	means sync.Map // what each kind adds to a mean, by figure
}

func kindsOf(list []marks) *kinds {
	k := &kinds{of: make([]int, len(list))}
	number := map[marks]int{}
	for i, m := range list {
		n, seen := number[m]
		if !seen {
			n = len(k.marks)
			number[m] = n
			k.marks = append(k.marks, m)
		}
		k.of[i] = n
	}
	return k
}

// ready makes a draw ready, in which each result counts so often. It uses d's memory again.
func (d *drawn) ready(counts []int) {
	d.counts, d.levels, d.total = d.counts[:0], d.levels[:0], level{}
	for range d.kinds.marks {
		d.counts = append(d.counts, 0)
	}
	for place, kind := range d.kinds.of {
		d.counts[kind] += float64(counts[place])
	}
}

// leveled are the levels of the draw, in which each result counts so often.
func (d *drawn) leveled(s *Sample, counts []int) []level {
	if len(d.levels) > 0 {
		return d.levels
	}
	var at *level
	for place := range s.sorted {
		n := float64(counts[s.order[place]])
		if n == 0 {
			continue
		}
		j := &s.sorted[place]
		if at == nil || at.confidence != j.Confidence {
			d.levels = append(d.levels, level{confidence: j.Confidence})
			at = &d.levels[len(d.levels)-1]
		}
		at.all += n
		if j.InScope {
			at.in += n
		}
		if j.Right {
			at.right += n
		}
	}
	for _, l := range d.levels {
		d.total.add(l)
	}
	return d.levels
}

// A Judged is an answer as far as most figures look at it.
type Judged struct {
	Confidence float64 // of the best entry
	Right      bool    // the best entry answers the question; false out of scope
	InScope    bool    // some entry answers it
}

// NewSample judges results by the probability of their best entry. Cases of one dialogue belong
// together.
func NewSample(results []Result) *Sample {
	judged := make([]Judged, len(results))
	for i, r := range results {
		judged[i] = Judged{Confidence: r.Probability(), Right: r.Right(), InScope: r.Case.InScope()}
	}
	return sampleOfResults(results, judged, marksOf(results))
}

func sampleOfResults(results []Result, judged []Judged, marks []marks) *Sample {
	dialogs := make([]string, len(results))
	for i, r := range results {
		dialogs[i] = r.Case.Dialog
	}
	s := SampleOf(judged)
	s.results, s.marks, s.cluster = results, marks, clustersOf(dialogs)
	if slices.ContainsFunc(results, func(r Result) bool { return r.Case.Weight > 1 }) {
		s.weight = make([]int, len(results))
		for i, r := range results {
			s.weight[i] = max(1, r.Case.Weight)
		}
	}
	return s
}

// SampleOf is a sample of answers of which no more is known. Figures of ranks, actions and times are
// NaN in it.
func SampleOf(judged []Judged) *Sample {
	s := &Sample{judged: judged, order: make([]int, len(judged))}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return cmp.Compare(judged[b].Confidence, judged[a].Confidence) })
	s.sorted = make([]Judged, len(judged))
	for at, i := range s.order {
		s.sorted[at] = judged[i]
	}
	return s
}

// By is the same sample judged by another confidence, one for each result in their order.
func (s *Sample) By(confidence []float64) *Sample {
	judged := slices.Clone(s.judged)
	for i := range judged {
		judged[i].Confidence = confidence[i]
	}
	other := SampleOf(judged)
	other.results, other.marks, other.cluster, other.weight = s.results, s.marks, s.cluster, s.weight
	return other
}

// Only is the sample of those results that keep holds for.
func (s *Sample) Only(keep func(Result) bool) *Sample {
	var places []int
	for i, r := range s.results {
		if keep(r) {
			places = append(places, i)
		}
	}
	return s.at(places)
}

// at is the sample of the results at some places.
func (s *Sample) at(places []int) *Sample {
	results, judged, kept := make([]Result, len(places)), make([]Judged, len(places)), make([]marks, len(places))
	for i, at := range places {
		results[i], judged[i], kept[i] = s.results[at], s.judged[at], s.marks[at]
	}
	return sampleOfResults(results, judged, kept)
}

// Value is f of s, in which each case counts as often as its weight says.
func (s *Sample) Value(f Figure) float64 { return f(s, s.weight) }

// drawn is how often each result counts if it was drawn times.
func (s *Sample) drawn(times []int) []int {
	if s.weight == nil {
		return times
	}
	counts := make([]int, len(times))
	for i, n := range times {
		counts[i] = n * s.weight[i]
	}
	return counts
}

// Results are those that s judges, in order.
func (s *Sample) Results() []Result { return s.results }

// Len is how many results there are.
func (s *Sample) Len() int { return len(s.judged) }

// clustersOf numbers what belongs together, in order of appearance; "" is alone. Nil if all are alone.
func clustersOf(names []string) []int {
	if !slices.ContainsFunc(names, func(n string) bool { return n != "" }) {
		return nil
	}
	number := make(map[string]int)
	cluster := make([]int, len(names))
	next := 0
	for i, name := range names {
		n, ok := number[name]
		if !ok || name == "" {
			n = next
			next++
			number[name] = n
		}
		cluster[i] = n
	}
	return cluster
}

// A Figure is a number about a sample in which the result at place i counts weights[i] times; nil
// counts each once. NaN if the sample says nothing about it.
type Figure func(s *Sample, weights []int) float64

// A level is the results of one confidence: how many, how many of them in scope, how many right.
type level struct{ confidence, all, in, right float64 }

func (l level) out() float64    { return l.all - l.in }
func (l level) wrong() float64  { return l.all - l.right }
func (l *level) add(with level) { l.all += with.all; l.in += with.in; l.right += with.right }

// levels goes through the levels of s, the most confident first. Results of equal confidence cannot
// be told apart by it, so no figure may depend on their order.
func (s *Sample) levels(weights []int) iter.Seq[level] {
	if s.draw != nil {
		return slices.Values(s.draw.leveled(s, weights))
	}
	return func(yield func(level) bool) {
		var at level
		for place := range s.sorted {
			j, w := &s.sorted[place], 1.0
			if weights != nil {
				n := weights[s.order[place]]
				if n == 0 {
					continue
				}
				w = float64(n)
			}
			if at.all > 0 && j.Confidence != at.confidence {
				if !yield(at) {
					return
				}
				at = level{}
			}
			at.confidence = j.Confidence
			at.all += w
			if j.InScope {
				at.in += w
			}
			if j.Right {
				at.right += w
			}
		}
		if at.all > 0 {
			yield(at)
		}
	}
}

// total is all of s as one level.
func (s *Sample) total(weights []int) (sum level) {
	if s.draw != nil {
		s.draw.leveled(s, weights)
		return s.draw.total
	}
	for l := range s.levels(weights) {
		sum.add(l)
	}
	return sum
}

// ratio is a/b, NaN for an empty b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
