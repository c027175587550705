package bot

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// openConversation finds or begins the conversation of e's customer and locks its row. Where the
// network has a stable ID for a customer, that decides who they are: a phone number can pass to
// somebody else, who must not be taken for the one before.
func openConversation(ctx context.Context, tx *sql.Tx, account Account, e Event, now time.Time) (*hearing, error) {
	if e.Stable != "" {
		h, err := known(ctx, tx, e, now)
		if h != nil || err != nil {
			return h, err
		}
		if err := evict(ctx, tx, e); err != nil {
			return nil, err
		}
	}
	h, err := insertConversation(ctx, tx, account, e.Address, now)
	if err != nil || e.Stable == "" {
		return h, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO aliases (channel, account, stable, conversation_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		e.Address.Channel, e.Address.Account, e.Stable, h.conv.ID)
	return h, err
}

const hearingColumns = conversationColumns + `, next_seq, waiting_since, active_at`

// known is the conversation that e.Stable names, nil if there is none. It goes on under the address
// that the customer writes from now, unless another conversation has that.
func known(ctx context.Context, tx *sql.Tx, e Event, now time.Time) (*hearing, error) {
	a := e.Address
	h := &hearing{now: now}
	row := tx.QueryRowContext(ctx, `UPDATE conversations SET customer = CASE WHEN $4 = $3 OR EXISTS
			(SELECT 1 FROM conversations o WHERE o.channel = $1 AND o.account = $2 AND o.customer = $4) THEN customer ELSE $4 END
		WHERE id = (SELECT conversation_id FROM aliases WHERE channel = $1 AND account = $2 AND stable = $3)
		RETURNING `+hearingColumns, a.Channel, a.Account, e.Stable, a.Customer)
	var err error
	h.conv, err = scanConversation(row, &h.seq, &h.waitingSince, &h.activeAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find conversation: %w", err)
	}
	return h, nil
}

// evict takes e's address away from a conversation that belongs to another stable ID: from now on
// that one goes by its own.
func evict(ctx context.Context, tx *sql.Tx, e Event) error {
	if e.Address.Customer == e.Stable {
		return nil
	}
	a := e.Address
	_, err := tx.ExecContext(ctx, `UPDATE conversations SET customer =
			(SELECT MAX(l.stable) FROM aliases l WHERE l.conversation_id = conversations.id AND l.stable <> $4)
		WHERE channel = $1 AND account = $2 AND customer = $3
			AND EXISTS (SELECT 1 FROM aliases l WHERE l.conversation_id = conversations.id AND l.stable <> $4)`,
		a.Channel, a.Account, a.Customer, e.Stable)
	if err != nil {
		return fmt.Errorf("part two customers of one address: %w", err)
	}
	return nil
}

func insertConversation(ctx context.Context, tx *sql.Tx, account Account, to Address, now time.Time) (*hearing, error) {
	id, customer := ConversationID(rand.Text()), CustomerID(rand.Text())
	row := tx.QueryRowContext(ctx, `INSERT INTO conversations
		(id, channel, account, customer, customer_id, affiliate, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (channel, account, customer) DO UPDATE SET opened_at = conversations.opened_at
		RETURNING `+hearingColumns,
		id, to.Channel, to.Account, to.Customer, customer, account.Owner(), now.UnixMilli())
	h := &hearing{now: now}
	var err error
	if h.conv, err = scanConversation(row, &h.seq, &h.waitingSince, &h.activeAt); err != nil {
		return nil, fmt.Errorf("open conversation: %w", err)
	}
	if h.conv.ID != id {
		return h, nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO customers (id, opened_at) VALUES ($1, $2)`, customer, now.UnixMilli()); err != nil {
		return nil, fmt.Errorf("add customer: %w", err)
	}
	return h, nil
}

// move gives the conversation of e's address, if there is one, the customer's new IDs.
func move(ctx context.Context, tx *sql.Tx, e Event) error {
	a, to := e.Address, e.Moved
	var id ConversationID
	err := tx.QueryRowContext(ctx, `SELECT id FROM conversations WHERE channel = $1 AND account = $2 AND (customer = $3 OR id IN
			(SELECT conversation_id FROM aliases WHERE channel = $1 AND account = $2 AND stable IN ($3, $4)))
		ORDER BY opened_at DESC LIMIT 1`, a.Channel, a.Account, a.Customer, e.Stable).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find who moved: %w", err)
	}
	if to.Stable != "" {
		if _, err := tx.ExecContext(ctx, `INSERT INTO aliases (channel, account, stable, conversation_id) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, a.Channel, a.Account, to.Stable, id); err != nil {
			return fmt.Errorf("note a new ID: %w", err)
		}
	}
	if to.Customer == "" {
		return nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET customer = $4, phone = '' WHERE id = $1 AND NOT EXISTS
		(SELECT 1 FROM conversations o WHERE o.channel = $2 AND o.account = $3 AND o.customer = $4)`, id, a.Channel, a.Account, to.Customer)
	return err
}

// touch notes what an event says besides its content: how the customer came, and until when the
// network lets us write. Both only move forward, so an event that comes again changes nothing.
func (h *hearing) touch(ctx context.Context, tx *sql.Tx, e Event, l Limits) error {
	if err := h.refer(ctx, tx, e); err != nil {
		return err
	}
	reason := e.Opens
	if reason == "" && e.Message != nil {
		reason = WindowMessage
	}
	until := e.At.Add(l.Window)
	if l.Window == 0 || reason == "" || !until.After(h.conv.WindowUntil) {
		return nil
	}
	h.conv.WindowUntil, h.conv.WindowReason = until, reason
	if e.Message != nil { // hear writes it, with the rest
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE conversations SET window_until = $2, window_reason = $3 WHERE id = $1`,
		h.conv.ID, until.UnixMilli(), reason)
	return err
}

func (h *hearing) refer(ctx context.Context, tx *sql.Tx, e Event) error {
	r := e.Referral
	if r == nil && e.Message != nil && e.Message.Ref != "" {
		r = &Referral{Ref: e.Message.Ref, Source: "link"}
	}
	if r == nil {
		return nil
	}
	came := Referral{Ref: storable(r.Ref), Source: storable(r.Source), ID: storable(r.ID), Click: storable(r.Click), URL: storable(r.URL),
		Title: storable(r.Title), At: e.At.UTC()}
	first, last := h.conv.First, h.conv.Last
	if first.Name() == "" || came.At.Before(first.At) {
		first = came
	}
	if !came.At.Before(last.At) {
		last = came
	}
	_, err := tx.ExecContext(ctx, `UPDATE conversations SET first_ref = $2, first_referral = $3, last_ref = $4, last_referral = $5 WHERE id = $1`,
		h.conv.ID, first.Name(), mustJSON(first), last.Name(), mustJSON(last))
	return err
}
