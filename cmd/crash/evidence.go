package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge/sqldb"
)

// evidence is all that the check looks at: what was seen from outside and what the database says.
type evidence struct {
	// Seen from outside.
	Kills        []kill
	Lives        int // how often the service was started
	Faults       []string
	Sayings      []saying
	Replies      []agentReply
	AgentDone    map[string]int
	Accepted     []accepted
	Tells        bool // the network gives our delivery's ID back, so nothing may arrive twice
	TapsApart    bool // the network queues taps apart from messages
	OfferedAgain int
	Arrivals     []arrival // what customers received, in order within each chat
	StopTook     time.Duration
	Stuck        []string // what was not worked off in time
	Leaks        []string // log entries with what must not be there
	Panics       []string // lines of the log that are no entries
	Trouble      []string // warnings and errors in the log
	Odd          []string // anything else that went wrong

	// From the database.
	Conversations []conversationRow
	Messages      []messageRow // by conversation, in order
	Turns         []turnRow
	Deliveries    []deliveryRow // by conversation and lane, in order
	Tickets       []ticketRow
	Notes         map[string]bool // the keys of notes on tickets
	Rejects       int
}

// An arrival is a message of ours that reached a customer.
type arrival struct {
	ID       string
	Chat     int64
	Text     string
	Payloads []string // of its buttons
	At       time.Time
	Life     int            // of the service, that sent it
	Delivery bot.DeliveryID // that it carries, "" if the network takes none
}

type conversationRow struct {
	ID   bot.ConversationID
	Chat string
	Mode bot.Mode
}

type messageRow struct {
	ID           bot.MessageID
	Conversation bot.ConversationID
	Seq          int64
	Author       bot.Author
	Body         string
	External     string
	Turn         bot.TurnID
}

type turnRow struct {
	ID           bot.TurnID
	Conversation bot.ConversationID
	Action       bot.Action
	Reason       bot.Reason
}

type deliveryRow struct {
	ID           bot.DeliveryID
	Conversation bot.ConversationID
	Lane         string
	Seq          int64
	Message      bot.MessageID
	State        string
	Doubts       int
	External     string
	Reply        *bot.Reply
	News         *bot.News
}

type ticketRow struct {
	ID           handoff.TicketID
	Escalation   string
	Conversation bot.ConversationID
	State        handoff.State
}

// readEvidence reads what the database says.
func readEvidence(ctx context.Context, db *sqldb.DB) (e evidence, err error) {
	if e.Conversations, err = read(ctx, db, `SELECT id, customer, mode FROM conversations ORDER BY id`,
		func(rows *sql.Rows) (c conversationRow, err error) { return c, rows.Scan(&c.ID, &c.Chat, &c.Mode) }); err != nil {
		return e, err
	}
	if e.Messages, err = read(ctx, db, `SELECT id, conversation_id, seq, author, body, external_id, turn_id FROM messages
		ORDER BY conversation_id, seq`, func(rows *sql.Rows) (m messageRow, err error) {
		return m, rows.Scan(&m.ID, &m.Conversation, &m.Seq, &m.Author, &m.Body, &m.External, &m.Turn)
	}); err != nil {
		return e, err
	}
	if e.Turns, err = read(ctx, db, `SELECT id, conversation_id, action, reason FROM turns ORDER BY id`,
		func(rows *sql.Rows) (t turnRow, err error) {
			return t, rows.Scan(&t.ID, &t.Conversation, &t.Action, &t.Reason)
		}); err != nil {
		return e, err
	}
	if e.Deliveries, err = read(ctx, db, `SELECT id, conversation_id, lane, seq, message_id, state, doubts, external_id, payload
		FROM deliveries ORDER BY conversation_id, lane, seq`, scanDelivery); err != nil {
		return e, err
	}
	if e.Tickets, err = read(ctx, db, `SELECT id, escalation, conversation_id, state FROM tickets ORDER BY id`,
		func(rows *sql.Rows) (t ticketRow, err error) {
			return t, rows.Scan(&t.ID, &t.Escalation, &t.Conversation, &t.State)
		}); err != nil {
		return e, err
	}
	keys, err := read(ctx, db, `SELECT key FROM ticket_notes`, func(rows *sql.Rows) (key string, err error) { return key, rows.Scan(&key) })
	e.Notes = map[string]bool{}
	for _, key := range keys {
		e.Notes[key] = true
	}
	if err != nil {
		return e, err
	}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM rejects`).Scan(&e.Rejects); err != nil {
		return e, fmt.Errorf("count rejects: %w", err)
	}
	return e, sound(ctx, db, &e)
}

// sound asks SQLite whether the file is whole.
func sound(ctx context.Context, db *sqldb.DB, e *evidence) error {
	if db.Postgres() {
		return nil
	}
	var says string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&says); err != nil {
		return fmt.Errorf("check the file: %w", err)
	}
	if says != "ok" {
		e.Odd = append(e.Odd, "the database is damaged: "+says)
	}
	return nil
}

func scanDelivery(rows *sql.Rows) (d deliveryRow, err error) {
	var packed string
	if err := rows.Scan(&d.ID, &d.Conversation, &d.Lane, &d.Seq, &d.Message, &d.State, &d.Doubts, &d.External, &packed); err != nil {
		return d, err
	}
	var payload struct {
		Reply *bot.Reply `json:"reply"`
		News  *bot.News  `json:"news"`
	}
	err = json.Unmarshal([]byte(packed), &payload)
	d.Reply, d.News = payload.Reply, payload.News
	return d, err
}

// read runs query and scans all its rows.
func read[T any](ctx context.Context, db *sqldb.DB, query string, scan func(*sql.Rows) (T, error)) (list []T, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read the database: %w", err)
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// waiting says what the service has not worked off yet, nothing if it is done.
func waiting(ctx context.Context, db *sqldb.DB) (list []string, err error) {
	for _, w := range []struct{ what, query string }{
		{"posts of networks wait to be taken in", `SELECT COUNT(*) FROM inbox`},
		{"messages of customers wait for a turn", `SELECT COUNT(*) FROM messages WHERE author = 'customer' AND turn_id = ''`},
		{"deliveries are queued", `SELECT COUNT(*) FROM deliveries WHERE state = 'queued'`},
		{"conversations wait for a person without a ticket", `SELECT COUNT(*) FROM conversations c WHERE mode = 'person'
			AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.conversation_id = c.id AND t.state <> 'closed')`},
	} {
		var n int
		if err := db.QueryRowContext(ctx, w.query).Scan(&n); err != nil {
			return nil, fmt.Errorf("look what waits: %w", err)
		}
		if n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, w.what))
		}
	}
	return list, nil
}

// chatsOf are the chats in which something was said.
func chatsOf(list []saying) map[int64]bool {
	chats := map[int64]bool{}
	for _, s := range list {
		chats[s.Chat] = true
	}
	return chats
}
