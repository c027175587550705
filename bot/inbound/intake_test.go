package inbound_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
)

func TestAcceptBadText(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c\x00", "u\x001", "a\x00b\xff"+strings.Repeat("x", 100_000)))
		list, err := w.Store.Transcript(t.Context(), w.Conversation("c").ID, 0)
		require.NoError(t, err)
		require.Equal(t, "ab\uFFFD"+strings.Repeat("x", 100_000), list[0].Text)
	})
}

func edit(id, network, text string) bot.Event {
	e := bottest.Message("c", id, "")
	e.Message, e.Edit = nil, &bot.Edit{NetworkID: network, Text: text}
	return e
}

// An edit replaces words that wait; words that were answered are asked anew, unless nothing changed.
func TestEdit(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hwo"), edit("u2", "u1", "how"))
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		w.Accept(edit("u3", "u1", "how")) // a link preview came
		w.Accept(edit("u4", "u1", "how much"))
		w.Accept(edit("u4", "u1", "how much")) // delivered again
		w.Soon("answered anew", func() bool { return len(w.Channel.Texts("c")) == 2 })
		require.Equal(t, []string{"re: how", "re: how much"}, w.Channel.Texts("c"))
	})
}

// An edit of words that a turn is just reading makes the turn read them again.
func TestEditDuringTurn(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hwo"))
		c, ok := w.Claim()
		require.True(t, ok)
		w.Accept(edit("u2", "u1", "how"))
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.Store.CommitTurn(t.Context(), c, o, time.Now()), store.ErrFenced)
		w.Run(w.Runner(bottest.Echo{}).Run, w.Courier().Run)
		w.Soon("answered", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"re: how"}, w.Channel.Texts("c"))
	})
}

func TestEpisodes(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		at := time.Now().Add(-72 * time.Hour)
		in := inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Now: func() time.Time { return at }})
		say := func(id string, later time.Duration) {
			at = at.Add(later)
			require.NoError(t, in.Accept(t.Context(), w.Account, []bot.Event{bottest.Message("c", id, "hello")}))
		}
		say("u1", 0)
		say("u2", 23*time.Hour)
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM episodes`))
		say("u3", 25*time.Hour)
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM episodes`))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM episodes WHERE outcome = 'silence'`))
		id := w.Conversation("c").ID
		require.NoError(t, w.Conversations().Hold(t.Context(), id))
		require.NoError(t, w.Conversations().HandBack(t.Context(), id, bot.Reply{Text: "closed"}))
		require.NoError(t, w.Conversations().HandBack(t.Context(), id, bot.Reply{Text: "closed"}))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM messages WHERE author = 'bot'`))
		say("u4", time.Second)
		require.Equal(t, 3, w.Count(`SELECT COUNT(*) FROM episodes`))
	})
}

func TestRefs(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		for i, ref := range []string{"", "first", "", "second"} {
			e := bottest.Message("c", string(rune('a'+i)), "/start")
			e.Message.Ref, e.Locale = ref, "pt"
			w.Accept(e)
		}
		c := w.Conversation("c")
		require.Equal(t, []string{"first", "second", "pt"}, []string{c.FirstRef, c.LastRef, c.Locale})
	})
}

func TestAcceptTwice(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		const deliverers, messages = 8, 100
		var g errgroup.Group
		for range deliverers {
			g.Go(func() error {
				for i := range messages {
					e := bottest.Message(fmt.Sprint("c", i%10), fmt.Sprint("u", i), fmt.Sprint("text ", i))
					if err := w.Intake.Accept(t.Context(), w.Account, []bot.Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, messages, w.Count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, 10, w.Count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 10, w.Count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.Count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.Count(`SELECT COUNT(*) FROM episodes`))
	})
}
