package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// Why a dead letter cannot be sent again.
const (
	replayDoubtful = "it may have arrived: sending it again could answer twice"
	replayAnswered = "the customer was answered since"
	replayBlocked  = "the customer has blocked this account"
	replayWindow   = "the network lets nothing be sent until the customer writes again"
)

const deadColumns = `d.id, d.conversation_id, c.affiliate, m.author, d.state, d.code, d.settled_at, d.doubts, c.unreachable, c.window_until,
	EXISTS (SELECT 1 FROM messages n WHERE n.conversation_id = d.conversation_id AND n.seq > m.seq AND n.author <> 'customer' AND n.status <> 'failed')
	FROM deliveries d JOIN conversations c ON c.id = d.conversation_id JOIN messages m ON m.id = d.message_id`

// scanDead reads deadColumns and judges whether the letter may be sent again.
func scanDead(row scanner, now time.Time) (l bot.DeadLetter, err error) {
	var at, doubts, window int64
	var unreachable, answered bool
	if err := row.Scan(&l.Delivery, &l.Conversation, &l.Affiliate, &l.Author, &l.State, &l.Code, &at, &doubts, &unreachable, &window, &answered); err != nil {
		return l, err
	}
	l.At = sqldb.Time(at)
	switch {
	case l.State == bot.DeliveryDoubtful || doubts > 0:
		l.Refusal = replayDoubtful
	case answered:
		l.Refusal = replayAnswered
	case unreachable:
		l.Refusal = replayBlocked
	case window > 0 && window < now.UnixMilli():
		l.Refusal = replayWindow
	}
	return l, nil
}

// DeadLetters lists an account's replies that did not get through, the newest first.
func (r *Reader) DeadLetters(ctx context.Context, channel, account string, limit int, now time.Time) (list []bot.DeadLetter, err error) {
	rows, err := r.db.QueryContext(ctx, `SELECT `+deadColumns+`
		WHERE d.channel = $1 AND d.account = $2 AND d.lane = 'customer' AND d.state IN ('failed', 'doubtful', 'withdrawn')
		ORDER BY d.settled_at DESC, d.id LIMIT $3`, channel, account, limit)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		l, err := scanDead(rows, now)
		if err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

// DeadLetter returns one, or ErrNotFound.
func (r *Reader) DeadLetter(ctx context.Context, id bot.DeliveryID, now time.Time) (bot.DeadLetter, error) {
	l, err := scanDead(r.db.QueryRowContext(ctx, `SELECT `+deadColumns+`
		WHERE d.id = $1 AND d.lane = 'customer' AND d.state IN ('failed', 'doubtful', 'withdrawn')`, id), now)
	if errors.Is(err, sql.ErrNoRows) {
		return l, fmt.Errorf("dead letter %s: %w", id, bot.ErrNotFound)
	}
	return l, err
}

// Replay queues a dead letter again, as a new delivery, so that what the network yet tells of the old one says
// nothing of the new. Of two who ask for it one gets an ErrReplay.
func (c *ConversationTx) Replay(ctx context.Context, id bot.DeliveryID) error {
	l, err := scanDead(c.tx.QueryRowContext(ctx, `SELECT `+deadColumns+`
		WHERE d.id = $1 AND d.state IN ('failed', 'doubtful', 'withdrawn')`, id), c.now)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: somebody did it already", bot.ErrReplay)
	}
	if err != nil {
		return err
	}
	if l.Refusal != "" {
		return fmt.Errorf("%w: %s", bot.ErrReplay, l.Refusal)
	}
	var message bot.MessageID
	if err := c.tx.QueryRowContext(ctx, `UPDATE deliveries SET state = 'replayed' WHERE id = $1 RETURNING message_id`, id).Scan(&message); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO deliveries (id, conversation_id, lane, seq, channel, account, message_id, payload, due_at, created_at)
		SELECT CAST($2 AS TEXT), conversation_id, lane, CAST($3 AS BIGINT), channel, account, message_id, payload, CAST($4 AS BIGINT), CAST($4 AS BIGINT) FROM deliveries WHERE id = $1`,
		id, sqldb.NewID(c.now), c.seq, c.now.UnixMilli()); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	c.seq++
	_, err = c.tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1`, message, bot.StatusQueued)
	return err
}
