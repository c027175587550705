package accounts

import (
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
)

// PauseWords says why an account sends nothing now.
func PauseWords(t store.Traffic) string {
	if t.Paused == store.PauseThrottled {
		return "The network lets nothing be sent until " + t.PausedUntil.UTC().Format(time.TimeOnly) + " UTC: too much in too short a time. What waits goes out then."
	}
	return "Nothing is sent: the network refuses our token or permissions (" + t.PausedCode + "). It goes on once a check finds the account in order."
}

// DeadWords says why a reply did not get through.
func DeadWords(d bot.DeadLetter) string {
	switch d.State {
	case "doubtful":
		return "nobody can tell whether it arrived"
	case "withdrawn":
		return "it could not be sent in time and was withdrawn"
	}
	switch bot.SendFailure(d.Code) {
	case bot.SendBlocked:
		return "the customer blocked the account, or is gone"
	case bot.SendWindowClosed:
		return "the customer had not written for too long"
	case bot.SendRefused, bot.SendFile:
		return "the network does not take it"
	}
	return "the network could not be reached"
}
