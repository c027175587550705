package knowledge

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/sqldb"
)

// Slugify writes a text as a part of an address: "¿Cómo cobro?" is "como-cobro". Scripts without letter case stay.
func Slugify(text string) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range norm.NFD.String(text) {
		switch {
		case r >= 0x300 && r <= 0x36F, r == '\'', r == '’': // accents, and marks inside of words
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			gap = n > 0
		case gap && n+2 > limits.MaxSlug, n+1 > limits.MaxSlug:
			return norm.NFC.String(b.String())
		default:
			if gap {
				b.WriteByte('-')
				n, gap = n+1, false
			}
			b.WriteRune(unicode.ToLower(r))
			n++
		}
	}
	return norm.NFC.String(b.String())
}

// assignSlugs gives entries that are published the slugs they ask for, else the ones they had, else one of their
// question's. A slug that another entry has or had gets a number. Entries that were published before slugs were kept
// get theirs, too.
func assignSlugs(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, entries []Entry) error {
	owner, err := selectSlugs(ctx, tx, affiliate)
	if err != nil {
		return err
	}
	var taken []Entry // with slugs that nobody had
	assign := func(e *Entry) {
		want := Slugify(e.Slug)
		if want == "" {
			want = Slugify(e.Question)
		}
		if want == "" {
			want = "entry"
		}
		for n, base := 2, want; owner[want] != "" && owner[want] != e.ID; n++ {
			want = fmt.Sprintf("%s-%d", base, n)
		}
		if e.Slug = want; owner[want] == "" {
			owner[want] = e.ID
			taken = append(taken, *e)
		}
	}
	for i := range entries {
		assign(&entries[i])
	}
	old, err := selectWithoutSlug(ctx, tx, affiliate)
	if err != nil {
		return err
	}
	for i := range old {
		assign(&old[i])
		if _, err := tx.ExecContext(ctx, `UPDATE versions SET slug = $1 WHERE entry_id = $2 AND until_revision = 0`, old[i].Slug, string(old[i].ID)); err != nil {
			return fmt.Errorf("give a slug: %w", err)
		}
	}
	return insertRows(ctx, tx, `INSERT INTO slugs (affiliate, slug, entry_id) VALUES `, ``, len(taken), func(i int) ([]any, error) {
		return []any{string(affiliate), taken[i].Slug, string(taken[i].ID)}, nil
	})
}

// SlugOwner returns the entry that has or had a slug, published or not. ErrNotFound: none ever had.
func (c *Corpus) SlugOwner(ctx context.Context, affiliate AffiliateID, slug string) (EntryID, error) {
	var id EntryID
	err := c.db.QueryRowContext(ctx, `SELECT entry_id FROM slugs WHERE affiliate = $1 AND slug = $2`, string(affiliate), slug).Scan(&id)
	if err = notFound(err, "slug"); err != nil {
		return "", fmt.Errorf("find whose slug it is: %w", err)
	}
	return id, nil
}

func selectSlugs(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) (map[string]EntryID, error) {
	owner := map[string]EntryID{}
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var slug string
		var id EntryID
		err := rows.Scan(&slug, &id)
		owner[slug] = id
		return err
	}, `SELECT slug, entry_id FROM slugs WHERE affiliate = $1`, string(affiliate))
	return owner, err
}

// selectWithoutSlug returns the questions of entries that stay published and have no slug yet.
func selectWithoutSlug(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) (list []Entry, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var e Entry
		err := rows.Scan(&e.ID, &e.Question)
		list = append(list, e)
		return err
	}, `SELECT entry_id, question FROM versions WHERE affiliate = $1 AND until_revision = 0 AND slug = '' ORDER BY entry_id`, string(affiliate))
	return list, err
}
