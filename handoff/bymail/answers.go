package bymail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/sqldb"
)

const (
	// maxPart is how many UTF-16 units of a mail one message of the chat has, and maxParts how many messages one mail is.
	maxPart  = 4000
	maxParts = 5
)

// A contact is the row of a customer's address.
type contact struct {
	id     bot.ConversationID
	email  string
	token  string
	locale string
	seen   time.Time
	mailed int64
}

const contactColumns = `conversation_id, email, token, locale, seen_at, mailed_seq`

func selectContacts(ctx context.Context, r sqldb.Reader, where string, args ...any) (list []contact, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var c contact
		var seen int64
		err := rows.Scan(&c.id, &c.email, &c.token, &c.locale, &seen, &c.mailed)
		c.seen = sqldb.Time(seen)
		list = append(list, c)
		return err
	}, `SELECT `+contactColumns+` FROM mail_contacts WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read addresses: %w", err)
	}
	return list, nil
}

// Run mails what nobody saw, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	guard.EveryTry(ctx, s.o.Log, lookEvery, "cannot look for answers that nobody saw", s.Look)
	return ctx.Err()
}

// Look mails what people of ours wrote and customers who have left did not see.
func (s *Service) Look(ctx context.Context) error {
	now := s.o.Now()
	list, err := selectContacts(ctx, s.db, `confirmed_at > 0 AND seen_at < $1 AND EXISTS (SELECT 1 FROM conversations c WHERE c.id = conversation_id AND c.active_at > $2)
		AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = mail_contacts.conversation_id AND m.seq > mailed_seq AND m.author = 'agent'
			AND m.at > seen_at AND m.at <= $1)`, now.Add(-GoneFor).UnixMilli(), now.Add(-activeFor).UnixMilli())
	if err != nil {
		return err
	}
	var failed error
	for _, c := range list {
		failed = errors.Join(failed, s.mailAnswers(ctx, c))
	}
	return failed
}

// mailAnswers queues one mail with all that people wrote since the customer last looked.
func (s *Service) mailAnswers(ctx context.Context, c contact) error {
	conv, err := s.o.Conversations.Get(ctx, c.id)
	if err != nil {
		return err
	}
	said, err := s.o.Conversations.Transcript(ctx, c.id, c.mailed)
	if err != nil {
		return err
	}
	words := s.texts.In(c.locale)
	last := c.mailed
	var texts []string
	for _, m := range said {
		last = max(last, m.Seq)
		if m.Author != bot.AuthorAgent || !m.At.After(c.seen) {
			continue
		}
		if m.Text != "" {
			texts = append(texts, m.Text)
		}
		if len(m.Attachments) > 0 {
			texts = append(texts, words["file"])
		}
	}
	if len(texts) == 0 {
		return nil
	}
	settings := s.o.Outbox.Settings()
	name := s.o.Name(ctx, conv, c.locale)
	how, reply := words["answer_there"], ""
	if settings.Reads() {
		how, reply = words["answer_here"], settings.AddressOf(c.token)
	}
	m := mail.Mail{Once: fmt.Sprintf("answer:%s:%d", c.id, last), Kind: kindAnswer, Conversation: string(c.id), To: c.email, Sender: name, ReplyTo: reply,
		Subject: words.Say("answer_subject", "name", name),
		Text:    words.Say("answer_text", "mark", Mark, "text", strings.Join(texts, "\n\n"), "how", how, "link", s.o.Back(conv, c.locale), "name", name)}
	if reply == "" {
		m.Text = strings.TrimLeft(strings.Replace(m.Text, Mark, "", 1), "\n")
	}
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE mail_contacts SET mailed_seq = $1 WHERE conversation_id = $2 AND mailed_seq = $3 AND email = $4 AND confirmed_at > 0`,
			last, c.id, c.mailed, c.email)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 { // another process did it, or the address changed
			return err
		}
		_, err = s.o.Outbox.Queue(ctx, tx, m)
		return err
	})
	if err != nil {
		return fmt.Errorf("mail an answer: %w", err)
	}
	s.o.Outbox.Poke()
	return s.remark(ctx, c.id, m.Once, "The customer had closed the chat: the answer was sent to the e-mail address.")
}

// Mark is the line in our mails above which people write.
const Mark = "##- ↑ -##"

// Take takes a mail as what its sender says in the chat, if it answers one of ours.
func (s *Service) Take(ctx context.Context, m mail.Received) (ours bool, err error) {
	c, err := s.contactOf(ctx, m)
	if err != nil || c.id == "" {
		return false, err
	}
	conv, err := s.o.Conversations.Get(ctx, c.id)
	if errors.Is(err, bot.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if m.From != strings.ToLower(c.email) {
		return true, s.remark(ctx, c.id, "mail:"+m.ID, fmt.Sprintf("Somebody else, %s, answered the mail to the customer. The customer does not see it:\n%s", m.From, cut(m.Text, maxPart)))
	}
	if m.Files > 0 {
		if err := s.remark(ctx, c.id, "files:"+m.ID, fmt.Sprintf("The customer's mail has files (%d). They are in our mailbox; in the chat they can be sent, too.", m.Files)); err != nil {
			return false, err
		}
	}
	events := eventsOf(conv, m, s.o.Now())
	if len(events) == 0 {
		return true, nil
	}
	if err := s.o.Accept(ctx, conv.Address, events); err != nil {
		return false, fmt.Errorf("take in a mail: %w", err)
	}
	return true, nil
}

// contactOf is whom m is from: as the address that it came to says, or the mail that it answers.
func (s *Service) contactOf(ctx context.Context, m mail.Received) (contact, error) {
	for _, token := range m.Tokens() {
		list, err := selectContacts(ctx, s.db, `token = $1`, token)
		if err != nil || len(list) > 0 {
			return first(list), err
		}
	}
	for _, answered := range m.Answers {
		id, _, _ := strings.Cut(answered, "@")
		if s.o.Outbox.Settings().MessageID(id) != answered {
			continue
		}
		list, err := selectContacts(ctx, s.db, `conversation_id = (SELECT conversation_id FROM mails WHERE id = $1 AND conversation_id <> '')`, id)
		if err != nil || len(list) > 0 {
			return first(list), err
		}
	}
	return contact{}, nil
}

func first(list []contact) contact {
	if len(list) == 0 {
		return contact{}
	}
	return list[0]
}

// eventsOf are what m says in the chat. While no person has the conversation, one is asked for: who writes by mail
// does not look at what the bot says in the chat.
func eventsOf(conv bot.Conversation, m mail.Received, now time.Time) (list []bot.Event) {
	rest := m.Text
	for n := 1; rest != "" && n <= maxParts; n++ {
		part := cut(rest, maxPart)
		rest = strings.TrimSpace(rest[len(part):])
		in := &bot.Inbound{Text: part}
		if n == 1 && conv.Mode != bot.ModePerson {
			in.Choice = "person"
		}
		list = append(list, bot.Event{Address: conv.Address, ExternalID: fmt.Sprintf("mail:%s#%d", m.ID, n), At: now, Locale: conv.Locale, Message: in})
	}
	return list
}

// cut is the beginning of text, at most that many UTF-16 units of it.
func cut(text string, most int) string {
	for fit.UTF16Len(text) > most {
		over := fit.UTF16Len(text) - most
		for ; over > 0; over-- {
			_, size := utf8.DecodeLastRuneInString(text)
			text = text[:len(text)-size]
		}
	}
	return text
}
