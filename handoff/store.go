package handoff

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("handoff", migrations) }

// A store keeps tickets.
type store struct{ db *sqldb.DB }

const ticketColumns = `id, conversation_id, affiliate, queue, state, reason, topic, question, locale, tried, draft, assignee,
	opened_at, due_at, waiting_since, replied_at, closed_at, outcome, snoozed_until`

func scanTicket(row interface{ Scan(...any) error }) (t Ticket, err error) {
	var tried string
	var opened, due, waiting, replied, closed, snoozed int64
	if err := row.Scan(&t.ID, &t.Conversation, &t.Affiliate, &t.Queue, &t.State, &t.Reason, &t.Topic, &t.Question, &t.Locale,
		&tried, &t.Draft, &t.Assignee, &opened, &due, &waiting, &replied, &closed, &t.Outcome, &snoozed); err != nil {
		return t, err
	}
	t.OpenedAt, t.DueAt, t.WaitingSince = sqldb.Time(opened), sqldb.Time(due), sqldb.Time(waiting)
	t.RepliedAt, t.ClosedAt, t.SnoozedUntil = sqldb.Time(replied), sqldb.Time(closed), sqldb.Time(snoozed)
	return t, json.Unmarshal([]byte(tried), &t.Tried)
}

// ticket reads one ticket, or ErrNotFound.
func (s *store) ticket(ctx context.Context, id TicketID) (Ticket, error) {
	t, err := scanTicket(s.db.QueryRowContext(ctx, `SELECT `+ticketColumns+` FROM tickets WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("ticket %s: %w", id, ErrNotFound)
	}
	return t, err
}

// of reads the newest ticket of a conversation, the open one if there is one, or ErrNotFound.
func (s *store) of(ctx context.Context, c bot.ConversationID) (Ticket, error) {
	t, err := scanTicket(s.db.QueryRowContext(ctx, `SELECT `+ticketColumns+` FROM tickets WHERE conversation_id = $1
		ORDER BY CASE WHEN state = $2 THEN 1 ELSE 0 END, opened_at DESC LIMIT 1`, c, StateClosed))
	if errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("ticket of conversation %s: %w", c, ErrNotFound)
	}
	return t, err
}

// hasOpen reports whether a conversation has an open ticket of its own.
func (s *store) hasOpen(ctx context.Context, c bot.ConversationID) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM tickets WHERE conversation_id = $1 AND state <> $2)`, c, StateClosed).Scan(&has)
	return has, err
}

// promised is within how many milliseconds somebody must write on a ticket of a queue that promises answer.
func promised(reason bot.Reason, answer int64) int64 {
	if reason == bot.ReasonUrgent {
		return min(answer, urgentWithin.Milliseconds())
	}
	return answer
}

// An opening is what a ticket begins with.
type opening struct {
	bot.Escalation
	at    time.Time
	waits bool // the customer waits for an answer
}

// open opens a ticket unless the same escalation opened one before or the conversation has an open one.
func (s *store) open(ctx context.Context, c bot.ConversationID, o opening) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		queue := queueOf(o.Affiliate)
		var answer int64
		if err := tx.QueryRowContext(ctx, `INSERT INTO queues AS q (name, affiliate, answer_ms) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET affiliate = q.affiliate RETURNING answer_ms`,
			queue, o.Affiliate, answerWithin.Milliseconds()).Scan(&answer); err != nil {
			return fmt.Errorf("open queue: %w", err)
		}
		tried := o.Tried
		if tried == nil {
			tried = []knowledge.EntryID{}
		}
		list, err := json.Marshal(tried)
		if err != nil {
			return err
		}
		waiting := int64(0)
		if o.waits {
			waiting = o.at.UnixMilli()
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO tickets
			(id, escalation, conversation_id, affiliate, queue, state, reason, topic, question, locale, tried,
			opened_at, due_at, waiting_since, changed_at, draft)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $12, $15) ON CONFLICT DO NOTHING`,
			rand.Text()[:8], o.ID, c, o.Affiliate, queue, StateOpen, o.Reason, o.Topic, MaskSecrets(o.Question), o.Locale, string(list),
			o.at.UnixMilli(), o.at.UnixMilli()+promised(o.Reason, answer), waiting, o.Draft)
		if err != nil {
			return fmt.Errorf("open ticket: %w", err)
		}
		return nil
	})
}

// exec runs one statement and reports whether it changed a row.
func (s *store) exec(ctx context.Context, query string, args ...any) (changed bool, err error) {
	err = s.db.InTx(ctx, func(tx *sql.Tx) (err error) {
		changed, err = execIn(ctx, tx, query, args...)
		return err
	})
	return changed, err
}

func execIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (changed bool, err error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// change runs a statement on e's ticket and stores e in the same transaction, if the statement changed the row.
func (s *store) change(ctx context.Context, e events.Event, query string, args ...any) (changed bool, err error) {
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		if changed, err = execIn(ctx, tx, query, append([]any{e.Cause}, args...)...); err != nil || !changed {
			return err
		}
		return events.Append(ctx, tx, e)
	})
	return changed, err
}

// take gives e's ticket, if it is open, to e's agent, or, with over, takes it from whoever has it.
func (s *store) take(ctx context.Context, e events.Event, over bool) (bool, error) {
	return s.change(ctx, e, `UPDATE tickets SET assignee = $2, state = $3, changes = changes + 1, changed_at = $6
		WHERE id = $1 AND state <> $4 AND assignee <> $2 AND (assignee = '' OR $5)`,
		e.Agent, StateAssigned, StateClosed, over, e.At.UnixMilli())
}

// alarm notes that the customer is in danger.
func (s *store) alarm(ctx context.Context, id TicketID, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE tickets SET reason = $2, changes = changes + 1, changed_at = $4, due_at = CASE WHEN due_at > $3 THEN $3 ELSE due_at END
		WHERE id = $1 AND reason <> $2`, id, bot.ReasonUrgent, now.Add(urgentWithin).UnixMilli(), now.UnixMilli())
	return err
}

// heard notes that the customer waits for an answer.
func (s *store) heard(ctx context.Context, id TicketID, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE tickets SET waiting_since = $2, changes = changes + 1, changed_at = $2,
		due_at = $2 + (SELECT CASE WHEN tickets.reason = $3 AND answer_ms > $4 THEN $4 ELSE answer_ms END FROM queues WHERE name = tickets.queue)
		WHERE id = $1 AND waiting_since = 0`, id, now.UnixMilli(), bot.ReasonUrgent, urgentWithin.Milliseconds())
	return err
}

// follow makes an open ticket one of another conversation, unless that has an open one.
func (s *store) follow(ctx context.Context, id TicketID, to bot.ConversationID, now time.Time) (bool, error) {
	return s.exec(ctx, `UPDATE tickets SET conversation_id = $2, changes = changes + 1, changed_at = $4
		WHERE id = $1 AND state <> $3 AND conversation_id <> $2 AND NOT EXISTS
			(SELECT 1 FROM tickets t WHERE t.conversation_id = $2 AND t.state <> $3)`, id, to, StateClosed, now.UnixMilli())
}

// reopen opens e's ticket, if it is closed, again for whoever had it.
func (s *store) reopen(ctx context.Context, e events.Event) error {
	_, err := s.change(ctx, e, `UPDATE tickets SET state = CASE WHEN assignee = '' THEN $2 ELSE $3 END, closed_at = 0, outcome = '',
		waiting_since = 0, changes = changes + 1, changed_at = $5 WHERE id = $1 AND state = $4`,
		StateOpen, StateAssigned, StateClosed, e.At.UnixMilli())
	return err
}

// replied notes that a person has written.
func (s *store) replied(ctx context.Context, id TicketID, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE tickets SET waiting_since = 0, changes = changes + 1, changed_at = $2,
		replied_at = CASE WHEN replied_at = 0 THEN $2 ELSE replied_at END WHERE id = $1`, id, now.UnixMilli())
	return err
}

// close closes e's ticket, if it is open; e's reason is the Resolution.
func (s *store) close(ctx context.Context, e events.Event) error {
	_, err := s.change(ctx, e, `UPDATE tickets SET state = $2, closed_at = $3, outcome = $4, waiting_since = 0, snoozed_until = 0,
		changes = changes + 1, changed_at = $3 WHERE id = $1 AND state <> $2`,
		StateClosed, e.At.UnixMilli(), e.Reason)
	return err
}

// note keeps a note, once per key.
func (s *store) note(ctx context.Context, id TicketID, key string, n Note) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO ticket_notes (ticket_id, key, agent, body, message_id, at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, id, key, n.Agent, n.Text, n.Message, n.At.UnixMilli()); err != nil {
			return fmt.Errorf("keep note: %w", err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE tickets SET changes = changes + 1, changed_at = $2 WHERE id = $1`, id, n.At.UnixMilli())
		return err
	})
}

func (s *store) notes(ctx context.Context, id TicketID) (list []Note, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT agent, body, message_id, at FROM ticket_notes WHERE ticket_id = $1 ORDER BY at, key`, id)
	if err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n Note
		var at int64
		if err := rows.Scan(&n.Agent, &n.Text, &n.Message, &at); err != nil {
			return nil, err
		}
		n.At = sqldb.Time(at)
		list = append(list, n)
	}
	return list, rows.Err()
}
