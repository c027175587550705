package whatsapp

import (
	"encoding/json"
	"errors"
	"strings"

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
	Changes []json.RawMessage `json:"changes"`
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

type value struct {
	Metadata struct {
		Number string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []profile         `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Echoes   []json.RawMessage `json:"message_echoes"`
	Statuses []json.RawMessage `json:"statuses"`
	Errors   []problem         `json:"errors"`
	Standby  *value            `json:"standby"`
	Moves    json.RawMessage   `json:"user_id_update"`

	Preferences []json.RawMessage `json:"user_preferences"`

	// Of the field messaging_handovers, which has no metadata.
	Type      string         `json:"type"`
	At        graphapi.Stamp `json:"timestamp"`
	Sender    handoverSender `json:"sender"`
	Recipient struct {
		Number string `json:"phone_number_id"`
	} `json:"recipient"`
}

// A wholeEnvelope is an envelope of messages and statuses that are read with it.
type wholeEnvelope struct {
	Object string `json:"object"`
	Entry  []struct {
		Changes []struct {
			Field string `json:"field"`
			Value struct {
				Metadata struct {
					Number string `json:"phone_number_id"`
				} `json:"metadata"`
				Contacts []profile `json:"contacts"`
				Messages []message `json:"messages"`
				Statuses []status  `json:"statuses"`
				Errors   []problem `json:"errors"`
				// What only the parts know how to read.
				Echoes  nothing `json:"message_echoes"`
				Standby nothing `json:"standby"`
				Moves   nothing `json:"user_id_update"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// A nothing must not be there.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return errors.New("unexpected") }

// A profile is what WhatsApp knows of a sender. From some senders it is all that names them.
type profile struct {
	Phone   string `json:"wa_id"`
	UserID  string `json:"user_id"`
	Profile struct {
		Name lenient.Text `json:"name"`
	} `json:"profile"`
}

// An account is what WhatsApp says of our own account, on the fields account_update and the like.
type account struct {
	Event        string `json:"event"`
	Decision     string `json:"decision"`
	Restrictions []struct {
		Type    string         `json:"restriction_type"`
		Expires graphapi.Stamp `json:"expiration"`
	} `json:"restriction_info"`
	Violation struct {
		Type string `json:"violation_type"`
	} `json:"violation_info"`
	Ban struct {
		State string `json:"waba_ban_state"`
		At    string `json:"waba_ban_date"`
	} `json:"ban_info"`
	Alert struct {
		Severity    string `json:"alert_severity"`
		Type        string `json:"alert_type"`
		Description string `json:"alert_description"`
	} `json:"alert_info"`
}

// A handoverSender is the customer whom another program leaves to us, or takes.
type handoverSender struct {
	Phone  string `json:"phone_number"`
	UserID string `json:"user_id"`
}

type problem struct {
	Code int `json:"code"`
}

// An about is what a message is about: an earlier one, a product of a catalogue.
type about struct {
	ID      string `json:"id"`
	Product *struct {
		Retailer string `json:"product_retailer_id"`
		Catalog  string `json:"catalog_id"`
	} `json:"referred_product"`
}

type message struct {
	From   string         `json:"from"` // phone digits, or, from some senders, a user ID
	UserID string         `json:"from_user_id"`
	ID     string         `json:"id"`
	At     graphapi.Stamp `json:"timestamp"`
	Group  string         `json:"group_id"`
	content
	Referral *referral `json:"referral"`
	Edit     *struct {
		Original string   `json:"original_message_id"`
		Message  *content `json:"message"`
	} `json:"edit"`
	Revoke *struct {
		Original string `json:"original_message_id"`
	} `json:"revoke"`
	System *struct {
		Type     string `json:"type"`
		Phone    string `json:"wa_id"`
		OldPhone string `json:"new_wa_id"` // what that was called before
		UserID   string `json:"user_id"`
		Previous string `json:"previous_user_id"`
	} `json:"system"`
	Context *about `json:"context"`

	digest string // its name if ID is not told
	sender string // what WhatsApp calls who wrote it
}

// An echo is a message that a person of ours, or another program, sent to a customer.
type echo struct {
	To     string         `json:"to"`
	UserID string         `json:"to_user_id"`
	ID     string         `json:"id"`
	At     graphapi.Stamp `json:"timestamp"`
	content
	Message *struct { // on the field standby
		To     string `json:"to"`
		UserID string `json:"recipient"`
		content
	} `json:"message"`
}

// A content is what a message holds; Type names the part that is set.
type content struct {
	Type string `json:"type"`
	Text *struct {
		Body string `json:"body"`
	} `json:"text"`
	Image       *file     `json:"image"`
	Video       *file     `json:"video"`
	Audio       *file     `json:"audio"`
	Voice       *file     `json:"voice"`
	Document    *file     `json:"document"`
	Sticker     *file     `json:"sticker"`
	Location    *location `json:"location"`
	Contacts    []contact `json:"contacts"`
	Interactive *struct {
		Button *reply `json:"button_reply"`
		List   *reply `json:"list_reply"`
		Form   *struct {
			Name     string `json:"name"`
			Response string `json:"response_json"`
		} `json:"nfm_reply"`
		Call *struct{} `json:"call_permission_reply"`
	} `json:"interactive"`
	Button *struct {
		Text string `json:"text"`
	} `json:"button"`
	Reaction *struct {
		Emoji string `json:"emoji"`
	} `json:"reaction"`
	Order *struct {
		Text  string `json:"text"`
		Items []item `json:"product_items"`
	} `json:"order"`
}

type file struct {
	ID      string `json:"id"`
	Caption string `json:"caption"`
	Name    string `json:"filename"`
	Type    string `json:"mime_type"`
	Voice   bool   `json:"voice"`
}

// An item is one line of an order.
type item struct {
	Retailer string       `json:"product_retailer_id"`
	Quantity lenient.Text `json:"quantity"`
	Price    lenient.Text `json:"item_price"` // of one
	Currency string       `json:"currency"`
}

type location struct {
	Latitude  lenient.Text `json:"latitude"`
	Longitude lenient.Text `json:"longitude"`
	Name      string       `json:"name"`
	Address   string       `json:"address"`
	URL       string       `json:"url"`
}

type contact struct {
	Name struct {
		Formatted string `json:"formatted_name"`
	} `json:"name"`
	Phones []struct {
		Phone string `json:"phone"`
	} `json:"phones"`
}

type reply struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type referral struct {
	URL    string `json:"source_url"`
	ID     string `json:"source_id"`
	Source string `json:"source_type"` // ad, post
	Title  string `json:"headline"`
	Click  string `json:"ctwa_clid"`
}

type status struct {
	ID     string         `json:"id"`
	Status string         `json:"status"`
	At     graphapi.Stamp `json:"timestamp"`
	To     string         `json:"recipient_id"`
	UserID string         `json:"recipient_user_id"`
	Kind   string         `json:"recipient_type"`
	Opaque string         `json:"biz_opaque_callback_data"`
	Errors []problem      `json:"errors"`
}

// A preference is what a customer chose in WhatsApp's settings for us.
type preference struct {
	Phone    string         `json:"wa_id"`
	UserID   string         `json:"user_id"`
	Category string         `json:"category"` // marketing_messages
	Value    string         `json:"value"`    // stop, resume, signup
	At       graphapi.Stamp `json:"timestamp"`
}

// A move says that a customer has another user ID.
type move struct {
	Phone  string `json:"wa_id"`
	UserID struct {
		Previous string `json:"previous"`
		Current  string `json:"current"`
	} `json:"user_id"`
}

// isPhone reports whether id is a phone number as WhatsApp names customers: digits alone.
func isPhone(id string) bool {
	return len(id) >= 5 && len(id) <= 20 && strings.Trim(id, "0123456789") == ""
}

// isUserID reports whether id is a business-scoped user ID: a country, and letters and digits.
func isUserID(id string) bool {
	country, rest, ok := strings.Cut(id, ".")
	rest = strings.TrimPrefix(rest, "ENT.")
	if !ok || len(country) != 2 || strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || rest == "" || len(rest) > 128 {
		return false
	}
	for _, r := range rest {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}
