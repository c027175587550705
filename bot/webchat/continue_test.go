package webchat

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// A visitor asks for a link to another channel, opens it there, and is the same customer.
func TestGoOnInAnotherChannel(t *testing.T) {
	s := openShop(t)
	_, empty, _ := s.get("/chat/shop", nil)
	require.Contains(t, empty, `value="telegram/acmebot"`)
	require.Regexp(t, `id="ways"[^>]* hidden`, empty, "nothing was said yet")
	b := s.browse("shop")
	status, _, _ := b.post("/continue", url.Values{"to": {"telegram/acmebot"}})
	require.Equal(t, http.StatusBadRequest, status, "nothing to go on with")
	b.say(1, "how do I join")
	b.open(0).until("answered", says("Fill in"))

	for _, to := range []string{"", "telegram/rival", "webchat/other"} {
		status, _, _ = b.post("/continue", url.Values{"to": {to}})
		require.Equal(t, http.StatusBadRequest, status, to)
	}
	status, body, _ := b.post("/continue", url.Values{"to": {"telegram/acmebot"}})
	require.Equal(t, http.StatusOK, status, body)
	var answer struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.True(t, strings.HasPrefix(answer.URL, "https://t.me/acmebot?start=l_"), answer.URL)

	require.NoError(t, s.accept(t.Context(), s.elsewhere, []bot.Event{{Address: bot.Address{Channel: "telegram", Account: "acmebot", Customer: "7"}, ExternalID: "u1",
		At: time.Now(), Message: &bot.Inbound{Text: "/start", Ref: answer.URL[len("https://t.me/acmebot?start="):]}}}))
	here, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
	require.NoError(t, err)
	there, err := s.conversations.Find(t.Context(), bot.Address{Channel: "telegram", Account: "acmebot", Customer: "7"})
	require.NoError(t, err)
	require.Equal(t, here.Customer, there.Customer)
	s.later(time.Minute)
	status, _, _ = b.post("/continue", url.Values{"to": {"telegram/acmebot"}})
	require.Equal(t, http.StatusBadRequest, status, "they are there already")

	// Without JavaScript the page comes back with the link.
	c := s.browse("shop")
	c.say(1, "how do I join")
	status, page, _ := c.post("/continue", url.Values{"to": {"telegram/acmebot"}}, func(r *http.Request) { r.Header.Set("Accept", "text/html") })
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `href="https://t.me/acmebot?start=l_`)
	require.Contains(t, page, "It works once and expires in 15 minutes.")

	other := s.browse("shop")
	status, _, _ = other.post("/continue", url.Values{"to": {"telegram/acmebot"}}, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	require.Equal(t, http.StatusForbidden, status)
}
