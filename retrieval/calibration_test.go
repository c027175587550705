package retrieval

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShippedCalibration(t *testing.T) {
	for space, c := range ShippedCalibrations() {
		t.Run(space, func(t *testing.T) { testCalibration(t, c) })
	}
}

func testCalibration(t *testing.T, c *Calibration) {
	for kind := range 4 {
		for _, entries := range []int{1, 2, 20, 600} {
			for _, wordings := range []float64{1, 5, 100} {
				last := 0.0
				for confidence := -1.0; confidence <= 3; confidence += .01 {
					p := c.At(Evidence{Sure: confidence, Plain: confidence, Learned: kind%2 == 1, Tokens: kind > 1, Late: .5, Entries: entries, Wordings: wordings, Nearest: .5})
					require.Greater(t, p, last, "surer evidence is likelier right")
					require.Less(t, p, 1.)
					last = p
				}
			}
		}
	}
	few := Evidence{Sure: 1.2, Learned: true, Tokens: true, Late: .6, Entries: 50, Wordings: 3, Nearest: .5}
	alike, many, nothing := few, few, few
	alike.Nearest, many.Wordings, nothing.Sure = .9, 100, .1
	require.Greater(t, c.At(few), c.At(alike), "where entries are alike it is worth less")
	require.Greater(t, c.At(few), c.At(many), "heads grown on many wordings are surer of themselves")
	require.Less(t, c.At(nothing), .1)
	large := few
	large.Entries = maxEntries
	larger := large
	larger.Entries = 100 * maxEntries
	require.Equal(t, c.At(large), c.At(larger), "beyond what was fitted on nothing is extrapolated")
	found, lost := few, few
	found.Late, lost.Late = .8, .3
	require.Greater(t, c.At(found), c.At(lost), "whose words are found is likelier right")
	byVectors := found
	byVectors.Tokens = false
	unseen := byVectors
	unseen.Late = 0
	require.Equal(t, c.At(byVectors), c.At(unseen), "where there are no token rows they say nothing")
	plain := few
	plain.Learned, plain.Plain = false, 1.2
	require.NotEqual(t, c.At(few), c.At(plain), "with a logistic head the scale is another")
}

func TestReadCalibrationRefuses(t *testing.T) {
	const fine = `{"sure":1}`
	file := func(learned, plain, learnedByVectors, plainByVectors string) []byte {
		return fmt.Appendf(nil, `{"version":5,"learned":%s,"plain":%s,"learned_by_vectors":%s,"plain_by_vectors":%s}`, learned, plain, learnedByVectors, plainByVectors)
	}
	for want, raw := range map[string][][]byte{
		"unexpected end": {[]byte(`{`)},
		"version 4":      {[]byte(`{"version":4}`)},
		"not likelier right": {[]byte(`{"version":5}`), file(`{}`, fine, fine, fine), file(fine, `{"sure":-1}`, fine, fine),
			file(fine, fine, `{"sure":1,"spread":-1}`, fine), file(fine, fine, fine, `{"sure":0}`)},
	} {
		for _, raw := range raw {
			_, err := readCalibration(raw)
			require.ErrorContains(t, err, want, "%s", raw)
		}
	}
	_, err := readCalibration(file(`{"sure":1,"spread":-0.1}`, fine, fine, fine))
	require.NoError(t, err)
}
