package bot

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// VaultKeySize is the length of a Vault's key, in bytes.
const VaultKeySize = 32

// ErrVault means that what was sealed cannot be opened: it was sealed with another key, or for another
// account, or was changed.
var ErrVault = errors.New("the secrets were sealed with another key")

// A Vault seals accounts' secrets, so that whoever reads the database alone cannot use them. What is
// sealed for one account opens for no other. AES-256-GCM with random nonces (NIST SP 800-38D).
type Vault struct{ aead cipher.AEAD }

// NewVault returns a Vault with a key of VaultKeySize random bytes, which belongs outside the database.
func NewVault(key []byte) (*Vault, error) {
	if len(key) != VaultKeySize {
		return nil, fmt.Errorf("the key must be %d bytes and is %d", VaultKeySize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Vault{aead: aead}, nil
}

// NewVaultKey makes a key.
func NewVaultKey() []byte {
	key := make([]byte, VaultKeySize)
	rand.Read(key) // never fails
	return key
}

// Seal seals secrets for an account, by its AccountKey.
func (v *Vault) Seal(account string, secrets []byte) []byte {
	return v.aead.Seal(nil, nil, secrets, []byte(account))
}

// Open is what was sealed for an account, or ErrVault.
func (v *Vault) Open(account string, sealed []byte) ([]byte, error) {
	secrets, err := v.aead.Open(nil, nil, sealed, []byte(account))
	if err != nil {
		return nil, ErrVault
	}
	return secrets, nil
}
