package knowledge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"faqbot/knowledge/limits"
)

var (
	// ErrNotFound means that there is no such affiliate, entry, upload or revision.
	ErrNotFound = errors.New("not found")
	// ErrProblems means that the upload has a fatal problem and cannot be published.
	ErrProblems = errors.New("the upload has problems that must be mended first")
	// ErrOutdated means that the affiliate's corpus moved since the upload was compared with it;
	// previewing the same file again compares it afresh.
	ErrOutdated = errors.New("the corpus has changed since the preview")
	// ErrName means that an affiliate's name breaks the rules that EnsureAffiliate gives.
	ErrName = errors.New("not an affiliate's name")
)

// UploadID names an upload.
type UploadID string

// An Upload is one file an affiliate sent, or edits made here, compared with what the affiliate has published.
type Upload struct {
	ID        UploadID
	Affiliate AffiliateID
	File      string // its name as sent, "" for edits
	Digest    string // Digest of the file's bytes
	By        string // who sent it
	At        time.Time
	Base      Revision  // what it was compared with
	Changes   []Change  // added and edited in the file's order, then retired by key
	Unchanged int       // entries the file repeats as they are
	Kept      int       // published entries absent from the file that stay: see Reading.Absent, Unread, Entry.Source
	Stay      []Entry   // those entries, by key
	Held      []Change  // what the file would change of entries edited by hand, which stay as they are
	Edits     []EditRef // the edits that it was made of, if it is no file
	Problems  []Problem
	Reading   Reading  // how it was read
	Discarded bool     // discarded, or replaced by the same file read otherwise; it can still be read
	Published Revision // zero until published
}

// Fatal reports whether a problem blocks publishing.
func (u Upload) Fatal() bool {
	for _, p := range u.Problems {
		if p.Fatal {
			return true
		}
	}
	return false
}

// Unread reports whether a row could not be read, so that entries stay that it may be about: see Problem.Key.
func (u Upload) Unread() bool {
	return slices.ContainsFunc(u.Problems, func(p Problem) bool { return p.Line > 0 || p.Key != "" })
}

// Retired is how many entries publishing would remove.
func (u Upload) Retired() (n int) {
	for _, c := range u.Changes {
		if c.Kind == ChangeRetired {
			n++
		}
	}
	return n
}

// AfterAll are the entries as changes leave them: those that are added or edited.
func AfterAll(changes []Change) (list []Entry) {
	for _, c := range changes {
		if c.Kind != ChangeRetired {
			list = append(list, c.After)
		}
	}
	return list
}

// PrepareChanges has the vectors made of what changes bring, so that it is found as soon as it is published. It is not
// waited for longer than a person would: what is not ready within limits.MaxPreparing is made after publishing. prepare
// may be nil: all of it is made then.
func PrepareChanges(ctx context.Context, prepare func(context.Context, []Entry) error, changes []Change) error {
	if prepare == nil {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, limits.MaxPreparing)
	defer cancel()
	err := prepare(short, AfterAll(changes))
	if err != nil && short.Err() != nil {
		return ctx.Err()
	}
	return err
}

// RemovesMost reports whether publishing would remove more than half of what is published.
func (u Upload) RemovesMost() bool {
	edited := 0
	for _, c := range u.Changes {
		if c.Kind == ChangeEdited {
			edited++
		}
	}
	n := u.Retired()
	return n*2 > n+edited+u.Unchanged+u.Kept+len(u.Held)
}

// Digest returns the SHA-256 of a file in hexadecimal, as Upload.Digest holds it.
func Digest(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// ChangeKind says what a change does to an entry.
type ChangeKind string

const (
	ChangeAdded   ChangeKind = "added"
	ChangeEdited  ChangeKind = "edited"
	ChangeRetired ChangeKind = "retired"
)

// A Change is what publishing an upload would do to one entry. Before is zero when adding, After
// when retiring.
type Change struct {
	Kind          ChangeKind
	Before, After Entry
}

// A Publish is one revision of an affiliate's corpus and how it came about.
type Publish struct {
	Revision Revision
	At       time.Time
	By       string
	Upload   UploadID // "" for a roll-back
	File     string   // the upload's file name, "" for a roll-back
	Added    int
	Edited   int
	Retired  int
	RollBack bool
	To       Revision // the revision a roll-back brought back; may be 0
}
