package knowledge

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge/limits"
)

var (
	// ErrConflict means that somebody saved or published the entry since the editor saw it.
	ErrConflict = errors.New("the entry has changed meanwhile")
	// ErrEdits means that the affiliate has limits.MaxRows edits that are not published.
	ErrEdits = errors.New("too many edits wait to be published")
	// ErrIDTaken means that another entry has the key in that locale.
	ErrIDTaken = errors.New("another entry has this ID in this language")
)

// An Edit is one entry as somebody wants it, until it is published. An affiliate has at most one for each entry.
type Edit struct {
	Entry   Entry // as it would be; of one to be removed, as it is published
	Remove  bool
	Base    Revision // the Entry.Revision that it began from; 0 if the entry was not published
	Version string   // names this save; "" before the first
	Editor  string   // the open page that saves it: its own saves do not conflict with each other; "" for none
	By      string
	At      time.Time
}

// An EditRef names one save of an edit.
type EditRef struct {
	Entry   EntryID
	Version string
}

// Ready reports whether the edit can be published: what is written says enough.
func (e Edit) Ready() bool { return e.Remove || e.Entry.Question != "" && e.Entry.Answer != "" }

// Edits returns what is edited and not published yet, the newest first.
func (c *Corpus) Edits(ctx context.Context, affiliate AffiliateID) ([]Edit, error) {
	list, err := selectEdits(ctx, c.db, affiliate)
	if err != nil {
		return nil, fmt.Errorf("list edits of %s: %w", affiliate, err)
	}
	return list, nil
}

// Edit returns the edit of an entry, or ErrNotFound.
func (c *Corpus) Edit(ctx context.Context, affiliate AffiliateID, id EntryID) (Edit, error) {
	e, err := selectEdit(ctx, c.db, affiliate, id)
	if err != nil {
		return Edit{}, fmt.Errorf("read an edit of %s: %w", affiliate, err)
	}
	return e, nil
}

// SaveEdit stores an edit and returns it with its new Version. e.Version and e.Base are those that the editor saw: if
// somebody saved or published the entry since, nothing is stored and the error is ErrConflict. It may be ErrEdits, too.
// An entry that was
// published before keeps its key and locale; ErrNotFound: it is another affiliate's. An edit that changes nothing, or adds an empty entry, is none: it is
// deleted, and the Version is "".
func (c *Corpus) SaveEdit(ctx context.Context, affiliate AffiliateID, e Edit) (Edit, error) {
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := lockAffiliate(ctx, tx, affiliate); err != nil {
			return err
		}
		if err := settleAddress(ctx, tx, affiliate, &e.Entry); err != nil {
			return err
		}
		now, live, err := current(ctx, tx, affiliate, e.Entry.ID)
		if err != nil {
			return err
		}
		own := e.Editor != "" && strings.HasPrefix(now.Version, e.Editor+".")
		if now.Version != e.Version && !own || live.Revision != e.Base {
			return ErrConflict
		}
		if e.Entry.Slug == "" { // an entry that has one keeps it, or gets another
			e.Entry.Slug = live.Slug
		}
		e.At = c.now().UTC().Truncate(time.Millisecond)
		if err := deleteEdit(ctx, tx, affiliate, e.Entry.ID); err != nil {
			return err
		}
		if e.empty(live) {
			e.Version = ""
			return nil
		}
		if n, err := countEdits(ctx, tx, affiliate); err != nil || n >= limits.MaxRows {
			return cmp.Or(err, ErrEdits)
		}
		e.Version = e.Editor + "." + rand.Text()
		e.Entry.Affiliate, e.Entry.Revision = affiliate, 0
		e.Entry.Source, e.Entry.EditedBy, e.Entry.EditedAt = live.Source, e.By, e.At
		if err := insertEdit(ctx, tx, affiliate, e); err != nil {
			return err
		}
		return keepFiles(ctx, tx, []Change{{After: e.Entry}}, e.At.Add(limits.DraftsFor))
	})
	if err != nil {
		return Edit{}, fmt.Errorf("save an edit of %s: %w", affiliate, err)
	}
	return e, nil
}

// empty reports whether e changes nothing about live, the published entry, which is zero if there is none.
func (e Edit) empty(live Entry) bool {
	if live.ID != "" {
		return !e.Remove && same(e.Entry, live)
	}
	return e.Remove || e.Entry.Question == "" && e.Entry.Answer == "" && len(e.Entry.Variants) == 0 && len(e.Entry.Media) == 0
}

// current returns an entry's edit and its published version, each zero if there is none.
func current(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, id EntryID) (Edit, Entry, error) {
	edit, err := selectEdit(ctx, tx, affiliate, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return edit, Entry{}, err
	}
	live, err := selectEntry(ctx, tx, id)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return edit, live, err
}

// settleAddress gives an entry that was published before its key and locale, and refuses an address that another has.
func settleAddress(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, e *Entry) error {
	known, err := selectIdentity(ctx, tx, affiliate, e.ID)
	switch {
	case err == nil:
		e.Key, e.Locale = known.key, known.locale
		return nil
	case errors.Is(err, errForeign):
		return ErrNotFound
	case !errors.Is(err, ErrNotFound):
		return err
	}
	taken, err := isTaken(ctx, tx, affiliate, *e)
	if err == nil && taken {
		err = ErrIDTaken
	}
	return err
}

// DropEdit deletes an edit. ErrConflict: somebody saved it since that version.
func (c *Corpus) DropEdit(ctx context.Context, affiliate AffiliateID, ref EditRef) error {
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := lockAffiliate(ctx, tx, affiliate); err != nil {
			return err
		}
		now, err := selectEdit(ctx, tx, affiliate, ref.Entry)
		switch {
		case errors.Is(err, ErrNotFound):
			return nil
		case err != nil:
			return err
		case now.Version != ref.Version:
			return ErrConflict
		}
		return deleteEdit(ctx, tx, affiliate, ref.Entry)
	})
	if err != nil {
		return fmt.Errorf("drop an edit of %s: %w", affiliate, err)
	}
	return nil
}

// ProposeEdits makes an upload of the edits of some entries, of all if none is named. It is published as an upload of
// a file is, and the edits are gone then, unless somebody saved them again. Edits that lack an answer are left out and
// told as problems.
func (c *Corpus) ProposeEdits(ctx context.Context, affiliate AffiliateID, by string, only ...EntryID) (Upload, error) {
	u := Upload{ID: UploadID(rand.Text()), Affiliate: affiliate, By: by, At: c.now().UTC().Truncate(time.Millisecond)}
	err := c.db.InTx(ctx, func(tx *sql.Tx) (err error) {
		if u.Base, err = lockAffiliate(ctx, tx, affiliate); err != nil {
			return err
		}
		list, err := selectEdits(ctx, tx, affiliate)
		if err != nil {
			return err
		}
		if len(only) > 0 {
			list = slices.DeleteFunc(list, func(e Edit) bool { return !slices.Contains(only, e.Entry.ID) })
		}
		slices.SortFunc(list, func(a, b Edit) int { return strings.Compare(string(a.Entry.ID), string(b.Entry.ID)) })
		for _, e := range list {
			u.Edits = append(u.Edits, EditRef{e.Entry.ID, e.Version})
		}
		named, err := json.Marshal(u.Edits)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(named)
		u, err = storeOnce(ctx, tx, u, hex.EncodeToString(sum[:]), func(u *Upload, live []Entry, _ map[address]EntryID) error {
			u.applyEdits(list, live)
			return nil
		})
		return err
	})
	if err != nil {
		return Upload{}, fmt.Errorf("propose edits of %s: %w", affiliate, err)
	}
	return u, nil
}

// applyEdits fills in what edits change about live. Edits that are not ready stay edits.
func (u *Upload) applyEdits(list []Edit, live []Entry) {
	published := make(map[EntryID]Entry, len(live))
	for _, e := range live {
		published[e.ID] = e
	}
	waiting := map[EntryID]bool{}
	for _, e := range list {
		before, known := published[e.Entry.ID]
		if e.Ready() && e.Base != before.Revision {
			u.Problems = append(u.Problems, Problem{Key: e.Entry.Key, Text: fmt.Sprintf(
				"%s wrote this before the entry was last published. Look at what would change.", e.By)})
		}
		switch {
		case !e.Ready():
			waiting[e.Entry.ID] = true
			u.Problems = append(u.Problems, Problem{Key: e.Entry.Key, Text: fmt.Sprintf(
				"The draft “%.80s” is left out: it needs a question and an answer. It stays a draft.", e.Entry.Question)})
		case e.Remove && known:
			u.Changes = append(u.Changes, Change{Kind: ChangeRetired, Before: before})
		case e.Remove:
		case !known:
			u.Changes = append(u.Changes, Change{Kind: ChangeAdded, After: e.Entry})
		case !same(e.Entry, before):
			u.Changes = append(u.Changes, Change{Kind: ChangeEdited, Before: before, After: e.Entry})
		}
	}
	u.Edits = slices.DeleteFunc(u.Edits, func(r EditRef) bool { return waiting[r.Entry] })
	u.Unchanged = len(live)
	for _, ch := range u.Changes {
		if ch.Kind != ChangeAdded {
			u.Unchanged--
		}
	}
	refuseTooMany(u, live)
}
