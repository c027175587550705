package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
)

// What of a post to take in that is read again.
const (
	ReplayWhole = "whole" // all of it: nothing of it was taken in before
	ReplayPart  = "part"  // what customers and people of ours wrote: the rest was taken in when it came
)

// A Rejected is a body, or a part of one, that the network signed and we could not read.
type Rejected struct {
	ID     string
	Reason string
	At     time.Time
	Body   []byte // may hold a customer's words
}

// rejectPost keeps an Arrival's Undecodable, and gives those whose words are in it to people. The same again changes
// nothing: a network repeats whole bodies.
func (w EventWriter) rejectPost(ctx context.Context, tx *sql.Tx, a Arrival) error {
	fresh, err := storeReject(ctx, tx, a)
	if err != nil || !fresh {
		return err
	}
	for _, customer := range w.Senders(a.Account, a.Undecodable.Body) {
		if err := w.Store.needPerson(ctx, tx, a.Account, customer, a.At); err != nil {
			return fmt.Errorf("give a customer whose words cannot be read to people: %w", err)
		}
	}
	return nil
}

func storeReject(ctx context.Context, tx *sql.Tx, a Arrival) (fresh bool, err error) {
	u := a.Undecodable
	digest := sha256.Sum256(append([]byte(a.Account.Key()+"\x00"), u.Body...))
	res, err := tx.ExecContext(ctx, `INSERT INTO rejects (id, channel, account, reason, body, at, post) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO NOTHING`, hex.EncodeToString(digest[:]), a.Account.Channel, a.Account.ID, CleanText(u.Reason),
		append([]byte{}, u.Body...), a.At.UnixMilli(), a.Post) // SQLite reads an empty body back as nil, and stores that as NULL
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// needPerson gives a customer to people, or tells the people who have them that they wrote.
func (s *Store) needPerson(ctx context.Context, tx *sql.Tx, account bot.Account, customer string, now time.Time) error {
	c, err := s.openConversation(ctx, tx, account, bot.Event{Address: bot.Address{Channel: account.Channel, Account: account.ID, Customer: customer}}, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE conversations SET heard_at = $2 WHERE id = $1 AND heard_at < $2`, c.conv.ID, now.UnixMilli()); err != nil {
		return err
	}
	if c, err = s.lockConversation(ctx, tx, c.conv.ID, now); err != nil {
		return err
	}
	if c.conv.Mode == bot.ModePerson {
		err = c.tellDesk(ctx, bot.DeskEvent{})
	} else {
		err = c.escalate(ctx, bot.Escalation{ID: "reject:" + sqldb.NewID(now), Affiliate: c.conv.Affiliate, Reason: bot.ReasonRejected, Locale: c.conv.Locale}, nil)
	}
	return errors.Join(err, c.saveSeq(ctx))
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
	var ids sqldb.Sequence
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		var list []Post
		err := sqldb.Each(ctx, tx, func(rows *sql.Rows) error {
			p := Post{Replay: ReplayWhole}
			var whole []byte
			err := rows.Scan(&p.Body, &whole)
			if len(whole) > 0 {
				p.Body, p.Replay = whole, ReplayPart
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
				ids.Next(now), channel, account, append([]byte{}, p.Body...), now.UnixMilli(), p.Replay); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read rejects of %s again: %w", bot.AccountKey(channel, account), err)
	}
	return n, nil
}

// RejectAccount names the account of a reject, or ErrNotFound.
func (s *Store) RejectAccount(ctx context.Context, id string) (channel, account string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT channel, account FROM rejects WHERE id = $1`, id).Scan(&channel, &account)
	if errors.Is(err, sql.ErrNoRows) {
		err = bot.ErrNotFound
	}
	return channel, account, err
}
