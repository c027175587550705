package bot

import (
	"context"
	"fmt"
	"time"
)

// A Checker is a Channel that can ask its network how the account stands.
type Checker interface {
	// Check asks the network about the account. hook is the address that the network should post to, ""
	// if it need not be told one.
	Check(ctx context.Context, hook string) AccountHealth
}

// A WebhookSetter is a Channel whose network can be told where to post.
type WebhookSetter interface {
	// SetWebhook has the network post to an address of ours from now on, which must answer already.
	SetWebhook(ctx context.Context, address string) error
}

// An AccountHealth is how an account stands with its network.
type AccountHealth struct {
	Name     string        // what the network calls the account: "@ShopBot"; "" if it did not say
	Link     string        // where a customer writes to it, "" if that is not known
	Skew     time.Duration // how far the network's clock is ahead of ours
	Problems []Problem
}

// Critical reports whether something keeps the account from working.
func (s AccountHealth) Critical() bool {
	for _, p := range s.Problems {
		if p.Critical {
			return true
		}
	}
	return false
}

// ProblemKind names what is wrong with an account.
type ProblemKind string

const (
	ProblemToken       ProblemKind = "token"       // wrong, expired, revoked
	ProblemExpiring    ProblemKind = "expiring"    // the token ends soon
	ProblemPermission  ProblemKind = "permission"  // the token lacks one
	ProblemIdentity    ProblemKind = "identity"    // the token is for another account
	ProblemWebhook     ProblemKind = "webhook"     // the network posts nothing to us: not set, not subscribed
	ProblemElsewhere   ProblemKind = "elsewhere"   // the network posts to another address
	ProblemTrouble     ProblemKind = "trouble"     // the network cannot deliver to us
	ProblemClock       ProblemKind = "clock"       // our clock is wrong
	ProblemUnreachable ProblemKind = "unreachable" // we cannot reach the network
	ProblemLimits      ProblemKind = "limits"      // the network lets us do less than it could
	ProblemOther       ProblemKind = "other"
)

// A Problem is something wrong with an account, in words for whoever looks after it. It holds no secret
// and no customer's words.
type Problem struct {
	Kind     ProblemKind
	What     string // what is wrong
	Fix      string // the step that mends it
	Section  string // of the channel's SETUP.md, as an anchor: "2-the-token"
	Critical bool   // the account does not work until it is mended
}

// skewMost is how wrong our clock may be: from a minute on, windows and time-outs are misjudged enough
// for somebody to notice.
const skewMost = time.Minute

// ClockProblem is the Problem of a clock that differs from the network's by skew, nil if it does not
// matter.
func ClockProblem(skew time.Duration) *Problem {
	if skew.Abs() <= skewMost {
		return nil
	}
	direction := "behind"
	if skew < 0 {
		direction = "ahead"
	}
	return &Problem{Kind: ProblemClock, What: fmt.Sprintf("This machine's clock is %s %s of the network's.", skew.Abs().Round(time.Second), direction),
		Fix: "Switch on time synchronisation: timedatectl set-ntp true.", Section: "the-clock"}
}
