package handoff

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
)

func everyone() []knowledge.AffiliateID { return []knowledge.AffiliateID{knowledge.Everyone} }

// seed opens one ticket per conversation named, an hour apart, of affiliate a.
func (o *office) seed(a knowledge.AffiliateID, conversations ...bot.ConversationID) {
	o.t.Helper()
	for i, c := range conversations {
		require.NoError(o.t, o.desk.Tell(o.t.Context(), bot.DeskEvent{Conversation: c, Seq: 1, At: time.Now().Add(time.Duration(i-5) * time.Hour),
			Escalation: &bot.Escalation{ID: fmt.Sprintf("%s/%s", a, c), Affiliate: a, Reason: bot.ReasonNoAnswer, Question: string(c)}}))
	}
}

func (o *office) questions(f Filter) (list []string) {
	o.t.Helper()
	tickets, err := o.desk.List(o.t.Context(), f)
	require.NoError(o.t, err)
	for _, t := range tickets {
		list = append(list, t.Question)
	}
	return list
}

func TestFilter(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.seed("acme", "a1", "a2", "a3")
		o.seed("bolt", "b1")
		o.seed("", "n1")
		tickets, err := o.desk.List(t.Context(), Filter{Affiliates: []knowledge.AffiliateID{"acme"}})
		require.NoError(t, err)
		require.NoError(t, o.desk.Take(t.Context(), tickets[0].ID, "ann", false))
		require.NoError(t, o.desk.closeTicket(t.Context(), tickets[1], "ann", ResolutionResolved, time.Now()))
		require.NoError(t, o.desk.store.replied(t.Context(), tickets[2].ID, time.Now()))

		require.Empty(t, o.questions(Filter{}), "no affiliate named means none")
		require.Equal(t, []string{"a1", "a3"}, o.questions(Filter{Affiliates: []knowledge.AffiliateID{"acme"}}))
		require.ElementsMatch(t, []string{"a1", "a3", "b1"}, o.questions(Filter{Affiliates: []knowledge.AffiliateID{"acme", "bolt"}}))
		require.Equal(t, []string{"n1"}, o.questions(Filter{Affiliates: []knowledge.AffiliateID{""}}))
		require.Len(t, o.questions(Filter{Affiliates: everyone()}), 4)
		require.Equal(t, []string{"a1"}, o.questions(Filter{Affiliates: everyone(), Assignee: "ann"}))
		require.Equal(t, []string{"a2"}, o.questions(Filter{Affiliates: everyone(), States: []State{StateClosed}}))
		require.NotContains(t, o.questions(Filter{Affiliates: everyone(), Waiting: true}), "a3")
		require.Equal(t, []string{"b1"}, o.questions(Filter{Affiliates: everyone(), Conversations: []bot.ConversationID{"b1"}}))
		all := o.questions(Filter{Affiliates: everyone(), States: States()})
		require.Equal(t, "a2", all[4], "closed ones last")
		for _, f := range []Filter{{Affiliates: everyone()}, {Affiliates: []knowledge.AffiliateID{"bolt", "acme", ""}}} { // page by page
			var paged []string
			for f.Limit = 1; ; {
				page, err := o.desk.List(t.Context(), f)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				paged, f.After = append(paged, page[0].Question), page[0].Cursor()
			}
			require.Equal(t, all[:4], paged)
			f.After = "no cursor"
			require.Len(t, o.questions(f), 1)
		}
		closed := Filter{Affiliates: everyone(), States: []State{StateClosed}, After: tickets[1].Cursor()}
		require.Len(t, o.questions(closed), 1, "a cursor of open tickets is none of closed ones")

		names, err := o.desk.Affiliates(t.Context())
		require.NoError(t, err)
		require.Equal(t, []knowledge.AffiliateID{"acme", "bolt"}, names)

		c, err := o.desk.Count(t.Context(), []knowledge.AffiliateID{"acme"}, "ann")
		require.NoError(t, err)
		require.Equal(t, Counts{Mine: 1, All: 2, Waiting: 1}, c)
		c, err = o.desk.Count(t.Context(), nil, "ann")
		require.NoError(t, err)
		require.Zero(t, c)
	})
}

// Whatever happens to a ticket is another pulse.
func TestTicketPulse(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.seed("acme", "a1")
		began := time.Now().Add(-24 * time.Hour)
		changes := func() int64 {
			list, err := o.desk.Pulses(t.Context(), began)
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, []any{bot.ConversationID("a1"), knowledge.AffiliateID("acme")}, []any{list[0].Conversation, list[0].Affiliate})
			return list[0].Changes
		}
		list, err := o.desk.List(t.Context(), Filter{Affiliates: everyone()})
		require.NoError(t, err)
		id, last := list[0].ID, changes()
		for name, do := range map[string]func() error{
			"take":  func() error { return o.desk.Take(t.Context(), id, "ann", true) },
			"note":  func() error { return o.desk.Note(t.Context(), id, "ann", "", "n") },
			"reply": func() error { return o.desk.store.replied(t.Context(), id, time.Now()) },
		} {
			require.NoError(t, do())
			now := changes()
			require.Greater(t, now, last, name)
			last = now
		}
		require.NoError(t, o.desk.closeTicket(t.Context(), list[0], "", ResolutionLeft, time.Now()))
		require.NoError(t, o.desk.store.reopen(t.Context(), events.Event{Kind: events.Reopened, Cause: string(id), At: time.Now()}))
		require.NoError(t, o.desk.store.heard(t.Context(), id, time.Now()))
		require.Equal(t, last+3, changes())
		quiet, err := o.desk.Pulses(t.Context(), time.Now().Add(time.Minute))
		require.NoError(t, err)
		require.Empty(t, quiet)
	})
}

func TestStepIn(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "how do I join?")
		o.soon("the bot spoke", func() bool { return len(o.network.texts()) == 1 })
		c, err := o.desk.conversations.Find(t.Context(), bot.Address{Channel: "test", Account: "one", Customer: "c"})
		require.NoError(t, err)
		_, err = o.desk.StepIn(t.Context(), c.ID, " ")
		require.Error(t, err)
		_, err = o.desk.StepIn(t.Context(), "nobody", "ann")
		require.ErrorIs(t, err, bot.ErrNotFound)

		id, err := o.desk.StepIn(t.Context(), c.ID, "ann")
		require.NoError(t, err)
		again, err := o.desk.StepIn(t.Context(), c.ID, "ann")
		require.NoError(t, err)
		require.Equal(t, id, again)
		_, err = o.desk.StepIn(t.Context(), c.ID, "bob")
		require.ErrorIs(t, err, ErrTaken)

		k, err := o.desk.Show(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, []any{AgentID("ann"), StateAssigned, ReasonSteppedIn, "how do I join?", knowledge.AffiliateID("acme"), bot.ModePerson},
			[]any{k.Ticket.Assignee, k.Ticket.State, k.Ticket.Reason, k.Ticket.Question, k.Ticket.Affiliate, k.Conversation.Mode})
		require.True(t, k.Ticket.WaitingSince.IsZero(), "nothing was promised")
		require.Len(t, o.network.texts(), 1, "the customer hears nothing of it")

		require.NoError(t, o.desk.Close(t.Context(), id, "ann"))
		second, err := o.desk.StepIn(t.Context(), c.ID, "bob")
		require.NoError(t, err)
		require.NotEqual(t, id, second, "a closed ticket stays closed")
	})
}

// Two agents step into one conversation: one has it, and there is one ticket.
func TestStepInAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "how do I join?")
		o.soon("the bot spoke", func() bool { return len(o.network.texts()) == 1 })
		c, err := o.desk.conversations.Find(t.Context(), bot.Address{Channel: "test", Account: "one", Customer: "c"})
		require.NoError(t, err)
		var g errgroup.Group
		errs := make([]error, 6)
		for i := range errs {
			g.Go(func() error {
				_, errs[i] = o.desk.StepIn(t.Context(), c.ID, AgentID(string(rune('a'+i))))
				return nil
			})
		}
		require.NoError(t, g.Wait())
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, ErrTaken)
			}
		}
		require.Equal(t, 1, won)
		o.ticket("one ticket", func(Ticket) bool { return true })
	})
}

// A page must notice whatever is said, and when it has gone out.
func TestConversationPulse(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		began := time.Now().Add(-time.Minute)
		o.say("u1", "how do I join?")
		o.soon("the bot spoke", func() bool { return len(o.network.texts()) == 1 })
		pulse := func() bot.ChangeMark {
			list, err := o.desk.conversations.Pulses(t.Context(), began)
			require.NoError(t, err)
			require.Len(t, list, 1)
			return list[0]
		}
		o.soon("delivered", func() bool { return !pulse().HasPending })
		before := pulse()
		require.Equal(t, knowledge.AffiliateID("acme"), before.Affiliate)
		o.say("u2", "hello?")
		require.NotEqual(t, before.Mark, pulse().Mark)

		o.soon("the bot spoke again", func() bool { return len(o.network.texts()) == 2 && !pulse().HasPending })
		none, err := o.desk.conversations.Pulses(t.Context(), time.Now().Add(time.Minute))
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, o.db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE deliveries SET state = 'queued', due_at = due_at + 3600000 WHERE lane = 'customer'`)
			return err
		}))
		owing, err := o.desk.conversations.Pulses(t.Context(), time.Now().Add(time.Minute))
		require.NoError(t, err)
		require.Len(t, owing, 1, "what waits for its network is watched, however old")

		several, err := o.desk.conversations.Several(t.Context(), []bot.ConversationID{before.Conversation, "nobody"})
		require.NoError(t, err)
		require.Len(t, several, 1)
		require.Equal(t, "c", several[before.Conversation].Address.Customer)
	})
}

// A customer in danger is owed an answer sooner than others, and stands above those who have waited longer, also
// when they write again.
func TestDangerStandsAboveTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.seed("acme", "a1")
		now := time.Now()
		danger := opening{Escalation: bot.Escalation{ID: "danger", Affiliate: "acme", Reason: bot.ReasonUrgent, Question: "my house is on fire"}, at: now, waits: true}
		require.NoError(t, o.desk.store.open(t.Context(), "c1", danger))
		require.NoError(t, o.db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE tickets SET due_at = 1 WHERE question = 'a1'`)
			return err
		}))
		require.Equal(t, []string{"my house is on fire", "a1"}, o.questions(Filter{Affiliates: everyone()}))
		first := func() Ticket {
			list, err := o.desk.List(t.Context(), Filter{Affiliates: everyone()})
			require.NoError(t, err)
			return list[0]
		}
		require.Equal(t, bot.ReasonUrgent, first().Reason)
		require.WithinDuration(t, now.Add(urgentWithin), first().DueAt, time.Second)
		later := now.Add(time.Hour)
		require.NoError(t, o.desk.store.replied(t.Context(), first().ID, now))
		tickets, err := o.desk.List(t.Context(), Filter{Affiliates: everyone()})
		require.NoError(t, err)
		require.NoError(t, o.desk.store.heard(t.Context(), tickets[1].ID, later))
		require.WithinDuration(t, later.Add(urgentWithin), first().DueAt, time.Second)

		o.seed("acme", "a2")
		require.NoError(t, o.desk.Tell(t.Context(), bot.DeskEvent{Conversation: "a2", Seq: 2, At: now, Wrote: []bot.MessageID{"m"}, Danger: true}))
		tickets, err = o.desk.List(t.Context(), Filter{Affiliates: everyone(), Conversations: []bot.ConversationID{"a2"}})
		require.NoError(t, err)
		require.Equal(t, bot.ReasonUrgent, tickets[0].Reason, "a danger that comes while a person has it")
		require.False(t, tickets[0].DueAt.After(now.Add(urgentWithin)))
	})
}
