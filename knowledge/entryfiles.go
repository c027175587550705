package knowledge

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"strings"
	"time"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// markLength is how much of a file's ID tells it apart from others of its name.
const markLength = 12

// Mark is what m is called in a file of entries: its link, or its name with the beginning of its ID, which
// means this very file when it is read again: "plans.png#3f2a9c81d07b".
func (m Media) Mark() string {
	if m.File == "" {
		return m.Link + m.Name
	}
	return m.Name + "#" + m.File[:min(markLength, len(m.File))]
}

// AddFiles remembers files that the affiliate sent to go with entries, each by its name. The content is
// in knowledge/media: for good once an entry that shows it is published, for limits.DraftsFor until
// then. ErrNotFound: no such affiliate, or a file that is not there.
func (c *Corpus) AddFiles(ctx context.Context, affiliate AffiliateID, files []Media) error {
	now := c.now()
	err := c.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := lockAffiliate(ctx, tx, affiliate); err != nil {
			return err
		}
		for i, f := range files { // of two with one name the later counts
			if _, err := tx.ExecContext(ctx, `INSERT INTO entry_files (affiliate, file, name, kind, type, size, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (affiliate, file, name) DO UPDATE SET sent_at = excluded.sent_at`,
				string(affiliate), f.File, f.Name, f.Kind, f.Type, f.Size, sqldb.Millis(now.Add(time.Duration(i)*time.Millisecond))); err != nil {
				return err
			}
			if err := media.Keep(ctx, tx, f.File, now.Add(limits.DraftsFor)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember files of %s: %w", affiliate, err)
	}
	return nil
}

// Files returns the files that the affiliate sent to go with entries, the newest last.
func (c *Corpus) Files(ctx context.Context, affiliate AffiliateID) (files []Media, err error) {
	err = sqldb.Each(ctx, c.db, func(rows *sql.Rows) error {
		var m Media
		err := rows.Scan(&m.File, &m.Name, &m.Kind, &m.Type, &m.Size)
		files = append(files, m)
		return err
	}, `SELECT file, name, kind, type, size FROM entry_files WHERE affiliate = $1 ORDER BY sent_at, name, file`, string(affiliate))
	if err != nil {
		return nil, fmt.Errorf("list files of %s: %w", affiliate, err)
	}
	return files, nil
}

// FindFiles replaces the names of files in rows by the affiliate's files that they mean: the newest of the
// name, or the one that a Mark tells. A name without a file is left out of its row, and told as a problem.
func FindFiles(rows []Row, files []Media) (problems []Problem) {
	byName := make(map[string]Media, len(files))
	for _, f := range files {
		byName[strings.ToLower(f.Name)] = f
	}
	find := func(name string) (Media, bool) {
		base := strings.ToLower(path.Base(name))
		if f, ok := byName[base]; ok {
			return f, true
		}
		at := strings.LastIndex(base, "#")
		if at < 0 || len(base)-at-1 != markLength {
			return Media{}, false
		}
		for _, f := range files {
			if strings.ToLower(f.Name) == base[:at] && strings.HasPrefix(f.File, base[at+1:]) {
				return f, true
			}
		}
		return Media{}, false
	}
	for i, r := range rows {
		var kept []Media
		for _, m := range r.Media {
			if m.File == "" && m.Link == "" {
				f, ok := find(m.Name)
				if !ok {
					problems = append(problems, Problem{Line: r.Line, Field: "media", Key: r.Key,
						Text: fmt.Sprintf("There is no file %q, so the entry goes without it. Send the file together with this one, or write a link that begins with https://.", m.Name)})
					continue
				}
				f.Alt = m.Alt
				m = f
			}
			kept = append(kept, m)
		}
		rows[i].Media = kept
	}
	return problems
}
