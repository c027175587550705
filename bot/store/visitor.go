package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"faqbot/knowledge/sqldb"
)

// SignOutVisitors makes the tokens useless that visitors of a chat account hold: those of one customer,
// or everybody's if customer is "". What was said stays; they begin anew, under another name.
func (s *Store) SignOutVisitors(ctx context.Context, account, customer string, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO visitor_revocations (account, customer, until) VALUES ($1, $2, $3)
			ON CONFLICT (account, customer) DO UPDATE SET until = excluded.until`, account, customer, now.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("sign visitors of %s out: %w", account, err)
	}
	return nil
}

// VisitorsSignedOut returns when the customer of a chat was last signed out, alone or with everybody;
// zero if never. Tokens issued until then are not good.
func (r *Reader) VisitorsSignedOut(ctx context.Context, account, customer string) (time.Time, error) {
	var until int64
	err := r.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(until), 0) FROM visitor_revocations WHERE account = $1 AND customer IN ('', $2)`,
		account, customer).Scan(&until)
	if err != nil {
		return time.Time{}, fmt.Errorf("look whether a visitor of %s was signed out: %w", account, err)
	}
	return sqldb.Time(until), nil
}
