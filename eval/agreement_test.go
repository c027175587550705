package eval

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of Cohen 1960, and what has no answer.
func TestKappa(t *testing.T) {
	var first, second []string
	for pair, n := range map[[2]string]int{{"yes", "yes"}: 20, {"yes", "no"}: 5, {"no", "yes"}: 10, {"no", "no"}: 15} {
		for range n {
			first, second = append(first, pair[0]), append(second, pair[1])
		}
	}
	k := Kappa(first, second)
	require.InDelta(t, .4, k.Value, 1e-9)
	require.Less(t, k.Interval.Low, .4)
	require.Greater(t, k.Interval.High, .4)
	require.InDelta(t, .7, Agreement(first, second).Value, 1e-9)
	require.True(t, math.IsNaN(Kappa([]string{"a", "a"}, []string{"a", "a"}).Value), "there was no choice")
	require.InDelta(t, 1, Kappa([]string{"a", "b"}, []string{"a", "b"}).Value, 1e-9)
	require.True(t, math.IsNaN(Kappa(nil, nil).Value))
}
