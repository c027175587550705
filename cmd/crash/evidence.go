package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/handoff"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// evidence is all that the check looks at: what was seen from outside and what the database says.
type evidence struct {
	// Seen from outside.
	Kills            []kill
	Lives            int // how often the service was started
	Faults           []string
	Sayings          []saying
	Replies          []agentReply
	AgentDone        map[string]int
	Accepted         []accepted
	ConfirmsReceipts bool // the network gives our delivery's ID back, so nothing may arrive twice
	TapsApart        bool // the network queues taps apart from messages
	OfferedAgain     int
	Arrivals         []arrival // what customers received, in order within each chat
	StopTook         time.Duration
	Stuck            []string // what was not worked off in time
	Leaks            []string // log entries with what must not be there
	Panics           []string // lines of the log that are no entries
	Trouble          []string // warnings and errors in the log
	Odd              []string // anything else that went wrong

	// From the database.
	Conversations []store.AuditConversation
	Messages      []store.AuditMessage // by conversation, in order
	Turns         []store.AuditTurn
	Deliveries    []store.AuditDelivery // by conversation and lane, in order
	Events        []events.Event
	Tickets       []handoff.AuditTicket
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

// readEvidence reads what the database says.
func readEvidence(ctx context.Context, db *sqldb.DB) (e evidence, err error) {
	a, err := store.ReadAudit(ctx, db)
	if err != nil {
		return e, err
	}
	e.Conversations, e.Messages, e.Turns, e.Deliveries, e.Events, e.Rejects = a.Conversations, a.Messages, a.Turns, a.Deliveries, a.Events, a.Rejects
	tickets, notes, err := handoff.ReadAudit(ctx, db)
	if err != nil {
		return e, err
	}
	e.Tickets, e.Notes = tickets, map[string]bool{}
	for _, key := range notes {
		e.Notes[key] = true
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

// waiting says what the service has not worked off yet, nothing if it is done.
func waiting(ctx context.Context, db *sqldb.DB) (list []string, err error) {
	b, err := store.ReadBacklog(ctx, db)
	if err != nil {
		return nil, err
	}
	alone, err := withoutTicket(ctx, db)
	for _, w := range []struct {
		n    int
		what string
	}{
		{b.Posts, "posts of networks wait to be taken in"},
		{b.Messages, "messages of customers wait for a turn"},
		{b.Deliveries, "deliveries are queued"},
		{alone, "conversations wait for a person without a ticket"},
	} {
		if w.n > 0 {
			list = append(list, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return list, err
}

// withoutTicket counts the conversations that people have and of which no open ticket tells.
func withoutTicket(ctx context.Context, db *sqldb.DB) (n int, err error) {
	ids, err := store.ConversationsWithPerson(ctx, db)
	if err != nil {
		return 0, err
	}
	tickets, _, err := handoff.ReadAudit(ctx, db)
	for _, id := range ids {
		if !slices.ContainsFunc(tickets, func(t handoff.AuditTicket) bool { return t.Conversation == id && t.State != handoff.StateClosed }) {
			n++
		}
	}
	return n, err
}

// chatsOf are the chats in which something was said.
func chatsOf(list []saying) map[int64]bool {
	chats := map[int64]bool{}
	for _, s := range list {
		chats[s.Chat] = true
	}
	return chats
}
