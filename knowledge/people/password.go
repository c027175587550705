package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What a new hash costs: OWASP's second choice for argon2id, 19 MiB, so that two at once fit a small
// server. A hash carries its own parameters; one with others is renewed at the next sign-in.
const (
	hashMemory   = 19 * 1024 // KiB
	hashTime     = 2
	hashThreads  = 1
	hashLength   = 32
	saltLength   = 16
	hashesAtOnce = 2
)

const (
	passwordLeast = 10  // characters
	passwordMost  = 200 // characters
)

// checkPassword says why a password will not do for the person of that name.
func checkPassword(password, name string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < passwordLeast:
		return ErrPasswordShort
	case n > passwordMost:
		return ErrPasswordLong
	}
	p, who := fold(password), fold(name)
	if first, _ := utf8.DecodeRuneInString(p); strings.Trim(p, string(first)) == "" {
		return ErrPasswordObvious // one character over and over
	}
	bare := strings.TrimRight(p, "0123456789!?.-_ ")
	obvious := []string{"password", "passwort", "passw0rd", "qwerty", "qwertyuiop", "qwertzuiop", "letmein", "letmeinplease", "welcome", "changeme",
		"iloveyou", "administrator", "admin", "faqbot", "secret", "passwordpassword", "abcdefghij", "asdfghjkl", "correct horse battery staple", "correcthorsebatterystaple"}
	if slices.Contains(obvious, bare) || bare == "" && isRun(p) {
		return ErrPasswordObvious
	}
	if who != "" && (p == who || bare == who || p == strings.Repeat(who, len(p)/len(who))) {
		return ErrPasswordObvious
	}
	return nil
}

// isRun reports whether digits, two or more, only count up, down, or stay.
func isRun(digits string) bool {
	step := (int(digits[1]) - int(digits[0]) + 10) % 10
	for i := 1; i < len(digits); i++ {
		if (int(digits[i])-int(digits[i-1])+10)%10 != step {
			return false
		}
	}
	return step == 0 || step == 1 || step == 9
}

// A hasher computes few hashes at a time: each takes 19 MiB.
type hasher struct{ slots chan struct{} }

func newHasher() hasher { return hasher{slots: make(chan struct{}, hashesAtOnce)} }

// A recipe is the parameters of one hash.
type recipe struct {
	memory, time uint32
	threads      uint8
}

func (h hasher) key(ctx context.Context, password string, salt []byte, r recipe, length uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, r.time, r.memory, r.threads, length), nil
}

// hash is the password as it is stored, in the PHC form "$argon2id$v=19$m=…,t=…,p=…$salt$hash".
func (h hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails
	key, err := h.key(ctx, password, salt, usual(), hashLength)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return prefix(usual()) + enc.EncodeToString(salt) + "$" + enc.EncodeToString(key), nil
}

func usual() recipe { return recipe{memory: hashMemory, time: hashTime, threads: hashThreads} }

func prefix(r recipe) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, r.memory, r.time, r.threads)
}

// matches reports whether password made stored. It takes as long for "", which nothing matches.
func (h hasher) matches(ctx context.Context, password, stored string) (bool, error) {
	if stored == "" {
		_, err := h.key(ctx, password, make([]byte, saltLength), usual(), hashLength)
		return false, err
	}
	r, salt, want, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, password, salt, r, uint32(len(want)))
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// outdated reports whether a hash has other parameters than a new one would.
func outdated(stored string) bool { return !strings.HasPrefix(stored, prefix(usual())) }

func parseHash(stored string) (r recipe, salt, key []byte, err error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 {
		return r, nil, nil, fmt.Errorf("a stored password has %d parts", len(parts))
	}
	var version int
	if _, err = fmt.Sscanf(parts[1]+" "+parts[2]+" "+parts[3], "argon2id v=%d m=%d,t=%d,p=%d", &version, &r.memory, &r.time, &r.threads); err != nil {
		return r, nil, nil, fmt.Errorf("a stored password's parameters: %w", err)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		key, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err == nil && (version != argon2.Version || r.time < 1 || r.threads < 1 || len(salt) < 8 || len(key) < 16) {
		err = fmt.Errorf("a stored password has unknown parameters")
	}
	return r, salt, key, err
}
