package bot

import (
	"strings"

	"faqbot/knowledge"
)

// What a Choice's Payload may be. It comes back from customers and may be forged: an entry's ID is checked against
// what may answer before it is used.
const (
	ChoiceEntry  = "e:" // followed by the entry's ID
	ChoiceNone   = "none"
	ChoicePerson = "person"
	ChoiceAgain  = "again"
	ChoiceStop   = "stop"
	ChoiceOff    = "off" // in the chat on a page: the assistant shall be silent
	ChoiceOn     = "on"
)

// EntryOf is the entry that a button's payload chooses, "" if it chooses none.
func EntryOf(payload string) knowledge.EntryID {
	id, ok := strings.CutPrefix(payload, ChoiceEntry)
	if !ok {
		return ""
	}
	return knowledge.EntryID(id)
}
