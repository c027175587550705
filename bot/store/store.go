// Package store is the SQL of conversations: their rows, the inbox, turns, deliveries and files to fetch. Whoever
// changes a conversation holds its row, in a ConversationTx; whoever works on something claims it, with a lease and
// a fence. No network is called here.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
)

//go:embed schema/*.sql schema/sqlite/*.sql schema/postgres/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("bot", migrations) }

// A Store keeps what is said. It is safe for concurrent use, by many processes on Postgres.
type Store struct {
	*Reader
	db *sqldb.DB
}

// A Reader reads what was said and what became of it.
type Reader struct {
	db      *sqldb.DB
	shipped func() retrieval.Calibrations
}

// New returns a store in db, to which Schema has been applied.
func New(db *sqldb.DB) *Store {
	return &Store{&Reader{db, sync.OnceValue(retrieval.ShippedCalibrations)}, db}
}

const conversationColumns = `id, channel, account, customer, affiliate, customer_id, episode_id, locale, mode, misses, clarify,
	asked, first_ref, last_ref, first_referral, last_referral, opened_at, heard_at, window_until, window_reason, unreachable,
	opt_out, opt_out_at, phone, name, picture`

// conversationTables are where conversationColumns stand.
const conversationTables = ` FROM conversations JOIN contacts ON contacts.conversation_id = conversations.id `

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// scanConversation reads conversationColumns and what more is asked for after them.
func scanConversation(row scanner, more ...any) (c bot.Conversation, err error) {
	var opened, heard, window, optOut int64
	var first, last string
	err = row.Scan(append([]any{&c.ID, &c.Address.Channel, &c.Address.Account, &c.Address.Customer, &c.Affiliate,
		&c.Customer, &c.Episode, &c.Locale, &c.Mode, &c.Misses, &c.Clarify, &c.Asked, &c.FirstRef, &c.LastRef,
		&first, &last, &opened, &heard, &window, &c.WindowReason, &c.Unreachable, &c.OptOut, &optOut, &c.Phone, &c.Name, &c.Picture}, more...)...)
	if err != nil {
		return c, err
	}
	c.OpenedAt, c.HeardAt, c.WindowUntil, c.OptOutAt = sqldb.Time(opened), sqldb.Time(heard), sqldb.Time(window), sqldb.Time(optOut)
	// A referral that cannot be read counts as none: it must not keep a turn from being claimed.
	_, _ = unpack(first, &c.First), unpack(last, &c.Last)
	return c, nil
}

// Conversation reads one conversation, or ErrNotFound.
func (r *Reader) Conversation(ctx context.Context, id bot.ConversationID) (bot.Conversation, error) {
	row := r.db.QueryRowContext(ctx, `SELECT `+conversationColumns+conversationTables+`WHERE id = $1`, id)
	c, err := scanConversation(row)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("conversation %s: %w", id, bot.ErrNotFound)
	}
	return c, err
}

// conversations reads the conversations that where, with args, selects.
func (r *Reader) conversations(ctx context.Context, where string, args ...any) (list []bot.Conversation, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT `+conversationColumns+conversationTables+`WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scanConversation(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

const messageColumns = `m.id, m.conversation_id, m.seq, m.author, m.agent, m.body, m.choice, m.choices, m.attachments,
	m.turn_id, m.status, m.at`

// messages reads the messages that where, with args, selects.
func (r *Reader) messages(ctx context.Context, where string, args ...any) (list []bot.Message, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages m WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m bot.Message
		var choices, attachments string
		var at int64
		if err := rows.Scan(&m.ID, &m.Conversation, &m.Seq, &m.Author, &m.Agent, &m.Text, &m.Choice, &choices,
			&attachments, &m.Turn, &m.Status, &at); err != nil {
			return nil, err
		}
		m.At = sqldb.Time(at)
		if err := errors.Join(unpack(choices, &m.Choices), unpack(attachments, &m.Attachments)); err != nil {
			return nil, fmt.Errorf("message %s: %w", m.ID, err)
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// pack is v as JSON for a TEXT column, "" for an empty list.
func pack[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	return mustJSON(list)
}

// unpack reads what pack, or mustJSON, made; "" leaves v as it is.
func unpack[T any](text string, v *T) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), v)
}

// mustJSON encodes our own plain structs, which cannot fail.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// CleanText makes text of a network one that both databases take: valid UTF-8 without NUL.
func CleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// A Payload is what a delivery carries: exactly one of Reply and News, which is also its lane.
type Payload struct {
	Reply  *bot.Reply     `json:"reply,omitempty"`
	News   *bot.DeskEvent `json:"news,omitempty"`
	Linked bool           `json:"linked,omitempty"` // the network could not use the reply's file: its link goes instead
}

// A Lane is whom a delivery goes to. Order holds within a lane.
type Lane string

const (
	LaneCustomer Lane = "customer"
	LaneDesk     Lane = "desk"
)
