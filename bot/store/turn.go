package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

const (
	historyMost = 20  // messages of the episode that a turn sees
	waitingMost = 100 // messages that one turn answers; the rest wait for the next
	// elsewhereFor is how long what was said on another channel counts for understanding.
	elsewhereFor = 4 * time.Hour
)

// ErrFenced means that somebody took the conversation over while a turn was being worked out.
var ErrFenced = errors.New("the conversation moved on")

// A TurnClaim is the right to commit one turn, as long as nobody raises the fence.
type TurnClaim struct {
	Turn    bot.Turn // without Account
	from    int64    // the first message that waits, or one before it
	fence   int64
	Attempt int // this one included
}

// ClaimTurns claims the conversations that are due longest, at most so many. With none due, next is when
// one will be, zero if none is foreseen. Their turns are yet to be loaded.
func (s *Store) ClaimTurns(ctx context.Context, now time.Time, lease time.Duration, most int) (list []TurnClaim, next time.Time, err error) {
	due := `turn_due_at > 0 AND turn_due_at <= $1 AND (lease_until = 0 OR ` + leaseEnd("lease_until", "attempt", TurnWaits()) + ` <= $1)`
	any, err := s.any(ctx, `SELECT 1 FROM conversations WHERE `+due+` LIMIT 1`, now)
	if err != nil {
		return nil, next, fmt.Errorf("look for a turn: %w", err)
	}
	if !any {
		next, err = s.soonest(ctx, `SELECT MIN(turn_due_at) AS at FROM conversations WHERE turn_due_at > 0 AND turn_due_at > $1
			UNION ALL SELECT MIN(lease_until) FROM conversations WHERE turn_due_at > 0 AND turn_due_at <= $1 AND lease_until > $1`, now) // a dead one's is met at the next look
		return nil, next, err
	}
	err = s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		list = nil // the group's transaction may be tried again
		return sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
			c := TurnClaim{}
			var err error
			c.Turn.Conversation, err = scanConversation(rows, &c.from, &c.fence, &c.Attempt)
			c.Turn.ID, c.Turn.Now = bot.TurnID(sqldb.NewID(now)), now
			list = append(list, c)
			return err
		}, `WITH due AS MATERIALIZED (SELECT id AS due_id FROM conversations WHERE `+due+` ORDER BY turn_due_at, id LIMIT `+strconv.Itoa(most)+` `+s.db.SkipLocked+`)
			UPDATE conversations SET lease_until = $2, attempt = attempt + 1, fence = fence + 1 WHERE id IN (SELECT due_id FROM due)
			RETURNING `+conversationColumns+`, waiting_from, fence, attempt`, now.UnixMilli(), now.Add(lease).UnixMilli())
	})
	if err != nil {
		return nil, next, fmt.Errorf("claim turns: %w", err)
	}
	return list, next, nil
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

// any reports whether a query about now has a row: reading is cheap, and most looks find nothing.
func (s *Store) any(ctx context.Context, query string, now time.Time) (bool, error) {
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

// LoadTurn loads what c's turn answers and what was said before. It returns ErrFenced if nothing waits
// because somebody took the conversation over since the claim, and their turn has answered already.
func (s *Store) LoadTurn(ctx context.Context, c *TurnClaim) error {
	t := &c.Turn
	var err error
	if t.Waiting, err = s.messages(ctx, `m.conversation_id = $1 AND m.seq >= $2 AND m.turn_id = '' AND m.author = 'customer'
			ORDER BY m.seq LIMIT `+strconv.Itoa(waitingMost), t.Conversation.ID, c.from); err != nil {
		return err
	}
	if len(t.Waiting) == 0 {
		var fence int64
		err := s.db.QueryRowContext(ctx, `SELECT fence FROM conversations WHERE id = $1`, t.Conversation.ID).Scan(&fence)
		if err == nil && fence != c.fence {
			return ErrFenced
		}
		return errors.Join(errors.New("a turn is due and nothing waits"), err)
	}
	t.History, err = s.messages(ctx, `m.conversation_id = $1 AND m.episode_id = $2 AND (m.turn_id <> '' OR m.author <> 'customer')
			AND m.seq > (SELECT next_seq - $3 FROM conversations WHERE id = $1) ORDER BY m.seq`,
		t.Conversation.ID, t.Conversation.Episode, historyMost+waitingMost)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(t.History, func(m bot.Message) bool { return m.Author == bot.AuthorBot }) {
		err := s.db.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = $1 AND m.author = 'bot' AND m.at >= $2)`,
			t.Conversation.ID, t.Now.Add(-episodeGap).UnixMilli()).Scan(&t.Disclose)
		if err != nil {
			return err
		}
	}
	if err := s.loadElsewhere(ctx, t); err != nil {
		return err
	}
	if n := len(t.History); n > historyMost {
		t.History = t.History[n-historyMost:]
	}
	return s.loadAnswered(ctx, t)
}

// LoadWaiting loads of what c's turn answers no more than which messages those are: what else is there could not be
// read, or not be worked on.
func (s *Store) LoadWaiting(ctx context.Context, c *TurnClaim) error {
	c.Turn.History, c.Turn.Waiting = nil, nil
	return sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		m := bot.Message{Conversation: c.Turn.Conversation.ID, Author: bot.AuthorCustomer}
		err := rows.Scan(&m.ID, &m.Seq)
		c.Turn.Waiting = append(c.Turn.Waiting, m)
		return err
	}, `SELECT id, seq FROM messages WHERE conversation_id = $1 AND seq >= $2 AND turn_id = '' AND author = 'customer' ORDER BY seq LIMIT `+strconv.Itoa(waitingMost),
		c.Turn.Conversation.ID, c.from)
}

// loadElsewhere adds to t's history what was lately said of the same matter on the customer's other channels.
func (s *Store) loadElsewhere(ctx context.Context, t *bot.Turn) error {
	others, err := s.messages(ctx, `m.conversation_id IN (SELECT o.id FROM conversations o WHERE o.customer_id = $1 AND o.id <> $2)
			AND m.episode_id = $3 AND m.at >= $4 ORDER BY m.at DESC, m.seq DESC LIMIT `+strconv.Itoa(historyMost),
		t.Conversation.Customer, t.Conversation.ID, t.Conversation.Episode, t.Now.Add(-elsewhereFor).UnixMilli())
	if err != nil || len(others) == 0 {
		return err
	}
	slices.Reverse(others)
	t.History = bot.Interleave(append(t.History, others...))
	return nil
}

// loadAnswered notes on the bot's answers in t's history what each turn's rest on. A turn's answers
// share its entries; the first message has them.
func (s *Store) loadAnswered(ctx context.Context, t *bot.Turn) (err error) {
	var ids []bot.TurnID
	for _, m := range t.History {
		if m.Author == bot.AuthorBot && m.Turn != "" && !slices.Contains(ids, m.Turn) {
			ids = append(ids, m.Turn)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var args []any
	rows, err := s.db.QueryContext(ctx, `SELECT id, entries FROM turns WHERE id IN (`+marks(ids, &args)+`) AND action = 'answer' AND entries <> ''`, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	answered := map[bot.TurnID][]knowledge.EntryID{}
	for rows.Next() {
		var id bot.TurnID
		var entries string
		if err := rows.Scan(&id, &entries); err != nil {
			return err
		}
		var list []knowledge.EntryID
		if err := unpack(entries, &list); err != nil {
			return fmt.Errorf("turn %s: %w", id, err)
		}
		answered[id] = list
	}
	for i := range t.History {
		if m := &t.History[i]; m.Author == bot.AuthorBot {
			m.Entries = answered[m.Turn]
			delete(answered, m.Turn)
		}
	}
	return rows.Err()
}

// CommitTurn makes o the outcome of claim: the waiting messages are answered, the replies and the news
// are queued, in one transaction. It returns ErrFenced, and changes nothing, if somebody raised the
// fence since the claim.
func (s *Store) CommitTurn(ctx context.Context, claim TurnClaim, o bot.Outcome, now time.Time) error {
	fenced := false
	err := s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		t, next := claim.Turn, o.Next
		last := t.Waiting[len(t.Waiting)-1].Seq
		c := &ConversationTx{tx: tx, now: now}
		err := c.scan(tx.QueryRowContext(ctx, `UPDATE conversations SET misses = $3, clarify = $4, asked = $5,
			lease_until = 0, attempt = 0, fence = fence + 1,
			turn_due_at = CASE WHEN waiting_seq > $6 THEN turn_due_at ELSE 0 END,
			waiting_since = CASE WHEN waiting_seq > $6 THEN CAST($7 AS BIGINT) ELSE 0 END,
			waiting_from = CAST($6 AS BIGINT) + 1
			WHERE id = $1 AND fence = $2 RETURNING `+conversationTxColumns,
			t.Conversation.ID, claim.fence, next.Misses, next.Clarify, next.Asked, last, now.UnixMilli()))
		if fenced = errors.Is(err, sql.ErrNoRows); fenced { // nothing is changed, so the group need not fail
			return nil
		}
		if err != nil {
			return fmt.Errorf("end turn: %w", err)
		}
		if err := c.setMode(ctx, next.Mode); err != nil {
			return err
		}
		return c.storeOutcome(ctx, claim, o, last)
	})
	if err == nil && fenced {
		return ErrFenced
	}
	return err
}

// storeOutcome stores what claim's turn, which answers up to the message last, led to.
func (c *ConversationTx) storeOutcome(ctx context.Context, claim TurnClaim, o bot.Outcome, last int64) error {
	t := claim.Turn
	if _, err := c.tx.ExecContext(ctx, `UPDATE messages SET turn_id = $2
		WHERE conversation_id = $1 AND seq >= $4 AND seq <= $3 AND turn_id = '' AND author = 'customer'`, c.conv.ID, t.ID, last, claim.from); err != nil {
		return fmt.Errorf("mark messages answered: %w", err)
	}
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO turns
		(id, conversation_id, episode_id, affiliate, action, reason, score, entries, trace, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, t.ID, c.conv.ID, c.conv.Episode, c.conv.Affiliate,
		o.Decision.Action, o.Decision.Reason, o.Decision.Score, pack(o.Decision.Entries), mustJSON(o.Trace), c.now.UnixMilli()); err != nil {
		return fmt.Errorf("store turn: %w", err)
	}
	for i, r := range o.Replies {
		if err := c.AddReply(ctx, bot.AuthorBot, t.ID, fmt.Sprintf("turn:%s:%d", t.ID, i), r); err != nil {
			return err
		}
	}
	if o.Next.OptOut != t.Conversation.OptOut { // else what the network told meanwhile stands
		if _, err := c.tx.ExecContext(ctx, `UPDATE conversations SET opt_out = $2, opt_out_at = $3 WHERE id = $1`,
			c.conv.ID, o.Next.OptOut, c.now.UnixMilli()); err != nil {
			return fmt.Errorf("note what the customer wants: %w", err)
		}
	}
	if err := c.recordTurn(ctx, t.ID, o); err != nil {
		return err
	}
	if err := c.reportTurn(ctx, t, o); err != nil {
		return err
	}
	return c.saveSeq(ctx)
}

// reportTurn queues what the desk must hear of a turn.
func (c *ConversationTx) reportTurn(ctx context.Context, t bot.Turn, o bot.Outcome) error {
	switch {
	case o.Escalate != nil:
		entry := nearest(o)
		if err := c.recordHandoff(ctx, *o.Escalate, entry, probability(o.Trace, entry)); err != nil {
			return err
		}
		return c.tellDesk(ctx, bot.DeskEvent{Escalation: o.Escalate})
	case o.Decision.Action == bot.ActionForward:
		var ids []bot.MessageID
		for _, m := range t.Waiting {
			ids = append(ids, m.ID)
		}
		return c.tellDesk(ctx, bot.DeskEvent{Wrote: ids})
	case t.Conversation.Mode == bot.ModePerson && o.Next.Mode == bot.ModeBot:
		return c.tellDesk(ctx, bot.DeskEvent{ReturnedToBot: true})
	}
	return nil
}

// RenewTurn keeps a claimed turn from others until then, unless somebody raised the fence.
func (s *Store) RenewTurn(ctx context.Context, c TurnClaim, until time.Time) error {
	return s.db.Grouped(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE conversations SET lease_until = $3 WHERE id = $1 AND fence = $2 AND lease_until > 0`,
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
		_, err := tx.ExecContext(ctx, `UPDATE conversations SET lease_until = 0, attempt = attempt - $3, turn_due_at = $4
			WHERE id = $1 AND fence = $2`, c.Turn.Conversation.ID, c.fence, back, due.UnixMilli())
		return err
	})
}

// ReleaseLeases ends every lease. Only a process that knows it is alone on the database, as the
// server on a SQLite file is at its start, may call it: what its predecessor held when it died is
// then claimed after the wait of one failure instead of that after its lease.
func (s *Store) ReleaseLeases(ctx context.Context, now time.Time) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"conversations", "fetches", "deliveries"} {
			if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET lease_until = $1 WHERE lease_until > $1`, now.UnixMilli()); err != nil {
				return fmt.Errorf("release the leases of %s: %w", table, err)
			}
		}
		return nil
	})
}
