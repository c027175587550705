package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/conversations"
)

// from is a message of somebody with a stable ID.
func from(customer, stable, id string) bot.Event {
	e := bottest.Message(customer, id, "hello")
	e.Stable = stable
	return e
}

// A customer is one, whichever of their IDs the network shows.
func TestStableID(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		one := func(customer string, messages int) {
			t.Helper()
			require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM conversations`))
			require.Equal(t, messages, w.Count(`SELECT COUNT(*) FROM messages`))
			w.Conversation(customer)
		}
		w.Accept(bottest.Message("555", "u1", "hello")) // as long as the network has no stable ID
		w.Accept(from("555", "US.1", "u2"))
		one("555", 2)
		w.Accept(from("US.1", "US.1", "u3")) // they hid their number: we know it all the same
		one("555", 3)
		w.Accept(from("777", "US.1", "u4")) // another number, the same person
		one("777", 4)
		w.Accept(bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "777"}, Stable: "US.1", At: time.Now(), AddressChanged: &bot.AddressChanged{Customer: "888", Stable: "US.2"}})
		w.Accept(from("888", "US.2", "u5"), from("US.1", "US.1", "u6"))
		one("888", 6)
	})
}

func TestStableIDFirst(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(from("US.1", "US.1", "u1"), from("555", "US.1", "u2"))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM conversations`))
		w.Conversation("555")
	})
}

// A number that passed to somebody else does not bring them the conversation of whoever had it before.
func TestNumberPassedOn(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(from("555", "US.1", "u1"))
		before := w.Conversation("555").ID
		w.Accept(from("555", "US.2", "u2"))
		require.NotEqual(t, before, w.Conversation("555").ID)
		require.Equal(t, before, w.Conversation("US.1").ID, "reached by their own ID from now on")
		w.Accept(from("US.1", "US.1", "u3"), from("555", "US.2", "u4"))
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM messages WHERE conversation_id = $1`, before))
	})
}

func TestStableIDConcurrently(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		var g errgroup.Group
		for i := range 20 {
			customer := "555"
			if i%3 == 0 {
				customer = "US.1"
			}
			g.Go(func() error {
				return w.Intake.Accept(context.Background(), w.Account, []bot.Event{from("555", "US.1", fmt.Sprint("a", i)), from(customer, "US.1", fmt.Sprint("b", i))})
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 40, w.Count(`SELECT COUNT(*) FROM messages`))
	})
}

// The window opens with what the customer does, says why, and never shrinks.
func TestWindow(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Window, w.Channel.Capacity.Person = 24*time.Hour, 7*24*time.Hour
		now := time.Now().Truncate(time.Millisecond)
		at := func(e bot.Event, ago time.Duration, opens bot.WindowReason) bot.Event {
			e.At, e.Opens = now.Add(-ago), opens
			return e
		}
		sign := bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, Interaction: &bot.Interaction{}}
		w.Accept(at(sign, 50*time.Hour, ""))
		require.True(t, w.Conversation("c").WindowUntil.IsZero(), "a sign that opens nothing")
		w.Accept(at(bottest.Message("c", "u1", "hello"), 40*time.Hour, bot.WindowEntry))
		require.Equal(t, bot.WindowEntry, w.Conversation("c").WindowReason)
		require.WithinDuration(t, now.Add(-16*time.Hour), w.Conversation("c").WindowUntil, 0)

		id := w.Conversation("c").ID
		var se *bot.SendError
		people := w.Conversations()
		require.Nil(t, people.Refusal(w.Conversation("c")))
		require.NoError(t, people.Say(t.Context(), id, "k", bot.Reply{Text: "hi", Agent: "ann"}), "people have seven days")
		late := conversations.New(w.Store, w.Accounts, conversations.Options{Now: func() time.Time { return now.Add(6 * 24 * time.Hour) }})
		require.ErrorAs(t, late.Say(t.Context(), id, "l", bot.Reply{Text: "hi", Agent: "ann"}), &se)
		require.Equal(t, bot.SendWindowClosed, se.Kind)
		require.Equal(t, bot.SendWindowClosed, late.Refusal(w.Conversation("c")).Kind)

		w.Accept(at(sign, 2*time.Hour, bot.WindowReaction), at(bottest.Message("c", "u0", "came late"), 60*time.Hour, ""))
		require.Equal(t, bot.WindowReaction, w.Conversation("c").WindowReason)
		require.WithinDuration(t, now.Add(22*time.Hour), w.Conversation("c").WindowUntil, 0)
		w.Accept(at(bottest.Message("c", "u2", "from the future"), -time.Hour, ""))
		require.WithinDuration(t, time.Now().Add(24*time.Hour), w.Conversation("c").WindowUntil, time.Minute)
	})
}

func TestReferral(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		now := time.Now().Truncate(time.Millisecond).UTC()
		came := func(id string, ago time.Duration, r bot.Referral) bot.Event {
			e := bottest.Message("c", id, "hello")
			e.At, e.Referral = now.Add(-ago), &r
			return e
		}
		ad := bot.Referral{Source: "ad", ID: "6045", Click: "CLICK\x00", URL: "https://fb.me/x", Title: "Sale"}
		w.Accept(came("u1", 3*time.Hour, ad), came("u2", 2*time.Hour, bot.Referral{Ref: "aff", Source: "link"}), came("u1", 3*time.Hour, ad))
		c := w.Conversation("c")
		require.Equal(t, []string{"ad:6045", "aff"}, []string{c.FirstRef, c.LastRef})
		ad.Click, ad.At = "CLICK", now.Add(-3*time.Hour)
		require.Equal(t, ad, c.First)
		w.Accept(came("u0", 5*time.Hour, bot.Referral{Ref: "older", Source: "link"})) // it comes late
		c = w.Conversation("c")
		require.Equal(t, []string{"older", "aff"}, []string{c.FirstRef, c.LastRef})
	})
}
