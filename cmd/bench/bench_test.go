package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the table says of the big corpus: 10,000 entries, three wordings each, no two alike.
func TestBigCorpus(t *testing.T) {
	seen := map[string]bool{}
	rows := entries()
	require.Len(t, rows, entryCount)
	for _, r := range rows {
		for _, w := range r.Wordings() {
			require.False(t, seen[w], w)
			seen[w] = true
		}
	}
	require.Len(t, seen, 3*entryCount)
	require.Equal(t, asked(50), asked(50), "every run asks the same")
	for _, q := range asked(50) {
		require.NotContains(t, q, "%!", "a form with a word too many")
	}
}

func TestMissedTargetIsAnError(t *testing.T) {
	table := func(rows ...row) (string, error) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		stdout := os.Stdout
		os.Stdout = w
		shown := show(rows)
		os.Stdout = stdout
		require.NoError(t, w.Close())
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		return string(text), shown
	}
	good := row{work: "encode", value: .45, unit: "×", target: .45}
	text, err := table(good)
	require.NoError(t, err)
	require.Contains(t, text, "met")
	text, err = table(good, row{work: "search", value: 1.7, unit: "×", target: 1.6})
	require.ErrorIs(t, err, errMissed)
	require.Equal(t, 1, strings.Count(text, "MISSED"))
}

func TestMedian(t *testing.T) {
	require.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 3, median([]float64{3}), 0)
}

func TestCosine(t *testing.T) {
	require.InDelta(t, 1, cosine([]float32{3, 4}, []float32{6, 8}), 1e-9)
	require.False(t, cosine([]float32{1}, []float32{1, 0}) >= 0, "vectors of two lengths are never alike")
}
