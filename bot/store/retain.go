package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// Forgotten is how the address begins of a customer of whom nothing is known any more.
const Forgotten = "forgotten:"

// emptyStep is how often the same conversation is emptied of what has become old.
const emptyStep = 24 * time.Hour

// An Expiry is a conversation in which something was kept for long enough.
type Expiry struct {
	Conversation bot.ConversationID
	Before       time.Time // everything older is to be emptied
}

// Expired lists conversations in which there may be something that was kept for as long as keep says for their
// affiliate: at most 1000, and each once in emptyStep.
func (s *Store) Expired(ctx context.Context, keep func(knowledge.AffiliateID) time.Duration, now time.Time) (list []Expiry, err error) {
	var affiliates []knowledge.AffiliateID
	if err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var a knowledge.AffiliateID
		err := rows.Scan(&a)
		affiliates = append(affiliates, a)
		return err
	}, `SELECT DISTINCT affiliate FROM conversations`); err != nil {
		return nil, fmt.Errorf("list affiliates: %w", err)
	}
	for _, a := range affiliates {
		before := now.Add(-keep(a))
		if err := sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
			e := Expiry{Before: before}
			err := rows.Scan(&e.Conversation)
			list = append(list, e)
			return err
		}, `SELECT c.id FROM conversations c JOIN contacts k ON k.conversation_id = c.id
			WHERE c.affiliate = $1 AND c.opened_at < $2 AND k.emptied_to < $3 AND k.emptied_to <= c.active_at ORDER BY k.emptied_to LIMIT 1000`,
			a, before.UnixMilli(), before.Add(-emptyStep).UnixMilli()); err != nil {
			return nil, fmt.Errorf("list what was kept for long enough: %w", err)
		}
	}
	return list, nil
}

// A Change is one of another package, in the same transaction.
type Change func(context.Context, *sql.Tx) error

// Empty empties what was said in a conversation before e.Before: words and files go, and what is counted stays. Of one
// that has been quiet since then, what is known of the customer goes, too; who writes again begins anew. also does the
// same for another package's tables.
func (s *Store) Empty(ctx context.Context, e Expiry, also Change) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		return s.db.Overwriting(ctx, tx, func() error {
			if err := emptyWords(ctx, tx, e); err != nil {
				return err
			}
			if err := also(ctx, tx); err != nil {
				return err
			}
			return emptyCustomer(ctx, tx, e)
		})
	})
	if err != nil {
		return fmt.Errorf("empty conversation %s: %w", e.Conversation, err)
	}
	return nil
}

func emptyWords(ctx context.Context, tx *sql.Tx, e Expiry) error {
	const old = `conversation_id = $1 AND at < $2 AND (author <> 'customer' OR turn_id <> '')`
	files, err := filesOf(ctx, tx, old, e.Conversation, e.Before.UnixMilli())
	if err != nil {
		return err
	}
	for _, query := range []string{
		`UPDATE messages SET body = '', choice = '', choices = '', attachments = '', external_id = id, network_id = '' WHERE ` + old,
		`UPDATE turns SET trace = '{}' WHERE conversation_id = $1 AND at < $2`,
		`UPDATE deliveries SET payload = '{}', external_id = '', failed_id = '' WHERE conversation_id = $1 AND settled_at < $2 AND state <> 'queued'`,
		`UPDATE contacts SET emptied_to = $2 WHERE conversation_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, query, e.Conversation, e.Before.UnixMilli()); err != nil {
			return err
		}
	}
	return removeFiles(ctx, tx, files)
}

// emptyCustomer forgets who the customer of a conversation is that has been quiet since e.Before.
func emptyCustomer(ctx context.Context, tx *sql.Tx, e Expiry) error {
	var quiet bool
	if err := tx.QueryRowContext(ctx, `SELECT active_at < $2 AND mode = 'bot' FROM conversations WHERE id = $1`, e.Conversation, e.Before.UnixMilli()).Scan(&quiet); err != nil || !quiet {
		return err
	}
	pictures, err := picturesOf(ctx, tx, `conversation_id = $1`, e.Conversation)
	if err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM visitor_revocations WHERE EXISTS (SELECT 1 FROM conversations c WHERE c.id = $1
			AND c.account = visitor_revocations.account AND c.customer = visitor_revocations.customer)`,
		`DELETE FROM aliases WHERE conversation_id = $1`,
		`UPDATE contacts SET phone = '', name = '', picture = '', first_referral = '', last_referral = '' WHERE conversation_id = $1`,
		`UPDATE conversations SET customer = '` + Forgotten + `' || id, asked = '', unreachable = TRUE WHERE id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, query, e.Conversation); err != nil {
			return err
		}
	}
	return removeFiles(ctx, tx, pictures)
}

// SweepRejects removes bodies that could not be read and came before then, and returns how many.
func (s *Store) SweepRejects(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.db.Change(ctx, `DELETE FROM rejects WHERE at < $1`, before.UnixMilli())
	if err != nil {
		return n, fmt.Errorf("remove old rejects: %w", err)
	}
	return n, nil
}
