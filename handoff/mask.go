package handoff

import (
	"math/big"
	"regexp"
	"strings"
)

// masked stands in place of what nobody needs to read.
const masked = "••••"

// passwordWord is the word before a password.
const passwordWord = `(?i)(?:password|passwort|passcode|kennwort|contraseña|senha|mot de passe|parola|пароль)`

// MaskSecrets is text without card numbers, IBANs and passwords: a ticket's question is shown in lists, and whoever
// answers a question about a payment needs no more than the last four digits.
func MaskSecrets(text string) string {
	for _, secret := range []struct {
		pattern string
		replace func(found string) string
	}{
		{`\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}\b`, maskIBAN},
		{`\b[0-9](?:[ .-]?[0-9]){12,18}\b`, maskCard},
		{passwordWord + `(?:\s+(?:is|ist|lautet|es|é|est)\s*:?|\s*[:=])\s*\S+`, maskPassword}, // "password: correcthorse"
		{passwordWord + `\s+\S*[0-9]\S*`, maskPassword},                                       // "password hunter2"
	} {
		text = regexp.MustCompile(secret.pattern).ReplaceAllStringFunc(text, secret.replace)
	}
	return text
}

func compact(s string) string { return strings.NewReplacer(" ", "", "-", "", ".", "").Replace(s) }

func maskCard(found string) string {
	digits := compact(found)
	if !luhn(digits) {
		return found
	}
	return masked + " " + digits[len(digits)-4:]
}

// luhn reports whether digits end in the check digit that card numbers have (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// maskIBAN masks an account number. Words may follow it that look like a part of it: the longest beginning whose check
// digits are right is the number.
func maskIBAN(found string) string {
	for end := len(found); end > 0; end-- {
		number := strings.ToUpper(compact(found[:end]))
		if len(number) < 15 {
			break
		}
		if last := found[end-1]; last != ' ' && last != '-' && ibanChecks(number) {
			return number[:2] + masked + " " + number[len(number)-4:] + found[end:]
		}
	}
	return found
}

// ibanChecks reports whether the check digits of an IBAN are right: with its first four characters moved to the end and
// letters as numbers from 10 on, it is 1 modulo 97 (ISO 13616).
func ibanChecks(number string) bool {
	var digits strings.Builder
	for _, r := range number[4:] + number[:4] {
		if r >= 'A' && r <= 'Z' {
			digits.WriteString(big.NewInt(int64(r - 'A' + 10)).String())
		} else {
			digits.WriteRune(r)
		}
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

// maskPassword masks the last word of what was found.
func maskPassword(found string) string {
	i := strings.LastIndexAny(found, " \t\n:=")
	return found[:i+1] + masked
}
