// Package vault seals what the database must not give away and signs what customers bring back: the
// secrets of added accounts, and the service's signing keys. It reads and writes the key file. It has no
// SQL; people and bot keep what is sealed.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// KeySize is the length of a key, in bytes.
const KeySize = 32

// ErrSealed means that a sealed value cannot be opened: it was sealed with another key, or for another
// purpose, or was changed.
var ErrSealed = errors.New("the secrets were sealed with another key")

// A Vault seals secrets with AES-256-GCM and random nonces (NIST SP 800-38D), so that whoever reads the
// database alone cannot use them. A secret sealed for one purpose opens for no other. The first key seals;
// all keys open, so that a key can be replaced while rows sealed with the old one exist.
type Vault struct{ keys []cipher.AEAD }

// New returns a Vault with keys of KeySize random bytes, the newest first.
func New(keys ...[]byte) (*Vault, error) {
	v := &Vault{}
	for _, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("the key must be %d bytes and is %d", KeySize, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, aead)
	}
	if len(v.keys) == 0 {
		return nil, errors.New("a vault needs a key")
	}
	return v, nil
}

// NewKey makes a key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails
	return key
}

// Seal seals secrets for a purpose, such as an account's key.
func (v *Vault) Seal(purpose string, secrets []byte) []byte {
	return v.keys[0].Seal(nil, nil, secrets, []byte(purpose))
}

// Open returns the secrets that were sealed for a purpose, or ErrSealed.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	for _, aead := range v.keys {
		if secrets, err := aead.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return secrets, nil
		}
	}
	return nil, ErrSealed
}

// Reseal seals again, with the first key, a value that any of the keys opens.
func (v *Vault) Reseal(purpose string, sealed []byte) ([]byte, error) {
	secrets, err := v.Open(purpose, sealed)
	if err != nil {
		return nil, err
	}
	return v.Seal(purpose, secrets), nil
}
