package eval

import (
	"math"

	"faqbot/bot/dialogue"
)

// A voteFit fits a logistic regression to vectors and words, of which there are too many columns for Newton's method:
// Nesterov's accelerated gradient descent (1983), begun anew whenever it goes uphill (O'Donoghue and Candès, 2015).
type voteFit struct {
	signal string
	rows   []example
	x      [][]float32 // their vectors, centred
}

// voteSteps is more than what any vote needed until its loss stood still.
const voteSteps = 400

// solve returns the intercept, then a coefficient for each number of a vector and for each bucket of words.
func (f voteFit) solve() []float64 {
	size := 1 + len(f.x[0])
	if len(f.rows[0].words) > 0 {
		size += dialogue.WordBuckets
	}
	at, before, ahead, gradient := make([]float64, size), make([]float64, size), make([]float64, size), make([]float64, size)
	steepness, momentum, last := 1.0, 1.0, math.Inf(1)
	for range voteSteps {
		loss := f.loss(ahead, gradient)
		square := 0.0
		for _, g := range gradient {
			square += g * g
		}
		copy(before, at)
		next := math.Inf(1)
		for ; next > loss-square/(2*steepness); steepness *= 2 {
			for k, g := range gradient {
				at[k] = ahead[k] - g/steepness
			}
			if next = f.loss(at, nil); next <= loss-square/(2*steepness) {
				break
			}
		}
		if last-next < 1e-6*last && last >= next && square < 1e-6*loss {
			break
		}
		rise := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		share := (momentum - 1) / rise
		if momentum = rise; next > last {
			share, momentum = 0, 1
		}
		for k := range ahead {
			ahead[k] = at[k] + share*(at[k]-before[k])
		}
		last, steepness = next, steepness*.9
	}
	return at
}

// loss is the weighted loss with half the ridge times the squared coefficients, but not the intercept; it also writes
// its gradient unless that is nil.
func (f voteFit) loss(beta, gradient []float64) (sum float64) {
	for k, b := range beta {
		if k > 0 {
			sum += voteRidge / 2 * b * b
		}
		if gradient != nil {
			gradient[k] = voteRidge * b
		}
	}
	if gradient != nil {
		gradient[0] = 0
	}
	for i, one := range f.rows {
		x := f.x[i]
		words, share := beta[1+len(x):], 0.0
		odds := beta[0]
		for k, v := range x {
			odds += beta[1+k] * float64(v)
		}
		if len(one.words) > 0 {
			share = 1 / math.Sqrt(float64(len(one.words)))
		}
		for _, w := range one.words {
			odds += words[w] * share
		}
		weight, off := one.weight(f.signal), sigmoid(odds)
		if one.signal == f.signal {
			off, odds = off-1, -odds
		}
		sum += weight * (math.Max(odds, 0) + math.Log1p(math.Exp(-math.Abs(odds)))) // log(1+exp(odds)) without overflow
		if gradient == nil {
			continue
		}
		off *= weight
		gradient[0] += off
		for k, v := range x {
			gradient[1+k] += off * float64(v)
		}
		for _, w := range one.words {
			gradient[1+len(x)+w] += off * share
		}
	}
	return sum
}
