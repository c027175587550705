package bot

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
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

// attachments is r's file as its message has it.
func (r Reply) attachments() []Attachment {
	if r.Media == nil {
		return nil
	}
	m := r.Media
	a := Attachment{Kind: m.Kind, Name: m.Name, Type: m.Type, Size: m.Size, Kept: m.File}
	if m.File == "" {
		a.Link = m.Link
	}
	return []Attachment{a}
}

// keepAttachments keeps the files of a message that is being stored for as long as conversations keep
// theirs. The error may be media.ErrNotFound: one was swept before anything used it.
func keepAttachments(ctx context.Context, tx *sql.Tx, list []Attachment, now time.Time) error {
	for _, a := range list {
		if a.Kept == "" {
			continue
		}
		if err := media.Keep(ctx, tx, a.Kept, now.Add(limits.SentFilesFor)); err != nil {
			return fmt.Errorf("keep %s of a message: %w", a.Kind, err)
		}
	}
	return nil
}

// linked is r with the link of its file in words, for a network that does not take the file. ok is false
// if there is no link that its limits have room for. An answer of the bot's is then said without its file;
// a person of ours is told, and can do something about it.
func (r Reply) linked(l Limits) (_ Reply, ok bool) {
	if r.Media == nil {
		return r, false
	}
	if m := *r.Media; m.Link != "" {
		r.Text = strings.Join(slices.DeleteFunc([]string{r.Text, m.Name, m.Link}, func(s string) bool { return s == "" }), "\n")
	} else if r.Text == "" || r.Agent != "" {
		return r, false
	}
	r.Media = nil
	return r, l.Text == 0 || UTF16Len(r.Text) <= l.Text
}
