package webchat

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/network"
)

// A preview is the widget with settings that nobody saved. It shows what the affiliate says of themselves, as a saved chat
// does, and takes nothing.
func TestPreview(t *testing.T) {
	s := openShop(t, func(_ *Options, so *SiteOptions) {
		so.Brand = func(context.Context, bot.Account, string) (Brand, error) {
			return Brand{Name: "Acme Deals", Disclosure: "Some links pay us.", Imprint: "https://acme.example/imprint"}, nil
		}
	})
	get := func(path string) (int, string) {
		res, err := s.server.Client().Get(s.server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode, string(body)
	}
	address, err := s.site.Preview(network.Settings{Channel: "webchat", ID: "new", Name: "Not saved", Welcome: "Ahoy", Color: "#112233", Affiliates: []string{"acme"}})
	require.NoError(t, err)
	status, body := get(address)
	require.Equal(t, http.StatusOK, status)
	chat := strings.TrimSuffix(address, "/preview")
	require.Contains(t, body, chat+"/widget.js")
	_, body = get(chat + "/widget.js")
	require.Contains(t, body, "#112233")
	status, body = get(chat)
	require.Equal(t, http.StatusOK, status)
	for _, shown := range []string{"Not saved", "Ahoy", "Some links pay us.", `href="https://acme.example/imprint"`} {
		require.Contains(t, body, shown)
	}
	res, err := s.server.Client().PostForm(s.server.URL+chat+"/messages", url.Values{"text": {"hello"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	status, _ = get("/chat/shop/preview")
	require.Equal(t, http.StatusNotFound, status, "a chat that is saved has no preview")
	_, body = get("/chat/shop")
	require.Contains(t, body, "Some links pay us.")

	for range previewsMost {
		_, err = s.site.Preview(network.Settings{Channel: "webchat", ID: "new"})
		require.NoError(t, err)
	}
	status, _ = get(chat)
	require.Equal(t, http.StatusNotFound, status, "the oldest is forgotten")
}
