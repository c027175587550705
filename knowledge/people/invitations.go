package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// invitationLasts is how long a one-time link can be used.
const invitationLasts = 24 * time.Hour

// nobodyYet is whom the first admin's link belongs to: nobody yet.
const nobodyYet PersonID = ""

// An Invitation is what a one-time link is for.
type Invitation struct {
	Person Person // who may choose a password; zero for the first admin
	First  bool   // the first admin, who chooses a name too
}

// Reset makes the token of a one-time link with which the person chooses a new password, within a
// day. It replaces earlier ones. The old password holds until the link is used. ErrNotFound: there
// is no such person, or they are disabled.
func (d *Directory) Reset(ctx context.Context, by, id PersonID) (token string, err error) {
	token, hash := newToken()
	err = d.change(ctx, by, id, ActionReset, func(tx *sql.Tx, p *Person) (string, error) {
		if p.Disabled {
			return "", ErrNotFound
		}
		return p.Name, upsertInvitation(ctx, tx, id, hash, d.now().Add(invitationLasts))
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// firstAdminRenew is how long before its end the first admin's link is replaced by a new one.
const firstAdminRenew = time.Hour

// FirstAdmin returns the token of a one-time link for the first admin, to print at the start of the service,
// and when it ends. It is derived from the time of its end with signer, so that all services on one database
// print the same link; only its digest is kept. It is "" where an admin can sign in already, and where signer
// has no key.
func (d *Directory) FirstAdmin(ctx context.Context, signer vault.Signer) (token string, ends time.Time, err error) {
	if !signer.Ready() {
		return "", ends, nil
	}
	err = d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		if n, err := countAdmins(ctx, tx); err != nil || n > 0 {
			token = ""
			return err
		}
		hash, old, err := selectFirstAdmin(ctx, tx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if token, ends = firstAdminToken(signer, old), old; hash == hashToken(token) && d.now().Before(ends.Add(-firstAdminRenew)) {
			return nil // another service, or an earlier start, printed it
		}
		ends = d.now().Add(invitationLasts).UTC().Truncate(time.Millisecond)
		token = firstAdminToken(signer, ends)
		return upsertInvitation(ctx, tx, nobodyYet, hashToken(token), ends)
	})
	if err != nil {
		return "", ends, fmt.Errorf("invite the first admin: %w", err)
	}
	return token, ends, nil
}

func firstAdminToken(signer vault.Signer, ends time.Time) string {
	return signer.Sign(fmt.Sprintf("first admin\x00%d", sqldb.Millis(ends)))
}

// Invited says what a link is for, without using it up. The error may be ErrToken.
func (d *Directory) Invited(ctx context.Context, token string) (Invitation, error) {
	id, err := selectInvitation(ctx, d.db, hashToken(token), d.now())
	if err == nil && id == nobodyYet {
		return Invitation{First: true}, nil
	}
	var p Person
	if err == nil {
		p, _, err = selectPerson(ctx, d.db, "p.id", string(id))
	}
	if err == nil && p.Disabled {
		err = ErrToken
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read a link: %w", firstKnown(err, ErrNotFound, ErrToken))
	}
	return Invitation{Person: p}, nil
}

// Redeem uses a link from Reset: the password is the person's from now on, their sessions end, and
// guesses at their name are forgotten. The error may be ErrToken or one of the ErrPassword…; the link
// is used up only if there is none.
func (d *Directory) Redeem(ctx context.Context, token, password string) (Person, error) {
	doing := func(err error) error { return fmt.Errorf("choose a password: %w", err) }
	invitation, err := d.Invited(ctx, token)
	if err == nil && invitation.First {
		err = ErrToken
	}
	p := invitation.Person
	if err == nil {
		err = checkPassword(password, p.Name)
	}
	if err != nil {
		return Person{}, doing(err)
	}
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return Person{}, doing(err)
	}
	err = d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		if id, err := takeInvitation(ctx, tx, hashToken(token), d.now()); err != nil || id != p.ID {
			return firstOf(err, ErrToken)
		}
		return d.setPassword(ctx, tx, p.ID, hash)
	})
	if err != nil {
		return Person{}, doing(err)
	}
	p.Invited = false
	return p, nil
}

// setPassword also lets the person sign in however often somebody guessed at their name.
func (d *Directory) setPassword(ctx context.Context, tx *sql.Tx, id PersonID, hash string) error {
	p, stored, err := selectPerson(ctx, tx, "p.id", string(id))
	if err != nil {
		return err
	}
	if err := d.replacePassword(ctx, tx, p, stored, hash); err != nil {
		return err
	}
	return deleteAttemptsAt(ctx, tx, p.ID) // last, as when signing in
}

// BecomeAdmin uses the link of FirstAdmin: it makes the first admin, who sees everybody's things. The
// error may be ErrToken (also when another admin was faster), ErrName, ErrTaken or one of the
// ErrPassword….
func (d *Directory) BecomeAdmin(ctx context.Context, token, name, password string) (Person, error) {
	doing := func(err error) error { return fmt.Errorf("make the first admin: %w", err) }
	invitation, err := d.Invited(ctx, token)
	if err == nil && !invitation.First {
		err = ErrToken
	}
	if err != nil {
		return Person{}, doing(err)
	}
	p, err := d.newcomer(Newcomer{Name: name, Role: RoleAdmin, Affiliates: []knowledge.AffiliateID{knowledge.Everyone}})
	if err = errors.Join(err, checkPassword(password, name)); err != nil {
		return Person{}, doing(err)
	}
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return Person{}, doing(err)
	}
	err = d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		if id, err := takeInvitation(ctx, tx, hashToken(token), d.now()); err != nil || id != nobodyYet {
			return firstOf(err, ErrToken)
		}
		if n, err := countAdmins(ctx, tx); err != nil || n > 0 {
			return firstOf(err, ErrToken)
		}
		if err := insertPerson(ctx, tx, p, hash); err != nil {
			return err
		}
		return d.insertNote(ctx, tx, p.ID, ActionAdd, p.Name+" as the first admin")
	})
	if err != nil {
		return Person{}, doing(err)
	}
	p.Invited = false
	return p, nil
}
