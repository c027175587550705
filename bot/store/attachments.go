package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
)

// replyAttachments is r's file as its message has it.
func replyAttachments(r bot.Reply) []bot.Attachment {
	if r.Media == nil {
		return nil
	}
	m := r.Media
	a := bot.Attachment{Kind: m.Kind, Name: m.Name, Alt: m.Alt, Type: m.Type, Size: m.Size, Kept: m.File}
	if m.File == "" {
		a.Link = m.Link
	}
	return []bot.Attachment{a}
}

// keepAttachments keeps the files of a message that is being stored for as long as conversations keep
// theirs. The error may be media.ErrNotFound: one was swept before anything used it.
func keepAttachments(ctx context.Context, tx *sql.Tx, list []bot.Attachment, now time.Time) error {
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
