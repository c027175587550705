package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"
)

// An Action is what somebody did. Other packages have their own: "publish".
type Action string

const (
	ActionAdd        Action = "add a person"
	ActionRole       Action = "change a role"
	ActionAffiliates Action = "change affiliates"
	ActionDisable    Action = "disable"
	ActionEnable     Action = "enable"
	ActionReset      Action = "make a one-time link"
	ActionPassword   Action = "choose a password"
	ActionSignIn     Action = "sign in"
	ActionSignOut    Action = "sign out"
	ActionKey        Action = "make an API key"
	ActionRevoke     Action = "revoke an API key"
	ActionUnlock     Action = "lift a lock"
	ActionEmail      Action = "change where mail goes"
)

// A Note is one line of the audit. Lines are only ever added.
type Note struct {
	ID     string // sorts by time
	At     time.Time
	By     PersonID // a person, or Operator
	ByName string   // their name today; By where there is no such person
	Action Action
	Object string // to what, in words; never a secret
}

// Record adds a line to the audit.
func (d *Directory) Record(ctx context.Context, by PersonID, action Action, object string) error {
	return d.db.InTx(ctx, func(tx *sql.Tx) error { return d.insertNote(ctx, tx, by, action, object) })
}

// A NoteFilter selects lines of the audit. What is empty selects all.
type NoteFilter struct {
	By       PersonID
	Action   Action
	From, To time.Time // To is not included
}

// Notes returns at most limit lines that the filter selects, the newest first, older than the one whose ID is before; ""
// is for the newest of all.
func (d *Directory) Notes(ctx context.Context, f NoteFilter, before string, limit int) ([]Note, error) {
	list, err := selectNotes(ctx, d.db, f, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return list, nil
}

// Noted returns whoever is named in the audit, by name, and what they did, each once.
func (d *Directory) Noted(ctx context.Context) (who []Person, actions []Action, err error) {
	if who, actions, err = selectNoted(ctx, d.db); err != nil {
		return nil, nil, fmt.Errorf("read who is in the audit: %w", err)
	}
	return who, actions, nil
}

func (d *Directory) insertNote(ctx context.Context, tx *sql.Tx, by PersonID, action Action, object string) error {
	now := d.now()
	salt := make([]byte, 8)
	rand.Read(salt) // never fails
	id := fmt.Sprintf("%016x", now.UnixNano()) + hex.EncodeToString(salt)
	if err := insertNote(ctx, tx, id, Note{At: now, By: by, Action: action, Object: object}); err != nil {
		return fmt.Errorf("note in the audit: %w", err)
	}
	return nil
}
