package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"faqbot/bot"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// The audit view is for programs that check from outside what a service did: whether all was answered, once. They
// read it in place of the tables, which may change. It holds customers' words.

// An Audit is all that was said and done.
type Audit struct {
	Conversations []AuditConversation // by ID
	Messages      []AuditMessage      // by conversation, in order
	Turns         []AuditTurn         // by ID
	Deliveries    []AuditDelivery     // by conversation and lane, in order
	Events        []events.Event      // in the order in which they happened
	Rejects       int
}

// An AuditConversation is a conversation.
type AuditConversation struct {
	ID       bot.ConversationID
	Customer string // their ID on the network
	Mode     bot.Mode
}

// An AuditMessage is a message.
type AuditMessage struct {
	ID           bot.MessageID
	Conversation bot.ConversationID
	Seq          int64
	Author       bot.Author
	Body         string
	Choice       string // the payload of a tapped button
	External     string // the network's ID of the event, or the key under which it was said
	Turn         bot.TurnID
}

// An AuditTurn is a turn.
type AuditTurn struct {
	ID           bot.TurnID
	Conversation bot.ConversationID
	Action       bot.Action
	Reason       bot.Reason
}

// An AuditDelivery is a delivery. One of Reply and News is set.
type AuditDelivery struct {
	ID           bot.DeliveryID
	Conversation bot.ConversationID
	Lane         Lane
	Seq          int64
	Message      bot.MessageID
	State        bot.DeliveryState
	Doubts       int
	External     string // the network's ID
	Reply        *bot.Reply
	News         *bot.DeskEvent
}

// ReadAudit reads the audit view of a database.
func ReadAudit(ctx context.Context, db *sqldb.DB) (a Audit, err error) {
	read := func(query string, scan func(*sql.Rows) error) {
		if err == nil {
			err = sqldb.Each(ctx, db, scan, query)
		}
	}
	read(`SELECT id, customer, mode FROM conversations ORDER BY id`, func(rows *sql.Rows) error {
		var c AuditConversation
		err := rows.Scan(&c.ID, &c.Customer, &c.Mode)
		a.Conversations = append(a.Conversations, c)
		return err
	})
	read(`SELECT id, conversation_id, seq, author, body, choice, external_id, turn_id FROM messages ORDER BY conversation_id, seq`, func(rows *sql.Rows) error {
		var m AuditMessage
		err := rows.Scan(&m.ID, &m.Conversation, &m.Seq, &m.Author, &m.Body, &m.Choice, &m.External, &m.Turn)
		a.Messages = append(a.Messages, m)
		return err
	})
	read(`SELECT id, conversation_id, action, reason FROM turns ORDER BY id`, func(rows *sql.Rows) error {
		var t AuditTurn
		err := rows.Scan(&t.ID, &t.Conversation, &t.Action, &t.Reason)
		a.Turns = append(a.Turns, t)
		return err
	})
	read(`SELECT id, conversation_id, lane, seq, message_id, state, doubts, external_id, payload FROM deliveries
		ORDER BY conversation_id, lane, seq`, func(rows *sql.Rows) error {
		var d AuditDelivery
		var packed string
		if err := rows.Scan(&d.ID, &d.Conversation, &d.Lane, &d.Seq, &d.Message, &d.State, &d.Doubts, &d.External, &packed); err != nil {
			return err
		}
		var p Payload
		err := json.Unmarshal([]byte(packed), &p)
		d.Reply, d.News = p.Reply, p.News
		a.Deliveries = append(a.Deliveries, d)
		return err
	})
	read(`SELECT COUNT(*) FROM rejects`, func(rows *sql.Rows) error { return rows.Scan(&a.Rejects) })
	if err == nil {
		a.Events, err = events.List(ctx, db)
	}
	if err != nil {
		return a, fmt.Errorf("read what was said and done: %w", err)
	}
	return a, nil
}

// A Backlog is how much a service has yet to work off.
type Backlog struct {
	Posts      int // that networks posted and nobody has read
	Turns      int // that are due, now or later
	Messages   int // of customers that wait for a turn
	Deliveries int // that are queued
}

// ReadBacklog counts what a service has yet to work off.
func ReadBacklog(ctx context.Context, db *sqldb.DB) (b Backlog, err error) {
	err = db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM inbox), (SELECT COUNT(*) FROM turn_queue WHERE due_at > 0),
		(SELECT COUNT(*) FROM messages WHERE author = 'customer' AND turn_id = ''), (SELECT COUNT(*) FROM deliveries WHERE state = 'queued')`).
		Scan(&b.Posts, &b.Turns, &b.Messages, &b.Deliveries)
	if err != nil {
		return b, fmt.Errorf("count what waits: %w", err)
	}
	return b, nil
}

// Totals are counts of an Audit, for databases that are too large to read whole.
type Totals struct {
	Messages int // of customers
	Silent   int // of those: neither answered nor passed to a person
	Replies  int // of the bot
	Unsent   int // deliveries that did not get through, or not yet
}

// ReadTotals counts what was said and what became of it.
func ReadTotals(ctx context.Context, db *sqldb.DB) (t Totals, err error) {
	err = db.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM messages WHERE author = 'customer'),
		(SELECT COUNT(*) FROM messages m WHERE author = 'customer' AND NOT EXISTS
			(SELECT 1 FROM messages r WHERE r.turn_id = m.turn_id AND r.conversation_id = m.conversation_id AND r.author = 'bot')
			AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.id = m.turn_id AND t.action = 'forward')),
		(SELECT COUNT(*) FROM messages WHERE author = 'bot'),
		(SELECT COUNT(*) FROM deliveries WHERE state <> 'sent')`).Scan(&t.Messages, &t.Silent, &t.Replies, &t.Unsent)
	if err != nil {
		return t, fmt.Errorf("count what was said: %w", err)
	}
	return t, nil
}

// ConversationsWithPerson lists the conversations that people have.
func ConversationsWithPerson(ctx context.Context, db *sqldb.DB) (ids []bot.ConversationID, err error) {
	err = sqldb.Each(ctx, db, func(rows *sql.Rows) error {
		var id bot.ConversationID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM conversations WHERE mode = 'person' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list who has a person: %w", err)
	}
	return ids, nil
}
