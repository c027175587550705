//go:build ignore

package main

import (
	"fmt"
	"math"
	"strings"
)

// A model is the published model in float32, as far as it is used.
type model struct {
	words, positions []float32
	norm             norm
	layers           [layers]layer
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

func newModel(src *source) *model {
	m := &model{
		words:     src.tensor("embeddings.word_embeddings.weight", vocab*hidden),
		positions: src.tensor("embeddings.position_embeddings.weight", 512*hidden)[:positions*hidden],
		norm:      newNorm(src, "embeddings.LayerNorm."),
	}
	// A single sentence only ever has token type 0, so its row is added to every position's.
	types := src.tensor("embeddings.token_type_embeddings.weight", 2*hidden)
	for i := range m.positions {
		m.positions[i] += types[i%hidden]
	}
	for i := range m.layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		m.layers[i] = layer{
			// Query, key and value read the same input, so they are one matrix here.
			qkv: newLinear(src, hidden, hidden, at+"attention.self.query.",
				at+"attention.self.key.", at+"attention.self.value."),
			output:  newLinear(src, hidden, hidden, at+"attention.output.dense."),
			norm:    newNorm(src, at+"attention.output.LayerNorm."),
			expand:  newLinear(src, ffn, hidden, at+"intermediate.dense."),
			reduce:  newLinear(src, hidden, ffn, at+"output.dense."),
			ffnNorm: newNorm(src, at+"output.LayerNorm."),
		}
	}
	return m
}

func newNorm(src *source, at string) norm {
	return norm{scale: src.tensor(at+"weight", hidden), shift: src.tensor(at+"bias", hidden)}
}

func newLinear(src *source, outputs, inputs int, parts ...string) linear {
	l := linear{inputs: inputs, peaks: make([]float32, inputs)}
	for _, at := range parts {
		l.weights = append(l.weights, src.tensor(at+"weight", outputs*inputs)...)
		l.bias = append(l.bias, src.tensor(at+"bias", outputs)...)
	}
	return l
}

// calibrate runs the model over sentences, one per line, to find every linear layer's peaks.
func (m *model) calibrate(vocabulary, sentences string) {
	ids := make(map[string]int)
	for i, token := range strings.Fields(vocabulary) {
		ids[token] = i
	}
	for line := range strings.Lines(sentences) {
		tokens := []int{ids["[CLS]"]}
		for _, word := range strings.Fields(line) {
			tokens = append(tokens, pieces(ids, word)...)
		}
		m.forward(append(tokens, ids["[SEP]"]))
	}
}

// pieces is WordPiece for a lower-case word that the vocabulary can spell.
func pieces(ids map[string]int, word string) (tokens []int) {
	for prefix := ""; word != ""; prefix = "##" {
		end := len(word)
		for ; end > 0; end-- {
			if id, ok := ids[prefix+word[:end]]; ok {
				tokens = append(tokens, id)
				break
			}
		}
		if end == 0 {
			panic("calibration: cannot spell " + word)
		}
		word = word[end:]
	}
	return tokens
}

func (m *model) forward(tokens []int) {
	x := make([]float32, len(tokens)*hidden)
	for i, id := range tokens {
		for j := range hidden {
			x[i*hidden+j] = m.words[id*hidden+j] + m.positions[i*hidden+j]
		}
	}
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
