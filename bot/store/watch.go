package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
)

// Pulses returns those of the conversations in which something was said, or a file came, since then, and
// of those that owe the customer something, however old.
func (r *Reader) Pulses(ctx context.Context, since time.Time) (list []bot.ChangeMark, err error) {
	const columns = `c.id, c.affiliate, c.next_seq, (SELECT q.fence FROM turn_queue q WHERE q.conversation_id = c.id), c.mode, (SELECT COUNT(*) FROM deliveries d
		WHERE d.conversation_id = c.id AND d.lane = $2 AND d.state = 'queued'),
		(SELECT COUNT(*) FROM fetches f WHERE f.conversation_id = c.id AND f.state = 'queued')`
	rows, err := r.db.QueryContext(ctx, `SELECT `+columns+` FROM conversations c WHERE c.active_at >= $1
		UNION SELECT `+columns+` FROM conversations c
			WHERE c.id IN (SELECT conversation_id FROM deliveries WHERE lane = $2 AND state = 'queued')
		UNION SELECT `+columns+` FROM conversations c WHERE c.id IN (SELECT conversation_id FROM fetches WHERE settled_at > 0 AND settled_at >= $1)`, since.UnixMilli(), LaneCustomer)
	if err != nil {
		return nil, fmt.Errorf("watch conversations: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p bot.ChangeMark
		var seq, fence, queued, fetches int64
		var mode bot.Mode
		if err := rows.Scan(&p.Conversation, &p.Affiliate, &seq, &fence, &mode, &queued, &fetches); err != nil {
			return nil, err
		}
		p.Mark, p.HasPending = fmt.Sprintf("%d.%d.%s.%d.%d", seq, fence, mode, queued, fetches), queued > 0
		list = append(list, p)
	}
	return list, rows.Err()
}

// Several returns the conversations of some IDs, by ID. One that does not exist is left out.
func (r *Reader) Several(ctx context.Context, ids []bot.ConversationID) (byID map[bot.ConversationID]bot.Conversation, err error) {
	byID = map[bot.ConversationID]bot.Conversation{}
	if len(ids) == 0 {
		return byID, nil
	}
	var args []any
	list, err := r.conversations(ctx, `id IN (`+marks(ids, &args)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read conversations: %w", err)
	}
	for _, conv := range list {
		byID[conv.ID] = conv
	}
	return byID, nil
}
