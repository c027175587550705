package graphapi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
)

// The vectors' HMACs were computed apart from this code.
func TestVerify(t *testing.T) {
	const key = "test-app-secret"
	body := `{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1,"message":{"mid":"m_1","text":"\u00e4\u00f6\u00e5 \ud83d\ude00 https:\/\/a.b\/c"}}]}]}`
	right := "sha256=b1b200b066794672774fd630cc2ea1938e35ae13366d16b877ef2239fb5703bb"
	header := func(v string) http.Header {
		h := http.Header{}
		h.Set("x-hub-signature-256", v)
		return h
	}
	require.NoError(t, Verify([]string{key}, header("sha256=c84a394cc475525991e78ff16e430b02e47f953877d2af0ade26956ce6f384dc"),
		[]byte(`{"object":"whatsapp_business_account","entry":[]}`)))
	require.NoError(t, Verify([]string{key}, header(right), []byte(body)))
	require.NoError(t, Verify([]string{"new", key, "other"}, header(right), []byte(body)), "while one secret replaces another")
	require.Equal(t, right, graphtest.Sign(key, []byte(body)), "the fake signs as Meta does")

	again := `{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1,"message":{"mid":"m_1","text":"äöå 😀 https://a.b/c"}}]}]}`
	require.Error(t, Verify([]string{key}, header(right), []byte(again)), "the same JSON in other bytes")
	require.NoError(t, Verify([]string{key}, header("sha256=c1335789fc34ab454d68fe376b4182e7971fb7336d6d93506d122db3fa1c88af"), []byte(again)))

	for _, wrong := range []string{"", "sha256=", right[:len(right)-1], right + "0", right[:len(right)-1] + "c", strings.ToUpper(right),
		"sha256=" + strings.ToUpper(right[7:]), right[7:], "sha1=" + right[7:], " " + right, "sha256=" + strings.Repeat("z", 64)} {
		err := Verify([]string{key}, header(wrong), []byte(body))
		require.Error(t, err, wrong)
		require.NotContains(t, err.Error(), key)
	}
	require.Error(t, Verify([]string{key}, http.Header{}, []byte(body)))
	require.Error(t, Verify([]string{"other"}, header(right), []byte(body)))
	require.Error(t, Verify(nil, header(right), []byte(body)))
	require.Error(t, Verify([]string{key}, header(right), []byte(body+" ")))
}

func TestChallenge(t *testing.T) {
	query := func(s string) url.Values {
		v, err := url.ParseQuery(s)
		require.NoError(t, err)
		return v
	}
	answer, ok := Challenge(query("hub.mode=subscribe&hub.challenge=11%3C%25d&hub.verify_token=T"), "T")
	require.True(t, ok)
	require.Equal(t, "11<%d", answer)
	for _, wrong := range []string{"", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=t", "hub.challenge=1&hub.verify_token=T",
		"hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=T", "hub.mode=subscribe&hub.challenge=1"} {
		_, ok := Challenge(query(wrong), "T")
		require.False(t, ok, wrong)
	}
	_, ok = Challenge(query("hub.mode=subscribe&hub.challenge=1&hub.verify_token="), "")
	require.False(t, ok, "no token is nobody's")
}

func TestDeliveryID(t *testing.T) {
	require.EqualValues(t, "ABCDEFGHIJKLMNOPQRSTUVWXY2", DeliveryID("ABCDEFGHIJKLMNOPQRSTUVWXY2"))
	for _, other := range []string{"", "order 7", "ABCDEFGHIJKLMNOPQRSTUVWXY1", "ABCDEFGHIJKLMNOPQRSTUVWXY22", "abcdefghijklmnopqrstuvwxy2"} {
		require.Empty(t, DeliveryID(other))
	}
}
