package knowledge

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// ErrUploads is that an affiliate has sent too many files of entries.
var ErrUploads = errors.New("too many uploads")

// Sweep removes what nothing refers to any more: uploads that were not published within
// limits.DraftsFor, and the files sent with them. It returns how many rows that were.
func (c *Corpus) Sweep(ctx context.Context) (removed int64, err error) {
	if err := c.keepDrafted(ctx); err != nil {
		return 0, err
	}
	then := sqldb.Millis(c.now().Add(-limits.DraftsFor))
	for _, query := range []string{
		`DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE published = 0 AND uploaded_at < $1 LIMIT 50)`,
		// An upload that is still there needs its file, for reading it again.
		`DELETE FROM files WHERE stored_at < $1 AND NOT EXISTS
			(SELECT 1 FROM uploads u WHERE u.affiliate = files.affiliate AND u.digest = files.digest)`,
		`DELETE FROM entry_files WHERE NOT published AND sent_at < $1`,
	} {
		for again := true; again; {
			n, err := c.db.Change(ctx, query, then)
			if removed += n; err != nil {
				return removed, fmt.Errorf("sweep uploads: %w", err)
			}
			again = n > 0
		}
	}
	return removed, nil
}

// keepDrafted keeps the files of edits, which wait for as long as somebody likes, as long again as those of uploads.
func (c *Corpus) keepDrafted(ctx context.Context) error {
	now := c.now()
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		edits := map[AffiliateID][]Entry{}
		err := sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
			var affiliate AffiliateID
			e, err := scanEdit(rows.Scan, "", &affiliate)
			edits[affiliate] = append(edits[affiliate], e.Entry)
			return err
		}, `SELECT affiliate, `+editColumns+` FROM edits WHERE content LIKE '%"media":%'`)
		for affiliate, entries := range edits {
			err = errors.Join(err, eachFile(entries, func(m Media) error {
				if err := media.Keep(ctx, tx, m.File, now.Add(limits.DraftsFor)); err != nil && !errors.Is(err, media.ErrNotFound) {
					return err
				}
				_, err := tx.ExecContext(ctx, `UPDATE entry_files SET sent_at = $3 WHERE affiliate = $1 AND file = $2 AND NOT published`, string(affiliate), m.File, sqldb.Millis(now))
				return err
			}))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep files of edits: %w", err)
	}
	return nil
}

// checkUploads refuses another file of entries if the affiliate has sent too many.
func checkUploads(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, now time.Time) error {
	most := limits.MaxUploads()
	var dayFiles, dayBytes, waiting int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN stored_at > $2 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN stored_at > $2 THEN LENGTH(data) ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM uploads u WHERE u.affiliate = files.affiliate AND u.digest = files.digest AND u.published > 0)
				THEN 0 ELSE LENGTH(data) END), 0) FROM files WHERE affiliate = $1`,
		string(affiliate), sqldb.Millis(now.Add(-24*time.Hour))).Scan(&dayFiles, &dayBytes, &waiting)
	switch {
	case err != nil:
		return err
	case dayFiles > most.DayFiles:
		return fmt.Errorf("%w: at most %d different files are taken in 24 hours; go on tomorrow", ErrUploads, most.DayFiles)
	case dayBytes > most.DayBytes:
		return fmt.Errorf("%w: at most %d MB are taken in 24 hours; go on tomorrow", ErrUploads, most.DayBytes>>20)
	case waiting > most.AllBytes:
		return fmt.Errorf("%w: at most %d MB may wait to be published; what waits for %d days is removed", ErrUploads, most.AllBytes>>20, limits.DraftsFor/(24*time.Hour))
	}
	return nil
}

// pinFiles keeps what live entries show for as long as a revision may come back: for good.
func pinFiles(ctx context.Context, tx *sql.Tx, affiliate AffiliateID, live []Entry) error {
	return eachFile(live, func(m Media) error {
		if err := media.Pin(ctx, tx, m.File); err != nil {
			return fmt.Errorf("%q: %w any more; send it again", m.Name, err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE entry_files SET published = TRUE WHERE affiliate = $1 AND file = $2`, string(affiliate), m.File)
		return err
	})
}

// keepFiles keeps what an upload shows for as long as it may wait.
func keepFiles(ctx context.Context, tx *sql.Tx, changes []Change, until time.Time) error {
	var entries []Entry
	for _, ch := range changes {
		entries = append(entries, ch.After)
	}
	return eachFile(entries, func(m Media) error {
		if err := media.Keep(ctx, tx, m.File, until); !errors.Is(err, media.ErrNotFound) { // publishing it says so
			return err
		}
		return nil
	})
}

// eachFile runs do once for each file of ours that entries show.
func eachFile(entries []Entry, do func(Media) error) error {
	done := map[string]bool{}
	for _, e := range entries {
		for _, m := range e.Media {
			if m.File == "" || done[m.File] {
				continue
			}
			done[m.File] = true
			if err := do(m); err != nil {
				return err
			}
		}
	}
	return nil
}
