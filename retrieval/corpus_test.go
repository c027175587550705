package retrieval_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A corpus is a retrieval.Corpus in memory.
type corpus struct {
	mu        sync.Mutex
	entries   map[knowledge.AffiliateID][]knowledge.Entry
	revisions map[knowledge.AffiliateID]knowledge.Revision
	broken    map[knowledge.AffiliateID]error
	down      error // Revisions fails
	reads     int   // calls of Published
}

func newCorpus() *corpus {
	return &corpus{
		entries:   make(map[knowledge.AffiliateID][]knowledge.Entry),
		revisions: make(map[knowledge.AffiliateID]knowledge.Revision),
		broken:    make(map[knowledge.AffiliateID]error),
	}
}

// publish gives a new revision of exactly these entries.
func (c *corpus) publish(a knowledge.AffiliateID, entries ...knowledge.Entry) knowledge.Revision {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revisions[a]++
	entries = slices.Clone(entries)
	for i := range entries {
		e := &entries[i]
		e.Affiliate, e.Revision = a, c.revisions[a]
		if e.Key == "" {
			e.Key = fmt.Sprintf("key-%d", i)
		}
		if e.ID == "" {
			e.ID = knowledge.EntryID(fmt.Sprintf("%s/%s/%s", a, e.Key, e.Locale))
		}
	}
	c.entries[a] = entries
	return c.revisions[a]
}

func (c *corpus) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *corpus) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.revisions), c.down
}

func (c *corpus) Published(_ context.Context, a knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return c.entries[a], c.revisions[a], c.broken[a]
}

// bag embeds a text by the words it has: texts that share words are near. It counts what it was
// asked and fails if told to.
type bag struct {
	space string
	dim   int

	mu    sync.Mutex
	asked int // texts
	calls int
	err   error
	hang  bool // until ctx is done
}

func newBag(space string) *bag { return &bag{space: space, dim: 64} }

func (b *bag) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *bag) called() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

func (b *bag) Space() string { return b.space }

func (b *bag) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	b.mu.Lock()
	b.asked += len(texts)
	b.calls++
	err, hang := b.err, b.hang
	b.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		v := make([]float32, b.dim)
		v[0] = .01
		for _, w := range strings.Fields(strings.ToLower(t)) {
			h := fnv.New32a()
			_, _ = h.Write([]byte(strings.Trim(w, "?!.,")))
			v[h.Sum32()%uint32(b.dim)]++
		}
		vectors[i] = v
	}
	return vectors, nil
}

// question is an entry that is asked for by exactly this.
func question(text string, variants ...string) knowledge.Entry {
	return knowledge.Entry{Question: text, Variants: variants, Answer: "answer to " + text}
}

// fresh returns a Searcher that has seen all of c.
func fresh(t testing.TB, c *corpus, e retrieval.Embedder, opts retrieval.SearcherOptions) *retrieval.Searcher {
	t.Helper()
	s := retrieval.NewSearcher(c, e, opts)
	require.NoError(t, s.Refresh(t.Context()))
	require.True(t, s.Ready())
	return s
}

func search(t testing.TB, s *retrieval.Searcher, text string, affiliates ...knowledge.AffiliateID) retrieval.Result {
	t.Helper()
	res, err := s.Search(t.Context(), retrieval.Query{Text: text, Affiliates: affiliates})
	require.NoError(t, err)
	return res
}

func ids(res retrieval.Result) []knowledge.EntryID {
	var list []knowledge.EntryID
	for _, h := range res.Hits {
		list = append(list, h.Entry.ID)
	}
	return list
}

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, clock)
	if err != nil {
		panic(err)
	}
	return t
}
