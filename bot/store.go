package bot

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("bot", schema) }

// A Store keeps what is said. It is safe for concurrent use, by many processes on Postgres.
type Store struct {
	db *sqldb.DB
}

// NewStore returns a store in db, to which Schema has been applied.
func NewStore(db *sqldb.DB) *Store { return &Store{db} }

const conversationColumns = `id, channel, account, customer, affiliate, customer_id, episode_id, locale, mode, misses, clarify,
	asked, first_ref, last_ref, first_referral, last_referral, opened_at, heard_at, window_until, window_reason, unreachable, paced_until,
	opt_out, opt_out_at, phone`

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// scanConversation reads conversationColumns and what more is asked for after them.
func scanConversation(row scanner, more ...any) (c Conversation, err error) {
	var opened, heard, window, paced, optOut int64
	var first, last string
	err = row.Scan(append([]any{&c.ID, &c.Address.Channel, &c.Address.Account, &c.Address.Customer, &c.Affiliate,
		&c.Customer, &c.Episode, &c.Locale, &c.Mode, &c.Misses, &c.Clarify, &c.Asked, &c.FirstRef, &c.LastRef,
		&first, &last, &opened, &heard, &window, &c.WindowReason, &c.Unreachable, &paced, &c.OptOut, &optOut, &c.Phone}, more...)...)
	if err != nil {
		return c, err
	}
	c.OpenedAt, c.HeardAt, c.WindowUntil, c.pacedUntil = sqldb.Time(opened), sqldb.Time(heard), sqldb.Time(window), sqldb.Time(paced)
	c.OptOutAt = sqldb.Time(optOut)
	// A referral that cannot be read counts as none: it must not keep a turn from being claimed.
	_, _ = unpack(first, &c.First), unpack(last, &c.Last)
	return c, nil
}

// conversation reads one conversation, or ErrNotFound.
func (s *Store) conversation(ctx context.Context, id ConversationID) (Conversation, error) {
	row := s.db.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE id = $1`, id)
	c, err := scanConversation(row)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("conversation %s: %w", id, ErrNotFound)
	}
	return c, err
}

// conversations reads the conversations that where, with args, selects.
func (s *Store) conversations(ctx context.Context, where string, args ...any) (list []Conversation, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE `+where, args...)
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
func (s *Store) messages(ctx context.Context, where string, args ...any) (list []Message, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages m WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Message
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

// A payload is what a delivery carries: exactly one of Reply and News, which is also its lane.
type payload struct {
	Reply  *Reply `json:"reply,omitempty"`
	News   *News  `json:"news,omitempty"`
	Linked bool   `json:"linked,omitempty"` // the network could not use the reply's file: its link goes instead
}

const (
	laneCustomer = "customer"
	laneDesk     = "desk"
)

// A queuer appends messages and deliveries to one conversation inside a transaction that holds its
// row, taking sequence numbers as it goes.
type queuer struct {
	tx   *sql.Tx
	conv Conversation
	seq  int64 // the next one to take
	now  time.Time
}

// say stores r as a message under key and queues it for the customer.
func (q *queuer) say(ctx context.Context, author Author, turn TurnID, key string, r Reply) error {
	id := MessageID(newID(q.now))
	if _, err := q.tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, agent, body, choices, attachments, external_id, turn_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		id, q.conv.ID, q.seq, q.conv.Episode, author, r.Agent, r.Text, pack(r.Choices), pack(r.attachments()), key, turn, StatusQueued,
		q.now.UnixMilli()); err != nil {
		return fmt.Errorf("store reply: %w", err)
	}
	if author == AuthorAgent { // an entry's files are kept with the entry
		if err := keepAttachments(ctx, q.tx, r.attachments(), q.now); err != nil {
			return err
		}
	}
	return q.deliver(ctx, laneCustomer, id, payload{Reply: &r})
}

// tell queues n for the desk.
func (q *queuer) tell(ctx context.Context, n News) error {
	n.At = q.now
	return q.deliver(ctx, laneDesk, "", payload{News: &n})
}

func (q *queuer) deliver(ctx context.Context, lane string, message MessageID, p payload) error {
	due := q.now
	if lane == laneCustomer && q.conv.pacedUntil.After(due) {
		due = q.conv.pacedUntil
	}
	_, err := q.tx.ExecContext(ctx, `INSERT INTO deliveries
		(id, conversation_id, lane, seq, channel, account, message_id, payload, due_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		newID(q.now), q.conv.ID, lane, q.seq, q.conv.Address.Channel, q.conv.Address.Account, message, mustJSON(p),
		due.UnixMilli(), q.now.UnixMilli())
	if err != nil {
		return fmt.Errorf("queue delivery: %w", err)
	}
	q.seq++
	return nil
}

// close writes back the sequence number the conversation goes on with.
func (q *queuer) close(ctx context.Context) error {
	_, err := q.tx.ExecContext(ctx, `UPDATE conversations SET next_seq = $2, active_at = $3 WHERE id = $1`,
		q.conv.ID, q.seq, q.now.UnixMilli())
	return err
}

// lock takes the conversation's row for the rest of tx, raises its fence so that no turn in
// progress can commit, lets the next turn start at once, and returns a queuer on it.
func (s *Store) lock(ctx context.Context, tx *sql.Tx, id ConversationID, now time.Time) (*queuer, error) {
	row := tx.QueryRowContext(ctx, `UPDATE conversations SET fence = fence + 1, lease_until = 0 WHERE id = $1
		RETURNING `+conversationColumns+`, next_seq`, id)
	q := &queuer{tx: tx, now: now}
	var err error
	q.conv, err = scanConversation(row, &q.seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("conversation %s: %w", id, ErrNotFound)
	}
	return q, err
}

// escalate hands the locked conversation to a person, or, if a person has it already, only tells
// the desk about fate.
func (q *queuer) escalate(ctx context.Context, e Escalation, fate *Fate) error {
	if q.conv.Mode == ModePerson {
		if fate == nil {
			return nil
		}
		return q.tell(ctx, News{Fate: fate})
	}
	if _, err := q.tx.ExecContext(ctx, `UPDATE conversations SET mode = $2, misses = 0, clarify = 0, asked = '' WHERE id = $1`,
		q.conv.ID, ModePerson); err != nil {
		return err
	}
	return q.tell(ctx, News{Escalation: &e})
}
