package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// A Delivery is one claimed effect that a committed turn, or a person, has queued.
type Delivery struct {
	ID             bot.DeliveryID
	Conversation   bot.ConversationID
	To             bot.Address
	Lane           Lane
	Seq            int64
	message        bot.MessageID
	Attempt        int // this one included
	Doubts         int // earlier sends of which nobody knows whether they arrived
	fence          int64
	Created        time.Time
	Window         time.Time // until when the network lets us write, as far as we know
	Payload        Payload
	Code           string // of the last failure, "" if there was none
	FailuresInARow int    // sends to the network that failed in a row, of any delivery on the account
}

// ClaimDelivery claims the delivery that is due longest among those that are first in their conversation and
// lane and whose account may send. With none due, next is when one will be.
//
// A delivery whose last claim was never settled comes with one more doubt: whoever held it died, perhaps
// after the network had it. So they are claimed one at a time, each when it can be sent at once: with
// several in one transaction, more would be on their way when a process dies.
//
// Those of except are in this process's hands, although their lease may have ended while the database was away.
func (s *Store) ClaimDelivery(ctx context.Context, now time.Time, lease time.Duration, except []string) (d Delivery, next time.Time, ok bool, err error) {
	if ok, err = s.exists(ctx, `SELECT 1 FROM deliveries WHERE state = 'queued' AND due_at <= $1 AND lease_until <= $1 LIMIT 1`, now); err != nil {
		return d, next, false, fmt.Errorf("look for a delivery: %w", err)
	}
	if ok {
		err = s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			d, err = s.claimIn(ctx, tx, now, lease, except)
			if ok = !errors.Is(err, sql.ErrNoRows); !ok { // nothing is changed, so the group need not fail
				return nil
			}
			return err
		})
	}
	if err != nil {
		return d, next, false, fmt.Errorf("claim a delivery: %w", err)
	}
	if !ok {
		next, err = s.soonest(ctx, `SELECT MIN(due_at) AS at FROM deliveries WHERE state = 'queued' AND due_at > $1
			UNION ALL SELECT MIN(lease_until) FROM deliveries WHERE state = 'queued' AND due_at <= $1 AND lease_until > $1`, now)
	}
	return d, next, ok, err
}

func (s *Store) claimIn(ctx context.Context, tx *sql.Tx, now time.Time, lease time.Duration, except []string) (d Delivery, err error) {
	var packed string
	var created, window int64
	args := []any{now.UnixMilli(), now.Add(lease).UnixMilli()}
	others := ""
	if len(except) > 0 {
		others = `AND d.id NOT IN (` + marks(except, &args) + `)`
	}
	err = tx.QueryRowContext(ctx, `UPDATE deliveries SET lease_until = $2, attempt = attempt + 1, fence = fence + 1,
			doubts = doubts + CASE WHEN lease_until > 0 THEN 1 ELSE 0 END
		WHERE id = (SELECT d.id FROM deliveries d
			WHERE d.state = 'queued' AND d.due_at <= $1 AND (d.lease_until = 0 OR `+leaseEnd("d.lease_until", "d.attempt", leaseWaits())+` <= $1) `+others+`
			AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.conversation_id = d.conversation_id
				AND e.lane = d.lane AND e.state = 'queued' AND e.seq < d.seq)
			AND NOT EXISTS (SELECT 1 FROM pauses p WHERE d.lane = 'customer' AND p.channel = d.channel
				AND p.account = d.account AND p.until > $1)
			AND NOT EXISTS (SELECT 1 FROM incidents i WHERE d.lane = 'customer' AND i.channel = d.channel
				AND i.account = d.account AND i.ended_at = 0 AND i.probe_at > $1)
			ORDER BY d.due_at, d.seq LIMIT 1 `+s.db.SkipLocked+`)
		RETURNING id, conversation_id, lane, seq, message_id, attempt, doubts, fence, created_at, payload, code`, args...).
		Scan(&d.ID, &d.Conversation, &d.Lane, &d.Seq, &d.message, &d.Attempt, &d.Doubts, &d.fence, &created, &packed, &d.Code)
	if err != nil {
		return d, err
	}
	d.Created = time.UnixMilli(created)
	if json.Unmarshal([]byte(packed), &d.Payload) != nil {
		d.Payload = Payload{} // it cannot be carried out, and must not hold up the others
	}
	err = tx.QueryRowContext(ctx, `SELECT channel, account, customer, window_until,
			COALESCE((SELECT failures FROM incidents i WHERE i.channel = c.channel AND i.account = c.account AND i.ended_at = 0), 0)
		FROM conversations c WHERE id = $1`, d.Conversation).Scan(&d.To.Channel, &d.To.Account, &d.To.Customer, &window, &d.FailuresInARow)
	d.Window = sqldb.Time(window)
	if err == nil && d.Lane == LaneCustomer && d.InIncident() {
		err = holdProbes(ctx, tx, d.To, now.Add(maxProbeTime))
	}
	return d, err
}

// leaseWaits are the waits before a delivery is claimed again whose claim was never given back.
func leaseWaits() []time.Duration {
	return []time.Duration{SendBackoff(1), SendBackoff(2), SendBackoff(3), SendBackoff(4)}
}

// RenewDelivery keeps a claimed delivery from others until then, unless it was settled or claimed anew.
func (s *Store) RenewDelivery(ctx context.Context, d Delivery, until time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET lease_until = $3 WHERE id = $1 AND fence = $2 AND lease_until > 1 AND state = 'queued'`,
			d.ID, d.fence, until.UnixMilli())
		return err
	})
}

// A DeliveryResult is what became of an attempt to carry out a delivery.
type DeliveryResult struct {
	State      bot.DeliveryState
	Due        time.Time     // when queued: try again then
	ExternalID string        // when sent: the network's ID
	Code       string        // of the failure
	InDoubt    bool          // it may have gone out
	Uncounted  bool          // the attempt does not count: nothing was tried
	Network    NetworkHealth // what the attempt says about the network
	Pace       time.Duration
	Pause      *Pause
}

// A Pause keeps an account from sending.
type Pause struct {
	Until        time.Time
	Reason, Code string
}

const (
	PauseThrottled     = "throttled"
	PauseMisconfigured = "misconfigured"
)

// FinishDelivery records v for d, unless another worker has claimed d since.
func (s *Store) FinishDelivery(ctx context.Context, d Delivery, v DeliveryResult, now time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		doubts, attempts := 0, 0
		if v.InDoubt {
			doubts = 1
		}
		if v.Uncounted {
			attempts = 1
		}
		settled := now
		if v.State == bot.DeliveryQueued {
			settled = time.UnixMilli(0)
		}
		res, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = $3, due_at = CASE WHEN $3 = 'queued' THEN $4 ELSE due_at END,
			external_id = $5, code = $6, doubts = doubts + $7, attempt = attempt - $8, lease_until = 0, settled_at = $9
			WHERE id = $1 AND fence = $2 AND state = 'queued'`,
			d.ID, d.fence, v.State, v.Due.UnixMilli(), v.ExternalID, v.Code, doubts, attempts, settled.UnixMilli())
		if err != nil {
			return fmt.Errorf("settle delivery %s: %w", d.ID, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.applyResult(ctx, tx, d, v, now)
	})
}

// applyResult does what follows from a settled delivery: its message's status, the account's pause, the
// pace of the lane, and, for a reply that will not get through, a person.
func (s *Store) applyResult(ctx context.Context, tx *sql.Tx, d Delivery, v DeliveryResult, now time.Time) error {
	if v.Pause != nil {
		if _, err := tx.ExecContext(ctx, `INSERT INTO pauses (channel, account, until, reason, code) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (channel, account) DO UPDATE SET until = excluded.until, reason = excluded.reason, code = excluded.code`,
			d.To.Channel, d.To.Account, v.Pause.Until.UnixMilli(), v.Pause.Reason, v.Pause.Code); err != nil {
			return fmt.Errorf("pause account: %w", err)
		}
	}
	if d.Lane == LaneCustomer {
		if err := noteHealth(ctx, tx, d, v, now); err != nil {
			return err
		}
	}
	if d.Lane == LaneDesk || v.State == bot.DeliveryQueued {
		return nil
	}
	status := bot.StatusFailed
	if v.State == bot.DeliverySent {
		status = bot.StatusSent
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1`, d.message, status); err != nil {
		return fmt.Errorf("mark message: %w", err)
	}
	if v.State == bot.DeliveryDropped {
		return nil
	}
	if status == bot.StatusFailed {
		return s.escalateDelivery(ctx, tx, d, v, now)
	}
	if v.Pace == 0 {
		return nil
	}
	return setPace(ctx, tx, d.Conversation, now.Add(v.Pace))
}

// setPace keeps what is queued for a customer, and what will be, until then.
func setPace(ctx context.Context, tx *sql.Tx, id bot.ConversationID, until time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE conversations SET paced_until = $2 WHERE id = $1`, id, until.UnixMilli()); err != nil {
		return fmt.Errorf("pace the conversation: %w", err)
	}
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET due_at = $2 WHERE conversation_id = $1 AND lane = 'customer' AND state = 'queued' AND due_at < $2`,
		id, until.UnixMilli())
	return err
}

// escalateDelivery passes a reply that will not get through to a person. To a customer who blocked us there
// is nothing to say.
func (s *Store) escalateDelivery(ctx context.Context, tx *sql.Tx, d Delivery, v DeliveryResult, now time.Time) error {
	c, err := s.lockConversation(ctx, tx, d.Conversation, now)
	if err != nil {
		return err
	}
	if v.Code == string(bot.SendBlocked) {
		if _, err := tx.ExecContext(ctx, `UPDATE conversations SET unreachable = TRUE WHERE id = $1`, d.Conversation); err != nil {
			return err
		}
		if c.conv.Mode == bot.ModeBot {
			return nil
		}
	}
	if v.Code == string(bot.SendUnwanted) && c.conv.OptOut == bot.OptOutNothing { // as the network knows already
		if _, err := tx.ExecContext(ctx, `UPDATE contacts SET opt_out = $2, opt_out_at = $3 WHERE conversation_id = $1`, d.Conversation, bot.OptOutMarketing, now.UnixMilli()); err != nil {
			return err
		}
	}
	var question string
	err = tx.QueryRowContext(ctx, `SELECT body FROM messages WHERE conversation_id = $1 AND author = $2 AND seq < $3 ORDER BY seq DESC LIMIT 1`,
		d.Conversation, bot.AuthorCustomer, d.Seq).Scan(&question)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find the question: %w", err)
	}
	e := bot.Escalation{ID: "delivery:" + string(d.ID), Affiliate: c.conv.Affiliate, Reason: bot.ReasonBroken, Question: question, Locale: c.conv.Locale}
	if err := c.escalate(ctx, e, &bot.DeliveryFailure{Message: d.message, State: v.State, Code: v.Code}); err != nil {
		return err
	}
	return c.saveSeq(ctx)
}

// OverdueDeliveries lists bot replies, unclaimed, that have waited too long for their network: withdrawAfter, or, if that is
// because the network was away or throttles us, until the window closes, but no longer than maxLate.
func (s *Store) OverdueDeliveries(ctx context.Context, now time.Time) (list []Delivery, err error) {
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		d := Delivery{Lane: LaneCustomer}
		err := rows.Scan(&d.ID, &d.Conversation, &d.Seq, &d.message, &d.fence, &d.Code, &d.Doubts, &d.To.Channel, &d.To.Account, &d.To.Customer)
		list = append(list, d)
		return err
	}, `SELECT d.id, d.conversation_id, d.seq, d.message_id, d.fence, d.code, d.doubts, c.channel, c.account, c.customer
		FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN conversations c ON c.id = d.conversation_id
		WHERE d.state = 'queued' AND d.lane = $1 AND d.created_at < $2 AND d.lease_until <= $3 AND m.author = $4
		AND (d.created_at < $5 OR c.window_until > 0 AND c.window_until <= $3 OR d.code <> $6
			AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.channel = d.channel AND i.account = d.account AND i.failures >= $7 AND (i.ended_at = 0 OR i.ended_at >= $2))
			AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.channel = d.channel AND p.account = d.account AND p.reason = $8 AND p.until >= $2))
		ORDER BY d.created_at LIMIT 100`, LaneCustomer, now.Add(-withdrawAfter).UnixMilli(), now.UnixMilli(), bot.AuthorBot,
		now.Add(-maxLate).UnixMilli(), bot.SendErrored, minFailures, PauseThrottled)
	if err != nil {
		return nil, fmt.Errorf("list overdue replies: %w", err)
	}
	return list, nil
}

// Unpause lets the accounts that were stopped as misconfigured try again: at a start the
// configuration may be another.
func (s *Store) Unpause(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM pauses WHERE reason = $1`, PauseMisconfigured)
		return err
	})
}

// Misconfigured lists the accounts, by AccountKey, whose network refuses our token or permissions.
func (s *Store) Misconfigured(ctx context.Context) (keys []string, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT channel, account FROM pauses WHERE reason = $1 ORDER BY channel, account`, PauseMisconfigured)
	if err != nil {
		return nil, fmt.Errorf("list misconfigured accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var channel, account string
		if err := rows.Scan(&channel, &account); err != nil {
			return nil, err
		}
		keys = append(keys, bot.AccountKey(channel, account))
	}
	return keys, rows.Err()
}

// MayBeOpen reports whether a refusal for a closed window is worth another try: the network tells of the
// message that opens a window a moment before it lets us write.
func (d Delivery) MayBeOpen(now time.Time) bool {
	return d.Window.After(now) && d.Attempt < maxAgainAttempts
}
