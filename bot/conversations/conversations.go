// Package conversations is how people read conversations and speak in them: reply, take over, hand back, link to
// another channel.
package conversations

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/vault"
)

// Options are the parts of Conversations that may be left out.
type Options struct {
	Poke    func()           // called when deliveries were queued
	Now     func() time.Time // time.Now if nil
	LinkKey vault.Signer     // signs the links by which they do; without it there are none
}

// Service is how people of ours read and speak. Calling a method again changes nothing more.
type Service struct {
	*store.Reader
	store    *store.Store
	accounts *bot.Registry
	o        Options
}

// New returns the conversations in store, spoken in through the channels of accounts.
func New(store *store.Store, accounts *bot.Registry, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poke == nil {
		o.Poke = func() {}
	}
	return &Service{Reader: store.Reader, store: store, accounts: accounts, o: o}
}

// Get returns one conversation, or ErrNotFound.
func (c *Service) Get(ctx context.Context, id bot.ConversationID) (bot.Conversation, error) {
	return c.store.Conversation(ctx, id)
}

// Say sends a person's reply, of one message or several in order, and gives the conversation to people.
// A bot reply still being worked out cannot land after it. A closed window or a customer who blocked us
// is a *SendError, and nothing is stored.
func (c *Service) Say(ctx context.Context, id bot.ConversationID, key string, replies ...bot.Reply) error {
	var conv bot.Conversation
	err := c.change(ctx, id, func(ctx context.Context, tx *store.ConversationTx) error {
		conv = tx.Conversation()
		for _, r := range replies {
			if refused := conv.TemplateRefusal(r.Template); refused != nil {
				return refused
			}
		}
		refused := conv.SendRefusal(c.o.Now(), c.limits(conv.Address))
		plain := slices.ContainsFunc(replies, func(r bot.Reply) bool { return r.Template == nil })
		templated := !plain && refused != nil && refused.Kind == bot.SendWindowClosed // what templates are for
		if refused != nil && !templated {
			return refused
		}
		var parts []bot.Reply
		for _, r := range replies {
			parts = append(parts, c.fit(conv.Address, r)...)
		}
		if err := tx.AddAgentReplies(ctx, "say:"+key, parts); err != nil {
			return err
		}
		return tx.Assign(ctx, bot.ModePerson)
	})
	if err != nil {
		return err
	}
	// What is said to a group's member may reach them in private, where their answer is for the person, too.
	private, err := c.store.Private(ctx, conv)
	if private == "" || err != nil {
		return err
	}
	return c.Hold(ctx, private)
}

// Refusal is why a person's reply to a customer would be refused now, nil if it would not: Say's error,
// before anybody types.
func (c *Service) Refusal(conv bot.Conversation) *bot.SendError {
	return conv.SendRefusal(c.o.Now(), c.limits(conv.Address))
}

// Until is when Refusal will begin to say that the window has closed, zero if it never does.
func (c *Service) Until(conv bot.Conversation) time.Time {
	return conv.WindowFor(c.limits(conv.Address))
}

// Notify says r to the customer in the bot's name, whoever has the conversation. It is refused like Say,
// and to whoever opted out of the bot.
func (c *Service) Notify(ctx context.Context, id bot.ConversationID, r bot.Reply) error {
	return c.change(ctx, id, func(ctx context.Context, tx *store.ConversationTx) error {
		conv := tx.Conversation()
		if conv.OptOut == bot.OptOutAll {
			return &bot.SendError{Kind: bot.SendUnwanted, Code: string(conv.OptOut)}
		}
		if refused := conv.SendRefusal(c.o.Now(), bot.Limits{}); refused != nil {
			return refused
		}
		return tx.AddReply(ctx, bot.AuthorBot, "", "notify:"+rand.Text(), r)
	})
}

// HandBack gives a conversation that people have back to the bot, with a word about it for the
// customer unless r has none, they cannot be reached, or they want to hear nothing of the bot. It closes
// the episode: what they ask next is a new matter. One that the bot has already is left as it is.
func (c *Service) HandBack(ctx context.Context, id bot.ConversationID, r bot.Reply) error {
	return c.change(ctx, id, func(ctx context.Context, tx *store.ConversationTx) error {
		conv := tx.Conversation()
		if conv.Mode == bot.ModeBot {
			return nil
		}
		if r.Text != "" && conv.OptOut != bot.OptOutAll && conv.SendRefusal(c.o.Now(), bot.Limits{}) == nil {
			for _, part := range c.fit(conv.Address, r) {
				if err := tx.AddReply(ctx, bot.AuthorBot, "", "handback:"+rand.Text(), part); err != nil {
					return err
				}
			}
		}
		if err := tx.CloseEpisode(ctx); err != nil {
			return err
		}
		return tx.Assign(ctx, bot.ModeBot)
	})
}

// Hold gives the conversation to people without saying anything.
func (c *Service) Hold(ctx context.Context, id bot.ConversationID) error {
	return c.change(ctx, id, func(ctx context.Context, tx *store.ConversationTx) error { return tx.Assign(ctx, bot.ModePerson) })
}

// change runs do in one transaction that holds the conversation's row.
func (c *Service) change(ctx context.Context, id bot.ConversationID, do func(context.Context, *store.ConversationTx) error) error {
	err := c.store.ChangeConversation(ctx, id, c.o.Now(), do)
	if err == nil {
		c.o.Poke()
	}
	return err
}

func (c *Service) fit(to bot.Address, r bot.Reply) []bot.Reply {
	if c.accounts.Channel(to.Key()) == nil { // another process may know it
		return []bot.Reply{r}
	}
	return fit.Split(r, c.limits(to))
}

func (c *Service) limits(to bot.Address) bot.Limits {
	return c.accounts.Limits(to.Key())
}

// shownFor is how long the desk shows an incident that is over.
const shownFor = time.Hour

// Incidents lists what lasts, and what ended within the last hour, on the accounts of some affiliates.
func (c *Service) Incidents(ctx context.Context, may func(knowledge.AffiliateID) bool) (list []bot.Incident, err error) {
	all, err := c.store.Incidents(ctx, c.o.Now().Add(-shownFor))
	for _, i := range all {
		if account, ok := c.accounts.Account(bot.AccountKey(i.Channel, i.Account)); ok && may(account.Owner()) {
			list = append(list, i)
		}
	}
	return list, err
}

// SignOutVisitor signs the customer of a chat out, everywhere they have it open.
func (c *Service) SignOutVisitor(ctx context.Context, conv bot.Conversation) error {
	return c.store.SignOutVisitors(ctx, conv.Address.Account, conv.Address.Customer, c.o.Now())
}

// DeadLetters lists an account's replies that did not get through, the newest first.
func (c *Service) DeadLetters(ctx context.Context, channel, account string, limit int) ([]bot.DeadLetter, error) {
	return c.store.DeadLetters(ctx, channel, account, limit, c.o.Now())
}

// DeadLetter returns one, or ErrNotFound.
func (c *Service) DeadLetter(ctx context.Context, id bot.DeliveryID) (bot.DeadLetter, error) {
	return c.store.DeadLetter(ctx, id, c.o.Now())
}

// Replay has a dead letter sent again, once: two who ask for it cause one send. What may have arrived, and what is
// no longer the last word, is refused with an ErrReplay.
func (c *Service) Replay(ctx context.Context, id bot.DeliveryID) error {
	l, err := c.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	return c.change(ctx, l.Conversation, func(ctx context.Context, tx *store.ConversationTx) error { return tx.Replay(ctx, id) })
}

// Separate makes a conversation a customer's of its own again. From then on only a link joins it with
// another. One that is alone already is left as it is.
func (c *Service) Separate(ctx context.Context, id bot.ConversationID, agent string) error {
	return c.change(ctx, id, func(ctx context.Context, tx *store.ConversationTx) error { return tx.Separate(ctx, agent) })
}
