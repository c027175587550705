package knowledge

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// KeepFile stores the bytes of a file somebody sent for the affiliate and returns their Digest. Bytes
// stored before stay as they are. Sweep forgets files that were never published. The error may be
// ErrNotFound, no such affiliate, or ErrUploads.
func (c *Corpus) KeepFile(ctx context.Context, affiliate AffiliateID, data []byte) (digest string, err error) {
	digest = Digest(data)
	now := c.now()
	err = c.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := lockAffiliate(ctx, tx, affiliate); err != nil {
			return err
		}
		if err := insertFile(ctx, tx, affiliate, digest, data, now); err != nil {
			return err
		}
		return checkUploads(ctx, tx, affiliate, now)
	})
	if err != nil {
		return "", fmt.Errorf("keep a file of %s: %w", affiliate, err)
	}
	return digest, nil
}

// File returns the bytes that KeepFile stored, or ErrNotFound.
func (c *Corpus) File(ctx context.Context, affiliate AffiliateID, digest string) ([]byte, error) {
	data, err := selectFile(ctx, c.db, affiliate, digest)
	if err != nil {
		return nil, fmt.Errorf("read a file of %s: %w", affiliate, err)
	}
	return data, nil
}

// Drafts returns the affiliate's files that wait to be published, the newest first and 50 at most,
// without their changes and problems. Those set aside are not among them, nor edits: see Edits.
func (c *Corpus) Drafts(ctx context.Context, affiliate AffiliateID) ([]Upload, error) {
	drafts, err := selectDrafts(ctx, c.db, affiliate)
	if err != nil {
		return nil, fmt.Errorf("list drafts of %s: %w", affiliate, err)
	}
	return drafts, nil
}

// SetAside takes an upload out of Drafts, or puts it back. ErrNotFound: no such upload.
func (c *Corpus) SetAside(ctx context.Context, id UploadID, aside bool) error {
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := selectUploadAffiliate(ctx, tx, id); err != nil {
			return err
		}
		return setAside(ctx, tx, id, aside)
	})
	if err != nil {
		return fmt.Errorf("set upload %s aside: %w", id, err)
	}
	return nil
}

// Removed returns the entries that are not published any more, as they were last, ordered by ID.
func (c *Corpus) Removed(ctx context.Context, affiliate AffiliateID) ([]Entry, error) {
	entries, err := selectRemoved(ctx, c.db, affiliate)
	if err != nil {
		return nil, fmt.Errorf("read what %s removed: %w", affiliate, err)
	}
	return entries, nil
}

// At returns the entries of a revision, ordered by key and locale. Revision 0 has none. ErrNotFound:
// no such affiliate or revision.
func (c *Corpus) At(ctx context.Context, affiliate AffiliateID, at Revision) ([]Entry, error) {
	current, err := selectRevision(ctx, c.db, affiliate)
	var entries []Entry
	switch {
	case err != nil:
	case at < 0 || at > current:
		err = ErrNotFound
	default:
		entries, err = selectEntriesAt(ctx, c.db, affiliate, at)
	}
	if err != nil {
		return nil, fmt.Errorf("read revision %d of %s: %w", at, affiliate, err)
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Locale, b.Locale))
	})
	return entries, nil
}

// Difference returns what would change if the content of revision to came in place of from's, as a
// roll-back does. ErrNotFound: no such affiliate or revision.
func (c *Corpus) Difference(ctx context.Context, affiliate AffiliateID, from, to Revision) ([]Change, error) {
	current, err := selectRevision(ctx, c.db, affiliate)
	var changes []Change
	switch {
	case err != nil:
	case from < 0 || from > current:
		err = ErrNotFound
	case to > current:
		err = ErrNotFound
	case from < to: // selectDifference looks back only
		changes, err = selectDifference(ctx, c.db, affiliate, to, from)
		changes = reverse(changes)
	default:
		changes, err = selectDifference(ctx, c.db, affiliate, from, to)
	}
	if err != nil {
		return nil, fmt.Errorf("compare revisions %d and %d of %s: %w", from, to, affiliate, err)
	}
	return changes, nil
}

// reverse returns the changes that undo changes.
func reverse(changes []Change) []Change {
	for i, ch := range changes {
		switch ch.Kind {
		case ChangeAdded:
			changes[i].Kind = ChangeRetired
		case ChangeRetired:
			changes[i].Kind = ChangeAdded
		}
		changes[i].Before, changes[i].After = ch.After, ch.Before
	}
	return changes
}

// After returns what entries become by changes.
func After(entries []Entry, changes []Change) []Entry {
	byID := make(map[EntryID]Change, len(changes))
	for _, ch := range changes {
		if ch.Kind != ChangeAdded {
			byID[ch.Before.ID] = ch
		}
	}
	after := make([]Entry, 0, len(entries))
	for _, e := range entries {
		switch ch, changed := byID[e.ID]; {
		case !changed:
			after = append(after, e)
		case ch.Kind == ChangeEdited:
			after = append(after, ch.After)
		}
	}
	for _, ch := range changes {
		if ch.Kind == ChangeAdded {
			after = append(after, ch.After)
		}
	}
	return after
}
