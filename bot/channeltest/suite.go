package channeltest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/fit"
	"faqbot/knowledge/waittest"
)

// Nobody but the network is believed, and what they said is not kept.
func testForged(t *testing.T, p *play) {
	for _, r := range p.Forged(p.hook) {
		status, err := p.post(r)
		require.NoError(t, err)
		if p.Receiver != nil {
			require.Equal(t, http.StatusUnauthorized, status)
		}
	}
	require.Empty(t, p.heard())
	var kept int
	require.NoError(t, p.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM rejects`).Scan(&kept))
	require.Zero(t, kept)
	p.say(1, "CANARY-words")
	require.Equal(t, []string{"CANARY-words"}, p.heard())
}

// What the network signed and we cannot read is kept, once, and acknowledged: it would be repeated for
// days.
func testTruncated(t *testing.T, p *play) {
	if p.Cut == nil {
		t.Skip("what is posted has no structure to break")
	}
	for range 2 {
		status, err := p.post(p.Cut(p.hook))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	require.Empty(t, p.heard())
	var kept int
	require.NoError(t, p.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM rejects`).Scan(&kept))
	require.Equal(t, 1, kept)
	p.soon("it is logged", func() bool { return strings.Contains(p.logged.String(), "it is kept") })
}

// The same body again, later or at once, is the same message.
func testRepeated(t *testing.T, p *play) {
	p.say(1, "CANARY-words")
	p.say(1, "CANARY-words")
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			_, err := p.post(p.Say(p.hook, 2, "again"))
			return err
		})
	}
	require.NoError(t, g.Wait())
	require.Equal(t, []string{"CANARY-words", "again"}, p.heard())
}

// Networks promise no order: what was written first may come last, and is a message all the same.
func testOutOfOrder(t *testing.T, p *play) {
	for _, i := range []int{3, 1, 2, 3, 1} {
		p.say(i, name(i))
	}
	require.ElementsMatch(t, []string{name(1), name(2), name(3)}, p.heard())
}

// A send that is throttled goes out once, later.
func testThrottled(t *testing.T, p *play) {
	if p.Fail == nil {
		t.Skip("this network cannot fail")
	}
	p.Fail(Throttled)
	_, se := p.send(t.Context(), bot.Reply{Text: "CANARY-words"})
	require.NotNil(t, se)
	require.Equal(t, bot.SendThrottled, se.Kind)
	require.Empty(t, p.Received())
	p.Fail(Throttled)
	p.answer(100)
	p.say(1, "hello")
	p.soon("sent", func() bool { return p.state() == "sent" })
	require.Equal(t, []string{"re: hello"}, p.Received())
}

// After an internal error nobody knows whether a send went out, so nobody may simply repeat it. A network that tells
// what arrived is given its time to tell.
func testBroken(t *testing.T, p *play) {
	if p.Fail == nil {
		t.Skip("this network cannot fail")
	}
	p.Fail(Broken)
	_, se := p.send(t.Context(), bot.Reply{Text: "CANARY-words"})
	require.NotNil(t, se)
	want := bot.SendUnknown
	if p.Channel.Limits().Confirm > 0 {
		want = bot.SendErrored
	}
	require.Equal(t, want, se.Kind)
	p.Fail(Broken)
	p.answer(200)
	p.say(1, "hello")
	p.soon("settled", func() bool { s := p.state(); return s == "sent" || s == "doubtful" })
	if p.state() == "doubtful" { // the network never told of it: a person does
		p.soon("a person knows", func() bool { return p.desk.heard() == 1 })
		require.Empty(t, p.Received())
	} else {
		require.Equal(t, []string{"re: hello"}, p.Received())
	}
}

// A send that went out, and whose answer was lost, is not sent again where the network tells of it,
// and at most once where it does not.
func testLost(t *testing.T, p *play) {
	if p.Fail == nil {
		t.Skip("this network cannot fail")
	}
	p.Fail(Lost)
	p.answer(20)
	p.say(1, "hello")
	p.soon("settled", func() bool { return p.state() == "sent" })
	most := 1
	if p.Channel.Limits().Resend {
		most = 2
	}
	require.LessOrEqual(t, count(p.Received(), "re: hello"), most)
	require.NotEmpty(t, p.Received())
	require.Zero(t, p.desk.heard())
}

func testClosed(t *testing.T, p *play) {
	limits := p.Channel.Limits()
	if p.Close == nil {
		require.Zero(t, limits.Window, "a network with a window must be able to close it")
		t.Skip("this network has no window")
	}
	require.Equal(t, 24*time.Hour, limits.Window)
	p.Close()
	_, se := p.send(t.Context(), bot.Reply{Text: "CANARY-words"})
	require.NotNil(t, se)
	require.Equal(t, bot.SendWindowClosed, se.Kind)
	require.Empty(t, p.Received())

	// Who answers an old message hears of it before anything is sent.
	p.say(1, "hello")
	conv, err := p.conversations.Find(t.Context(), p.to())
	require.NoError(t, err)
	require.Equal(t, bot.WindowMessage, conv.WindowReason)
	require.WithinDuration(t, time.Now().Add(limits.Window), conv.WindowUntil, time.Minute)
	late := func() time.Time { return time.Now().Add(max(limits.Window, limits.Person) + time.Minute) }
	after := conversations.New(p.store, p.accounts, conversations.Options{Now: late})
	err = after.Say(t.Context(), conv.ID, "k", bot.Reply{Text: "hi", Agent: "ann"})
	var refused *bot.SendError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, bot.SendWindowClosed, refused.Kind)
	require.Empty(t, p.state(), "nothing is stored")
	require.NoError(t, p.conversations.Say(t.Context(), conv.ID, "k", bot.Reply{Text: "hi", Agent: "ann"}))
}

func testBlocked(t *testing.T, p *play) {
	if p.Block == nil {
		t.Skip("nobody can block this network")
	}
	p.answer(1)
	p.say(1, "hello")
	p.soon("answered", func() bool { return len(p.Received()) == 1 })
	p.Block()
	conv, err := p.conversations.Find(t.Context(), p.to())
	require.NoError(t, err)
	require.NoError(t, p.conversations.Say(t.Context(), conv.ID, "k", bot.Reply{Text: "hi", Agent: "ann"}))
	p.soon("known to be unreachable", func() bool {
		conv, err = p.conversations.Find(t.Context(), p.to())
		return err == nil && conv.Unreachable
	})
	err = p.conversations.Say(t.Context(), conv.ID, "l", bot.Reply{Text: "hi", Agent: "ann"})
	var refused *bot.SendError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, bot.SendBlocked, refused.Kind)
	require.Len(t, p.Received(), 1)
	p.say(2, "back again") // who writes has unblocked us
	conv, err = p.conversations.Find(t.Context(), p.to())
	require.NoError(t, err)
	require.False(t, conv.Unreachable)
}

// What Limits promise is taken to the last character, and one more is split, not lost.
func testLimits(t *testing.T, p *play) {
	l := p.Channel.Limits()
	said := 0
	for _, letter := range []string{"x", "é", "ب", "漢", "😀", "👩‍👩‍👧‍👦", "שלום ", "<&>", "*_~`"} {
		longest := strings.Repeat(letter, 1+l.Text/fit.UTF16Len(letter))
		for _, text := range []string{strings.TrimSpace(fit.Split(bot.Reply{Text: longest}, l)[0].Text), longest} {
			var got strings.Builder
			parts := fit.Split(bot.Reply{Text: text}, l)
			for _, r := range parts {
				_, se := p.send(t.Context(), r)
				require.Nil(t, se, "%s: %v", letter, se)
			}
			said += len(parts)
			if p.Received == nil {
				continue
			}
			received := p.Received()
			require.Len(t, received, said)
			for _, part := range received[said-len(parts):] {
				got.WriteString(part)
			}
			bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
			require.Equal(t, bare(text), bare(got.String()), letter)
		}
	}
	if l.Choices == 0 {
		return
	}
	for _, letter := range []string{"x", "ب", "😀"} {
		r := bot.Reply{Text: strings.Repeat("?", 10)}
		for i := range l.Choices {
			label := strings.Repeat(string(rune('a'+i)), 2) + strings.Repeat(letter, l.Label)
			r.Choices = append(r.Choices, bot.Choice{Label: label, Payload: string(rune('a'+i)) + strings.Repeat("p", 63)})
		}
		for _, few := range []int{1, min(3, l.Choices), l.Choices} {
			some := r
			some.Choices = r.Choices[:few]
			fitted := fit.Split(some, l)
			require.Len(t, fitted, 1)
			_, se := p.send(t.Context(), fitted[0])
			require.Nil(t, se, "%d choices of %s: %v", few, letter, se)
			if p.Offered != nil {
				var want []string
				for _, c := range some.Choices {
					want = append(want, c.Payload)
				}
				require.Equal(t, want, p.Offered())
			}
		}
	}
}

// A context that has ended sends nothing.
func testCancelled(t *testing.T, p *play) {
	if p.Fail == nil {
		t.Skip("a send cannot wait here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, se := p.send(ctx, bot.Reply{Text: "CANARY-words"})
	require.NotNil(t, se)
	require.Equal(t, bot.SendTransient, se.Kind)
	require.ErrorIs(t, se, context.Canceled)
	require.Empty(t, p.Received())
}

// A network that does not answer holds nobody longer than the context says.
func testHanging(t *testing.T, p *play) {
	if p.Fail == nil {
		t.Skip("a send cannot wait here")
	}
	p.Fail(Hanging)
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error {
		defer cancel()
		assert.Eventually(t, func() bool { return len(p.Received()) == 1 }, waittest.Hang, time.Millisecond, "it goes out all the same")
		return nil
	})
	_, se := p.send(ctx, bot.Reply{Text: "CANARY-words"})
	require.NoError(t, g.Wait())
	require.NotNil(t, se)
	require.Equal(t, bot.SendUnknown, se.Kind)
	require.ErrorIs(t, se, context.Canceled, "a time-out of its own says something else")
}
