package handoff

import (
	"context"
	"database/sql"
	"fmt"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// An AuditTicket is a ticket, for programs that check from outside what a service did. They read this in place of
// the tables, which may change.
type AuditTicket struct {
	ID           TicketID
	Escalation   string
	Conversation bot.ConversationID
	State        State
	Assignee     AgentID
}

// ReadAudit reads the tickets of a database, by ID, and the keys of their notes.
func ReadAudit(ctx context.Context, db *sqldb.DB) (tickets []AuditTicket, notes []string, err error) {
	err = sqldb.Each(ctx, db, func(rows *sql.Rows) error {
		var t AuditTicket
		err := rows.Scan(&t.ID, &t.Escalation, &t.Conversation, &t.State, &t.Assignee)
		tickets = append(tickets, t)
		return err
	}, `SELECT id, escalation, conversation_id, state, assignee FROM tickets ORDER BY id`)
	if err == nil {
		err = sqldb.Each(ctx, db, func(rows *sql.Rows) error {
			var key string
			err := rows.Scan(&key)
			notes = append(notes, key)
			return err
		}, `SELECT key FROM ticket_notes`)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the tickets: %w", err)
	}
	return tickets, notes, nil
}
