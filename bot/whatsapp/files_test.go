package whatsapp

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/graphapi"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/media"
)

const (
	canary = "CANARY-words"
	png    = "\x89PNG\r\n\x1a\n"
)

// shelf is files by their IDs.
type shelf map[string]string

func (s shelf) Get(_ context.Context, id string) (media.Blob, []byte, error) {
	data, ok := s[id]
	if !ok {
		return media.Blob{}, nil, media.ErrNotFound
	}
	return media.Blob{ID: id}, []byte(data), nil
}

// Files of ours are uploaded and shown as what they are, with their words and names where there are any.
func TestSendFiles(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	c.uploads = graphapi.NewUploader(c.api, shelf{"p": png, "v": "\x00\x00\x00\x20ftypisom", "a": "ID3\x04", "d": "%PDF-1.7", "t": "words"})
	send := func(m bot.Media) (graphtest.Sent, error) {
		t.Helper()
		if _, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: canary, Media: &m, Quote: "wamid.IN"}); err != nil {
			return graphtest.Sent{}, err
		}
		list := a.Sent(customer)
		return list[len(list)-1], nil
	}
	for _, test := range []struct {
		m                       bot.Media
		kind, words, name, data string
	}{
		{bot.Media{Kind: "photo", File: "p", Type: "image/png", Name: "a.png", Size: 5 << 20}, "image", canary, "", png},
		{bot.Media{Kind: "video", File: "v", Type: "video/mp4", Name: "b.mp4", Size: 16 << 20}, "video", canary, "", "\x00\x00\x00\x20ftypisom"},
		{bot.Media{Kind: "audio", File: "a", Type: "audio/mpeg", Name: "c.mp3"}, "audio", "", "", "ID3\x04"},
		{bot.Media{Kind: "document", File: "d", Type: "application/pdf", Name: "Überweisung \"1\".pdf"}, "document", canary, "Überweisung \"1\".pdf", "%PDF-1.7"},
		{bot.Media{Kind: "document", File: "t", Type: "text/plain; charset=utf-8", Name: "e.txt"}, "document", canary, "e.txt", "words"},
	} {
		got, err := send(test.m)
		require.NoError(t, err)
		require.Equal(t, []string{test.kind, test.words, test.name, test.data, "", "wamid.IN", string(delivery)},
			[]string{got.Type, got.Text, got.Name, string(got.Data), got.Link, got.Context, got.Opaque})
	}
	uploads := a.Calls("media")
	again := bot.Media{Kind: "photo", File: "p", Type: "image/png", Name: "a.png"}
	_, err := send(again)
	require.NoError(t, err)
	require.Equal(t, uploads, a.Calls("media"), "it is uploaded once")
	a.ForgetUploads()
	_, err = send(again)
	require.NoError(t, err)
	require.Equal(t, uploads+1, a.Calls("media"), "until WhatsApp has forgotten it")

	calls := a.Calls("messages")
	for what, m := range map[string]bot.Media{
		"a picture of another kind": {Kind: "photo", File: "p", Type: "image/gif"}, "too large": {Kind: "photo", File: "p", Type: "image/png", Size: 5<<20 + 1},
		"too large a video": {Kind: "video", File: "v", Type: "video/mp4", Size: 16<<20 + 1}, "sound of another kind": {Kind: "audio", File: "a", Type: "audio/wav"},
		"not there": {Kind: "photo", File: "x", Type: "image/png"}, "by its link": {Kind: "photo", File: "p", Link: "https://x.example/a", Type: "image/webp"},
	} {
		_, err := send(m)
		refused, ok := errors.AsType[*bot.SendError](err)
		require.True(t, ok, what)
		require.Equal(t, bot.SendRefused, refused.Kind, what)
		require.NotContains(t, err.Error(), "CANARY")
	}
	require.Equal(t, calls, a.Calls("messages"), "nothing was sent")
}

// A file of somebody else's is fetched by WhatsApp from where it lies.
func TestSendLinkedFiles(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	for kind, want := range map[string]string{"photo": "image", "video": "video", "audio": "audio", "document": "document", "hologram": "document"} {
		r := bot.Reply{Text: "see", Media: &bot.Media{Kind: kind, Link: "https://x.example/a", Name: "a.pdf"}}
		_, err := c.Send(t.Context(), to(customer), delivery, r)
		require.NoError(t, err)
		list := a.Sent(customer)
		got := list[len(list)-1]
		require.Equal(t, want, got.Type)
		require.Equal(t, "https://x.example/a", got.Link)
		require.Equal(t, map[bool]string{true: "", false: "see"}[kind == "audio"], got.Text)
	}
	_, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: canary, Media: &bot.Media{Kind: "photo", File: "p", Type: "image/png"}})
	require.ErrorContains(t, err, "no address")
	full := bot.Reply{Text: strings.Repeat("x", 1024), Media: &bot.Media{Kind: "photo", Link: "https://x.example/a"}}
	require.Len(t, fit.Split(full, c.Limits()), 1)
	_, err = c.Send(t.Context(), to(customer), delivery, full)
	require.NoError(t, err)
	full.Text += "x"
	require.Len(t, fit.Split(full, c.Limits()), 2)
}

func TestFetch(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	a.Put("77", graphtest.File{Type: "image/jpeg", Data: []byte("\xff\xd8picture")})
	f, err := c.Fetch(t.Context(), bot.Attachment{Kind: "photo", File: "77"})
	require.NoError(t, err)
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "\xff\xd8picture", string(data))
	for _, wrong := range []string{"78", "", "../x", "77?x", "https://evil.example"} {
		_, err := c.Fetch(t.Context(), bot.Attachment{File: wrong})
		require.Error(t, err, wrong)
		require.NotContains(t, err.Error(), testToken)
	}
}
