package knowledge

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"faqbot/knowledge/sqldb"
)

const editColumns = `base_revision, version, content, edited_by, edited_at`

// scanEdit reads a row of editColumns after the columns that go to before.
func scanEdit(scan func(dest ...any) error, affiliate AffiliateID, before ...any) (Edit, error) {
	var e Edit
	var content string
	var at int64
	if err := scan(append(before, &e.Base, &e.Version, &content, &e.By, &at)...); err != nil {
		return Edit{}, err
	}
	var stored storedChange
	if err := json.Unmarshal([]byte(content), &stored); err != nil {
		return Edit{}, fmt.Errorf("read an edit: %w", err)
	}
	e.Remove = stored.Kind == ChangeRetired
	stored.Kind = ChangeEdited
	e.Entry, e.At = stored.load(affiliate).After, sqldb.Time(at)
	return e, nil
}

func selectEdits(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) ([]Edit, error) {
	var list []Edit
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		e, err := scanEdit(rows.Scan, affiliate)
		list = append(list, e)
		return err
	}, `SELECT `+editColumns+` FROM edits WHERE affiliate = $1 ORDER BY edited_at DESC, entry_id`, string(affiliate))
	return list, err
}

func selectEdit(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, id EntryID) (Edit, error) {
	row := r.QueryRowContext(ctx, `SELECT `+editColumns+` FROM edits WHERE affiliate = $1 AND entry_id = $2`, string(affiliate), string(id))
	e, err := scanEdit(row.Scan, affiliate)
	return e, notFound(err, "edit")
}

// countEdits returns how many edits the affiliate has.
func countEdits(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) (n int, err error) {
	err = r.QueryRowContext(ctx, `SELECT COUNT(*) FROM edits WHERE affiliate = $1`, string(affiliate)).Scan(&n)
	return n, err
}

func insertEdit(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, e Edit) error {
	stored := storeChange(Change{Kind: ChangeEdited, After: e.Entry})
	if e.Remove {
		stored.Kind = ChangeRetired
	}
	content, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO edits (affiliate, entry_id, version, base_revision, content, edited_by, edited_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, string(affiliate), string(e.Entry.ID), e.Version, int64(e.Base), string(content), e.By, sqldb.Millis(e.At))
	return err
}

func deleteEdit(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, id EntryID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM edits WHERE affiliate = $1 AND entry_id = $2`, string(affiliate), string(id))
	return err
}

// deleteEdits deletes edits that are published, but not those that somebody saved again since they were proposed.
func deleteEdits(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, refs []EditRef) error {
	for _, ref := range refs {
		if _, err := tx.ExecContext(ctx, `DELETE FROM edits WHERE affiliate = $1 AND entry_id = $2 AND version = $3`,
			string(affiliate), string(ref.Entry), ref.Version); err != nil {
			return fmt.Errorf("delete a published edit: %w", err)
		}
	}
	return nil
}

// errForeign means that the entry is another affiliate's.
var errForeign = errors.New("the entry is another affiliate's")

// selectIdentity returns the address of an entry that was published before. The error may be errForeign.
func selectIdentity(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, id EntryID) (address, error) {
	var owner AffiliateID
	var a address
	err := r.QueryRowContext(ctx, `SELECT affiliate, key, locale FROM entries WHERE id = $1`, string(id)).Scan(&owner, &a.key, &a.locale)
	if err == nil && owner != affiliate {
		return a, errForeign
	}
	return a, notFound(err, "entry")
}

// isTaken reports whether another entry of the affiliate, or an edit of one, has e's key and locale.
func isTaken(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, e Entry) (bool, error) {
	var id EntryID
	err := r.QueryRowContext(ctx, `SELECT id FROM entries WHERE affiliate = $1 AND key = $2 AND locale = $3`, string(affiliate), e.Key, e.Locale).Scan(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return err == nil, err
	}
	edits, err := selectEdits(ctx, r, affiliate)
	return slices.ContainsFunc(edits, func(o Edit) bool { return o.Entry.ID != e.ID && o.Entry.address() == e.address() }), err
}

// selectRemoved returns the last version of each entry that is not published any more.
func selectRemoved(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) ([]Entry, error) {
	var entries []Entry
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		e, err := scanEntry(rows.Scan)
		entries = append(entries, e)
		return err
	}, `SELECT `+entryColumns+` FROM versions v JOIN entries e ON e.id = v.entry_id
		WHERE v.affiliate = $1 AND v.from_revision = (SELECT MAX(w.from_revision) FROM versions w WHERE w.entry_id = v.entry_id) AND v.until_revision > 0`,
		string(affiliate))
	sortByID(entries)
	return entries, err
}
