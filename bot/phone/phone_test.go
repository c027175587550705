package phone

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCanonical(t *testing.T) {
	for spelt, want := range map[string]string{
		"551187654321":  "5511987654321", // Brazil, as WhatsApp still names many
		"5511987654321": "5511987654321",
		"551132654321":  "551132654321", // a landline
		"541123456789":  "5491123456789",
		"5491123456789": "5491123456789",
		"5215512345678": "525512345678",
		"525512345678":  "525512345678",
		"4915112345678": "4915112345678",
		"14155550123":   "14155550123",
		"52155":         "52155",
		"":              "",
	} {
		require.Equal(t, want, Canonical(spelt), spelt)
	}
}
