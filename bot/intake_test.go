package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAcceptBadText(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c\x00", "u\x001", "a\x00b\xff"+strings.Repeat("x", 100_000)))
		list, err := w.store.messages(t.Context(), `m.author = $1`, AuthorCustomer)
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

func TestFit(t *testing.T) {
	l := Limits{Text: 10, Choices: 2, Label: 5}
	require.Equal(t, []Reply{{Text: "short"}}, Fit(Reply{Text: "short"}, l))
	require.Equal(t, []Reply{{Text: "one two"}, {Text: "three four", Choices: []Choice{{"labe…", "p"}}}},
		Fit(Reply{Text: "one two three four", Choices: []Choice{{"labels", "p"}}}, l))
	require.Equal(t, []Reply{{Text: "😀😀😀😀😀"}, {Text: "😀"}}, Fit(Reply{Text: strings.Repeat("😀", 6)}, l))
	require.Equal(t, []Reply{{Text: "a\n1. x\n2. y\n3. z"}},
		Fit(Reply{Text: "a", Choices: []Choice{{"x", "1"}, {"y", "2"}, {"z", "3"}}}, Limits{Text: 100, Choices: 2}))
	for _, part := range Fit(Reply{Text: strings.Repeat("para one.\n\npara two ", 2000)}, Limits{Text: 4096}) {
		require.LessOrEqual(t, UTF16Len(part.Text), 4096)
	}
}
