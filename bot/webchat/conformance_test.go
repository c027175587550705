package webchat

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
)

func TestConformance(t *testing.T) {
	channeltest.Run(t, func(stage channeltest.Stage) *channeltest.Harness {
		t := stage.T
		account := bot.Account{Channel: "webchat", ID: "shop"}
		c, err := New(account, Options{IdentitySecret: secret})
		require.NoError(t, err)
		site, err := NewSite([]*Channel{c}, SiteOptions{Key: bytes.Repeat([]byte("k"), 32), Log: stage.Log, Conversations: stage.Conversations, Accept: stage.Intake.Accept})
		require.NoError(t, err)
		visitor := site.newVisitor(c)
		say := func(hook, token string, n int, text string) *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook+"/chat/shop/messages",
				strings.NewReader(url.Values{"key": {fmt.Sprint("key-0000", n)}, "text": {text}}.Encode()))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", "Visitor "+token)
			r.Header.Set("Accept", "application/json")
			return r
		}
		return &channeltest.Harness{Account: account, Channel: c, Customer: visitor.customer, Secrets: []string{secret, visitor.token},
			Mount: func(r gin.IRouter) { site.Register(r) },
			Say:   func(hook string, n int, text string) *http.Request { return say(hook, visitor.token, n, text) },
			Forged: func(hook string) []*http.Request {
				off := []byte(visitor.token)
				off[len(off)-2] ^= 1
				return []*http.Request{say(hook, string(off), 1, "x"), say(hook, visitor.token[:len(visitor.token)-1], 1, "x"), say(hook, "", 1, "x"),
					say(hook, site.visitorCalled(&Channel{account: bot.Account{ID: "other"}}, visitor.customer).token, 1, "x")}
			},
		}
	})
}
