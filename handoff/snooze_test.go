package handoff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// A snoozed ticket is in no list but its own, with its promise as it was, and comes back when its time has come or its
// customer writes.
func TestSnooze(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.seed("acme", "a1", "a2")
		list, err := o.desk.List(t.Context(), Filter{Affiliates: everyone()})
		require.NoError(t, err)
		id, due := list[0].ID, list[0].DueAt
		now := time.Now()
		o.desk.now = func() time.Time { return now }
		snooze := func(span time.Duration) {
			t.Helper()
			require.NoError(t, o.desk.Snooze(t.Context(), id, "ann", now.Add(span)))
		}
		shown := func() []string { return o.questions(Filter{Affiliates: everyone()}) }
		snooze(time.Hour)
		require.Equal(t, []string{"a2"}, shown())
		require.Equal(t, []string{"a1"}, o.questions(Filter{Affiliates: everyone(), Snoozed: true}))
		require.Equal(t, []string{"a1"}, o.questions(Filter{Affiliates: everyone(), Conversations: []bot.ConversationID{"a1"}}), "of a conversation all are told")
		c, err := o.desk.Count(t.Context(), everyone(), "ann")
		require.NoError(t, err)
		require.Equal(t, Counts{All: 1, Waiting: 1}, c)
		tk, err := o.desk.Ticket(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []any{AgentID("ann"), due}, []any{tk.Assignee, tk.DueAt})
		require.ErrorIs(t, o.desk.Snooze(t.Context(), id, "bob", now.Add(time.Hour)), ErrTaken)

		now = now.Add(59 * time.Minute)
		require.NoError(t, o.desk.store.wakeDue(t.Context(), now))
		require.Equal(t, []string{"a2"}, shown())
		now = now.Add(time.Minute)
		require.NoError(t, o.desk.Sweep(t.Context()))
		require.Equal(t, []string{"a1", "a2"}, shown())

		for what, event := range map[string]bot.DeskEvent{"words": {}, "a reply that did not arrive": {Failure: &bot.DeliveryFailure{State: "failed", Code: "gone"}}} {
			snooze(time.Hour)
			event.Conversation, event.Seq, event.At = "a1", 7, now
			require.NoError(t, o.desk.Tell(t.Context(), event))
			require.Equal(t, []string{"a1", "a2"}, shown(), what)
		}
		snooze(time.Hour)
		snooze(0)
		require.Equal(t, []string{"a1", "a2"}, shown(), "woken by hand")
		snooze(time.Hour)
		tk, err = o.desk.Ticket(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, o.desk.closeTicket(t.Context(), tk, "ann", ResolutionResolved, now))
		require.Empty(t, o.questions(Filter{Affiliates: everyone(), Snoozed: true}))
		require.ErrorIs(t, o.desk.Snooze(t.Context(), id, "ann", now.Add(time.Hour)), ErrClosed)
	})
}
