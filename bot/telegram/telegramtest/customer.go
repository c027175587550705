package telegramtest

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf16"
)

// Say has a customer write text in a private chat, and returns the number of the update that tells
// the bot.
func (b *Bot) Say(chat int64, text string) (updateID int64) {
	message := map[string]any{"chat": chatObject(chat), "text": text}
	if strings.HasPrefix(text, "/") {
		command, _, _ := strings.Cut(text, " ")
		message["entities"] = []map[string]any{{"type": "bot_command", "offset": 0, "length": len(utf16.Encode([]rune(command)))}}
	}
	return b.SayMessage(message)
}

// SayIn has a member of a group write text that mentions the bot.
func (b *Bot) SayIn(group, member int64, name, text string) (updateID int64) {
	mention := "@" + b.Username
	return b.SayMessage(map[string]any{"chat": chatObject(group), "from": memberObject(member, name), "text": mention + " " + text,
		"entities": []map[string]any{{"type": "mention", "offset": 0, "length": len(mention)}}})
}

// ReplyIn has a member of a group reply to a message of the bot's.
func (b *Bot) ReplyIn(group, member int64, name string, to int64, text string) (updateID int64) {
	return b.SayMessage(map[string]any{"chat": chatObject(group), "from": memberObject(member, name), "text": text,
		"reply_to_message": map[string]any{"message_id": to, "date": 1, "chat": chatObject(group), "from": map[string]any{"id": b.ID, "is_bot": true}, "text": "…"}})
}

func memberObject(id int64, name string) map[string]any {
	return map[string]any{"id": id, "is_bot": false, "first_name": name, "language_code": "en"}
}

// SayMessage has a customer send message, in the Bot API's shape. It needs only "chat": message_id,
// date and from are filled in where they are missing.
func (b *Bot) SayMessage(message map[string]any) (updateID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := maps.Clone(message)
	id := chatID(m)
	c := b.chat(id)
	c.known = true
	if m["message_id"] == nil {
		m["message_id"] = b.nextMessage
		b.nextMessage++
	}
	if m["date"] == nil {
		m["date"] = time.Now().Unix()
	}
	if m["from"] == nil {
		m["from"] = c.customer()
	}
	number, _ := m["message_id"].(int64)
	c.heard[number] = true
	if from, _ := m["from"].(map[string]any); id < 0 {
		if member, ok := from["id"].(int64); ok {
			b.chat(member).met = true
		}
	}
	return b.enqueue("message", queueKey("m", id), &update{chat: id, message: number}, m)
}

// chatID is the chat of a message in the Bot API's shape.
func chatID(m map[string]any) int64 {
	c, _ := m["chat"].(map[string]any)
	switch id := c["id"].(type) {
	case int64:
		return id
	case int:
		return int64(id)
	}
	panic("telegramtest: a message without chat.id")
}

func (c *chat) customer() map[string]any {
	return map[string]any{"id": max(c.id, -c.id), "is_bot": false, "first_name": "Customer", "language_code": c.language}
}

// Edit has a customer change what they wrote in update updateID, which must be a message.
func (b *Bot) Edit(chat, updateID int64, text string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.byID[updateID]
	if u == nil || u.message == 0 {
		panic(fmt.Sprintf("telegramtest: update %d is no message", updateID))
	}
	now := time.Now().Unix()
	return b.enqueue("edited_message", queueKey("m", chat), &update{chat: chat}, map[string]any{"message_id": u.message,
		"from": b.chat(chat).customer(), "chat": chatObject(chat), "date": now, "edit_date": now, "text": text})
}

// Tap has a customer tap a button of messageID that carries data. Telegram no longer shows the bot
// a message that it does not find. What was tapped can be asked of Answered.
func (b *Bot) Tap(chat, messageID int64, data string) (updateID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.chat(chat)
	shown := map[string]any{"chat": chatObject(chat), "message_id": messageID, "date": 0}
	if m := c.find(messageID); m != nil {
		shown = b.show(m)
	}
	id := fmt.Sprintf("%d%019d", b.ID, b.nextUpdate+1)
	b.taps[id] = &tap{}
	from := c.customer()
	return b.enqueue("callback_query", queueKey("c", from["id"].(int64)), &update{chat: chat, tap: id}, map[string]any{"id": id,
		"from": from, "message": shown, "chat_instance": "-1", "data": data})
}

// Block has a customer block the bot.
func (b *Bot) Block(chat int64) (updateID int64) { return b.setBlocked(chat, true) }

// Unblock has a customer let the bot write again.
func (b *Bot) Unblock(chat int64) (updateID int64) { return b.setBlocked(chat, false) }

func (b *Bot) setBlocked(id int64, blocked bool) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.chat(id)
	c.blocked, c.known = blocked, true
	member := func(status string) map[string]any {
		return map[string]any{"user": map[string]any{"id": b.ID, "is_bot": true, "first_name": "Bot", "username": b.Username},
			"status": status}
	}
	was, is := member("kicked"), member("member")
	if blocked {
		was, is = is, was
		is["until_date"] = 0
	}
	return b.enqueue("my_chat_member", queueKey("b", id), &update{chat: id}, map[string]any{"chat": chatObject(id),
		"from": c.customer(), "date": time.Now().Unix(), "old_chat_member": was, "new_chat_member": is})
}

// Update tells the bot of anything else: payload is what stands under kind.
func (b *Bot) Update(chat int64, kind string, payload any) (updateID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.enqueue(kind, queueKey("m", chat), &update{chat: chat}, payload)
}

// Know lets the bot write to chats where nobody wrote to it.
func (b *Bot) Know(chats ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range chats {
		b.chat(id).known = true
	}
}

// Migrate makes the group old the supergroup id.
func (b *Bot) Migrate(old, id int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chat(old).known, b.chat(id).known = true, true
	b.chat(old).migrated = id
}

// SetLanguage is the language_code of the customer in chat, "en" before.
func (b *Bot) SetLanguage(chat int64, code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chat(chat).language = code
}

// ExpireTaps makes it too late to answer the taps so far.
func (b *Bot) ExpireTaps() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.taps {
		t.expired = true
	}
}

// SetPaced turns the limit of one message a second to one chat on or off; it is off at first.
func (b *Bot) SetPaced(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paced = on
}

// SetBackoff is how long a failed delivery waits: first, then twice as long each time, at most most.
func (b *Bot) SetBackoff(first, most time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first, b.most = first, most
}

// SetDuplicate has every n-th delivery posted twice at once; 0, as at first, means none.
func (b *Bot) SetDuplicate(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.duplicate = n
}
