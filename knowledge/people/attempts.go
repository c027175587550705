package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/limits"
)

// Guessing is slowed for each name at each address, and for each address whatever the name. So many
// passwords may be wrong before the first pause; each further one doubles it. A name alone is never
// paused: that would let anybody keep anybody out.
const (
	nameFree     = 5
	remoteFree   = 20 // an office shares an address
	pauseFirst   = 30 * time.Second
	pauseMost    = 15 * time.Minute
	guessesLast  = 24 * time.Hour       // then they are forgotten
	browserFor   = 180 * 24 * time.Hour // how long a browser is known after it was last used
	maxBrowsers  = 20                   // known ones of one person
	kindName     = "name"
	kindAddress  = "address"
	kindBrowser  = "browser"
	maxLocksSeen = 200
)

// A From is where somebody signs in.
type From struct {
	Remote  string // their address
	Browser string // a token that their browser keeps, also while nobody is signed in; "" if it keeps none
}

// A subject is what guesses are counted for.
type subject struct {
	key    string // a hash: people type passwords into the wrong field
	kind   string
	free   int64
	person PersonID // whom the guesses are at; "" for a name that nobody has
	remote string   // the address, as limits.Network has it
}

// A guess is one password on trial: what it counts for.
type guess []subject

// newGuess returns what a password for name counts for. A browser in which the person has signed in before
// counts for itself alone, and is let through whatever others guess.
func (d *Directory) newGuess(ctx context.Context, name string, from From) (guess, error) {
	p, _, err := selectPerson(ctx, d.db, "p.name_key", fold(name))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	remote := limits.Network(from.Remote)
	if from.Browser != "" && p.ID != "" {
		known, err := knownBrowser(ctx, d.db, p.ID, hashToken(from.Browser), d.now().Add(-browserFor))
		if err != nil {
			return nil, err
		}
		if known {
			return guess{{key: hashToken("browser:" + string(p.ID) + "\x00" + from.Browser), kind: kindBrowser, free: nameFree, person: p.ID, remote: remote}}, nil
		}
	}
	return guess{
		{key: hashToken("name:" + fold(name) + "\x00" + remote), kind: kindName, free: nameFree, person: p.ID, remote: remote},
		{key: hashToken("address:" + remote), kind: kindAddress, free: remoteFree, remote: remote},
	}, nil
}

// begin counts the guess as wrong before it is checked, so that a thousand at once are no way around
// the limits. The error may be a *PausedError; then nothing is counted.
func (d *Directory) begin(ctx context.Context, g guess) error {
	now := d.now()
	return d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := forgetAttempts(ctx, tx, d.db.SkipLocked, now.Add(-guessesLast)); err != nil {
			return err
		}
		for _, s := range g {
			if err := countFailure(ctx, tx, s, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func countFailure(ctx context.Context, tx *sql.Tx, s subject, now time.Time) error {
	failures, last, pausedTo, err := lockAttempts(ctx, tx, s, now)
	if err != nil {
		return err
	}
	if wait := pausedTo.Sub(now); wait > 0 {
		return &PausedError{Wait: wait}
	}
	if now.Sub(last) > guessesLast {
		failures = 0
	}
	failures++
	return updateAttempts(ctx, tx, s.key, failures, now, now.Add(pause(failures-s.free)))
}

// pause is how long to wait after so many failures too many. The last free one already pauses.
func pause(over int64) time.Duration {
	if over < 0 {
		return 0
	}
	return min(pauseFirst<<min(over, 10), pauseMost)
}

// forgive takes the guess back: it was right. The name at this address is clear; the address loses this
// guess only, for somebody's own account must not open a way to guess at others.
func forgive(ctx context.Context, tx *sql.Tx, g guess, now time.Time) error {
	for _, s := range g {
		if s.kind != kindAddress {
			if err := deleteAttempts(ctx, tx, s.key); err != nil {
				return err
			}
			continue
		}
		failures, _, pausedTo, err := lockAttempts(ctx, tx, s, now)
		if err != nil {
			return err
		}
		failures = max(failures-1, 0)
		if failures < s.free {
			pausedTo = time.Time{}
		}
		if err := updateAttempts(ctx, tx, s.key, failures, now, pausedTo); err != nil {
			return err
		}
	}
	return nil
}

// A Lock is a pause after wrong passwords.
type Lock struct {
	ID       string
	Person   string // the name of the person guessed at; "" for an address, or a name that nobody has
	Address  string // where the guesses came from
	Everyone bool   // nobody can sign in from there, whatever the name
	Browser  bool   // of one browser in which the person has signed in before
	Failures int64
	Wait     time.Duration // until it ends
}

// Locks returns the pauses in force, the last to end first, 200 at most.
func (d *Directory) Locks(ctx context.Context) ([]Lock, error) {
	list, err := selectLocks(ctx, d.db, d.now(), maxLocksSeen)
	if err != nil {
		return nil, fmt.Errorf("list locks: %w", err)
	}
	return list, nil
}

// LiftLock ends a pause. ErrNotFound: it is over.
func (d *Directory) LiftLock(ctx context.Context, by PersonID, id string) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		l, err := selectLock(ctx, tx, id, d.now())
		if err != nil {
			return err
		}
		if err := deleteAttempts(ctx, tx, id); err != nil {
			return err
		}
		return d.insertNote(ctx, tx, by, ActionUnlock, l.object())
	})
	if err != nil {
		return fmt.Errorf("lift a lock: %w", err)
	}
	return nil
}

func (l Lock) object() string {
	if l.Person == "" {
		return "from " + l.Address
	}
	return l.Person + " from " + l.Address
}
