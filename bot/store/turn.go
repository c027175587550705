package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
		err := s.db.QueryRowContext(ctx, `SELECT fence FROM turn_queue WHERE conversation_id = $1`, t.Conversation.ID).Scan(&fence)
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
		c, err := s.lockRow(ctx, tx, t.Conversation.ID, now)
		if fenced = errors.Is(err, bot.ErrNotFound); fenced { // the customer was erased meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		ended, err := endTurn(ctx, tx, claim, last, now)
		if fenced = err == nil && !ended; fenced { // nothing is changed, so the group need not fail
			return nil
		}
		if err != nil {
			return fmt.Errorf("end turn: %w", err)
		}
		if err := c.setMode(ctx, next.Mode); err != nil {
			return err
		}
		if o.Picked != nil {
			if err := s.learnFromMenu(ctx, c, t.ID, bot.EntryOf(o.Picked.Payload)); err != nil {
				return err
			}
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
		r, err := c.addressInGroup(ctx, r, last+1)
		if err != nil {
			return err
		}
		if err := c.AddReply(ctx, bot.AuthorBot, t.ID, fmt.Sprintf("turn:%s:%d", t.ID, i), r); err != nil {
			return err
		}
	}
	if o.Next.OptOut != t.Conversation.OptOut { // else what the network told meanwhile stands
		if _, err := c.tx.ExecContext(ctx, `UPDATE contacts SET opt_out = $2, opt_out_at = $3 WHERE conversation_id = $1`,
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
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET next_seq = $2, active_at = $3, misses = $4, clarify = $5, asked = $6 WHERE id = $1`,
		c.conv.ID, c.seq, c.now.UnixMilli(), o.Next.Misses, o.Next.Clarify, o.Next.Asked)
	return err
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
		return c.tellDesk(ctx, bot.DeskEvent{Wrote: ids, Danger: o.Decision.Reason == bot.ReasonUrgent})
	case t.Conversation.Mode == bot.ModePerson && o.Next.Mode == bot.ModeBot:
		return c.tellDesk(ctx, bot.DeskEvent{ReturnedToBot: true})
	}
	return nil
}
