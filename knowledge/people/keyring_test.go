package people_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
)

// onKeyrings runs a test on both databases with a clock and a key file that is not there yet.
func onKeyrings(t *testing.T, test func(t *testing.T, db *sqldb.DB, c *clock, key string)) {
	sqldbtest.Run(t, []sqldb.Schema{people.Schema()}, func(t *testing.T, db *sqldb.DB) {
		test(t, db, newClock(), filepath.Join(t.TempDir(), "key"))
	})
}

func newRing(t *testing.T, db *sqldb.DB, c *clock, key string) *people.Keyring {
	t.Helper()
	k := people.NewKeyring(db, people.KeyringOptions{Key: key, Now: c.now})
	require.NoError(t, k.Reload(t.Context()))
	return k
}

// stored is what the database keeps.
func stored(t *testing.T, db *sqldb.DB) (values [][]byte, sealed int) {
	t.Helper()
	require.NoError(t, sqldb.Each(t.Context(), db, func(r *sql.Rows) error {
		var value []byte
		var is bool
		err := r.Scan(&value, &is)
		values = append(values, value)
		if is {
			sealed++
		}
		return err
	}, `SELECT value, sealed FROM people_secrets`))
	return values, sealed
}

// Processes that start at the same time on an empty database make one key file and one key per purpose, and
// the database alone does not give them away.
func TestKeysAreMadeOnce(t *testing.T) {
	onKeyrings(t, func(t *testing.T, db *sqldb.DB, c *clock, key string) {
		var g errgroup.Group
		signed := make([]string, 8)
		for i := range signed {
			g.Go(func() error {
				k := people.NewKeyring(db, people.KeyringOptions{Key: key, Now: c.now})
				err := k.Reload(t.Context())
				signed[i] = k.Signer(people.VisitorTokens).Sign("visitor")
				return err
			})
		}
		require.NoError(t, g.Wait())
		require.Len(t, signed[0], 43)
		for _, s := range signed {
			require.Equal(t, signed[0], s)
		}
		k := newRing(t, db, c, key)
		require.NotEqual(t, signed[0], k.Signer(people.MediaLinks).Sign("visitor"), "each purpose has its own key")
		info, err := os.Stat(key)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		values, sealed := stored(t, db)
		require.Equal(t, len(values), sealed)
		for _, value := range values {
			require.NotContains(t, string(value), `"Key"`)
		}
	})
}

// What an earlier build kept as it is, is sealed and goes on verifying; nothing of it stays in the file.
func TestPlainKeysAreSealed(t *testing.T) {
	onKeyrings(t, func(t *testing.T, db *sqldb.DB, c *clock, key string) {
		plain := []byte("CanaryCanaryCanaryCanaryCanary32")
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO people_secrets (name, value, created_at) VALUES ('webchat visitors', $1, 1)`, plain)
			return err
		}))
		token := vault.FixedSigner(plain).Sign("visitor")
		k := newRing(t, db, c, key)
		require.True(t, k.Signer(people.VisitorTokens).Verify("visitor", token))
		require.Equal(t, token, k.Signer(people.VisitorTokens).Sign("visitor"))
		values, sealed := stored(t, db)
		require.Equal(t, len(values), sealed)
		for _, value := range values {
			require.NotContains(t, string(value), "Canary")
		}
		if db.Postgres() {
			return
		}
		var path string
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path))
		require.NoError(t, db.TakeAlone(t.Context())) // moves the log into the file
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.False(t, bytes.Contains(data, []byte("Canary")), "what was replaced is overwritten")
	})
}

// A missing, wrong or malformed key is said, no new one is made over what is sealed, the keys in memory go on,
// and the right key back is enough.
func TestKeyFileGone(t *testing.T) {
	onKeyrings(t, func(t *testing.T, db *sqldb.DB, c *clock, key string) {
		k := newRing(t, db, c, key)
		token := k.Signer(people.VisitorTokens).Sign("visitor")
		right, err := os.ReadFile(key)
		require.NoError(t, err)
		wrong := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		for text, want := range map[string]error{"": vault.ErrNoKey, wrong: vault.ErrSealed} {
			require.NoError(t, os.Remove(key))
			if text != "" {
				require.NoError(t, os.WriteFile(key, []byte(text), 0o600))
			}
			require.ErrorIs(t, k.Reload(t.Context()), want)
			require.ErrorIs(t, k.Problem(), want)
			require.True(t, k.Signer(people.VisitorTokens).Verify("visitor", token), "who runs goes on")
			fresh := people.NewKeyring(db, people.KeyringOptions{Key: key, Now: c.now})
			require.ErrorIs(t, fresh.Reload(t.Context()), want)
			require.ErrorIs(t, fresh.Check(t.Context()), want)
			require.False(t, fresh.Signer(people.VisitorTokens).Ready())
			require.Empty(t, fresh.Signer(people.VisitorTokens).Sign("visitor"))
			require.False(t, fresh.Signer(people.VisitorTokens).Verify("visitor", ""))
			require.Error(t, fresh.Rotate(t.Context(), false))
			if text == "" {
				require.NoFileExists(t, key)
				require.NoError(t, os.WriteFile(key, []byte(wrong), 0o600)) // to be removed
			}
		}
		require.NoError(t, os.WriteFile(key, right, 0o600))
		require.NoError(t, k.Reload(t.Context()))
		require.NoError(t, k.Problem())
		require.Equal(t, token, k.Signer(people.VisitorTokens).Sign("visitor"))
	})
}

// Accounts that were sealed before the signing keys tell a wrong key: nothing is sealed with it.
func TestKeyThatFitsNoAccount(t *testing.T) {
	onKeyrings(t, func(t *testing.T, db *sqldb.DB, c *clock, key string) {
		other, err := vault.New(vault.NewKey())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(key, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600))
		k := people.NewKeyring(db, people.KeyringOptions{Key: key, Now: c.now, Others: func(context.Context) (map[string][]byte, error) {
			return map[string][]byte{"telegram/shop": other.Seal("telegram/shop", []byte("token"))}, nil
		}})
		require.ErrorIs(t, k.Reload(t.Context()), vault.ErrSealed)
		values, _ := stored(t, db)
		require.Empty(t, values)
	})
}

// After a rotation what the old keys signed is good until it ends by itself, in every process, also in one
// that has not yet read the new keys; a rotation after a theft ends it at once.
func TestRotate(t *testing.T) {
	onKeyrings(t, func(t *testing.T, db *sqldb.DB, c *clock, key string) {
		here, elsewhere := newRing(t, db, c, key), newRing(t, db, c, key)
		visitors := here.Signer(people.VisitorTokens)
		old, link := visitors.Sign("visitor"), here.Signer(people.MediaLinks).Sign("file")
		require.NoError(t, vault.AddKey(key))
		require.NoError(t, here.Rotate(t.Context(), false))
		require.Equal(t, old, visitors.Sign("visitor"), "others do not know the new key yet")
		c.move(30 * time.Second)
		require.NoError(t, elsewhere.Reload(t.Context()))
		c.move(31 * time.Second)
		fresh := visitors.Sign("visitor")
		require.NotEqual(t, old, fresh)
		for _, k := range []*people.Keyring{here, elsewhere, newRing(t, db, c, key)} {
			require.True(t, k.Signer(people.VisitorTokens).Verify("visitor", fresh))
			require.True(t, k.Signer(people.VisitorTokens).Verify("visitor", old))
			require.True(t, k.Signer(people.MediaLinks).Verify("file", link))
		}
		c.move(8 * 24 * time.Hour)
		require.False(t, here.Signer(people.MediaLinks).Verify("file", link), "links end after a week")
		require.True(t, visitors.Verify("visitor", old))
		c.move(180 * 24 * time.Hour)
		require.False(t, visitors.Verify("visitor", old))
		require.True(t, visitors.Verify("visitor", fresh))

		require.NoError(t, here.Rotate(t.Context(), true))
		require.False(t, visitors.Verify("visitor", fresh))
		require.True(t, visitors.Verify("visitor", visitors.Sign("visitor")))
		for range 20 {
			require.NoError(t, here.Rotate(t.Context(), false))
		}
		require.LessOrEqual(t, len(visitors()), 8)

		// The old sealing key opens nothing of what is in the database now.
		text, err := os.ReadFile(key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(key, bytes.Fields(text)[1], 0o600))
		require.ErrorIs(t, here.Reload(t.Context()), vault.ErrSealed)
	})
}
