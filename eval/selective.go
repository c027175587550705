package eval

import "math"

// even is the probability from which an entry counts as the answer in Joint.
const even = 0.5

// Joint is the share of all questions treated rightly at an even chance: in scope the best entry
// answers and its confidence is .5 or more, out of scope it is below.
func Joint(s *Sample, weights []int) float64 {
	good, all := 0.0, 0.0
	for l := range s.levels(weights) {
		all += l.all
		if l.confidence >= even {
			good += l.right
		} else {
			good += l.out()
		}
	}
	return ratio(good, all)
}

// Hindsight is Joint at whichever threshold would have been best.
func Hindsight(s *Sample, weights []int) float64 {
	all := s.total(weights)
	good := all.out() // nothing is answered
	best := good
	for l := range s.levels(weights) {
		good += l.right - l.out()
		best = max(best, good)
	}
	return ratio(best, all.all)
}

// AUROC is the chance that a question in scope has more confidence than one out of scope, equals
// counting half (Hanley and McNeil 1982).
func AUROC(s *Sample, weights []int) float64 {
	all := s.total(weights)
	above, sum := 0.0, 0.0
	for l := range s.levels(weights) {
		sum += l.out() * (above + l.in/2)
		above += l.in
	}
	return ratio(sum, all.in*all.out())
}

// FPR95 is the share of the questions out of scope that are let in at the highest threshold that
// lets in 95 % of those in scope.
func FPR95(s *Sample, weights []int) float64 {
	all := s.total(weights)
	if all.in == 0 {
		return math.NaN()
	}
	var above level
	for l := range s.levels(weights) {
		above.add(l)
		if above.in >= .95*all.in {
			break
		}
	}
	return ratio(above.out(), all.out())
}

// AUPR is the average precision of finding what is out of scope by its lack of confidence.
func AUPR(s *Sample, weights []int) float64 {
	all := s.total(weights)
	if all.out() == 0 || all.in == 0 {
		return math.NaN()
	}
	sum := 0.0
	var above level
	for l := range s.levels(weights) {
		if l.out() > 0 { // all from here down are called out of scope
			sum += l.out() / all.out() * (all.out() - above.out()) / (all.all - above.all)
		}
		above.add(l)
	}
	return sum
}

// AURC is the area under the risk–coverage curve (Geifman and El-Yaniv 2017): the mean, over all
// coverages, of the share of errors among what is answered, the most confident first. To answer what
// is out of scope is an error. Among equals the errors are taken to be spread evenly.
func AURC(s *Sample, weights []int) float64 {
	sum := 0.0
	var above level
	for l := range s.levels(weights) {
		for j := 1.0; j <= l.all; j++ {
			sum += (above.wrong() + l.wrong()*j/l.all) / (above.all + j)
		}
		above.add(l)
	}
	return ratio(sum, above.all)
}

// ExcessAURC is how far AURC is above that of an oracle that is surest of just what is right.
func ExcessAURC(s *Sample, weights []int) float64 {
	all := s.total(weights)
	oracle := 0.0
	for i := all.right + 1; i <= all.all; i++ {
		oracle += (i - all.right) / i
	}
	return AURC(s, weights) - ratio(oracle, all.all)
}

// A RiskPoint is one choice of a threshold: answering from it up covers a share of all questions, of
// which a share is answered wrongly.
type RiskPoint struct {
	Threshold float64 `json:"threshold"`
	Coverage  float64 `json:"coverage"`
	Risk      float64 `json:"risk"`
}

// RiskCoverage is the curve, from the highest threshold down.
func (s *Sample) RiskCoverage() (curve []RiskPoint) {
	all := float64(s.Len())
	var above level
	for l := range s.levels(nil) {
		above.add(l)
		curve = append(curve, RiskPoint{l.confidence, above.all / all, above.wrong() / above.all})
	}
	return curve
}

// RiskCoverageHundredths is the curve's first point in each hundredth of coverage.
func (s *Sample) RiskCoverageHundredths() []RiskPoint {
	thin, last := []RiskPoint{}, -1
	for _, p := range s.RiskCoverage() {
		if at := int(100 * p.Coverage); at > last {
			thin, last = append(thin, p), at
		}
	}
	return thin
}

// bins is how many parts the confidences are cut into to see whether they mean what they say.
const bins = 10

// A Bin is an equal part of the results, by confidence.
type Bin struct {
	Confidence float64 `json:"confidence"` // mean
	Right      float64 `json:"right"`      // share
	Count      float64 `json:"count"`
}

// Reliability cuts s into ten bins of equal mass, the most confident first; fewer if s has fewer
// results. Equals on a border are shared between the bins in proportion.
func (s *Sample) Reliability() []Bin { return s.weightedReliability(nil) }

func (s *Sample) weightedReliability(weights []int) (list []Bin) {
	all := s.total(weights).all
	capacity := all / min(bins, all)
	var b Bin
	for l := range s.levels(weights) {
		for left := l.all; left > 1e-9; {
			take := min(left, capacity-b.Count)
			left -= take
			b.Count += take
			b.Confidence += take * l.confidence
			b.Right += take * l.right / l.all
			if b.Count > capacity-1e-9 {
				list = append(list, Bin{b.Confidence / b.Count, b.Right / b.Count, b.Count})
				b = Bin{}
			}
		}
	}
	if b.Count > 1e-6 { // what rounding left
		list = append(list, Bin{b.Confidence / b.Count, b.Right / b.Count, b.Count})
	}
	return list
}

// ECE is the expected calibration error over ten bins of equal mass (Nguyen and O'Connor 2015): the
// mean distance between a bin's confidence and its share of right answers.
func ECE(s *Sample, weights []int) float64 {
	sum, n := 0.0, 0.0
	for _, b := range s.weightedReliability(weights) {
		sum += b.Count * math.Abs(b.Confidence-b.Right)
		n += b.Count
	}
	return ratio(sum, n)
}
