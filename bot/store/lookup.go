package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// Find returns the conversation with an address, or ErrNotFound.
func (r *Reader) Find(ctx context.Context, a bot.Address) (bot.Conversation, error) {
	row := r.db.QueryRowContext(ctx, `SELECT `+conversationColumns+conversationTables+`
		WHERE channel = $1 AND account = $2 AND customer = $3`, a.Channel, a.Account, a.Customer)
	conv, err := scanConversation(row)
	if errors.Is(err, sql.ErrNoRows) {
		return conv, fmt.Errorf("conversation on %s: %w", a.Key(), bot.ErrNotFound)
	}
	return conv, err
}

// escapeLike makes word match itself in a LIKE pattern that escapes by a backslash.
func escapeLike(word string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(word)
}

// Turns returns the turns of a conversation, oldest first: what the bot did, and why.
func (r *Reader) Turns(ctx context.Context, id bot.ConversationID) (list []bot.TurnRecord, err error) {
	err = sqldb.Each(ctx, r.db, func(rows *sql.Rows) error {
		t, unpackTrace, err := scanTurn(rows)
		if err == nil {
			err = unpackTrace(&t)
		}
		list = append(list, t)
		return err
	}, `SELECT `+turnColumns+` FROM turns WHERE conversation_id = $1 ORDER BY at, id`, id)
	if err != nil {
		return nil, fmt.Errorf("read turns of %s: %w", id, err)
	}
	return list, nil
}

const turnColumns = `id, action, reason, score, entries, trace, at`

// scanTurn reads turnColumns; unpackTrace then fills in the entries and the trace.
func scanTurn(row scanner) (t bot.TurnRecord, unpackTrace func(*bot.TurnRecord) error, err error) {
	var entries, trace string
	var at int64
	err = row.Scan(&t.ID, &t.Decision.Action, &t.Decision.Reason, &t.Decision.Score, &entries, &trace, &at)
	t.At = sqldb.Time(at)
	return t, func(t *bot.TurnRecord) error {
		if err := errors.Join(unpack(entries, &t.Decision.Entries), json.Unmarshal([]byte(trace), &t.Trace)); err != nil {
			return fmt.Errorf("turn %s: %w", t.ID, err)
		}
		return nil
	}, err
}

// WithFile returns the conversations in which a file that we keep, by its attachment's Kept, was sent, or whose customer
// it shows.
func (r *Reader) WithFile(ctx context.Context, file string) (list []bot.Conversation, err error) {
	list, err = r.conversations(ctx, `id IN
		(SELECT m.conversation_id FROM messages m WHERE m.attachments <> '' AND m.attachments LIKE $1 ESCAPE '\'
		UNION ALL SELECT conversation_id FROM contacts WHERE picture = $2 AND picture <> '')`,
		`%`+escapeLike(`"kept":`+mustJSON(file))+`%`, file) // no name that a customer gives a file can look so
	if err != nil {
		return nil, fmt.Errorf("find the conversations of a file: %w", err)
	}
	return list, nil
}

// Transcript returns what was said after seq, oldest first.
func (r *Reader) Transcript(ctx context.Context, id bot.ConversationID, after int64) ([]bot.Message, error) {
	list, err := r.messages(ctx, `m.conversation_id = $1 AND m.seq > $2 ORDER BY m.seq`, id, after)
	if err != nil {
		return nil, fmt.Errorf("read conversation %s: %w", id, err)
	}
	return list, nil
}

// WithPerson lists the conversations that people have, quiet since before, oldest first, of which
// the desk has heard all there is to hear.
func (r *Reader) WithPerson(ctx context.Context, before time.Time) (list []bot.Conversation, err error) {
	list, err = r.conversations(ctx, `mode = $1 AND active_at < $2 AND NOT EXISTS (SELECT 1 FROM deliveries d
			WHERE d.conversation_id = conversations.id AND d.lane = $3 AND d.state = 'queued')
		ORDER BY active_at`, bot.ModePerson, before.UnixMilli(), LaneDesk)
	if err != nil {
		return nil, fmt.Errorf("list conversations with people: %w", err)
	}
	return list, nil
}

// OfCustomer lists all conversations of a customer.
func (r *Reader) OfCustomer(ctx context.Context, id bot.CustomerID) ([]bot.Conversation, error) {
	list, err := r.conversations(ctx, `customer_id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("list a customer's conversations: %w", err)
	}
	return list, nil
}
