package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/portal"
	"faqbot/retrieval"
)

// A slowEmbedder embeds when it is let.
type slowEmbedder struct{ let, begun, ended chan struct{} }

func (slowEmbedder) Space() string { return "slow" }

func (e slowEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	select {
	case e.begun <- struct{}{}:
	default: // nobody waits for more than the first
	}
	select {
	case <-e.let:
	case <-ctx.Done():
		e.ended <- struct{}{}
		return nil, ctx.Err()
	}
	list := make([][]float32, len(texts))
	for i := range list {
		list[i] = []float32{1, 0}
	}
	return list, nil
}

// Whoever tries a draft that takes long to index is told so in time; the index goes on, and the next question
// gets it. Another draft of the same affiliate takes its place.
func TestTrialsGoOn(t *testing.T) {
	t.Parallel()
	e := slowEmbedder{make(chan struct{}), make(chan struct{}, 1), make(chan struct{}, 1)}
	opened := 0
	ts := newTrials(func(c dialogue.Unpublished) *retrieval.Searcher {
		opened++
		return retrieval.NewSearcher(c, e, retrieval.SearcherOptions{})
	}, func() {})
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ts.Run(running) }()
	try := func(draft knowledge.UploadID, patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := ts.searcher(ctx, portal.Trial{Affiliate: "acme", Draft: draft, Text: "?",
			Entries: []knowledge.Entry{{ID: "1", Affiliate: "acme", Question: "How?", Answer: "So."}}})
		return err
	}
	require.ErrorIs(t, try("first", time.Millisecond), portal.ErrIndexing)
	require.ErrorIs(t, try("first", time.Millisecond), portal.ErrIndexing)
	<-e.begun
	require.ErrorIs(t, try("second", time.Millisecond), portal.ErrIndexing)
	<-e.ended // the first one's index, which nobody wants any more
	close(e.let)
	require.NoError(t, try("second", 2*time.Minute))
	require.NoError(t, try("second", time.Minute))
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Equal(t, 2, opened)
}

// As many drafts' indexes are kept as there is room for; those that are ready make room.
func TestTrialsAreFew(t *testing.T) {
	t.Parallel()
	e := slowEmbedder{make(chan struct{}), make(chan struct{}, 1), make(chan struct{}, 1)}
	close(e.let)
	ts := newTrials(func(c dialogue.Unpublished) *retrieval.Searcher {
		return retrieval.NewSearcher(c, e, retrieval.SearcherOptions{})
	}, func() {})
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = ts.Run(running) }() // its error is that running ended
	for _, a := range []knowledge.AffiliateID{"a", "b", "c", "d", "e", "f"} {
		_, err := ts.searcher(t.Context(), portal.Trial{Affiliate: a, Draft: "draft",
			Entries: []knowledge.Entry{{ID: "1", Affiliate: a, Question: "How?", Answer: "So."}}})
		require.NoError(t, err)
		assert.LessOrEqual(t, len(ts.kept), maxTrials)
	}
}
