package bot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/knowledge/guard"
	"faqbot/knowledge/sqldb"
)

// What of a post to take in that is read again.
const (
	replayWhole = "whole" // all of it: nothing of it was taken in before
	replayPart  = "part"  // what customers and people of ours wrote: the rest was taken in when it came
)

// errNothingKnown is why a post becomes a reject again.
var errNothingKnown = errors.New("read again, it holds nothing that is known")

// A Rejected is a body, or a part of one, that the network signed and we could not read.
type Rejected struct {
	ID     string
	Reason string
	At     time.Time
	Body   []byte // may hold a customer's words
}

// reject keeps u, and gives those whose words are in it to people. The same again changes nothing: a network
// repeats whole bodies.
func (in *Intake) reject(ctx context.Context, tx *sql.Tx, account Account, u Unread, now time.Time) error {
	fresh, err := keepReject(ctx, tx, account, u, now)
	if err != nil || !fresh {
		return err
	}
	for _, customer := range in.senders(account, u.Body) {
		if err := in.store.needPerson(ctx, tx, account, customer, now); err != nil {
			return fmt.Errorf("give a customer whose words cannot be read to people: %w", err)
		}
	}
	return nil
}

func keepReject(ctx context.Context, tx *sql.Tx, account Account, u Unread, now time.Time) (fresh bool, err error) {
	digest := sha256.Sum256(append([]byte(AccountKey(account.Channel, account.ID)+"\x00"), u.Body...))
	res, err := tx.ExecContext(ctx, `INSERT INTO rejects (id, channel, account, reason, body, at, post) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO NOTHING`, hex.EncodeToString(digest[:]), account.Channel, account.ID, storable(u.Reason),
		append([]byte{}, u.Body...), now.UnixMilli(), u.post) // SQLite reads an empty body back as nil, and stores that as NULL
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// senders are the customers whose words are in a body that cannot be read, in the order in which all lock them.
func (in *Intake) senders(account Account, body []byte) (list []string) {
	finder, ok := in.accounts.Channel(AccountKey(account.Channel, account.ID)).(SenderFinder)
	if !ok {
		return nil
	}
	if err := guard.Run(func() error { list = finder.Senders(body); return nil }); err != nil {
		guard.Log(in.log, "looking for the sender of a post", err)
		return nil
	}
	for i := range list {
		list[i] = storable(list[i])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// needPerson gives a customer to people, or tells the people who have them that they wrote.
func (s *Store) needPerson(ctx context.Context, tx *sql.Tx, account Account, customer string, now time.Time) error {
	h, err := s.openConversation(ctx, tx, account, Event{Address: Address{account.Channel, account.ID, customer}}, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE conversations SET heard_at = $2 WHERE id = $1 AND heard_at < $2`, h.conv.ID, now.UnixMilli()); err != nil {
		return err
	}
	q, err := s.lock(ctx, tx, h.conv.ID, now)
	if err != nil {
		return err
	}
	if q.conv.Mode == ModePerson {
		err = q.tell(ctx, News{})
	} else {
		err = q.escalate(ctx, Escalation{ID: "reject:" + newID(now), Affiliate: q.conv.Affiliate, Reason: ReasonRejected, Locale: q.conv.Locale}, nil)
	}
	return errors.Join(err, q.close(ctx))
}

// setAside moves a post whose attempts are used up to the rejects.
func (in *Intake) setAside(ctx context.Context, c candidate) (b batch, err error) {
	b.ids, b.oldest = []string{c.id}, in.now()
	reason := c.reason
	if reason == "" {
		reason = fmt.Sprintf("the service ended %d times while it took this in", c.attempt)
	}
	move := func(keep func(context.Context, *sql.Tx, Account, Unread, time.Time) error) error {
		return in.store.db.InTx(ctx, func(tx *sql.Tx) error {
			posts, err := remove(ctx, tx, batch{ids: b.ids, counted: true})
			for _, p := range posts {
				err = errors.Join(err, keep(ctx, tx, Account{Channel: p.channel, ID: p.account}, Unread{Body: p.body, Reason: reason}, p.at))
			}
			return err
		})
	}
	err = move(func(ctx context.Context, tx *sql.Tx, a Account, u Unread, at time.Time) error {
		if known, ok := in.accounts.Account(AccountKey(a.Channel, a.ID)); ok {
			a = known
		}
		return in.reject(ctx, tx, a, u, at)
	})
	if err != nil && !sqldb.Unavailable(err) { // its customer's conversation may be what is at fault
		err = move(func(ctx context.Context, tx *sql.Tx, a Account, u Unread, at time.Time) error {
			_, err := keepReject(ctx, tx, a, u, at)
			return err
		})
	}
	if err != nil {
		return b, fmt.Errorf("set a post aside: %w", err)
	}
	in.log.WithFields(logrus.Fields{"attempt": c.attempt, "reason": reason}).Error("a post cannot be taken in; it is kept among the rejects")
	in.poke()
	return b, nil
}

// Rejects lists what could not be read on an account, the newest first.
func (s *Store) Rejects(ctx context.Context, channel, account string, limit int) (list []Rejected, err error) {
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var r Rejected
		var at int64
		if err := rows.Scan(&r.ID, &r.Reason, &at, &r.Body); err != nil {
			return err
		}
		r.At = sqldb.Time(at)
		list = append(list, r)
		return nil
	}, `SELECT id, reason, at, body FROM rejects WHERE channel = $1 AND account = $2 ORDER BY at DESC, id LIMIT $3`, channel, account, limit)
	if err != nil {
		return nil, fmt.Errorf("list rejects: %w", err)
	}
	return list, nil
}

// ReadAgain puts rejects of an account back into the inbox, to be read by the service as it is now: the one of an
// ID, or all if id is "". What cannot be read this time either is rejected again. It returns how many there were.
func (s *Store) ReadAgain(ctx context.Context, channel, account, id string, now time.Time) (n int, err error) {
	var ids order
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		var list []post
		err := sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
			p := post{replay: replayWhole}
			var whole []byte
			err := rows.Scan(&p.body, &whole)
			if len(whole) > 0 {
				p.body, p.replay = whole, replayPart
			}
			list = append(list, p)
			return err
		}, `DELETE FROM rejects WHERE channel = $1 AND account = $2 AND ($3 = '' OR id = $3) RETURNING body, post`, channel, account, id)
		if err != nil {
			return err
		}
		n = len(list)
		for _, p := range list {
			if _, err := tx.ExecContext(ctx, `INSERT INTO inbox (id, channel, account, body, at, replay) VALUES ($1, $2, $3, $4, $5, $6)`,
				ids.next(now), channel, account, append([]byte{}, p.body...), now.UnixMilli(), p.replay); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read rejects of %s again: %w", AccountKey(channel, account), err)
	}
	return n, nil
}

// RejectAccount names the account of a reject, or ErrNotFound.
func (s *Store) RejectAccount(ctx context.Context, id string) (channel, account string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT channel, account FROM rejects WHERE id = $1`, id).Scan(&channel, &account)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return channel, account, err
}

// replayed are the events of a post that is read again which are to be taken in.
func replayed(p post, events []Event) ([]Event, error) {
	if p.replay == replayPart { // what it says of statuses, consent and the like is out of date
		events = slices.DeleteFunc(events, func(e Event) bool { return e.Message == nil && e.Aside == nil && e.Unread == nil })
	}
	if len(events) == 0 {
		return nil, errNothingKnown
	}
	return events, nil
}

// EachObject calls do for every object in a JSON text, however deep; none if it is not JSON. Numbers are
// json.Numbers. It is for finding something in what cannot be read.
func EachObject(body []byte, do func(map[string]any)) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			do(v)
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
}
