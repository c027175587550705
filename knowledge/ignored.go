package knowledge

import (
	"context"
	"database/sql"
	"fmt"

	"faqbot/knowledge/sqldb"
)

// IgnoreFinding remembers that somebody leaves a finding as it is. finding is its digest.
func (c *Corpus) IgnoreFinding(ctx context.Context, affiliate AffiliateID, finding, by string) error {
	_, err := c.db.Change(ctx, `INSERT INTO ignored_findings (affiliate, finding, ignored_by, ignored_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		string(affiliate), finding, by, sqldb.Millis(c.now()))
	if err != nil {
		return fmt.Errorf("ignore a finding of %s: %w", affiliate, err)
	}
	return nil
}

// RecallFindings undoes IgnoreFinding, for all findings if none is named.
func (c *Corpus) RecallFindings(ctx context.Context, affiliate AffiliateID, finding string) error {
	if _, err := c.db.Change(ctx, `DELETE FROM ignored_findings WHERE affiliate = $1 AND ($2 = '' OR finding = $2)`, string(affiliate), finding); err != nil {
		return fmt.Errorf("recall findings of %s: %w", affiliate, err)
	}
	return nil
}

// IgnoredFindings returns the digests of the findings that are left as they are.
func (c *Corpus) IgnoredFindings(ctx context.Context, affiliate AffiliateID) (map[string]bool, error) {
	ignored := map[string]bool{}
	err := sqldb.Each(ctx, c.db, func(rows *sql.Rows) error {
		var finding string
		err := rows.Scan(&finding)
		ignored[finding] = true
		return err
	}, `SELECT finding FROM ignored_findings WHERE affiliate = $1`, string(affiliate))
	if err != nil {
		return nil, fmt.Errorf("read ignored findings of %s: %w", affiliate, err)
	}
	return ignored, nil
}
