package webchat

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"

	"faqbot/knowledge/vault"
)

func TestConformance(t *testing.T) {
	channeltest.Run(t, func(stage channeltest.Stage) *channeltest.Harness {
		t := stage.T
		account := bot.Account{Channel: "webchat", ID: "shop"}
		c, err := New(account, Options{IdentitySecret: secret})
		require.NoError(t, err)
		registry := bot.NewRegistry()
		registry.Put(account, c)
		site, err := NewSite(registry, SiteOptions{Signer: vault.FixedSigner(bytes.Repeat([]byte("k"), 32)), Log: stage.Log, Conversations: stage.Conversations, Accept: stage.Intake.Accept, Media: stage.Shelf})
		require.NoError(t, err)
		visitor := site.newVisitor(c)
		var base string
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
			Start: func(hook string) { base = hook },
			Say:   func(hook string, n int, text string) *http.Request { return say(hook, visitor.token, n, text) },
			Forged: func(hook string) []*http.Request {
				off := []byte(visitor.token)
				off[len(off)-2] ^= 1
				return []*http.Request{say(hook, string(off), 1, "x"), say(hook, visitor.token[:len(visitor.token)-1], 1, "x"), say(hook, "", 1, "x"),
					say(hook, site.visitorCalled(&Channel{account: bot.Account{ID: "other"}}, visitor.customer).token, 1, "x")}
			},
			Media: channeltest.Media{AtOnce: true, Voice: channeltest.File{Kind: "audio", Name: "hello.ogg", Type: "audio/ogg", Data: channeltest.OggVoice().Data},
				Say: func(hook string, n int, f channeltest.File) *http.Request {
					return sayFile(t, hook, visitor.token, n, f)
				},
				Got: func() []channeltest.Got { return got(t, site, c, visitor, base) },
			},
		}
	})
}

// sayFile is a visitor's form with a file.
func sayFile(t *testing.T, hook, token string, n int, f channeltest.File) *http.Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	require.NoError(t, w.WriteField("key", fmt.Sprint("key-0000", n)))
	require.NoError(t, w.WriteField("text", f.Words))
	part, err := w.CreateFormFile("file", cmp.Or(f.Name, "a"))
	require.NoError(t, err)
	_, err = part.Write(f.Data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook+"/chat/shop/messages", &b)
	require.NoError(t, err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Visitor "+token)
	r.Header.Set("Accept", "application/json")
	return r
}

// got is what a visitor's page shows of ours, its files fetched as the page does.
func got(t *testing.T, site *Site, c *Channel, who visitor, base string) (list []channeltest.Got) {
	t.Helper()
	conv, err := site.o.Conversations.Find(t.Context(), c.address(who.customer))
	require.NoError(t, err)
	messages, err := site.o.Conversations.Transcript(t.Context(), conv.ID, 0)
	require.NoError(t, err)
	for _, m := range messages {
		if m.Author == bot.AuthorCustomer {
			continue
		}
		g := channeltest.Got{Words: m.Text}
		for _, f := range site.filesOf(c, m) {
			g.Kind, g.Name = f.Show, f.Name
			res, err := http.Get(base + f.Href)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, res.StatusCode)
			g.Data, err = io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
		}
		list = append(list, g)
	}
	return list
}
