package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestAcceptBadText(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c\x00", "u\x001", "a\x00b\xff"+strings.Repeat("x", 100_000)))
		list, err := w.store.Transcript(t.Context(), w.conversation("c").ID, 0)
		require.NoError(t, err)
		require.Equal(t, "ab\uFFFD"+strings.Repeat("x", 100_000), list[0].Text)
	})
}

func edit(id, network, text string) Event {
	e := message("c", id, "")
	e.Message, e.Edit = nil, &Edit{NetworkID: network, Text: text}
	return e
}

// An edit replaces words that wait; words that were answered are asked anew, unless nothing changed.
func TestEdit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hwo"), edit("u2", "u1", "how"))
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		w.accept(edit("u3", "u1", "how")) // a link preview came
		w.accept(edit("u4", "u1", "how much"))
		w.accept(edit("u4", "u1", "how much")) // delivered again
		w.soon("answered anew", func() bool { return len(w.channel.texts("c")) == 2 })
		require.Equal(t, []string{"re: how", "re: how much"}, w.channel.texts("c"))
	})
}

// An edit of words that a turn is just reading makes the turn read them again.
func TestEditDuringTurn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "hwo"))
		c, ok := w.claim()
		require.True(t, ok)
		w.accept(edit("u2", "u1", "how"))
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.ErrorIs(t, w.store.commitTurn(t.Context(), c, o, time.Now()), errFenced)
		w.run(w.runner(echo{}).Run, w.courier().Run)
		w.soon("answered", func() bool { return len(w.channel.texts("c")) == 1 })
		require.Equal(t, []string{"re: how"}, w.channel.texts("c"))
	})
}

func TestEpisodes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		at := time.Now().Add(-72 * time.Hour)
		in := NewIntake(w.store, w.accounts, w.log, IntakeOptions{Now: func() time.Time { return at }})
		say := func(id string, later time.Duration) {
			at = at.Add(later)
			require.NoError(t, in.Accept(t.Context(), w.account, []Event{message("c", id, "hello")}))
		}
		say("u1", 0)
		say("u2", 23*time.Hour)
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM episodes`))
		say("u3", 25*time.Hour)
		require.Equal(t, 2, w.count(`SELECT COUNT(*) FROM episodes`))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM episodes WHERE outcome = 'silence'`))
		id := w.conversation("c").ID
		require.NoError(t, w.conversations().Hold(t.Context(), id))
		require.NoError(t, w.conversations().HandBack(t.Context(), id, Reply{Text: "closed"}))
		require.NoError(t, w.conversations().HandBack(t.Context(), id, Reply{Text: "closed"}))
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM messages WHERE author = 'bot'`))
		say("u4", time.Second)
		require.Equal(t, 3, w.count(`SELECT COUNT(*) FROM episodes`))
	})
}

func TestRefs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, ref := range []string{"", "first", "", "second"} {
			e := message("c", string(rune('a'+i)), "/start")
			e.Message.Ref, e.Locale = ref, "pt"
			w.accept(e)
		}
		c := w.conversation("c")
		require.Equal(t, []string{"first", "second", "pt"}, []string{c.FirstRef, c.LastRef, c.Locale})
	})
}

func TestAcceptTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const deliverers, messages = 8, 100
		var g errgroup.Group
		for range deliverers {
			g.Go(func() error {
				for i := range messages {
					e := message(fmt.Sprint("c", i%10), fmt.Sprint("u", i), fmt.Sprint("text ", i))
					if err := w.intake.Accept(t.Context(), w.account, []Event{e}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, messages, w.count(`SELECT COUNT(*) FROM messages`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM conversations`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM episodes`))
	})
}
