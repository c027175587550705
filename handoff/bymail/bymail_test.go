package bymail_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/inbound"
	botstore "faqbot/bot/store"
	"faqbot/bot/webchat"
	"faqbot/handoff"
	"faqbot/handoff/bymail"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/events"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
)

// A house is a chat with one customer who waits for a person, and a clock.
type house struct {
	t       *testing.T
	db      *sqldb.DB
	now     time.Time
	conv    bot.Conversation
	talk    *conversations.Service
	desk    *handoff.Desk
	service *bymail.Service
}

func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	sqldbtest.Run(t, []sqldb.Schema{attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), mail.Schema(), botstore.Schema(), handoff.Schema(), bymail.Schema()}, func(t *testing.T, db *sqldb.DB) {
		log := logrus.New()
		log.SetOutput(t.Output())
		phrases, err := dialogue.LoadPhrases()
		require.NoError(t, err)
		h := &house{t: t, db: db, now: time.Now()}
		clock := func() time.Time { return h.now }
		account := bot.Account{Channel: "webchat", ID: "shop", Affiliates: []knowledge.AffiliateID{"acme"}}
		channel, err := webchat.New(account, webchat.Options{})
		require.NoError(t, err)
		accounts := bot.NewRegistry()
		accounts.Put(account, channel)
		rows := botstore.New(db)
		h.talk = conversations.New(rows, accounts, conversations.Options{Now: clock})
		h.desk = handoff.NewDesk(db, h.talk, phrases, log, clock)
		intake := inbound.NewIntake(rows, accounts, log, inbound.IntakeOptions{})
		who := bot.Address{Channel: "webchat", Account: "shop", Customer: "v:ana"}
		require.NoError(t, intake.Accept(t.Context(), account, []bot.Event{{Address: who, ExternalID: "1", At: h.now, Message: &bot.Inbound{Text: "A person, please"}}}))
		h.conv, err = h.talk.Find(t.Context(), who)
		require.NoError(t, err)
		require.NoError(t, h.desk.Tell(t.Context(), bot.DeskEvent{Conversation: h.conv.ID, At: h.now, Escalation: &bot.Escalation{ID: "e1", Affiliate: "acme", Reason: "asked", Question: "A person, please"}}))
		settings := mail.Settings{SMTP: "127.0.0.1:1", Security: mail.Plain, From: "help@shop.test", IMAP: "127.0.0.1:2", IMAPSecurity: mail.Plain, IMAPUser: "help"}
		h.service, err = bymail.New(db, bymail.Options{Outbox: mail.NewOutbox(db, settings, log, clock), Desk: h.desk, Conversations: h.talk, Signer: vault.FixedSigner([]byte("key")),
			Name:    func(context.Context, bot.Conversation, string) string { return "Acme" },
			Confirm: func(_ bot.Conversation, signature, _ string) string { return "https://bot.test/confirm/" + signature },
			Back:    func(bot.Conversation, string) string { return "https://bot.test/back" },
			Accept: func(ctx context.Context, _ bot.Address, list []bot.Event) error {
				return intake.Accept(ctx, account, list)
			},
			Log: log, Now: clock})
		require.NoError(t, err)
		test(t, h)
	})
}

// A letter is a mail in the outbox.
type letter struct{ kind, to, replyTo, text string }

func (h *house) letters() (list []letter) {
	h.t.Helper()
	require.NoError(h.t, sqldb.Each(h.t.Context(), h.db, func(rows *sql.Rows) error {
		var l letter
		err := rows.Scan(&l.kind, &l.to, &l.replyTo, &l.text)
		list = append(list, l)
		return err
	}, `SELECT kind, recipient, reply_to, body FROM mails ORDER BY id`))
	return list
}

func (h *house) reply(key, text string) {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	require.NoError(h.t, h.talk.Say(h.t.Context(), h.conv.ID, key, bot.Reply{Text: text, Agent: "mia"}))
}

func (h *house) leave(email, locale string) {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	require.NoError(h.t, h.service.Contact(h.t.Context(), h.conv.ID, email, locale))
}

// confirmed leaves and confirms an address.
func (h *house) confirmed(email string) {
	h.t.Helper()
	h.leave(email, "en")
	list := h.letters()
	_, signature, _ := strings.Cut(list[len(list)-1].text, "https://bot.test/confirm/")
	signature, _, _ = strings.Cut(signature, "\n")
	got, err := h.service.Confirm(h.t.Context(), h.conv.ID, signature)
	require.NoError(h.t, err)
	require.Equal(h.t, email, got)
}

func (h *house) look(d time.Duration) {
	h.t.Helper()
	h.now = h.now.Add(d)
	require.NoError(h.t, h.service.Look(h.t.Context()))
}

func (h *house) notes() (list []string) {
	h.t.Helper()
	require.NoError(h.t, sqldb.Each(h.t.Context(), h.db, func(rows *sql.Rows) error {
		var s string
		err := rows.Scan(&s)
		list = append(list, s)
		return err
	}, `SELECT body FROM ticket_notes ORDER BY at, key`))
	return list
}

// Nothing is mailed to an address that nobody confirmed, to a chat that is open, twice, or before five minutes.
func TestAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.leave("ana@x.test", "en")
		h.reply("r1", "First answer")
		h.look(time.Hour)
		require.Len(t, h.letters(), 1, "the one that asks to confirm")
		_, err := h.service.Confirm(t.Context(), h.conv.ID, "made up")
		require.ErrorIs(t, err, webchat.ErrNoAddress)

		h.confirmed("ana@x.test")
		h.look(time.Second)
		list := h.letters()
		require.Len(t, list, 3)
		require.Equal(t, "answer", list[2].kind)
		require.Equal(t, "ana@x.test", list[2].to)
		require.Regexp(t, `^help\+[a-z2-7]{26}@shop\.test$`, list[2].replyTo)
		require.Contains(t, list[2].text, "First answer")
		require.Contains(t, list[2].text, "https://bot.test/back")
		h.look(time.Hour)
		require.Len(t, h.letters(), 3, "once")

		h.reply("r2", "Second")
		h.reply("r3", "Third")
		h.look(4 * time.Minute)
		require.Len(t, h.letters(), 3, "the customer may come back")
		h.look(2 * time.Minute)
		list = h.letters()
		require.Len(t, list, 4)
		require.Contains(t, list[3].text, "Second\n\nThird")
		require.NotContains(t, list[3].text, "First")

		h.reply("r4", "Seen in the chat")
		h.now = h.now.Add(2 * time.Minute)
		require.NoError(t, h.service.Seen(t.Context(), h.conv.ID))
		h.look(time.Hour)
		require.Len(t, h.letters(), 4)
		require.Contains(t, strings.Join(h.notes(), "\n"), "the answer was sent to the e-mail address")
	})
}

// Another address has to be confirmed anew; one address is not asked without end.
func TestConfirm(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.confirmed("ana@x.test")
		h.leave("bo@x.test", "pt-BR")
		require.Contains(t, h.letters()[1].text, "Se foi você, confirme")
		h.reply("r1", "Private")
		h.look(time.Hour)
		for _, l := range h.letters() {
			require.NotContains(t, l.text, "Private")
		}
		for range 5 {
			h.leave("bo@x.test", "en")
		}
		require.Len(t, h.letters(), 4, "one for ana, three for bo")
	})
}

// A mail is what its sender says in the chat, once; somebody else's is a note.
func TestTake(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.confirmed("Ana@x.test")
		h.reply("r1", "An answer")
		h.look(time.Hour)
		to := h.letters()[1].replyTo
		said := func() (list []string) {
			all, err := h.talk.Transcript(t.Context(), h.conv.ID, 0)
			require.NoError(t, err)
			for _, m := range all {
				if m.Author == bot.AuthorCustomer {
					list = append(list, m.Text)
				}
			}
			return list
		}
		take := func(m mail.Received) bool {
			ours, err := h.service.Take(t.Context(), m)
			require.NoError(t, err)
			return ours
		}
		m := mail.Received{ID: "1@mail", From: "ana@x.test", To: []string{to}, Text: "Thank you, and when?", Files: 2}
		require.True(t, take(m))
		require.True(t, take(m), "the mailbox is read again after a crash")
		require.Equal(t, []string{"A person, please", "Thank you, and when?"}, said())
		require.Contains(t, strings.Join(h.notes(), "\n"), "The customer's mail has files (2)")

		var id string
		require.NoError(t, h.db.QueryRowContext(t.Context(), `SELECT id FROM mails WHERE kind = 'answer'`).Scan(&id))
		require.True(t, take(mail.Received{ID: "2@mail", From: "ana@x.test", To: []string{"help@shop.test"}, Answers: []string{id + "@shop.test"}, Text: "Still me"}), "a server that knows no plus sign")
		require.Equal(t, "Still me", said()[2])

		require.True(t, take(mail.Received{ID: "3@mail", From: "eve@x.test", To: []string{to}, Text: "It is me"}))
		require.Len(t, said(), 3)
		require.Contains(t, strings.Join(h.notes(), "\n"), "Somebody else, eve@x.test")
		require.False(t, take(mail.Received{ID: "4@mail", From: "ana@x.test", To: []string{"help+other@shop.test"}, Text: "Hello"}))

		long := strings.Repeat("é", 9000)
		require.True(t, take(mail.Received{ID: "5@mail", From: "ana@x.test", To: []string{to}, Text: long}))
		require.Equal(t, long, strings.Join(said()[3:], ""))
	})
}

// People who wish so are told of customers who wait while nobody is at the desk: of theirs alone, once, and not too often.
func TestNotices(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		staffed := false
		everybody := []people.Person{
			{ID: "1", Name: "Mia", Role: people.RoleAgent, Email: "mia@x.test", Notify: true, Affiliates: []knowledge.AffiliateID{"acme"}},
			{ID: "2", Name: "Noa", Role: people.RoleAgent, Email: "noa@x.test", Notify: true, Affiliates: []knowledge.AffiliateID{"shop"}},
			{ID: "3", Name: "Oli", Role: people.RoleLead, Email: "oli@x.test", Affiliates: []knowledge.AffiliateID{knowledge.Everyone}},
		}
		notices, err := bymail.NewNotices(h.db, bymail.NoticesOptions{Outbox: mail.NewOutbox(h.db, mail.Settings{From: "d@x.test"}, logrus.New(), func() time.Time { return h.now }),
			People:  func(context.Context) ([]people.Person, error) { return everybody, nil },
			Staffed: func(knowledge.AffiliateID) bool { return staffed }, Desk: "https://bot.test/desk", Log: logrus.New(), Now: func() time.Time { return h.now }})
		require.NoError(t, err)
		look := func(d time.Duration) []letter {
			h.now = h.now.Add(d)
			require.NoError(t, notices.Look(t.Context()))
			return h.letters()
		}
		require.Empty(t, look(time.Minute), "it has not waited for long")
		staffed = true
		require.Empty(t, look(2*time.Minute), "somebody is at the desk")
		staffed = false
		list := look(time.Second)
		require.Len(t, list, 1)
		require.Equal(t, "mia@x.test", list[0].to)
		require.Contains(t, list[0].text, "https://bot.test/desk")
		require.NotContains(t, list[0].text, "A person, please")
		require.Len(t, look(time.Hour), 1, "of one ticket once")
	})
}
