package messenger

import (
	"encoding/json"

	"faqbot/bot/graphapi"
)

// The parts of Meta's webhook that we act on. Fields and kinds that are not here are skipped unread, so
// that new ones cannot break it; lists are kept raw, so that each element can be read, or not, on its
// own.
type envelope struct {
	Object string            `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

type entry struct {
	Messaging []json.RawMessage `json:"messaging"`
	Standby   []json.RawMessage `json:"standby"` // another program has these customers
}

// An event is one thing that happened; which field is set says what.
type event struct {
	Sender    *who           `json:"sender"`
	Recipient *who           `json:"recipient"`
	At        graphapi.Stamp `json:"timestamp"`
	Message   *message       `json:"message"`
	Postback  *postback      `json:"postback"`
	Referral  *referral      `json:"referral"`
	Optin     *struct {
		Ref string `json:"ref"`
	} `json:"optin"`
	Delivery *receipt `json:"delivery"`
	Read     *receipt `json:"read"`
	Reaction *struct {
		Action string `json:"action"`
	} `json:"reaction"`
	Edit *struct {
		ID    string `json:"mid"`
		Text  string `json:"text"`
		Count int    `json:"num_edit"`
	} `json:"message_edit"`
	Policy *struct {
		Action string `json:"action"`
	} `json:"policy_enforcement"`
	Passed *struct {
		To json.Number `json:"new_owner_app_id"`
	} `json:"pass_thread_control"`
}

// A who is absent from some events, and has no ID where a website's plugin speaks for somebody.
type who struct {
	ID string `json:"id"`
}

func (w *who) id() string {
	if w == nil {
		return ""
	}
	return w.ID
}

type message struct {
	ID          string       `json:"mid"`
	Text        string       `json:"text"`
	Attachments []attachment `json:"attachments"`
	Reply       *struct {
		Payload string `json:"payload"`
	} `json:"quick_reply"`
	Referral    *referral   `json:"referral"`
	Echo        bool        `json:"is_echo"`
	App         json.Number `json:"app_id"`
	Metadata    string      `json:"metadata"`
	Deleted     bool        `json:"is_deleted"`
	Unsupported bool        `json:"is_unsupported"`
}

type attachment struct {
	Type    string `json:"type"`
	Payload *struct {
		URL         string      `json:"url"`
		Title       string      `json:"title"`
		Sticker     json.Number `json:"sticker_id"`
		Coordinates *struct {
			Lat  json.Number `json:"lat"`
			Long json.Number `json:"long"`
		} `json:"coordinates"`
	} `json:"payload"`
}

type postback struct {
	ID       string    `json:"mid"`
	Title    string    `json:"title"`
	Payload  string    `json:"payload"`
	Referral *referral `json:"referral"`
}

type referral struct {
	Ref    string `json:"ref"`
	Ad     string `json:"ad_id"`
	Source string `json:"source"` // ADS, SHORTLINK, …
	URL    string `json:"referer_uri"`
	About  *struct {
		Title string `json:"ad_title"`
		Post  string `json:"post_id"`
	} `json:"ads_context_data"`
}

// A receipt says what was delivered or read: these messages, or all until then.
type receipt struct {
	IDs       []string       `json:"mids"`
	ID        string         `json:"mid"`
	Watermark graphapi.Stamp `json:"watermark"`
}
