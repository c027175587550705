package retrieval_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// still is an embedder that costs next to nothing: random vectors, of the built-in encoder's length.
type still struct{ vectors [][]float32 }

func newStill() *still {
	r := rand.New(rand.NewPCG(5, 6))
	s := &still{vectors: make([][]float32, 1024)}
	for i := range s.vectors {
		s.vectors[i] = make([]float32, 384)
		for j := range s.vectors[i] {
			s.vectors[i][j] = float32(r.NormFloat64())
		}
	}
	return s
}

func (s *still) Space() string { return "still" }

func (s *still) Embed(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		v := make([]float32, 384)
		copy(v, s.vectors[(len(t)*31+i)%len(s.vectors)])
		v[i%384] += float32(i % 97)
		vectors[i] = v
	}
	return vectors, nil
}

// sizes are the corpora of the benchmarks: wordings in all, wordings of one entry.
var sizes = []struct{ wordings, each int }{{1000, 1}, {1000, 10}, {10_000, 1}, {10_000, 10}, {10_000, 130}}

func benchCorpus(wordings, each int) *corpus {
	r := rand.New(rand.NewPCG(7, 8))
	common := strings.Fields("how do I can my the a order parcel return refund where is when will not work pay card account delivery change cancel to in for of and it late")
	text := func() string {
		var b strings.Builder
		for b.Len() < 52 {
			if r.IntN(3) > 0 {
				b.WriteString(common[r.IntN(len(common))])
			} else {
				fmt.Fprintf(&b, "%x", r.IntN(4000)+4000)
			}
			b.WriteByte(' ')
		}
		return b.String()
	}
	var entries []knowledge.Entry
	for range wordings / each {
		e := question(text())
		for range each - 1 {
			e.Variants = append(e.Variants, text())
		}
		entries = append(entries, e)
	}
	c := newCorpus()
	c.publish("acme", entries...)
	return c
}

func BenchmarkRefresh(b *testing.B) {
	for _, size := range sizes {
		c, e := benchCorpus(size.wordings, size.each), newStill()
		b.Run(fmt.Sprintf("%dx%d", size.wordings, size.each), func(b *testing.B) {
			for b.Loop() {
				s := retrieval.NewSearcher(c, e, retrieval.SearcherOptions{})
				require.NoError(b, s.Refresh(b.Context()))
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, size := range sizes {
		s := fresh(b, benchCorpus(size.wordings, size.each), newStill(), retrieval.SearcherOptions{})
		b.Run(fmt.Sprintf("%dx%d", size.wordings, size.each), func(b *testing.B) {
			for b.Loop() {
				search(b, s, "how do i change the delivery of my order 1f3a to a new address", "acme")
			}
		})
	}
}
