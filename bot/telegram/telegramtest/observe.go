package telegramtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Accepted is an update that the bot took: it answered its delivery with 2xx, or confirmed it by
// an offset.
type Accepted struct {
	UpdateID int64
	Chat     int64
	At       time.Time
}

// Sent lists what the bot sent to chat, oldest first.
func (b *Bot) Sent(chat int64) []SentMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.chat(chat).list()
}

func (c *chat) list() []SentMessage {
	list := make([]SentMessage, len(c.sent))
	for i, m := range c.sent {
		list[i] = *m
		list[i].Buttons = slices.Clone(m.Buttons)
		list[i].keyboard = nil
	}
	return list
}

// WaitSent waits until the bot has sent n messages to chat, and lists what it sent. It does not cost
// more with many chats.
func (b *Bot) WaitSent(ctx context.Context, chat int64, n int) ([]SentMessage, error) {
	for {
		b.mu.Lock()
		c := b.chat(chat)
		changed, count := c.changed, len(c.sent)
		if count >= n {
			list := c.list()
			b.mu.Unlock()
			return list, nil
		}
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d messages were sent to chat %d: %w", count, n, chat, ctx.Err())
		}
	}
}

// Wait waits until done is true. It asks again after every change, and holds no lock meanwhile.
func (b *Bot) Wait(ctx context.Context, done func() bool) error {
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for Telegram: %w", ctx.Err())
		}
	}
}

// Accepted lists the updates that the bot took, in the order in which it did.
func (b *Bot) Accepted() []Accepted {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.accepted)
}

// Pending is the number of updates that the bot did not take yet.
func (b *Bot) Pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pending
}

// SentCount is the number of messages that the bot sent to all chats.
func (b *Bot) SentCount() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, c := range b.chats {
		n += len(c.sent)
	}
	return n
}

// Calls is the number of calls of method with the bot's token, failed ones included.
func (b *Bot) Calls(method string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[strings.ToLower(method)]
}

// Actions is how often the bot showed in chat that it is typing.
func (b *Bot) Actions(chat int64) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.chat(chat).actions
}

// CallbackID is what to answer the tap of update updateID by, "" if it is no tap.
func (b *Bot) CallbackID(updateID int64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.byID[updateID]; u != nil {
		return u.tap
	}
	return ""
}

// MessageID is the number of the message that update updateID tells of, 0 if it tells of none.
func (b *Bot) MessageID(updateID int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.byID[updateID]; u != nil {
		return u.message
	}
	return 0
}

// Answered reports whether the tap of update updateID was answered.
func (b *Bot) Answered(updateID int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.byID[updateID]
	return u != nil && b.taps[u.tap] != nil && b.taps[u.tap].answered
}

// Commands is the bot's menu in a language, "" being all that have none of their own.
func (b *Bot) Commands(language string) []Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.commands[language])
}

// Webhook is the registered webhook, with the kinds of updates it gets; url is "" if there is none.
func (b *Bot) Webhook() (url, secret string, kinds []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hook.url, b.hook.secret, slices.Clone(b.allowed)
}

// AnswersWithBody counts deliveries that were answered with a body. A real Telegram would carry out
// a body that looks like a call.
func (b *Bot) AnswersWithBody() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bodies
}
