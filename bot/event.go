package bot

import (
	"context"
	"time"
)

// An Event is one thing a channel told us. Exactly one of the pointers is set.
type Event struct {
	Address    Address
	ExternalID string // the network's ID of the event: redeliveries share it
	At         time.Time
	Locale     string // BCP 47, "" if the network does not say

	Stable   string       `json:",omitzero"` // their ID that outlives a change of Address.Customer, "" if the network has none
	Opens    WindowReason `json:",omitzero"` // why we may write to them for the network's window from now, "" if not because of this
	Referral *Referral    `json:",omitzero"` // how they came to us, nil if it is not told
	Name     string       `json:",omitzero"` // what the network calls the customer, "" if it does not say
	Phone    string       `json:",omitzero"` // a number that the network proves to be theirs: digits, with the country's
	Standby  bool         `json:",omitzero"` // another program answers this customer now: it is kept and not answered

	Message        *Inbound        // the customer wrote or tapped
	Edit           *Edit           // the customer changed what they wrote
	BlockChanged   *BlockChanged   // the customer blocked or unblocked us
	Interaction    *Interaction    `json:",omitzero"` // the customer did something that has no words
	Status         *StatusUpdate   `json:",omitzero"` // what became of a message of ours
	Echo           *Echo           `json:",omitzero"` // a message to the customer that the network says somebody sent
	AddressChanged *AddressChanged `json:",omitzero"` // the customer has another ID
	Consent        *Consent        `json:",omitzero"` // the customer said in the network's settings what they want
	ControlPassed  *ControlPassed  `json:",omitzero"` // another program has left the customer to us
	Undecodable    *Undecodable    `json:",omitzero"` // a part of what was posted that could not be read
}

// An Inbound is a message as a channel decoded it.
type Inbound struct {
	NetworkID   string // the network's name for the message, by which an Edit refers to it
	Text        string
	Choice      string // the payload of a tapped button
	Tap         string // what to acknowledge a tap by
	Ref         string // the link they came by
	Attachments []Attachment
}

// An Edit replaces the text of an earlier message.
type Edit struct {
	NetworkID string
	Text      string
	Gone      bool `json:",omitzero"` // the message was taken back
}

// A BlockChanged says whether we may still write to a customer.
type BlockChanged struct{ Blocked bool }

// An Interaction is what a customer did without words: they opened a link to us, reacted to a message. It
// carries the event's Referral and Opens; nothing answers it.
type Interaction struct{}

// A StatusUpdate says what became of a message of ours.
type StatusUpdate struct {
	Delivery  DeliveryID // ours, as the network gave it back; "" if it does not
	NetworkID string     // the network's name for the message
	Before    time.Time  // instead of a name: all of ours to the event's Address until then
	Status    SendStatus // sent, reached, read, failed
	Failure   SendFailure
	Code      string // the network's, when failed
}

// An Echo is a message to a customer that the network tells us of: an echo of our own, or something
// that a person of ours wrote past us, in the network's app or inbox. The latter silences the bot.
type Echo struct {
	Delivery    DeliveryID // ours, as the network gave it back; "" if it does not
	NetworkID   string
	Text        string
	Attachments []Attachment
}

// An AddressChanged says that the customer of the event's Address goes by other IDs now.
type AddressChanged struct {
	Customer string // "" if that stays
	Stable   string // "" if there is none
}

// A Consent says whether a customer wants advertising of us.
type Consent struct{ Marketing bool }

// A ControlPassed says that another program, which answered a customer until now, has left them to us: their
// last message, if it was only Standby, waits for an answer.
type ControlPassed struct{}

// An Undecodable is a part of a body that could not be read, while the rest could.
type Undecodable struct {
	Body   []byte
	Reason string // names places in Body, never what stands there
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

// A Linker is a Channel to which a link can lead.
type Linker interface {
	// Link is an address that opens a conversation on this account and brings ref, 32 letters, digits, "_"
	// or "-", back as a Referral's. Where the customer must send words, greeting is filled in.
	Link(ctx context.Context, greeting, ref string) (string, error)
}
