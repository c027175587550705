// Package phone knows which spellings of a telephone number are one number. Brazil, Argentina and Mexico write mobile
// numbers with a digit more or less abroad than at home, or than they used to, and networks tell either.
package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Canonical is the one spelling of a number, as E.164 has it without "+", for all spellings that mean it. digits has the
// country's code; what is no such number stays as it is.
func Canonical(digits string) string {
	for _, other := range spellings(digits) {
		if isMobile(other) {
			return other
		}
	}
	return digits
}

// spellings are how E.164 would write a number that leaves out a digit, or has one too many.
func spellings(digits string) []string {
	switch {
	case strings.HasPrefix(digits, "55") && len(digits) == 12 && digits[4] >= '6': // Brazil: a 9 before eight digits that no landline begins with
		return []string{digits[:4] + "9" + digits[4:]}
	case strings.HasPrefix(digits, "54") && len(digits) == 12: // Argentina: a 9 after the country's code
		return []string{"549" + digits[2:]}
	case strings.HasPrefix(digits, "521") && len(digits) == 13: // Mexico: no 1 since 2019
		return []string{"52" + digits[3:]}
	}
	return nil
}

// isMobile reports whether a number is one that mobile telephones have.
func isMobile(digits string) bool {
	n, err := phonenumbers.Parse("+"+digits, "")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return false
	}
	kind := phonenumbers.GetNumberType(n)
	return kind == phonenumbers.MOBILE || kind == phonenumbers.FIXED_LINE_OR_MOBILE
}
