package handoff

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What could be misused does not stand in lists; numbers that are none of these stay.
func TestMaskSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"My card 4111 1111 1111 1111 was charged twice":        "My card •••• 1111 was charged twice",
		"5500-0000-0000-0004, and 378282246310005.":            "•••• 0004, and •••• 0005.",
		"Order 4111 1111 1111 1112 is late":                    "Order 4111 1111 1111 1112 is late",
		"Pay to DE89 3704 0044 0532 0130 00 please":            "Pay to DE•••• 3000 please",
		"Norway's are the shortest: NO93 8601 1117 947":        "Norway's are the shortest: NO•••• 7947",
		"IBAN: gb82west12345698765432":                         "IBAN: GB•••• 5432",
		"Pay to DE88 3704 0044 0532 0130 00 please":            "Pay to DE88 3704 0044 0532 0130 00 please",
		"my password is hunter2 and it fails":                  "my password is •••• and it fails",
		"Password: correcthorse":                               "Password: ••••",
		"mi contraseña es secreta":                             "mi contraseña es ••••",
		"мой пароль: тайна":                                    "мой пароль: ••••",
		"senha abc123!":                                        "senha ••••",
		"I forgot my password and cannot log in":               "I forgot my password and cannot log in",
		"Call me on +49 151 2345 6789":                         "Call me on +49 151 2345 6789",
		"How do I get paid?":                                   "How do I get paid?",
		"¿Cómo cambio mi contraseña?":                          "¿Cómo cambio mi contraseña?",
		"where is order 1234567890123456789012 from yesterday": "where is order 1234567890123456789012 from yesterday",
	} {
		require.Equal(t, want, MaskSecrets(text))
	}
}
