package bot

import (
	"errors"
	"slices"
	"strings"
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
	Customer string // their ID on it; a group's member has one in each group: see InGroup
}

const groupPrefix = "group:"

// InGroup is the Address.Customer of a member of a group: what they say there is a conversation of its own, since others
// read along, and what one member waits for must not silence the bot for the rest.
func InGroup(group, member string) string { return groupPrefix + group + ":" + member }

// Member are the network's IDs of the group and of the customer; ok is false outside of groups.
func (a Address) Member() (group, member string, ok bool) {
	rest, ok := strings.CutPrefix(a.Customer, groupPrefix)
	i := strings.LastIndexByte(rest, ':')
	if !ok || i < 0 {
		return "", "", false
	}
	return rest[:i], rest[i+1:], true
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
	AskedNext    Asked = "next" // nothing; questions are suggested after an answer
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
	Name              string       // what the network calls them; "" if it does not say
	Picture           string       // their profile picture's ID in knowledge/media; "" if there is none
	Phone             string       // proven to be theirs: digits, with the country's; "" if none is known
}

// Author is who said a message.
type Author string

const (
	AuthorCustomer Author = "customer"
	AuthorBot      Author = "bot"
	AuthorAgent    Author = "agent"
	AuthorInbox    Author = "inbox" // the network's own inbox, by itself
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
	Kind    string `json:"kind"` // photo, voice, audio, video, document, sticker, location, contact, other, or one of the Kind… below
	File    string `json:"file,omitempty"`
	Name    string `json:"name,omitempty"`
	Alt     string `json:"alt,omitempty"`     // what a picture of an entry shows
	Type    string `json:"type,omitempty"`    // media type
	Size    int64  `json:"size,omitempty"`    // bytes
	Seconds int    `json:"seconds,omitempty"` // how long sound or a video plays, 0 if that is not told
	Kept    string `json:"kept,omitempty"`    // its ID in knowledge/media; "" while, or because, we do not have it
	Link    string `json:"link,omitempty"`    // where it lies instead: if we sent a link, or a customer shared one
	Of      string `json:"of,omitempty"`      // of a KindReply, the network's name for the message
	Lost    string `json:"lost,omitempty"`    // why we cannot have it: LostTooLarge and so on
	Heard   string `json:"heard,omitempty"`   // what is said in it, as it was transcribed
	Unheard string `json:"unheard,omitempty"` // why that is not known although it was asked: UnheardTooLong and so on
}

// Kinds of what customers point at, and of what they filled in. Name says it in words.
const (
	KindReply     = "reply" // an earlier message, or a part of one
	KindStory     = "story"
	KindPost      = "post" // on a network's own pages, a reel too
	KindProduct   = "product"
	KindLink      = "link"
	KindForm      = "form"
	KindOrder     = "order"
	KindChecklist = "checklist"
	KindGift      = "gift"
)

// PointsAt reports whether a is something that words beside it may be about.
func (a Attachment) PointsAt() bool {
	return slices.Contains([]string{KindReply, KindStory, KindPost, KindProduct, KindLink}, a.Kind)
}

// FilledIn reports whether a is something that a person of ours must look at: what a customer filled in or ordered.
func (a Attachment) FilledIn() bool {
	return slices.Contains([]string{KindForm, KindOrder, KindChecklist}, a.Kind)
}

// A Choice is a button under a message.
type Choice struct {
	Label   string `json:"label"`
	Payload string `json:"payload"` // at most 64 bytes of UTF-8
}

// Interleave puts messages of several conversations, each's in their order, in one order of time in which
// each keeps its own: networks tell times by the second, or late.
func Interleave(list []Message) []Message {
	type placed struct {
		Message
		at time.Time
	}
	latest := map[ConversationID]time.Time{}
	var all []placed
	for _, m := range list {
		if m.At.After(latest[m.Conversation]) {
			latest[m.Conversation] = m.At
		}
		all = append(all, placed{m, latest[m.Conversation]})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at.Compare(b.at) })
	for i := range all {
		list[i] = all[i].Message
	}
	return list
}
