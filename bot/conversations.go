package bot

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"faqbot/knowledge/vault"
)

// ConversationsOptions are the parts of Conversations that may be left out.
type ConversationsOptions struct {
	Poke    func()           // called when deliveries were queued
	Now     func() time.Time // time.Now if nil
	LinkKey vault.Signer     // signs the links by which they do; without it there are none
}

// Conversations is how people of ours read and speak. Calling a method again changes nothing more.
type Conversations struct {
	store    *Store
	accounts *Registry
	o        ConversationsOptions
}

// NewConversations returns the conversations in store, spoken in through the channels of accounts.
func NewConversations(store *Store, accounts *Registry, o ConversationsOptions) *Conversations {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	return &Conversations{store: store, accounts: accounts, o: o}
}

// Get returns one conversation, or ErrNotFound.
func (c *Conversations) Get(ctx context.Context, id ConversationID) (Conversation, error) {
	return c.store.conversation(ctx, id)
}

// Transcript returns what was said after seq, oldest first.
func (c *Conversations) Transcript(ctx context.Context, id ConversationID, after int64) ([]Message, error) {
	list, err := c.store.messages(ctx, `m.conversation_id = $1 AND m.seq > $2 ORDER BY m.seq`, id, after)
	if err != nil {
		return nil, fmt.Errorf("read conversation %s: %w", id, err)
	}
	return list, nil
}

// Say sends a person's reply, of one message or several in order, and gives the conversation to people.
// A bot reply still being worked out cannot land after it. A closed window or a customer who blocked us
// is a *SendError, and nothing is stored.
func (c *Conversations) Say(ctx context.Context, id ConversationID, key string, replies ...Reply) error {
	return c.change(ctx, id, func(ctx context.Context, q *queuer) error {
		for _, r := range replies {
			if refused := q.conv.unwanted(r.Template); refused != nil {
				return refused
			}
		}
		refused := sendable(q.conv, c.o.Now(), c.limits(q.conv.Address))
		plain := slices.ContainsFunc(replies, func(r Reply) bool { return r.Template == nil })
		templated := !plain && refused != nil && refused.Kind == SendWindowClosed // what templates are for
		if refused != nil && !templated {
			return refused
		}
		var parts []Reply
		for _, r := range replies {
			parts = append(parts, c.fit(q.conv.Address, r)...)
		}
		for i, part := range parts {
			if err := sayOnce(ctx, q, fmt.Sprintf("say:%s:%d", key, i), part); err != nil {
				return err
			}
		}
		return setMode(ctx, q, ModePerson)
	})
}

// Refusal is why a person's reply to a customer would be refused now, nil if it would not: Say's error,
// before anybody types.
func (c *Conversations) Refusal(conv Conversation) *SendError {
	return sendable(conv, c.o.Now(), c.limits(conv.Address))
}

// Until is when Refusal will begin to say that the window has closed, zero if it never does.
func (c *Conversations) Until(conv Conversation) time.Time { return conv.until(c.limits(conv.Address)) }

// Notify says r to the customer in the bot's name, whoever has the conversation. It is refused like Say,
// and to whoever opted out of the bot.
func (c *Conversations) Notify(ctx context.Context, id ConversationID, r Reply) error {
	return c.change(ctx, id, func(ctx context.Context, q *queuer) error {
		if q.conv.OptOut == OptOutAll {
			return &SendError{Kind: SendUnwanted, Code: string(q.conv.OptOut)}
		}
		if refused := sendable(q.conv, c.o.Now(), Limits{}); refused != nil {
			return refused
		}
		return q.say(ctx, AuthorBot, "", "notify:"+rand.Text(), r)
	})
}

// HandBack gives a conversation that people have back to the bot, with a word about it for the
// customer unless r has none, they cannot be reached, or they want to hear nothing of the bot. It closes
// the episode: what they ask next is a new matter. One that the bot has already is left as it is.
func (c *Conversations) HandBack(ctx context.Context, id ConversationID, r Reply) error {
	return c.change(ctx, id, func(ctx context.Context, q *queuer) error {
		if q.conv.Mode == ModeBot {
			return nil
		}
		if r.Text != "" && q.conv.OptOut != OptOutAll && sendable(q.conv, c.o.Now(), Limits{}) == nil {
			for _, part := range c.fit(q.conv.Address, r) {
				if err := q.say(ctx, AuthorBot, "", "handback:"+rand.Text(), part); err != nil {
					return err
				}
			}
		}
		if _, err := q.tx.ExecContext(ctx, `UPDATE episodes SET closed_at = $2, outcome = 'resolved' WHERE id = $1 AND closed_at = 0`,
			q.conv.Episode, c.o.Now().UnixMilli()); err != nil {
			return fmt.Errorf("close episode: %w", err)
		}
		return setMode(ctx, q, ModeBot)
	})
}

// Hold gives the conversation to people without saying anything.
func (c *Conversations) Hold(ctx context.Context, id ConversationID) error {
	return c.change(ctx, id, func(ctx context.Context, q *queuer) error { return setMode(ctx, q, ModePerson) })
}

// change runs do in one transaction that holds the conversation's row.
func (c *Conversations) change(ctx context.Context, id ConversationID, do func(context.Context, *queuer) error) error {
	err := c.store.db.InTx(ctx, func(tx *sql.Tx) error {
		q, err := c.store.lock(ctx, tx, id, c.o.Now())
		if err != nil {
			return err
		}
		if err := do(ctx, q); err != nil {
			return err
		}
		return q.close(ctx)
	})
	if err != nil {
		return fmt.Errorf("conversation %s: %w", id, err)
	}
	c.o.Poke()
	return nil
}

func (c *Conversations) fit(to Address, r Reply) []Reply {
	if c.accounts.Channel(AccountKey(to.Channel, to.Account)) == nil { // another process may know it
		return []Reply{r}
	}
	return Fit(r, c.limits(to))
}

func (c *Conversations) limits(to Address) Limits {
	if channel := c.accounts.Channel(AccountKey(to.Channel, to.Account)); channel != nil {
		return channel.Limits()
	}
	return Limits{}
}

// sayOnce says r for an agent unless it was said under key before.
func sayOnce(ctx context.Context, q *queuer, key string, r Reply) error {
	var n int
	err := q.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM messages WHERE conversation_id = $1 AND external_id = $2`, q.conv.ID, key).Scan(&n)
	if err != nil || n > 0 {
		return err
	}
	return q.say(ctx, AuthorAgent, "", key, r)
}

// sendable is nil when the network lets us write to the customer at now; with the network's limits,
// when it lets a person of ours.
func sendable(c Conversation, now time.Time, l Limits) *SendError {
	until := c.until(l)
	switch {
	case c.Unreachable:
		return &SendError{Kind: SendBlocked, Code: "the customer has blocked this account"}
	case !until.IsZero() && now.After(until):
		return &SendError{Kind: SendWindowClosed, Code: "until the customer writes again"}
	}
	return nil
}

// until is when the window closes for people of ours, zero if it never does.
func (c Conversation) until(l Limits) time.Time {
	if c.WindowUntil.IsZero() || l.Person <= l.Window {
		return c.WindowUntil
	}
	return c.WindowUntil.Add(l.Person - l.Window)
}

// unwanted is why a template may not be sent to a customer who opted out, nil if it may.
func (c Conversation) unwanted(t *Filled) *SendError {
	if t != nil && (c.OptOut == OptOutAll || c.OptOut == OptOutMarketing && t.Marketing) {
		return &SendError{Kind: SendUnwanted, Code: string(c.OptOut)}
	}
	return nil
}

func setMode(ctx context.Context, q *queuer, m Mode) error {
	_, err := q.tx.ExecContext(ctx, `UPDATE conversations SET mode = $2, misses = 0, clarify = 0, asked = '' WHERE id = $1`, q.conv.ID, m)
	return err
}

// WithPerson lists the conversations that people have, quiet since before, oldest first, of which
// the desk has heard all there is to hear.
func (c *Conversations) WithPerson(ctx context.Context, before time.Time) (list []Conversation, err error) {
	list, err = c.store.conversations(ctx, `mode = $1 AND active_at < $2 AND NOT EXISTS (SELECT 1 FROM deliveries d
			WHERE d.conversation_id = conversations.id AND d.lane = $3 AND d.state = 'queued')
		ORDER BY active_at`, ModePerson, before.UnixMilli(), laneDesk)
	if err != nil {
		return nil, fmt.Errorf("list conversations with people: %w", err)
	}
	return list, nil
}
