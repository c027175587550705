// Package late compares texts token by token: each word piece of a question with the nearest one of a
// document. That is late interaction (ColBERT, Khattab and Zaharia 2020, arXiv:2004.12832). It tells
// entries apart that one vector for a whole text does not, which matters most where an entry has one
// wording and the facts are in its answer.
//
// All pieces counting alike, "how", "do" and "I" would decide, and long answers would win, since they have
// more pieces to be near to. So a piece of the question weighs the square of its inverse document frequency
// among the affiliate's own entries, and of a text only the first MaxRows pieces are kept.
package late

import (
	"math"

	"faqbot/retrieval/vector"
)

// MaxRows is how many word pieces of a text have rows.
const MaxRows = 60

// Tokens are a text as an encoder reads it.
type Tokens struct {
	Vector []float32   // of the whole text, of length one
	Pieces []uint32    // its word pieces; the first have rows
	Rows   vector.Rows // a unit vector for each of the first MaxRows pieces; none if the encoder gives none
}

// A Rarity knows how many entries each word piece is in.
type Rarity struct {
	entries int
	in      map[uint32]int
}

// NewRarity returns a Rarity that knows no entry.
func NewRarity() *Rarity { return &Rarity{in: make(map[uint32]int)} }

// Add counts an entry with these texts.
func (r *Rarity) Add(texts ...Tokens) {
	r.entries++
	seen := make(map[uint32]bool)
	for _, t := range texts {
		for _, piece := range t.Pieces {
			if !seen[piece] {
				seen[piece] = true
				r.in[piece]++
			}
		}
	}
}

// Weights are idf² of each piece, as shares of their sum, with idf = ln(1 + (N − n + ½)/(n + ½)) for a piece
// that n of N entries have.
func (r *Rarity) Weights(pieces []uint32) []float64 {
	weights, sum := make([]float64, len(pieces)), 0.0
	for i, piece := range pieces {
		n := float64(r.in[piece])
		idf := math.Log(1 + (float64(r.entries)-n+.5)/(n+.5))
		weights[i] = idf * idf
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// A Question is a question's word pieces, ready to be compared. It is not for concurrent use.
type Question struct {
	pieces  []uint32
	probe   *vector.Probe
	nearest []float32
}

// NewQuestion returns nil if t has no rows.
func NewQuestion(t Tokens) *Question {
	n := t.Rows.Len()
	if n == 0 {
		return nil
	}
	return &Question{pieces: t.Pieces[:n], probe: vector.NewProbe(t.Rows), nearest: make([]float32, n)}
}

// Weights are the weights of q's pieces.
func (q *Question) Weights(r *Rarity) []float64 { return r.Weights(q.pieces) }

// Score is Σ weight · cosine with the nearest row, over q's pieces: −1 to 1. There must be rows.
func (q *Question) Score(weights []float64, rows vector.Rows) float64 {
	q.probe.Nearest(q.nearest, rows)
	sum := 0.0
	for i, w := range weights {
		sum += float64(w * float64(q.nearest[i]))
	}
	return sum
}
