package learn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// outcomes are n of a probability, of which so many were right.
func outcomes(n, right int, said float64) (list []learn.Outcome) {
	for i := range n {
		list = append(list, learn.Outcome{Said: said, Right: i < right})
	}
	return list
}

func TestOffset(t *testing.T) {
	require.InDelta(t, 0, learn.Offset(nil), 1e-9)
	require.InDelta(t, 0, learn.Offset(outcomes(40, 20, .5)), 1e-9, "what is said is so")
	one := learn.Offset(outcomes(1, 0, .6))
	require.Less(t, one, 0.)
	require.Greater(t, one, -.3, "one label moves it by little")
	twenty := learn.Offset(outcomes(20, 4, .6))
	require.Less(t, twenty, -.8)
	require.Less(t, retrieval.Shift(.6, twenty), .4, "it is not answered any more")
	require.Greater(t, learn.Offset(outcomes(20, 20, .6)), .5)
	require.InDelta(t, .2, retrieval.Shift(.6, learn.Offset(outcomes(200, 43, .6))), .06, "many labels are believed")
	require.InDelta(t, -2.5, learn.Offset(outcomes(200, 0, .999)), 1e-9, "but no further than so")
	require.InDelta(t, -learn.Offset(outcomes(20, 4, .6)), learn.Offset(outcomes(20, 16, .4)), 1e-9)
}

// known is a label of a question of which the shipped calibration is rather sure.
func known(i int, a knowledge.AffiliateID, v learn.Verdict, chosen learn.Chosen) learn.Label {
	return learn.Label{Turn: fmt.Sprint(a, i), Conversation: fmt.Sprint("conv", i), Affiliate: a, Chosen: chosen, Verdict: v, By: "ann", At: time.UnixMilli(int64(i)),
		Case: learn.Case{Space: "x", Evidence: retrieval.Evidence{Sure: 1, Plain: 1, Entries: 30, Wordings: 1, Nearest: .5, Offsets: retrieval.Offsets{Version: 7, Best: -2}}}}
}

func TestLearner(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{learn.Schema()}, func(t *testing.T, db *sqldb.DB) {
		l, ctx := learn.New(db), t.Context()
		offsets := func() map[knowledge.AffiliateID]retrieval.Offsets {
			t.Helper()
			list, err := l.Offsets(ctx)
			require.NoError(t, err)
			afresh, err := learn.New(db).Offsets(ctx)
			require.NoError(t, err)
			require.Equal(t, afresh, list, "another process knows the same")
			return list
		}
		require.Empty(t, offsets())
		for i := range 20 {
			require.NoError(t, l.Add(ctx, known(i, "acme", learn.Wrong, learn.Desk)))
			require.NoError(t, l.Add(ctx, known(i, "good", learn.Best, learn.Page)))
			first := known(i, "first", learn.Wrong, learn.Desk)
			first.Evidence.Offsets = retrieval.Offsets{}
			require.NoError(t, l.Add(ctx, first))
		}
		first := offsets()
		require.Less(t, first["acme"].Best, -.5)
		require.InDelta(t, first["first"].Best, first["acme"].Best, 1e-12, "what was learned before is not learned twice")
		require.Greater(t, first["good"].Best, 0.)
		require.Zero(t, first["acme"].Menu, "there was no menu")
		require.Equal(t, 20, first["acme"].Version)

		require.NoError(t, l.Add(ctx, known(3, "acme", learn.Best, learn.Page)))
		require.Equal(t, first, offsets(), "the first label of a turn counts")
		require.NoError(t, l.Remove(ctx, "good", "acme3"))
		require.Equal(t, first, offsets(), "another affiliate's stays")
		require.NoError(t, l.Remove(ctx, "acme", "acme3"))
		require.NoError(t, l.Add(ctx, known(3, "acme", learn.Best, learn.Page)))
		require.Greater(t, offsets()["acme"].Best, first["acme"].Best)

		for i := range 20 { // taps on menus that seldom hold the answer
			tap := known(100+i, "acme", learn.None, learn.Menu)
			tap.Menu, tap.Share, tap.By = true, .6, ""
			require.NoError(t, l.Add(ctx, tap))
		}
		require.Less(t, offsets()["acme"].Menu, -.2)
		require.NoError(t, l.Remove(ctx, "acme", "acme100"), "nobody takes back what a customer tapped")

		r, err := l.Report(ctx, "acme")
		require.NoError(t, err)
		require.Equal(t, map[learn.Chosen]int{learn.Desk: 19, learn.Page: 1, learn.Menu: 20}, r.By)
		require.Equal(t, 40, r.Best.Labels)
		require.InDelta(t, 1./40, r.Best.Right, 1e-9)
		require.Less(t, r.Best.After.Loss, r.Best.Before.Loss)
		require.Less(t, r.Best.After.Mean, r.Best.Before.Mean)
		require.Equal(t, 20, r.Menus.Labels)
		require.Len(t, r.Best.Bins, 1, "one probability, one bin")

		require.NoError(t, l.Reset(ctx, "acme"))
		after := offsets()
		require.Zero(t, after["acme"].Best)
		require.Greater(t, after["acme"].Version, first["acme"].Version)
		require.Equal(t, first["good"], after["good"])
	})
}

// Labels of long ago do not count: entries and customers change.
func TestTheNewestLabelsCount(t *testing.T) {
	t.Parallel()
	db := sqldbtest.Migrated(t, learn.Schema())
	l := learn.New(db)
	for i := range 201 {
		verdict := learn.Best
		if i == 0 {
			verdict = learn.Wrong
		}
		require.NoError(t, l.Add(t.Context(), known(i, "acme", verdict, learn.Page)))
	}
	r, err := l.Report(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, 200, r.Best.Labels)
	require.InDelta(t, 1, r.Best.Right, 1e-9)
}
