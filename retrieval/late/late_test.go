package late

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// text has a row along the axis of each piece.
func text(pieces ...uint32) (t Tokens) {
	for _, piece := range pieces {
		row := make([]float32, 64)
		row[piece] = 1
		t.Pieces = append(t.Pieces, piece)
		t.Rows.Append(row)
	}
	return t
}

func TestRarePiecesDecide(t *testing.T) {
	const how, refund, spain = 1, 2, 3
	r := NewRarity()
	r.Add(text(how, refund), text(how, how))
	r.Add(text(how, spain))
	r.Add(text(how))
	idf := func(in float64) float64 { return math.Log(1 + (3-in+.5)/(in+.5)) }
	q := NewQuestion(text(how, refund, 9))
	w := q.Weights(r)
	sum := idf(3)*idf(3) + idf(1)*idf(1) + idf(0)*idf(0)
	require.InDeltaSlice(t, []float64{idf(3) * idf(3) / sum, idf(1) * idf(1) / sum, idf(0) * idf(0) / sum}, w, 1e-12)
	require.Greater(t, w[1], 20*w[0], "a word of every entry says next to nothing")
	require.Greater(t, w[2], w[1], "nobody has it, so to find it would say most")
	require.InDelta(t, w[0]+w[1], q.Score(w, text(refund, how, spain).Rows), 1e-6)
	require.InDelta(t, w[0], q.Score(w, text(how, spain).Rows), 1e-6)
}

func TestWithoutRowsThereIsNoQuestion(t *testing.T) {
	require.Nil(t, NewQuestion(Tokens{Vector: []float32{1}}))
}
