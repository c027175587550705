package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A gallery is a running service with one Telegram account, whose FAQ has files, and people at the desk.
type gallery struct {
	t        *testing.T
	service  *service
	telegram *telegramtest.Server
	base     string
	log      *syncBuffer
	cookies  map[string]string
}

// picture is a PNG file of so many pixels.
func picture(width, height int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))) // memory takes it
	return b.Bytes()
}

// voiceNote is the beginning of an Ogg file with Opus in it.
func voiceNote() []byte {
	return append([]byte("OggS"+strings.Repeat("\x00", 24)+"OpusHead"), make([]byte, 200)...)
}

func newGallery(t *testing.T, dsn, speech string) *gallery {
	network := telegramtest.New(testToken)
	require.NoError(t, network.Start())
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	network.Publish("https://files.shop.example/terms.pdf", telegramtest.WebFile{Type: "application/pdf", Data: []byte("%PDF-1.7")})
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "pictures"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pictures", "plans.png"), picture(64, 48), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), []byte("id,question,answer,media\n"+
		"plans,Which plans are there?,There are three plans.,pictures/plans.png | https://files.shop.example/terms.pdf | https://gone.shop.example/old.mp4\n"+
		"payday,When do you pay commissions?,On the 15th of every month.,nowhere.png\n"), 0o600))
	g, out := openGallery(t, dsn, speech, dir, fmt.Sprintf("[[account]]\nchannel = \"telegram\"\nid = \"shop\"\ntoken = %q\napi_base = %q\nmode = \"poll\"\nlocale = \"en\"\naffiliates = [\"shop\"]\n",
		testToken, network.URL()))
	require.Contains(t, out, `There is no file "nowhere.png"`)
	require.Contains(t, out, "line 3: media:")
	g.telegram = network
	return g
}

// openGallery serves accounts, with dir's faq.csv published for them, and returns what the import said.
func openGallery(t *testing.T, dsn, speech, dir, accounts string) (*gallery, string) {
	g := &gallery{t: t, log: &syncBuffer{}, cookies: map[string]string{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g.base = "http://" + listener.Addr().String()
	if speech != "" {
		speech = fmt.Sprintf("[speech]\nbase_url = %q\nmodel = \"whisper-1\"\nkey = \"SPEECH-canary-key\"\n", speech)
	}
	path := filepath.Join(dir, "faqbot.toml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "[server]\npublic_url = %q\n[database]\ndsn = %q\n%s%s", g.base, dsn, speech, accounts), 0o600))
	if !sqldb.IsPostgres(dsn) {
		sqldbtest.Copy(t, dsn, schemas()...)
	}
	out := &bytes.Buffer{}
	cli := &commands{Config: path}
	require.NoError(t, importCommand{File: filepath.Join(dir, "faq.csv"), Affiliate: "shop", Publish: true}.Run(t.Context(), cli, terminal{out: out, err: out}))
	c, err := loadConfig(path)
	require.NoError(t, err)
	g.service, err = newService(t.Context(), c, newLogger(g.log), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.service.runUntil(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, g.service.close())
	})
	for who, affiliate := range map[string]knowledge.AffiliateID{"ann": "shop", "bob": "other"} {
		require.NoError(t, addDemoPerson(t.Context(), g.service.directory, people.Newcomer{Name: who, Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{affiliate}}))
		g.cookies[who], err = g.service.directory.SignIn(t.Context(), who, demoPassword, people.From{Remote: "127.0.0.1"})
		require.NoError(t, err)
	}
	require.Eventually(t, g.service.searcher.Ready, waittest.Hang, 10*time.Millisecond)
	return g, out.String()
}

// do asks for a page as somebody, "" being a stranger.
func (g *gallery) do(who, method, path string, body io.Reader, header ...string) (int, http.Header, string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), waittest.Hang)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, g.base+path, body)
	require.NoError(g.t, err)
	if who != "" {
		r.AddCookie(&http.Cookie{Name: "faqbot", Value: g.cookies[who]})
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(g.t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	require.NoError(g.t, res.Body.Close())
	return res.StatusCode, res.Header, string(data)
}

// shown waits until a page matches.
func (g *gallery) shown(who, path, pattern string) []string {
	g.t.Helper()
	var found []string
	require.Eventually(g.t, func() bool {
		_, _, body := g.do(who, http.MethodGet, path, nil)
		found = regexp.MustCompile(pattern).FindStringSubmatch(body)
		return found != nil
	}, waittest.Hang, 20*time.Millisecond, "%s never shows %s", path, pattern)
	for i := range found {
		found[i] = html.UnescapeString(found[i])
	}
	return found
}

// conversation is the address of the only conversation at the desk.
func (g *gallery) conversation() string {
	return "/desk/conversations/" + g.shown("ann", "/desk/conversations", `href="/desk/conversations/([A-Z0-9]+)`)[1]
}

func (g *gallery) sent(chat int64, n int) []telegramtest.SentMessage {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), waittest.Hang)
	defer cancel()
	list, err := g.telegram.WaitSent(ctx, chat, n)
	require.NoError(g.t, err)
	return list
}

func onGalleries(t *testing.T, speech string, test func(t *testing.T, g *gallery)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newGallery(t, sqldbtest.SQLite(t), speech)) })
	t.Run("postgres", func(t *testing.T) { test(t, newGallery(t, sqldbtest.Postgres(t), speech)) })
}

// A customer's picture and document are shown at the desk, to those who may see them; an entry's files and an
// agent's go out natively, in order.
func TestFilesInAndOut(t *testing.T) {
	t.Parallel()
	onGalleries(t, "", func(t *testing.T, g *gallery) {
		const chat = 77
		photo := picture(20, 10)
		g.telegram.SayFile(chat, "photo", "", "image/jpeg", photo, "which plans are there, canaryone")
		sent := g.sent(chat, 3)
		require.Equal(t, commandDisclosure+"\n\nThere are three plans.", sent[0].Text)
		require.Equal(t, []any{"photo", "plans.png", picture(64, 48), "upload"}, []any{sent[0].File.Kind, sent[0].File.Name, sent[0].File.Data, sent[0].File.How})
		require.Equal(t, []any{"document", []byte("%PDF-1.7"), "link"}, []any{sent[1].File.Kind, sent[1].File.Data, sent[1].File.How})
		require.Nil(t, sent[2].File, "Telegram does not get what is not there: the link goes instead")
		require.Equal(t, "https://gone.shop.example/old.mp4", sent[2].Text)

		at := g.conversation()
		href := g.shown("ann", at, `<img src="(/desk/media/[0-9a-f]{64}[^"]*)" alt="Picture`)[1]
		status, header, body := g.do("ann", http.MethodGet, href, nil)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, string(photo), body)
		require.Equal(t, []string{"image/png", "nosniff"}, []string{header.Get("Content-Type"), header.Get("X-Content-Type-Options")})
		status, _, _ = g.do("bob", http.MethodGet, href, nil)
		require.Equal(t, http.StatusNotFound, status, "another affiliate's")
		status, _, _ = g.do("", http.MethodGet, href, nil)
		require.Equal(t, http.StatusSeeOther, status)

		g.telegram.SayFile(chat, "document", "evil.html", "text/html", []byte("<html><script>alert(1)</script>"), "thanks")
		g.telegram.SayFile(chat, "document", "canary terms.pdf", "application/pdf", []byte("%PDF-1.4 x"), "thanks")
		g.shown("ann", at, `evil\.html[^<]*</span><span class="file-note">Not kept: files of this kind`)
		doc := g.shown("ann", at, `href="(/desk/media/[0-9a-f]{64}\?name=canary[^"]*)"[^>]*download`)[1]
		_, header, _ = g.do("ann", http.MethodGet, doc, nil)
		require.Equal(t, `attachment; filename="canary terms.pdf"`, header.Get("Content-Disposition"))
		require.Contains(t, header.Get("Content-Security-Policy"), "sandbox")

		g.sent(chat, 4) // the thanks is answered, once: both files were one turn
		before := len(g.sent(chat, 4))
		g.telegram.Say(chat, "/human")
		g.sent(chat, before+1)
		ticket := g.shown("ann", "/desk", `href="(/desk/tickets/[A-Z0-9]+)`)[1]
		key := g.shown("ann", ticket, `name="key" value="([A-Z0-9]+)"`)[1]
		for range 2 { // twice, as by a double click
			var form bytes.Buffer
			w := multipart.NewWriter(&form)
			require.NoError(t, w.WriteField("key", key))
			require.NoError(t, w.WriteField("text", "Here is your plan, canarytwo"))
			f, err := w.CreateFormFile("file", "your plan.png")
			require.NoError(t, err)
			_, err = f.Write(picture(30, 30))
			require.NoError(t, err)
			f, err = w.CreateFormFile("file", "notes.txt")
			require.NoError(t, err)
			_, err = f.Write([]byte("some notes"))
			require.NoError(t, err)
			require.NoError(t, w.Close())
			status, _, body = g.do("ann", http.MethodPost, ticket+"/reply", &form, "Content-Type", w.FormDataContentType())
			require.Equal(t, http.StatusSeeOther, status, body)
		}
		list := g.sent(chat, before+3)[before+1:]
		require.Equal(t, []any{"Here is your plan, canarytwo", "photo", "your plan.png", picture(30, 30)}, []any{list[0].Text, list[0].File.Kind, list[0].File.Name, list[0].File.Data})
		require.Equal(t, []any{"", "document", "notes.txt"}, []any{list[1].Text, list[1].File.Kind, list[1].File.Name})
		g.shown("ann", ticket, `<img src="/desk/media/[^"]*" alt="your plan\.png`)
		g.telegram.Say(chat, "a last word")
		g.shown("ann", ticket, "a last word")
		require.Len(t, g.sent(chat, before+3), before+3, "nothing is sent twice")

		// The next customer gets the entry's picture by the name that Telegram gave it.
		g.telegram.Say(78, "which plans are there")
		require.Equal(t, "id", g.sent(78, 1)[0].File.How)
		require.NotContains(t, g.log.String(), "canary")
		require.NotContains(t, g.log.String(), "TestToken")
	})
}

// A voice note is answered by what is said in it, if somebody listens.
func TestVoiceNoteIsAnswered(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	speech := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, err := r.FormFile("file")
		if broken.Load() || err != nil || r.Header.Get("Authorization") != "Bearer SPEECH-canary-key" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"text": "When do you pay commissions, canarythree?"})
	}))
	t.Cleanup(speech.Close)
	onGalleries(t, speech.URL+"/v1", func(t *testing.T, g *gallery) {
		broken.Store(false)
		g.telegram.SayFile(5, "voice", "", "audio/ogg", voiceNote(), "")
		require.Equal(t, commandDisclosure+"\n\nOn the 15th of every month.", g.sent(5, 1)[0].Text)
		at := g.conversation()
		page := g.shown("ann", at, `(?s)canarythree\?.*Transcribed from the recording.*<audio controls[^>]* src="(/desk/media/[0-9a-f]{64}[^"]*)"`)
		_, header, body := g.do("ann", http.MethodGet, page[1], nil)
		require.Equal(t, "audio/ogg", header.Get("Content-Type"))
		require.Equal(t, string(voiceNote()), body)

		broken.Store(true)
		g.telegram.SayFile(5, "voice", "", "audio/ogg", append(voiceNote(), 1), "")
		m := g.sent(5, 2)[1]
		require.Contains(t, m.Text, "can't listen to voice messages")
		require.Equal(t, "Talk to a person", m.Buttons[0].Text)
		g.shown("ann", at, "Could not be transcribed. Listen to it.")
		require.NotContains(t, g.log.String(), "canary")
	})
}

// Without a speech service a voice note is acknowledged, and a person is offered who can listen to it.
func TestVoiceNoteWithoutSpeech(t *testing.T) {
	t.Parallel()
	onGalleries(t, "", func(t *testing.T, g *gallery) {
		g.telegram.SayFile(5, "voice", "", "audio/ogg", voiceNote(), "")
		m := g.sent(5, 1)[0]
		require.Contains(t, m.Text, "can't listen to voice messages")
		require.Equal(t, []string{"Talk to a person", "Rephrase my question"}, []string{m.Buttons[0].Text, m.Buttons[1].Text})
		g.telegram.Tap(5, m.ID, m.Buttons[0].Data)
		require.Contains(t, g.sent(5, 2)[1].Text, "passing you to a person")
		ticket := g.shown("ann", "/desk", `href="(/desk/tickets/[A-Z0-9]+)`)[1]
		g.shown("ann", ticket, `<audio controls[^>]* src="/desk/media/`)

		// With words beside it, the words are answered and the note is still not passed over.
		g.telegram.SayFile(6, "voice", "", "audio/ogg", voiceNote(), "when do you pay commissions")
		list := g.sent(6, 2)
		require.Contains(t, list[0].Text, commandDisclosure+"\n\n")
		require.Contains(t, list[0].Text, "can't listen to voice messages")
		require.Equal(t, "On the 15th of every month.", list[1].Text)
	})
}

// A link to a file of ours opens for whoever has it, until it ends; nobody can make one.
func TestMediaLinks(t *testing.T) {
	t.Parallel()
	g := newGallery(t, sqldbtest.SQLite(t), "")
	files, err := g.service.corpus.Files(t.Context(), "shop")
	require.NoError(t, err)
	require.Len(t, files, 1)
	link := strings.TrimPrefix(g.service.links.link(files[0]), g.base)
	status, header, body := g.do("", http.MethodGet, link, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, string(picture(64, 48)), body)
	require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
	require.Contains(t, header.Get("Content-Security-Policy"), "sandbox")
	for _, forged := range []string{strings.Replace(link, "until=", "until=9", 1), strings.Replace(link, "plans.png", "other.png", 1), strings.Split(link, "?")[0], link + "x"} {
		status, _, _ := g.do("", http.MethodGet, forged, nil)
		require.Equal(t, http.StatusNotFound, status, forged)
	}
	key, _, err := g.service.directory.AddKey(t.Context(), people.Operator, "shop", "x")
	require.NoError(t, err)
	_, _, body = g.do("", http.MethodPost, "/api/ask", strings.NewReader(`{"id":"1","text":"which plans are there?"}`), "Authorization", "Bearer "+key)
	var answer apiAnswer
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.Equal(t, []string{"There are three plans."}, answer.Replies)
	require.Len(t, answer.Media, 3)
	require.Equal(t, []any{"photo", "plans.png"}, []any{answer.Media[0].Kind, answer.Media[0].Name})
	status, _, _ = g.do("", http.MethodGet, strings.TrimPrefix(answer.Media[0].Link, g.base), nil)
	require.Equal(t, http.StatusOK, status)

	late := *g.service.links
	late.now = func() time.Time { return time.Now().Add(-mediaLinkLife - time.Minute) }
	status, _, body = g.do("", http.MethodGet, strings.TrimPrefix(late.link(files[0]), g.base), nil)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, body, "the link has ended")
}
