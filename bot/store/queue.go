package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// The queue of turns is the table turn_queue; its schema says in which order rows are locked.

// ClaimTurns claims the conversations that are due longest, at most so many. With none due, next is when
// one will be, zero if none is foreseen. Their turns are yet to be loaded.
func (s *Store) ClaimTurns(ctx context.Context, now time.Time, lease time.Duration, most int) (list []TurnClaim, next time.Time, err error) {
	due := `due_at > 0 AND due_at <= $1 AND (lease_until = 0 OR ` + leaseEnd("lease_until", "attempt", TurnWaits()) + ` <= $1)`
	found, err := s.exists(ctx, `SELECT 1 FROM turn_queue WHERE `+due+` LIMIT 1`, now)
	if err != nil {
		return nil, next, fmt.Errorf("look for a turn: %w", err)
	}
	if !found {
		next, err = s.soonest(ctx, `SELECT MIN(due_at) AS at FROM turn_queue WHERE due_at > 0 AND due_at > $1
			UNION ALL SELECT MIN(lease_until) FROM turn_queue WHERE due_at > 0 AND due_at <= $1 AND lease_until > $1`, now) // a dead one's is met at the next look
		return nil, next, err
	}
	err = s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		list = nil // the group's transaction may be tried again
		err := sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
			c := TurnClaim{}
			c.Turn.ID, c.Turn.Now = bot.TurnID(sqldb.NewID(now)), now
			err := rows.Scan(&c.Turn.Conversation.ID, &c.from, &c.fence, &c.Attempt)
			list = append(list, c)
			return err
		}, `WITH due AS MATERIALIZED (SELECT conversation_id AS due_id FROM turn_queue WHERE `+due+` ORDER BY due_at, conversation_id LIMIT `+strconv.Itoa(most)+` `+s.db.SkipLocked+`)
			UPDATE turn_queue SET lease_until = $2, attempt = attempt + 1, fence = fence + 1 WHERE conversation_id IN (SELECT due_id FROM due)
			RETURNING conversation_id, waiting_from, fence, attempt`, now.UnixMilli(), now.Add(lease).UnixMilli())
		if err != nil {
			return err
		}
		return readClaimed(ctx, tx, list)
	})
	if err != nil {
		return nil, next, fmt.Errorf("claim turns: %w", err)
	}
	return list, next, nil
}

// readClaimed fills in the conversations of claims. It locks none of them: see the schema of turn_queue.
func readClaimed(ctx context.Context, tx *sql.Tx, list []TurnClaim) error {
	for i := range list {
		conv := &list[i].Turn.Conversation
		var err error
		if *conv, err = scanConversation(tx.QueryRowContext(ctx, `SELECT `+conversationColumns+conversationTables+`WHERE id = $1`, conv.ID)); err != nil {
			return err
		}
	}
	return nil
}

// leaseEnd is when work whose lease was never given back may be claimed by others: whoever held it died, maybe of it,
// so it waits as long as after a failure of the attempt. The columns name lease and attempt.
func leaseEnd(lease, attempt string, waits []time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "(%s + CASE", lease)
	for i, wait := range waits[:len(waits)-1] {
		fmt.Fprintf(&b, " WHEN %s <= %d THEN %d", attempt, i+1, wait.Milliseconds())
	}
	fmt.Fprintf(&b, " ELSE %d END)", waits[len(waits)-1].Milliseconds())
	return b.String()
}

// exists reports whether a query about now has a row: reading is cheap, and most looks find nothing.
func (s *Store) exists(ctx context.Context, query string, now time.Time) (bool, error) {
	var one int
	err := s.db.QueryRowContext(ctx, query, now.UnixMilli()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// soonest returns the least of the times after now that a query yields, zero if there is none. What is due
// already and cannot be claimed, as when its account pauses, must not be waited for in a busy loop.
func (s *Store) soonest(ctx context.Context, query string, now time.Time) (time.Time, error) {
	var ms sql.NullInt64
	if err := s.db.QueryRowContext(ctx, `SELECT MIN(at) FROM (`+query+`) AS times`, now.UnixMilli()).Scan(&ms); err != nil || !ms.Valid {
		return time.Time{}, err
	}
	return time.UnixMilli(ms.Int64), nil
}

// turnDue is when the turn that answers a message of now should start.
func (c *ConversationTx) turnDue(tapped bool) int64 {
	if tapped {
		return c.now.UnixMilli()
	}
	due := c.now.Add(QuietPeriod).UnixMilli()
	if c.event.waitingSince == 0 {
		return due
	}
	return min(due, c.event.waitingSince+maxQuietPeriod.Milliseconds())
}

// scheduleTurn makes a turn due that answers the message seq, until hold at the latest if that is held back.
func (c *ConversationTx) scheduleTurn(ctx context.Context, seq int64, tapped bool, hold time.Time) error {
	_, err := c.tx.ExecContext(ctx, `UPDATE turn_queue SET
		waiting_seq = CASE WHEN waiting_seq < $2 THEN $2 ELSE waiting_seq END,
		waiting_from = CASE WHEN waiting_since = 0 OR waiting_from > $2 THEN $2 ELSE waiting_from END,
		waiting_since = CASE WHEN waiting_since = 0 THEN $3 ELSE waiting_since END,
		due_at = CASE WHEN held_until > $4 THEN held_until WHEN CAST($5 AS BIGINT) > $4 THEN CAST($5 AS BIGINT) ELSE $4 END,
		held_until = CASE WHEN held_until <= $3 THEN CAST($5 AS BIGINT) ELSE held_until END
		WHERE conversation_id = $1`, c.conv.ID, seq, c.now.UnixMilli(), c.turnDue(tapped), sqldb.Millis(hold))
	if err != nil {
		return fmt.Errorf("schedule a turn: %w", err)
	}
	return nil
}

// restartTurn makes a turn that is in progress begin anew: it has read words that are others now.
func (c *ConversationTx) restartTurn(ctx context.Context) error {
	_, err := c.tx.ExecContext(ctx, `UPDATE turn_queue SET fence = fence + 1, lease_until = 0, due_at = $2 WHERE conversation_id = $1`,
		c.conv.ID, c.turnDue(false))
	return err
}

// bumpFence keeps a turn that is in progress from committing, and lets the next one start at once.
func bumpFence(ctx context.Context, tx *sql.Tx, id bot.ConversationID) error {
	_, err := tx.ExecContext(ctx, `UPDATE turn_queue SET fence = fence + 1, lease_until = 0 WHERE conversation_id = $1`, id)
	return err
}

// endTurn takes the messages up to last out of the queue, unless somebody bumped the fence since the claim.
func endTurn(ctx context.Context, tx *sql.Tx, claim TurnClaim, last int64, now time.Time) (ended bool, err error) {
	res, err := tx.ExecContext(ctx, `UPDATE turn_queue SET lease_until = 0, attempt = 0, fence = fence + 1,
		due_at = CASE WHEN waiting_seq > $3 THEN due_at ELSE 0 END,
		waiting_since = CASE WHEN waiting_seq > $3 THEN CAST($4 AS BIGINT) ELSE 0 END,
		waiting_from = CAST($3 AS BIGINT) + 1
		WHERE conversation_id = $1 AND fence = $2`, claim.Turn.Conversation.ID, claim.fence, last, now.UnixMilli())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// RenewTurn keeps a claimed turn from others until then, unless somebody raised the fence.
func (s *Store) RenewTurn(ctx context.Context, c TurnClaim, until time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE turn_queue SET lease_until = $3 WHERE conversation_id = $1 AND fence = $2 AND lease_until > 0`,
			c.Turn.Conversation.ID, c.fence, until.UnixMilli())
		return err
	})
}

// DeferTurn gives a claim back to be tried again at due. A turn that was merely interrupted does
// not count as an attempt.
func (s *Store) DeferTurn(ctx context.Context, c TurnClaim, due time.Time, interrupted bool) error {
	back := 0
	if interrupted {
		back = 1
	}
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE turn_queue SET lease_until = 0, attempt = attempt - $3, due_at = $4
			WHERE conversation_id = $1 AND fence = $2`, c.Turn.Conversation.ID, c.fence, back, due.UnixMilli())
		return err
	})
}

// ReleaseLeases ends every lease. Only a process that knows it is alone on the database, as the
// server on a SQLite file is at its start, may call it: what its predecessor held when it died is
// then claimed after the wait of one failure instead of that after its lease.
func (s *Store) ReleaseLeases(ctx context.Context, now time.Time) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"turn_queue", "fetches", "deliveries"} {
			if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET lease_until = $1 WHERE lease_until > $1`, now.UnixMilli()); err != nil {
				return fmt.Errorf("release the leases of %s: %w", table, err)
			}
		}
		return nil
	})
}
