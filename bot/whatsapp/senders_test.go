package whatsapp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSenders(t *testing.T) {
	c := newTest(t, "http://127.0.0.1:1")
	for body, want := range map[string][]string{
		`{"entry":[{"changes":[{"value":{"messages":[{"from":"16505551234","type":"text","id":7}]}}]}]}`: {"16505551234"},
		`{"from_user_id":"US.123456","type":"text"}`:                                                     {"US.123456"},
		`{"from":"16505551234","to":"16505550000","type":"text"}`:                                        nil, // an echo
		`{"from":"16505551234"`: nil, `{"from":"<b>","type":"text"}`: nil, `[]`: nil,
	} {
		require.Equal(t, want, c.Senders([]byte(body)), body)
	}
}
