package vector

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustBuild(t testing.TB, vectors ...[]float32) *Set {
	t.Helper()
	s, err := Build(t.Context(), vectors)
	require.NoError(t, err)
	return s
}

func TestNearest(t *testing.T) {
	s := mustBuild(t, []float32{1, 0}, []float32{0, 1}, []float32{.6, .8}, []float32{-1, 0})
	got, err := s.Nearest(t.Context(), []float32{0, 2}, 3)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 0}, indexes(got))
	require.InDelta(t, 1, got[0].Cosine, 1e-6)
	require.InDelta(t, .8, got[1].Cosine, 1e-6)
	require.Equal(t, got[1].Cosine, s.Cosine([]float32{0, 1}, 2))
	all, err := s.Cosines(nil, []float32{0, 2})
	require.NoError(t, err)
	require.Equal(t, []float32{0, 1, .8, 0}, all)
}

func TestMean(t *testing.T) {
	s := mustBuild(t, []float32{1, 0}, []float32{0, 1}, []float32{0, -1})
	require.Equal(t, []float32{.5, .5}, s.Mean(0, 2))
	require.Equal(t, []float32{0, 0}, s.Mean(1, 3))
	require.InDelta(t, .5, Dot(s.Vector(0), s.Mean(0, 2)), 1e-6)
}

func indexes(ns []Neighbour) []int {
	at := make([]int, len(ns))
	for i, n := range ns {
		at[i] = n.Index
	}
	return at
}

func TestTrapMoreResultsThanDocuments(t *testing.T) {
	s := mustBuild(t, []float32{1, 0}, []float32{0, 1})
	for _, n := range []int{2, 3, 1 << 30} {
		got, err := s.Nearest(t.Context(), []float32{1, 0}, n)
		require.NoError(t, err)
		require.Len(t, got, 2)
	}
	for _, n := range []int{0, -1} {
		got, err := s.Nearest(t.Context(), []float32{1, 0}, n)
		require.NoError(t, err)
		require.Empty(t, got)
	}
}

func TestTrapEmptyCollection(t *testing.T) {
	s := mustBuild(t)
	got, err := s.Nearest(t.Context(), []float32{1, 0}, 5)
	require.NoError(t, err)
	require.Empty(t, got)
	all, err := s.Cosines(nil, []float32{1, 0})
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestTrapTiesInRandomOrder(t *testing.T) {
	vectors := make([][]float32, 40)
	for i := range vectors {
		vectors[i] = []float32{1, 0}
	}
	vectors[0], vectors[20] = []float32{0, 1}, []float32{0, 1}
	s := mustBuild(t, vectors...)
	for range 50 {
		got, err := s.Nearest(t.Context(), []float32{1, 0}, 5)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 3, 4, 5}, indexes(got), "also which of the equals are left out must not be chance")
	}
}

func TestTrapZeroVector(t *testing.T) {
	_, err := Build(t.Context(), [][]float32{{1, 0}, {0, 0}})
	require.EqualError(t, err, "vector 1: is zero, so it has no direction")
	_, err = mustBuild(t, []float32{1, 0}).Nearest(t.Context(), []float32{0, 0}, 1)
	require.EqualError(t, err, "query vector: is zero, so it has no direction")
}

func TestTrapNotANumber(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		_, err := Build(t.Context(), [][]float32{{bad, 0}})
		require.EqualError(t, err, "vector 0: has a part that is not a finite number")
		_, err = mustBuild(t, []float32{1, 0}).Nearest(t.Context(), []float32{bad, 0}, 1)
		require.EqualError(t, err, "query vector: has a part that is not a finite number")
	}
}

func TestTrapVectorsOfTwoLengths(t *testing.T) {
	_, err := Build(t.Context(), [][]float32{{1, 0}, {1, 0, 0}})
	require.EqualError(t, err, "vector 1: has 3 numbers, not 2")
	_, err = Build(t.Context(), [][]float32{{}})
	require.Error(t, err)
	_, err = mustBuild(t, []float32{1, 0}).Nearest(t.Context(), []float32{1, 0, 0}, 1)
	require.EqualError(t, err, "query vector: has 3 numbers, not 2")
	_, err = mustBuild(t, []float32{1, 0}).Cosines(nil, []float32{1})
	require.EqualError(t, err, "query vector: has 1 numbers, not 2")
}

func TestTrapCancelledQueryReturnsPartOfTheResults(t *testing.T) {
	s := mustBuild(t, []float32{1, 0}, []float32{0, 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := s.Nearest(ctx, []float32{1, 0}, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, got)
	_, err = Build(ctx, [][]float32{{1, 0}})
	require.ErrorIs(t, err, context.Canceled)
}

func TestTrapNotNormalised(t *testing.T) {
	// Almost of length one is what chromem would copy; exactly so is what it keeps.
	almost, exact := []float32{.999, 0}, []float32{.6, .8}
	s := mustBuild(t, almost, exact)
	require.InDelta(t, 1, s.Vector(0)[0], 1e-7)
	require.Equal(t, float32(.999), almost[0], "the caller's vector is not changed")
	require.Same(t, &exact[0], &s.Vector(1)[0])
	for i := range 2 {
		doc, err := s.small.docs.GetByID(t.Context(), fmt.Sprint(i))
		require.NoError(t, err)
		require.Equal(t, s.Vector(i), doc.Embedding)
	}
}

func TestTrapSharedMetadata(t *testing.T) {
	s := mustBuild(t, []float32{1, 0})
	doc, err := s.small.docs.GetByID(t.Context(), "0")
	require.NoError(t, err)
	require.Empty(t, doc.Metadata, "what is not there cannot be shared")
}

func TestTrapDefaultEmbeddingCallsAService(t *testing.T) {
	_, err := mustBuild(t, []float32{1, 0}).small.docs.Query(t.Context(), "text", 1, nil, nil)
	require.ErrorContains(t, err, "texts are embedded before they come here")
}

func TestNearestAgreesWithAllCosines(t *testing.T) {
	vectors := random(500, 48)
	s := mustBuild(t, vectors...)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			q := vectors[g]
			all, err := s.Cosines(nil, q)
			if err != nil {
				t.Error(err)
			}
			got, err := s.Nearest(context.Background(), q, 20)
			if err != nil || len(got) != 20 || got[0].Index != g {
				t.Errorf("nearest of %d: %v, %v", g, got, err)
			}
			for _, n := range got {
				if all[n.Index] != n.Cosine || n.Cosine < got[19].Cosine {
					t.Errorf("cosine of %d: %v, %v", n.Index, n.Cosine, all[n.Index])
				}
			}
		})
	}
	wg.Wait()
}

func random(n, dim int) [][]float32 {
	r := rand.New(rand.NewPCG(3, 4))
	vectors := make([][]float32, n)
	for i := range vectors {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(r.NormFloat64())
		}
		vectors[i] = v
	}
	return vectors
}
