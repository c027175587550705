package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"faqbot/knowledge"
)

// keyPrefix lets scanners of leaked secrets know ours.
const keyPrefix = "faqbot_"

// An APIKey lets a program ask in one affiliate's name. The key itself is shown once and not kept.
type APIKey struct {
	ID        string
	Affiliate knowledge.AffiliateID
	Label     string // what it is for, in its maker's words
	CreatedBy PersonID
	CreatedAt time.Time
	UsedAt    time.Time // to the hour; zero: never
	RevokedAt time.Time // zero: it works
}

// AddKey makes an API key for one affiliate. The error may be ErrAffiliate or ErrName, of the label.
func (d *Directory) AddKey(ctx context.Context, by PersonID, affiliate knowledge.AffiliateID, label string) (key string, k APIKey, err error) {
	list, err := cleanAffiliates([]knowledge.AffiliateID{affiliate})
	if err == nil && list[0] == knowledge.Everyone {
		err = ErrAffiliate
	}
	if label = strings.TrimSpace(label); err == nil && utf8.RuneCountInString(label) > 0 {
		err = checkName(label)
	}
	key, _ = newToken()
	key = keyPrefix + key
	k = APIKey{ID: rand.Text(), Affiliate: affiliate, Label: label, CreatedBy: by, CreatedAt: d.now().UTC().Truncate(time.Millisecond)}
	if err == nil {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error {
			if err := insertKey(ctx, tx, k, hashToken(key)); err != nil {
				return err
			}
			return d.insertNote(ctx, tx, by, ActionKey, keyObject(k))
		})
	}
	if err != nil {
		return "", APIKey{}, fmt.Errorf("make an API key for %.80q: %w", affiliate, err)
	}
	return key, k, nil
}

func keyObject(k APIKey) string { return strings.TrimSpace(string(k.Affiliate) + " " + k.Label) }

// Keys returns all API keys, also the revoked, the newest first.
func (d *Directory) Keys(ctx context.Context) ([]APIKey, error) {
	list, err := selectKeys(ctx, d.db)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return list, nil
}

// RevokeKey makes the key of that ID useless, at once. ErrNotFound: none that works has it.
func (d *Directory) RevokeKey(ctx context.Context, by PersonID, id string) error {
	err := d.db.InTx(ctx, func(tx *sql.Tx) error {
		k, err := revokeKey(ctx, tx, id, d.now())
		if err != nil {
			return err
		}
		return d.insertNote(ctx, tx, by, ActionRevoke, keyObject(k))
	})
	if err != nil {
		return fmt.Errorf("revoke API key %.40q: %w", id, err)
	}
	return nil
}

// Key returns in whose name the key speaks, or ErrKey.
func (d *Directory) Key(ctx context.Context, key string) (knowledge.AffiliateID, error) {
	now := d.now()
	k, err := selectKey(ctx, d.db, hashToken(key))
	if err == nil && now.Sub(k.UsedAt) >= seenEvery {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error { return touchKey(ctx, tx, k.ID, now) })
	}
	if errors.Is(err, ErrNotFound) {
		return "", ErrKey
	}
	if err != nil {
		return "", fmt.Errorf("read an API key: %w", err)
	}
	return k.Affiliate, nil
}
