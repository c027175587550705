package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// A Fetch is one claimed attachment of a customer's message, to be had from its network.
type Fetch struct {
	ID           string
	Conversation bot.ConversationID
	message      bot.MessageID
	place        int // of the attachment in its message
	From         bot.Address
	Attachment   bot.Attachment
	Transcribe   bool // a turn waits for what is said in it
	Attempt      int  // this one included
	fence        int64
}

// queueFetches queues what is to be fetched of a message that was just stored. With hear, what may be
// speech is to be turned into words too, and a turn waits for it.
func queueFetches(ctx context.Context, tx *sql.Tx, c bot.Conversation, id bot.MessageID, list []bot.Attachment, transcribe bool, now time.Time) error {
	for i, a := range list {
		hears := transcribe && a.Spoken()
		if !hears && (a.File == "" || a.Kept != "") {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO fetches (id, conversation_id, message_id, place, holds, due_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			sqldb.NewID(now), c.ID, id, i, hears, now.UnixMilli()); err != nil {
			return fmt.Errorf("queue a file to fetch: %w", err)
		}
	}
	return nil
}

// ClaimFetch claims the fetch that is due longest. With none due, next is when one will be.
func (s *Store) ClaimFetch(ctx context.Context, now time.Time, lease time.Duration) (f Fetch, next time.Time, ok bool, err error) {
	var attachments string
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE fetches SET lease_until = $2, attempt = attempt + 1, fence = fence + 1
			WHERE id = (SELECT id FROM fetches WHERE state = 'queued' AND due_at <= $1
				AND (lease_until = 0 OR `+leaseEnd("lease_until", "attempt", FetchWaits())+` <= $1) ORDER BY due_at, id LIMIT 1 `+s.db.SkipLocked+`)
			RETURNING id, conversation_id, message_id, place, holds, attempt, fence`, now.UnixMilli(), now.Add(lease).UnixMilli()).
			Scan(&f.ID, &f.Conversation, &f.message, &f.place, &f.Transcribe, &f.Attempt, &f.fence)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT c.channel, c.account, c.customer, m.attachments FROM messages m
			JOIN conversations c ON c.id = m.conversation_id WHERE m.id = $1`, f.message).
			Scan(&f.From.Channel, &f.From.Account, &f.From.Customer, &attachments)
	})
	if errors.Is(err, sql.ErrNoRows) {
		next, err = s.soonest(ctx, `SELECT MIN(CASE WHEN due_at > lease_until THEN due_at ELSE lease_until END) AS at
			FROM fetches WHERE state = 'queued' AND (due_at > $1 OR lease_until > $1)`, now)
		return f, next, false, err
	}
	if err != nil {
		return f, next, false, fmt.Errorf("claim a file to fetch: %w", err)
	}
	var list []bot.Attachment
	if unpack(attachments, &list) == nil && f.place < len(list) { // else its words were taken back, or cannot be read; it is settled as lost
		f.Attachment = list[f.place]
	}
	return f, next, true, nil
}

// RenewFetch keeps a claimed fetch from others until then, unless it was settled or claimed anew.
func (s *Store) RenewFetch(ctx context.Context, f Fetch, until time.Time) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE fetches SET lease_until = $3 WHERE id = $1 AND fence = $2 AND lease_until > 0 AND state = 'queued'`,
			f.ID, f.fence, until.UnixMilli())
		return err
	})
}

// DeferFetch gives a claim back to be tried again at due. One that was merely interrupted does not count.
func (s *Store) DeferFetch(ctx context.Context, f Fetch, due time.Time, interrupted bool) error {
	back := 0
	if interrupted {
		back = 1
	}
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE fetches SET lease_until = 0, due_at = $3, attempt = attempt - $4 WHERE id = $1 AND fence = $2 AND state = 'queued'`,
			f.ID, f.fence, due.UnixMilli(), back)
		return err
	})
}

// SettleFetch records a, what became of f's attachment, unless another worker has claimed f since. What
// was heard in it becomes words of the customer's, if nothing has answered the message yet; and the turn
// that waited for it need not wait any more.
func (s *Store) SettleFetch(ctx context.Context, f Fetch, a bot.Attachment, now time.Time) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		state := "kept"
		if a.Lost != "" {
			state = "lost"
		}
		// The conversation first, as everybody locks them.
		if _, err := s.lockRow(ctx, tx, f.Conversation, now); err != nil {
			return fmt.Errorf("lock the conversation of a file: %w", err)
		}
		res, err := tx.ExecContext(ctx, `UPDATE fetches SET state = $3, lease_until = 0, settled_at = $4 WHERE id = $1 AND fence = $2 AND state = 'queued'`,
			f.ID, f.fence, state, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("settle fetch %s: %w", f.ID, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := attach(ctx, tx, f, a, now); err != nil {
			return fmt.Errorf("settle fetch %s: %w", f.ID, err)
		}
		return release(ctx, tx, f.Conversation, now)
	})
}

// attach puts a in f's place in its message, and what was heard into the message's words.
func attach(ctx context.Context, tx *sql.Tx, f Fetch, a bot.Attachment, now time.Time) error {
	var list []bot.Attachment
	var attachments, body string
	var turn bot.TurnID
	var author bot.Author
	err := tx.QueryRowContext(ctx, `SELECT attachments, body, turn_id, author FROM messages WHERE id = $1`, f.message).Scan(&attachments, &body, &turn, &author)
	if err != nil {
		return err
	}
	if unpack(attachments, &list) != nil || f.place >= len(list) {
		return nil // taken back meanwhile, or it cannot be read
	}
	list[f.place] = a
	if err := keepAttachments(ctx, tx, list[f.place:f.place+1], now); err != nil && !errors.Is(err, media.ErrNotFound) {
		return err
	}
	waits := a.Heard != "" && turn == "" && author == bot.AuthorCustomer
	if waits {
		body = strings.TrimSpace(body + "\n" + a.Heard)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET attachments = $2, body = $3 WHERE id = $1`, f.message, pack(list), body); err != nil {
		return err
	}
	if waits { // a turn in progress has not read them: its fence goes, and it is done again
		return bumpFence(ctx, tx, f.Conversation)
	}
	return nil
}

// release lets the turn of a conversation start that waited for nothing but files which are settled now.
func release(ctx context.Context, tx *sql.Tx, id bot.ConversationID, now time.Time) error {
	var waiting int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM fetches WHERE conversation_id = $1 AND state = 'queued' AND holds`, id).Scan(&waiting)
	if err != nil || waiting > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE turn_queue SET due_at = CASE WHEN due_at = held_until AND due_at > $2 THEN $2 ELSE due_at END,
		held_until = 0 WHERE conversation_id = $1 AND held_until > 0`, id, sqldb.Millis(now))
	return err
}
