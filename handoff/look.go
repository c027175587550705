package handoff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
)

// maxListed bounds a list.
const maxListed = 500

// A Filter says which tickets List returns. What is left out narrows nothing, but Affiliates.
type Filter struct {
	Affiliates []knowledge.AffiliateID // whose: none if empty, all with knowledge.Everyone
	States     []State                 // all but closed if empty
	Waiting    bool                    // only those whose customer waits for an answer
	Assignee   AgentID
	// Only those of one of these conversations, if there are any.
	Conversations []bot.ConversationID

	Limit  int // 500 if 0, and at most
	Offset int
}

// States are all the states of a ticket.
func States() []State { return []State{StateOpen, StateAssigned, StateClosed} }

// List returns the tickets a filter asks for: who waits first, by the end of the promise, then the
// others, closed ones last, the latest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Ticket, error) {
	return d.store.selectTickets(ctx, f)
}

// Counts are how many tickets are open.
type Counts struct {
	Mine, All, Waiting int
}

// Count counts the open tickets of some affiliates, as Filter names them, and agent's own.
func (d *Desk) Count(ctx context.Context, of []knowledge.AffiliateID, agent AgentID) (Counts, error) {
	return d.store.countTickets(ctx, of, agent)
}

// A Case is all there is to know about a ticket, or about a conversation of which no person has one.
type Case struct {
	Ticket       Ticket // its ID is "" if there is none
	Conversation bot.Conversation
	Said         []bot.Message // oldest first
	Notes        []Note        // oldest first
}

// Show returns a ticket with everything that was said, or ErrNotFound.
func (d *Desk) Show(ctx context.Context, id TicketID) (c Case, err error) {
	if c.Ticket, err = d.store.ticket(ctx, id); err != nil {
		return c, err
	}
	if err = d.attachTranscripts(ctx, &c, c.Ticket.Conversation); err != nil {
		return c, err
	}
	c.Notes, err = d.store.notes(ctx, id)
	return c, err
}

// ShowConversation returns a conversation with everything that was said, and with its ticket if one is open; or
// bot.ErrNotFound.
func (d *Desk) ShowConversation(ctx context.Context, id bot.ConversationID) (c Case, err error) {
	open, err := d.List(ctx, Filter{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}, Conversations: []bot.ConversationID{id}})
	if err != nil {
		return c, err
	}
	if len(open) > 0 {
		return d.Show(ctx, open[0].ID)
	}
	return c, d.attachTranscripts(ctx, &c, id)
}

// attachTranscripts fills in a case's conversation and what was said in it.
func (d *Desk) attachTranscripts(ctx context.Context, c *Case, id bot.ConversationID) (err error) {
	if c.Conversation, err = d.conversations.Get(ctx, id); err == nil {
		c.Said, err = d.conversations.Transcript(ctx, id, 0)
	}
	return err
}

// Ticket returns a ticket by itself, or ErrNotFound.
func (d *Desk) Ticket(ctx context.Context, id TicketID) (Ticket, error) {
	return d.store.ticket(ctx, id)
}

// A ChangeMark tells a ticket as it is from what it was: Changes only grows.
type ChangeMark struct {
	Ticket       TicketID
	Conversation bot.ConversationID
	Affiliate    knowledge.AffiliateID
	Changes      int64
}

// Pulses returns those of the tickets that changed since then, notes included.
func (d *Desk) Pulses(ctx context.Context, since time.Time) ([]ChangeMark, error) {
	return d.store.selectChangeMarks(ctx, since)
}

// where is the condition of a filter; its parameters join args.
func (f Filter) where(args *[]any) string {
	mark := func(v any) string {
		*args = append(*args, v)
		return fmt.Sprintf("$%d", len(*args))
	}
	states := f.States
	if len(states) == 0 {
		states = []State{StateOpen, StateAssigned}
	}
	var marks []string
	for _, s := range states {
		marks = append(marks, mark(string(s)))
	}
	parts := []string{knowledge.Among(f.Affiliates, args), `state IN (` + strings.Join(marks, ", ") + `)`}
	if f.Waiting {
		parts = append(parts, `waiting_since > 0`)
	}
	if f.Assignee != "" {
		parts = append(parts, `assignee = `+mark(string(f.Assignee)))
	}
	if len(f.Conversations) > 0 {
		var marks []string
		for _, id := range f.Conversations {
			marks = append(marks, mark(string(id)))
		}
		parts = append(parts, `conversation_id IN (`+strings.Join(marks, ", ")+`)`)
	}
	return strings.Join(parts, " AND ")
}

// selectTickets reads the tickets a filter asks for: those of customers in danger first, then those whose promise ends
// soonest.
func (s *store) selectTickets(ctx context.Context, f Filter) (list []Ticket, err error) {
	if f.Limit <= 0 || f.Limit > maxListed {
		f.Limit = maxListed
	}
	args := []any{string(StateClosed), f.Limit, f.Offset, string(bot.ReasonUrgent)}
	where := f.where(&args)
	rows, err := s.db.QueryContext(ctx, `SELECT `+ticketColumns+` FROM tickets WHERE `+where+`
		ORDER BY CASE WHEN state = $1 THEN 1 ELSE 0 END, CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END,
			CASE WHEN state <> $1 AND reason = $4 THEN 0 ELSE 1 END, closed_at DESC, due_at, id LIMIT $2 OFFSET $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTicket(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

func (s *store) countTickets(ctx context.Context, of []knowledge.AffiliateID, agent AgentID) (c Counts, err error) {
	args := []any{string(StateClosed), string(agent)}
	where := knowledge.Among(of, &args)
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN assignee = $2 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN waiting_since > 0 THEN 1 ELSE 0 END), 0) FROM tickets WHERE state <> $1 AND `+where, args...).
		Scan(&c.All, &c.Mine, &c.Waiting)
	if err != nil {
		return c, fmt.Errorf("count tickets: %w", err)
	}
	return c, nil
}

func (s *store) selectChangeMarks(ctx context.Context, since time.Time) (list []ChangeMark, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, conversation_id, affiliate, changes FROM tickets WHERE changed_at >= $1`, since.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("watch tickets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p ChangeMark
		if err := rows.Scan(&p.Ticket, &p.Conversation, &p.Affiliate, &p.Changes); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// Affiliates returns whose tickets there have ever been, in order.
func (d *Desk) Affiliates(ctx context.Context) (list []knowledge.AffiliateID, err error) {
	rows, err := d.store.db.QueryContext(ctx, `SELECT DISTINCT affiliate FROM queues WHERE affiliate <> '' ORDER BY affiliate`)
	if err != nil {
		return nil, fmt.Errorf("list affiliates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a knowledge.AffiliateID
		if err := rows.Scan(&a); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}
