package handoff

import (
	"archive/zip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/handoff/bymail"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval/learn"
)

// rowsOf selects the tickets of some conversations, their notes, the questions in gaps, the labels and the test cases made
// of them, as a store.RowsOf.
func rowsOf(ids string) []sqldb.Selection {
	return append(slices.Concat(gaps.RowsOf(ids), bymail.RowsOf(ids), learn.RowsOf(ids), cases.RowsOf(ids)),
		sqldb.Selection{Table: "ticket_notes", Where: `ticket_id IN (SELECT id FROM tickets WHERE conversation_id IN ` + ids + `)`},
		sqldb.Selection{Table: "tickets", Where: `conversation_id IN ` + ids})
}

// Forget removes all there is of a customer: what was said on any of their channels, files, tickets, notes and events.
func (d *Desk) Forget(ctx context.Context, customer bot.CustomerID) error {
	return d.conversations.Erase(ctx, customer, rowsOf)
}

// ForgetAgain removes the customers whom a restored backup has brought back, and returns how many conversations of
// theirs there were.
func (d *Desk) ForgetAgain(ctx context.Context) (int, error) {
	return d.conversations.EraseAgain(ctx, rowsOf)
}

// Export writes all there is of a customer into w, as a ZIP file: customer.json with the rows by table, and their files.
func (d *Desk) Export(ctx context.Context, customer bot.CustomerID, w io.Writer) error {
	tables, files, err := d.conversations.Export(ctx, customer, rowsOf)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	out, err := z.Create("customer.json")
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(tables); err != nil {
		return err
	}
	blobs := media.NewStore(d.store.db, media.Options{})
	for _, id := range files {
		_, data, err := blobs.Get(ctx, id)
		if errors.Is(err, media.ErrNotFound) { // it was kept for as long as files are
			continue
		}
		if err != nil {
			return err
		}
		if out, err = z.Create("files/" + id); err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

// Retain empties what was kept for as long as keep says for its affiliate, and returns in how many conversations.
func (d *Desk) Retain(ctx context.Context, keep func(knowledge.AffiliateID) time.Duration) (n int64, err error) {
	list, err := d.conversations.Expired(ctx, keep)
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		if err := d.conversations.Empty(ctx, e, func(ctx context.Context, tx *sql.Tx) error {
			return errors.Join(emptyTickets(ctx, tx, e.Conversation, e.Before), gaps.Empty(ctx, tx, e.Conversation, e.Before),
				bymail.Empty(ctx, tx, e.Conversation, e.Before),
				cases.Empty(ctx, tx, string(e.Conversation), e.Before))
		}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// emptyTickets empties the words of a conversation's tickets that were closed before then.
func emptyTickets(ctx context.Context, tx *sql.Tx, id bot.ConversationID, before time.Time) error {
	const old = `conversation_id = $1 AND state = 'closed' AND closed_at < $2`
	for _, query := range []string{
		`DELETE FROM ticket_notes WHERE key LIKE 'email:%' AND ticket_id IN (SELECT id FROM tickets WHERE ` + old + `)`, // the key is the address
		`UPDATE ticket_notes SET body = '' WHERE ticket_id IN (SELECT id FROM tickets WHERE ` + old + `)`,
		`UPDATE tickets SET question = '' WHERE ` + old,
	} {
		if _, err := tx.ExecContext(ctx, query, id, before.UnixMilli()); err != nil {
			return fmt.Errorf("empty tickets: %w", err)
		}
	}
	return nil
}
