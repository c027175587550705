package bymail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
)

const (
	// waitsFor is how long a customer waits, with nobody at the desk, before our people are told.
	waitsFor = 2 * time.Minute
	// noticeEvery is the least time between two notices to one person.
	noticeEvery = 15 * time.Minute
	// noticedOf bounds how old a ticket may be of which somebody is told for the first time.
	noticedOf   = 24 * time.Hour
	kindWaiting = "waiting"
)

// NoticesOptions are what Notices need besides their table. All but Now are required.
type NoticesOptions struct {
	Outbox  *mail.Outbox
	People  func(context.Context) ([]people.Person, error)
	Staffed func(knowledge.AffiliateID) bool // is somebody at the desk for them
	Desk    string                           // the desk's address
	Log     logrus.FieldLogger
	Now     func() time.Time // time.Now if nil
}

// Notices tell people of ours by mail that customers wait while nobody is at the desk. They hold no words of customers.
type Notices struct {
	db    *sqldb.DB
	o     NoticesOptions
	texts *locale.Catalog
}

// NewNotices returns the notices over db, to which Schema and mail.Schema were applied.
func NewNotices(db *sqldb.DB, o NoticesOptions) (*Notices, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	texts, err := locale.Load("mail")
	return &Notices{db: db, o: o, texts: texts}, err
}

// Run looks for who waits, until ctx ends.
func (n *Notices) Run(ctx context.Context) error {
	guard.EveryTry(ctx, n.o.Log, lookEvery, "cannot tell people of tickets that wait", n.Look)
	return ctx.Err()
}

// A waiting ticket is one that nobody has taken.
type waiting struct {
	id        string
	affiliate knowledge.AffiliateID
}

// Look tells everybody who wants it of the tickets that wait and of which they were not told.
func (n *Notices) Look(ctx context.Context) error {
	now := n.o.Now()
	var list []waiting
	if err := sqldb.Each(ctx, n.db, func(rows *sql.Rows) error {
		var w waiting
		err := rows.Scan(&w.id, &w.affiliate)
		if err == nil && !n.o.Staffed(w.affiliate) {
			list = append(list, w)
		}
		return err
	}, `SELECT id, affiliate FROM tickets WHERE state = 'open' AND waiting_since > 0 AND opened_at <= $1 AND opened_at > $2 ORDER BY due_at LIMIT 1000`,
		now.Add(-waitsFor).UnixMilli(), now.Add(-noticedOf).UnixMilli()); err != nil {
		return fmt.Errorf("look for tickets that wait: %w", err)
	}
	if len(list) == 0 {
		return nil
	}
	everybody, err := n.o.People(ctx)
	var failed error
	for _, p := range everybody {
		if p.Notify && p.Email != "" && p.Role != people.RoleAffiliate {
			failed = errors.Join(failed, n.tell(ctx, p, list))
		}
	}
	return errors.Join(err, failed)
}

// tell tells one person, of what is theirs and new.
func (n *Notices) tell(ctx context.Context, p people.Person, list []waiting) error {
	now := n.o.Now()
	return n.db.InTx(ctx, func(tx *sql.Tx) error {
		var lately int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM mail_notices WHERE person_id = $1 AND at > $2`, p.ID, now.Add(-noticeEvery).UnixMilli()).Scan(&lately); err != nil || lately > 0 {
			return err
		}
		fresh := 0
		for _, w := range list {
			if !p.May(w.affiliate) {
				continue
			}
			r, err := tx.ExecContext(ctx, `INSERT INTO mail_notices (ticket_id, person_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, w.id, p.ID, now.UnixMilli())
			if err != nil {
				return err
			}
			count, err := r.RowsAffected()
			if err != nil {
				return err
			}
			fresh += int(count)
		}
		if fresh == 0 {
			return nil
		}
		words := n.texts.In("en") // as all pages for our people are
		_, err := n.o.Outbox.Queue(ctx, tx, mail.Mail{Kind: kindWaiting, To: p.Email,
			Subject: words.Count("waiting_subject", fresh), Text: words.Say("waiting_text", "who", p.Name, "link", n.o.Desk)})
		return err
	})
}

// SweepNotices removes what is known of tickets that are too old to be told of.
func SweepNotices(ctx context.Context, db *sqldb.DB, now time.Time) (int64, error) {
	return db.Change(ctx, `DELETE FROM mail_notices WHERE at < $1`, now.Add(-2*noticedOf).UnixMilli())
}
