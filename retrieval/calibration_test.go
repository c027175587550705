package retrieval

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShippedCalibration(t *testing.T) {
	c := shippedCalibration()
	for _, near := range []float64{-.1, .3, .9, 1.4, math.NaN()} {
		for _, space := range []string{"all-MiniLM-L6-v2/int8/1", "a space nobody knows"} {
			curve := c.curve(space, shape{nearest: near, wordings: math.NaN()})
			last := 0.0
			for score := -1.0; score <= 1.5; score += .01 {
				p := curve.at(score)
				require.Greater(t, p, last)
				require.Less(t, p, 1.)
				last = p
			}
			require.Less(t, curve.at(-.2), .15)
		}
	}
	require.Greater(t, c.curve("x", shape{nearest: .3, wordings: math.NaN()}).at(.8), c.curve("x", shape{nearest: .9, wordings: math.NaN()}).at(.8),
		"where entries are alike a score is worth less")
}

func TestReadCalibrationRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		`{`:                                   "unexpected end",
		`{"version":1,"default":{"score":1}}`: "version 1",
		`{"version":2}`:                       "not likelier right",
		`{"version":2,"default":{"score":1}}`: "by default",
		`{"version":2,"default":{"score":1,"heads":{"score":1}},"spaces":{"x":{"score":-1}}}`: "in x",
	} {
		_, err := readCalibration([]byte(raw))
		require.ErrorContains(t, err, want)
	}
}

func TestHeadsHaveACurveOfTheirOwn(t *testing.T) {
	c := shippedCalibration()
	few, many := c.curve("x", shape{nearest: .5, wordings: math.Log(3)}), c.curve("x", shape{nearest: .5, wordings: math.Log(100)})
	require.Greater(t, few.at(1.2), many.at(1.2), "heads grown on many wordings are surer of themselves")
	require.Greater(t, few.at(1.3), few.at(1.2))
	require.Greater(t, many.at(2.4), .8)
	require.Less(t, few.at(.3), .1)
}
