package knowledge

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faqbot/knowledge/sqldb"
)

func insertAffiliate(ctx context.Context, tx *sql.Tx, id AffiliateID, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO affiliates (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		string(id), sqldb.Millis(at)); err != nil {
		return err
	}
	var archived bool
	if err := tx.QueryRowContext(ctx, `SELECT archived_at > 0 FROM affiliates WHERE id = $1`, string(id)).Scan(&archived); err != nil {
		return err
	}
	if archived {
		return ErrArchived
	}
	return nil
}

// selectAffiliates reads those in use, selectAllAffiliates also those archived.
func selectAffiliates(ctx context.Context, r sqldb.Reader) ([]AffiliateID, error) {
	return selectAffiliateIDs(ctx, r, `SELECT id FROM affiliates WHERE archived_at = 0`)
}

func selectAllAffiliates(ctx context.Context, r sqldb.Reader) ([]AffiliateID, error) {
	return selectAffiliateIDs(ctx, r, `SELECT id FROM affiliates`)
}

func selectAffiliateIDs(ctx context.Context, r sqldb.Reader, query string) ([]AffiliateID, error) {
	var ids []AffiliateID
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var id AffiliateID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, query)
	slices.Sort(ids) // here, because databases differ in their collations
	return ids, err
}

func selectRevisions(ctx context.Context, r sqldb.Reader) (map[AffiliateID]Revision, error) {
	revisions := make(map[AffiliateID]Revision)
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var id AffiliateID
		var revision Revision
		err := rows.Scan(&id, &revision)
		revisions[id] = revision
		return err
	}, `SELECT id, revision FROM affiliates WHERE archived_at = 0`)
	return revisions, err
}

// lockAffiliate makes everyone else who wants to change the affiliate wait for tx to end, and
// returns its revision. The update of nothing is the lock both databases know.
func lockAffiliate(ctx context.Context, tx *sql.Tx, id AffiliateID) (Revision, error) {
	var revision Revision
	err := tx.QueryRowContext(ctx, `UPDATE affiliates SET revision = revision WHERE id = $1 RETURNING revision`,
		string(id)).Scan(&revision)
	return revision, notFound(err, "affiliate "+string(id))
}

// entryColumns is what scanEntry reads, of entries e and versions v. It stands a left join that
// found nothing.
const entryColumns = `COALESCE(e.id, ''), COALESCE(e.affiliate, ''), COALESCE(e.key, ''), COALESCE(e.locale, ''),
	COALESCE(v.question, ''), COALESCE(v.variants, ''), COALESCE(v.answer, ''), COALESCE(v.topic, ''),
	COALESCE(v.valid_from, 0), COALESCE(v.valid_to, 0), COALESCE(v.from_revision, 0), COALESCE(v.media, ''),
	COALESCE(v.source, ''), COALESCE(v.edited_by, ''), COALESCE(v.edited_at, 0), COALESCE(v.follow_ups, ''), COALESCE(v.slug, '')`

// scanEntry reads a row of entryColumns after the columns that go to before.
func scanEntry(scan func(dest ...any) error, before ...any) (Entry, error) {
	var e Entry
	var variants, media, followUps string
	var from, to, edited int64
	err := scan(append(before, &e.ID, &e.Affiliate, &e.Key, &e.Locale, &e.Question, &variants, &e.Answer, &e.Topic,
		&from, &to, &e.Revision, &media, &e.Source, &e.EditedBy, &edited, &followUps, &e.Slug)...)
	if err != nil {
		return Entry{}, err
	}
	e.From, e.To, e.EditedAt = sqldb.Time(from), sqldb.Time(to), sqldb.Time(edited)
	if variants != "" && variants != "[]" {
		err = json.Unmarshal([]byte(variants), &e.Variants)
	}
	if media != "" && err == nil {
		err = json.Unmarshal([]byte(media), &e.Media)
	}
	if followUps != "" && err == nil {
		err = json.Unmarshal([]byte(followUps), &e.FollowUps)
	}
	return e, err
}

// selectPublished is one statement, for one statement sees one moment on either database.
func selectPublished(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) ([]Entry, Revision, error) {
	entries, revision := []Entry{}, Revision(-1)
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		e, err := scanEntry(rows.Scan, &revision)
		if e.ID != "" {
			entries = append(entries, e)
		}
		return err
	}, `SELECT a.revision, `+entryColumns+` FROM affiliates a
		LEFT JOIN versions v ON v.affiliate = a.id AND v.until_revision = 0
		LEFT JOIN entries e ON e.id = v.entry_id
		WHERE a.id = $1`, string(affiliate))
	if err == nil && revision < 0 {
		err = fmt.Errorf("affiliate %s: %w", affiliate, ErrNotFound)
	}
	sortByID(entries)
	return entries, revision, err
}

func selectEntriesAt(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, at Revision) ([]Entry, error) {
	var entries []Entry
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		e, err := scanEntry(rows.Scan)
		entries = append(entries, e)
		return err
	}, `SELECT `+entryColumns+` FROM versions v JOIN entries e ON e.id = v.entry_id
		WHERE v.affiliate = $1 AND v.from_revision <= $2 AND (v.until_revision = 0 OR v.until_revision > $2)`,
		string(affiliate), int64(at))
	sortByID(entries)
	return entries, err
}

func sortByID(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
}

func selectEntry(ctx context.Context, r sqldb.Reader, id EntryID) (Entry, error) {
	row := r.QueryRowContext(ctx, `SELECT `+entryColumns+` FROM entries e
		JOIN versions v ON v.entry_id = e.id AND v.until_revision = 0 WHERE e.id = $1`, string(id))
	e, err := scanEntry(row.Scan)
	return e, notFound(err, "entry")
}

func selectIdentities(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) (map[address]EntryID, error) {
	ids := make(map[address]EntryID)
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var id EntryID
		var a address
		err := rows.Scan(&id, &a.key, &a.locale)
		ids[a] = id
		return err
	}, `SELECT id, key, locale FROM entries WHERE affiliate = $1`, string(affiliate))
	return ids, err
}

func insertIdentities(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, entries []Entry) error {
	return insertRows(ctx, tx, `INSERT INTO entries (id, affiliate, key, locale) VALUES `, ` ON CONFLICT (id) DO NOTHING`,
		len(entries), func(i int) ([]any, error) {
			e := entries[i]
			return []any{string(e.ID), string(affiliate), e.Key, e.Locale}, nil
		})
}

func insertVersions(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, entries []Entry, from Revision) error {
	return insertRows(ctx, tx, `INSERT INTO versions (entry_id, affiliate, from_revision, question, variants, answer,
		topic, valid_from, valid_to, media, source, edited_by, edited_at, follow_ups, slug) VALUES `, ``, len(entries), func(i int) ([]any, error) {
		e := entries[i]
		variants, err := json.Marshal(append([]string{}, e.Variants...)) // never null
		media, followUps := "", ""
		if len(e.Media) > 0 && err == nil {
			var list []byte
			list, err = json.Marshal(e.Media)
			media = string(list)
		}
		if len(e.FollowUps) > 0 && err == nil {
			var list []byte
			list, err = json.Marshal(e.FollowUps)
			followUps = string(list)
		}
		return []any{string(e.ID), string(affiliate), int64(from), e.Question, string(variants), e.Answer,
			e.Topic, sqldb.Millis(e.From), sqldb.Millis(e.To), media, e.Source, e.EditedBy, sqldb.Millis(e.EditedAt), followUps, e.Slug}, err
	})
}

// endVersions ends the live versions of entries with revision.
func endVersions(ctx context.Context, tx *sql.Tx, ids []EntryID, revision Revision) error {
	for chunk := range slices.Chunk(ids, chunkRows) {
		args := []any{int64(revision)}
		for _, id := range chunk {
			args = append(args, string(id))
		}
		_, err := tx.ExecContext(ctx, `UPDATE versions SET until_revision = $1 WHERE until_revision = 0 AND entry_id IN `+
			tuple(2, len(chunk)), args...)
		if err != nil {
			return fmt.Errorf("end versions: %w", err)
		}
	}
	return nil
}

func insertPublish(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, p Publish) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO publishes (affiliate, revision, published_by, published_at, upload_id, file,
		added, edited, retired, roll_back, to_revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		string(affiliate), int64(p.Revision), p.By, sqldb.Millis(p.At), string(p.Upload), p.File,
		p.Added, p.Edited, p.Retired, p.RollBack, int64(p.To))
	if err != nil {
		return fmt.Errorf("record publish: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE affiliates SET revision = $2 WHERE id = $1`, string(affiliate), int64(p.Revision))
	return err
}

func selectPublishes(ctx context.Context, r sqldb.Reader, affiliate AffiliateID) ([]Publish, error) {
	var publishes []Publish
	err := sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var p Publish
		var at int64
		err := rows.Scan(&p.Revision, &p.By, &at, &p.Upload, &p.File, &p.Added, &p.Edited, &p.Retired, &p.RollBack, &p.To)
		p.At = sqldb.Time(at)
		publishes = append(publishes, p)
		return err
	}, `SELECT revision, published_by, published_at, upload_id, file, added, edited, retired, roll_back, to_revision
		FROM publishes WHERE affiliate = $1 ORDER BY revision DESC`, string(affiliate))
	return publishes, err
}

// chunkRows bounds the rows of one statement. SQLite looks each parameter up by its name among all of
// the statement's, so that statements of hundreds of rows are slower than many of tens.
const chunkRows = 50

// insertRows inserts n rows of equal width, many to a statement: head, "($1, $2), ($3, $4)…", tail.
func insertRows(ctx context.Context, tx *sql.Tx, head, tail string, n int, row func(i int) ([]any, error)) error {
	for start := 0; start < n; start += chunkRows {
		var query strings.Builder
		query.WriteString(head)
		var args []any
		for i := start; i < min(start+chunkRows, n); i++ {
			values, err := row(i)
			if err != nil {
				return err
			}
			if i > start {
				query.WriteString(", ")
			}
			query.WriteString(tuple(len(args)+1, len(values)))
			args = append(args, values...)
		}
		query.WriteString(tail)
		if _, err := tx.ExecContext(ctx, query.String(), args...); err != nil {
			return fmt.Errorf("insert rows: %w", err)
		}
	}
	return nil
}

// tuple returns "($3, $4)" for first 3 and n 2.
func tuple(first, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(", $")
		fmt.Fprint(&b, first+i)
	}
	return "(" + b.String()[2:] + ")"
}

// notFound turns the absence of a row into ErrNotFound.
func notFound(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return err
}
