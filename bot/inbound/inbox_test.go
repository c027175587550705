package inbound_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
)

// What was received is taken in once, in its order, also if it comes again and if whoever received it is dead.
func TestReceive(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		var want []string
		for i := range 200 {
			w.Receive(fmt.Sprintf("c %d word %d", i, i))
			want = append(want, fmt.Sprintf("word %d", i))
		}
		w.Receive("c 7 word 7", "nothing", "c 199 word 199")
		traffic, err := w.Store.Traffic(t.Context(), "test", "one", time.Now())
		require.NoError(t, err)
		require.Equal(t, 203, traffic.UndecodedPosts, "it is durable before anybody reads it")
		w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{})
		w.Run(w.Intake.Run)
		w.Receive("c 200 last")
		w.Taken()
		require.Equal(t, append(want, "last"), w.Words("c"))
	})
}

// What cannot be read, cannot be stored or is nobody's any more is kept for a person, and keeps nobody waiting.
func TestReceiveOdd(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		w.Receive("c 1 one", "bad \x00\xff", "c 2 two", "odd", "c 3 three", "", "bad \x00\xff")
		require.NoError(t, w.Intake.Receive(t.Context(), bot.Account{Channel: "test", ID: "removed"}, []byte("c 4 four")))
		w.Receive("odd too", "c 5 five")
		w.Run(w.Intake.Run)
		w.Taken()
		require.Equal(t, []string{"one", "two", "three", "five"}, w.Words("c"))
		kept, err := w.Store.Rejects(t.Context(), "test", "one", 10)
		require.NoError(t, err)
		reasons := map[string]string{}
		for _, r := range kept {
			reasons[string(r.Body)] = r.Reason
		}
		require.Len(t, reasons, 3+1)
		require.Contains(t, reasons[""], "panic with a value of type string")
		require.Equal(t, "cannot be read", reasons["bad \x00\xff"])
		require.Contains(t, reasons["odd"], "event without content")
		require.Contains(t, reasons["odd too"], "event without content")
		removed, err := w.Store.Rejects(t.Context(), "test", "removed", 10)
		require.NoError(t, err)
		require.Len(t, removed, 1)
		require.Equal(t, "the account has been removed since", removed[0].Reason)
		require.Equal(t, 0, w.Count(`SELECT COUNT(*) FROM conversations WHERE customer = 'odd'`))
	})
}

// Two processes, or two threads of one, take everything in once.
func TestReceiveByMany(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		other := inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{})
		w.Run(w.Intake.Run, other.Run)
		var g errgroup.Group
		for c := range 8 {
			g.Go(func() error {
				for i := range 50 {
					in := []*inbound.Intake{w.Intake, other}[i%2]
					if err := in.Receive(t.Context(), w.Account, fmt.Appendf(nil, "c%d %d word %d", c, i, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		w.Taken()
		for c := range 8 {
			require.Len(t, w.Words("c"+strconv.Itoa(c)), 50)
		}
	})
}

// However many write, nobody's words lie for long.
func TestTakenWhileOthersPost(t *testing.T) {
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		w.Receive("c 1 one")
		var g errgroup.Group
		for c := range 4 {
			g.Go(func() error {
				for i := 0; ctx.Err() == nil; i++ {
					if err := w.Intake.Receive(t.Context(), w.Account, fmt.Appendf(nil, "other%d %d word", c, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		w.Run(w.Intake.Run)
		w.Soon("taken", func() bool { return w.Count(`SELECT COUNT(*) FROM messages WHERE body = 'one'`) == 1 })
		stop()
		require.NoError(t, g.Wait())
		w.Taken()
	})
}
