package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A Channel carries replies out to one messaging network, for one account.
type Channel interface {
	Limits() Limits
	// Send delivers r, which keeps the Limits, and returns the network's ID for it. Its error is a
	// *SendError. It must end within SendTimeout, with a file MediaTimeout, of ctx's start.
	Send(ctx context.Context, to Address, id DeliveryID, r Reply) (externalID string, err error)
}

// SendTimeout bounds one Send, MediaTimeout one with a file.
const (
	SendTimeout  = 10 * time.Second
	MediaTimeout = time.Minute
)

// A Receiver reads what a messaging network posts to our webhook.
type Receiver interface {
	// Verify reports whether the network signed body.
	Verify(h http.Header, body []byte) error
	// Decode turns a verified body into events. It is pure. No events and no error: it told us nothing we act on. An
	// error: nothing could be read; what could not be read of a body whose rest could is an Undecodable.
	Decode(body []byte) ([]Event, error)
}

// A SenderFinder is a Receiver that can tell who wrote what Decode could not read: the customers whose words are in a
// body, or in a part of one, as far as it can be told.
type SenderFinder interface{ Senders(body []byte) []string }

// A Challenger is a Receiver whose network asks, by a GET, for a proof that the webhook is ours.
type Challenger interface {
	// Challenge returns what to answer; ok is false if the network is not the one that asks.
	Challenge(query url.Values) (answer string, ok bool)
}

// A Typist is a Channel that can show that an answer is on its way. Best effort; an error says that the network is away.
type Typist interface {
	Typing(ctx context.Context, to Address) error
}

// An Acknowledger is a Channel whose buttons spin until a tap is acknowledged. Best effort.
type Acknowledger interface {
	Acknowledge(ctx context.Context, tap string) error
}

// A Prober is a Channel that can find out whether its network answers, without sending anything.
type Prober interface {
	// Probe's error is a *SendError.
	Probe(ctx context.Context) error
}

// A Reader is a Channel that can show customers that their message was read and that an answer is on
// its way. Best effort.
type Reader interface {
	// Read marks the customer's message of that NetworkID, and all before it.
	Read(ctx context.Context, to Address, message string) error
}

// A Profiler is a Channel whose network tells what a customer is called, or looks like, only if it is asked. Best effort.
type Profiler interface {
	Profile(ctx context.Context, customer string) (Profile, error)
}

// A Profile is what a network tells of a customer who was asked for. What is empty is not told.
type Profile struct {
	Name    string
	Picture Attachment // for Fetch
}

// A Fetcher is a Channel that can fetch the files that customers send.
type Fetcher interface {
	// Fetch opens the file of an attachment of a customer's message on this account. The caller closes
	// it and bounds how much it reads: nobody has checked its size or type. Networks keep files for
	// minutes to days, so it is to be asked soon. ErrNoFile means that asking again is of no use.
	Fetch(ctx context.Context, a Attachment) (io.ReadCloser, error)
}

// ErrNoFile means that a file that a customer sent is not to be had from the network.
var ErrNoFile = errors.New("the network does not hand the file out")

// A Templater is a Channel that lets us write, once the window has closed, what its network approved
// beforehand.
type Templater interface {
	// Templates lists the account's templates as the network has them, those that cannot be used too.
	Templates(ctx context.Context) ([]Template, error)
}

// Limits is what a channel can carry.
type Limits struct {
	Text         int           // UTF-16 units in one message
	Bytes        int           // bytes of UTF-8 in one message; 0 means that only Text counts
	Media        bool          // it carries files; where it does not, their links are said
	Caption      int           // UTF-16 units under a file that is not sound; 0 means that files come without words
	Choices      int           // buttons under one message; 0 means none
	Label        int           // UTF-16 units in a button's label
	DisclosesBot bool          // it shows by itself that the bot is automated
	Window       time.Duration // how long after a customer's word we may write; 0 means always
	Person       time.Duration // the same for people of ours, if it is longer
	Pace         time.Duration // least time between two messages to one customer
	Resend       bool          // a send in doubt is repeated once, since nothing tells whether it arrived
	Confirm      time.Duration // how long to wait for the network to tell of a send in doubt; 0: it never tells
}

// A Desk hears what people must know or do. Tell is idempotent: the courier repeats it, in order,
// until it returns nil.
type Desk interface {
	Tell(ctx context.Context, n DeskEvent) error
}

// A DeskEvent is one thing the desk must hear. Conversation and Seq name it. Exactly one of Escalation,
// Wrote, Failure and ReturnedToBot is set.
type DeskEvent struct {
	Conversation ConversationID `json:"-"`
	Seq          int64          `json:"-"`
	At           time.Time      `json:"at"`

	Escalation    *Escalation      `json:"escalation,omitempty"` // take this conversation over
	Wrote         []MessageID      `json:"wrote,omitempty"`      // the customer wrote while a person has it
	Danger        bool             `json:"danger,omitempty"`     // and is in danger
	Failure       *DeliveryFailure `json:"fate,omitempty"`       // a reply of ours did not get through
	ReturnedToBot bool             `json:"left,omitempty"`       // the customer went back to the bot
}

// A DeliveryFailure is what became of a reply that did not get through.
type DeliveryFailure struct {
	Message MessageID     `json:"message"`
	State   DeliveryState `json:"state"` // failed, doubtful, withdrawn
	Code    string        `json:"code"`  // a SendFailure, or "late"
}

// DeliveryState is how far a delivery got.
type DeliveryState string

const (
	DeliveryQueued    DeliveryState = "queued"
	DeliverySent      DeliveryState = "sent"
	DeliveryFailed    DeliveryState = "failed"    // it surely did not arrive
	DeliveryDoubtful  DeliveryState = "doubtful"  // nobody can tell whether it arrived
	DeliveryWithdrawn DeliveryState = "withdrawn" // it waited too long, and a person took over
	DeliveryDropped   DeliveryState = "dropped"   // nobody wants it any more
	DeliveryReplayed  DeliveryState = "replayed"  // it failed, and was sent again as another delivery
)

// SendFailure says what to do about a failed send.
type SendFailure string

const (
	SendTransient     SendFailure = "transient"     // it surely did not go out: try again
	SendThrottled     SendFailure = "throttled"     // the account must pause for After
	SendUnknown       SendFailure = "unknown"       // no answer: it may have gone out
	SendErrored       SendFailure = "errored"       // the network answered that it failed, and may have taken it all the same: again if it does not tell
	SendRefused       SendFailure = "refused"       // never: deleted, malformed
	SendFile          SendFailure = "file"          // not with this file, which the network cannot use: its link may go
	SendBlocked       SendFailure = "blocked"       // never, until the customer writes: they blocked us
	SendWindowClosed  SendFailure = "window_closed" // not until the customer writes
	SendUnwanted      SendFailure = "unwanted"      // not until the customer says so: they opted out
	SendMisconfigured SendFailure = "misconfigured" // token, permission: the operator must act
)

// A SendError is why a send failed. Its text holds no token and no customer's words.
type SendError struct {
	Kind  SendFailure
	After time.Duration // for SendThrottled, 0 if the network does not say
	Code  string        // the network's
	Err   error

	ThisCustomer bool // it says nothing about sending to others
}

func (e *SendError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("send: %s (%s)", e.Kind, e.Code)
	}
	return fmt.Sprintf("send: %s (%s): %v", e.Kind, e.Code, e.Err)
}

func (e *SendError) Unwrap() error { return e.Err }

// SendErrorOf is err as a *SendError; any other error of a channel leaves us in doubt.
func SendErrorOf(err error) *SendError {
	if se, ok := errors.AsType[*SendError](err); ok {
		return se
	}
	return &SendError{Kind: SendUnknown, Err: err}
}
