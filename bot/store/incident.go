package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/backoff"
	"faqbot/knowledge/sqldb"
)

// While a network is away one reply at a time finds out whether it is back, the others wait: what is sent into an
// outage may end in doubt, and each doubt costs a customer their answer and a person a ticket.
const (
	// minFailures sends in a row must fail before the network counts as away.
	minFailures = 3
	// maxProbeWait is the longest wait between two tries while it is away.
	maxProbeWait = 30 * time.Second
	// maxProbeTime is how long the others wait for a try of which nothing is heard.
	maxProbeTime = 15 * time.Second
)

// probeWait is the wait after the n-th failure in a row: none for the first two, then 1, 2, 4, … s, at most
// maxProbeWait.
func probeWait(n int) time.Duration {
	if n < minFailures {
		return 0
	}
	return backoff.Doubling(time.Second, maxProbeWait).After(n - minFailures + 1)
}

// ThrottleWait is the wait after a network throttled us, for the n-th time in a row, and did not say for how long:
// 1, 2, 4, … s, at most a minute.
func ThrottleWait(n int) time.Duration { return backoff.Doubling(time.Second, time.Minute).After(n) }

// NetworkHealth is what an attempt to send says about the network.
type NetworkHealth int

const (
	NetworkUnknown NetworkHealth = iota // nothing
	NetworkAnswers                      // it took the message, or refused it for what it is
	NetworkFails                        // it does not carry out what it is told
)

// InIncident reports whether the network counts as away.
func (d Delivery) InIncident() bool { return d.FailuresInARow >= minFailures }

// holdProbes lets nobody else try to send on an account before until.
func holdProbes(ctx context.Context, tx *sql.Tx, to bot.Address, until time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE incidents SET probe_at = $3 WHERE channel = $1 AND account = $2 AND ended_at = 0`,
		to.Channel, to.Account, until.UnixMilli())
	return err
}

// noteHealth begins, prolongs or ends an incident of d's account by the outcome of an attempt.
func noteHealth(ctx context.Context, tx *sql.Tx, d Delivery, v DeliveryResult, now time.Time) error {
	switch {
	case v.Network == NetworkFails:
		return noteFailure(ctx, tx, d, v, now)
	case v.Network == NetworkAnswers && d.FailuresInARow > 0:
		return endIncident(ctx, tx, d, now)
	case d.InIncident(): // it was not tried: the next may
		return holdProbes(ctx, tx, d.To, now)
	}
	return nil
}

func noteFailure(ctx context.Context, tx *sql.Tx, d Delivery, v DeliveryResult, now time.Time) error {
	affected, n := 0, 0
	if d.Attempt == 1 && d.Code == "" {
		affected = 1
	}
	err := tx.QueryRowContext(ctx, `INSERT INTO incidents AS i (id, channel, account, code, failures, affected, began_at, probe_at)
		VALUES ($1, $2, $3, $4, 1, $5, $6, $6) ON CONFLICT (channel, account) WHERE ended_at = 0
		DO UPDATE SET failures = i.failures + 1, code = excluded.code, affected = i.affected + excluded.affected RETURNING failures`,
		sqldb.NewID(now), d.To.Channel, d.To.Account, v.Code, affected, now.UnixMilli()).Scan(&n)
	if err == nil {
		err = holdProbes(ctx, tx, d.To, now.Add(probeWait(n)))
	}
	if err != nil {
		return fmt.Errorf("note an incident: %w", err)
	}
	return nil
}

// endIncident ends what lasts on an account. A failure or two are none to speak of.
func endIncident(ctx context.Context, tx *sql.Tx, d Delivery, now time.Time) error {
	to, affected := d.To, 0
	if d.Code == "" { // it waited, and was the first to be taken
		affected = 1
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM incidents WHERE channel = $1 AND account = $2 AND ended_at = 0 AND failures < $3`,
		to.Channel, to.Account, minFailures)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE incidents SET ended_at = $3, affected = affected + $4 + (SELECT COUNT(*) FROM deliveries d
				WHERE d.state = 'queued' AND d.lane = 'customer' AND d.channel = $1 AND d.account = $2 AND d.code = '')
			WHERE channel = $1 AND account = $2 AND ended_at = 0`, to.Channel, to.Account, now.UnixMilli(), affected)
	}
	if err != nil {
		return fmt.Errorf("end an incident: %w", err)
	}
	return nil
}

// maxIncidents is how many incidents a page shows.
const maxIncidents = 10

// Incidents lists what lasts, and what ended since then, on accounts by AccountKey, the newest first; on all accounts
// if none is named.
func (r *Reader) Incidents(ctx context.Context, since time.Time, keys ...string) (list []bot.Incident, err error) {
	args := []any{minFailures, since.UnixMilli()}
	where := ""
	if len(keys) > 0 {
		where = ` AND i.channel || '/' || i.account IN (` + marks(keys, &args) + `)`
	}
	err = sqldb.Each(ctx, r.db, func(rows *sql.Rows) error {
		var i bot.Incident
		var began, ended int64
		err := rows.Scan(&i.Channel, &i.Account, &i.Code, &began, &ended, &i.Affected, &i.Failed)
		i.Began, i.Ended = sqldb.Time(began), sqldb.Time(ended)
		list = append(list, i)
		return err
	}, `SELECT i.channel, i.account, i.code, i.began_at, i.ended_at,
			CASE WHEN i.ended_at > 0 THEN i.affected ELSE (SELECT COUNT(*) FROM deliveries d WHERE d.state = 'queued' AND d.lane = 'customer'
				AND d.channel = i.channel AND d.account = i.account) END,
			(SELECT COUNT(*) FROM deliveries d WHERE d.lane = 'customer' AND d.state IN ('failed', 'doubtful', 'withdrawn')
				AND d.channel = i.channel AND d.account = i.account AND d.settled_at >= i.began_at
				AND d.created_at >= i.began_at - 60000 AND (i.ended_at = 0 OR d.created_at <= i.ended_at))
		FROM incidents i WHERE i.failures >= $1 AND (i.ended_at = 0 OR i.ended_at >= $2)`+where+` ORDER BY i.began_at DESC LIMIT `+strconv.Itoa(maxIncidents), args...)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return list, nil
}

// Overtaken reports whether an answer of the bot's that its network held up is not wanted any more: a person has
// written since, or the customer has asked something new, which a later turn answers. Small talk, as "hello?", asks
// nothing new. What was late for a reason of ours goes out.
func (s *Store) Overtaken(ctx context.Context, d Delivery) (overtaken bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT (EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = $1 AND m.seq > $2 AND m.author = 'agent' AND m.status <> 'failed')
			OR EXISTS (SELECT 1 FROM messages m JOIN turns t ON t.id = m.turn_id WHERE m.conversation_id = $1 AND m.seq > $2 AND m.author = 'customer'
				AND t.action IN ('answer', 'clarify', 'handoff') AND t.reason <> $3))
		AND ($4 <> '' OR EXISTS (SELECT 1 FROM incidents i WHERE i.channel = $5 AND i.account = $6 AND i.failures >= $7 AND (i.ended_at = 0 OR i.ended_at >= $8)))`,
		d.Conversation, d.Seq, bot.ReasonSmallTalk, d.Code, d.To.Channel, d.To.Account, minFailures, d.Created.UnixMilli()).Scan(&overtaken)
	if err != nil {
		return false, fmt.Errorf("look whether a late answer is still wanted: %w", err)
	}
	return overtaken, nil
}
