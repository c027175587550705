package learn

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
)

//go:embed schema/*.sql
var migrations embed.FS

// Schema is this folder's migrations.
func Schema() sqldb.Schema { return sqldb.Embedded("learn", migrations) }

// RowsOf selects the labels of some conversations, whose IDs the sub-select ids gives.
func RowsOf(ids string) []sqldb.Selection {
	return []sqldb.Selection{{Table: "labels", Where: `conversation_id IN ` + ids}}
}

// maxLabels is how many labels of an affiliate count, the newest: entries and customers change.
const maxLabels = 200

// A Learner keeps labels and knows what they speak for. It is safe for concurrent use, also by several processes.
type Learner struct {
	db      *sqldb.DB
	shipped retrieval.Calibrations

	mu    sync.Mutex
	known map[knowledge.AffiliateID]retrieval.Offsets
}

var _ retrieval.Learned = (*Learner)(nil)

// New returns the Learner of the labels in db, to which Schema was applied.
func New(db *sqldb.DB) *Learner {
	return &Learner{db: db, shipped: retrieval.ShippedCalibrations(), known: map[knowledge.AffiliateID]retrieval.Offsets{}}
}

// Offsets are those of all affiliates of which there are labels. They are worked out again only when the labels have
// changed, so it may be called often. They are not stored: a new shipped calibration gets offsets of its own from the
// same labels.
func (l *Learner) Offsets(ctx context.Context) (map[knowledge.AffiliateID]retrieval.Offsets, error) {
	versions := map[knowledge.AffiliateID]int{}
	if err := sqldb.Each(ctx, l.db, func(rows *sql.Rows) error {
		var a knowledge.AffiliateID
		var version int
		err := rows.Scan(&a, &version)
		versions[a] = version
		return err
	}, `SELECT affiliate, version FROM label_versions`); err != nil {
		return nil, fmt.Errorf("read the versions of labels: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make(map[knowledge.AffiliateID]retrieval.Offsets, len(versions))
	for a, version := range versions {
		o, ok := l.known[a]
		if !ok || o.Version != version {
			labels, err := l.labels(ctx, a)
			if err != nil {
				return nil, err
			}
			o = learned(labels, l.shipped)
			o.Version = version
			l.known[a] = o
		}
		list[a] = o
	}
	return list, nil
}

// labels are those of an affiliate that count, the newest first.
func (l *Learner) labels(ctx context.Context, a knowledge.AffiliateID) (list []Label, err error) {
	err = sqldb.Each(ctx, l.db, func(rows *sql.Rows) error {
		var one Label
		var evidence string
		var at int64
		if err := rows.Scan(&one.Turn, &one.Conversation, &one.Affiliate, &one.Chosen, &one.Verdict, &one.Space, &evidence, &one.Menu, &one.Share, &one.By, &at); err != nil {
			return err
		}
		if json.Unmarshal([]byte(evidence), &one.Evidence) == nil { // one that cannot be read keeps no others from counting
			one.At = sqldb.Time(at)
			list = append(list, one)
		}
		return nil
	}, `SELECT turn_id, conversation_id, affiliate, chosen, verdict, space, evidence, menu, share, judged_by, at
		FROM labels WHERE affiliate = $1 ORDER BY at DESC, turn_id DESC LIMIT $2`, a, maxLabels)
	if err != nil {
		return nil, fmt.Errorf("read the labels of %s: %w", a, err)
	}
	return list, nil
}

// Put stores a label in a transaction, unless its case has one.
func Put(ctx context.Context, tx *sql.Tx, l Label) error {
	evidence, err := json.Marshal(l.Evidence)
	if err != nil {
		return fmt.Errorf("store a label: %w", err)
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO labels (turn_id, conversation_id, affiliate, chosen, verdict, space, evidence, menu, share, judged_by, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		l.Turn, l.Conversation, l.Affiliate, l.Chosen, l.Verdict, l.Space, string(evidence), l.Menu, l.Share, l.By, sqldb.Millis(l.At))
	if err != nil {
		return fmt.Errorf("store a label: %w", err)
	}
	return changed(ctx, tx, res, l.Affiliate)
}

// changed notes that labels of an affiliate were added or removed, if any were.
func changed(ctx context.Context, tx *sql.Tx, res sql.Result, a knowledge.AffiliateID) error {
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO label_versions (affiliate, version) VALUES ($1, 1)
		ON CONFLICT (affiliate) DO UPDATE SET version = label_versions.version + 1`, a)
	if err != nil {
		return fmt.Errorf("note that labels changed: %w", err)
	}
	return nil
}

// Add stores a label, unless its case has one.
func (l *Learner) Add(ctx context.Context, label Label) error {
	return l.db.InTx(ctx, func(tx *sql.Tx) error { return Put(ctx, tx, label) })
}

// Remove removes the label of a turn that a person judged.
func (l *Learner) Remove(ctx context.Context, a knowledge.AffiliateID, turn string) error {
	return l.deleteLabels(ctx, a, `turn_id = $2 AND judged_by <> ''`, turn)
}

// Reset removes all labels of an affiliate, so that its probabilities are as shipped.
func (l *Learner) Reset(ctx context.Context, a knowledge.AffiliateID) error {
	return l.deleteLabels(ctx, a, `1 = 1`)
}

func (l *Learner) deleteLabels(ctx context.Context, a knowledge.AffiliateID, where string, args ...any) error {
	return l.db.InTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM labels WHERE affiliate = $1 AND `+where, append([]any{a}, args...)...)
		if err != nil {
			return fmt.Errorf("remove labels: %w", err)
		}
		return changed(ctx, tx, res, a)
	})
}
