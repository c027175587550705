package bot

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// from is a message of somebody with a stable ID.
func from(customer, stable, id string) Event {
	e := message(customer, id, "hello")
	e.Stable = stable
	return e
}

// A customer is one, whichever of their IDs the network shows.
func TestStableID(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one := func(customer string, messages int) {
			t.Helper()
			require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM conversations`))
			require.Equal(t, messages, w.count(`SELECT COUNT(*) FROM messages`))
			w.conversation(customer)
		}
		w.accept(message("555", "u1", "hello")) // as long as the network has no stable ID
		w.accept(from("555", "US.1", "u2"))
		one("555", 2)
		w.accept(from("US.1", "US.1", "u3")) // they hid their number: we know it all the same
		one("555", 3)
		w.accept(from("777", "US.1", "u4")) // another number, the same person
		one("777", 4)
		w.accept(Event{Address: Address{"test", "one", "777"}, Stable: "US.1", At: time.Now(), Moved: &Moved{Customer: "888", Stable: "US.2"}})
		w.accept(from("888", "US.2", "u5"), from("US.1", "US.1", "u6"))
		one("888", 6)
	})
}

func TestStableIDFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(from("US.1", "US.1", "u1"), from("555", "US.1", "u2"))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM conversations`))
		w.conversation("555")
	})
}

// A number that passed to somebody else does not bring them the conversation of whoever had it before.
func TestNumberPassedOn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(from("555", "US.1", "u1"))
		before := w.conversation("555").ID
		w.accept(from("555", "US.2", "u2"))
		require.NotEqual(t, before, w.conversation("555").ID)
		require.Equal(t, before, w.conversation("US.1").ID, "reached by their own ID from now on")
		w.accept(from("US.1", "US.1", "u3"), from("555", "US.2", "u4"))
		require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM messages WHERE conversation_id = $1`, before))
	})
}

func TestStableIDConcurrently(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var g errgroup.Group
		for i := range 20 {
			customer := "555"
			if i%3 == 0 {
				customer = "US.1"
			}
			g.Go(func() error {
				return w.intake.Accept(context.Background(), w.account, []Event{from("555", "US.1", fmt.Sprint("a", i)), from(customer, "US.1", fmt.Sprint("b", i))})
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 40, w.count(`SELECT COUNT(*) FROM messages`))
	})
}

// The window opens with what the customer does, says why, and never shrinks.
func TestWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Window, w.channel.limits.Person = 24*time.Hour, 7*24*time.Hour
		now := time.Now().Truncate(time.Millisecond)
		at := func(e Event, ago time.Duration, opens WindowReason) Event {
			e.At, e.Opens = now.Add(-ago), opens
			return e
		}
		sign := Event{Address: Address{"test", "one", "c"}, Sign: &Sign{}}
		w.accept(at(sign, 50*time.Hour, ""))
		require.True(t, w.conversation("c").WindowUntil.IsZero(), "a sign that opens nothing")
		w.accept(at(message("c", "u1", "hello"), 40*time.Hour, WindowEntry))
		require.Equal(t, WindowEntry, w.conversation("c").WindowReason)
		require.WithinDuration(t, now.Add(-16*time.Hour), w.conversation("c").WindowUntil, 0)

		id := w.conversation("c").ID
		var se *SendError
		people := w.conversations()
		require.Nil(t, people.Refusal(w.conversation("c")))
		require.NoError(t, people.Say(t.Context(), id, "k", Reply{Text: "hi", Agent: "ann"}), "people have seven days")
		late := NewConversations(w.store, w.accounts, ConversationsOptions{Now: func() time.Time { return now.Add(6 * 24 * time.Hour) }})
		require.ErrorAs(t, late.Say(t.Context(), id, "l", Reply{Text: "hi", Agent: "ann"}), &se)
		require.Equal(t, SendWindowClosed, se.Kind)
		require.Equal(t, SendWindowClosed, late.Refusal(w.conversation("c")).Kind)

		w.accept(at(sign, 2*time.Hour, WindowReaction), at(message("c", "u0", "came late"), 60*time.Hour, ""))
		require.Equal(t, WindowReaction, w.conversation("c").WindowReason)
		require.WithinDuration(t, now.Add(22*time.Hour), w.conversation("c").WindowUntil, 0)
		w.accept(at(message("c", "u2", "from the future"), -time.Hour, ""))
		require.WithinDuration(t, time.Now().Add(24*time.Hour), w.conversation("c").WindowUntil, time.Minute)
	})
}

func TestReferral(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		now := time.Now().Truncate(time.Millisecond).UTC()
		came := func(id string, ago time.Duration, r Referral) Event {
			e := message("c", id, "hello")
			e.At, e.Referral = now.Add(-ago), &r
			return e
		}
		ad := Referral{Source: "ad", ID: "6045", Click: "CLICK\x00", URL: "https://fb.me/x", Title: "Sale"}
		w.accept(came("u1", 3*time.Hour, ad), came("u2", 2*time.Hour, Referral{Ref: "aff", Source: "link"}), came("u1", 3*time.Hour, ad))
		c := w.conversation("c")
		require.Equal(t, []string{"ad:6045", "aff"}, []string{c.FirstRef, c.LastRef})
		ad.Click, ad.At = "CLICK", now.Add(-3*time.Hour)
		require.Equal(t, ad, c.First)
		w.accept(came("u0", 5*time.Hour, Referral{Ref: "older", Source: "link"})) // it comes late
		c = w.conversation("c")
		require.Equal(t, []string{"older", "aff"}, []string{c.FirstRef, c.LastRef})
	})
}
