//go:build ignore

package main

import "math"

// The shape that both models share.
const (
	hidden = 384
	heads  = 12
	ffn    = 1536
)

// A model is a published model in float32, as far as it is used.
type model struct {
	word      func(dst []float32, id int) // the word embedding of a token
	positions []float32                   // a row for each position, with token type 0's added
	norm      norm
	layers    []layer
}

type layer struct {
	qkv, output, expand, reduce linear
	norm, ffnNorm               norm
}

type norm struct{ scale, shift []float32 }

type linear struct {
	inputs        int
	weights, bias []float32 // one row per output
	peaks         []float32 // per input, its largest absolute value so far
}

func newLinear(inputs int, weights, bias []float32) linear {
	return linear{inputs: inputs, weights: weights, bias: bias, peaks: make([]float32, inputs)}
}

// forward returns the last layer's rows, one for each token.
func (m *model) forward(tokens []int) []float32 {
	x := make([]float32, len(tokens)*hidden)
	for i, id := range tokens {
		m.word(x[i*hidden:][:hidden], id)
	}
	add(x, m.positions[:len(x)])
	m.norm.apply(x)
	for i := range m.layers {
		l := &m.layers[i]
		l.norm.apply(add(x, l.output.apply(attend(l.qkv.apply(x)))))
		wide := l.expand.apply(x)
		for j, v := range wide {
			wide[j] = v / 2 * float32(1+math.Erf(float64(v)/math.Sqrt2))
		}
		l.ffnNorm.apply(add(x, l.reduce.apply(wide)))
	}
	return x
}

func add(a, b []float32) []float32 {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func (l *linear) apply(x []float32) (y []float32) {
	for ; len(x) > 0; x = x[l.inputs:] {
		for i, v := range x[:l.inputs] {
			l.peaks[i] = max(l.peaks[i], v, -v)
		}
		for c, sum := range l.bias {
			for i, w := range l.weights[c*l.inputs:][:l.inputs] {
				sum += w * x[i]
			}
			y = append(y, sum)
		}
	}
	return y
}

func attend(qkv []float32) []float32 {
	rows, width := len(qkv)/(3*hidden), hidden/heads
	y := make([]float32, rows*hidden)
	for at := 0; at < hidden; at += width {
		for i := range rows {
			weights, total := make([]float64, rows), 0.
			for j := range weights {
				for d := at; d < at+width; d++ {
					weights[j] += float64(qkv[i*3*hidden+d]) * float64(qkv[(j*3+1)*hidden+d])
				}
				weights[j] = math.Exp(weights[j] / math.Sqrt(float64(width)))
				total += weights[j]
			}
			for j, w := range weights {
				for d := at; d < at+width; d++ {
					y[i*hidden+d] += float32(w/total) * qkv[(j*3+2)*hidden+d]
				}
			}
		}
	}
	return y
}

func (n norm) apply(x []float32) {
	for ; len(x) > 0; x = x[hidden:] {
		row, mean, variance := x[:hidden], 0., 0.
		for _, v := range row {
			mean += float64(v) / hidden
		}
		for _, v := range row {
			variance += (float64(v) - mean) * (float64(v) - mean) / hidden
		}
		for i, v := range row {
			row[i] = float32((float64(v)-mean)/math.Sqrt(variance+1e-12))*n.scale[i] + n.shift[i]
		}
	}
}
