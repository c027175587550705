package bot

import (
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge"
)

// Proof is why a conversation is a customer's.
type Proof string

const (
	ProofNone  Proof = ""      // they began with it
	ProofLink  Proof = "link"  // they opened a link that was made for them
	ProofPhone Proof = "phone" // the number is theirs on both
	ProofSame  Proof = "same"  // the network has one ID for them, in private and in groups
	ProofApart Proof = "apart" // an agent separated it: it is nobody else's
)

// An Identity is one of a customer's conversations, and why it is theirs.
type Identity struct {
	Conversation
	Proof Proof
	Agent string    // who of ours offered the link, or separated it
	Since time.Time // when it was joined or separated; zero: it never was
}

// A Search says which conversations List returns.
type Search struct {
	Affiliates []knowledge.AffiliateID // whose: none if empty, all with knowledge.Everyone
	Words      string                  // all of them stand in one message; "" means any conversation
	Before     time.Time               // quiet since before then; zero means now: for the next page
	Limit      int                     // 50 if 0
}

// A Summary is a conversation in a list.
type Summary struct {
	Conversation
	ActiveAt time.Time // last message of either side
	Last     Message   // the newest message, of those that match if words were searched for
}

// A TurnRecord is a turn as it was decided.
type TurnRecord struct {
	ID       TurnID
	Decision Decision
	Trace    Trace
	At       time.Time
}

// A Source is a link or ad, and how many customers it brought. A customer with several conversations counts
// once on each channel.
type Source struct {
	Name    string // Referral.Name
	Channel string
	First   int // customers whom it brought the first time
	Last    int // customers whom it brought the latest time
	Person  int // of First, those whom a person had to help
}

// An Incident is a time in which a network did not carry out what we sent on an account.
type Incident struct {
	Channel, Account string
	Code             string    // of the last failure: a SendFailure
	Began, Ended     time.Time // Ended is zero while it lasts
	Affected         int       // replies that were held up; while it lasts those that wait now
	Failed           int       // replies of that time that did not get through: people were told of each
}

// Words says what an incident is, for staff: "Since 14:02 UTC …".
func (i Incident) Words() string {
	now, was := "the network does not carry out what is sent", "the network did not carry out what was sent"
	switch SendFailure(i.Code) {
	case SendThrottled:
		now, was = "the network lets too little be sent", "the network let too little be sent"
	case SendTransient, SendUnknown:
		now, was = "the network does not answer", "the network did not answer"
	}
	if i.Ended.IsZero() {
		return fmt.Sprintf("Since %s %s. Replies wait (%d now) and go out by themselves.", i.Began.UTC().Format("15:04 UTC"), now, i.Affected)
	}
	text := fmt.Sprintf("From %s to %s %s. %d replies were late", i.Began.UTC().Format("2 Jan 15:04"), i.Ended.UTC().Format("15:04 UTC"), was, i.Affected)
	if i.Failed > 0 {
		text += fmt.Sprintf("; %d did not get through and have tickets", i.Failed)
	}
	return text + "."
}

// A DeadLetter is a reply that did not get through and that nothing tries to send any more. A person
// was told of each when it died.
type DeadLetter struct {
	Delivery     DeliveryID
	Conversation ConversationID
	Affiliate    knowledge.AffiliateID
	Author       Author
	State        DeliveryState // failed, doubtful, withdrawn
	Code         string        // of the last failure: a SendFailure, or "late"
	At           time.Time
	Refusal      string // why Replay would refuse, "" if it would not
}

// ErrReplay means that a dead letter cannot be sent again; the error says why.
var ErrReplay = errors.New("not sent again")

// A ChangeMark tells a conversation as it is from what it was: anything a page shows of it that changed
// makes another Mark.
type ChangeMark struct {
	Conversation ConversationID
	Affiliate    knowledge.AffiliateID
	Mark         string
	HasPending   bool // something of ours is still on its way to the customer
}
