package graphapi

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"faqbot/bot"
	"faqbot/bot/exchange"
)

// codeSlowDown is our own: the limit is so near that the call was not made.
const codeSlowDown = -1

// codePairRate is too many messages to one customer.
const codePairRate = 131056

// An Error is the Graph API's refusal. What it says in words is not kept: it may quote ours.
type Error struct {
	Code      int  `json:"code"`
	Subcode   int  `json:"error_subcode"`
	Transient bool `json:"is_transient"`

	Status int           `json:"-"` // of HTTP
	After  time.Duration `json:"-"` // how long to wait, 0 if it is not said
}

// Error names the refusal by its numbers, and by words where an operator can do something about it.
func (e *Error) Error() string {
	text := "the Graph API refused: " + e.name()
	if hint := hint(e.Code); hint != "" {
		text += ": " + hint
	}
	return text
}

// name is the code, with the subcode if there is one.
func (e *Error) name() string {
	if e.Code == codeSlowDown {
		return "near the rate limit"
	}
	if e.Subcode != 0 {
		return fmt.Sprintf("%d/%d", e.Code, e.Subcode)
	}
	return fmt.Sprint(e.Code)
}

// hint says what the operator must do about a code, "" if nothing.
func hint(code int) string {
	switch {
	case code == 0 || code == 190:
		return "the token is wrong, expired or revoked; make a new one and set it for this account"
	case code == 3 || code == 10 || code >= 200 && code <= 299 || code == 131005:
		return "the token lacks a permission"
	case code == 131030:
		return "a test number may write only to the numbers on its allow-list"
	case code == 131031 || code == 368:
		return "the business account is locked; see WhatsApp Manager"
	case code == 131042:
		return "there is a problem with the payment method; see WhatsApp Manager"
	case code == 131037:
		return "the display name is not approved; see WhatsApp Manager"
	case code == 131045 || code == 133000 || code == 133010 || code == 133015 || code == 133016:
		return "the phone number is not registered with the Cloud API"
	}
	return ""
}

// Kind says what the refusal means for what was to be sent.
func (e *Error) Kind() bot.SendFailure {
	if kind := kindOfSubcode(e.Code, e.Subcode); kind != "" {
		return kind
	}
	if kind := kindOf(e.Code); kind != "" {
		return kind
	}
	switch {
	case e.Status == http.StatusTooManyRequests:
		return bot.SendThrottled
	case e.Transient || e.Status >= 500:
		return bot.SendErrored
	case e.Status == http.StatusUnauthorized:
		return bot.SendMisconfigured
	}
	return bot.SendRefused
}

// kindOfSubcode is the meaning of a subcode of the Messenger Platform, "" if the code alone tells.
func kindOfSubcode(code, subcode int) bot.SendFailure {
	switch subcode {
	case 2018278, 2534022, 2018065: // outside the window; Instagram's; the same of the older send API
		return bot.SendWindowClosed
	case 1545041:
		if code == 10 {
			return bot.SendWindowClosed
		}
		return bot.SendBlocked
	case 2018108: // not available: blocked, deactivated, thread deleted
		return bot.SendBlocked
	case 1893063, 2018336, 2018028, 2534041: // page restricted, permission
		return bot.SendMisconfigured
	case 2018338, 2534040: // too much to one thread: repeating makes it worse
		return bot.SendRefused
	case 2018300, 2534037, 2018321, 2018001, 2018218, 2018247: // another app has the thread; no such person
		return bot.SendRefused
	}
	return ""
}

// kindOf is the meaning of a code, "" if it is not known.
func kindOf(code int) bot.SendFailure {
	switch code {
	case 1, 2, 99, 131000, 131016, 131057, 133004:
		// "Temporary": it may have gone out all the same, so it must not simply be repeated.
		return bot.SendErrored
	case codeSlowDown, 4, 9, 17, 32, 341, 613, 80007, 130429:
		return bot.SendThrottled
	case codePairRate: // too fast to this one customer; the others need not wait
		return bot.SendTransient
	case 131053: // WhatsApp cannot take, fetch or show a file
		return bot.SendFile
	case 131047:
		return bot.SendWindowClosed
	case 131050: // they wish no advertising of us
		return bot.SendUnwanted
	case 551, 131026: // not available; undeliverable: blocked us, or not on WhatsApp any more
		return bot.SendBlocked
	case 0, 3, 10, 190, 368, 131005, 131031, 131037, 131042, 131045, 133000, 133010, 133015, 133016:
		return bot.SendMisconfigured
	case 33, 100, 2022, 10303, 36103, 9000001, 130403, 130472, 130497, 131008, 131009, 131021, 131030, 131048, 131049,
		131051, 131052, 131055, 131062, 131063, 131064, 132000, 132001, 132005, 132007, 132012, 132015, 132016,
		132018, 132068, 132069, 134100, 134101, 134102, 135000, 137000:
		return bot.SendRefused
	}
	switch {
	case code >= 200 && code <= 299:
		return bot.SendMisconfigured
	case code >= 80000 && code <= 80014: // business use case limits
		return bot.SendThrottled
	}
	return ""
}

// SendError says what a failed call means for what was to be sent.
func SendError(err error) *bot.SendError {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return &bot.SendError{Kind: refusal.Kind(), Code: refusal.name(), Err: refusal, After: refusal.After, ThisCustomer: refusal.Code == codePairRate}
	}
	if cut, ok := errors.AsType[*exchange.LostError](err); ok {
		if cut.Unsent {
			return &bot.SendError{Kind: bot.SendTransient, Code: "unreachable", Err: cut}
		}
		return &bot.SendError{Kind: bot.SendUnknown, Code: "no answer", Err: cut}
	}
	if odd, ok := errors.AsType[*OddError](err); ok {
		return &bot.SendError{Kind: bot.SendUnknown, Code: "not the Graph API", Err: odd}
	}
	return &bot.SendError{Kind: bot.SendUnknown, Code: "unreadable", Err: errors.New("the answer could not be read")}
}

// uploadError says what a failed upload means for what was to be sent. Nothing was sent, so it may be
// repeated where it may have worked; and where it was refused, for whatever reason, what else can be sent
// will tell whether the account is at fault.
func uploadError(err error) *bot.SendError {
	e := SendError(err)
	switch {
	case e.Kind == bot.SendUnknown || e.Kind == bot.SendErrored:
		e.Kind = bot.SendTransient
	case e.Kind != bot.SendThrottled && e.Kind != bot.SendTransient:
		e.Kind = bot.SendRefused
	}
	return e
}
