package handoff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// maxListed bounds a list.
const maxListed = 500

// A Filter says which tickets List returns. What is left out narrows nothing, but Affiliates.
type Filter struct {
	Affiliates []knowledge.AffiliateID // whose: none if empty, all with knowledge.Everyone
	States     []State                 // all but closed if empty
	Waiting    bool                    // only those whose customer waits for an answer
	Assignee   AgentID
	Snoozed    bool // only snoozed ones, which are else left out but with Conversations
	// Only those of one of these conversations, if there are any.
	Conversations []bot.ConversationID

	Limit int    // 500 if 0, and at most
	After string // the Cursor of the last ticket before; "" begins the list. For open tickets, or for closed ones
}

// States are all the states of a ticket.
func States() []State { return []State{StateOpen, StateAssigned, StateClosed} }

// The order of open tickets, as the indexes have it: theirs is 1 if it is the customer's turn, calm 1 unless they are in
// danger.
const (
	theirs    = `(CASE WHEN waiting_since > 0 THEN 0 ELSE 1 END)`
	calm      = `(CASE WHEN reason = 'urgent' THEN 0 ELSE 1 END)`
	openOrder = theirs + `, ` + calm + `, due_at, id`
)

// Cursor is where a ticket stands in its list, for Filter.After.
func (t Ticket) Cursor() string {
	if t.State == StateClosed {
		return fmt.Sprintf("%d.%s", t.ClosedAt.UnixMilli(), t.ID)
	}
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return fmt.Sprintf("%d.%d.%d.%s", bit(t.WaitingSince.IsZero()), bit(t.Reason != bot.ReasonUrgent), t.DueAt.UnixMilli(), t.ID)
}

// position reads a Cursor of n parts: numbers, and an ID.
func position(cursor string, n int) (list []any, ok bool) {
	parts := strings.Split(cursor, ".")
	if len(parts) != n {
		return nil, false
	}
	for _, p := range parts[:n-1] {
		number, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return nil, false
		}
		list = append(list, number)
	}
	return append(list, parts[n-1]), true
}

// List returns the tickets a filter asks for: who waits first, by the end of the promise, then the
// others, closed ones last, the latest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Ticket, error) {
	return d.store.selectTickets(ctx, f)
}

// maxCounted is where Count ends: whoever has so many tickets does not need to know how many.
const maxCounted = 1000

// Counts are how many tickets are open, each at most maxCounted.
type Counts struct {
	Mine, All, Waiting int
}

// Count counts the open tickets of some affiliates, as Filter names them, and agent's own.
func (d *Desk) Count(ctx context.Context, of []knowledge.AffiliateID, agent AgentID) (c Counts, err error) {
	for _, one := range []struct {
		n *int
		f Filter
	}{{&c.All, Filter{}}, {&c.Mine, Filter{Assignee: agent}}, {&c.Waiting, Filter{Waiting: true}}} {
		one.f.Affiliates = of
		if *one.n, err = d.store.countTickets(ctx, one.f); err != nil {
			return c, err
		}
	}
	return c, nil
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

// closedOnly reports whether the filter asks for closed tickets alone, openOnly for open ones.
func (f Filter) closedOnly() bool { return slices.Equal(f.States, []State{StateClosed}) }
func (f Filter) openOnly() bool   { return len(f.States) == 0 || !slices.Contains(f.States, StateClosed) }

// order is the order of the list.
func (f Filter) order() string {
	switch {
	case f.closedOnly():
		return `closed_at DESC, id DESC`
	case f.openOnly():
		return openOrder
	}
	return `CASE WHEN state = 'closed' THEN 1 ELSE 0 END, CASE WHEN state = 'closed' THEN 0 ELSE ` + theirs + ` END, ` + calm + `, closed_at DESC, due_at, id`
}

// where is the condition of a filter; its parameters join args. The states are spelled out, since an index of some of
// the tickets is used only for what is known to be among them.
func (f Filter) where(args *[]any) string {
	mark := func(v any) string {
		*args = append(*args, v)
		return fmt.Sprintf("$%d", len(*args))
	}
	parts := []string{knowledge.Among(f.Affiliates, args)}
	switch {
	case f.closedOnly():
		parts = append(parts, `state = 'closed'`)
	case f.openOnly():
		parts = append(parts, `state <> 'closed'`)
		if f.Snoozed {
			parts = append(parts, `snoozed_until > 0`)
		} else if len(f.Conversations) == 0 {
			parts = append(parts, `snoozed_until = 0`)
		}
	}
	if f.Waiting {
		parts = append(parts, theirs+` = 0`)
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
	if at, ok := position(f.After, 2); ok && f.closedOnly() {
		parts = append(parts, `(closed_at, id) < (`+mark(at[0])+`, `+mark(at[1])+`)`)
	}
	if at, ok := position(f.After, 4); ok && f.openOnly() {
		parts = append(parts, `(`+openOrder+`) > (`+mark(at[0])+`, `+mark(at[1])+`, `+mark(at[2])+`, `+mark(at[3])+`)`)
	}
	return strings.Join(parts, " AND ")
}

// selectTickets reads the tickets a filter asks for: those of customers in danger first, then those whose promise ends
// soonest. Of several affiliates each has an index of its own: the first of each are put in order.
func (s *store) selectTickets(ctx context.Context, f Filter) (list []Ticket, err error) {
	if f.Limit <= 0 || f.Limit > maxListed {
		f.Limit = maxListed
	}
	args := []any{f.Limit}
	query := `SELECT ` + ticketColumns + ` FROM tickets WHERE `
	if f.openOnly() && len(f.Affiliates) > 1 && !slices.Contains(f.Affiliates, knowledge.Everyone) {
		var each []string
		for _, a := range f.Affiliates {
			one := f
			one.Affiliates = []knowledge.AffiliateID{a}
			each = append(each, `SELECT * FROM (`+query+one.where(&args)+` ORDER BY `+one.order()+` LIMIT $1) one`)
		}
		query = `SELECT * FROM (` + strings.Join(each, ` UNION ALL `) + `) each_first`
	} else {
		query += f.where(&args)
	}
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		t, err := scanTicket(rows)
		list = append(list, t)
		return err
	}, query+` ORDER BY `+f.order()+` LIMIT $1`, args...)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return list, nil
}

func (s *store) countTickets(ctx context.Context, f Filter) (n int, err error) {
	args := []any{maxCounted}
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM tickets WHERE `+f.where(&args)+` LIMIT $1) counted`, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count tickets: %w", err)
	}
	return n, nil
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
