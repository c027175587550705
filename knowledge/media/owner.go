package media

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/limits"
)

// An Owner is who a file counts against. What is "" does not count.
type Owner struct {
	Visitor   string // the customer who sent it, with channel and account
	Address   string // the network address it came from
	Account   string // the account on a channel that it was sent to
	Affiliate string
}

// ErrQuota is that an owner has too many files already.
var ErrQuota = errors.New("too many files")

// A QuotaError says whose quota is used up. It is an ErrQuota.
type QuotaError struct {
	Of  string // "visitor", "address", "account" or "affiliate"
	Max string // the bound, in words
	Day bool   // tomorrow there is room again
}

func (e *QuotaError) Error() string {
	after := "remove some that are not needed, or ask the operator"
	if e.Day {
		after = "send more tomorrow"
	}
	return fmt.Sprintf("%s: %s for one %s; %s", ErrQuota, e.Max, e.Of, after)
}

func (e *QuotaError) Unwrap() error { return ErrQuota }

// own counts b against its owner, or returns a *QuotaError.
func own(ctx context.Context, tx *sql.Tx, o Owner, b Blob, now time.Time) error {
	for _, part := range []struct {
		of, name string
		max      limits.Files
	}{
		{"visitor", o.Visitor, limits.MaxVisitorFiles()},
		{"address", o.Address, limits.MaxAddressFiles()},
		{"account", o.Account, limits.MaxAccountFiles()},
		{"affiliate", o.Affiliate, limits.MaxAffiliateFiles()},
	} {
		if part.name == "" {
			continue
		}
		if err := ownAs(ctx, tx, part.of, part.name, part.max, b, now); err != nil {
			return err
		}
	}
	return nil
}

func ownAs(ctx context.Context, tx *sql.Tx, of, name string, most limits.Files, b Blob, now time.Time) error {
	sum := sha256.Sum256([]byte(of + "\x00" + name))
	owner := hex.EncodeToString(sum[:16])
	if _, err := tx.ExecContext(ctx, `INSERT INTO blob_owners (owner, blob, size, put_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (owner, blob) DO UPDATE SET put_at = excluded.put_at`, owner, b.ID, b.Size, now.UnixMilli()); err != nil {
		return err
	}
	var dayFiles, dayBytes, allBytes int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN put_at > $2 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN put_at > $2 THEN size ELSE 0 END), 0), COALESCE(SUM(size), 0) FROM blob_owners WHERE owner = $1`,
		owner, now.Add(-24*time.Hour).UnixMilli()).Scan(&dayFiles, &dayBytes, &allBytes)
	switch {
	case err != nil:
		return err
	case dayFiles > most.DayFiles:
		return &QuotaError{Of: of, Max: fmt.Sprintf("at most %d files are kept in 24 hours", most.DayFiles), Day: true}
	case dayBytes > most.DayBytes:
		return &QuotaError{Of: of, Max: fmt.Sprintf("at most %d MB are kept in 24 hours", most.DayBytes>>20), Day: true}
	case allBytes > most.AllBytes:
		return &QuotaError{Of: of, Max: fmt.Sprintf("at most %d MB are kept in all", most.AllBytes>>20)}
	}
	return nil
}
