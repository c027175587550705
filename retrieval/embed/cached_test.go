package embed

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/late"
)

// fake embeds a text by its hash and counts the texts it was given.
type fake struct {
	space string
	dim   int
	asked atomic.Int64
	fail  func(asked int64) error
}

func (f *fake) Space() string { return f.space }

func (f *fake) Embed(_ context.Context, texts []string) ([][]float32, error) {
	if n := f.asked.Add(int64(len(texts))); f.fail != nil {
		if err := f.fail(n); err != nil {
			return nil, err
		}
	}
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		h := fnv.New64a()
		_, _ = h.Write([]byte(f.space + t))
		x := h.Sum64()
		v := make([]float32, f.dim)
		for j := range v {
			x = x*6364136223846793005 + 1442695040888963407
			v[j] = float32(int32(x>>32)) / (1 << 31)
		}
		vectors[i] = v
	}
	return vectors, nil
}

func onBoth(t *testing.T, test func(t *testing.T, db *sqldb.DB)) {
	sqldbtest.Run(t, []sqldb.Schema{Schema()}, test)
}

func texts(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("text %d", i)
	}
	return list
}

func TestCachedEmbedsEachTextOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		inner := &fake{space: "a", dim: 8}
		var told [][2]int
		c := NewCached(inner, db, CachedOptions{Batch: 400, Progress: func(done, total int) { told = append(told, [2]int{done, total}) }})
		require.Equal(t, "a", c.Space())
		list := append(texts(1200), "text 0", "", "\xff\x00")
		got, err := c.Embed(t.Context(), list)
		require.NoError(t, err)
		want, err := (&fake{space: "a", dim: 8}).Embed(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.EqualValues(t, 1202, inner.asked.Load())
		require.Equal(t, [][2]int{{0, 1202}, {400, 1202}, {800, 1202}, {1200, 1202}, {1202, 1202}}, told)

		told = nil
		again, err := NewCached(inner, db, CachedOptions{}).Embed(t.Context(), list)
		require.NoError(t, err)
		require.Equal(t, want, again)
		require.EqualValues(t, 1202, inner.asked.Load())
		none, err := c.Embed(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestCachedKeepsSpacesApart(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		a, b := &fake{space: "a", dim: 4}, &fake{space: "b", dim: 6}
		va, err := NewCached(a, db, CachedOptions{}).Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		vb, err := NewCached(b, db, CachedOptions{}).Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.Len(t, va[0], 4)
		require.Len(t, vb[0], 6)
	})
}

func TestCachedKeepsWhatWasMadeBeforeAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		broken := errors.New("broken")
		inner := &fake{space: "a", dim: 4, fail: func(asked int64) error {
			if asked > 20 {
				return broken
			}
			return nil
		}}
		_, err := NewCached(inner, db, CachedOptions{Batch: 10}).Embed(t.Context(), texts(50))
		require.ErrorIs(t, err, broken)
		healed := &fake{space: "a", dim: 4}
		_, err = NewCached(healed, db, CachedOptions{}).Embed(t.Context(), texts(50))
		require.NoError(t, err)
		require.EqualValues(t, 30, healed.asked.Load())
	})
}

func TestCachedForgetsQueries(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		c := NewCached(&fake{space: "a", dim: 4}, db, CachedOptions{})
		v, err := c.EmbedQuery(t.Context(), "where is my order")
		require.NoError(t, err)
		require.Len(t, v.Vector, 4)
		require.Zero(t, count(t, db))
	})
}

// tokenFake gives each text rows, too: as many as it has pieces but one.
type tokenFake struct{ fake }

func (f *tokenFake) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	vectors, err := f.Embed(ctx, texts)
	list := make([]late.Tokens, len(vectors))
	for i, v := range vectors {
		list[i] = late.Tokens{Vector: v, Pieces: []uint32{}}
		for k := range len(texts[i]) {
			list[i].Pieces = append(list[i].Pieces, uint32(200_000+k))
			if k > 0 {
				row := make([]float32, 64)
				row[k%64] = 1
				list[i].Rows.Append(row)
			}
		}
	}
	return list, err
}

func TestCachedKeepsTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		inner := &tokenFake{fake{space: "a", dim: 4}}
		list := []string{"text", "x", "another text", "text"}
		want, err := inner.EmbedTokens(t.Context(), list)
		require.NoError(t, err)
		inner.asked.Store(0)
		for range 2 {
			got, err := NewCached(inner, db, CachedOptions{}).EmbedTokens(t.Context(), list)
			require.NoError(t, err)
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, want[i].Vector, got[i].Vector)
				require.Equal(t, want[i].Pieces, got[i].Pieces)
				require.Equal(t, want[i].Rows.Len(), got[i].Rows.Len())
				require.ElementsMatch(t, want[i].Rows.Bytes, got[i].Rows.Bytes)
			}
			require.EqualValues(t, 3, inner.asked.Load(), "each once")
		}
		asked, err := NewCached(inner, db, CachedOptions{}).EmbedQuery(t.Context(), "what a customer asks")
		require.NoError(t, err)
		require.NotZero(t, asked.Rows.Len())
		require.Equal(t, 3, count(t, db), "and questions are not kept")

		_, err = NewCached(inner, db, CachedOptions{}).Embed(t.Context(), list)
		require.NoError(t, err)
		require.EqualValues(t, 7, inner.asked.Load(), "vectors alone are kept apart")
	})
}

// What cannot be unpacked is made anew.
func TestCachedMakesDamagedTokensAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		inner := &tokenFake{fake{space: "a", dim: 4}}
		want, err := NewCached(inner, db, CachedOptions{}).EmbedTokens(t.Context(), []string{"text"})
		require.NoError(t, err)
		whole := packTokens(want[0])
		for n := range len(whole) {
			_, err = db.ExecContext(t.Context(), `UPDATE embeddings SET vector = $1`, whole[:n])
			require.NoError(t, err)
			got, err := NewCached(inner, db, CachedOptions{}).EmbedTokens(t.Context(), []string{"text"})
			require.NoError(t, err)
			require.Equal(t, want, got, "cut after %d bytes", n)
		}
	})
}

// An embedder without rows has none to keep: its vectors are those of Embed.
func TestCachedTokensOfVectorsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		c := NewCached(&fake{space: "a", dim: 4}, db, CachedOptions{})
		vectors, err := c.Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		tokens, err := c.EmbedTokens(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.Equal(t, vectors[0], tokens[0].Vector)
		require.Zero(t, tokens[0].Rows.Len())
		require.Equal(t, 1, count(t, db))
	})
}

// publishedEntry is one affiliate's entry.
type publishedEntry knowledge.Entry

func (e publishedEntry) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{e.Affiliate: 1}, nil
}

func (e publishedEntry) Published(context.Context, knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	return []knowledge.Entry{knowledge.Entry(e)}, 1, nil
}

func TestSearchThroughTheCacheRepairsSpelling(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		e, err := encoder.New()
		require.NoError(t, err)
		s := retrieval.NewSearcher(publishedEntry{ID: "pin", Affiliate: "acme", Question: "How do I change my PIN?"}, NewCached(e, db, CachedOptions{}), retrieval.SearcherOptions{})
		require.NoError(t, s.Refresh(t.Context()))
		found, err := s.Search(t.Context(), retrieval.Query{Text: "How do I chagne my PIN?", Affiliates: []knowledge.AffiliateID{"acme"}})
		require.NoError(t, err)
		require.True(t, found.Hits[0].Exact, "read as it was meant it is the entry's own question")
	})
}

func TestCachedManyWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		want, err := (&fake{space: "a", dim: 16}).Embed(t.Context(), texts(600))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				list := texts(600)
				for i := range list { // each in an order of its own
					list[i] = fmt.Sprintf("text %d", (i*(2*g+1)*7+g)%600)
				}
				got, err := NewCached(&fake{space: "a", dim: 16}, db, CachedOptions{Batch: 90}).Embed(t.Context(), list)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range list {
					if at := (i*(2*g+1)*7 + g) % 600; got[i][0] != want[at][0] {
						t.Errorf("writer %d: a wrong vector for %q", g, list[i])
						return
					}
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, count(t, db), 600)
	})
}

func TestCachedMakesDamagedVectorsAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		inner := &fake{space: "a", dim: 4}
		want, err := NewCached(inner, db, CachedOptions{}).Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), `UPDATE embeddings SET vector = $1`, []byte{1, 2, 3})
		require.NoError(t, err)
		got, err := NewCached(inner, db, CachedOptions{}).Embed(t.Context(), []string{"x"})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestVectorsAreLittleEndianFloats(t *testing.T) {
	require.Equal(t, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, packVector([]float32{1, -2}))
	v, ok := unpackVector([]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0})
	require.True(t, ok)
	require.Equal(t, []float32{1, -2}, v)
}

func count(t *testing.T, db *sqldb.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM embeddings`).Scan(&n))
	return n
}

func BenchmarkCached10k(b *testing.B) {
	db := sqldbtest.Migrated(b, Schema())
	list := texts(10_000)
	c := NewCached(&fake{space: "a", dim: 384}, db, CachedOptions{Batch: 5000})
	_, err := c.Embed(b.Context(), list)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := c.Embed(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
}

// short gives one vector less than it was asked for.
type short struct{ fake }

func (s *short) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := s.fake.Embed(ctx, texts)
	return vectors[1:], err
}

// An embedder that gives too few vectors is an error, and none of them is kept under another text.
func TestTooFewVectors(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqldb.DB) {
		c := NewCached(&short{fake{space: "s", dim: 4}}, db, CachedOptions{})
		_, err := c.Embed(t.Context(), texts(3))
		require.ErrorContains(t, err, "returned 2 vectors for 3 texts")
		var kept int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM embeddings`).Scan(&kept))
		require.Zero(t, kept)
	})
}
