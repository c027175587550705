package bot

import (
	"errors"
	"time"

	"faqbot/knowledge"
)

// Typed names of rows, opaque outside this package.
type (
	ConversationID string
	CustomerID     string
	EpisodeID      string
	MessageID      string
	TurnID         string
	DeliveryID     string
)

// ErrNotFound means that there is no such conversation.
var ErrNotFound = errors.New("no such conversation")

// An Address is one customer on one account of one channel.
type Address struct {
	Channel  string // "telegram"
	Account  string // our bot, page or number on it, as the configuration names it
	Customer string // their ID on it
}

// An Account is one of our bots, pages or numbers, and whose answers it gives.
type Account struct {
	Channel    string
	ID         string
	Locale     string                  // when the customer's is unknown
	Affiliates []knowledge.AffiliateID // none if empty, all with knowledge.Everyone
}

// Owner is the affiliate to whom the account's conversations and tickets belong: the first one
// named, "" if the account answers for nobody or for everyone.
func (a Account) Owner() knowledge.AffiliateID {
	if len(a.Affiliates) == 0 || a.Affiliates[0] == knowledge.Everyone {
		return ""
	}
	return a.Affiliates[0]
}

// Mode says who answers a conversation.
type Mode string

const (
	ModeBot    Mode = "bot"
	ModePerson Mode = "person"
)

// Asked says what kind of question the bot's last words were, for reading a bare "yes" or "2".
type Asked string

const (
	AskedNothing Asked = ""
	AskedWhich   Asked = "which" // did you mean one of these?
	AskedPerson  Asked = "person"
)

// OptOut is what a customer wants to hear no more of.
type OptOut string

const (
	OptOutNothing   OptOut = ""
	OptOutMarketing OptOut = "marketing" // templates that advertise
	OptOutAll       OptOut = "all"       // anything but what a person of ours writes
)

// Choices that a message carries when it came by a link of ours: see Conversations.Link.
const (
	ChoiceLinked   = "link:joined" // the customer goes on here
	ChoiceLinkGone = "link:gone"   // it was used before, is too old, or was made for another account
)

// A Conversation is everything said with one Address.
type Conversation struct {
	ID        ConversationID
	Address   Address
	Affiliate knowledge.AffiliateID // the account's owner when it began
	Customer  CustomerID
	Episode   EpisodeID // the matter at hand
	Locale    string    // as the network says, "" if it does not
	Mode      Mode
	Misses    int   // turns in a row that found no answer
	Clarify   int   // turns in a row that asked which entry was meant
	Asked     Asked // what the bot's last words asked

	FirstRef, LastRef string       // the links they came by: first-touch and last-touch
	First, Last       Referral     // the same, with all that the network told of them
	OpenedAt          time.Time    // first message ever
	HeardAt           time.Time    // last message from the customer
	WindowUntil       time.Time    // the network lets us write until then; zero means always
	WindowReason      WindowReason // what opened the window
	Unreachable       bool         // they blocked us
	OptOut            OptOut       // what they want no more of
	OptOutAt          time.Time    // when that last changed; zero: it never did
	Phone             string       // proven to be theirs: digits, with the country's; "" if none is known

	pacedUntil time.Time // the network wants no message sooner
}

// Author is who said a message.
type Author string

const (
	AuthorCustomer Author = "customer"
	AuthorBot      Author = "bot"
	AuthorAgent    Author = "agent"
)

// SendStatus is how far a message of ours got. It only moves right.
type SendStatus string

const (
	StatusReceived SendStatus = "received" // the customer's own
	StatusQueued   SendStatus = "queued"
	StatusSent     SendStatus = "sent"
	StatusReached  SendStatus = "reached" // the customer's device has it
	StatusRead     SendStatus = "read"
	StatusFailed   SendStatus = "failed" // it surely did not arrive, or nobody can tell
)

// A Message is one thing said by either side.
type Message struct {
	ID           MessageID
	Conversation ConversationID
	Seq          int64 // order within the conversation
	Author       Author
	Agent        string // who of ours, when Author is agent
	Text         string
	Choice       string       // the payload of a tapped button
	Choices      []Choice     // the buttons offered with it
	Attachments  []Attachment // what came with it
	Turn         TurnID       // the turn that answered it, or that said it; "" while it waits
	Status       SendStatus
	At           time.Time

	Entries []knowledge.EntryID // what an answer of the bot's rests on; only in the History of a Turn
}

// An Attachment is a file that came with a message, by the network's own name for it, or that we sent.
type Attachment struct {
	Kind    string `json:"kind"` // photo, voice, audio, video, document, sticker, location, contact, other
	File    string `json:"file,omitempty"`
	Name    string `json:"name,omitempty"`
	Type    string `json:"type,omitempty"`    // media type
	Size    int64  `json:"size,omitempty"`    // bytes
	Seconds int    `json:"seconds,omitempty"` // how long sound or a video plays, 0 if that is not told

	Kept    string `json:"kept,omitempty"`    // its ID in knowledge/media; "" while, or because, we do not have it
	Link    string `json:"link,omitempty"`    // where it lies instead, if we sent a link
	Lost    string `json:"lost,omitempty"`    // why we cannot have it: LostTooLarge and so on
	Heard   string `json:"heard,omitempty"`   // what is said in it, as it was transcribed
	Unheard string `json:"unheard,omitempty"` // why that is not known although it was asked: UnheardTooLong and so on
}

// A Choice is a button under a message.
type Choice struct {
	Label   string `json:"label"`
	Payload string `json:"payload"` // at most 64 bytes of UTF-8
}

// An Event is one thing a channel told us. Exactly one of the pointers is set.
type Event struct {
	Address    Address
	ExternalID string // the network's ID of the event: redeliveries share it
	At         time.Time
	Locale     string // BCP 47, "" if the network does not say

	Stable    string       `json:",omitzero"` // their ID that outlives a change of Address.Customer, "" if the network has none
	Opens     WindowReason `json:",omitzero"` // why we may write to them for the network's window from now, "" if not because of this
	Referral  *Referral    `json:",omitzero"` // how they came to us, nil if it is not told
	Phone     string       `json:",omitzero"` // a number that the network proves to be theirs: digits, with the country's
	Overheard bool         `json:",omitzero"` // another program answers this customer now: it is kept and not answered

	Message *Inbound      // the customer wrote or tapped
	Edit    *Edit         // the customer changed what they wrote
	Reach   *Reach        // the customer blocked or unblocked us
	Sign    *Sign         `json:",omitzero"` // the customer did something that has no words
	Status  *StatusUpdate `json:",omitzero"` // what became of a message of ours
	Aside   *Aside        `json:",omitzero"` // a message to the customer that the network says somebody sent
	Moved   *Moved        `json:",omitzero"` // the customer has another ID
	Consent *Consent      `json:",omitzero"` // the customer said in the network's settings what they want
	Passed  *Passed       `json:",omitzero"` // another program has left the customer to us
	Unread  *Unread       `json:",omitzero"` // a part of what was posted that could not be read
}

// An Inbound is a message as a channel decoded it.
type Inbound struct {
	NetworkID   string // the network's name for the message, by which an Edit refers to it
	Text        string
	Choice      string // the payload of a tapped button
	Tap         string // what to acknowledge a tap by
	Ref         string // the link they came by
	Attachments []Attachment

	hold time.Time // the turn waits until then for what is said in Attachments
}

// An Edit replaces the text of an earlier message.
type Edit struct {
	NetworkID string
	Text      string
	Gone      bool `json:",omitzero"` // the message was taken back
}

// A Reach says whether we may still write to a customer.
type Reach struct{ Blocked bool }

// A Sign is what a customer did without words: they opened a link to us, reacted to a message. It
// carries the event's Referral and Opens; nothing answers it.
type Sign struct{}

// A StatusUpdate says what became of a message of ours.
type StatusUpdate struct {
	Delivery  DeliveryID // ours, as the network gave it back; "" if it does not
	NetworkID string     // the network's name for the message
	Before    time.Time  // instead of a name: all of ours to the event's Address until then
	Status    SendStatus // sent, reached, read, failed
	Failure   SendFailure
	Code      string // the network's, when failed
}

// An Aside is a message to a customer that the network tells us of: an echo of our own, or something
// that a person of ours wrote past us, in the network's app or inbox. The latter silences the bot.
type Aside struct {
	Delivery    DeliveryID // ours, as the network gave it back; "" if it does not
	NetworkID   string
	Text        string
	Attachments []Attachment
}

// A Moved says that the customer of the event's Address goes by other IDs now.
type Moved struct {
	Customer string // "" if that stays
	Stable   string // "" if there is none
}

// A Consent says whether a customer wants advertising of us.
type Consent struct{ Marketing bool }

// A Passed says that another program, which answered a customer until now, has left them to us: their
// last message, if it was only Overheard, waits for an answer.
type Passed struct{}

// An Unread is a part of a body that could not be read, while the rest could.
type Unread struct {
	Body   []byte
	Reason string // names places in Body, never what stands there

	post []byte // the whole of which Body is a part, nil if Body is the whole
}

// WindowReason is what opened the window in which a network lets us write.
type WindowReason string

const (
	WindowMessage  WindowReason = "message"     // they wrote or tapped
	WindowEntry    WindowReason = "entry_point" // they came by an ad
	WindowReferral WindowReason = "referral"    // they opened a link to us
	WindowReaction WindowReason = "reaction"    // they reacted to a message
)

// A Referral is how a customer came to us, as the network tells it. Customers can forge most of it.
type Referral struct {
	Ref    string    `json:"ref,omitempty"`    // the link's own parameter
	Source string    `json:"source,omitempty"` // ad, post, link, …, in the network's word
	ID     string    `json:"id,omitempty"`     // of the ad or post
	Click  string    `json:"click,omitempty"`  // the click's ID
	URL    string    `json:"url,omitempty"`
	Title  string    `json:"title,omitempty"` // of the ad
	At     time.Time `json:"at,omitzero"`
}

// Name is the referral in one word, to show and to count by: the link's parameter, else the ad.
func (r Referral) Name() string {
	switch {
	case r.Ref != "":
		return r.Ref
	case r.ID != "":
		return r.Source + ":" + r.ID
	}
	return r.Source
}
