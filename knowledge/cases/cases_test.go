package cases_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/cases"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// The life of runs: one at a time, what was asked is kept until the cases change, and an interrupted run goes on.
func TestRuns(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{cases.Schema()}, func(t *testing.T, db *sqldb.DB) {
		ctx, s := t.Context(), cases.NewStore(db)
		require.NoError(t, s.Add(ctx, "acme", []cases.Case{{ID: "a", Body: "{}", At: time.Now()}, {ID: "b", Conversation: "c1", Body: "{}", At: time.Now()}}, false))
		require.NoError(t, s.Add(ctx, "other", []cases.Case{{ID: "a", Body: "other's", At: time.Now()}}, true))
		list, err := s.List(ctx, "acme")
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.ErrorIs(t, s.Remove(ctx, "other", "b"), cases.ErrNotFound)

		id, err := s.Start(ctx, "acme", "Ana", 2)
		require.NoError(t, err)
		again, err := s.Start(ctx, "acme", "Ben", 2)
		require.NoError(t, err)
		require.Equal(t, id, again, "it waits already")
		_, err = s.Start(ctx, "other", "Eve", 1)
		require.NoError(t, err)
		run, ok, err := s.Claim(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, id, run.ID)
		_, ok, err = s.Claim(ctx)
		require.NoError(t, err)
		require.False(t, ok, "one run goes on at a time")

		known, err := s.Begin(ctx, run, "these cases", 3, 2)
		require.NoError(t, err)
		require.Empty(t, known)
		on, err := s.Save(ctx, id, []cases.Result{{Case: "a", Body: "1"}, {Case: "b", Conversation: "c1", Body: "2"}, {Case: "gone", Conversation: "c2", Body: "3"}})
		require.NoError(t, err)
		require.True(t, on)
		require.NoError(t, s.Interrupt(ctx))
		run, err = s.Run(ctx, "acme", id)
		require.NoError(t, err)
		require.Equal(t, cases.Interrupted, run.State)
		require.Equal(t, 2, run.Asked, "a case that went with its customer has no result")
		on, err = s.Save(ctx, id, nil)
		require.NoError(t, err)
		require.False(t, on)

		require.NoError(t, s.Resume(ctx, "other", id))
		require.NoError(t, s.Resume(ctx, "acme", id))
		run, ok, err = s.Claim(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		known, err = s.Begin(ctx, run, "these cases", 3, 2)
		require.NoError(t, err)
		require.Len(t, known, 2)
		run, err = s.Run(ctx, "acme", id)
		require.NoError(t, err)
		known, err = s.Begin(ctx, run, "other cases", 4, 2)
		require.NoError(t, err)
		require.Empty(t, known)
		require.NoError(t, s.End(ctx, id, cases.Done, `{"figures":[]}`, ""))
		require.NoError(t, s.Cancel(ctx, "acme", id))
		run, err = s.Run(ctx, "acme", id)
		require.NoError(t, err)
		require.Equal(t, cases.Done, run.State, "what is over is not canceled")
	})
}
