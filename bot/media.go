package bot

import (
	"context"
	"errors"

	"faqbot/knowledge"
	"faqbot/knowledge/media"
)

// A Media is a file to send: one that we keep, or one that the network fetches by its link.
type Media = knowledge.Media

// Why a file that a customer sent cannot be had.
const (
	LostTooLarge    = "too_large"
	LostType        = "type"        // of a kind that is not taken
	LostGone        = "gone"        // the network does not hand it out
	LostUnreachable = "unreachable" // the network could not be asked, for hours
	LostNetwork     = "network"     // a network of which files cannot be had
	LostQuota       = "quota"       // too many files of theirs are kept already
	LostDisk        = "disk"        // our disk is almost full
)

// Why it is not known what is said in a recording.
const (
	UnheardTooLong = "too_long"
	UnheardNothing = "nothing" // nobody says anything in it
	UnheardFailed  = "failed"
)

// Spoken reports whether a is sound that a customer may have spoken.
func (a Attachment) Spoken() bool { return a.Kind == "voice" || a.Kind == "audio" }

// Carrying returns r with files, one to a message: r's words go with the first.
func Carrying(r Reply, files []Media) []Reply {
	list := []Reply{r}
	for i := range files {
		if i > 0 {
			list = append(list, Reply{Entry: r.Entry, Agent: r.Agent})
		}
		list[i].Media = &files[i]
	}
	if n := len(list) - 1; n > 0 { // buttons stay under what was said last
		list[n].Choices, list[0].Choices = r.Choices, nil
	}
	return list
}

// A Transcriber turns what is said in a recording into words. ErrTooLong and ErrNothingSaid are its
// answers, any other error is a failure; no error holds words.
type Transcriber interface {
	Transcribe(ctx context.Context, b media.Blob, data []byte) (string, error)
}

// Why a recording has no words.
var (
	ErrTooLong     = errors.New("the recording is too long to be transcribed")
	ErrNothingSaid = errors.New("nobody says anything in the recording")
)
