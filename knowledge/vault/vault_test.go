package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/vault"
)

func TestSeal(t *testing.T) {
	one, two := vault.NewKey(), vault.NewKey()
	v, err := vault.New(one)
	require.NoError(t, err)
	sealed := v.Seal("telegram/shop", []byte("CanarySecret"))
	require.NotContains(t, string(sealed), "Canary")
	opened, err := v.Open("telegram/shop", sealed)
	require.NoError(t, err)
	require.Equal(t, "CanarySecret", string(opened))
	_, err = v.Open("telegram/other", sealed)
	require.ErrorIs(t, err, vault.ErrSealed)

	both, err := vault.New(two, one)
	require.NoError(t, err)
	again, err := both.Reseal("telegram/shop", sealed)
	require.NoError(t, err)
	_, err = v.Open("telegram/shop", again)
	require.ErrorIs(t, err, vault.ErrSealed, "the new key seals")
	_, err = both.Open("telegram/shop", sealed)
	require.NoError(t, err, "the old key opens")
	_, err = vault.New([]byte("short"))
	require.ErrorContains(t, err, "32 bytes")
	_, err = vault.New()
	require.Error(t, err)
}

func TestSigner(t *testing.T) {
	old, fresh := vault.FixedSigner([]byte("old")), vault.FixedSigner([]byte("new"))
	both := vault.Signer(func() [][]byte { return [][]byte{[]byte("new"), []byte("old")} })
	require.Equal(t, fresh.Sign("m"), both.Sign("m"))
	require.True(t, both.Verify("m", old.Sign("m")))
	require.False(t, both.Verify("n", old.Sign("m")))
	for _, none := range []vault.Signer{nil, func() [][]byte { return nil }} {
		require.False(t, none.Ready())
		require.Empty(t, none.Sign("m"))
		require.False(t, none.Verify("m", ""))
	}
}

// Whoever makes the key file at the same time gets the same key, and it is its owner's alone.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	_, err := vault.Load(path)
	require.ErrorIs(t, err, vault.ErrNoKey)
	require.NoFileExists(t, path)
	var g errgroup.Group
	vaults := make([]*vault.Vault, 16)
	for i := range vaults {
		g.Go(func() (err error) { vaults[i], err = vault.LoadOrMake(path); return err })
	}
	require.NoError(t, g.Wait())
	sealed := vaults[0].Seal("p", []byte("x"))
	for _, v := range vaults {
		_, err := v.Open("p", sealed)
		require.NoError(t, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.Equal(t, os.FileMode(0o600), mode())

	first, err := os.ReadFile(path)
	require.NoError(t, err)
	for range 3 { // the file holds the newest and the one before
		before, err := vault.Load(path)
		require.NoError(t, err)
		require.NoError(t, vault.AddKey(path))
		after, err := vault.Load(path)
		require.NoError(t, err)
		_, err = after.Open("p", before.Seal("p", nil))
		require.NoError(t, err)
		_, err = before.Open("p", after.Seal("p", nil))
		require.ErrorIs(t, err, vault.ErrSealed)
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, bytes.Fields(text), 2)
	require.NotContains(t, string(text), strings.TrimSpace(string(first)))
	require.Equal(t, os.FileMode(0o600), mode())
	require.ErrorIs(t, vault.WriteFile(path, string(first)), os.ErrExist)
}

func TestMalformedKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for _, text := range []string{"", "nonsense", "AAAA", strings.Repeat("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 3), strings.Repeat("A", 1<<20)} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := vault.LoadOrMake(path)
		require.ErrorContains(t, err, "malformed")
		require.NotContains(t, err.Error(), "nonsense")
	}
	t.Setenv("FAQBOT_TEST_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	_, err := vault.Load("env:FAQBOT_TEST_KEY")
	require.NoError(t, err)
	require.ErrorContains(t, vault.AddKey("env:FAQBOT_TEST_KEY"), "FAQBOT_TEST_KEY")
	_, err = vault.LoadOrMake("env:FAQBOT_TEST_NONE")
	require.ErrorIs(t, err, vault.ErrNoKey)
}
