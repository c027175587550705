package turns_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/knowledge"
)

var errEngine = errors.New("engine failed")

// Every message of many customers is answered once, in order, whoever works at the same time.
func TestManyCustomersManyWorkers(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		const customers, messages = 20, 8
		w.Run(w.Runner(bottest.Echo{}).Run, w.Runner(bottest.Echo{}).Run, w.Courier().Run, w.Courier().Run)
		var g errgroup.Group
		for c := range customers {
			g.Go(func() error {
				for i := range messages {
					e := bottest.Message(fmt.Sprint("c", c), fmt.Sprint("u", i), fmt.Sprint(i))
					if i%3 == 2 { // a tapped button is answered at once
						e.Message.Choice = "x"
					}
					if err := w.Intake.Accept(t.Context(), w.Account, []bot.Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		w.Soon("all answered", func() bool {
			return w.Count(`SELECT COUNT(*) FROM messages WHERE author = 'customer' AND turn_id = ''`) == 0 &&
				w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 0
		})
		want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}
		for c := range customers {
			said := strings.ReplaceAll(strings.Join(w.Channel.Texts(fmt.Sprint("c", c)), "+"), "re: ", "")
			require.Equal(t, strings.Join(want, "+"), said, "customer %d", c)
		}
		require.Equal(t, w.Count(`SELECT COUNT(*) FROM deliveries`), w.Count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent' AND attempt = 1`))
	})
}

func TestBurstIsOneTurn(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "how"), bottest.Message("c", "u2", "do I"), bottest.Message("c", "u3", "get paid"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) > 0 })
		require.Equal(t, []string{"re: how+do I+get paid"}, w.Channel.Texts("c"))
	})
}

// A wake-up must not be lost when a message comes in while a turn commits.
func TestMessageDuringTurn(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		first := make(chan struct{})
		once := sync.OnceFunc(func() { close(first) })
		came := make(chan struct{})
		e := bottest.Echo{Before: func(bot.Turn) error { once(); <-came; return nil }}
		w.Accept(bottest.Message("c", "u1", "one"))
		w.Run(w.Runner(e).Run, w.Courier().Run)
		<-first
		w.Accept(bottest.Message("c", "u2", "two"))
		close(came)
		w.Soon("both answered", func() bool { return len(w.Channel.Texts("c")) == 2 })
		require.Equal(t, []string{"re: one", "re: two"}, w.Channel.Texts("c"))
	})
}

// A person who writes while the bot thinks is not followed by the bot's answer.
func TestPersonOvertakesBot(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		thinking, go_on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(thinking) })
		e := bottest.Echo{Before: func(bot.Turn) error { once(); <-go_on; return nil }}
		w.Accept(bottest.Message("c", "u1", "question"))
		w.Run(w.Runner(e).Run, w.Courier().Run)
		<-thinking
		id := w.Conversation("c").ID
		for range 2 { // twice with one key says it once
			require.NoError(t, w.Conversations().Say(t.Context(), id, "k", bot.Reply{Text: "from a person", Agent: "ann"}))
		}
		close(go_on)
		w.Soon("the desk hears the question", func() bool { return len(w.Desk.Heard()) == 1 })
		require.Len(t, w.Desk.Heard()[0].Wrote, 1)
		w.Soon("sent", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"from a person"}, w.Channel.Texts("c"))
	})
}

func TestEngineFailingBecomesHandoff(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "question"))
		w.Hurried(bottest.Echo{Before: func(bot.Turn) error { return errEngine }})
		w.Soon("handed off", func() bool { return len(w.Desk.Heard()) == 1 && len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, bot.ReasonBroken, w.Desk.Heard()[0].Escalation.Reason)
		require.Equal(t, bot.ModePerson, w.Conversation("c").Mode)
	})
}

func TestDeskDownDoesNotHoldUpTheCustomer(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Desk.Failing(errors.New("desk is down"))
		w.Accept(bottest.Message("c", "u1", "person"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("customer told", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Empty(t, w.Desk.Heard())
		w.Desk.Failing(nil)
		w.Soon("desk told", func() bool { return len(w.Desk.Heard()) == 1 })
	})
}

// A turn sees which entries the bot's earlier answers rest on, each once.
func TestHistoryNamesWhatWasAnswered(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		histories := make(chan []bot.Message, 8)
		w.Accept(bottest.Message("c", "u1", "first"))
		w.Run(w.Runner(answering{bottest.Echo{Before: func(t bot.Turn) error { histories <- t.History; return nil }}}).Run)
		require.Empty(t, <-histories)
		w.Soon("answered", func() bool { return w.Count(`SELECT COUNT(*) FROM turns`) == 1 })
		w.Accept(bottest.Message("c", "u2", "second"))
		seen := <-histories
		require.Len(t, seen, 3)
		require.Equal(t, [][]knowledge.EntryID{nil, {"A", "B"}, nil}, [][]knowledge.EntryID{seen[0].Entries, seen[1].Entries, seen[2].Entries})
	})
}

// answering is an echo whose answers rest on two entries, in two messages.
type answering struct{ bottest.Echo }

func (a answering) Turn(ctx context.Context, t bot.Turn) (bot.Outcome, error) {
	o, err := a.Echo.Turn(ctx, t)
	o.Decision.Entries = []knowledge.EntryID{"A", "B"}
	o.Replies = append(o.Replies, bot.Reply{Text: "and more"})
	return o, err
}
