package bot

import (
	"context"
	"time"

	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/contrast"
)

// A Turn is one claimed chance to speak: what was said so far and what waits for an answer.
type Turn struct {
	ID           TurnID
	Conversation Conversation
	History      []Message // oldest first, at most 20, of this episode, on all the customer's channels
	Waiting      []Message // oldest first, unanswered; never empty
	Account      Account
	Now          time.Time
	Disclose     bool // say that the bot is automated: it said nothing here for a day
}

// An Engine works out what a turn should do. It changes nothing: running a turn twice is safe.
type Engine interface {
	// Turn decides t. An error means that it could not, now: it is tried again, and after a few
	// tries the conversation goes to a person with what Broken returns.
	Turn(ctx context.Context, t Turn) (Outcome, error)
	// Broken is the outcome of a turn that kept failing: a handoff. It cannot fail.
	Broken(t Turn) Outcome
}

// An Outcome is all a turn may change. Committing it is the only effect a turn has.
type Outcome struct {
	Decision Decision
	Replies  []Reply
	Escalate *Escalation // set if and only if the decision is to hand off
	Feedback *Feedback   // set if the customer said whether the answer before helped
	Picked   *Choice     // set if the customer chose from a menu of entries: one, or none of them
	Next     Conversation
	Trace    Trace
}

// Feedback is what a customer says of an answer.
type Feedback struct {
	Helped bool
	Entry  knowledge.EntryID // what the answer rested on, "" if that is not known
}

// Action is what a turn does.
type Action string

const (
	ActionAnswer  Action = "answer"
	ActionClarify Action = "clarify" // ask back
	ActionHandoff Action = "handoff"
	ActionForward Action = "forward" // a person has the conversation: tell the desk
	ActionIgnore  Action = "ignore"  // nothing to answer
)

// Reason is why a turn does it. It is always set: the desk shows it, figures count it.
type Reason string

const (
	ReasonConfident   Reason = "confident"     // one entry is likely enough
	ReasonChosen      Reason = "chosen"        // the customer tapped or named it
	ReasonSmallTalk   Reason = "small_talk"    // greeting, thanks, a command
	ReasonCloseCall   Reason = "close_call"    // two entries are about as likely
	ReasonUnsure      Reason = "unsure"        // one may be meant
	ReasonNoAnswer    Reason = "no_answer"     // nothing published answers it
	ReasonUnreadable  Reason = "unreadable"    // no words, or far too many
	ReasonFilledIn    Reason = "filled_in"     // a form or an order, which a person must look at
	ReasonAskedPerson Reason = "asked_person"  // the customer wants a person
	ReasonPersonHasIt Reason = "person_has_it" // mode person
	ReasonTopicPolicy Reason = "topic_policy"  // the affiliate wants a person to answer such questions
	ReasonUrgent      Reason = "urgent"        // it cannot wait and nothing published answers it
	ReasonAbuse       Reason = "abuse"         // insults, and no question that can be answered
	ReasonFlood       Reason = "flood"         // more messages at once than anyone types
	ReasonOptedOut    Reason = "opted_out"     // the customer wants to hear nothing of the bot
	ReasonBroken      Reason = "broken"        // the engine, or sending, kept failing
	ReasonRejected    Reason = "rejected"      // what the customer sent could not be read; it is kept among the rejects
	ReasonNothing     Reason = "nothing"       // nothing to answer, or answered a moment ago
)

// A Decision is what to do about a turn, and why.
type Decision struct {
	Action  Action
	Entries []knowledge.EntryID // what the answer rests on, or what the choices offer
	Reason  Reason
	Score   float64 // probability of the best entry, 0 if nothing was searched
}

// A Reply is one message to send.
type Reply struct {
	Text    string            `json:"text"`
	Choices []Choice          `json:"choices,omitempty"`
	Entry   knowledge.EntryID `json:"entry,omitempty"`
	Agent   string            `json:"agent,omitempty"` // the person who says it, "" for the bot

	Quote    string  `json:"quote,omitempty"`    // the network's name for the message it answers, "" shows none
	To       string  `json:"to,omitempty"`       // in a group, the name of the member whom it is for, "" if it is not known
	Media    *Media  `json:"media,omitempty"`    // a file, of which Text is the caption
	Template *Filled `json:"template,omitempty"` // send this instead; Text is what it reads like
}

// An Escalation asks the desk to take a conversation over. Filing the same ID twice files it once.
type Escalation struct {
	ID        string                `json:"id"`
	Affiliate knowledge.AffiliateID `json:"affiliate"`
	Reason    Reason                `json:"reason"`
	Topic     string                `json:"topic,omitempty"`
	Question  string                `json:"question"` // the customer's words that led here
	Locale    string                `json:"locale"`
	Tried     []knowledge.EntryID   `json:"tried,omitempty"`
	Draft     string                `json:"draft,omitempty"`   // what the bot would have answered, for a person to send
	Signals   []string              `json:"signals,omitempty"` // what the words showed: "urgent", "complaint", …
}

// A Trace records how a decision came about, for the desk and eval. It holds customers' words and
// never goes to a log.
type Trace struct {
	Query             string        `json:"query,omitempty"`
	Hits              []TraceHit    `json:"hits,omitempty"`
	Space             string        `json:"space,omitempty"`
	Fallback          string        `json:"fallback,omitempty"`
	Before            []string      `json:"before,omitempty"`  // what was said before, if the query was read with it
	ContextDependence float64       `json:"leans,omitempty"`   // how much the query needed that
	Parts             []TracePart   `json:"parts,omitempty"`   // the questions in it, if it was read as several
	Signals           []string      `json:"signals,omitempty"` // what the words showed
	Rule              string        `json:"rule"`              // the rule of Decide that fired
	Took              time.Duration `json:"took"`              // working it out
}

// A TracePart is one of several questions in a message.
type TracePart struct {
	Query string    `json:"query"`
	Best  *TraceHit `json:"best,omitempty"`
}

// A TraceHit is one entry that was considered.
type TraceHit struct {
	Entry    knowledge.EntryID  `json:"entry"`
	Wording  string             `json:"wording"`
	Score    float64            `json:"score"`
	Odds     float64            `json:"odds"` // against the best one's
	Parts    retrieval.Features `json:"parts"`
	Evidence retrieval.Evidence `json:"evidence"`
	Contrast *contrast.Contrast `json:"contrast,omitempty"`
}
