// Package bymail reaches customers of a chat on a page who have left: what a person of ours wrote goes to the e-mail
// address that they left and confirmed, once the chat has been closed for a while, with a link back into the chat. What
// they answer by mail is said in the chat, and so stands in the ticket.
//
// An address counts once somebody who reads its mail has confirmed it: what was said in a chat goes to nobody else.
package bymail

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/webchat"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("bymail", migrations) }

const (
	// GoneFor is how long a chat must have been closed before an answer is mailed.
	GoneFor = 5 * time.Minute
	// lookEvery is how often answers are looked for that nobody saw.
	lookEvery = 15 * time.Second
	// seenEvery is how often it is stored that a chat is open.
	seenEvery = time.Minute
	// activeFor bounds what is looked at: a conversation in which nothing was said for longer has nothing new.
	activeFor = 7 * 24 * time.Hour
	// maxConfirmations is how many mails that ask to confirm go to one address in a day. Anybody can type an address.
	maxConfirmations = 3
)

// Kinds of the mails.
const (
	kindConfirm = "confirm"
	kindAnswer  = "answer"
)

// errMany means that an address was asked too often to confirm.
var errMany = errors.New("the address was asked to confirm often today")

// Desk is where what happened is noted for people; *handoff.Desk is one.
type Desk interface {
	Contact(ctx context.Context, c bot.ConversationID, email string) error
	Remark(ctx context.Context, c bot.ConversationID, key, text string) error
}

// Conversations are read; *conversations.Service is one.
type Conversations interface {
	Get(ctx context.Context, id bot.ConversationID) (bot.Conversation, error)
	Transcript(ctx context.Context, id bot.ConversationID, after int64) ([]bot.Message, error)
}

// Options are what a Service needs besides its table. All but Now are required.
type Options struct {
	Outbox        *mail.Outbox
	Desk          Desk
	Conversations Conversations
	Signer        vault.Signer                                                           // of the links to confirm
	Name          func(ctx context.Context, conv bot.Conversation, locale string) string // what customers call the affiliate
	Confirm       func(conv bot.Conversation, signature, locale string) string           // the address that confirms
	Back          func(conv bot.Conversation, locale string) string                      // the address that opens the chat again
	Accept        func(ctx context.Context, a bot.Address, events []bot.Event) error     // takes in what a customer says
	Log           logrus.FieldLogger
	Now           func() time.Time // time.Now if nil
}

// A Service keeps addresses and mails answers. It is safe for concurrent use, also from several processes.
type Service struct {
	db    *sqldb.DB
	o     Options
	texts *locale.Catalog
}

// New returns the service over db, to which Schema and mail.Schema were applied.
func New(db *sqldb.DB, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	texts, err := locale.Load("mail")
	return &Service{db: db, o: o, texts: texts}, err
}

// Contact keeps the address that a customer who waits for a person left, and asks it to confirm.
func (s *Service) Contact(ctx context.Context, id bot.ConversationID, email, locale string) error {
	conv, err := s.o.Conversations.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := s.o.Desk.Contact(ctx, id, email); err != nil {
		return err
	}
	now := s.o.Now()
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		n, err := s.o.Outbox.Count(ctx, tx, kindConfirm, email, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if n >= maxConfirmations {
			return errMany
		}
		// Confirmed once, an address stays so.
		if _, err := tx.ExecContext(ctx, `INSERT INTO mail_contacts (conversation_id, email, token, locale, seen_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (conversation_id) DO UPDATE SET confirmed_at = CASE WHEN mail_contacts.email = excluded.email THEN mail_contacts.confirmed_at ELSE 0 END,
			email = excluded.email, locale = excluded.locale, updated_at = excluded.updated_at`,
			id, email, strings.ToLower(rand.Text()), locale, now.UnixMilli()); err != nil {
			return fmt.Errorf("keep an address: %w", err)
		}
		var confirmed bool
		if err := tx.QueryRowContext(ctx, `SELECT confirmed_at > 0 FROM mail_contacts WHERE conversation_id = $1`, id).Scan(&confirmed); err != nil || confirmed {
			return err
		}
		words, name := s.texts.In(locale), s.o.Name(ctx, conv, locale)
		_, err = s.o.Outbox.Queue(ctx, tx, mail.Mail{Kind: kindConfirm, Conversation: string(id), To: email, Sender: name,
			Subject: words.Say("confirm_subject", "name", name),
			Text:    words.Say("confirm_text", "name", name, "link", s.o.Confirm(conv, s.signature(id, email), locale))})
		return err
	})
	if errors.Is(err, errMany) { // it is on the ticket
		s.o.Log.WithField("conversation", id).Warn("an address was asked too often to confirm")
		return nil
	}
	s.o.Outbox.Poke()
	return err
}

func (s *Service) signature(id bot.ConversationID, email string) string {
	return s.o.Signer.Sign("confirm\x00" + string(id) + "\x00" + email)
}

// Confirm makes the address of a conversation count, if signature is from the mail that went there, and returns it.
func (s *Service) Confirm(ctx context.Context, id bot.ConversationID, signature string) (email string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT email FROM mail_contacts WHERE conversation_id = $1`, id).Scan(&email)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.o.Signer.Verify("confirm\x00"+string(id)+"\x00"+email, signature) {
		return "", webchat.ErrNoAddress
	}
	if err != nil {
		return "", err
	}
	n, err := s.db.Change(ctx, `UPDATE mail_contacts SET confirmed_at = $1 WHERE conversation_id = $2 AND email = $3 AND confirmed_at = 0`,
		s.o.Now().UnixMilli(), id, email)
	if err == nil && n > 0 {
		err = s.remark(ctx, id, "confirmed:"+email, "The customer confirmed the e-mail address. When the chat is closed, what you write goes there.")
	}
	return email, err
}

// Seen keeps that the customer has the chat open. It is called often, and writes seldom.
func (s *Service) Seen(ctx context.Context, id bot.ConversationID) error {
	now := s.o.Now()
	var due bool
	err := s.db.QueryRowContext(ctx, `SELECT seen_at < $1 FROM mail_contacts WHERE conversation_id = $2`, now.Add(-seenEvery).UnixMilli(), id).Scan(&due)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !due {
		return nil
	}
	if err == nil {
		_, err = s.db.Change(ctx, `UPDATE mail_contacts SET seen_at = $1 WHERE conversation_id = $2 AND seen_at < $1`, now.UnixMilli(), id)
	}
	return err
}

// remark notes something on the customer's ticket, if they have one.
func (s *Service) remark(ctx context.Context, id bot.ConversationID, key, text string) error {
	err := s.o.Desk.Remark(ctx, id, key, text)
	if errors.Is(err, bot.ErrNotFound) {
		return nil
	}
	return err
}

// RowsOf selects what there is of some conversations, as a store.RowsOf.
func RowsOf(ids string) []sqldb.Selection {
	return append(mail.RowsOf(ids), sqldb.Selection{Table: "mail_notices", Where: `ticket_id IN (SELECT id FROM tickets WHERE conversation_id IN ` + ids + `)`}, sqldb.Selection{Table: "mail_contacts", Where: `conversation_id IN ` + ids})
}

// Empty removes the address of a conversation in which nothing was said since then.
func Empty(ctx context.Context, tx *sql.Tx, id bot.ConversationID, before time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM mail_contacts WHERE conversation_id = $1 AND updated_at < $2
		AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = $1 AND c.active_at >= $2)`, id, before.UnixMilli())
	if err != nil {
		return fmt.Errorf("empty addresses: %w", err)
	}
	return nil
}
