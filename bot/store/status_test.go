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
	"faqbot/bot/store"
)

// Statuses come before the answer to our call, twice and in any order; what they say only moves right.
func TestStatusOvertakesTheAnswer(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: d.ID, NetworkID: "n1", Status: bot.StatusReached}))
		require.Equal(t, "sent", w.State())
		require.Equal(t, bot.StatusReached, w.MessageStatus())
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliveryQueued, Due: time.Now(), InDoubt: true}, time.Now()), "our call failed after all")
		require.Equal(t, "sent", w.State())
		w.Accept(bottest.Status(bot.StatusUpdate{NetworkID: "n1", Status: bot.StatusRead}), bottest.Status(bot.StatusUpdate{NetworkID: "n1", Status: bot.StatusSent}),
			bottest.Status(bot.StatusUpdate{Delivery: d.ID, Status: bot.StatusReached}))
		require.Equal(t, bot.StatusRead, w.MessageStatus())
		w.Accept(bottest.Status(bot.StatusUpdate{NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendRefused}))
		require.Equal(t, bot.StatusRead, w.MessageStatus(), "what was read did not fail")
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: "AAAAAAAAAAAAAAAAAAAAAAAAAA", NetworkID: "unknown", Status: bot.StatusRead}))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM conversations`))
	})
}

// A status of another account's message changes nothing.
func TestStatusOfAnotherAccount(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		other := bot.Account{Channel: "test", ID: "two"}
		require.NoError(t, w.Intake.Accept(t.Context(), other, []bot.Event{bottest.Status(bot.StatusUpdate{Delivery: d.ID, Status: bot.StatusRead})}))
		require.Equal(t, "queued", w.State())
	})
}

// What the network took and could not carry out goes to a person, once.
func TestFailedStatus(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		for range 2 {
			w.Accept(bottest.Status(bot.StatusUpdate{NetworkID: "n1", Status: bot.StatusFailed, Failure: bot.SendWindowClosed, Code: "131047"}))
		}
		w.Accept(bottest.Status(bot.StatusUpdate{NetworkID: "n1", Status: bot.StatusSent}))
		require.Equal(t, "failed", w.State())
		require.Equal(t, bot.StatusFailed, w.MessageStatus())
		require.Equal(t, bot.ModePerson, w.Conversation("c").Mode)
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM deliveries WHERE lane = 'desk'`))
	})
}

// A send in doubt waits for the network to tell; it is never sent again.
func TestDoubtWaitsForTheNetwork(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Resend, w.Channel.Capacity.Confirm = false, 2*time.Minute
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendUnknown}, true)
		w.Answered()
		w.Soon("in doubt", func() bool {
			return w.Count(`SELECT COUNT(*) FROM deliveries WHERE doubts = 2 AND state = 'queued'`) == 1
		})
		var id bot.DeliveryID
		require.NoError(t, w.Db.QueryRowContext(t.Context(), `SELECT id FROM deliveries WHERE lane = 'customer'`).Scan(&id))
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: id, NetworkID: "n1", Status: bot.StatusSent}))
		require.Equal(t, "sent", w.State())
		require.Len(t, w.Channel.Texts("c"), 1)
		require.Empty(t, w.Desk.Heard())
	})
}

func TestDoubtThatNobodyResolves(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Resend, w.Channel.Capacity.Confirm = false, 2*time.Minute
		w.Channel.Fails(1, bot.SendError{Kind: bot.SendUnknown}, true)
		w.Answered()
		w.Soon("given up", w.Settled)
		require.Equal(t, "doubtful", w.State())
		require.Len(t, w.Channel.Texts("c"), 1)
		w.Soon("a person is told", func() bool { return len(w.Desk.Heard()) == 1 })
		var id bot.DeliveryID
		require.NoError(t, w.Db.QueryRowContext(t.Context(), `SELECT id FROM deliveries WHERE lane = 'customer'`).Scan(&id))
		w.Accept(bottest.Status(bot.StatusUpdate{Delivery: id, NetworkID: "n1", Status: bot.StatusRead})) // it comes after all
		require.Equal(t, "sent", w.State())
		require.Equal(t, bot.StatusRead, w.MessageStatus())
	})
}

func TestReadUntil(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		d := w.Replied("c")
		w.Accept(bottest.Status(bot.StatusUpdate{Before: time.Now().Add(time.Minute), Status: bot.StatusRead}))
		require.Equal(t, bot.StatusQueued, w.MessageStatus(), "what is not sent is not read")
		require.NoError(t, w.Store.FinishDelivery(t.Context(), d, store.DeliveryResult{State: bot.DeliverySent, ExternalID: "n1"}, time.Now()))
		w.Accept(bottest.Status(bot.StatusUpdate{Before: time.Now().Add(-time.Minute), Status: bot.StatusRead}))
		require.Equal(t, bot.StatusSent, w.MessageStatus())
		w.Accept(bottest.Status(bot.StatusUpdate{Before: time.Now().Add(time.Minute), Status: bot.StatusRead}))
		require.Equal(t, bot.StatusRead, w.MessageStatus())
	})
}

// Our own words come back as an echo: by our ID, by the network's, or by what they say. None of it is a
// person.
func TestEchoOfOurOwn(t *testing.T) {
	ours, theirs := bot.Media{Kind: "audio", Name: "a.mp3", File: "0123abc"}, bot.Media{Kind: "document", Link: "https://shop.example/terms.pdf"}
	files := map[string][]bot.Media{"a file": {ours}, "a link to a file": {ours}, "a link elsewhere": {theirs}}
	for name, of := range map[string]func(d store.Delivery) bot.Echo{
		"a file": func(store.Delivery) bot.Echo { return bot.Echo{NetworkID: "n1"} },
		"a link to a file": func(store.Delivery) bot.Echo {
			return bot.Echo{NetworkID: "n1", Text: "a.mp3\nhttps://bot.example/media/0123abc/a.mp3?until=5"}
		},
		"a link elsewhere":   func(store.Delivery) bot.Echo { return bot.Echo{NetworkID: "n1", Text: theirs.Link} },
		"our ID":             func(d store.Delivery) bot.Echo { return bot.Echo{Delivery: d.ID, NetworkID: "n1", Text: "anything"} },
		"words":              func(store.Delivery) bot.Echo { return bot.Echo{NetworkID: "n1", Text: "re: hello"} },
		"words with choices": func(store.Delivery) bot.Echo { return bot.Echo{NetworkID: "n1", Text: "re: hello\n1. one"} },
	} {
		t.Run(name, func(t *testing.T) {
			bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
				d := w.Replied("c", files[name]...)
				for range 2 {
					w.Accept(bottest.EchoEvent("n1", of(d)))
				}
				require.Equal(t, "sent", w.State())
				require.Equal(t, bot.ModeBot, w.Conversation("c").Mode)
				require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM messages`))
			})
		})
	}
}

// A person of ours who writes past us silences the bot, also one that is thinking.
func TestAsideSilencesTheBot(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		said := bottest.Message("c", "u1", "hello")
		said.At = said.At.Add(-time.Minute) // long enough ago to be read
		w.Accept(said)
		c, ok := w.Claim()
		require.True(t, ok)
		for range 2 {
			w.Accept(bottest.EchoEvent("n9", bot.Echo{NetworkID: "n9", Text: "I take it"}))
		}
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()), store.ErrFenced)
		conv := w.Conversation("c")
		require.Equal(t, bot.ModePerson, conv.Mode)
		list, err := w.Conversations().Transcript(t.Context(), conv.ID, 0)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, bot.AuthorAgent, list[1].Author)
		require.Equal(t, "I take it", list[1].Text)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("the desk hears", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Empty(t, w.Channel.Texts("c"))
	})
}

// What the network's inbox answers by itself, at once to the first words, is nobody who took over; later, it is somebody.
func TestAutomaticReplyIsNobody(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"), bottest.EchoEvent("n1", bot.Echo{NetworkID: "n1", Text: "Thanks! We reply soon."}))
		require.Equal(t, bot.ModeBot, w.Conversation("c").Mode)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("the bot answers", func() bool { return len(w.Channel.Texts("c")) == 1 })
		list, err := w.Conversations().Transcript(t.Context(), w.Conversation("c").ID, 0)
		require.NoError(t, err)
		require.Equal(t, bot.AuthorInbox, list[1].Author)

		_, err = w.Db.ExecContext(t.Context(), `UPDATE messages SET at = at - 60000`)
		require.NoError(t, err)
		w.Accept(bottest.EchoEvent("n2", bot.Echo{NetworkID: "n2", Text: "I am Ann."}))
		require.Equal(t, bot.ModePerson, w.Conversation("c").Mode)
	})
}

// While another program has the customer, what is said is kept and nothing is answered.
func TestOverheard(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		e := bottest.Message("c", "standby:u1", "hello")
		e.Standby = true
		other := bottest.EchoEvent("n1", bot.Echo{NetworkID: "n1", Text: "their answer"})
		other.Standby = true
		w.Accept(e, e, other)
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, bot.ModeBot, w.Conversation("c").Mode)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Accept(bottest.Message("c", "u2", "and now ours"))
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"re: and now ours"}, w.Channel.Texts("c"))
	})
}

// What another program leaves to us is answered, once.
func TestPassedToUs(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		for i, words := range []string{"first", "second"} {
			e := bottest.Message("c", fmt.Sprint("standby:u", i), words)
			e.Standby = true
			w.Accept(e)
		}
		other := bottest.EchoEvent("n1", bot.Echo{NetworkID: "n1", Text: "I pass you on"})
		other.Standby = true
		w.Accept(other)
		passed := bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, ExternalID: "p", At: time.Now(), ControlPassed: &bot.ControlPassed{}}
		w.Accept(passed, passed)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		w.Accept(passed)
		require.Equal(t, 0, w.Count(`SELECT COUNT(*) FROM turn_queue WHERE due_at > 0`))
		require.Equal(t, []string{"re: second"}, w.Channel.Texts("c"))
	})
}

// A batch is taken as a whole, each event once, whoever delivers it at the same time; what cannot be
// read is kept, once.
func TestBatch(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		var events []bot.Event
		for i := range 50 {
			events = append(events, bottest.Message(fmt.Sprint("c", i%7), fmt.Sprint("u", i), "hello"))
		}
		events = append(events, bot.Event{Undecodable: &bot.Undecodable{Body: []byte("bad"), Reason: "not JSON"}})
		var g errgroup.Group
		for i := range 6 {
			batch := append([]bot.Event(nil), events...)
			if i%2 == 1 { // another order, other locks
				for a, b := 0, len(batch)-1; a < b; a, b = a+1, b-1 {
					batch[a], batch[b] = batch[b], batch[a]
				}
			}
			g.Go(func() error { return w.Intake.Accept(context.Background(), w.Account, batch) })
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 50, w.Count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM rejects`))
	})
}

func TestTakenBack(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		gone := func(id string) bot.Event {
			return bot.Event{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"}, ExternalID: "gone" + id, At: time.Now(), Edit: &bot.Edit{NetworkID: id, Gone: true}}
		}
		w.Accept(bottest.Message("c", "u1", "secret"), gone("u1"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"re: "}, w.Channel.Texts("c"))
		w.Accept(bottest.Message("c", "u2", "secret too"))
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 2 })
		w.Accept(gone("u2"), gone("u2"))
		require.Equal(t, 0, w.Count(`SELECT COUNT(*) FROM messages WHERE author = 'customer' AND body <> ''`))
		require.Equal(t, 0, w.Count(`SELECT COUNT(*) FROM turn_queue WHERE due_at > 0`))
	})
}
