package messenger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSenders(t *testing.T) {
	c := newTest(t, "messenger", "http://127.0.0.1:1")
	for body, want := range map[string][]string{
		`{"entry":[{"messaging":[{"sender":{"id":"777"},"message":{"mid":7}}]}]}`: {"777"},
		`{"sender":{"id":"777"},"postback":{}}`:                                   {"777"},
		`{"sender":{"id":"777"},"message":{"is_echo":true}}`:                      nil,
		`{"sender":{"id":"777"},"delivery":{}}`:                                   nil, `{"sender":{"id":"x"},"message":{}}`: nil, `{`: nil,
	} {
		require.Equal(t, want, c.Senders([]byte(body)), body)
	}
}
