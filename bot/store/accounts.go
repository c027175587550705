package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// An AddedAccount is an account that people added, as the database keeps it.
type AddedAccount struct {
	Channel, ID string
	Settings    []byte // JSON, without secrets
	Sealed      []byte // its secrets, sealed by a vault.Vault
	Version     string // another one after every change
	ChangedAt   time.Time
}

// Key is the account's AccountKey.
func (a AddedAccount) Key() string { return bot.AccountKey(a.Channel, a.ID) }

// AddedAccounts lists the accounts that people added.
func (s *Store) AddedAccounts(ctx context.Context) (list []AddedAccount, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT channel, account, settings, secrets, version, changed_at FROM accounts ORDER BY channel, account`)
	if err != nil {
		return nil, fmt.Errorf("list the added accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a AddedAccount
		var changed int64
		if err := rows.Scan(&a.Channel, &a.ID, &a.Settings, &a.Sealed, &a.Version, &changed); err != nil {
			return nil, fmt.Errorf("list the added accounts: %w", err)
		}
		a.ChangedAt = sqldb.Time(changed)
		list = append(list, a)
	}
	return list, rows.Err()
}

// AccountVersions tells, cheaply, whether AddedAccounts would return something else than before: the
// versions by AccountKey.
func (s *Store) AccountVersions(ctx context.Context) (versions map[string]string, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT channel, account, version FROM accounts`)
	if err != nil {
		return nil, fmt.Errorf("look at the added accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	versions = map[string]string{}
	for rows.Next() {
		var channel, id, version string
		if err := rows.Scan(&channel, &id, &version); err != nil {
			return nil, fmt.Errorf("look at the added accounts: %w", err)
		}
		versions[bot.AccountKey(channel, id)] = version
	}
	return versions, rows.Err()
}

// PutAccount adds an account, or replaces what was added under its key. What was stopped as
// misconfigured may try again.
func (s *Store) PutAccount(ctx context.Context, a AddedAccount, now time.Time) error {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (channel, account, settings, secrets, version, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (channel, account) DO UPDATE SET settings = excluded.settings, secrets = excluded.secrets,
				version = excluded.version, changed_at = excluded.changed_at`,
			a.Channel, a.ID, string(a.Settings), a.Sealed, rand.Text(), now.UnixMilli()); err != nil {
			return err
		}
		return unpause(ctx, tx, a.Channel, a.ID)
	})
	if err != nil {
		return fmt.Errorf("keep account %s: %w", a.Key(), err)
	}
	return nil
}

// DropAccount forgets an added account with its secrets; false means that there was none. What was
// said on it stays.
func (s *Store) DropAccount(ctx context.Context, channel, id string) (dropped bool, err error) {
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM accounts WHERE channel = $1 AND account = $2`, channel, id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		dropped = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("forget account %s: %w", bot.AccountKey(channel, id), err)
	}
	return dropped, nil
}

// ResealAccounts seals the secrets of all added accounts with the first key of v.
func (s *Store) ResealAccounts(ctx context.Context, v *vault.Vault) error {
	list, err := s.AddedAccounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range list {
		sealed, err := v.Reseal(a.Key(), a.Sealed)
		if err != nil {
			return fmt.Errorf("account %s: %w", a.Key(), err)
		}
		err = s.db.InTx(ctx, func(tx *sql.Tx) error {
			// The version stays: the secrets are the same, and services need not take them up. An account that
			// somebody changes meanwhile was sealed with a key of the same file.
			_, err := tx.ExecContext(ctx, `UPDATE accounts SET secrets = $1 WHERE channel = $2 AND account = $3 AND version = $4`,
				sealed, a.Channel, a.ID, a.Version)
			return err
		})
		if err != nil {
			return fmt.Errorf("seal account %s again: %w", a.Key(), err)
		}
	}
	return nil
}

// UnpauseAccount lets an account that was stopped as misconfigured try again: somebody mended it.
func (s *Store) UnpauseAccount(ctx context.Context, channel, id string) error {
	return s.db.InTx(ctx, func(tx *sql.Tx) error { return unpause(ctx, tx, channel, id) })
}

func unpause(ctx context.Context, tx *sql.Tx, channel, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM pauses WHERE channel = $1 AND account = $2 AND reason = $3`, channel, id, PauseMisconfigured)
	return err
}
