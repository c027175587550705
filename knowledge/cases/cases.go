// Package cases keeps each affiliate's test cases, questions with their expected outcomes, and the runs of them. It
// knows neither what a case says nor what a result means: both are JSON of package eval's.
//
// A case may be a customer's question. It goes with the customer's conversation, and so do its results.
package cases

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("cases", migrations) }

// MaxCases is how many cases an affiliate may have.
const MaxCases = 2000

var (
	// ErrNotFound means that there is no such case or run of the affiliate's.
	ErrNotFound = errors.New("not found")
	// ErrFull means that the affiliate would have more than MaxCases.
	ErrFull = fmt.Errorf("more than %d cases", MaxCases)
)

// A Case is one row of an affiliate's suite.
type Case struct {
	ID           string
	Conversation string // the customer's whose question it is, "" if somebody of the affiliate's wrote it
	Body         string // JSON
	By           string
	At           time.Time // when it was asked
}

// A Store keeps cases and runs.
type Store struct{ db *sqldb.DB }

// NewStore keeps them in db.
func NewStore(db *sqldb.DB) *Store { return &Store{db} }

// RowsOf selects what there is of some conversations, as a store.RowsOf.
func RowsOf(ids string) []sqldb.Selection {
	return []sqldb.Selection{{Table: "case_results", Where: `conversation_id IN ` + ids}, {Table: "cases", Where: `conversation_id IN ` + ids}}
}

// Empty removes a conversation's cases that were asked before then, with their results.
func Empty(ctx context.Context, tx *sql.Tx, conversation string, before time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE conversation_id = $1 AND at < $2`, conversation, before.UnixMilli())
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM case_results WHERE conversation_id = $1
			AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.conversation_id = $1 AND c.id = case_results.case_id)`, conversation)
	}
	if err != nil {
		return fmt.Errorf("empty cases: %w", err)
	}
	return nil
}

// List reads an affiliate's cases, the oldest first.
func (s *Store) List(ctx context.Context, a knowledge.AffiliateID) (list []Case, err error) {
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var c Case
		var at int64
		err := rows.Scan(&c.ID, &c.Conversation, &c.Body, &c.By, &at)
		c.At = sqldb.Time(at)
		list = append(list, c)
		return err
	}, `SELECT id, conversation_id, body, added_by, at FROM cases WHERE affiliate = $1 ORDER BY at, id`, a)
	if err != nil {
		return nil, fmt.Errorf("read the cases of %s: %w", a, err)
	}
	return list, nil
}

// Count is how many cases an affiliate has.
func (s *Store) Count(ctx context.Context, a knowledge.AffiliateID) (n int, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM cases WHERE affiliate = $1`, a).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the cases of %s: %w", a, err)
	}
	return n, nil
}

// Add keeps cases. One with the ID of another takes its place; with replace they take the place of all.
func (s *Store) Add(ctx context.Context, a knowledge.AffiliateID, list []Case, replace bool) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		if replace {
			if _, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE affiliate = $1`, a); err != nil {
				return fmt.Errorf("remove the cases of %s: %w", a, err)
			}
		}
		for _, c := range list {
			if _, err := tx.ExecContext(ctx, `INSERT INTO cases (affiliate, id, conversation_id, body, added_by, at) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (affiliate, id) DO UPDATE SET conversation_id = excluded.conversation_id, body = excluded.body, added_by = excluded.added_by`,
				a, c.ID, c.Conversation, c.Body, c.By, sqldb.Millis(c.At)); err != nil {
				return fmt.Errorf("keep a case: %w", err)
			}
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM cases WHERE affiliate = $1`, a).Scan(&n); err != nil {
			return fmt.Errorf("count cases: %w", err)
		}
		if n > MaxCases {
			return ErrFull
		}
		return nil
	})
}

// Remove removes a case, or returns ErrNotFound.
func (s *Store) Remove(ctx context.Context, a knowledge.AffiliateID, id string) error {
	n, err := s.db.Change(ctx, `DELETE FROM cases WHERE affiliate = $1 AND id = $2`, a, id)
	if err == nil && n == 0 {
		err = fmt.Errorf("case %s: %w", id, ErrNotFound)
	}
	return err
}
