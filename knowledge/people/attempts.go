package people

import (
	"context"
	"database/sql"
	"time"

	"faqbot/knowledge/limits"
)

// Guessing is slowed for each name, whoever guesses, and for each address, whatever the name. So many
// passwords may be wrong before the first pause; each further one doubles it.
const (
	nameFree    = 5
	remoteFree  = 20 // an office shares an address
	pauseFirst  = 30 * time.Second
	pauseMost   = 15 * time.Minute
	guessesLast = 24 * time.Hour // then they are forgotten
)

// A guess is one password on trial.
type guess struct{ name, remote string } // hashes

func newGuess(name, remote string) guess {
	return guess{name: hashToken("name:" + fold(name)), remote: hashToken("remote:" + limits.Network(remote))}
}

// begin counts the guess as wrong before it is checked, so that a thousand at once are no way around
// the limits. The error may be a *PausedError; then nothing is counted.
func (d *Directory) begin(ctx context.Context, g guess) error {
	now := d.now()
	return d.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := forgetAttempts(ctx, tx, d.db.SkipLocked, now.Add(-guessesLast)); err != nil {
			return err
		}
		if err := countFailure(ctx, tx, g.name, nameFree, now); err != nil {
			return err
		}
		return countFailure(ctx, tx, g.remote, remoteFree, now)
	})
}

func countFailure(ctx context.Context, tx *sql.Tx, subject string, free int64, now time.Time) error {
	failures, last, pausedTo, err := lockAttempts(ctx, tx, subject, now)
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
	return updateAttempts(ctx, tx, subject, failures, now, now.Add(pause(failures-free)))
}

// pause is how long to wait after so many failures too many. The last free one already pauses.
func pause(over int64) time.Duration {
	if over < 0 {
		return 0
	}
	return min(pauseFirst<<min(over, 10), pauseMost)
}

// forgive takes the guess back: it was right. The name is clear; the address loses this one only,
// for somebody's own account must not open a way to guess at others.
func forgive(ctx context.Context, tx *sql.Tx, g guess, now time.Time) error {
	if err := deleteAttempts(ctx, tx, g.name); err != nil {
		return err
	}
	failures, _, pausedTo, err := lockAttempts(ctx, tx, g.remote, now)
	if err != nil {
		return err
	}
	failures = max(failures-1, 0)
	if failures < remoteFree {
		pausedTo = time.Time{}
	}
	return updateAttempts(ctx, tx, g.remote, failures, now, pausedTo)
}
