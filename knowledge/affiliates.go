package knowledge

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge/sqldb"
)

var (
	// ErrTaken means that there is an affiliate of that name.
	ErrTaken = errors.New("there is an affiliate of that name")
	// ErrArchived means that the affiliate is archived: nothing of it answers, and nothing can be published.
	ErrArchived = errors.New("the affiliate is archived; restore it first")
)

// An Affiliate is one as lists show it. Its ID never changes; its label may.
type Affiliate struct {
	ID         AffiliateID
	Label      string // "" if it is called by its ID
	Revision   Revision
	CreatedAt  time.Time
	ArchivedAt time.Time // zero while it is in use
}

// Name is what people call the affiliate.
func (a Affiliate) Name() string { return cmp.Or(a.Label, string(a.ID)) }

// Archived reports whether nothing of the affiliate answers any more.
func (a Affiliate) Archived() bool { return !a.ArchivedAt.IsZero() }

// AllAffiliates returns the affiliates with those archived, by ID.
func (c *Corpus) AllAffiliates(ctx context.Context) ([]Affiliate, error) {
	var list []Affiliate
	err := sqldb.Each(ctx, c.db, func(rows *sql.Rows) error {
		var a Affiliate
		var created, archived int64
		err := rows.Scan(&a.ID, &a.Label, &a.Revision, &created, &archived)
		a.CreatedAt, a.ArchivedAt = sqldb.Time(created), sqldb.Time(archived)
		list = append(list, a)
		return err
	}, `SELECT id, label, revision, created_at, archived_at FROM affiliates`)
	if err != nil {
		return nil, fmt.Errorf("list affiliates: %w", err)
	}
	slices.SortFunc(list, func(a, b Affiliate) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Affiliate returns one affiliate, archived or not, or ErrNotFound.
func (c *Corpus) Affiliate(ctx context.Context, id AffiliateID) (Affiliate, error) {
	a := Affiliate{ID: id}
	var created, archived int64
	err := c.db.QueryRowContext(ctx, `SELECT label, revision, created_at, archived_at FROM affiliates WHERE id = $1`, string(id)).Scan(&a.Label, &a.Revision, &created, &archived)
	if err = notFound(err, "affiliate "+string(id)); err != nil {
		return Affiliate{}, fmt.Errorf("read an affiliate: %w", err)
	}
	a.CreatedAt, a.ArchivedAt = sqldb.Time(created), sqldb.Time(archived)
	return a, nil
}

// Named returns the affiliates in use, by ID, to choose from.
func (c *Corpus) Named(ctx context.Context) ([]Affiliate, error) {
	list, err := c.AllAffiliates(ctx)
	return slices.DeleteFunc(list, Affiliate.Archived), err
}

// AddAffiliate makes an affiliate. The error may be ErrName, or ErrTaken for one that differs in letter case alone, too.
func (c *Corpus) AddAffiliate(ctx context.Context, id AffiliateID) error {
	if err := checkName(string(id)); err != nil {
		return err
	}
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		list, err := selectAllAffiliates(ctx, tx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(a AffiliateID) bool { return strings.EqualFold(string(a), string(id)) }) {
			return ErrTaken
		}
		return insertAffiliate(ctx, tx, id, c.now())
	})
	if err != nil {
		return fmt.Errorf("make affiliate %s: %w", id, err)
	}
	return nil
}

// RenameAffiliate changes what people call an affiliate; "" is its ID. Its ID, which stands in settings and addresses,
// stays. The error may be ErrName or ErrNotFound.
func (c *Corpus) RenameAffiliate(ctx context.Context, id AffiliateID, label string) error {
	if label != "" {
		if err := checkName(label); err != nil {
			return err
		}
	}
	if label == string(id) {
		label = ""
	}
	return c.changeAffiliate(ctx, "rename", id, `UPDATE affiliates SET label = $2 WHERE id = $1`, label)
}

// ArchiveAffiliate has nothing of an affiliate answer any more, or again. Nothing is deleted.
func (c *Corpus) ArchiveAffiliate(ctx context.Context, id AffiliateID, archived bool) error {
	at := int64(0)
	if archived {
		at = c.now().UnixMilli()
	}
	return c.changeAffiliate(ctx, "archive", id, `UPDATE affiliates SET archived_at = $2 WHERE id = $1`, at)
}

func (c *Corpus) changeAffiliate(ctx context.Context, doing string, id AffiliateID, query string, value any) error {
	n, err := c.db.Change(ctx, query, string(id), value)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("%s affiliate %s: %w", doing, id, err)
	}
	return nil
}
