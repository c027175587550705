package eval

import (
	"context"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
)

// A Conversation is one customer's with an Asker, message by message. Each turn sees what was said before, with
// the bot's own replies and buttons, as in the service.
type Conversation struct {
	engine *dialogue.Engine
	turn   bot.Turn
}

// Open begins a conversation with a customer of whom these words are known, oldest first.
func (b *Asker) Open(locale string, said []string) *Conversation {
	now := time.Now()
	c := &Conversation{b.engine, bot.Turn{ID: "ask", Account: b.account, Now: now,
		Conversation: bot.Conversation{ID: "ask", Locale: locale, Mode: bot.ModeBot, OpenedAt: now}}}
	for _, text := range said {
		c.turn.History = append(c.turn.History, bot.Message{Author: bot.AuthorCustomer, Text: text, At: now})
	}
	return c
}

// Write answers words of the customer; tapped is the payload of the button they tapped instead, if any.
func (c *Conversation) Write(ctx context.Context, text, tapped string) (dialogue.Answer, error) {
	began := time.Now()
	message := bot.Message{ID: "ask", Author: bot.AuthorCustomer, Text: text, At: c.turn.Now}
	if tapped != "" {
		message.Choice, message.Conversation = tapped, "ask"
	}
	c.turn.Waiting = []bot.Message{message}
	o, err := c.engine.Turn(ctx, c.turn)
	if err != nil {
		return dialogue.Answer{}, fmt.Errorf("a turn of a conversation: %w", err)
	}
	answer := dialogue.Answer{Outcome: o, Took: time.Since(began)}
	for _, h := range o.Trace.Hits {
		answer.Ranked = append(answer.Ranked, dialogue.Ranked{Entry: h.Entry, Probability: h.Score})
	}
	message.Conversation = "ask"
	c.turn.History = append(c.turn.History, message)
	for _, r := range o.Replies {
		reply := bot.Message{Conversation: "ask", Author: bot.AuthorBot, Text: r.Text, Choices: r.Choices, At: c.turn.Now}
		if o.Decision.Action == bot.ActionAnswer {
			reply.Entries = o.Decision.Entries
		}
		c.turn.History = append(c.turn.History, reply)
	}
	c.turn.Conversation = o.Next
	c.turn.Now = c.turn.Now.Add(betweenTurns)
	return answer, nil
}

// betweenTurns is how long a customer of a suite thinks. A tap repeated within seconds is taken for the same one.
const betweenTurns = 20 * time.Second
