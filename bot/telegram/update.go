package telegram

import "faqbot/bot/lenient"

// An update is the part of Telegram's Update that we act on. Fields and kinds that are not here are
// skipped unread, so that new ones cannot break it.
type update struct {
	ID       int64       `json:"update_id"`
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
	ReplyTo    *message        `json:"reply_to_message"`
	Quote      *quote          `json:"quote"` // the part of it that they mean
	External   *external       `json:"external_reply"`
	ToStory    *story          `json:"reply_to_story"`
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

	First lenient.Text `json:"first_name"`
	Last  lenient.Text `json:"last_name"`
}

type chat struct {
	ID       int64  `json:"id"`
	Type     string `json:"type"` // private, group, supergroup, channel
	Title    string `json:"title"`
	Username string `json:"username"`
}

type quote struct {
	Text string `json:"text"`
}

// An external is a message of another chat that is replied to.
type external struct {
	Chat    *chat `json:"chat"`
	Message int64 `json:"message_id"`
	media
}

// An entity marks a stretch of a text, in UTF-16 units.
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	User   *user  `json:"user"` // of a text_mention
	URL    string `json:"url"`  // of a text_link
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
