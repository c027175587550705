package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/telegram/telegramtest"
	kept "faqbot/knowledge/media"
)

// shelf is files by their IDs.
type shelf map[string]string

func (s shelf) Get(_ context.Context, id string) (kept.Blob, []byte, error) {
	data, ok := s[id]
	if !ok {
		return kept.Blob{}, nil, kept.ErrNotFound
	}
	return kept.Blob{ID: id}, []byte(data), nil
}

const jpeg = "\xFF\xD8\xFF\xE0rest"

func TestSendFiles(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	c.files = shelf{"p": jpeg, "v": "\x00\x00\x00\x20ftypisom", "a": "ID3\x04", "d": "%PDF-1.7", "big": jpeg, "g": "GIF89a..."}
	send := func(m bot.Media, words string, choices ...bot.Choice) telegramtest.SentMessage {
		t.Helper()
		_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: words, Media: &m, Choices: choices})
		require.NoError(t, err)
		list := s.Sent(5)
		return list[len(list)-1]
	}
	for _, want := range []struct {
		m    bot.Media
		kind string
	}{
		{bot.Media{Kind: "photo", File: "p", Type: "image/jpeg", Name: `a "b".jpg`, Size: 9}, "photo"},
		{bot.Media{Kind: "photo", File: "big", Type: "image/jpeg", Name: "b.jpg", Size: photoMost + 1}, "document"},
		{bot.Media{Kind: "photo", File: "g", Type: "image/gif", Name: "c.gif"}, "document"},
		{bot.Media{Kind: "video", File: "v", Type: "video/mp4", Name: "d.mp4"}, "video"},
		{bot.Media{Kind: "audio", File: "a", Type: "audio/mpeg", Name: "e.mp3"}, "audio"},
		{bot.Media{Kind: "document", File: "d", Type: "application/pdf", Name: "f.pdf"}, "document"},
	} {
		got := send(want.m, "1 < 2 &amp; 😀", bot.Choice{Label: "A", Payload: "a"})
		require.Equal(t, []any{want.kind, "upload", want.m.Name, "1 < 2 &amp; 😀"}, []any{got.File.Kind, got.File.How, got.File.Name, got.Text})
		require.Equal(t, []telegramtest.Button{{Text: "A", Data: "a"}}, got.Buttons)
		again := send(want.m, "")
		require.Equal(t, []any{want.kind, "id", got.File.ID}, []any{again.File.Kind, again.File.How, again.File.ID}, "it is uploaded once")
	}
	s.ForgetFiles()
	require.Equal(t, "upload", send(bot.Media{Kind: "photo", File: "p", Type: "image/jpeg"}, "").File.How, "a name that means nothing any more")

	s.Publish("https://x.example/a.png", telegramtest.WebFile{Type: "image/png", Data: []byte("png")})
	require.Equal(t, "link", send(bot.Media{Kind: "photo", Link: "https://x.example/a.png"}, "").File.How)

	// The longest words that Limits allow under a file are the longest that Telegram takes, whatever they are.
	longest := strings.Repeat("<", 1022) + "😀"
	require.Equal(t, longest, send(bot.Media{Kind: "photo", File: "p", Type: "image/jpeg"}, longest).Text)
	for m, code := range map[bot.Media]string{
		{Kind: "photo", Link: "https://gone.example/a.png"}:             "400 failed to get http url content",
		{Kind: "photo", File: "nothing", Type: "image/jpeg"}:            "400 wrong file identifier",
		{Kind: "photo", File: "d", Type: "image/jpeg", Name: "not.jpg"}: "400 image_process_failed",
		{Kind: "document", Link: "https://x.example/a.png"}:             "400 wrong type of the web page content",
	} {
		_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: canary, Media: &m})
		refused, ok := errors.AsType[*bot.SendError](err)
		require.True(t, ok)
		require.Equal(t, []any{bot.SendRefused, code}, []any{refused.Kind, refused.Code})
		require.NotContains(t, err.Error(), "CANARY")
	}
	// What may have arrived is in doubt, as with words.
	s.Inject(telegramtest.Fault{Method: "sendPhoto", Drop: true, Accept: true})
	_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Media: &bot.Media{Kind: "photo", File: "p", Type: "image/jpeg"}})
	refused, _ := errors.AsType[*bot.SendError](err)
	require.Equal(t, bot.SendUnknown, refused.Kind)
}

func TestFetch(t *testing.T) {
	s := fake(t)
	c := newTest(t, s.URL())
	fetch := func(kind string, data []byte) (string, error) {
		s.SayFile(7, kind, "n", "", data, "")
		updates := s.Pending()
		require.Positive(t, updates)
		id := strings.ToUpper(kind[:1]) + "AC-file_" + string(rune('0'+updates))
		r, err := c.Fetch(t.Context(), bot.Attachment{Kind: kind, File: id})
		if err != nil {
			require.NotContains(t, err.Error(), "CANARY", "no token")
			return "", err
		}
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		return string(got), nil
	}
	got, err := fetch("voice", []byte("hello"))
	require.NoError(t, err)
	require.Equal(t, "hello", got)
	_, err = fetch("video", bytes.Repeat([]byte("x"), 20<<20+1))
	require.ErrorIs(t, err, bot.ErrNoFile, "Telegram hands out 20 MB")
	_, err = c.Fetch(t.Context(), bot.Attachment{File: "unknown"})
	require.ErrorIs(t, err, bot.ErrNoFile)
	for _, f := range []telegramtest.Fault{{Method: "getFile", Code: 429, RetryAfter: 1}, {Method: "getFile", Drop: true}, {Method: "download", Code: 502}} {
		s.Inject(f)
		_, err := c.Fetch(t.Context(), bot.Attachment{File: "VAC-file_1"})
		require.Error(t, err)
		require.NotErrorIs(t, err, bot.ErrNoFile, "another time it may work")
		require.NotContains(t, err.Error(), "CANARY")
	}
}
