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

// A Traffic is what came and went on an account.
type Traffic struct {
	HeardAt        time.Time // the last message from a customer, zero if there was none
	SentAt         time.Time // the last reply that the network took
	Waiting        int       // replies that wait to be sent
	UndecodedPosts int       // posts that wait to be taken in
	Rejects        int       // bodies that could not be read and are kept
	Dead           int       // replies that did not get through; see DeadLetters

	Incidents   []bot.Incident // that last, or ended within a day, the newest first
	PausedUntil time.Time      // sends nothing until then, zero if it may
	Paused      string         // why: "throttled" by the network, or "misconfigured"
	PausedCode  string         // the network's
}

// Traffic returns what came and went on an account.
func (s *Store) Traffic(ctx context.Context, channel, account string, now time.Time) (t Traffic, err error) {
	var heard, sent, until int64
	// The last reply is looked for where something was said last: deliveries have no index by account.
	err = s.db.QueryRowContext(ctx, `SELECT
		(SELECT COALESCE(MAX(heard_at), 0) FROM conversations WHERE channel = $1 AND account = $2),
		(SELECT COALESCE(MAX(d.settled_at), 0) FROM deliveries d WHERE d.lane = $3 AND d.state = 'sent' AND d.conversation_id IN
			(SELECT id FROM conversations WHERE channel = $1 AND account = $2 ORDER BY active_at DESC LIMIT 100)),
		(SELECT COUNT(*) FROM deliveries WHERE channel = $1 AND account = $2 AND lane = $3 AND state = 'queued'),
		(SELECT COUNT(*) FROM inbox WHERE channel = $1 AND account = $2),
		(SELECT COUNT(*) FROM rejects WHERE channel = $1 AND account = $2),
		(SELECT COUNT(*) FROM deliveries WHERE channel = $1 AND account = $2 AND lane = 'customer' AND state IN ('failed', 'doubtful', 'withdrawn'))`,
		channel, account, LaneCustomer).Scan(&heard, &sent, &t.Waiting, &t.UndecodedPosts, &t.Rejects, &t.Dead)
	if err != nil {
		return t, fmt.Errorf("read the traffic of %s: %w", bot.AccountKey(channel, account), err)
	}
	t.HeardAt, t.SentAt = sqldb.Time(heard), sqldb.Time(sent)
	err = s.db.QueryRowContext(ctx, `SELECT until, reason, code FROM pauses WHERE channel = $1 AND account = $2 AND until > $3`,
		channel, account, now.UnixMilli()).Scan(&until, &t.Paused, &t.PausedCode)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("read the pause of %s: %w", bot.AccountKey(channel, account), err)
	}
	t.PausedUntil = sqldb.Time(until)
	t.Incidents, err = s.Incidents(ctx, now.Add(-24*time.Hour), bot.AccountKey(channel, account))
	return t, err
}

// RecentConversations lists the conversations on an account in which a customer wrote last, the newest first.
func (s *Store) RecentConversations(ctx context.Context, channel, account string, limit int) ([]bot.Conversation, error) {
	list, err := s.conversations(ctx, `channel = $1 AND account = $2 AND heard_at > 0 ORDER BY heard_at DESC, id LIMIT $3`, channel, account, limit)
	if err != nil {
		return nil, fmt.Errorf("list who wrote on %s: %w", bot.AccountKey(channel, account), err)
	}
	return list, nil
}
