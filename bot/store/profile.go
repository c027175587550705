package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
)

// ProfileEvery is how often a network is asked at most who a customer is.
const ProfileEvery = 7 * 24 * time.Hour

// A Profile is what a network told of a customer who was asked for.
type Profile struct {
	Name        string // "" if it was not told: then the name stays
	Picture     string // its ID in knowledge/media, "" if there is none
	KeepPicture bool   // whether there is one could not be learnt: the one before stays
}

// sameNetworkID selects the conversations of a customer on one account, in private and in groups: $1 is one of them.
const sameNetworkID = `(SELECT o.id FROM conversations o JOIN conversations c ON c.customer_id = o.customer_id AND c.channel = o.channel AND c.account = o.account
	WHERE c.id = $1)`

// ClaimProfile is the conversation of an address whose customer is to be asked for now, "" if they were within
// ProfileEvery: it counts as done, whatever comes of it.
func (s *Store) ClaimProfile(ctx context.Context, a bot.Address, now time.Time) (id bot.ConversationID, err error) {
	before := now.Add(-ProfileEvery).UnixMilli()
	err = s.db.QueryRowContext(ctx, `SELECT id FROM conversations JOIN contacts ON contacts.conversation_id = conversations.id
		WHERE channel = $1 AND account = $2 AND customer = $3 AND profile_at <= $4`, a.Channel, a.Account, a.Customer, before).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	var n int64
	if err == nil {
		n, err = s.db.Change(ctx, `UPDATE contacts SET profile_at = $2 WHERE conversation_id IN `+sameNetworkID+` AND profile_at <= $3`, id, now.UnixMilli(), before)
	}
	if err != nil {
		return "", fmt.Errorf("look whether to ask who a customer is: %w", err)
	}
	if n == 0 { // another process asks
		return "", nil
	}
	return id, nil
}

// StoreProfile notes what a network told of a conversation's customer. The picture before goes; of a customer who was
// erased meanwhile the new one does.
func (s *Store) StoreProfile(ctx context.Context, id bot.ConversationID, p Profile, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		c, err := s.lockRow(ctx, tx, id, now)
		if errors.Is(err, bot.ErrNotFound) || err == nil && strings.HasPrefix(c.conv.Address.Customer, Forgotten) {
			return removeFiles(ctx, tx, []string{p.Picture})
		}
		if err != nil {
			return err
		}
		if p.Name != "" {
			if err := storeName(ctx, tx, id, p.Name); err != nil {
				return err
			}
		}
		if p.KeepPicture {
			return nil
		}
		before, err := picturesOf(ctx, tx, `picture <> $2 AND conversation_id IN `+sameNetworkID, id, p.Picture)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE contacts SET picture = $2 WHERE conversation_id IN `+sameNetworkID, id, p.Picture); err != nil {
			return err
		}
		if p.Picture != "" {
			if err := media.Keep(ctx, tx, p.Picture, now.Add(limits.SentFilesFor)); err != nil {
				return err
			}
		}
		return removeFiles(ctx, tx, before)
	})
	if err != nil {
		return fmt.Errorf("note who a customer is: %w", err)
	}
	return nil
}

// picturesOf lists the profile pictures that some contacts have.
func picturesOf(ctx context.Context, r sqldb.Reader, where string, args ...any) (files []string, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var file string
		err := rows.Scan(&file)
		files = append(files, file)
		return err
	}, `SELECT picture FROM contacts WHERE picture <> '' AND `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list profile pictures: %w", err)
	}
	return files, nil
}
