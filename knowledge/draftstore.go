package knowledge

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"faqbot/knowledge/sqldb"
)

func insertFile(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, digest string, data []byte, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO files (affiliate, digest, data, stored_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (affiliate, digest) DO UPDATE SET stored_at = excluded.stored_at`,
		string(affiliate), digest, data, sqldb.Millis(at))
	return err
}

func selectFile(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, digest string) ([]byte, error) {
	var data []byte
	err := r.QueryRowContext(ctx, `SELECT data FROM files WHERE affiliate = $1 AND digest = $2`,
		string(affiliate), digest).Scan(&data)
	return data, notFound(err, "file")
}

func selectDrafts(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) ([]Upload, error) {
	var drafts []Upload
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		u := Upload{Affiliate: affiliate}
		var at int64
		err := rows.Scan(&u.ID, &u.Base, &u.File, &u.Digest, &u.By, &at)
		u.At = sqldb.Time(at)
		drafts = append(drafts, u)
		return err
	}, `SELECT id, base_revision, file, digest, uploaded_by, uploaded_at FROM uploads
		WHERE affiliate = $1 AND published = 0 AND NOT aside AND file <> '' ORDER BY uploaded_at DESC, id LIMIT 50`, string(affiliate))
	return drafts, err
}

func setAside(ctx context.Context, tx *sql.Tx, id UploadID, aside bool) error {
	_, err := tx.ExecContext(ctx, `UPDATE uploads SET aside = $2 WHERE id = $1`, string(id), aside)
	return err
}

// wantAgain makes a draft of an upload that was sent again: it waits anew.
func wantAgain(ctx context.Context, tx *sql.Tx, id UploadID, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE uploads SET aside = FALSE, uploaded_at = CASE WHEN published = 0 THEN $2 ELSE uploaded_at END WHERE id = $1`,
		string(id), sqldb.Millis(now))
	return err
}

func selectRevision(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) (Revision, error) {
	var revision Revision
	err := r.QueryRowContext(ctx, `SELECT revision FROM affiliates WHERE id = $1`, string(affiliate)).Scan(&revision)
	return revision, notFound(err, "affiliate "+string(affiliate))
}

// selectDifference returns what rolling back from a revision to an earlier one changes, in order.
func selectDifference(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, from, to Revision) ([]Change, error) {
	if to < 0 || to > from {
		return nil, fmt.Errorf("revision %d: %w", to, ErrNotFound)
	}
	then, err := selectEntriesAt(ctx, r, affiliate, to)
	if err != nil {
		return nil, err
	}
	live, err := selectEntriesAt(ctx, r, affiliate, from)
	if err != nil {
		return nil, err
	}
	changes := restore(then, live)
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Before.Key+a.After.Key, b.Before.Key+b.After.Key),
			cmp.Compare(a.After.Locale, b.After.Locale), cmp.Compare(a.Before.Locale, b.Before.Locale))
	})
	return changes, nil
}
