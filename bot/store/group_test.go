package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
)

// In an earlier build all of a group had one conversation. Whoever replies to what was said there goes on there; any
// other word of theirs begins a conversation of their own, which is the same customer's as their private one.
func TestGroupOfAnEarlierBuild(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("-100", "u1", "hello all"))
		w.Hurried(bottest.Echo{})
		w.Soon("the answer", w.Settled)
		var answer string
		require.NoError(t, w.Db.QueryRowContext(t.Context(), `SELECT external_id FROM deliveries WHERE lane = 'customer'`).Scan(&answer))
		require.NotEmpty(t, answer)
		reply := bottest.Message(bot.InGroup("-100", "71"), "u2", "and me?")
		reply.Name, reply.Message.Attachments = "Ana", []bot.Attachment{{Kind: bot.KindReply, Of: answer}}
		other := bottest.Message(bot.InGroup("-100", "71"), "u3", "something else")
		other.Name = "Ana"
		w.Accept(reply, other)
		_, err := w.Db.Change(t.Context(), `UPDATE contacts SET picture = 'face', profile_at = 5 WHERE name = 'Ana'`)
		require.NoError(t, err)
		w.Accept(bottest.Message("71", "u4", "alone"))
		said, err := w.Store.Transcript(t.Context(), w.Conversation("-100").ID, 0)
		require.NoError(t, err)
		said = slices.DeleteFunc(said, func(m bot.Message) bool { return m.Author != bot.AuthorCustomer }) // it may be answered by now
		require.Equal(t, "and me?", said[len(said)-1].Text)
		require.Empty(t, w.Conversation("-100").Name, "it is nobody's alone")
		own := w.Conversation(bot.InGroup("-100", "71"))
		require.Equal(t, "Ana", own.Name)
		require.Equal(t, own.Customer, w.Conversation("71").Customer)
		require.Equal(t, "face", w.Conversation("71").Picture, "the network was asked for her already")
		require.NotEqual(t, own.Customer, w.Conversation("-100").Customer)
		list, err := w.Store.Identities(t.Context(), own)
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}

// A reply in a group shows the message that its turn answers, not one that came later, and says who is meant.
func TestReplyInAGroup(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		first := bottest.Message(bot.InGroup("-100", "71"), "m1", "hello")
		first.Name = "Ana"
		w.Accept(first)
		claim, ok, err := w.ClaimTurn(time.Now().Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		w.Accept(bottest.Message(bot.InGroup("-100", "71"), "m2", "and more"))
		o, err := bottest.Echo{}.Turn(t.Context(), claim.Turn)
		require.NoError(t, err)
		require.NoError(t, w.Store.CommitTurn(t.Context(), claim, o, time.Now()))
		d, ok, err := w.ClaimDelivery(time.Now().Add(time.Minute), time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "m1", d.Payload.Reply.Quote)
		require.Equal(t, "Ana", d.Payload.Reply.To)
		require.Equal(t, bot.InGroup("-100", "71"), d.To.Customer)
	})
}

// Who waits for a person in a group is answered in private, too; in another group the bot still answers.
func TestPersonFollowsAMember(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message(bot.InGroup("-100", "71"), "u1", "hello"))
		require.NoError(t, w.Conversations().Hold(t.Context(), w.Conversation(bot.InGroup("-100", "71")).ID))
		w.Accept(bottest.Message(bot.InGroup("-200", "71"), "u2", "hello there"), bottest.Message("71", "u3", "alone"), bottest.Message("72", "u4", "somebody else"))
		for customer, want := range map[string]bot.Mode{bot.InGroup("-200", "71"): bot.ModeBot, "71": bot.ModePerson, "72": bot.ModeBot} {
			require.Equal(t, want, w.Conversation(customer).Mode, customer)
		}
		require.NotEqual(t, w.Conversation("71").Customer, w.Conversation("72").Customer)
	})
}
