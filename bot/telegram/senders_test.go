package telegram

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSenders(t *testing.T) {
	c := newTest(t, "")
	for body, want := range map[string][]string{
		`{"message":{"message_id":"no number","chat":{"id":7000000000005,"type":"private"}}}`: {"7000000000005"},
		`{"message":{"message_id":1,"chat":{"id":-5,"type":"group"}}}`:                        nil,
		`{"message":{"chat":{"id":5,"type":"private"}}}`:                                      nil, `{`: nil,
	} {
		require.Equal(t, want, c.Senders([]byte(body)), body)
	}
}
