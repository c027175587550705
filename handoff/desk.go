// Package handoff holds what a person does: tickets, the queues they wait in, and the desk that
// opens, takes, answers and closes them. It hears of a conversation through bot's desk lane and
// speaks through conversations.Service; it keeps no words of its own but the question that opened a
// ticket and notes that customers never see.
//
// A ticket row and a conversation row live in two folders and no transaction spans both. Each step
// is therefore ordered so that dying in between leaves work for somebody, never silence: the ticket
// is closed after the bot has the conversation back, a reply is stored before the ticket counts as
// answered, and Sweep opens a ticket for whoever waits for a person without one.
package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/fit"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
)

// LongestReply is the most characters, in UTF-16 units, of a person's reply; networks get it in parts.
const LongestReply = 20_000

// A Desk is where people work on tickets. It is a bot.Desk.
type Desk struct {
	store         store
	attempts      *attempts.Counter
	conversations *conversations.Service
	phrases       *dialogue.Phrases
	brands        *brand.Store
	log           logrus.FieldLogger
	now           func() time.Time
}

var _ bot.Desk = (*Desk)(nil)

// NewDesk returns the desk in db, to which Schema, attempts.Schema and brand.Schema have been applied. now is time.Now if nil.
func NewDesk(db *sqldb.DB, conversations *conversations.Service, phrases *dialogue.Phrases, log logrus.FieldLogger, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	return &Desk{store: store{db}, attempts: attempts.NewCounter(db, now), conversations: conversations, phrases: phrases, brands: brand.NewStore(db, now), log: log, now: now}
}

// Tell takes n in. It is idempotent.
func (d *Desk) Tell(ctx context.Context, n bot.DeskEvent) error {
	if n.Escalation != nil {
		return d.escalated(ctx, n)
	}
	t, err := d.current(ctx, n.Conversation)
	if errors.Is(err, ErrNotFound) {
		if n.ReturnedToBot {
			return nil
		}
		return d.adopt(ctx, n.Conversation, fmt.Sprintf("%s:%d", n.Conversation, n.Seq), n.At, true)
	}
	if err != nil {
		return err
	}
	if n.ReturnedToBot {
		if err := d.closeTicket(ctx, t, "", ResolutionLeft, n.At); err != nil {
			return err
		}
		return d.release(ctx, n.Conversation)
	}
	if t, err = d.follow(ctx, t, n.Conversation, n.At); err != nil {
		return err
	}
	if t.State == StateClosed {
		// It was closed while this was on its way. The customer must not fall between two chairs.
		if err := d.conversations.Hold(ctx, n.Conversation); err != nil {
			return err
		}
		reopened, err := d.newEvent(ctx, events.Reopened, t, n.At)
		if err != nil {
			return err
		}
		if err := d.store.reopen(ctx, reopened); err != nil {
			return err
		}
	}
	if err := d.store.wake(ctx, t.ID, n.At); err != nil {
		return err
	}
	if n.Failure != nil {
		return d.store.note(ctx, t.ID, fmt.Sprintf("fate:%s:%d", n.Conversation, n.Seq), Note{At: n.At, Text: fateWords(*n.Failure), Message: n.Failure.Message})
	}
	if n.Danger {
		if err := d.store.alarm(ctx, t.ID, n.At); err != nil {
			return err
		}
	}
	return d.store.heard(ctx, t.ID, n.At)
}

// fateWords says to agents what became of a reply.
func fateWords(f bot.DeliveryFailure) string {
	switch {
	case f.Code == string(bot.SendBlocked):
		return "A reply did not arrive: the customer has blocked this account."
	case f.Code == string(bot.SendWindowClosed):
		return "A reply did not arrive: the network allows none until the customer writes again."
	case f.Code == string(bot.SendUnwanted):
		return "A template did not arrive: the customer wants no advertising."
	case f.Code == string(bot.SendFile):
		return "A reply did not arrive: the network cannot use its file."
	case f.State == "doubtful":
		return "Nobody can tell whether a reply arrived: the network did not confirm it, twice."
	case f.State == "withdrawn":
		return "A reply of the bot was withdrawn: it could not be sent in time."
	}
	return fmt.Sprintf("A reply did not arrive (%s).", f.Code)
}

// adopt opens a ticket for a conversation that people have and that has none. waits says that its
// customer surely waits; else they do unless the last word was ours.
func (d *Desk) adopt(ctx context.Context, id bot.ConversationID, escalation string, at time.Time, waits bool) error {
	o, err := d.openingOf(ctx, id)
	if err != nil {
		return err
	}
	o.ID, o.Reason, o.at, o.waits = escalation, bot.ReasonPersonHasIt, at, waits || o.waits
	return d.store.open(ctx, id, o)
}

// openingOf fills in what a conversation says about a ticket of it.
func (d *Desk) openingOf(ctx context.Context, id bot.ConversationID) (o opening, err error) {
	c, err := d.conversations.Get(ctx, id)
	if err != nil {
		return o, err
	}
	said, err := d.conversations.Transcript(ctx, id, 0)
	if err != nil {
		return o, err
	}
	o.Affiliate, o.Locale = c.Affiliate, c.Locale
	for _, m := range said {
		o.waits = m.Author != bot.AuthorAgent // the bot's "a person will write" answers nothing
		if m.Author == bot.AuthorCustomer && m.Text != "" {
			o.Question = m.Text
		}
	}
	return o, nil
}

// Take gives the ticket to agent. Another's ticket is ErrTaken unless over is set.
func (d *Desk) Take(ctx context.Context, id TicketID, agent AgentID, over bool) error {
	if strings.TrimSpace(string(agent)) == "" {
		return errors.New("take ticket: say who you are")
	}
	t, err := d.store.ticket(ctx, id)
	if err != nil {
		return err
	}
	taken, err := d.newEvent(ctx, events.Taken, t, d.now())
	if err != nil {
		return err
	}
	taken.Agent = string(agent)
	took, err := d.store.take(ctx, taken, over)
	if err != nil || took {
		return err
	}
	t, err = d.store.ticket(ctx, id) // it may be another's meanwhile
	switch {
	case err != nil:
		return err
	case t.State == StateClosed:
		return fmt.Errorf("take ticket %s: %w", id, ErrClosed)
	case t.Assignee == agent:
		return nil
	}
	return fmt.Errorf("take ticket %s of %s: %w", id, t.Assignee, ErrTaken)
}

// newEvent is an event of a ticket, in the matter that its customer is at.
func (d *Desk) newEvent(ctx context.Context, kind events.Kind, t Ticket, at time.Time) (events.Event, error) {
	conv, err := d.conversations.Get(ctx, t.Conversation)
	if errors.Is(err, bot.ErrNotFound) {
		err = nil
	}
	return events.Event{Kind: kind, At: at, Affiliate: string(t.Affiliate), Conversation: string(t.Conversation), Episode: string(conv.Episode), Cause: string(t.ID)}, err
}

// closeTicket closes a ticket; agent is "" if nobody of ours does it.
func (d *Desk) closeTicket(ctx context.Context, t Ticket, agent AgentID, r Resolution, at time.Time) error {
	closed, err := d.newEvent(ctx, events.Closed, t, at)
	if err != nil {
		return err
	}
	closed.Agent, closed.Reason = string(agent), string(r)
	return d.store.close(ctx, closed)
}

// Reply sends text and files to the customer in the agent's name, taking the ticket if nobody has it.
// The text may be empty if there are files. The same key sends once. Errors: ErrNotFound, ErrTaken, ErrClosed, and a *bot.SendError when the
// network lets nobody write to the customer now; then nothing is sent.
func (d *Desk) Reply(ctx context.Context, id TicketID, agent AgentID, key, text string, files ...bot.Media) error {
	text = strings.TrimSpace(text)
	switch n := fit.UTF16Len(text); {
	case n == 0 && len(files) == 0:
		return fmt.Errorf("reply: %w", ErrEmpty)
	case n > LongestReply:
		return fmt.Errorf("reply of %d characters: %w", n, ErrTooLong)
	}
	if err := d.Take(ctx, id, agent, false); err != nil {
		return err
	}
	t, err := d.store.ticket(ctx, id)
	if err != nil {
		return err
	}
	if err := d.conversations.Say(ctx, t.Conversation, key, bot.Carrying(bot.Reply{Text: text, Agent: string(agent)}, files)...); err != nil {
		return err
	}
	return d.store.replied(ctx, id, d.now())
}

// ReplyTemplate sends a template that the network approved, with values for its variables, whether the
// window is open or not; else it is Reply.
func (d *Desk) ReplyTemplate(ctx context.Context, id TicketID, agent AgentID, key, name, language string, values []string) error {
	if err := d.Take(ctx, id, agent, false); err != nil {
		return err
	}
	t, err := d.store.ticket(ctx, id)
	if err != nil {
		return err
	}
	if err := d.conversations.SayTemplate(ctx, t.Conversation, key, string(agent), name, language, values); err != nil {
		return err
	}
	return d.store.replied(ctx, id, d.now())
}

// Note keeps a private note on the ticket. The same key keeps one; "" is a key of its own each time.
func (d *Desk) Note(ctx context.Context, id TicketID, agent AgentID, key, text string) error {
	text = strings.TrimSpace(text)
	switch n := fit.UTF16Len(text); {
	case n == 0:
		return fmt.Errorf("note: %w", ErrEmpty)
	case n > LongestReply:
		return fmt.Errorf("note of %d characters: %w", n, ErrTooLong)
	}
	if _, err := d.store.ticket(ctx, id); err != nil {
		return err
	}
	if key == "" {
		key = rand.Text()
	}
	return d.store.note(ctx, id, "note:"+key, Note{Agent: agent, Text: text, At: d.now()})
}

// Close ends the ticket as resolved: the customer is told, and the bot answers again.
func (d *Desk) Close(ctx context.Context, id TicketID, agent AgentID) error {
	return d.end(ctx, id, agent, ResolutionResolved, dialogue.PhraseHandedBack)
}

// HandBack ends the ticket by giving the conversation back to the bot, which says so.
func (d *Desk) HandBack(ctx context.Context, id TicketID, agent AgentID) error {
	return d.end(ctx, id, agent, ResolutionHandedBack, dialogue.PhraseBack)
}

// Reopen opens a closed ticket again for agent, and takes its conversation from the bot. The customer hears nothing of it.
// An open one is left as it is; if the customer has another open ticket it is ErrClosed.
func (d *Desk) Reopen(ctx context.Context, id TicketID, agent AgentID) error {
	t, err := d.store.ticket(ctx, id)
	if err != nil || t.State != StateClosed {
		return err
	}
	newest, err := d.current(ctx, t.Conversation)
	if err != nil {
		return err
	}
	if newest.ID != id && newest.State != StateClosed {
		return fmt.Errorf("reopen ticket %s: %s is open: %w", id, newest.ID, ErrClosed)
	}
	if err := d.conversations.Hold(ctx, t.Conversation); err != nil {
		return err
	}
	reopened, err := d.newEvent(ctx, events.Reopened, t, d.now())
	if err != nil {
		return err
	}
	reopened.Agent = string(agent)
	if err := d.store.reopen(ctx, reopened); err != nil {
		return err
	}
	return d.Take(ctx, id, agent, true)
}

// say words a phrase to a ticket's customer as the affiliate does. values are pairs of a placeholder and what replaces it.
func (d *Desk) say(ctx context.Context, t Ticket, p dialogue.Phrase, values ...string) (string, error) {
	own, err := d.brands.Of(ctx, t.Affiliate)
	phrases := d.phrases.For(own)
	return strings.NewReplacer(values...).Replace(phrases.Say(phrases.Locale(t.Locale), p)), err
}

// end gives the conversation to the bot, then closes the ticket. Ending a closed ticket changes
// nothing.
func (d *Desk) end(ctx context.Context, id TicketID, agent AgentID, r Resolution, p dialogue.Phrase) error {
	t, err := d.store.ticket(ctx, id)
	switch {
	case err != nil:
		return err
	case t.State == StateClosed:
		return nil
	case t.Assignee != "" && t.Assignee != agent:
		return fmt.Errorf("close ticket %s of %s: %w", id, t.Assignee, ErrTaken)
	}
	words, err := d.say(ctx, t, p, "{agent}", string(agent))
	if err != nil {
		return err
	}
	if err := d.conversations.HandBack(ctx, t.Conversation, bot.Reply{Text: words}); err != nil {
		return err
	}
	if err := d.release(ctx, t.Conversation); err != nil {
		return err
	}
	return d.closeTicket(ctx, t, agent, r, d.now())
}

// StepIn gives a conversation to people and its ticket to agent, opening one if there is none, and
// returns the ticket. The customer hears nothing of it until the agent writes. Another's ticket is
// ErrTaken; doing it again changes nothing.
func (d *Desk) StepIn(ctx context.Context, id bot.ConversationID, agent AgentID) (TicketID, error) {
	if strings.TrimSpace(string(agent)) == "" {
		return "", errors.New("step in: say who you are")
	}
	o, err := d.openingOf(ctx, id)
	if err != nil {
		return "", err
	}
	t, err := d.current(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if err == nil && t.State != StateClosed && t.Conversation != id {
		if err := d.conversations.Hold(ctx, id); err != nil {
			return "", err
		}
		if t, err = d.follow(ctx, t, id, d.now()); err != nil {
			return "", err
		}
	}
	if err != nil || t.State == StateClosed {
		// The bot is stopped first: should this end here, Sweep opens the ticket.
		if err := d.conversations.Hold(ctx, id); err != nil {
			return "", err
		}
		o.ID, o.Reason, o.at, o.waits = "stepin:"+rand.Text(), ReasonSteppedIn, d.now(), false
		if err := d.store.open(ctx, id, o); err != nil {
			return "", err
		}
		if t, err = d.store.of(ctx, id); err != nil { // somebody's may have been there first
			return "", err
		}
	}
	return t.ID, d.Take(ctx, t.ID, agent, false)
}
