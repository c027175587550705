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

// A ConversationTx is a conversation whose row a transaction holds. All that changes a conversation goes through
// one. Messages and deliveries that are added to it take sequence numbers as they go.
type ConversationTx struct {
	tx         *sql.Tx
	conv       bot.Conversation
	seq        int64 // the next one to take
	pacedUntil time.Time
	now        time.Time

	event *eventState // nil unless an event is being stored
}

// An eventState is the part of a conversation's row that only storing an event needs.
type eventState struct {
	waitingSince int64
	activeAt     int64
	joined       bool // just now, with another conversation
}

// conversationTxColumns are what a ConversationTx needs outside of an event.
const conversationTxColumns = conversationColumns + `, next_seq, paced_until`

// scan reads conversationTxColumns.
func (c *ConversationTx) scan(row scanner) (err error) {
	var paced int64
	c.conv, err = scanConversation(row, &c.seq, &paced)
	c.pacedUntil = sqldb.Time(paced)
	return err
}

// selectForEvent reads what storing an event needs, and no more: every message pays for it.
const selectForEvent = `SELECT id, channel, account, customer, affiliate, customer_id, episode_id, mode, window_until, window_reason,
	next_seq, waiting_since, active_at, (SELECT name FROM contacts k WHERE k.conversation_id = conversations.id) FROM conversations JOIN turn_queue ON turn_queue.conversation_id = conversations.id `

// scanEvent reads a row of selectForEvent.
func (c *ConversationTx) scanEvent(row scanner) error {
	var window int64
	c.event = &eventState{}
	v, e := &c.conv, c.event
	err := row.Scan(&v.ID, &v.Address.Channel, &v.Address.Account, &v.Address.Customer, &v.Affiliate, &v.Customer, &v.Episode, &v.Mode,
		&window, &v.WindowReason, &c.seq, &e.waitingSince, &e.activeAt, &v.Name)
	v.WindowUntil = sqldb.Time(window)
	return err
}

// lockConversation takes the conversation's rows for the rest of tx and bumps the fence of its turns, so that no
// turn in progress can commit and the next turn can start at once.
func (s *Store) lockConversation(ctx context.Context, tx *sql.Tx, id bot.ConversationID, now time.Time) (*ConversationTx, error) {
	c, err := s.lockRow(ctx, tx, id, now)
	if err != nil {
		return nil, err
	}
	return c, bumpFence(ctx, tx, id)
}

// lockRow takes the conversation's row, and nothing of its turns.
func (s *Store) lockRow(ctx context.Context, tx *sql.Tx, id bot.ConversationID, now time.Time) (*ConversationTx, error) {
	c := &ConversationTx{tx: tx, now: now}
	err := c.scan(tx.QueryRowContext(ctx, `SELECT `+conversationTxColumns+conversationTables+`WHERE id = $1 `+s.db.ForUpdate, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("conversation %s: %w", id, bot.ErrNotFound)
	}
	return c, err
}

// ChangeConversation runs change in one transaction that holds the conversation's row.
func (s *Store) ChangeConversation(ctx context.Context, id bot.ConversationID, now time.Time, change func(context.Context, *ConversationTx) error) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		c, err := s.lockConversation(ctx, tx, id, now)
		if err != nil {
			return err
		}
		if err := change(ctx, c); err != nil {
			return err
		}
		return c.saveSeq(ctx)
	})
	if err != nil {
		return fmt.Errorf("conversation %s: %w", id, err)
	}
	return nil
}

// Conversation is the conversation as it was when the row was taken.
func (c *ConversationTx) Conversation() bot.Conversation { return c.conv }

// setMode gives the conversation to the bot or to people. Nothing else changes the mode.
func (c *ConversationTx) setMode(ctx context.Context, m bot.Mode) error {
	if c.conv.Mode == m {
		return nil
	}
	if _, err := c.tx.ExecContext(ctx, `UPDATE conversations SET mode = $2 WHERE id = $1`, c.conv.ID, m); err != nil {
		return fmt.Errorf("set who answers: %w", err)
	}
	c.conv.Mode = m
	return nil
}

// resetDialogue forgets what the bot was about to ask, and how often it failed.
func (c *ConversationTx) resetDialogue(ctx context.Context) error {
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET misses = 0, clarify = 0, asked = '' WHERE id = $1`, c.conv.ID)
	return err
}

// Assign gives the conversation to the bot or to people, with a fresh dialogue.
func (c *ConversationTx) Assign(ctx context.Context, m bot.Mode) error {
	if err := c.resetDialogue(ctx); err != nil {
		return err
	}
	return c.setMode(ctx, m)
}

// CloseEpisode ends the matter at hand as resolved. What the customer asks next is a new matter.
func (c *ConversationTx) CloseEpisode(ctx context.Context) error {
	if _, err := c.tx.ExecContext(ctx, `UPDATE episodes SET closed_at = $2, outcome = 'resolved' WHERE id = $1 AND closed_at = 0`,
		c.conv.Episode, c.now.UnixMilli()); err != nil {
		return fmt.Errorf("close episode: %w", err)
	}
	return nil
}

// AddReply stores r as a message under key and queues it for the customer.
func (c *ConversationTx) AddReply(ctx context.Context, author bot.Author, turn bot.TurnID, key string, r bot.Reply) error {
	_, err := c.insertReply(ctx, author, turn, key, r)
	return err
}

func (c *ConversationTx) insertReply(ctx context.Context, author bot.Author, turn bot.TurnID, key string, r bot.Reply) (bot.MessageID, error) {
	r, err := c.addressInGroup(ctx, r, c.seq)
	if err != nil {
		return "", err
	}
	id := bot.MessageID(sqldb.NewID(c.now))
	attachments := replyAttachments(r)
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO messages
		(id, conversation_id, seq, episode_id, author, agent, body, choices, attachments, external_id, turn_id, status, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		id, c.conv.ID, c.seq, c.conv.Episode, author, r.Agent, r.Text, pack(r.Choices), pack(attachments), key, turn, bot.StatusQueued,
		c.now.UnixMilli()); err != nil {
		return id, fmt.Errorf("store reply: %w", err)
	}
	if author == bot.AuthorAgent { // an entry's files are kept with the entry
		if err := keepAttachments(ctx, c.tx, attachments, c.now); err != nil {
			return id, err
		}
	}
	return id, c.queueDelivery(ctx, LaneCustomer, id, Payload{Reply: &r})
}

// AddAgentReplies stores and queues an agent's replies, unless there are some under key already.
func (c *ConversationTx) AddAgentReplies(ctx context.Context, key string, replies []bot.Reply) error {
	for i, r := range replies {
		key := fmt.Sprintf("%s:%d", key, i)
		var n int
		err := c.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM messages WHERE conversation_id = $1 AND external_id = $2`, c.conv.ID, key).Scan(&n)
		if err != nil || n > 0 {
			return err
		}
		id, err := c.insertReply(ctx, bot.AuthorAgent, "", key, r)
		if err != nil {
			return err
		}
		if i == 0 {
			if err := c.recordReply(ctx, id, r.Agent); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellDesk queues n for the desk.
func (c *ConversationTx) tellDesk(ctx context.Context, n bot.DeskEvent) error {
	n.At = c.now
	return c.queueDelivery(ctx, LaneDesk, "", Payload{News: &n})
}

func (c *ConversationTx) queueDelivery(ctx context.Context, lane Lane, message bot.MessageID, p Payload) error {
	due := c.now
	if lane == LaneCustomer && c.pacedUntil.After(due) {
		due = c.pacedUntil
	}
	_, err := c.tx.ExecContext(ctx, `INSERT INTO deliveries
		(id, conversation_id, lane, seq, channel, account, message_id, payload, due_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		sqldb.NewID(c.now), c.conv.ID, lane, c.seq, c.conv.Address.Channel, c.conv.Address.Account, message, mustJSON(p),
		due.UnixMilli(), c.now.UnixMilli())
	if err != nil {
		return fmt.Errorf("queue delivery: %w", err)
	}
	c.seq++
	return nil
}

// saveSeq writes back the sequence number the conversation goes on with.
func (c *ConversationTx) saveSeq(ctx context.Context) error {
	_, err := c.tx.ExecContext(ctx, `UPDATE conversations SET next_seq = $2, active_at = $3 WHERE id = $1`,
		c.conv.ID, c.seq, c.now.UnixMilli())
	return err
}

// escalate hands the conversation to a person. If a person has it already, the desk is only told of failure,
// unless that is nil.
func (c *ConversationTx) escalate(ctx context.Context, e bot.Escalation, failure *bot.DeliveryFailure) error {
	if c.conv.Mode == bot.ModePerson {
		if failure == nil {
			return nil
		}
		return c.tellDesk(ctx, bot.DeskEvent{Failure: failure})
	}
	if err := c.Assign(ctx, bot.ModePerson); err != nil {
		return err
	}
	if err := c.recordHandoff(ctx, e, "", 0); err != nil {
		return err
	}
	return c.tellDesk(ctx, bot.DeskEvent{Escalation: &e})
}
