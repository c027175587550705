package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// A Signer signs messages with HMAC-SHA256. It returns its keys: the first signs, all of them verify, so
// that a key can be replaced while signatures of the old one are still in customers' hands. It returns
// none while the keys cannot be read; then nothing can be signed and nothing verifies.
type Signer func() [][]byte

// FixedSigner returns a Signer whose key never changes.
func FixedSigner(key []byte) Signer { return func() [][]byte { return [][]byte{key} } }

// Ready reports whether s has a key.
func (s Signer) Ready() bool { return s != nil && len(s()) > 0 }

// Sign returns the signature of message in base64 for URLs, "" without a key.
func (s Signer) Sign(message string) string {
	mac := s.MAC(message)
	if mac == nil {
		return ""
	}
	return encode(mac)
}

// Verify reports whether signature is one that Sign made.
func (s Signer) Verify(message, signature string) bool {
	return s.VerifyMAC(message, signature, encode)
}

// MAC returns the 32 bytes that authenticate message, nil without a key.
func (s Signer) MAC(message string) []byte {
	if s == nil {
		return nil
	}
	keys := s()
	if len(keys) == 0 {
		return nil
	}
	return authenticate(keys[0], message)
}

// VerifyMAC reports whether signature is write of a MAC of message.
func (s Signer) VerifyMAC(message, signature string, write func(mac []byte) string) bool {
	if s == nil {
		return false
	}
	for _, key := range s() {
		if hmac.Equal([]byte(signature), []byte(write(authenticate(key, message)))) {
			return true
		}
	}
	return false
}

func authenticate(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func encode(mac []byte) string { return base64.RawURLEncoding.EncodeToString(mac) }
