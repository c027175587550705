package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge/mail"
)

// ErrEmail means that something is no e-mail address.
var ErrEmail = errors.New("this is not an e-mail address")

// cleanEmail is an address without spaces around it; "" is none.
func cleanEmail(address string) (string, error) {
	address = strings.TrimSpace(address)
	if address == "" {
		return "", nil
	}
	if !mail.IsAddress(address) {
		return "", ErrEmail
	}
	return address, nil
}

// SetEmail says where links and notices go; "" is nowhere. The error may be ErrNotFound or ErrEmail.
func (d *Directory) SetEmail(ctx context.Context, by, id PersonID, email string) error {
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	return d.change(ctx, by, id, ActionEmail, func(tx *sql.Tx, p *Person) (string, error) {
		p.Email = email
		p.Notify = p.Notify && email != ""
		return p.Name, updatePerson(ctx, tx, *p)
	})
}

// SetOwnEmail is SetEmail by the person, who proves by their password that nobody else sits at their browser: who has
// the mailbox can choose a new password. The error may also be ErrSignIn or a *PausedError.
func (d *Directory) SetOwnEmail(ctx context.Context, id PersonID, email, password string, from From) error {
	p, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	if _, err := cleanEmail(email); err != nil {
		return err
	}
	g, err := d.newGuess(ctx, p.Name, from)
	if err == nil {
		err = d.begin(ctx, g)
	}
	if err == nil {
		_, _, err = d.verify(ctx, "p.id", string(id), password)
	}
	if err == nil {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error { return forgive(ctx, tx, g, d.now()) })
	}
	if err != nil {
		return fmt.Errorf("change the address of %s: %w", id, err)
	}
	return d.SetEmail(ctx, id, id, email)
}

// SetNotify says whether a person is told by e-mail of tickets that wait. Without an address it is ErrEmail.
func (d *Directory) SetNotify(ctx context.Context, id PersonID, notify bool) error {
	return d.change(ctx, id, id, ActionEmail, func(tx *sql.Tx, p *Person) (string, error) {
		if notify && p.Email == "" {
			return "", ErrEmail
		}
		p.Notify = notify
		return p.Name, updatePerson(ctx, tx, *p)
	})
}

// Reachable are the people of a sign-in name or an e-mail address to whom a link can be mailed: several may share one
// address.
func (d *Directory) Reachable(ctx context.Context, nameOrEmail string) ([]Person, error) {
	list, err := d.List(ctx)
	key := fold(nameOrEmail)
	return slices.DeleteFunc(list, func(p Person) bool {
		return p.Disabled || p.Email == "" || key == "" || fold(p.Name) != key && fold(p.Email) != key
	}), err
}
