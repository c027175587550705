package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge"
)

var errEngine = errors.New("engine failed")

// Every message of many customers is answered once, in order, whoever works at the same time.
func TestManyCustomersManyWorkers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const customers, messages = 20, 8
		w.run(w.runner(echo{}).Run, w.runner(echo{}).Run, w.courier().Run, w.courier().Run)
		var g errgroup.Group
		for c := range customers {
			g.Go(func() error {
				for i := range messages {
					e := message(fmt.Sprint("c", c), fmt.Sprint("u", i), fmt.Sprint(i))
					if i%3 == 2 { // a tapped button is answered at once
						e.Message.Choice = "x"
					}
					if err := w.intake.Accept(t.Context(), w.account, []Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		w.soon("all answered", func() bool {
			return w.count(`SELECT COUNT(*) FROM messages WHERE author = 'customer' AND turn_id = ''`) == 0 &&
				w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`) == 0
		})
		want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}
		for c := range customers {
			said := strings.ReplaceAll(strings.Join(w.channel.texts(fmt.Sprint("c", c)), "+"), "re: ", "")
			require.Equal(t, strings.Join(want, "+"), said, "customer %d", c)
		}
		require.Equal(t, w.count(`SELECT COUNT(*) FROM deliveries`), w.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'sent' AND attempt = 1`))
	})
}

func TestBurstIsOneTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "how"), message("c", "u2", "do I"), message("c", "u3", "get paid"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) > 0 })
		require.Equal(t, []string{"re: how+do I+get paid"}, w.channel.texts("c"))
	})
}

// A wake-up must not be lost when a message comes in while a turn commits.
func TestMessageDuringTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := make(chan struct{})
		once := sync.OnceFunc(func() { close(first) })
		came := make(chan struct{})
		e := echo{before: func(Turn) error { once(); <-came; return nil }}
		w.accept(message("c", "u1", "one"))
		w.run(w.runner(e).Run, w.courier().Run)
		<-first
		w.accept(message("c", "u2", "two"))
		close(came)
		w.soon("both answered", func() bool { return len(w.channel.texts("c")) == 2 })
		require.Equal(t, []string{"re: one", "re: two"}, w.channel.texts("c"))
	})
}

// A person who writes while the bot thinks is not followed by the bot's answer.
func TestPersonOvertakesBot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		thinking, go_on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(thinking) })
		e := echo{before: func(Turn) error { once(); <-go_on; return nil }}
		w.accept(message("c", "u1", "question"))
		w.run(w.runner(e).Run, w.courier().Run)
		<-thinking
		id := w.conversation("c").ID
		for range 2 { // twice with one key says it once
			require.NoError(t, w.conversations().Say(t.Context(), id, "k", Reply{Text: "from a person", Agent: "ann"}))
		}
		close(go_on)
		w.soon("the desk hears the question", func() bool { return len(w.desk.heard()) == 1 })
		require.Len(t, w.desk.heard()[0].Wrote, 1)
		w.soon("sent", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"from a person"}, w.channel.texts("c"))
	})
}

func TestEngineFailingBecomesHandoff(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "question"))
		w.hurried(echo{before: func(Turn) error { return errEngine }})
		w.soon("handed off", func() bool { return len(w.desk.heard()) == 1 && len(w.channel.texts("c")) == 1 })
		require.Equal(t, ReasonBroken, w.desk.heard()[0].Escalation.Reason)
		require.Equal(t, ModePerson, w.conversation("c").Mode)
	})
}

func TestDeskDownDoesNotHoldUpTheCustomer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.desk.failing(errors.New("desk is down"))
		w.accept(message("c", "u1", "person"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("customer told", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Empty(t, w.desk.heard())
		w.desk.failing(nil)
		w.soon("desk told", func() bool { return len(w.desk.heard()) == 1 })
	})
}

// A turn sees which entries the bot's earlier answers rest on, each once.
func TestHistoryNamesWhatWasAnswered(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		histories := make(chan []Message, 8)
		w.accept(message("c", "u1", "first"))
		w.run(w.runner(answering{echo{before: func(t Turn) error { histories <- t.History; return nil }}}).Run)
		require.Empty(t, <-histories)
		w.soon("answered", func() bool { return w.count(`SELECT COUNT(*) FROM turns`) == 1 })
		w.accept(message("c", "u2", "second"))
		seen := <-histories
		require.Len(t, seen, 3)
		require.Equal(t, [][]knowledge.EntryID{nil, {"A", "B"}, nil}, [][]knowledge.EntryID{seen[0].Entries, seen[1].Entries, seen[2].Entries})
	})
}

// answering is an echo whose answers rest on two entries, in two messages.
type answering struct{ echo }

func (a answering) Turn(ctx context.Context, t Turn) (Outcome, error) {
	o, err := a.echo.Turn(ctx, t)
	o.Decision.Entries = []knowledge.EntryID{"A", "B"}
	o.Replies = append(o.Replies, Reply{Text: "and more"})
	return o, err
}
