package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A word that may be either of two means the same one in every process, whatever order the lexicon was read in.
func TestMisspeltWordMeansTheSameEveryTime(t *testing.T) {
	for _, order := range [][]string{{"charged", "changed"}, {"changed", "charged"}} {
		s := newSpellings()
		for _, word := range order {
			s.add(word, true)
		}
		s.index()
		require.Equal(t, "changed", s.meant("chaged"))
	}
}
