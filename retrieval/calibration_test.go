package retrieval

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShippedCalibration(t *testing.T) {
	c := shippedCalibration()
	for _, learned := range []bool{false, true} {
		for _, entries := range []int{1, 2, 20, 600} {
			for _, wordings := range []float64{1, 5, 100} {
				last := 0.0
				for sure := -1.0; sure <= 3; sure += .01 {
					p := c.At(Evidence{Sure: sure, Plain: sure, Learned: learned, Entries: entries, Wordings: wordings, Nearest: .5})
					require.Greater(t, p, last, "surer evidence is likelier right")
					require.Less(t, p, 1.)
					last = p
				}
			}
		}
	}
	few := Evidence{Sure: 1.2, Learned: true, Entries: 50, Wordings: 3, Nearest: .5}
	alike, many, nothing := few, few, few
	alike.Nearest, many.Wordings, nothing.Sure = .9, 100, .1
	require.Greater(t, c.At(few), c.At(alike), "where entries are alike it is worth less")
	require.Greater(t, c.At(few), c.At(many), "heads grown on many wordings are surer of themselves")
	require.Less(t, c.At(nothing), .1)
	large := few
	large.Entries = mostEntries
	larger := large
	larger.Entries = 100 * mostEntries
	require.Equal(t, c.At(large), c.At(larger), "beyond what was fitted on nothing is extrapolated")
	plain := few
	plain.Learned, plain.Plain = false, 1.2
	require.NotEqual(t, c.At(few), c.At(plain), "with a logistic head the scale is another")
}

func TestReadCalibrationRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		`{`:             "unexpected end",
		`{"version":2}`: "version 2",
		`{"version":4}`: "not likelier right",
		`{"version":4,"learned":{"sure":1},"plain":{"sure":-1}}`:            "not likelier right",
		`{"version":4,"learned":{"sure":1},"plain":{"sure":1,"spread":-1}}`: "not likelier right",
	} {
		_, err := readCalibration([]byte(raw))
		require.ErrorContains(t, err, want)
	}
	_, err := readCalibration([]byte(`{"version":4,"learned":{"sure":1,"spread":-0.1},"plain":{"sure":1}}`))
	require.NoError(t, err)
}
