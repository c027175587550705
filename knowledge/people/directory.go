package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// Options are a directory's settings.
type Options struct {
	Now func() time.Time // the clock; nil is time.Now
}

// A Directory is everybody's accounts. It is safe for concurrent use, also from several processes on
// one database. Whoever changes something is named as by, for the audit: a person, or Operator.
type Directory struct {
	db     *sqldb.DB
	now    func() time.Time
	hasher hasher
}

// NewDirectory returns the directory in db, to which Schema was applied.
func NewDirectory(db *sqldb.DB, options Options) *Directory {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Directory{db: db, now: options.Now, hasher: newHasher()}
}

// Add makes an account, with which nobody can sign in before a link from Reset is used. The error
// may be ErrName, ErrTaken, ErrRole, ErrAffiliate or ErrEmail.
func (d *Directory) Add(ctx context.Context, by PersonID, n Newcomer) (Person, error) {
	p, err := d.newcomer(n)
	if err == nil {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error {
			if err := insertPerson(ctx, tx, p, ""); err != nil {
				return err
			}
			return d.insertNote(ctx, tx, by, ActionAdd, fmt.Sprintf("%s as %s", p.Name, p.Role))
		})
	}
	if err != nil {
		return Person{}, fmt.Errorf("add %.80q: %w", n.Name, err)
	}
	return p, nil
}

func (d *Directory) newcomer(n Newcomer) (Person, error) {
	if err := checkName(n.Name); err != nil {
		return Person{}, err
	}
	if !slices.Contains(Roles(), n.Role) {
		return Person{}, ErrRole
	}
	affiliates, err := cleanAffiliates(n.Affiliates)
	if err != nil {
		return Person{}, err
	}
	email, err := cleanEmail(n.Email)
	return Person{ID: PersonID(rand.Text()), Name: n.Name, Role: n.Role, Affiliates: affiliates, Email: email,
		CreatedAt: d.now().UTC().Truncate(time.Millisecond), Invited: true}, err
}

// List returns everybody, by name.
func (d *Directory) List(ctx context.Context) ([]Person, error) {
	list, err := selectPeople(ctx, d.db)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return list, nil
}

// Get returns a person, or ErrNotFound.
func (d *Directory) Get(ctx context.Context, id PersonID) (Person, error) {
	p, _, err := selectPerson(ctx, d.db, "p.id", string(id))
	if err != nil {
		return Person{}, fmt.Errorf("person %s: %w", id, err)
	}
	return p, nil
}

// Find returns the person of that sign-in name, or ErrNotFound.
func (d *Directory) Find(ctx context.Context, name string) (Person, error) {
	p, _, err := selectPerson(ctx, d.db, "p.name_key", fold(name))
	if err != nil {
		return Person{}, fmt.Errorf("find %.80q: %w", name, err)
	}
	return p, nil
}

// SetRole gives a person another role. The error may be ErrNotFound, ErrRole or ErrLastAdmin.
func (d *Directory) SetRole(ctx context.Context, by, id PersonID, role Role) error {
	if !slices.Contains(Roles(), role) {
		return fmt.Errorf("set the role of %s: %w", id, ErrRole)
	}
	return d.change(ctx, by, id, ActionRole, func(tx *sql.Tx, p *Person) (string, error) {
		p.Role = role
		return p.Name + " is " + string(role), updatePerson(ctx, tx, *p)
	})
}

// SetAffiliates says whose things a person sees: knowledge.Everyone for all, none for nobody's. The
// error may be ErrNotFound or ErrAffiliate.
func (d *Directory) SetAffiliates(ctx context.Context, by, id PersonID, affiliates []knowledge.AffiliateID) error {
	list, err := cleanAffiliates(affiliates)
	if err != nil {
		return fmt.Errorf("set the affiliates of %s: %w", id, err)
	}
	return d.change(ctx, by, id, ActionAffiliates, func(tx *sql.Tx, p *Person) (string, error) {
		p.Affiliates = list
		return fmt.Sprintf("%s sees %q", p.Name, list), updatePerson(ctx, tx, *p)
	})
}

// Disable keeps a person out: sessions and links end at once, and none begins. The error may be
// ErrNotFound or ErrLastAdmin.
func (d *Directory) Disable(ctx context.Context, by, id PersonID) error {
	return d.change(ctx, by, id, ActionDisable, func(tx *sql.Tx, p *Person) (string, error) {
		p.Disabled = true
		// First, so that a sign-in at the same moment is over, and its session seen, or comes too late.
		if err := updatePerson(ctx, tx, *p); err != nil {
			return "", err
		}
		if err := deleteSessions(ctx, tx, id); err != nil {
			return "", err
		}
		return p.Name, deleteInvitation(ctx, tx, id)
	})
}

// Enable undoes Disable; the password still holds. The error may be ErrNotFound.
func (d *Directory) Enable(ctx context.Context, by, id PersonID) error {
	return d.change(ctx, by, id, ActionEnable, func(tx *sql.Tx, p *Person) (string, error) {
		p.Disabled = false
		return p.Name, updatePerson(ctx, tx, *p)
	})
}

// change changes a person in a transaction and notes it. No other change, nor the first admin's
// arrival, runs at the same time. It never leaves the service without an admin who can sign in.
func (d *Directory) change(ctx context.Context, by, id PersonID, action Action, do func(*sql.Tx, *Person) (object string, err error)) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		before, err := countAdmins(ctx, tx)
		if err != nil {
			return err
		}
		p, _, err := selectPerson(ctx, tx, "p.id", string(id))
		if err != nil {
			return err
		}
		object, err := do(tx, &p)
		if err != nil {
			return err
		}
		if after, err := countAdmins(ctx, tx); err != nil || before > 0 && after == 0 {
			return firstOf(err, ErrLastAdmin)
		}
		return d.insertNote(ctx, tx, by, action, object)
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// newToken is something random to hand out, of 256 bits, and what is kept of it.
func newToken() (token, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	token = hex.EncodeToString(raw)
	return token, hashToken(token)
}

// hashToken needs no salt and no delay: nobody guesses 256 bits.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
