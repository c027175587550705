package vector

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// byChromem answers as Nearest does, from chromem's own Query in all, which holds what s does.
func byChromem(t testing.TB, s *Set, all *collection, query []float32, n int) []Neighbour {
	t.Helper()
	q, err := Unit(query)
	require.NoError(t, err)
	// chromem leaves the choice among equals, and among what its sums take for equals, to chance.
	found, _, err := all.nearest(t.Context(), q, min(s.Len(), 2*n+50))
	require.NoError(t, err)
	near := make([]Neighbour, len(found))
	for i, at := range found {
		near[i] = Neighbour{Index: at, Cosine: dotGo(q, s.vectors[at])}
	}
	sortNear(near)
	return near[:min(n, len(near))]
}

func sortNear(near []Neighbour) {
	slices.SortFunc(near, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Index, b.Index))
	})
}

// clustered returns n vectors around few centres, spread apart.
func clustered(n, dim, centres int, spread float64) [][]float32 {
	r := rand.New(rand.NewPCG(5, 6))
	middles := random(centres, dim)
	vectors := make([][]float32, n)
	for i := range vectors {
		v := slices.Clone(middles[r.IntN(centres)])
		for j := range v {
			v[j] += float32(spread * r.NormFloat64())
		}
		vectors[i] = v
	}
	return vectors
}

// doubled returns n vectors of which every one is there several times.
func doubled(n, dim int) [][]float32 {
	few := random(n/20, dim)
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = few[i%len(few)]
	}
	return vectors
}

// spiky returns n vectors of which one number in ten is far larger than the others, the worst that
// can be done to 8-bit integers.
func spiky(n, dim int) [][]float32 {
	vectors := random(n, dim)
	for i, v := range vectors {
		if i%10 == 0 {
			v[i%dim] *= 300
		}
	}
	return vectors
}

// TestNearestOfFew has chromem answer, with sets of a size that leaves it a choice.
func TestNearestOfFew(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2, 60, collectionMax, collectionMax + 1} {
		for name, vectors := range map[string][][]float32{
			"random":  random(count, 48),
			"tight":   clustered(count, 48, 3, 1e-5),
			"doubled": doubled(max(count, 20), 48),
			"spiky":   spiky(count, 48),
		} {
			s := mustBuild(t, vectors...)
			require.Equal(t, s.Len() <= collectionMax, s.small != nil)
			require.Equal(t, s.Len() > collectionMax, len(s.slab.bytes) > 0, "the vectors are held twice")
			for _, n := range []int{1, 7, 50, s.Len()} {
				n = min(n, s.Len())
				got, err := s.Nearest(t.Context(), vectors[0], n)
				require.NoError(t, err)
				require.Equal(t, byAll(t, s, vectors[0], n), got, "%d nearest of %d, %s", n, count, name)
			}
		}
	}
}

func TestNearestAgreesWithChromem(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{1, 3, 64, 100, 384, 1030} {
		for name, vectors := range map[string][][]float32{
			"random":    random(700, dim),
			"clustered": clustered(700, dim, 12, .3),
			"tight":     clustered(700, dim, 3, .01),
			"doubled":   doubled(700, dim),
			"spiky":     spiky(700, dim),
		} {
			oracle := mustBuild(t, vectors...)
			all, err := newCollection(t.Context(), oracle.vectors)
			require.NoError(t, err)
			sets := make([]*Set, len(kernels()))
			for i, k := range kernels() {
				var err error
				sets[i], err = buildOn(t.Context(), vectors, k)
				require.NoError(t, err)
			}
			for _, n := range []int{1, 7, 128} {
				for _, q := range [][]float32{vectors[3], random(701, dim)[700]} {
					want := byChromem(t, oracle, all, q, n)
					if dim < 3 || name == "doubled" {
						// More equals than chromem was asked for.
						want = byAll(t, oracle, q, n)
					}
					for _, s := range sets {
						got, err := s.Nearest(t.Context(), q, n)
						require.NoError(t, err)
						require.Equal(t, want, got, "%s: %d nearest of %s, %d numbers", s.kernel.name, n, name, dim)
					}
				}
			}
		}
	}
}

// byAll answers as Nearest does, in the plainest way.
func byAll(t testing.TB, s *Set, query []float32, n int) []Neighbour {
	t.Helper()
	q, err := Unit(query)
	require.NoError(t, err)
	near := make([]Neighbour, s.Len())
	for i, v := range s.vectors {
		near[i] = Neighbour{Index: i, Cosine: dotGo(q, v)}
	}
	sortNear(near)
	return near[:n]
}

func FuzzNearest(f *testing.F) {
	f.Add(uint64(1), uint16(300), uint8(48), uint8(10), .1)
	f.Add(uint64(9), uint16(900), uint8(3), uint8(40), 1e-4)
	f.Fuzz(func(t *testing.T, seed uint64, count uint16, dim, n uint8, spread float64) {
		if math.IsNaN(spread) || math.Abs(spread) > 1e6 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		vectors := make([][]float32, 1+int(count%1000))
		for i := range vectors {
			v := make([]float32, 1+int(dim))
			for j := range v {
				v[j] = float32(1 + spread*r.NormFloat64())
			}
			vectors[i] = v
		}
		s, err := Build(t.Context(), vectors)
		if err != nil {
			t.Skip(err)
		}
		q := vectors[r.IntN(len(vectors))]
		wanted := 1 + int(n)%len(vectors)
		got, err := s.Nearest(t.Context(), q, wanted)
		require.NoError(t, err)
		require.Equal(t, byAll(t, s, q, wanted), got)
	})
}

// TestLimitHolds checks what Nearest's exactness rests on.
func TestLimitHolds(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{2, 17, 384} {
		vectors := slices.Concat(random(300, dim), spiky(300, dim), clustered(300, dim, 2, .001))
		s := mustBuild(t, vectors...)
		for i := range 40 {
			q := s.vectors[i*22]
			sq := s.slab.query(q)
			scores := newTop(nil, s.Len())
			require.NoError(t, s.slab.scan(s.kernel, &sq, scores, make([]float32, blockRows), t.Context().Err))
			require.Len(t, scores.keys, s.Len())
			for _, k := range scores.keys {
				cosine := float64(dotGo(q, s.vectors[indexOf(k)]))
				require.LessOrEqual(t, cosine, sq.limit(scoreOf(k)))
				require.InDelta(t, cosine, sq.limit(scoreOf(k)), .15)
			}
		}
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	negativeZero := float32(math.Copysign(0, -1))
	for _, n := range []int{1, 2, 5, 100, 1000} {
		for _, want := range []int{1, 2, 3, 50, 1000} {
			got := newTop(nil, want)
			var all []Neighbour
			for i := range n {
				score := []float32{0, negativeZero, 1, -1, float32(r.NormFloat64())}[r.IntN(5)]
				all = append(all, Neighbour{Index: i, Cosine: score})
				if score > got.floor {
					got.add(score, i)
				}
			}
			sortNear(all)
			count := min(n, want)
			got.cut()
			require.Equal(t, all[:count], neighbours(got.keys, count), "%d of %d", want, n)
		}
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	_, err := Build(t.Context(), [][]float32{make([]float32, maxDim+1)})
	require.EqualError(t, err, "vector 0: has 131073 numbers, more than 131072")
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		vectors := mustBuild(b, random(n, 384)...).vectors
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				mustBuild(b, vectors...)
			}
		})
	}
}

// BenchmarkNearest shows in one run what a query takes on each kernel, what chromem's own Query
// takes, and how long it takes merely to read the 8-bit integers. Up to collectionMax vectors the
// query is chromem's.
func BenchmarkNearest(b *testing.B) {
	for _, n := range []int{64, 256, 1000, 10_000, 100_000} {
		vectors := random(n, 384)
		for i, k := range kernels() {
			s, err := buildOn(b.Context(), vectors, k)
			require.NoError(b, err)
			for _, want := range []int{10, 128} {
				b.Run(fmt.Sprintf("%d/top%d/%s", n, want, k.name), func(b *testing.B) {
					for at := 0; b.Loop(); at++ {
						if _, err := s.Nearest(b.Context(), vectors[at*7%n], want); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			if i == 0 {
				benchmarkOthers(b, s)
			}
		}
	}
}

func benchmarkOthers(b *testing.B, s *Set) {
	query := s.Vector(7)
	all, err := newCollection(b.Context(), s.vectors)
	require.NoError(b, err)
	b.Run(fmt.Sprintf("%d/chromem", s.Len()), func(b *testing.B) {
		for b.Loop() {
			if _, _, err := all.nearest(b.Context(), query, min(128, s.Len())); err != nil {
				b.Fatal(err)
			}
		}
	})
	if s.small == nil {
		benchmarkScan(b, s, query)
	}
	b.Run(fmt.Sprintf("%d/cosines", s.Len()), func(b *testing.B) {
		var dst []float32
		for b.Loop() {
			dst, _ = s.Cosines(dst, query)
		}
	})
}

func benchmarkScan(b *testing.B, s *Set, query []float32) {
	b.Run(fmt.Sprintf("%d/read", s.Len()), func(b *testing.B) {
		for b.Loop() {
			// There is no 0, so that the runtime's assembly looks at every byte.
			if bytes.IndexByte(s.slab.bytes, 0) >= 0 {
				b.Fatal("found 0")
			}
		}
	})
	scores := make([]float32, blockRows)
	sq := s.slab.query(query)
	b.Run(fmt.Sprintf("%d/scan", s.Len()), func(b *testing.B) {
		for b.Loop() {
			for from := 0; from < s.Len(); from += blockRows {
				rows := min(blockRows, s.Len()-from)
				s.kernel.scan(scores[:rows], &sq, s.slab.part(from, rows))
			}
		}
	})
}
