package eval

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// flat gives rows that are long in one direction, shorter in a second and nothing in the third.
type flat struct{}

func (flat) TokenRows(text string) [][]float32 {
	s := float32(len(text)%2)*2 - 1
	return [][]float32{{3, s, 3}, {6, 2 * s, 6}} // the length of a row does not matter
}

func TestProjectionKeepsTheLongestDirections(t *testing.T) {
	s := Source{Set: Set{Name: "flat", Entries: []knowledge.Entry{{Question: "odd"}, {Question: "even"}}}}
	d := FitProjection([]Source{s}, flat{}, 2)
	require.Len(t, d, 2)
	half := math.Sqrt(.5)
	require.InDeltaSlice(t, []float64{half, 0, half}, []float64{math.Abs(d[0][0]), d[0][1], math.Abs(d[0][2])}, 1e-9)
	require.InDeltaSlice(t, []float64{0, 1, 0}, []float64{d[1][0], math.Abs(d[1][1]), d[1][2]}, 1e-9)
	require.Equal(t, d, FitProjection([]Source{s}, flat{}, 2), "the same sets give the same file")
	require.Len(t, PackProjection(d), 2*3*4)
}
