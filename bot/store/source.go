package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
)

// Sources counts how customers of some affiliates, as Search names them, came whose conversations began
// since then: those that brought most first.
func (r *Reader) Sources(ctx context.Context, of []knowledge.AffiliateID, since time.Time) (list []bot.Source, err error) {
	args := []any{since.UnixMilli(), bot.ActionHandoff}
	among := knowledge.Among(of, &args)
	rows, err := r.db.QueryContext(ctx, `SELECT name, channel, COUNT(DISTINCT first_of), COUNT(DISTINCT last_of), COUNT(DISTINCT helped) FROM (
			SELECT first_ref AS name, channel, customer_id AS first_of, NULL AS last_of, CASE WHEN EXISTS
				(SELECT 1 FROM turns t WHERE t.conversation_id = conversations.id AND t.action = $2) THEN customer_id END AS helped
			`+conversationTables+`WHERE first_ref <> '' AND opened_at >= $1 AND `+among+`
			UNION ALL SELECT last_ref, channel, NULL, customer_id, NULL`+conversationTables+`WHERE last_ref <> '' AND opened_at >= $1 AND `+among+`
		) came GROUP BY name, channel ORDER BY COUNT(DISTINCT first_of) DESC, COUNT(DISTINCT last_of) DESC, name, channel LIMIT 500`, args...)
	if err != nil {
		return nil, fmt.Errorf("count sources: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s bot.Source
		if err := rows.Scan(&s.Name, &s.Channel, &s.First, &s.Last, &s.Person); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
