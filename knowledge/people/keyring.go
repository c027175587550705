package people

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/vault"
)

// A Purpose is what a signing key signs.
type Purpose string

// The purposes of the service's signing keys.
const (
	VisitorTokens  Purpose = "webchat visitors"
	MediaLinks     Purpose = "media links"
	ChannelLinks   Purpose = "links between channels"
	DeskFiles      Purpose = "desk files"
	FirstAdminLink Purpose = "first admin's link"
)

func purposes() []Purpose {
	return []Purpose{VisitorTokens, MediaLinks, ChannelLinks, DeskFiles, FirstAdminLink}
}

// lasts is how long a signature can be used: so long a replaced key still verifies.
func (p Purpose) lasts() time.Duration {
	switch p {
	case VisitorTokens:
		return 180 * 24 * time.Hour // the life of the chat's cookie
	case MediaLinks:
		return 7 * 24 * time.Hour
	case ChannelLinks:
		return 15 * time.Minute
	case DeskFiles:
		return 24 * time.Hour
	}
	return invitationLasts
}

const (
	// KeysReloadEvery is how often a service should Reload its keyring.
	KeysReloadEvery = 5 * time.Second
	// signsAfter is how long a new key only verifies: until then every service has reloaded, and knows the
	// key before it meets a signature of it.
	signsAfter = time.Minute
	// maxSigningKeys bounds the keys of one purpose: the newest and those that it replaced.
	maxSigningKeys = 8
)

// KeyringOptions are a keyring's settings.
type KeyringOptions struct {
	Key string           // where the key file is: see vault.Load
	Now func() time.Time // the clock; nil is time.Now
	// Others returns what else is sealed with the key, by its purpose. A key that opens none of it is the
	// wrong one. nil: nothing else is.
	Others func(ctx context.Context) (map[string][]byte, error)
}

// A Keyring is the service's signing keys. The database keeps them, sealed with the key of the key file. It
// is safe for concurrent use, also from several processes on one database.
type Keyring struct {
	db *sqldb.DB
	o  KeyringOptions

	mu      sync.Mutex
	rings   map[string][]signingKey // by purpose; what was read last stays while the key file is gone
	problem error
}

// A signingKey is one key of a ring. Rings begin with the newest.
type signingKey struct {
	Key    []byte
	MadeAt int64 // Unix milliseconds
}

// NewKeyring returns the keyring in db, to which Schema was applied. It has no keys before Reload.
func NewKeyring(db *sqldb.DB, o KeyringOptions) *Keyring {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Keyring{db: db, o: o, rings: map[string][]signingKey{}}
}

// Problem returns why the keys cannot be read now, nil if they can. It may be a vault.ErrNoKey or a
// vault.ErrSealed.
func (k *Keyring) Problem() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.problem
}

// Signer returns the signer for a purpose. It follows Reload.
func (k *Keyring) Signer(p Purpose) vault.Signer {
	return func() [][]byte {
		k.mu.Lock()
		defer k.mu.Unlock()
		return inUse(k.rings[string(p)], p, k.o.Now())
	}
}

// inUse returns a ring's keys at a time: first the one that signs, then the others that verify.
func inUse(ring []signingKey, p Purpose, now time.Time) (keys [][]byte) {
	var early [][]byte // too new to sign
	for i, key := range ring {
		switch {
		case i < len(ring)-1 && now.Before(sqldb.Time(key.MadeAt).Add(signsAfter)):
			early = append(early, key.Key)
		case len(keys) == 0 || now.Before(replacedAt(ring, i).Add(p.lasts())):
			keys = append(keys, key.Key)
		}
	}
	return append(keys, early...)
}

// replacedAt is when the key of a ring ended signing.
func replacedAt(ring []signingKey, i int) time.Time {
	return sqldb.Time(ring[i-1].MadeAt).Add(signsAfter)
}

// Reload reads the keys. The first time it makes those that are missing, and seals those that an earlier
// build kept as they are. A key file is made only if nothing is sealed yet. The error is Problem's, or the
// database's.
func (k *Keyring) Reload(ctx context.Context) error {
	rows, err := selectSecrets(ctx, k.db)
	if err != nil {
		return fmt.Errorf("read the signing keys: %w", err)
	}
	others, err := k.others(ctx, rows)
	if err != nil {
		return err
	}
	v, problem := k.vault(rows, others)
	if problem == nil && !complete(rows) {
		if rows, err = k.complete(ctx, v); err != nil {
			return fmt.Errorf("seal the signing keys: %w", err)
		}
	}
	var rings map[string][]signingKey
	if problem == nil {
		rings, problem = k.open(v, rows)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.problem = problem; problem == nil {
		k.rings = rings
	}
	return problem
}

// Check returns what is wrong with the key file, and changes nothing.
func (k *Keyring) Check(ctx context.Context) error {
	rows, err := selectSecrets(ctx, k.db)
	if err != nil {
		return fmt.Errorf("read the signing keys: %w", err)
	}
	others, err := k.others(ctx, rows)
	if err != nil || len(others) == 0 && !anySealed(rows) {
		return err
	}
	v, err := k.vault(rows, others)
	if err == nil {
		_, err = k.open(v, rows)
	}
	return err
}

// others returns what else is sealed, which tells the right key as long as no signing key does.
func (k *Keyring) others(ctx context.Context, rows map[string]secretRow) (map[string][]byte, error) {
	if k.o.Others == nil || anySealed(rows) {
		return nil, nil
	}
	return k.o.Others(ctx)
}

// vault loads the key, and makes it if nothing is sealed yet.
func (k *Keyring) vault(rows map[string]secretRow, others map[string][]byte) (*vault.Vault, error) {
	load := vault.Load
	if len(others) == 0 && !anySealed(rows) {
		load = vault.LoadOrMake
	}
	v, err := load(k.o.Key)
	if err != nil || len(others) == 0 || anySealed(rows) {
		return v, err
	}
	// The right key opens some of what is sealed. Sealing the signing keys with a wrong one would lose them.
	for purpose, sealed := range others {
		if _, err := v.Open(purpose, sealed); err == nil {
			return v, nil
		}
	}
	return nil, k.wrongKey()
}

func (k *Keyring) wrongKey() error {
	return fmt.Errorf("%w than the one in %s", vault.ErrSealed, k.o.Key)
}

func (k *Keyring) open(v *vault.Vault, rows map[string]secretRow) (map[string][]signingKey, error) {
	rings := map[string][]signingKey{}
	for name, row := range rows {
		ring, err := openRing(v, name, row)
		if errors.Is(err, vault.ErrSealed) {
			return nil, k.wrongKey()
		}
		if err != nil {
			return nil, err
		}
		rings[name] = ring
	}
	return rings, nil
}

func openRing(v *vault.Vault, name string, row secretRow) (ring []signingKey, err error) {
	if !row.sealed {
		return []signingKey{{Key: row.value, MadeAt: row.createdAt}}, nil
	}
	text, err := v.Open(sealedFor(name), row.value)
	if err == nil {
		err = json.Unmarshal(text, &ring)
	}
	return ring, err
}

// sealedFor keeps the signing keys apart from each other and from the accounts' secrets.
func sealedFor(name string) string { return "people_secrets/" + name }

func sealRing(v *vault.Vault, name string, ring []signingKey) (secretRow, error) {
	text, err := json.Marshal(ring)
	if err != nil {
		return secretRow{}, err
	}
	return secretRow{value: v.Seal(sealedFor(name), text), sealed: true, createdAt: ring[len(ring)-1].MadeAt}, nil
}

func anySealed(rows map[string]secretRow) bool {
	for _, row := range rows {
		if row.sealed {
			return true
		}
	}
	return false
}

// complete reports whether every purpose has its keys and all are sealed.
func complete(rows map[string]secretRow) bool {
	for _, p := range purposes() {
		if !rows[string(p)].sealed {
			return false
		}
	}
	return true
}

// complete makes the keys that are missing and seals those that stand as they are. Of two processes that do
// it at the same time, the second finds the work done.
func (k *Keyring) complete(ctx context.Context, v *vault.Vault) (rows map[string]secretRow, err error) {
	err = k.update(ctx, func(tx *sql.Tx, now map[string]secretRow) error {
		rows = now
		for _, p := range purposes() {
			row, there := rows[string(p)]
			if row.sealed {
				continue
			}
			ring := []signingKey{{Key: vault.NewKey(), MadeAt: sqldb.Millis(k.o.Now())}}
			if there {
				ring = []signingKey{{Key: row.value, MadeAt: row.createdAt}}
			}
			sealed, err := sealRing(v, string(p), ring)
			if err == nil {
				err = upsertSecret(ctx, tx, string(p), sealed)
			}
			if err != nil {
				return err
			}
			rows[string(p)] = sealed
		}
		return nil
	})
	return rows, err
}

// update changes secrets, one process at a time. What is replaced is overwritten on the disk.
func (k *Keyring) update(ctx context.Context, do func(tx *sql.Tx, rows map[string]secretRow) error) error {
	return k.db.InTx(ctx, func(tx *sql.Tx) error {
		if err := lockGate(ctx, tx); err != nil {
			return err
		}
		rows, err := selectSecrets(ctx, tx)
		if err != nil {
			return err
		}
		return k.db.Overwriting(ctx, tx, func() error { return do(tx, rows) })
	})
}

// Rotate replaces every signing key by a new one and seals all with the newest key of the key file. What
// the old keys signed stays good until it ends by itself, or with forget ends now: customers of the web
// chat then begin anew. Running services follow at their next Reload.
func (k *Keyring) Rotate(ctx context.Context, forget bool) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	v, err := vault.Load(k.o.Key)
	if err != nil {
		return err
	}
	err = k.update(ctx, func(tx *sql.Tx, rows map[string]secretRow) error {
		for _, p := range purposes() {
			ring, err := openRing(v, string(p), rows[string(p)])
			if err != nil {
				return err
			}
			row, err := sealRing(v, string(p), rotateKeys(ring, p, k.o.Now(), forget))
			if err == nil {
				err = upsertSecret(ctx, tx, string(p), row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rotate the signing keys: %w", err)
	}
	return k.Reload(ctx)
}

// rotateKeys returns the ring with a new key, without those whose signatures have all ended.
func rotateKeys(ring []signingKey, p Purpose, now time.Time, forget bool) []signingKey {
	next := []signingKey{{Key: vault.NewKey(), MadeAt: sqldb.Millis(now)}}
	for i, key := range ring {
		if !forget && len(next) < maxSigningKeys && (i == 0 || now.Before(replacedAt(ring, i).Add(p.lasts()))) {
			next = append(next, key)
		}
	}
	return next
}

// Forget drops all signing keys, so that Reload makes new ones. It is for a database whose key is lost.
func (k *Keyring) Forget(ctx context.Context) error {
	return k.update(ctx, func(tx *sql.Tx, _ map[string]secretRow) error { return deleteSecrets(ctx, tx) })
}
