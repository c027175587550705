package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

const testGroup = -1005

// A member is somebody in the group, and the bot's own chat with them.
type member struct {
	s     *site
	id    int64
	name  string
	group *customer // what is said in the group, shared by all
}

// asks says words to the bot in the group, and waits for its answer there: a reply to that message.
func (m *member) asks(words, want string) {
	m.s.t.Helper()
	said := m.s.telegram.SayIn(testGroup, m.id, m.name, words)
	m.hears(said, want)
}

func (m *member) hears(said int64, want string) telegramtest.SentMessage {
	m.s.t.Helper()
	got := m.group.next()
	require.Contains(m.s.t, got.Text, want)
	require.Equal(m.s.t, m.s.telegram.MessageID(said), got.ReplyTo, "it shows what it answers")
	return got
}

// ticketOf waits for an open ticket in whose conversation words stand.
func (s *site) ticketOf(words string) (id string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		for _, m := range ticketID.FindAllStringSubmatch(s.faqbot("desk", "list"), -1) {
			if regexp.MustCompile(words).MatchString(s.faqbot("desk", "show", m[1])) {
				id = m[1]
				return true
			}
		}
		return false
	}, waittest.Hang, 50*time.Millisecond, words)
	return id
}

// In a group each member talks to the bot for themself: what one of them waits for silences nobody else, and the reply of
// a person reaches that one alone wherever Telegram lets it.
func TestGroupMembersTalkForThemselves(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, dsn, mode string) {
		t.Parallel()
		s := newSite(t, dsn, mode)
		s.start()
		group := &customer{s: s, chat: testGroup}
		ana, bob, cid, dora := &member{s, 71, "Ana", group}, &member{s, 72, "Bob", group}, &member{s, 73, "Cid", group}, &member{s, 74, "Dora", group}
		ana.asks("minimum payout?", "The smallest payout is 50 euros.")
		ana.asks("/human", "passing you to a person. They'll reply here or in private")
		bob.asks("minimum payout?", "The smallest payout is 50 euros.")
		asked := s.telegram.SayIn(testGroup, ana.id, ana.name, "it is about order 1042")
		ticket := s.ticketOf("order 1042")
		bob.asks("how long does the cookie last", "A click counts for 30 days.")
		require.NotContains(t, s.faqbot("desk", "show", ticket), "cookie", "others' words are not the customer's")

		s.faqbot("desk", "reply", ticket, "It was sent <today>.")
		reply := ana.hears(asked, "Ana,\nIt was sent <today>.")
		require.Equal(t, []int64{ana.id}, reply.Names)
		thanks := s.telegram.ReplyIn(testGroup, bob.id, bob.name, reply.ID, "thank you")
		bob.hears(thanks, "welcome")
		require.NotContains(t, s.faqbot("desk", "show", ticket), "thank you")

		alone := &customer{s: s, chat: ana.id}
		s.telegram.Say(ana.id, "now I am here")
		require.Equal(t, ticket, s.ticketOf("now I am here"), "her matter goes on in private")
		s.faqbot("desk", "reply", ticket, "And I am here.")
		require.Equal(t, "And I am here.", alone.next().Text)
		s.faqbot("desk", "close", ticket)
		require.Contains(t, alone.next().Text, "automated assistant")
		ana.asks("minimum payout?", "The smallest payout is 50 euros.")

		s.telegram.Know(cid.id) // who opened the bot's chat, before this service had the bot
		doras := &customer{s: s, chat: dora.id}
		require.Contains(t, doras.ask("minimum payout?").Text, "50 euros")
		for _, m := range []*member{cid, dora} {
			m.asks("/human", "passing you to a person. They'll reply here or in private")
			s.telegram.SayIn(testGroup, m.id, m.name, "question of "+m.name)
			ticket, before := s.ticketOf("question of "+m.name), len(s.telegram.Sent(m.id))
			s.faqbot("desk", "reply", ticket, "For you alone.")
			own := &customer{s: s, chat: m.id, read: before}
			got := own.next()
			require.Equal(t, "For you alone.", got.Text)
			require.Zero(t, got.ReplyTo)
			s.telegram.Say(m.id, "answer of "+m.name)
			require.Equal(t, ticket, s.ticketOf("answer of "+m.name), "the answer is for the person")
			require.Len(t, s.telegram.Sent(m.id), own.read)
		}
		bob.asks("minimum payout?", "The smallest payout is 50 euros.")
		require.Len(t, s.telegram.Sent(testGroup), group.read, "nothing else was said to all")
		s.stop()
		require.NotContains(t, s.log.String(), "order 1042")
	}
	t.Run("sqlite", func(t *testing.T) { test(t, "faqbot.db", network.ModeWebhook) })
	t.Run("postgres", func(t *testing.T) { test(t, sqldbtest.Postgres(t), network.ModePoll) })
}
