package handoff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
)

// A ticket is about a customer, who may have several conversations: it follows them to the one in which
// they write, and ending it gives all of them back to the bot.

// current is the ticket of a conversation: its newest, or, if none of its own is open, the open one of
// another conversation of the same customer. There being none is ErrNotFound.
func (d *Desk) current(ctx context.Context, id bot.ConversationID) (Ticket, error) {
	own, err := d.store.of(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) || err == nil && own.State != StateClosed {
		return own, err
	}
	others, oerr := d.others(ctx, id)
	if oerr != nil {
		return Ticket{}, oerr
	}
	for _, other := range others {
		t, oerr := d.store.of(ctx, other.ID)
		if oerr == nil && t.State != StateClosed {
			return t, nil
		}
		if oerr != nil && !errors.Is(oerr, ErrNotFound) {
			return Ticket{}, oerr
		}
	}
	return own, err
}

// others are the customer's other conversations.
func (d *Desk) others(ctx context.Context, id bot.ConversationID) (list []bot.Conversation, err error) {
	conv, err := d.conversations.Get(ctx, id)
	if errors.Is(err, bot.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := d.conversations.Identities(ctx, conv)
	for _, one := range all {
		if one.ID != id {
			list = append(list, one.Conversation)
		}
	}
	return list, err
}

// follow moves an open ticket to the conversation in which its customer goes on.
func (d *Desk) follow(ctx context.Context, t Ticket, to bot.ConversationID, at time.Time) (Ticket, error) {
	if t.Conversation == to || t.State == StateClosed {
		return t, nil
	}
	moved, err := d.store.follow(ctx, t.ID, to, at)
	if err != nil || !moved {
		return t, err
	}
	t.Conversation = to
	return t, d.store.note(ctx, t.ID, fmt.Sprintf("follow:%s:%d", to, at.UnixMilli()), Note{At: at, Text: "The matter goes on in another channel of the customer."})
}

// escalated opens a ticket, unless the customer waits on one in another channel: then that one follows.
func (d *Desk) escalated(ctx context.Context, n bot.DeskEvent) error {
	t, err := d.current(ctx, n.Conversation)
	if err == nil && t.State != StateClosed && t.Conversation != n.Conversation {
		if _, err := d.follow(ctx, t, n.Conversation, n.At); err != nil {
			return err
		}
		if err := d.store.wake(ctx, t.ID, n.At); err != nil {
			return err
		}
		return d.store.heard(ctx, t.ID, n.At)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && t.State != StateClosed && t.OpenedAt.UnixMilli() < n.At.UnixMilli() {
		// Only what the bot had is escalated, so whoever has an older ticket is just ending it, see end.
		if err := d.closeTicket(ctx, t, "", ResolutionHandedBack, n.At); err != nil {
			return err
		}
	}
	return d.store.open(ctx, n.Conversation, opening{Escalation: *n.Escalation, at: n.At, waits: true})
}

// release gives the customer's other conversations back to the bot, without a word: they were told where
// the matter ended. One with an open ticket of its own stays.
func (d *Desk) release(ctx context.Context, id bot.ConversationID) error {
	others, err := d.others(ctx, id)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.Mode != bot.ModePerson {
			continue
		}
		t, err := d.store.of(ctx, other.ID)
		if err == nil && t.State != StateClosed {
			continue
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := d.conversations.HandBack(ctx, other.ID, bot.Reply{}); err != nil {
			return err
		}
	}
	return nil
}

// AnswerIn makes replies to a ticket go to another of the customer's conversations; one of somebody else
// is bot.ErrNotFound.
func (d *Desk) AnswerIn(ctx context.Context, id TicketID, agent AgentID, to bot.ConversationID) error {
	t, err := d.store.ticket(ctx, id)
	if err != nil {
		return err
	}
	others, err := d.others(ctx, t.Conversation)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID != to {
			continue
		}
		if err := d.Take(ctx, id, agent, false); err != nil {
			return err
		}
		if err := d.conversations.Hold(ctx, to); err != nil {
			return err
		}
		_, err := d.follow(ctx, t, to, d.now())
		return err
	}
	return fmt.Errorf("ticket %s: %w", id, bot.ErrNotFound)
}

// Invite returns words that offer the customer to go on in another channel, with a link of their own. key
// is where, see conversations.Service.Destinations, and channel what people call it.
func (d *Desk) Invite(ctx context.Context, id TicketID, agent AgentID, key, channel string) (string, error) {
	t, err := d.store.ticket(ctx, id)
	if err != nil {
		return "", err
	}
	link, err := d.conversations.Link(ctx, t.Conversation, key, string(agent))
	if err != nil {
		return "", err
	}
	return d.say(ctx, t, dialogue.PhraseContinue, "{channel}", channel, "{link}", link)
}
