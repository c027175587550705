package main

import (
	"errors"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy that nobody named is warned about once in the log, and at /channels from then on.
func TestProxyThatNobodyTrusts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	log := &syncBuffer{}
	h.service.log.SetOutput(log)
	channels := func(forwardedFor string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/channels", nil)
		require.NoError(t, err)
		r.AddCookie(&http.Cookie{Name: "faqbot", Value: h.cookies["lead"]})
		if forwardedFor != "" {
			r.Header.Set("X-Forwarded-For", forwardedFor)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, errors.Join(err, res.Body.Close()))
		return html.UnescapeString(string(body))
	}
	require.NotContains(t, channels(""), "trusted_proxies")
	require.Contains(t, channels("192.0.2.1"), "Requests come through a proxy, and [server] trusted_proxies is empty")
	require.Contains(t, channels(""), "trusted_proxies = [")
	channels("192.0.2.2")
	require.Equal(t, 1, strings.Count(log.String(), "trusted_proxies is empty"))
}

func TestBehindProxy(t *testing.T) {
	for what, c := range map[string]struct {
		listen, url, certificate string
		trusted                  []string
		want                     bool
	}{
		"a proxy that is not named": {listen: "127.0.0.1:8080", url: "https://bot.example.com", want: true},
		"by name":                   {listen: "localhost:8080", url: "https://bot.example.com", want: true},
		"IPv6":                      {listen: "[::1]:8080", url: "https://bot.example.com", want: true},
		"named":                     {listen: "127.0.0.1:8080", url: "https://bot.example.com", trusted: []string{"127.0.0.1"}},
		"no https":                  {listen: "127.0.0.1:8080", url: "http://bot.example.com"},
		"our own certificate":       {listen: "127.0.0.1:443", url: "https://bot.example.com", certificate: "c.pem"},
		"open to the world":         {listen: ":443", url: "https://bot.example.com"},
	} {
		var conf config
		conf.Server.Listen, conf.Server.PublicURL, conf.Server.Certificate, conf.Server.TrustedProxies = c.listen, c.url, c.certificate, c.trusted
		require.Equal(t, c.want, conf.behindProxy(), what)
	}
}
