package retrieval

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval/vector"
)

// learned is what p learns of random vectors for entries of so many wordings each.
func learned(t *testing.T, entries, wordings, dim int) heads {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var list []knowledge.Entry
	for i := range entries {
		e := knowledge.Entry{ID: knowledge.EntryID(fmt.Sprint(i)), Affiliate: "acme", Question: fmt.Sprint("q ", i)}
		for k := range wordings - 1 {
			e.Variants = append(e.Variants, fmt.Sprint("q ", i, " ", k))
		}
		list = append(list, e)
	}
	p, err := newIndex("acme", 1, list)
	require.NoError(t, err)
	vectors := make([][]float32, len(p.wordings))
	for i := range vectors {
		vectors[i] = make([]float32, dim)
		for j := range vectors[i] {
			vectors[i][j] = float32(r.NormFloat64())
		}
	}
	set, err := vector.Build(t.Context(), vectors)
	require.NoError(t, err)
	return p.learn(set)
}

func TestHeadsAreLearnedWhereTheyHelp(t *testing.T) {
	for _, c := range []struct {
		entries, wordings, dim int
		logistic, ridge        bool
	}{
		{20, 1, 16, true, true},
		{1, 9, 16, false, false},
		{20, 2, 16, true, true},
		{200, 70, 16, true, true},  // on some of the wordings
		{1600, 1, 16, false, true}, // too many entries
		{20, 2, 600, false, false}, // too wide
		{700, 5, 16, true, true},   // few of each entry's wordings, but enough
		{500, 3, 16, true, true},   // all there are
		{800, 4, 16, false, true},  // not enough
		{0, 0, 16, false, false},   // nothing
	} {
		h := learned(t, c.entries, c.wordings, c.dim)
		require.Equal(t, c.logistic, h.logistic != nil, "%+v", c)
		require.Equal(t, c.ridge, h.ridge != nil, "%+v", c)
	}
	require.Equal(t, learned(t, 30, 4, 16), learned(t, 30, 4, 16), "the same every time")
}
