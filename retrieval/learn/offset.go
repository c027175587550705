package learn

import "math"

const (
	// lambda is the ridge on an offset: a normal prior of variance 1/(2·lambda) = ½. The best offsets of 14 public and
	// self-written sets have a standard deviation of .65.
	lambda = 1
	// wrongLabels is the share of labels that say the opposite of what is so, at either end. It costs nothing where all
	// labels are right, and halves the damage where one in ten is wrong.
	wrongLabels = .05
	gridMost    = 4    // offsets from -gridMost to gridMost are weighed
	gridStep    = .05  // one from the next
	maxOffset   = 2.5  // no evidence moves a probability further
	minChance   = .001 // a probability nearer to 0 or 1 counts as this near
)

// An Outcome is a probability without an offset, and whether that of which it is the probability was so.
type Outcome struct {
	Said  float64
	Right bool
}

// logit is the log odds of p, which is kept away from 0 and 1.
func logit(p float64) float64 {
	p = min(max(p, minChance), 1-minChance)
	return math.Log(p / (1 - p))
}

// A posterior is the log density of each offset of the grid, given some outcomes.
type posterior []float64

func newPosterior() posterior {
	f := make(posterior, int(2*gridMost/gridStep)+1)
	for i := range f {
		f[i] = -lambda * offsetAt(i) * offsetAt(i)
	}
	return f
}

func offsetAt(i int) float64 { return float64(i)*gridStep - gridMost }

// add takes an outcome in, or with times -1 out again.
func (f posterior) add(o Outcome, times float64) {
	before := logit(o.Said)
	for i := range f {
		chance := wrongLabels + (1-2*wrongLabels)/(1+math.Exp(-before-offsetAt(i)))
		if !o.Right {
			chance = 1 - chance
		}
		f[i] += times * math.Log(chance)
	}
}

// mean is the offset to use. A mean, and not the most likely one: then no threshold is needed from how many labels on
// an offset counts, since few move it by next to nothing.
func (f posterior) mean() float64 {
	most := math.Inf(-1)
	for _, density := range f {
		most = max(most, density)
	}
	sum, all := 0.0, 0.0
	for i, density := range f {
		weight := math.Exp(density - most)
		sum, all = sum+weight*offsetAt(i), all+weight
	}
	return min(max(sum/all, -maxOffset), maxOffset)
}

// Offset is the offset that outcomes speak for.
func Offset(list []Outcome) float64 {
	if len(list) == 0 {
		return 0 // and not nearly, as the mean would be
	}
	f := newPosterior()
	for _, o := range list {
		f.add(o, 1)
	}
	return f.mean()
}
