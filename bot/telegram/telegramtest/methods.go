package telegramtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

const textMost = 4096 // UTF-16 units

// A SentMessage is a message of the bot's as a customer reads it.
type SentMessage struct {
	ID      int64
	Chat    int64
	Thread  int64
	Text    string // without markup
	HTML    bool   // it was sent with markup
	Buttons []Button
	At      time.Time
	Edited  int       // how often
	File    *SentFile // of which Text is the caption; nil if it has none
	ReplyTo int64     // the message of the chat to which it is a reply, 0 if to none
	Names   []int64   // the customers whom it mentions

	keyboard [][]Button
}

// A Button is one button under a message.
type Button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
}

func (b *Bot) getMe(params) (any, *refusal) {
	return map[string]any{"id": b.ID, "is_bot": true, "first_name": "Bot", "username": b.Username, "can_join_groups": true,
		"can_read_all_group_messages": false, "supports_inline_queries": false}, nil
}

// target is the chat that a call writes to.
func (b *Bot) target(p params) (*chat, *refusal) {
	if p["chat_id"] == "" {
		return nil, bad("chat_id is empty")
	}
	id, err := strconv.ParseInt(p["chat_id"], 10, 64)
	c := b.chats[id]
	switch {
	case c != nil && c.met && !c.known:
		return nil, &refusal{code: http.StatusForbidden, description: "Forbidden: bot can't initiate conversation with a user"}
	case err != nil || c == nil || !c.known:
		return nil, bad("chat not found")
	case c.migrated != 0:
		return nil, &refusal{code: http.StatusBadRequest, migrateTo: c.migrated,
			description: "Bad Request: group chat was upgraded to a supergroup chat"}
	case c.blocked:
		return nil, &refusal{code: http.StatusForbidden, description: "Forbidden: bot was blocked by the user"}
	}
	return c, nil
}

// content checks the text and buttons of a message and fills m with them.
func content(p params, m *SentMessage) *refusal {
	text := p["text"]
	switch strings.ToLower(p["parse_mode"]) {
	case "":
	case "html":
		m.HTML = true
		m.Names = mentions(text)
		var wrong string
		if text, wrong = strip(text); wrong != "" {
			return bad("can't parse entities: %s", wrong)
		}
	default:
		return bad("unsupported parse_mode")
	}
	if text = strings.TrimSpace(text); text == "" {
		return bad("message text is empty")
	}
	if len(utf16.Encode([]rune(text))) > textMost {
		return bad("message is too long")
	}
	m.Text = text
	return buttons(p["reply_markup"], m)
}

func buttons(markup string, m *SentMessage) *refusal {
	if markup == "" {
		return nil
	}
	var k struct {
		Rows [][]Button `json:"inline_keyboard"`
	}
	if err := json.Unmarshal([]byte(markup), &k); err != nil {
		return bad("can't parse reply keyboard markup JSON object")
	}
	for _, row := range k.Rows {
		for _, button := range row {
			switch {
			case button.Text == "":
				return bad("inline keyboard button text must be non-empty")
			case button.Data == "" && button.URL == "":
				return bad("BUTTON_TYPE_INVALID")
			case len(button.Data) > 64:
				return bad("BUTTON_DATA_INVALID")
			}
			m.Buttons = append(m.Buttons, button)
		}
	}
	m.keyboard = k.Rows
	return nil
}

func (b *Bot) sendMessage(p params) (any, *refusal) {
	c, failed := b.target(p)
	if failed != nil {
		return nil, failed
	}
	m := &SentMessage{Chat: c.id, Thread: p.number("message_thread_id"), At: time.Now()}
	if failed := content(p, m); failed != nil {
		return nil, failed
	}
	if failed := c.replyTo(p, m); failed != nil {
		return nil, failed
	}
	if b.paced && m.At.Sub(c.last) < time.Second {
		return nil, &refusal{code: http.StatusTooManyRequests, description: "Too Many Requests: retry after 1", retryAfter: 1}
	}
	m.ID, c.last = b.nextMessage, m.At
	b.nextMessage++
	c.sent = append(c.sent, m)
	c.announce()
	return b.show(m), nil
}

// replyTo notes what m is a reply to.
func (c *chat) replyTo(p params, m *SentMessage) *refusal {
	if p["reply_parameters"] == "" {
		return nil
	}
	var to struct {
		Message int64 `json:"message_id"`
		Without bool  `json:"allow_sending_without_reply"`
	}
	if err := json.Unmarshal([]byte(p["reply_parameters"]), &to); err != nil {
		return bad("can't parse reply parameters JSON object")
	}
	switch {
	case c.heard[to.Message] || c.find(to.Message) != nil:
		m.ReplyTo = to.Message
	case !to.Without:
		return bad("message to be replied not found")
	}
	return nil
}

// show is m as the Bot API shows it.
func (b *Bot) show(m *SentMessage) map[string]any {
	shown := map[string]any{"message_id": m.ID, "from": map[string]any{"id": b.ID, "is_bot": true, "first_name": "Bot",
		"username": b.Username}, "chat": chatObject(m.Chat), "date": m.At.Unix(), "text": m.Text}
	if m.Thread != 0 {
		shown["message_thread_id"], shown["is_topic_message"] = m.Thread, true
	}
	if m.keyboard != nil {
		shown["reply_markup"] = map[string]any{"inline_keyboard": m.keyboard}
	}
	b.fileOf(m, shown)
	return shown
}

func chatObject(id int64) map[string]any {
	if id < 0 {
		return map[string]any{"id": id, "type": "supergroup", "title": "Group"}
	}
	return map[string]any{"id": id, "type": "private", "first_name": "Customer"}
}

func (c *chat) find(id int64) *SentMessage {
	for _, m := range c.sent {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (b *Bot) editMessageText(p params) (any, *refusal) {
	c, failed := b.target(p)
	if failed != nil {
		return nil, failed
	}
	m := c.find(p.number("message_id"))
	if m == nil {
		return nil, bad("message to edit not found")
	}
	mended := *m
	mended.HTML, mended.Buttons, mended.keyboard = false, nil, nil
	if failed := content(p, &mended); failed != nil {
		return nil, failed
	}
	if mended.Text == m.Text && slices.Equal(mended.Buttons, m.Buttons) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same" +
			" as a current content and reply markup of the message")
	}
	mended.Edited++
	*m = mended
	c.announce()
	return b.show(m), nil
}

func (b *Bot) sendChatAction(p params) (any, *refusal) {
	c, failed := b.target(p)
	if failed != nil {
		return nil, failed
	}
	if p["action"] == "" {
		return nil, bad("wrong parameter action in request")
	}
	c.actions++
	return true, nil
}

func (b *Bot) answerCallbackQuery(p params) (any, *refusal) {
	t := b.taps[p["callback_query_id"]]
	if t == nil || t.answered || t.expired {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	t.answered = true
	return true, nil
}

func (b *Bot) setMyCommands(p params) (any, *refusal) {
	var list []Command
	if err := json.Unmarshal([]byte(p["commands"]), &list); err != nil {
		return nil, bad("can't parse commands JSON object")
	}
	if len(list) > 100 {
		return nil, bad("BOT_COMMANDS_TOO_MUCH")
	}
	for _, c := range list {
		if c.Command == "" || len(c.Command) > 32 || strings.Trim(c.Command, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return nil, bad("BOT_COMMAND_INVALID")
		}
		if c.Description == "" || len([]rune(c.Description)) > 256 {
			return nil, bad("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	b.commands[p["language_code"]] = list
	return true, nil
}
