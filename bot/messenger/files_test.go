package messenger

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/graphapi"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/media"
)

const png = "\x89PNG\r\n\x1a\n"

// shelf is files by their IDs.
type shelf map[string]string

func (s shelf) Get(_ context.Context, id string) (media.Blob, []byte, error) {
	data, ok := s[id]
	if !ok {
		return media.Blob{}, nil, media.ErrNotFound
	}
	return media.Blob{ID: id}, []byte(data), nil
}

var files = shelf{"p": png, "g": "GIF89a", "v": "\x00\x00\x00\x20ftypisom", "a": "ID3\x04", "m": "\x00\x00\x00\x20ftypM4A ", "d": "%PDF-1.7", "t": "words"}

// Files of ours are uploaded and shown as what they are. Instagram takes fewer kinds.
func TestSendFiles(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		c.uploads = graphapi.NewUploader(c.api, files)
		send := func(m bot.Media) (graphtest.Sent, error) {
			t.Helper()
			if _, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Media: &m, Quote: "m_IN"}); err != nil {
				return graphtest.Sent{}, err
			}
			list := a.Sent(customer)
			return list[len(list)-1], nil
		}
		for _, test := range []struct {
			m           bot.Media
			kind, there string // on Messenger, on Instagram
		}{
			{bot.Media{Kind: "photo", File: "p", Type: "image/png", Name: "a.png", Size: 8 << 20}, "image", "image"},
			{bot.Media{Kind: "photo", File: "p", Type: "image/png", Name: "a.png", Size: 8<<20 + 1}, "file", ""},
			{bot.Media{Kind: "photo", File: "g", Type: "image/gif", Name: "b.gif"}, "image", "image"},
			{bot.Media{Kind: "photo", File: "p", Type: "image/webp", Name: "c.webp"}, "file", ""},
			{bot.Media{Kind: "video", File: "v", Type: "video/mp4", Name: "d.mp4", Size: 20 << 20}, "video", "video"},
			{bot.Media{Kind: "audio", File: "a", Type: "audio/mpeg", Name: "e.mp3"}, "audio", ""},
			{bot.Media{Kind: "audio", File: "m", Type: "audio/mp4", Name: "f.m4a"}, "audio", "audio"},
			{bot.Media{Kind: "document", File: "d", Type: "application/pdf", Name: "Überweisung \"1\".pdf"}, "file", "file"},
			{bot.Media{Kind: "document", File: "t", Type: "text/plain; charset=utf-8", Name: "h.txt"}, "file", ""},
			{bot.Media{Kind: "document", File: "d", Type: "application/pdf", Name: "i.pdf", Size: 25<<20 + 1}, "", ""},
			{bot.Media{Kind: "photo", File: "x", Type: "image/png", Name: "gone.png"}, "", ""},
		} {
			want, name := test.kind, test.m.Name
			if c.instagram {
				want = test.there
				if test.m.Name == "Überweisung \"1\".pdf" {
					name = "file.pdf"
				}
			}
			got, err := send(test.m)
			if want == "" {
				refused, ok := errors.AsType[*bot.SendError](err)
				require.True(t, ok)
				require.Equal(t, bot.SendRefused, refused.Kind)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, []string{want, name, files[test.m.File], ""}, []string{got.Type, got.Name, string(got.Data), got.Link}, test.m.Name)
		}
		uploads := a.Calls("message_attachments")
		m := bot.Media{Kind: "photo", File: "p", Type: "image/png", Name: "a.png"}
		_, err := send(m)
		require.NoError(t, err)
		require.Equal(t, uploads, a.Calls("message_attachments"), "it is uploaded once")
		a.ForgetUploads()
		_, err = send(m)
		require.NoError(t, err)
		require.Equal(t, uploads+1, a.Calls("message_attachments"), "until Meta has forgotten it")

		m.Link = "https://bot.example/a"
		got, err := send(m)
		require.NoError(t, err)
		require.Equal(t, c.instagram, got.Link == m.Link, "Instagram fetches what it can")
		require.Equal(t, uploads+1, a.Calls("message_attachments"))

		a.CloseWindow(customer, 3*24*time.Hour)
		_, err = c.Send(t.Context(), to(customer), delivery, bot.Reply{Media: &m, Agent: "ann"})
		require.NoError(t, err)
		list := a.Sent(customer)
		require.Equal(t, "HUMAN_AGENT", list[len(list)-1].Tag)
	})
}

// An account that was connected with Instagram login has no uploads: what has no address goes nowhere.
func TestInstagramLogin(t *testing.T) {
	c, err := New(bot.Account{Channel: "instagram", ID: "main"}, Options{Page: "1", Token: testToken, APIBase: "https://graph.instagram.com", Files: files, Log: quiet()})
	require.NoError(t, err)
	_, err = c.Send(t.Context(), to(customer), delivery, bot.Reply{Media: &bot.Media{Kind: "photo", File: "p", Type: "image/png"}})
	require.ErrorContains(t, err, "no address")
}

// A file of somebody else's is fetched by Meta from where it lies.
func TestSendLinkedFiles(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		for kind, want := range map[string]string{"photo": "image", "video": "video", "audio": "audio", "document": "file"} {
			r := bot.Reply{Text: "see", Media: &bot.Media{Kind: kind, Link: "https://x.example/a", Name: "a.pdf"}}
			parts := fit.Split(r, c.Limits())
			require.Len(t, parts, 2, "files come without words here")
			_, err := c.Send(t.Context(), to(customer), delivery, parts[0])
			if c.instagram && kind == "document" { // it may be of any type
				require.ErrorContains(t, err, "does not carry")
				continue
			}
			require.NoError(t, err)
			list := a.Sent(customer)
			got := list[len(list)-1]
			require.Equal(t, want, got.Type)
			require.Equal(t, "https://x.example/a", got.Link)
		}
	})
}

func TestFetch(t *testing.T) {
	s, a := fake(t, "messenger")
	c := newTest(t, "messenger", s.URL())
	address := a.Put("77", graphtest.File{Type: "image/jpeg", Data: []byte("picture")})
	f, err := c.Fetch(t.Context(), bot.Attachment{Kind: "photo", File: address})
	require.NoError(t, err)
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "picture", string(data))
	for _, wrong := range []string{"", "http://169.254.169.254/latest", "https://evil.example/x", "file:///etc/passwd"} {
		_, err := c.Fetch(t.Context(), bot.Attachment{File: wrong})
		require.Error(t, err)
	}
}
