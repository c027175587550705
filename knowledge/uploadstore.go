package knowledge

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"faqbot/knowledge/sqldb"
)

// A storedChange is a Change in the database. Before is not kept: versions never change, so the one
// live at the upload's base is still there.
type storedChange struct {
	Kind      ChangeKind `json:"kind"`
	ID        EntryID    `json:"id"`
	Key       string     `json:"key,omitempty"`
	Locale    string     `json:"locale,omitempty"`
	Question  string     `json:"question,omitempty"`
	Variants  []string   `json:"variants,omitempty"`
	Answer    string     `json:"answer,omitempty"`
	Media     []Media    `json:"media,omitempty"`
	Topic     string     `json:"topic,omitempty"`
	FollowUps []string   `json:"follow_ups,omitempty"`
	Slug      string     `json:"slug,omitempty"`
	From      int64      `json:"from,omitempty"` // Unix milliseconds, like To
	To        int64      `json:"to,omitempty"`
	Source    string     `json:"source,omitempty"`
	EditedBy  string     `json:"edited_by,omitempty"`
	EditedAt  int64      `json:"edited_at,omitempty"`
}

func storeChange(ch Change) storedChange {
	e := ch.After
	s := storedChange{
		Kind: ch.Kind, ID: e.ID, Key: e.Key, Locale: e.Locale, Question: e.Question, Variants: e.Variants, Answer: e.Answer, Media: e.Media,
		Topic: e.Topic, FollowUps: e.FollowUps, Slug: e.Slug, From: sqldb.Millis(e.From), To: sqldb.Millis(e.To), Source: e.Source, EditedBy: e.EditedBy, EditedAt: sqldb.Millis(e.EditedAt),
	}
	if ch.Kind == ChangeRetired {
		s.ID = ch.Before.ID
	}
	return s
}

// load undoes storeChange, but for Before, of which it fills in no more than the ID.
func (s storedChange) load(affiliate AffiliateID) Change {
	ch := Change{Kind: s.Kind}
	if s.Kind != ChangeAdded {
		ch.Before.ID = s.ID
	}
	if s.Kind != ChangeRetired {
		ch.After = Entry{
			ID: s.ID, Affiliate: affiliate, Key: s.Key, Locale: s.Locale, Question: s.Question, Variants: s.Variants, Answer: s.Answer, Media: s.Media,
			Topic: s.Topic, FollowUps: s.FollowUps, Slug: s.Slug, From: sqldb.Time(s.From), To: sqldb.Time(s.To), Source: s.Source, EditedBy: s.EditedBy, EditedAt: sqldb.Time(s.EditedAt),
		}
	}
	return ch
}

func storeChanges(changes []Change) (string, error) {
	stored := make([]storedChange, 0, len(changes))
	for _, ch := range changes {
		stored = append(stored, storeChange(ch))
	}
	text, err := json.Marshal(stored)
	return string(text), err
}

// loadChanges undoes storeChanges, as load does.
func loadChanges(text string, affiliate AffiliateID) ([]Change, error) {
	var stored []storedChange
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	var changes []Change
	for _, s := range stored {
		changes = append(changes, s.load(affiliate))
	}
	return changes, nil
}

func insertUpload(ctx context.Context, tx *sql.Tx, u Upload, content string) error {
	changes, err := storeChanges(u.Changes)
	if err != nil {
		return err
	}
	problems, err := json.Marshal(u.Problems)
	if err != nil {
		return err
	}
	reading, err := json.Marshal(u.Reading)
	if err != nil {
		return err
	}
	stay := make([]EntryID, 0, len(u.Stay))
	for _, e := range u.Stay {
		stay = append(stay, e.ID)
	}
	keptIDs, err := json.Marshal(stay)
	if err != nil {
		return err
	}
	held, err := storeChanges(u.Held)
	if err != nil {
		return err
	}
	edits, err := json.Marshal(append([]EditRef{}, u.Edits...)) // never null
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO uploads (id, affiliate, base_revision, content, file, digest, uploaded_by,
		uploaded_at, changes, problems, unchanged, kept, reading, kept_ids, held, edits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		string(u.ID), string(u.Affiliate), int64(u.Base), content, u.File, u.Digest, u.By,
		sqldb.Millis(u.At), changes, string(problems), u.Unchanged, u.Kept, string(reading), string(keptIDs), held, string(edits))
	if err != nil {
		return fmt.Errorf("store upload: %w", err)
	}
	return nil
}

func selectSameUpload(ctx context.Context, r sqldb.Reader, affiliate AffiliateID, base Revision, content string) (UploadID, error) {
	var id UploadID
	err := r.QueryRowContext(ctx, `SELECT id FROM uploads WHERE affiliate = $1 AND base_revision = $2 AND content = $3`,
		string(affiliate), int64(base), content).Scan(&id)
	return id, notFound(err, "upload")
}

func selectUploadAffiliate(ctx context.Context, r sqldb.Reader, id UploadID) (AffiliateID, error) {
	var affiliate AffiliateID
	err := r.QueryRowContext(ctx, `SELECT affiliate FROM uploads WHERE id = $1`, string(id)).Scan(&affiliate)
	return affiliate, notFound(err, "upload")
}

// selectUploadAlone reads an upload that says no more than the ID of what was there before: of the
// Before of changes, and of what stays.
func selectUploadAlone(ctx context.Context, r sqldb.Reader, id UploadID) (Upload, error) {
	u := Upload{ID: id}
	var changes, problems, reading, stay, held, edits string
	var at int64
	err := r.QueryRowContext(ctx, `SELECT affiliate, base_revision, file, digest, uploaded_by, uploaded_at, changes, problems,
		unchanged, kept, published, reading, kept_ids, aside, held, edits FROM uploads WHERE id = $1`, string(id)).
		Scan(&u.Affiliate, &u.Base, &u.File, &u.Digest, &u.By, &at, &changes, &problems, &u.Unchanged, &u.Kept, &u.Published, &reading, &stay, &u.Discarded, &held, &edits)
	if err != nil {
		return Upload{}, notFound(err, "upload")
	}
	u.At = sqldb.Time(at)
	if err := json.Unmarshal([]byte(problems), &u.Problems); err != nil {
		return Upload{}, fmt.Errorf("read problems: %w", err)
	}
	if err := json.Unmarshal([]byte(reading), &u.Reading); err != nil {
		return Upload{}, fmt.Errorf("read how the file was read: %w", err)
	}
	var kept []EntryID
	if err := json.Unmarshal([]byte(stay), &kept); err != nil {
		return Upload{}, fmt.Errorf("read what stays: %w", err)
	}
	for _, id := range kept {
		u.Stay = append(u.Stay, Entry{ID: id})
	}
	if err := json.Unmarshal([]byte(edits), &u.Edits); err != nil {
		return Upload{}, fmt.Errorf("read which edits it is: %w", err)
	}
	if len(u.Edits) == 0 {
		u.Edits = nil
	}
	if u.Held, err = loadChanges(held, u.Affiliate); err != nil {
		return Upload{}, err
	}
	u.Changes, err = loadChanges(changes, u.Affiliate)
	return u, err
}

func selectUpload(ctx context.Context, r sqldb.Reader, id UploadID) (Upload, error) {
	u, err := selectUploadAlone(ctx, r, id)
	if err != nil {
		return Upload{}, err
	}
	base, err := selectEntriesAt(ctx, r, u.Affiliate, u.Base)
	if err != nil {
		return Upload{}, err
	}
	before := make(map[EntryID]Entry, len(base))
	for _, e := range base {
		before[e.ID] = e
	}
	for _, list := range [][]Change{u.Changes, u.Held} {
		for i := range list {
			if b := &list[i].Before; b.ID != "" {
				*b = before[b.ID]
			}
		}
	}
	for i, e := range u.Stay {
		u.Stay[i] = before[e.ID]
	}
	return u, nil
}

func markPublished(ctx context.Context, tx *sql.Tx, id UploadID, revision Revision) error {
	_, err := tx.ExecContext(ctx, `UPDATE uploads SET published = $2 WHERE id = $1`, string(id), int64(revision))
	return err
}
