package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"faqbot/bot"
)

// In a group each member has a conversation of their own. Earlier builds had one for all of them.

// addressInGroup is r as a reply to the newest message of the member's before seq, and with their name: others read along.
func (c *ConversationTx) addressInGroup(ctx context.Context, r bot.Reply, seq int64) (bot.Reply, error) {
	if _, _, ok := c.conv.Address.Member(); !ok || r.Quote != "" {
		return r, nil
	}
	r.To = c.conv.Name
	err := c.tx.QueryRowContext(ctx, `SELECT network_id FROM messages WHERE conversation_id = $1 AND author = $2 AND seq < $3 AND network_id <> ''
		ORDER BY seq DESC LIMIT 1`, c.conv.ID, bot.AuthorCustomer, seq).Scan(&r.Quote)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("find what a reply answers: %w", err)
	}
	return r, nil
}

// toShared is e in the conversation that all of a group had in an earlier build, if it replies to a message of ours
// there: that matter goes on where it is.
func toShared(ctx context.Context, tx *sql.Tx, e bot.Event) (bot.Event, error) {
	group, _, ok := e.Address.Member()
	if !ok || e.Message == nil {
		return e, nil
	}
	for _, a := range e.Message.Attachments {
		if a.Kind != bot.KindReply || a.Of == "" {
			continue
		}
		var ours bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries d JOIN conversations c ON c.id = d.conversation_id
			WHERE d.external_id = $4 AND d.external_id <> '' AND c.channel = $1 AND c.account = $2 AND c.customer = $3)`,
			e.Address.Channel, e.Address.Account, group, a.Of).Scan(&ours)
		if err != nil {
			return e, fmt.Errorf("find what a message in a group replies to: %w", err)
		}
		if ours {
			e.Address.Customer, e.Name = group, ""
			return e, nil
		}
	}
	return e, nil
}

// memberAlias is the alias by which a member's conversation in a group is found.
func memberAlias(member string) string { return "member:" + member }

// joinSibling makes the conversation, which has just begun, one of the customer who has another with us on the same
// account, in private or in a group. Who waits for a person in a group, and now writes in private, answers that person.
func (c *ConversationTx) joinSibling(ctx context.Context) error {
	a := c.conv.Address
	_, member, inGroup := a.Member()
	if !inGroup {
		member = a.Customer
	}
	var customer bot.CustomerID
	err := c.tx.QueryRowContext(ctx, `SELECT c.customer_id FROM conversations c JOIN contacts k ON k.conversation_id = c.id
		WHERE c.id IN (SELECT conversation_id FROM aliases WHERE channel = $1 AND account = $2 AND stable = $4
			UNION ALL SELECT id FROM conversations WHERE channel = $1 AND account = $2 AND customer = $3)
		AND c.id <> $5 AND c.affiliate = $6 AND NOT k.apart ORDER BY c.opened_at LIMIT 1`,
		a.Channel, a.Account, member, memberAlias(member), c.conv.ID, c.conv.Affiliate).Scan(&customer)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find a customer's conversations in private and in groups: %w", err)
	}
	if inGroup {
		if _, err := c.tx.ExecContext(ctx, `INSERT INTO aliases (channel, account, stable, conversation_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			a.Channel, a.Account, memberAlias(member), c.conv.ID); err != nil {
			return fmt.Errorf("note a group's member: %w", err)
		}
	}
	if customer == "" {
		return nil
	}
	var waits bool
	if err := c.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM conversations WHERE customer_id = $1 AND channel = $2 AND account = $3 AND mode = $4)`,
		customer, a.Channel, a.Account, bot.ModePerson).Scan(&waits); err != nil {
		return fmt.Errorf("find who waits for a person in a group: %w", err)
	}
	if err := c.joinCustomer(ctx, customer, bot.ProofSame, ""); err != nil {
		return err
	}
	if err := c.shareProfile(ctx); err != nil || inGroup || !waits {
		return err
	}
	return c.setMode(ctx, bot.ModePerson)
}

// shareProfile gives the conversation, which has just begun, what the network told of its customer for another one.
func (c *ConversationTx) shareProfile(ctx context.Context) error {
	for _, column := range []string{"picture", "profile_at"} {
		if _, err := c.tx.ExecContext(ctx, `UPDATE contacts SET `+column+` = (SELECT MAX(k.`+column+`) FROM contacts k WHERE k.conversation_id IN `+sameNetworkID+`)
			WHERE conversation_id = $1`, c.conv.ID); err != nil {
			return fmt.Errorf("share a profile: %w", err)
		}
	}
	return nil
}

// Private is the conversation of a group's member with us alone, "" if there is none, or if it is somebody else's.
func (r *Reader) Private(ctx context.Context, conv bot.Conversation) (id bot.ConversationID, err error) {
	_, member, ok := conv.Address.Member()
	if !ok {
		return "", nil
	}
	err = r.db.QueryRowContext(ctx, `SELECT id FROM conversations WHERE channel = $1 AND account = $2 AND customer = $3 AND customer_id = $4`,
		conv.Address.Channel, conv.Address.Account, member, conv.Customer).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find a member's private conversation: %w", err)
	}
	return id, nil
}
