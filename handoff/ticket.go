package handoff

import (
	"errors"
	"time"

	"faqbot/bot"
	"faqbot/knowledge"
)

// Typed names.
type (
	TicketID  string // eight letters and digits: people type it
	AgentID   string // who of ours works on it
	QueueName string
)

var (
	ErrNotFound = errors.New("no such ticket")
	ErrTaken    = errors.New("another agent has taken the ticket")
	ErrClosed   = errors.New("the ticket is closed")
	ErrEmpty    = errors.New("write something first")
	ErrTooLong  = errors.New("that is too long: 20,000 characters are the limit")
)

// State is where a ticket stands.
type State string

const (
	StateOpen     State = "open"     // nobody has taken it
	StateAssigned State = "assigned" // somebody works on it
	StateClosed   State = "closed"
)

// Resolution is how a ticket ended.
type Resolution string

const (
	ResolutionResolved   Resolution = "resolved"    // an agent closed it
	ResolutionHandedBack Resolution = "handed_back" // an agent gave it back to the bot
	ResolutionLeft       Resolution = "left"        // the customer went back to the bot
)

// ReasonSteppedIn is why a ticket exists that no turn asked for: an agent took the conversation.
const ReasonSteppedIn bot.Reason = "stepped_in"

// A Ticket is a promise that a person will answer a conversation. The words themselves stay in the
// conversation; a ticket keeps the one question that opened it, for the list.
type Ticket struct {
	ID           TicketID
	Conversation bot.ConversationID
	Affiliate    knowledge.AffiliateID
	Queue        QueueName
	State        State
	Reason       bot.Reason
	Topic        string
	Question     string
	Locale       string
	Tried        []knowledge.EntryID // entries the bot considered
	Draft        string              // the answer that the bot suggests, "" if none
	Assignee     AgentID             // "" while nobody has it
	OpenedAt     time.Time
	DueAt        time.Time // when somebody must have written
	WaitingSince time.Time // the customer has waited since; zero: it is their turn
	RepliedAt    time.Time // first reply of a person
	ClosedAt     time.Time
	Outcome      Resolution
	SnoozedUntil time.Time // out of the lists until then; zero: it is not
}

// A Note is something about a ticket that the customer never sees.
type Note struct {
	Agent   AgentID // "" for the service itself
	Text    string
	Message bot.MessageID // the message whose fate it tells, "" if it tells none
	At      time.Time
}

const (
	// answerWithin is the promise of a queue that states none.
	answerWithin = 4 * time.Hour
	// urgentWithin is the longest promise to a customer in danger.
	urgentWithin = 15 * time.Minute
)

// queueOf is the default queue of an affiliate's tickets.
func queueOf(a knowledge.AffiliateID) QueueName {
	if a == "" {
		return "general"
	}
	return QueueName(a)
}
