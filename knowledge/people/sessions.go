package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/limits"
)

const (
	sessionLasts = 14 * 24 * time.Hour // after it was last seen
	seenEvery    = time.Hour           // how exactly that is kept: a page view seldom writes
)

// A Session is one browser that is signed in.
type Session struct {
	ID        string // names it on pages; it is not the token
	Remote    string // the address it came from at first
	CreatedAt time.Time
	SeenAt    time.Time // to the hour

	hash string
}

// Is reports whether the token is this session's.
func (s Session) Is(token string) bool { return s.hash == hashToken(token) }

// SignIn begins a session and returns its token, which is kept nowhere else, and remembers the browser. The error may be ErrSignIn, which does not say whether the name or the password is wrong,
// or a *PausedError. It takes as long for a name that nobody has.
func (d *Directory) SignIn(ctx context.Context, name, password string, from From) (token string, err error) {
	g, err := d.newGuess(ctx, name, from)
	if err == nil {
		err = d.begin(ctx, g)
	}
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	p, stored, err := d.verify(ctx, "p.name_key", fold(name), password)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	renewed := stored
	if outdated(stored) {
		if renewed, err = d.hasher.hash(ctx, password); err != nil {
			return "", fmt.Errorf("sign in: %w", err)
		}
	}
	err = d.db.InTx(ctx, func(tx *sql.Tx) error {
		// Locks the person, and finds out whether the password was changed meanwhile.
		if err := updatePassword(ctx, tx, p.ID, stored, renewed); err != nil {
			return firstKnown(err, ErrNotFound, ErrSignIn)
		}
		if token, err = d.beginSession(ctx, tx, p.ID, from); err != nil {
			return err
		}
		if err := deleteExpired(ctx, tx, d.db.SkipLocked, d.now()); err != nil {
			return err
		}
		if err := d.insertNote(ctx, tx, p.ID, ActionSignIn, limits.Network(from.Remote)); err != nil {
			return err
		}
		return forgive(ctx, tx, g, d.now())
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return token, nil
}

// verify returns the person if the password is theirs, else ErrSignIn.
func (d *Directory) verify(ctx context.Context, column, value, password string) (Person, string, error) {
	p, stored, err := selectPerson(ctx, d.db, column, value)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Person{}, "", err
	}
	if p.Disabled || len(password) > 4*passwordMost {
		stored = ""
	}
	ok, err := d.hasher.matches(ctx, password, stored)
	if err == nil && !ok {
		err = ErrSignIn
	}
	return p, stored, err
}

func (d *Directory) beginSession(ctx context.Context, tx *sql.Tx, id PersonID, from From) (token string, err error) {
	token, hash := newToken()
	now := d.now()
	if from.Browser != "" {
		if err := rememberBrowser(ctx, tx, id, hashToken(from.Browser), now); err != nil {
			return "", err
		}
	}
	return token, insertSession(ctx, tx, Session{ID: rand.Text(), Remote: from.Remote, CreatedAt: now, SeenAt: now}, id, hash)
}

// ChangePassword replaces a person's own password, ends all their sessions and begins a new one. The
// error may be ErrSignIn (the old one is wrong), a *PausedError, or one of the ErrPassword….
func (d *Directory) ChangePassword(ctx context.Context, id PersonID, old, password string, from From) (token string, err error) {
	doing := func(err error) error { return fmt.Errorf("change the password of %s: %w", id, err) }
	p, err := d.Get(ctx, id)
	if err == nil {
		err = checkPassword(password, p.Name)
	}
	var g guess
	if err == nil {
		g, err = d.newGuess(ctx, p.Name, from)
	}
	if err == nil {
		err = d.begin(ctx, g)
	}
	if err != nil {
		return "", doing(err)
	}
	_, stored, err := d.verify(ctx, "p.id", string(id), old)
	if err != nil {
		return "", doing(err)
	}
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return "", doing(err)
	}
	err = d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		if err := d.replacePassword(ctx, tx, p, stored, hash); err != nil {
			return firstKnown(err, ErrNotFound, ErrSignIn)
		}
		if token, err = d.beginSession(ctx, tx, id, from); err != nil {
			return err
		}
		return forgive(ctx, tx, g, d.now())
	})
	if err != nil {
		return "", doing(err)
	}
	return token, nil
}

// replacePassword also ends what the old one opened: sessions, known browsers, and a link sent before.
func (d *Directory) replacePassword(ctx context.Context, tx *sql.Tx, p Person, was, hash string) error {
	if err := updatePassword(ctx, tx, p.ID, was, hash); err != nil {
		return err
	}
	if err := deleteSessions(ctx, tx, p.ID); err != nil {
		return err
	}
	if err := deleteBrowsers(ctx, tx, p.ID); err != nil {
		return err
	}
	if err := deleteInvitation(ctx, tx, p.ID); err != nil {
		return err
	}
	return d.insertNote(ctx, tx, p.ID, ActionPassword, p.Name)
}

// Who returns the person whose session the token is, and false if it is nobody's: unknown, ended,
// expired, or of somebody disabled. It asks the database each time, so what is revoked is so at once.
func (d *Directory) Who(ctx context.Context, token string) (Person, bool, error) {
	if token == "" {
		return Person{}, false, nil
	}
	now, hash := d.now(), hashToken(token)
	p, seen, err := selectSession(ctx, d.db, hash, now)
	if errors.Is(err, ErrNotFound) {
		return Person{}, false, nil
	}
	if err == nil && now.Sub(seen) >= seenEvery {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error { return touchSession(ctx, tx, hash, now) })
	}
	if err != nil {
		return Person{}, false, fmt.Errorf("read a session: %w", err)
	}
	return p, true, nil
}

// SignOut ends the session. One that has ended is no error.
func (d *Directory) SignOut(ctx context.Context, token string) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		id, err := deleteSessionByToken(ctx, tx, hashToken(token))
		if err != nil {
			return err
		}
		return d.insertNote(ctx, tx, id, ActionSignOut, "")
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// Sessions returns a person's sessions, the last seen first.
func (d *Directory) Sessions(ctx context.Context, id PersonID) ([]Session, error) {
	list, err := selectSessions(ctx, d.db, id, d.now())
	if err != nil {
		return nil, fmt.Errorf("list sessions of %s: %w", id, err)
	}
	return list, nil
}

// EndSession ends one of the person's own sessions, by its ID. ErrNotFound: they have none of that ID.
func (d *Directory) EndSession(ctx context.Context, id PersonID, session string) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := deleteSession(ctx, tx, id, session); err != nil {
			return err
		}
		return d.insertNote(ctx, tx, id, ActionSignOut, "another session")
	})
	if err != nil {
		return fmt.Errorf("end a session of %s: %w", id, err)
	}
	return nil
}

// EndOtherSessions ends all of the person's own sessions but the one that the token is of.
func (d *Directory) EndOtherSessions(ctx context.Context, id PersonID, token string) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := deleteOtherSessions(ctx, tx, id, hashToken(token)); err != nil {
			return err
		}
		return d.insertNote(ctx, tx, id, ActionSignOut, "all other sessions")
	})
	if err != nil {
		return fmt.Errorf("end other sessions of %s: %w", id, err)
	}
	return nil
}

// firstKnown is as where err is is, else err.
func firstKnown(err, is, as error) error {
	if errors.Is(err, is) {
		return as
	}
	return err
}
