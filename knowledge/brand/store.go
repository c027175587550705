package brand

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema returns the migrations of this package's table, which need knowledge's. A brand with a logo needs media's, too.
func Schema() sqldb.Schema { return sqldb.Embedded("brand", schemaFiles) }

// ErrConflict means that somebody saved a version since the one that was edited.
var ErrConflict = errors.New("somebody else saved meanwhile")

// maxHistory is how many versions History returns.
const maxHistory = 50

// A Store keeps brands. It is safe for concurrent use.
type Store struct {
	db  *sqldb.DB
	now func() time.Time
}

// NewStore returns the brands in db, to which Schema was applied. now is the clock, time.Now outside tests.
func NewStore(db *sqldb.DB, now func() time.Time) *Store { return &Store{db, now} }

// Of returns the brand of an affiliate, the zero Brand if none was saved. It reads one row: it may be asked each turn.
func (s *Store) Of(ctx context.Context, affiliate knowledge.AffiliateID) (Brand, error) {
	saved, err := s.Latest(ctx, affiliate)
	return saved.Brand, err
}

// Latest returns the version that counts, the zero Saved if there is none.
func (s *Store) Latest(ctx context.Context, affiliate knowledge.AffiliateID) (Saved, error) {
	list, err := selectVersions(ctx, s.db, affiliate, 1)
	if err != nil || len(list) == 0 {
		return Saved{}, err
	}
	return list[0], nil
}

// History returns the last 50 versions, the newest first.
func (s *Store) History(ctx context.Context, affiliate knowledge.AffiliateID) ([]Saved, error) {
	return selectVersions(ctx, s.db, affiliate, maxHistory)
}

// Save stores the version after base, which is the one that was edited. The error may be ErrConflict.
func (s *Store) Save(ctx context.Context, affiliate knowledge.AffiliateID, b Brand, by string, base int) error {
	content, err := json.Marshal(b)
	if err == nil {
		err = s.db.InTx(ctx, func(tx *sql.Tx) error {
			list, err := selectVersions(ctx, tx, affiliate, 1)
			if err != nil {
				return err
			}
			if latest := append(list, Saved{})[0].Version; latest != base {
				return ErrConflict
			}
			done, err := tx.ExecContext(ctx, `INSERT INTO brands (affiliate, version, content, saved_by, saved_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT DO NOTHING`, string(affiliate), base+1, string(content), by, sqldb.Millis(s.now()))
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, ErrConflict)
			}
			if b.Logo == "" {
				return nil
			}
			return media.Pin(ctx, tx, b.Logo) // for good: each version may come back
		})
	}
	if err != nil {
		return fmt.Errorf("save the brand of %s: %w", affiliate, err)
	}
	return nil
}

func selectVersions(ctx context.Context, r sqldb.Reader, affiliate knowledge.AffiliateID, limit int) ([]Saved, error) {
	var list []Saved
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var v Saved
		var content string
		var at int64
		err := rows.Scan(&v.Version, &content, &v.By, &at)
		if err == nil {
			err = json.Unmarshal([]byte(content), &v.Brand)
		}
		v.At = sqldb.Time(at)
		list = append(list, v)
		return err
	}, `SELECT version, content, saved_by, saved_at FROM brands WHERE affiliate = $1 ORDER BY version DESC LIMIT $2`, string(affiliate), limit)
	if err != nil {
		return nil, fmt.Errorf("read the brand of %s: %w", affiliate, err)
	}
	return list, nil
}
