package webchat

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
)

// A page has the account's tag in any of the forms that the guide and older builds gave, and only then.
func TestTagIsFound(t *testing.T) {
	s := network.Settings{Channel: "webchat", ID: "shop", Origins: []string{"https://shop.example", "https://*.lane.example"}}
	const home = "https://bot.example"
	for html, want := range map[string]network.Finding{
		tag(s, home): {Tag: true},
		`<SCRIPT async src='https://bot.example/chat/shop/widget.js'></SCRIPT>`:                                                          {Tag: true},
		`<script src="https://bot.example/chat/widget.js" data-account="shop" async></script>`:                                           {Tag: true},
		`<script src=https://bot.example/chat/widget.js?locale=es&amp;account=shop></script>`:                                            {Tag: true},
		`<script src="https://bot.example/chat/other/widget.js"></script>` + tag(s, home):                                                {Tag: true, Other: true},
		`<script src="https://bot.example/chat/other/widget.js"></script>`:                                                               {Other: true},
		`<script src="https://old.example/chat/shop/widget.js"></script>`:                                                                {Elsewhere: true},
		`<script src="/chat/shop/widget.js"></script>`:                                                                                   {Elsewhere: true},
		`<script src="https://www.googletagmanager.com/gtag/js"></script><script>"https://www.googletagmanager.com/gtm.js?id="</script>`: {Manager: true},
		"<!-- " + tag(s, home) + " -->":                                                                                                  {},
		`<p>chat/shop/widget.js</p><script src="%zz"></script>`:                                                                          {},
	} {
		got := find(s, home, "https://shop.example/a?b", []byte(html))
		want.Origin, want.Allowed = "https://shop.example", true
		require.Equal(t, want, got, html)
	}
	for address, allowed := range map[string]bool{
		"https://bot.example/": true, "https://shop.example/": true, "https://a.b.lane.example/x": true,
		"https://lane.example/": false, "http://shop.example/": false, "https://evilshop.example/": false, "https://shop.example:8443/": false, "https://shop.example.evil/": false,
	} {
		require.Equal(t, allowed, find(s, home, address, nil).Allowed, address)
	}
}

// What an account says wrongly is told by its field.
func TestSettingsOfAChat(t *testing.T) {
	for field, change := range map[string]func(*network.Settings){
		"id":        func(s *network.Settings) { s.ID = "widget.js" },
		"color":     func(s *network.Settings) { s.Color = "red;}" },
		"position":  func(s *network.Settings) { s.Position = "top" },
		"suggested": func(s *network.Settings) { s.Suggested = make([]string, maxSuggested+1) },
		"welcome":   func(s *network.Settings) { s.Welcome = strings.Repeat("x", maxWelcome+1) },
		"origins":   func(s *network.Settings) { s.Origins = []string{"https://shop.example/path"} },
	} {
		s := network.Settings{Channel: "webchat", ID: "shop", Color: "#0f766e", Position: "left", Origins: []string{"https://shop.example"}}
		require.NoError(t, complete(&s))
		change(&s)
		var wrong *network.FieldError
		require.ErrorAs(t, complete(&s), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	var s, again network.Settings
	for name, value := range map[string]string{"name": "Shop", "welcome": "Hi", "origins": "https://a.example\n\nhttps://b.example", "suggested": "When?\r\nHow?", "color": "#000000", "position": "right"} {
		s.Set(name, value)
	}
	data, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, s, again, "an added account keeps all of it")
	require.Equal(t, "When?\nHow?", again.Get("suggested"))
}

// The account's own script brings its looks; its questions come before those of the FAQ.
func TestOwnWidget(t *testing.T) {
	s := openShop(t, func(o *Options, _ *SiteOptions) {
		o.Color, o.Position, o.Suggested = "#123456", "left", []string{"What do you sell?"}
	})
	status, script, header := s.get("/chat/shop/widget.js", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "cross-origin", header.Get("Cross-Origin-Resource-Policy"))
	look := regexp.MustCompile(`const look = (\{.*\})`).FindStringSubmatch(script)
	require.NotNil(t, look)
	require.JSONEq(t, `{"account":"shop","color":"#123456","position":"left"}`, look[1])
	status, _, _ = s.get("/chat/nobody/widget.js", nil)
	require.Equal(t, http.StatusNotFound, status)
	_, page, _ := s.get("/chat/shop", nil)
	require.Contains(t, page, "What do you sell?")
	require.NotContains(t, page, "How do I join?")
}
