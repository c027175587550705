package bot

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Statuses come before the answer to our call, twice and in any order; what they say only moves right.
func TestStatusOvertakesTheAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		w.accept(status(StatusUpdate{Delivery: d.id, NetworkID: "n1", Status: StatusReached}))
		require.Equal(t, "sent", w.state())
		require.Equal(t, StatusReached, w.messageStatus())
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliveryQueued, due: time.Now(), doubt: true}, time.Now()), "our call failed after all")
		require.Equal(t, "sent", w.state())
		w.accept(status(StatusUpdate{NetworkID: "n1", Status: StatusRead}), status(StatusUpdate{NetworkID: "n1", Status: StatusSent}),
			status(StatusUpdate{Delivery: d.id, Status: StatusReached}))
		require.Equal(t, StatusRead, w.messageStatus())
		w.accept(status(StatusUpdate{NetworkID: "n1", Status: StatusFailed, Failure: SendRefused}))
		require.Equal(t, StatusRead, w.messageStatus(), "what was read did not fail")
		w.accept(status(StatusUpdate{Delivery: "AAAAAAAAAAAAAAAAAAAAAAAAAA", NetworkID: "unknown", Status: StatusRead}))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM conversations`))
	})
}

// A status of another account's message changes nothing.
func TestStatusOfAnotherAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		other := Account{Channel: "test", ID: "two"}
		require.NoError(t, w.intake.Accept(t.Context(), other, []Event{status(StatusUpdate{Delivery: d.id, Status: StatusRead})}))
		require.Equal(t, "queued", w.state())
	})
}

// What the network took and could not carry out goes to a person, once.
func TestFailedStatus(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
		for range 2 {
			w.accept(status(StatusUpdate{NetworkID: "n1", Status: StatusFailed, Failure: SendWindowClosed, Code: "131047"}))
		}
		w.accept(status(StatusUpdate{NetworkID: "n1", Status: StatusSent}))
		require.Equal(t, "failed", w.state())
		require.Equal(t, StatusFailed, w.messageStatus())
		require.Equal(t, ModePerson, w.conversation("c").Mode)
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
	})
}

// A send in doubt waits for the network to tell; it is never sent again.
func TestDoubtWaitsForTheNetwork(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Resend, w.channel.limits.Confirm = false, 2*time.Minute
		w.channel.fails(1, SendError{Kind: SendUnknown}, true)
		w.answered()
		w.soon("in doubt", func() bool {
			return w.count(`SELECT COUNT(*) FROM deliveries WHERE doubts = 2 AND state = 'queued'`) == 1
		})
		var id DeliveryID
		require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT id FROM deliveries WHERE lane = 'customer'`).Scan(&id))
		w.accept(status(StatusUpdate{Delivery: id, NetworkID: "n1", Status: StatusSent}))
		require.Equal(t, "sent", w.state())
		require.Len(t, w.channel.texts("c"), 1)
		require.Empty(t, w.desk.heard())
	})
}

func TestDoubtThatNobodyResolves(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.channel.limits.Resend, w.channel.limits.Confirm = false, 2*time.Minute
		w.channel.fails(1, SendError{Kind: SendUnknown}, true)
		w.answered()
		w.soon("given up", w.settled)
		require.Equal(t, "doubtful", w.state())
		require.Len(t, w.channel.texts("c"), 1)
		w.soon("a person is told", func() bool { return len(w.desk.heard()) == 1 })
		var id DeliveryID
		require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT id FROM deliveries WHERE lane = 'customer'`).Scan(&id))
		w.accept(status(StatusUpdate{Delivery: id, NetworkID: "n1", Status: StatusRead})) // it comes after all
		require.Equal(t, "sent", w.state())
		require.Equal(t, StatusRead, w.messageStatus())
	})
}

func TestReadUntil(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		d := w.replied("c")
		w.accept(status(StatusUpdate{Before: time.Now().Add(time.Minute), Status: StatusRead}))
		require.Equal(t, StatusQueued, w.messageStatus(), "what is not sent is not read")
		require.NoError(t, w.store.finishDelivery(t.Context(), d, verdict{state: DeliverySent, external: "n1"}, time.Now()))
		w.accept(status(StatusUpdate{Before: time.Now().Add(-time.Minute), Status: StatusRead}))
		require.Equal(t, StatusSent, w.messageStatus())
		w.accept(status(StatusUpdate{Before: time.Now().Add(time.Minute), Status: StatusRead}))
		require.Equal(t, StatusRead, w.messageStatus())
	})
}

// Our own words come back as an echo: by our ID, by the network's, or by what they say. None of it is a
// person.
func TestEchoOfOurOwn(t *testing.T) {
	ours, theirs := Media{Kind: "audio", Name: "a.mp3", File: "0123abc"}, Media{Kind: "document", Link: "https://shop.example/terms.pdf"}
	files := map[string][]Media{"a file": {ours}, "a link to a file": {ours}, "a link elsewhere": {theirs}}
	for name, of := range map[string]func(d delivery) Aside{
		"a file": func(delivery) Aside { return Aside{NetworkID: "n1"} },
		"a link to a file": func(delivery) Aside {
			return Aside{NetworkID: "n1", Text: "a.mp3\nhttps://bot.example/media/0123abc/a.mp3?until=5"}
		},
		"a link elsewhere":   func(delivery) Aside { return Aside{NetworkID: "n1", Text: theirs.Link} },
		"our ID":             func(d delivery) Aside { return Aside{Delivery: d.id, NetworkID: "n1", Text: "anything"} },
		"words":              func(delivery) Aside { return Aside{NetworkID: "n1", Text: "re: hello"} },
		"words with choices": func(delivery) Aside { return Aside{NetworkID: "n1", Text: "re: hello\n1. one"} },
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				d := w.replied("c", files[name]...)
				for range 2 {
					w.accept(aside("n1", of(d)))
				}
				require.Equal(t, "sent", w.state())
				require.Equal(t, ModeBot, w.conversation("c").Mode)
				require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM messages`))
			})
		})
	}
}

// A person of ours who writes past us silences the bot, also one that is thinking.
func TestAsideSilencesTheBot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hello"))
		c, ok := w.claim()
		require.True(t, ok)
		for range 2 {
			w.accept(aside("n9", Aside{NetworkID: "n9", Text: "I take it"}))
		}
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.store.commitTurn(t.Context(), c, o, time.Now()), errFenced)
		conv := w.conversation("c")
		require.Equal(t, ModePerson, conv.Mode)
		list, err := w.conversations().Transcript(t.Context(), conv.ID, 0)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, AuthorAgent, list[1].Author)
		require.Equal(t, "I take it", list[1].Text)
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("the desk hears", func() bool { return len(w.desk.heard()) == 1 })
		require.Empty(t, w.channel.texts("c"))
	})
}

// While another program has the customer, what is said is kept and nothing is answered.
func TestOverheard(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		e := message("c", "standby:u1", "hello")
		e.Overheard = true
		other := aside("n1", Aside{NetworkID: "n1", Text: "their answer"})
		other.Overheard = true
		w.accept(e, e, other)
		require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, ModeBot, w.conversation("c").Mode)
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.accept(message("c", "u2", "and now ours"))
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"re: and now ours"}, w.channel.texts("c"))
	})
}

// What another program leaves to us is answered, once.
func TestPassedToUs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, words := range []string{"first", "second"} {
			e := message("c", fmt.Sprint("standby:u", i), words)
			e.Overheard = true
			w.accept(e)
		}
		other := aside("n1", Aside{NetworkID: "n1", Text: "I pass you on"})
		other.Overheard = true
		w.accept(other)
		passed := Event{Address: Address{"test", "one", "c"}, ExternalID: "p", At: time.Now(), Passed: &Passed{}}
		w.accept(passed, passed)
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		w.accept(passed)
		require.Equal(t, 0, w.count(`SELECT COUNT(*) FROM conversations WHERE turn_due_at > 0`))
		require.Equal(t, []string{"re: second"}, w.channel.texts("c"))
	})
}

// A batch is taken as a whole, each event once, whoever delivers it at the same time; what cannot be
// read is kept, once.
func TestBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var events []Event
		for i := range 50 {
			events = append(events, message(fmt.Sprint("c", i%7), fmt.Sprint("u", i), "hello"))
		}
		events = append(events, Event{Unread: &Unread{Body: []byte("bad"), Reason: "not JSON"}})
		var g errgroup.Group
		for i := range 6 {
			batch := append([]Event(nil), events...)
			if i%2 == 1 { // another order, other locks
				for a, b := 0, len(batch)-1; a < b; a, b = a+1, b-1 {
					batch[a], batch[b] = batch[b], batch[a]
				}
			}
			g.Go(func() error { return w.intake.Accept(context.Background(), w.account, batch) })
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 50, w.count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM rejects`))
	})
}

func TestTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		gone := func(id string) Event {
			return Event{Address: Address{"test", "one", "c"}, ExternalID: "gone" + id, At: time.Now(), Edit: &Edit{NetworkID: id, Gone: true}}
		}
		w.accept(message("c", "u1", "secret"), gone("u1"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"re: "}, w.channel.texts("c"))
		w.accept(message("c", "u2", "secret too"))
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 2 })
		w.accept(gone("u2"), gone("u2"))
		require.Equal(t, 0, w.count(`SELECT COUNT(*) FROM messages WHERE author = 'customer' AND body <> ''`))
		require.Equal(t, 0, w.count(`SELECT COUNT(*) FROM conversations WHERE turn_due_at > 0`))
	})
}
