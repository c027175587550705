package bot

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/sqldb"
)

// A delivery is one claimed effect that a committed turn, or a person, has queued.
type delivery struct {
	id      DeliveryID
	conv    ConversationID
	to      Address
	lane    Lane
	seq     int64
	message MessageID
	attempt int // this one included
	doubts  int // earlier sends of which nobody knows whether they arrived
	fence   int64
	created time.Time
	window  time.Time // until when the network lets us write, as far as we know
	payload payload
	code    string // of the last failure, "" if there was none
	failing int    // sends to the network that failed in a row, of any delivery on the account
}

// claimDelivery claims the delivery that is due longest among those that are first in their conversation and
// lane and whose account may send. With none due, next is when one will be.
//
// A delivery whose last claim was never settled comes with one more doubt: whoever held it died, perhaps
// after the network had it. So they are claimed one at a time, each when it can be sent at once: with
// several in one transaction, more would be on their way when a process dies.
//
// Those of except are in this process's hands, although their lease may have ended while the database was away.
func (s *Store) claimDelivery(ctx context.Context, now time.Time, lease time.Duration, except []string) (d delivery, next time.Time, ok bool, err error) {
	if ok, err = s.any(ctx, `SELECT 1 FROM deliveries WHERE state = 'queued' AND due_at <= $1 AND lease_until <= $1 LIMIT 1`, now); err != nil {
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

func (s *Store) claimIn(ctx context.Context, tx *sql.Tx, now time.Time, lease time.Duration, except []string) (d delivery, err error) {
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
		Scan(&d.id, &d.conv, &d.lane, &d.seq, &d.message, &d.attempt, &d.doubts, &d.fence, &created, &packed, &d.code)
	if err != nil {
		return d, err
	}
	d.created = time.UnixMilli(created)
	if json.Unmarshal([]byte(packed), &d.payload) != nil {
		d.payload = payload{} // it cannot be carried out, and must not hold up the others
	}
	err = tx.QueryRowContext(ctx, `SELECT channel, account, customer, window_until,
			COALESCE((SELECT failures FROM incidents i WHERE i.channel = c.channel AND i.account = c.account AND i.ended_at = 0), 0)
		FROM conversations c WHERE id = $1`, d.conv).Scan(&d.to.Channel, &d.to.Account, &d.to.Customer, &window, &d.failing)
	d.window = sqldb.Time(window)
	if err == nil && d.lane == LaneCustomer && d.inIncident() {
		err = holdProbes(ctx, tx, d.to, now.Add(maxProbeTime))
	}
	return d, err
}

// leaseWaits are the waits before a delivery is claimed again whose claim was never given back.
func leaseWaits() []time.Duration {
	return []time.Duration{sendBackoff(1), sendBackoff(2), sendBackoff(3), sendBackoff(4)}
}

// renewDelivery keeps a claimed delivery from others until then, unless it was settled or claimed anew.
func (s *Store) renewDelivery(ctx context.Context, d delivery, until time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET lease_until = $3 WHERE id = $1 AND fence = $2 AND lease_until > 1 AND state = 'queued'`,
			d.id, d.fence, until.UnixMilli())
		return err
	})
}

// A verdict is what became of an attempt to carry out a delivery.
type verdict struct {
	state    DeliveryState
	due      time.Time // when queued: try again then
	external string    // when sent: the network's ID
	code     string    // of the failure
	doubt    bool      // it may have gone out
	uncount  bool      // the attempt does not count: nothing was tried
	network  health    // what the attempt says about the network
	pace     time.Duration
	pause    *pause
}

// A pause keeps an account from sending.
type pause struct {
	until        time.Time
	reason, code string
}

const (
	pauseThrottled     = "throttled"
	pauseMisconfigured = "misconfigured"
)

// finishDelivery records v for d, unless another worker has claimed d since.
func (s *Store) finishDelivery(ctx context.Context, d delivery, v verdict, now time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		doubts, attempts := 0, 0
		if v.doubt {
			doubts = 1
		}
		if v.uncount {
			attempts = 1
		}
		settled := now
		if v.state == DeliveryQueued {
			settled = time.UnixMilli(0)
		}
		res, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = $3, due_at = CASE WHEN $3 = 'queued' THEN $4 ELSE due_at END,
			external_id = $5, code = $6, doubts = doubts + $7, attempt = attempt - $8, lease_until = 0, settled_at = $9
			WHERE id = $1 AND fence = $2 AND state = 'queued'`,
			d.id, d.fence, v.state, v.due.UnixMilli(), v.external, v.code, doubts, attempts, settled.UnixMilli())
		if err != nil {
			return fmt.Errorf("settle delivery %s: %w", d.id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.applyVerdict(ctx, tx, d, v, now)
	})
}

// applyVerdict does what follows from a settled delivery: its message's status, the account's pause, the
// pace of the lane, and, for a reply that will not get through, a person.
func (s *Store) applyVerdict(ctx context.Context, tx *sql.Tx, d delivery, v verdict, now time.Time) error {
	if v.pause != nil {
		if _, err := tx.ExecContext(ctx, `INSERT INTO pauses (channel, account, until, reason, code) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (channel, account) DO UPDATE SET until = excluded.until, reason = excluded.reason, code = excluded.code`,
			d.to.Channel, d.to.Account, v.pause.until.UnixMilli(), v.pause.reason, v.pause.code); err != nil {
			return fmt.Errorf("pause account: %w", err)
		}
	}
	if d.lane == LaneCustomer {
		if err := noteHealth(ctx, tx, d, v, now); err != nil {
			return err
		}
	}
	if d.lane == LaneDesk || v.state == DeliveryQueued {
		return nil
	}
	status := StatusFailed
	if v.state == DeliverySent {
		status = StatusSent
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET status = $2 WHERE id = $1`, d.message, status); err != nil {
		return fmt.Errorf("mark message: %w", err)
	}
	if v.state == DeliveryDropped {
		return nil
	}
	if status == StatusFailed {
		return s.escalateDelivery(ctx, tx, d, v, now)
	}
	if v.pace == 0 {
		return nil
	}
	return setPace(ctx, tx, d.conv, now.Add(v.pace))
}

// setPace keeps what is queued for a customer, and what will be, until then.
func setPace(ctx context.Context, tx *sql.Tx, id ConversationID, until time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE conversations SET paced_until = $2 WHERE id = $1`, id, until.UnixMilli()); err != nil {
		return fmt.Errorf("pace the conversation: %w", err)
	}
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET due_at = $2 WHERE conversation_id = $1 AND lane = 'customer' AND state = 'queued' AND due_at < $2`,
		id, until.UnixMilli())
	return err
}

// escalateDelivery passes a reply that will not get through to a person. To a customer who blocked us there
// is nothing to say.
func (s *Store) escalateDelivery(ctx context.Context, tx *sql.Tx, d delivery, v verdict, now time.Time) error {
	c, err := s.lockConversation(ctx, tx, d.conv, now)
	if err != nil {
		return err
	}
	if v.code == string(SendBlocked) {
		if _, err := tx.ExecContext(ctx, `UPDATE conversations SET unreachable = TRUE WHERE id = $1`, d.conv); err != nil {
			return err
		}
		if c.conv.Mode == ModeBot {
			return nil
		}
	}
	if v.code == string(SendUnwanted) && c.conv.OptOut == OptOutNothing { // as the network knows already
		if _, err := tx.ExecContext(ctx, `UPDATE conversations SET opt_out = $2, opt_out_at = $3 WHERE id = $1`, d.conv, OptOutMarketing, now.UnixMilli()); err != nil {
			return err
		}
	}
	var question string
	err = tx.QueryRowContext(ctx, `SELECT body FROM messages WHERE conversation_id = $1 AND author = $2 AND seq < $3 ORDER BY seq DESC LIMIT 1`,
		d.conv, AuthorCustomer, d.seq).Scan(&question)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find the question: %w", err)
	}
	e := Escalation{ID: "delivery:" + string(d.id), Affiliate: c.conv.Affiliate, Reason: ReasonBroken, Question: question, Locale: c.conv.Locale}
	if err := c.escalate(ctx, e, &Fate{Message: d.message, State: v.state, Code: v.code}); err != nil {
		return err
	}
	return c.saveSeq(ctx)
}

// overdue lists bot replies, unclaimed, that have waited too long for their network: withdrawAfter, or, if that is
// because the network was away or throttles us, until the window closes, but no longer than maxLate.
func (s *Store) overdue(ctx context.Context, now time.Time) (list []delivery, err error) {
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		d := delivery{lane: LaneCustomer}
		err := rows.Scan(&d.id, &d.conv, &d.seq, &d.message, &d.fence, &d.code, &d.doubts, &d.to.Channel, &d.to.Account, &d.to.Customer)
		list = append(list, d)
		return err
	}, `SELECT d.id, d.conversation_id, d.seq, d.message_id, d.fence, d.code, d.doubts, c.channel, c.account, c.customer
		FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN conversations c ON c.id = d.conversation_id
		WHERE d.state = 'queued' AND d.lane = $1 AND d.created_at < $2 AND d.lease_until <= $3 AND m.author = $4
		AND (d.created_at < $5 OR c.window_until > 0 AND c.window_until <= $3 OR d.code <> $6
			AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.channel = d.channel AND i.account = d.account AND i.failures >= $7 AND (i.ended_at = 0 OR i.ended_at >= $2))
			AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.channel = d.channel AND p.account = d.account AND p.reason = $8 AND p.until >= $2))
		ORDER BY d.created_at LIMIT 100`, LaneCustomer, now.Add(-withdrawAfter).UnixMilli(), now.UnixMilli(), AuthorBot,
		now.Add(-maxLate).UnixMilli(), SendErrored, minFailures, pauseThrottled)
	if err != nil {
		return nil, fmt.Errorf("list overdue replies: %w", err)
	}
	return list, nil
}

// Unpause lets the accounts that were stopped as misconfigured try again: at a start the
// configuration may be another.
func (s *Store) Unpause(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM pauses WHERE reason = $1`, pauseMisconfigured)
		return err
	})
}

// Misconfigured lists the accounts, by AccountKey, whose network refuses our token or permissions.
func (s *Store) Misconfigured(ctx context.Context) (keys []string, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT channel, account FROM pauses WHERE reason = $1 ORDER BY channel, account`, pauseMisconfigured)
	if err != nil {
		return nil, fmt.Errorf("list misconfigured accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var channel, account string
		if err := rows.Scan(&channel, &account); err != nil {
			return nil, err
		}
		keys = append(keys, AccountKey(channel, account))
	}
	return keys, rows.Err()
}
