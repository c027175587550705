package knowledge

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// A Usage is how often an entry answered customers, and how often one of them said that it was of no help.
type Usage struct{ Answers, NoHelp int }

// Usage returns how entries were used since a time, by their IDs. Those that were not used are not in it.
func (c *Corpus) Usage(ctx context.Context, affiliate AffiliateID, since time.Time) (map[EntryID]Usage, error) {
	used := map[EntryID]Usage{}
	err := sqldb.Each(ctx, c.db, func(rows *sql.Rows) error {
		var id EntryID
		var u Usage
		err := rows.Scan(&id, &u.Answers, &u.NoHelp)
		used[id] = u
		return err
	}, `SELECT v.entry, SUM(CASE WHEN v.kind IN ($3, $4) THEN 1 ELSE 0 END), SUM(CASE WHEN v.kind IN ($5, $6) AND v.reason = $7 THEN 1 ELSE 0 END)
		FROM events v JOIN entries e ON e.id = v.entry WHERE e.affiliate = $1 AND v.at >= $2 AND v.entry <> '' GROUP BY v.entry`,
		string(affiliate), sqldb.Millis(since), string(events.Answered), string(events.AlsoAnswered), string(events.Feedback), string(events.PageFeedback), events.ReasonNoHelp)
	if err != nil {
		return nil, fmt.Errorf("read how entries of %s were used: %w", affiliate, err)
	}
	return used, nil
}
