package console

import (
	"fmt"
	"time"
	"unicode/utf8"

	"faqbot/bot"
	"faqbot/bot/setup"
	"faqbot/handoff"
)

// reasonWords says why a turn did what it did.
func reasonWords(r bot.Reason) string {
	switch r {
	case bot.ReasonConfident:
		return "one entry was likely enough"
	case bot.ReasonChosen:
		return "the customer chose it"
	case bot.ReasonSmallTalk:
		return "small talk"
	case bot.ReasonCloseCall:
		return "two entries were about as likely"
	case bot.ReasonUnsure:
		return "one entry may be meant"
	case bot.ReasonNoAnswer:
		return "found no answer"
	case bot.ReasonUnreadable:
		return "could not read it"
	case bot.ReasonAskedPerson:
		return "asked for a person"
	case bot.ReasonPersonHasIt:
		return "a person has the conversation"
	case bot.ReasonUrgent:
		return "it sounds urgent"
	case bot.ReasonAbuse:
		return "insults, and no question that has an answer"
	case bot.ReasonFlood:
		return "more messages at once than anyone types"
	case bot.ReasonBroken:
		return "something kept failing"
	case bot.ReasonRejected:
		return "what the customer sent could not be read; see Channels"
	case bot.ReasonOptedOut:
		return "the customer opted out of the bot"
	case bot.ReasonNothing:
		return "nothing to answer"
	case handoff.ReasonSteppedIn:
		return "an agent stepped in"
	}
	return string(r)
}

// actionWords says what a turn did.
func actionWords(a bot.Action) string {
	switch a {
	case bot.ActionAnswer:
		return "Answered"
	case bot.ActionClarify:
		return "Asked back"
	case bot.ActionHandoff:
		return "Passed on"
	case bot.ActionForward:
		return "Left to a person"
	case bot.ActionIgnore:
		return "Said nothing"
	}
	return string(a)
}

func resolutionWords(r handoff.Resolution) string {
	switch r {
	case handoff.ResolutionResolved:
		return "Closed as resolved"
	case handoff.ResolutionHandedBack:
		return "Handed back to the bot"
	case handoff.ResolutionLeft:
		return "The customer went back to the bot"
	}
	return "Closed"
}

// openedWords is the line that says how a ticket began.
func openedWords(t handoff.Ticket) string {
	switch t.Reason {
	case handoff.ReasonSteppedIn:
		return "An agent stepped in"
	case bot.ReasonPersonHasIt:
		return "A ticket was opened: the customer waited for a person"
	}
	return "Bot passed this on: " + reasonWords(t.Reason)
}

// doneWords says what an action did, by the name that stands in the address after it.
func doneWords(done string) string {
	switch done {
	case "took":
		return "You have the ticket."
	case "replied":
		return "Your reply is on its way."
	case "noted":
		return "Noted. The customer does not see it."
	case "closed":
		return "Closed. The bot answers again."
	case "handed-back":
		return "The bot has the conversation back."
	case "moved":
		return "Replies go to that channel now."
	case "separated":
		return "Separated. The two are different customers now."
	case "signed-out":
		return "The visitor is signed out. What they write from now on is a new conversation."
	case "stepped-in":
		return "You have the conversation. The bot stays quiet until you close the ticket."
	}
	return ""
}

// owed is what somebody owes a customer, and when.
type owed struct {
	Words string
	Class string // soon, late or ""
	Due   string // RFC 3339, "" if nothing is owed
	Of    int64  // seconds from the question to the promise's end
}

// owedOf is what is owed on a ticket at now. The last fifth of a promise is soon.
func owedOf(t handoff.Ticket, now time.Time) owed {
	switch {
	case t.State == handoff.StateClosed:
		return owed{Words: "closed"}
	case t.WaitingSince.IsZero():
		return owed{Words: "their turn"}
	}
	of, left := t.DueAt.Sub(t.WaitingSince), t.DueAt.Sub(now)
	o := owed{Words: "in " + span(left), Due: t.DueAt.UTC().Format(time.RFC3339), Of: int64(of.Seconds())}
	switch {
	case left < 0:
		o.Words, o.Class = "late by "+span(-left), "late"
	case left <= of/5:
		o.Class = "soon"
	}
	return o
}

// span is a length of time in its two largest units.
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	switch {
	case minutes >= 24*60:
		return fmt.Sprintf("%d d %d h", minutes/(24*60), minutes/60%24)
	case minutes >= 60:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%d min", minutes)
}

// channelIcon is the icon of a channel by its name.
func channelIcon(channel string) string {
	n, _ := setup.NetworkOf(channel)
	return n.Icon
}

// cut is s in at most most characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
