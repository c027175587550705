package retrieval_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
)

// fixed is what was learned, or an error if there are none.
type fixed map[knowledge.AffiliateID]retrieval.Offsets

func (o *fixed) Offsets(context.Context) (map[knowledge.AffiliateID]retrieval.Offsets, error) {
	if *o == nil {
		return nil, errors.New("no database")
	}
	return *o, nil
}

// What was learned of an affiliate's customers moves the probability of its entries, and nothing else.
func TestLearnedOffsetsMoveProbabilities(t *testing.T) {
	c := newCorpus()
	for _, a := range []knowledge.AffiliateID{"acme", "bolt"} {
		c.publish(a, question("where is my parcel"), question("how do I pay"), question("opening hours"))
	}
	o := &fixed{}
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Learned: o})
	asked := func(a knowledge.AffiliateID) retrieval.Result { return search(t, s, "my parcel is late", a) }
	acme, bolt := asked("acme"), asked("bolt")

	*o = fixed{"acme": {Version: 3, Best: -1, Menu: .5}}
	require.NoError(t, s.Refresh(t.Context()))
	now := asked("acme")
	require.Equal(t, ids(acme), ids(now), "ranking is as before")
	require.InDelta(t, retrieval.Shift(acme.Hits[0].Score, -1), now.Hits[0].Score, 1e-12)
	require.Less(t, now.Hits[0].Score, acme.Hits[0].Score)
	require.Equal(t, (*o)["acme"], now.Hits[0].Evidence.Offsets)
	require.Equal(t, bolt, asked("bolt"), "another affiliate's are as before")

	*o = nil
	require.NoError(t, s.Refresh(t.Context()))
	require.Equal(t, now, asked("acme"), "what cannot be read is known from before")
	require.InDelta(t, .5, retrieval.Shift(.5, 0), 0)
	require.InDelta(t, .7311, retrieval.Shift(.5, 1), 1e-4)
	require.InDelta(t, 1, retrieval.Shift(1, -2), 0)
	require.Zero(t, retrieval.Shift(0, 2))
}
