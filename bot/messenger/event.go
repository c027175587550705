package messenger

import (
	"encoding/json"

	"faqbot/bot/graphapi"
	"faqbot/bot/lenient"
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
		ID    string       `json:"mid"`
		Text  string       `json:"text"`
		Count lenient.Text `json:"num_edit"` // Instagram tells of each message as of one edited 0 times
	} `json:"message_edit"`
	Policy *struct {
		Action string `json:"action"`
		Reason string `json:"reason"`
	} `json:"policy_enforcement"`
	PassThreadControl *struct {
		To lenient.Text `json:"new_owner_app_id"`
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
	Referral    *referral    `json:"referral"`
	Echo        bool         `json:"is_echo"`
	App         lenient.Text `json:"app_id"`
	Metadata    string       `json:"metadata"`
	Deleted     bool         `json:"is_deleted"`
	Unsupported bool         `json:"is_unsupported"`
	ReplyTo     *struct {
		ID    string `json:"mid"`
		Story *struct {
			URL string `json:"url"`
		} `json:"story"`
	} `json:"reply_to"`
}

type attachment struct {
	Type    string `json:"type"`
	Title   string `json:"title"` // of a fallback, which has no payload
	URL     string `json:"url"`
	Payload struct {
		URL         string       `json:"url"`
		Title       string       `json:"title"`
		Sticker     lenient.Text `json:"sticker_id"`
		Coordinates *struct {
			Lat  lenient.Text `json:"lat"`
			Long lenient.Text `json:"long"`
		} `json:"coordinates"`
		Product struct {
			Elements []product `json:"elements"`
		} `json:"product"`
		Elements []product `json:"elements"` // of a template that somebody shared
	} `json:"payload"`
}

// A product is one of a catalogue, or a card of a template.
type product struct {
	ID       lenient.Text `json:"id"`
	Retailer string       `json:"retailer_id"`
	Title    string       `json:"title"`
	Subtitle string       `json:"subtitle"`
	Image    string       `json:"image_url"`
	Item     string       `json:"item_url"`
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
	Product *struct {
		ID lenient.Text `json:"id"`
	} `json:"product"`
}

// A receipt says what was delivered or read: these messages, or all until then.
type receipt struct {
	IDs       []string       `json:"mids"`
	ID        string         `json:"mid"`
	Watermark graphapi.Stamp `json:"watermark"`
}
