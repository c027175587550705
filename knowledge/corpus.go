package knowledge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"faqbot/knowledge/events"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema returns the migrations of this package's tables.
func Schema() sqldb.Schema { return sqldb.Embedded("knowledge", schemaFiles) }

// A Corpus keeps what affiliates uploaded and published. Every change is one transaction. It is
// safe for concurrent use, also from several processes on one database.
type Corpus struct {
	db  *sqldb.DB
	now func() time.Time
}

// NewCorpus returns the corpus in db, to which Schema was applied. now is the clock, time.Now
// outside tests.
func NewCorpus(db *sqldb.DB, now func() time.Time) *Corpus {
	return &Corpus{db: db, now: now}
}

// affiliateNameMax is in characters: longer names break pages and logs.
const affiliateNameMax = 64

// EnsureAffiliate makes the affiliate if there is none of that name. A name has 1 to 64 characters:
// letters, digits, dots, dashes, underscores, and spaces between them; else the error is ErrName. One that is archived is ErrArchived.
func (c *Corpus) EnsureAffiliate(ctx context.Context, id AffiliateID) error {
	if err := checkName(string(id)); err != nil {
		return err
	}
	err := c.db.InTx(ctx, func(tx *sql.Tx) error { return insertAffiliate(ctx, tx, id, c.now()) })
	if err != nil {
		return fmt.Errorf("make affiliate %s: %w", id, err)
	}
	return nil
}

func checkName(name string) error {
	refuse := func(why string) error {
		return fmt.Errorf("affiliate %.80q: %w: %s", name, ErrName, why)
	}
	switch n := utf8.RuneCountInString(name); {
	case name == string(Everyone):
		return refuse("it stands for all affiliates")
	case n == 0:
		return refuse("it is empty")
	case n > affiliateNameMax:
		return refuse(fmt.Sprintf("it has %d characters, at most %d are possible", n, affiliateNameMax))
	case strings.TrimSpace(name) != name:
		return refuse("it begins or ends with a space")
	}
	for _, r := range name {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ._-", r) {
			return refuse(fmt.Sprintf("%q is neither a letter, a digit, a space nor one of . _ -", r))
		}
	}
	return nil
}

// Affiliates returns the IDs of the affiliates in use, in order.
func (c *Corpus) Affiliates(ctx context.Context) ([]AffiliateID, error) {
	ids, err := selectAffiliates(ctx, c.db)
	if err != nil {
		return nil, fmt.Errorf("list affiliates: %w", err)
	}
	return ids, nil
}

// Revisions returns the revision of every affiliate in use. It reads one small table: it may be polled.
func (c *Corpus) Revisions(ctx context.Context) (map[AffiliateID]Revision, error) {
	revisions, err := selectRevisions(ctx, c.db)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	return revisions, nil
}

// Preview compares rows, and the problems met in reading them, with what u.Affiliate has published,
// and stores the result as an upload. Nothing is public yet. u gives Affiliate, File, Digest, By,
// Problems and Reading; the rest is filled in.
//
// Published entries absent from rows would be retired, unless a problem may be about them (see
// Problem.Key). The same rows from the same file against the same revision are the same upload,
// which is returned as it was stored. ErrNotFound: no such affiliate.
func (c *Corpus) Preview(ctx context.Context, u Upload, rows []Row) (Upload, error) {
	doing := func(err error) error { return fmt.Errorf("preview a file for %s: %w", u.Affiliate, err) }
	if err := checkRows(rows); err != nil {
		return Upload{}, doing(err)
	}
	content, err := contentDigest(u, rows)
	if err != nil {
		return Upload{}, doing(err)
	}
	u.ID, u.At = UploadID(rand.Text()), c.now().UTC().Truncate(time.Millisecond)
	u.Changes, u.Stay, u.Held, u.Edits, u.Unchanged, u.Kept, u.Published, u.Discarded = nil, nil, nil, nil, 0, 0, 0, false
	err = c.db.InTx(ctx, func(tx *sql.Tx) error {
		u.Base, err = lockAffiliate(ctx, tx, u.Affiliate)
		if err != nil {
			return err
		}
		u, err = storeOnce(ctx, tx, u, content, func(u *Upload, live []Entry, known map[address]EntryID) error {
			compare(u, rows, live, func(a address) EntryID {
				if id, ok := known[a]; ok {
					return id
				}
				return EntryID(rand.Text())
			})
			return nil
		})
		return err
	})
	if err != nil {
		return Upload{}, doing(err)
	}
	return u, nil
}

// storeOnce stores an upload that fill completes by what is published and which addresses have which IDs. If one of
// the same content was stored already, it returns that one, which waits anew. The affiliate is locked.
func storeOnce(ctx context.Context, tx *sql.Tx, u Upload, content string, fill func(*Upload, []Entry, map[address]EntryID) error) (Upload, error) {
	id, err := selectSameUpload(ctx, tx, u.Affiliate, u.Base, content)
	switch {
	case err == nil:
		now := u.At
		if err := wantAgain(ctx, tx, id, now); err != nil {
			return u, err
		}
		if u, err = selectUpload(ctx, tx, id); err != nil {
			return u, err
		}
		return u, keepFiles(ctx, tx, u.Changes, now.Add(limits.DraftsFor))
	case !errors.Is(err, ErrNotFound):
		return u, err
	}
	live, err := selectEntriesAt(ctx, tx, u.Affiliate, u.Base)
	if err != nil {
		return u, err
	}
	known, err := selectIdentities(ctx, tx, u.Affiliate)
	if err != nil {
		return u, err
	}
	if err := fill(&u, live, known); err != nil {
		return u, err
	}
	if err := insertUpload(ctx, tx, u, content); err != nil {
		return u, err
	}
	return u, keepFiles(ctx, tx, u.Changes, u.At.Add(limits.DraftsFor))
}

// contentDigest names what was read, not only the file: the same bytes under another name may be
// read as another format, and a newer version of the service may read more.
func contentDigest(u Upload, rows []Row) (string, error) {
	h := sha256.New()
	read := []any{u.Digest, rows, u.Problems}
	if !u.Reading.IsZero() {
		read = append(read, u.Reading)
	}
	if err := json.NewEncoder(h).Encode(read); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Upload returns a stored upload, or ErrNotFound.
func (c *Corpus) Upload(ctx context.Context, id UploadID) (Upload, error) {
	u, err := selectUpload(ctx, c.db, id)
	if err != nil {
		return Upload{}, fmt.Errorf("read upload %s: %w", id, err)
	}
	return u, nil
}

// Publish makes an upload's changes public and returns the affiliate's revision that has them. An
// upload published before, or without changes, publishes nothing more. The error may be ErrNotFound,
// ErrProblems or ErrOutdated.
func (c *Corpus) Publish(ctx context.Context, id UploadID, by string) (Revision, error) {
	var revision Revision
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		affiliate, err := selectUploadAffiliate(ctx, tx, id)
		if err != nil {
			return err
		}
		// Locked before the upload is read: on Postgres what was read earlier may be stale by now.
		current, err := lockAffiliate(ctx, tx, affiliate)
		if err != nil {
			return err
		}
		u, err := selectUploadAlone(ctx, tx, id)
		if err != nil {
			return err
		}
		switch {
		case u.Published != 0:
			revision = u.Published
			return nil
		case u.Fatal():
			return ErrProblems
		case u.Base != current:
			return ErrOutdated
		}
		revision, err = apply(ctx, tx, affiliate, current, u.Changes, Publish{
			At: c.now(), By: by, Upload: u.ID, File: u.File,
		})
		if err != nil {
			return err
		}
		if err := deleteEdits(ctx, tx, affiliate, u.Edits); err != nil {
			return err
		}
		return markPublished(ctx, tx, id, revision)
	})
	if err != nil {
		return 0, fmt.Errorf("publish upload %s: %w", id, err)
	}
	return revision, nil
}

// RollBack publishes the content of an earlier revision as a new one, and returns it. Entries that
// come back have the IDs they had. To 0 empties the corpus. If the content is what is published
// already, nothing happens and the current revision is returned. ErrNotFound: no such affiliate or
// revision.
func (c *Corpus) RollBack(ctx context.Context, affiliate AffiliateID, to Revision, by string) (Revision, error) {
	return c.republish(ctx, affiliate, to, by, func(Revision) error { return nil })
}

// RollBackFrom is RollBack by somebody who saw what it changes in revision from: if another is
// published by now and its content differs, the error is ErrOutdated.
func (c *Corpus) RollBackFrom(ctx context.Context, affiliate AffiliateID, from, to Revision, by string) (Revision, error) {
	return c.republish(ctx, affiliate, to, by, func(current Revision) error {
		if current != from {
			return ErrOutdated
		}
		return nil
	})
}

// republish asks may of the current revision before it changes anything.
func (c *Corpus) republish(ctx context.Context, affiliate AffiliateID, to Revision, by string, may func(current Revision) error) (Revision, error) {
	var revision Revision
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		current, err := lockAffiliate(ctx, tx, affiliate)
		if err != nil {
			return err
		}
		changes, err := selectDifference(ctx, tx, affiliate, current, to)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := may(current); err != nil {
				return err
			}
		}
		revision, err = apply(ctx, tx, affiliate, current, changes, Publish{
			At: c.now(), By: by, RollBack: true, To: to,
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("roll %s back to revision %d: %w", affiliate, to, err)
	}
	return revision, nil
}

// apply publishes changes as the revision after current, described by p. The affiliate is locked.
func apply(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, current Revision, changes []Change, p Publish) (Revision, error) {
	if len(changes) == 0 {
		return current, nil
	}
	p.Revision = current + 1
	var added, live []Entry // added: new or back again; live: in force from now on
	var ended []EntryID
	for _, ch := range changes {
		switch ch.Kind {
		case ChangeAdded:
			p.Added++
			added, live = append(added, ch.After), append(live, ch.After)
		case ChangeEdited:
			p.Edited++
			ended, live = append(ended, ch.After.ID), append(live, ch.After)
		case ChangeRetired:
			p.Retired++
			ended = append(ended, ch.Before.ID)
		}
	}
	if err := endVersions(ctx, tx, ended, p.Revision); err != nil {
		return 0, err
	}
	if err := insertIdentities(ctx, tx, affiliate, added); err != nil {
		return 0, err
	}
	if err := assignSlugs(ctx, tx, affiliate, live); err != nil {
		return 0, err
	}
	if err := insertVersions(ctx, tx, affiliate, live, p.Revision); err != nil {
		return 0, err
	}
	if err := pinFiles(ctx, tx, affiliate, live); err != nil {
		return 0, err
	}
	if err := insertPublish(ctx, tx, affiliate, p); err != nil {
		return 0, err
	}
	return p.Revision, events.Append(ctx, tx, events.Event{Kind: events.Published, At: p.At, Affiliate: string(affiliate),
		Cause: strconv.FormatInt(int64(p.Revision), 10), Agent: p.By})
}

// History returns the affiliate's publishes, the newest first. An unknown affiliate has none.
func (c *Corpus) History(ctx context.Context, affiliate AffiliateID) ([]Publish, error) {
	publishes, err := selectPublishes(ctx, c.db, affiliate)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", affiliate, err)
	}
	return publishes, nil
}

// Published returns the affiliate's published entries ordered by ID and the revision they are of.
// Entries out of their time are among them: ask Entry.Holds. ErrNotFound: no such affiliate.
func (c *Corpus) Published(ctx context.Context, affiliate AffiliateID) ([]Entry, Revision, error) {
	entries, revision, err := selectPublished(ctx, c.db, affiliate)
	if err != nil {
		return nil, 0, fmt.Errorf("read what %s published: %w", affiliate, err)
	}
	return entries, revision, nil
}

// Entry returns a published entry, or ErrNotFound if there is none of that ID or it is retired.
func (c *Corpus) Entry(ctx context.Context, id EntryID) (Entry, error) {
	e, err := selectEntry(ctx, c.db, id)
	if err != nil {
		return Entry{}, fmt.Errorf("read entry %s: %w", id, err)
	}
	return e, nil
}
