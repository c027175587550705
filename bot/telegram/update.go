package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
)

// An update is the part of Telegram's Update that we act on. Fields and kinds that are not here are
// skipped unread, so that new ones cannot break it.
type update struct {
	ID       *int64      `json:"update_id"`
	Message  *message    `json:"message"`
	Edited   *message    `json:"edited_message"`
	Callback *callback   `json:"callback_query"`
	Member   *membership `json:"my_chat_member"`
}

type message struct {
	ID         int64           `json:"message_id"`
	Thread     int64           `json:"message_thread_id"`
	InTopic    bool            `json:"is_topic_message"`
	From       *user           `json:"from"`
	SenderChat *chat           `json:"sender_chat"` // a channel, or a group's anonymous admin
	Chat       *chat           `json:"chat"`
	Date       int64           `json:"date"` // Unix seconds
	ReplyTo    *replied        `json:"reply_to_message"`
	Forward    *struct{}       `json:"forward_origin"` // it is somebody else's message
	Text       string          `json:"text"`
	Entities   []entity        `json:"entities"`
	Caption    string          `json:"caption"`
	InCaption  []entity        `json:"caption_entities"`
	Keyboard   *inlineKeyboard `json:"reply_markup"`
	media
}

type user struct {
	ID       int64  `json:"id"`
	IsBot    bool   `json:"is_bot"`
	Language string `json:"language_code"`
}

type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"` // private, group, supergroup, channel
}

type replied struct {
	From *user `json:"from"`
}

// An entity marks a stretch of a text, in UTF-16 units.
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	User   *user  `json:"user"` // of a text_mention
}

type inlineKeyboard struct {
	Rows [][]struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
	} `json:"inline_keyboard"`
}

type callback struct {
	ID      string   `json:"id"`
	From    *user    `json:"from"`
	Message *message `json:"message"` // of ours; only chat and message_id if it is too old
	Data    string   `json:"data"`
}

type membership struct {
	Chat *chat `json:"chat"`
	Date int64 `json:"date"`
	New  struct {
		Status string `json:"status"`
	} `json:"new_chat_member"`
}

// parseUpdate reads one update. Its errors name places in body, never what stands there.
func parseUpdate(body []byte) (update, error) {
	var u update
	err := json.Unmarshal(body, &u)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return u, fmt.Errorf("telegram: unexpected type in %q at byte %d", mistyped.Field, mistyped.Offset)
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return u, fmt.Errorf("telegram: not JSON from byte %d on", broken.Offset)
	}
	if err != nil {
		return u, errors.New("telegram: not JSON")
	}
	if u.ID == nil {
		return u, errors.New("telegram: no update_id")
	}
	return u, nil
}
