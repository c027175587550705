package handoff

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/conversations"
)

// write lets the customer write on the other channel; ref is the link they came by.
func (o *office) write(id, text, ref string) {
	o.t.Helper()
	require.NoError(o.t, o.intake.Accept(o.t.Context(), o.other, []bot.Event{{Address: bot.Address{Channel: "phones", Account: "two", Customer: "p"},
		ExternalID: id, At: time.Now(), Message: &bot.Inbound{Text: text, Ref: ref}}}))
}

func (o *office) mode(channel, account, customer string) bot.Mode {
	o.t.Helper()
	c, err := o.desk.conversations.Find(o.t.Context(), bot.Address{Channel: channel, Account: account, Customer: customer})
	require.NoError(o.t, err)
	return c.Mode
}

// A customer who waits for a person goes on in another channel: one matter, one ticket, which follows them.
func TestTheTicketFollowsTheCustomer(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "talk to a person please")
		tk := o.ticket("opened", func(tk Ticket) bool { return tk.State == StateOpen })
		first := tk.Conversation
		words, err := o.desk.Invite(t.Context(), tk.ID, "ann", "phones/two", "Phones")
		require.NoError(t, err)
		require.Contains(t, words, "You can carry on in Phones: https://phones.example/l_")
		_, err = o.desk.Invite(t.Context(), tk.ID, "ann", "phones/nowhere", "Phones")
		require.ErrorIs(t, err, conversations.ErrNoLink)

		code := words[strings.Index(words, "l_"):]
		o.write("p1", "/start", code[:strings.IndexByte(code, '\n')])
		tk = o.ticket("followed", func(tk Ticket) bool { return tk.Conversation != first })
		second := tk.Conversation
		o.soon("welcomed", func() bool { return len(o.phones.texts()) == 1 })
		require.Contains(t, o.phones.texts()[0], "The person helping you reads this chat too")

		require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k1", "I can help."))
		o.soon("where they are now", func() bool { return len(o.phones.texts()) == 2 })
		o.say("u2", "I am back here")
		tk = o.ticket("back", func(tk Ticket) bool { return tk.Conversation == first && !tk.WaitingSince.IsZero() })
		require.NoError(t, o.desk.AnswerIn(t.Context(), tk.ID, "ann", second))
		require.ErrorIs(t, o.desk.AnswerIn(t.Context(), tk.ID, "ann", "nobody's"), bot.ErrNotFound)
		require.ErrorIs(t, o.desk.AnswerIn(t.Context(), tk.ID, "bob", first), ErrTaken)
		require.NoError(t, o.desk.Sweep(t.Context()))

		before := len(o.network.texts())
		require.NoError(t, o.desk.Close(t.Context(), tk.ID, "ann"))
		require.Equal(t, bot.ModeBot, o.mode("phones", "two", "p"))
		require.Equal(t, bot.ModeBot, o.mode("test", "one", "c"), "all of the customer's conversations")
		o.soon("told", func() bool { return strings.Contains(strings.Join(o.phones.texts(), " "), "closed this request") })
		require.Len(t, o.network.texts(), before, "once, where the matter ended")
		var episodes int
		require.NoError(t, o.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM episodes WHERE outcome = 'resolved'`).Scan(&episodes))
		require.Equal(t, 1, episodes)
		require.NoError(t, o.desk.Sweep(t.Context()))
		o.ticket("one for all of it", func(tk Ticket) bool { return tk.State == StateClosed })
	})
}

// Who asks for a person in both channels has one ticket.
func TestAskingTwiceOpensOneTicket(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.say("u1", "hello")
		o.soon("greeted", func() bool { return len(o.network.texts()) == 1 })
		conv, err := o.desk.conversations.Find(t.Context(), bot.Address{Channel: "test", Account: "one", Customer: "c"})
		require.NoError(t, err)
		link, err := o.desk.conversations.Link(t.Context(), conv.ID, "phones/two", "")
		require.NoError(t, err)
		o.write("p1", "/start", link[strings.Index(link, "l_"):])
		o.soon("welcomed", func() bool { return len(o.phones.texts()) == 1 })
		o.say("u2", "talk to a person please")
		o.ticket("opened", func(tk Ticket) bool { return tk.Conversation == conv.ID })
		o.write("p2", "talk to a person please", "")
		tk := o.ticket("followed", func(tk Ticket) bool { return tk.Conversation != conv.ID })
		o.write("p3", "/bot", "")
		o.ticket("left", func(tk Ticket) bool { return tk.State == StateClosed && tk.Outcome == ResolutionLeft })
		o.soon("all of it with the bot", func() bool { return o.mode("test", "one", "c") == bot.ModeBot })
		notes, err := o.desk.store.notes(t.Context(), tk.ID)
		require.NoError(t, err)
		require.Contains(t, notes[0].Text, "another channel")
	})
}

// What was sent past us is on the desk, and does not count as a customer who waits.
func TestWhoWasAnsweredPastUsDoesNotWait(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		require.NoError(t, o.intake.Accept(t.Context(), o.account, []bot.Event{{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"},
			ExternalID: "u1", At: time.Now().Add(-time.Minute), Message: &bot.Inbound{Text: "hello"}}}))
		o.soon("greeted", func() bool { return len(o.network.texts()) == 1 })
		require.NoError(t, o.intake.Accept(t.Context(), o.account, []bot.Event{{Address: bot.Address{Channel: "test", Account: "one", Customer: "c"},
			ExternalID: "e1", At: time.Now(), Echo: &bot.Echo{NetworkID: "n1", Text: "I saw this on my phone."}}}))
		o.desk.now = func() time.Time { return time.Now().Add(2 * sweepAfter) }
		require.NoError(t, o.desk.Sweep(t.Context()))
		tk := o.ticket("opened", func(tk Ticket) bool { return tk.State == StateOpen })
		require.True(t, tk.WaitingSince.IsZero())
		o.say("u2", "thanks, and my other question?")
		o.ticket("waits", func(tk Ticket) bool { return !tk.WaitingSince.IsZero() })
	})
}
