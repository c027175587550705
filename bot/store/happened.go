package store

import (
	"context"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
)

// newEvent is an event of the conversation, now.
func (c *ConversationTx) newEvent(kind events.Kind, cause string) events.Event {
	return events.Event{Kind: kind, At: c.now, Affiliate: string(c.conv.Affiliate), Conversation: string(c.conv.ID), Episode: string(c.conv.Episode), Cause: cause}
}

// recordMessage records that a message of the customer's was stored, and which button it tapped.
func (c *ConversationTx) recordMessage(ctx context.Context, id bot.MessageID, choice string, byOthers bool) error {
	received := c.newEvent(events.Received, string(id))
	if byOthers {
		received.Reason = events.ReasonStandby
	}
	list := []events.Event{received}
	if button, entry := buttonOf(choice); button != "" {
		tapped := c.newEvent(events.Tapped, string(id))
		tapped.Reason, tapped.Entry = button, string(entry)
		list = append(list, tapped)
	}
	return events.Append(ctx, c.tx, list...)
}

// buttonOf names the button that a payload is of, and the entry that it chooses. A forged payload may hold words: it
// is "other".
func buttonOf(payload string) (button string, entry knowledge.EntryID) {
	entry = bot.EntryOf(payload)
	switch {
	case payload == "", payload == bot.ChoiceLinked, payload == bot.ChoiceLinkGone: // they opened a link
		return "", ""
	case entry != "" && strings.Trim(string(entry), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "":
		return "entry", entry
	case slices.Contains([]string{bot.ChoiceNone, bot.ChoicePerson, bot.ChoiceAgain, bot.ChoiceStop, bot.ChoiceOff, bot.ChoiceOn}, payload):
		return payload, ""
	}
	return "other", ""
}

// recordTurn records what a turn did. That it left the customer to people, or said nothing, is no event.
func (c *ConversationTx) recordTurn(ctx context.Context, id bot.TurnID, o bot.Outcome) error {
	var list []events.Event
	if f := o.Feedback; f != nil {
		e := c.newEvent(events.Feedback, string(id))
		e.Entry, e.Reason = string(f.Entry), events.ReasonNoHelp
		if f.Helped {
			e.Reason = events.ReasonHelped
		}
		list = append(list, e)
	}
	did := func(kind events.Kind, entry knowledge.EntryID) {
		e := c.newEvent(kind, string(id))
		e.Reason, e.Entry, e.Probability = string(o.Decision.Reason), string(entry), probability(o.Trace, entry)
		list = append(list, e)
	}
	switch o.Decision.Action {
	case bot.ActionAnswer:
		given := entriesOf(o.Replies)
		did(events.Answered, first(given))
		for _, entry := range given[min(1, len(given)):] {
			did(events.AlsoAnswered, entry)
		}
	case bot.ActionClarify:
		did(events.AskedBack, nearest(o))
	}
	return events.Append(ctx, c.tx, list...)
}

// recordHandoff records that people were given the conversation. entry is the one that came nearest to an answer.
func (c *ConversationTx) recordHandoff(ctx context.Context, escalation bot.Escalation, entry knowledge.EntryID, probability float64) error {
	e := c.newEvent(events.HandedOff, escalation.ID)
	if escalation.Affiliate != "" {
		e.Affiliate = string(escalation.Affiliate)
	}
	e.Reason, e.Entry, e.Probability = string(escalation.Reason), string(entry), probability
	return events.Append(ctx, c.tx, e)
}

// recordReply records that a person of ours wrote to the customer; agent is "" for somebody whom we do not know.
func (c *ConversationTx) recordReply(ctx context.Context, id bot.MessageID, agent string) error {
	e := c.newEvent(events.Replied, string(id))
	e.Agent = agent
	return events.Append(ctx, c.tx, e)
}

// nearest is the entry that a turn offered first, or, if nothing answered the question, the one that was found nearest.
func nearest(o bot.Outcome) knowledge.EntryID {
	if o.Decision.Reason == bot.ReasonNoAnswer && len(o.Decision.Entries) == 0 && len(o.Trace.Hits) > 0 {
		return o.Trace.Hits[0].Entry
	}
	return first(o.Decision.Entries)
}

// entriesOf are the entries that replies say, in order.
func entriesOf(replies []bot.Reply) (list []knowledge.EntryID) {
	for _, r := range replies {
		if r.Entry != "" && !slices.Contains(list, r.Entry) {
			list = append(list, r.Entry)
		}
	}
	return list
}

func first(list []knowledge.EntryID) knowledge.EntryID {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// probability is how probable a turn found an entry, 0 if it did not search for it.
func probability(t bot.Trace, entry knowledge.EntryID) float64 {
	for _, h := range t.Hits {
		if h.Entry == entry {
			return h.Score
		}
	}
	return 0
}
