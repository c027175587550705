package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/bot/phone"
	"faqbot/knowledge/sqldb"
)

// openConversation finds or begins the conversation of e's customer and locks its row. Where the
// network has a stable ID for a customer, that decides who they are: a phone number can pass to
// somebody else, who must not be taken for the one before.
func (s *Store) openConversation(ctx context.Context, tx *sql.Tx, account bot.Account, e bot.Event, now time.Time) (*ConversationTx, error) {
	if e.Stable != "" {
		c, err := s.findByStable(ctx, tx, e, now)
		if c != nil || err != nil {
			return c, err
		}
		if err := detachAddress(ctx, tx, e); err != nil {
			return nil, err
		}
	}
	c, err := s.openByAddress(ctx, tx, account, e, now)
	if err != nil || e.Stable == "" {
		return c, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO aliases (channel, account, stable, conversation_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		e.Address.Channel, e.Address.Account, e.Stable, c.conv.ID)
	return c, err
}

// findByStable is the conversation that e.Stable names, nil if there is none. It goes on under the address
// that the customer writes from now, unless another conversation has that.
func (s *Store) findByStable(ctx context.Context, tx *sql.Tx, e bot.Event, now time.Time) (*ConversationTx, error) {
	a := e.Address
	c := &ConversationTx{tx: tx, now: now}
	row := tx.QueryRowContext(ctx, selectForEvent+`WHERE id = (SELECT conversation_id FROM aliases WHERE channel = $1 AND account = $2 AND stable = $3) `+s.db.ForUpdate,
		a.Channel, a.Account, e.Stable)
	err := c.scanEvent(row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find conversation: %w", err)
	}
	if c.conv.Address.Customer == a.Customer || a.Customer == e.Stable {
		return c, nil
	}
	moved, err := moveAddress(ctx, tx, c.conv.ID, a)
	if moved {
		c.conv.Address.Customer = a.Customer
	}
	return c, err
}

// moveAddress makes a conversation one with another address on its account, unless another conversation has that.
func moveAddress(ctx context.Context, tx *sql.Tx, id bot.ConversationID, to bot.Address) (moved bool, err error) {
	res, err := tx.ExecContext(ctx, `UPDATE conversations SET customer = $4 WHERE id = $1 AND NOT EXISTS
		(SELECT 1 FROM conversations o WHERE o.channel = $2 AND o.account = $3 AND o.customer = $4)`, id, to.Channel, to.Account, to.Customer)
	if err != nil {
		return false, fmt.Errorf("follow a customer to another address: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// detachAddress takes e's address away from a conversation that belongs to another stable ID: from now on
// that one goes by its own.
func detachAddress(ctx context.Context, tx *sql.Tx, e bot.Event) error {
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

// openByAddress finds or begins the conversation of e's address. One of the same number in another spelling is that, too.
func (s *Store) openByAddress(ctx context.Context, tx *sql.Tx, account bot.Account, e bot.Event, now time.Time) (*ConversationTx, error) {
	c, to := &ConversationTx{tx: tx, now: now}, e.Address
	find := func() error {
		return c.scanEvent(tx.QueryRowContext(ctx, selectForEvent+`WHERE channel = $1 AND account = $2 AND customer = $3 `+s.db.ForUpdate,
			to.Channel, to.Account, to.Customer))
	}
	err := find()
	if errors.Is(err, sql.ErrNoRows) && e.Phone != "" && phone.Canonical(to.Customer) == e.Phone {
		if to.Customer, err = otherSpelling(ctx, tx, to, e.Phone); err == nil {
			err = find()
		}
	}
	began := false
	if errors.Is(err, sql.ErrNoRows) {
		if began, err = insertConversation(ctx, tx, account, to, now); err != nil {
			return nil, err
		}
		err = find() // another process may have begun it
	}
	if err == nil && began {
		err = c.joinSibling(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open conversation: %w", err)
	}
	return c, nil
}

// otherSpelling is the customer's address on an account under which number has written, to's own if it never has.
func otherSpelling(ctx context.Context, tx *sql.Tx, to bot.Address, number string) (customer string, err error) {
	customer = to.Customer
	err = sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
		var other string
		err := rows.Scan(&other)
		if phone.Canonical(other) == number {
			customer = other
		}
		return err
	}, `SELECT c.customer FROM contacts k JOIN conversations c ON c.id = k.conversation_id WHERE k.phone = $3 AND k.phone <> '' AND c.channel = $1 AND c.account = $2`,
		to.Channel, to.Account, number)
	if err != nil {
		return "", fmt.Errorf("look for a number's other spelling: %w", err)
	}
	return customer, nil
}

// insertConversation begins the conversation of an address, unless there is one.
func insertConversation(ctx context.Context, tx *sql.Tx, account bot.Account, to bot.Address, now time.Time) (began bool, err error) {
	id, customer := bot.ConversationID(sqldb.NewID(now)), bot.CustomerID(sqldb.NewID(now))
	res, err := tx.ExecContext(ctx, `INSERT INTO conversations
		(id, channel, account, customer, customer_id, affiliate, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (channel, account, customer) DO NOTHING`,
		id, to.Channel, to.Account, to.Customer, customer, account.Owner(), now.UnixMilli())
	if err != nil {
		return false, fmt.Errorf("begin conversation: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	for _, table := range []string{"turn_queue", "contacts"} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (conversation_id) VALUES ($1)`, id); err != nil {
			return false, fmt.Errorf("begin the %s of a conversation: %w", table, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO customers (id, opened_at) VALUES ($1, $2)`, customer, now.UnixMilli()); err != nil {
		return false, fmt.Errorf("add customer: %w", err)
	}
	return true, nil
}

// changeAddress gives the conversation of e's address, if there is one, the customer's new IDs.
func changeAddress(ctx context.Context, tx *sql.Tx, e bot.Event) error {
	a, to := e.Address, e.AddressChanged
	var id bot.ConversationID
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
	moved, err := moveAddress(ctx, tx, id, bot.Address{Channel: a.Channel, Account: a.Account, Customer: to.Customer})
	if err != nil || !moved {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE contacts SET phone = '' WHERE conversation_id = $1`, id)
	return err
}

// storeReach notes what an event says besides its content: how the customer came, and until when the
// network lets us write. Both only move forward, so an event that comes again changes nothing.
func (c *ConversationTx) storeReach(ctx context.Context, e bot.Event, l bot.Limits) error {
	if err := c.storeReferral(ctx, e); err != nil {
		return err
	}
	reason := e.Opens
	if reason == "" && e.Message != nil {
		reason = bot.WindowMessage
	}
	until := e.At.Add(l.Window)
	if l.Window == 0 || reason == "" || !until.After(c.conv.WindowUntil) {
		return nil
	}
	c.conv.WindowUntil, c.conv.WindowReason = until, reason
	if e.Message != nil { // storeMessage writes it, with the rest
		return nil
	}
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET window_until = $2, window_reason = $3 WHERE id = $1`,
		c.conv.ID, until.UnixMilli(), reason)
	return err
}

func (c *ConversationTx) storeReferral(ctx context.Context, e bot.Event) error {
	r := e.Referral
	if r == nil && e.Message != nil && e.Message.Ref != "" {
		r = &bot.Referral{Ref: e.Message.Ref, Source: "link"}
	}
	if r == nil {
		return nil
	}
	came := bot.Referral{Ref: CleanText(r.Ref), Source: CleanText(r.Source), ID: CleanText(r.ID), Click: CleanText(r.Click), URL: CleanText(r.URL),
		Title: CleanText(r.Title), At: e.At.UTC()}
	var first, last bot.Referral
	var firstText, lastText string
	err := c.tx.QueryRowContext(ctx, `SELECT first_referral, last_referral FROM contacts WHERE conversation_id = $1`, c.conv.ID).Scan(&firstText, &lastText)
	if err = errors.Join(err, unpack(firstText, &first), unpack(lastText, &last)); err != nil {
		return fmt.Errorf("read referrals: %w", err)
	}
	if first.Name() == "" || came.At.Before(first.At) {
		first = came
	}
	if !came.At.Before(last.At) {
		last = came
	}
	_, err = c.tx.ExecContext(ctx, `UPDATE contacts SET first_ref = $2, first_referral = $3, last_ref = $4, last_referral = $5 WHERE conversation_id = $1`,
		c.conv.ID, first.Name(), mustJSON(first), last.Name(), mustJSON(last))
	return err
}
