package console

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge/media"
	"faqbot/knowledge/vault"
)

const png = "\x89PNG\r\n\x1a\nrest"

// withShelf lets agents send files.
func withShelf(t *testing.T) *office {
	o := open(t)
	require.NoError(t, o.db.Migrate(t.Context(), media.Schema()))
	o.console.o.Shelf, o.console.o.Signer = media.NewStore(o.db, media.Options{}), vault.FixedSigner([]byte("k"))
	return o
}

// post sends fields and files: name, content, …
func (o *office) post(who, path string, fields url.Values, files ...string) (int, string) {
	o.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range fields {
		for _, v := range values {
			require.NoError(o.t, w.WriteField(name, v))
		}
	}
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateFormFile("file", files[i])
		require.NoError(o.t, err)
		_, err = f.Write([]byte(files[i+1]))
		require.NoError(o.t, err)
	}
	require.NoError(o.t, w.Close())
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("X-Who", who)
	r.Header.Set("Content-Type", w.FormDataContentType())
	router := gin.New()
	o.console.Register(router)
	got := httptest.NewRecorder()
	router.ServeHTTP(got, r)
	return got.Code, got.Body.String()
}

// What an agent attached survives that the customer writes meanwhile; it is sent once, and only what this
// agent attached to this ticket can be.
func TestAttachments(t *testing.T) {
	o := withShelf(t)
	tk := o.ticket("acme", "ana")
	at := "/desk/tickets/" + string(tk.ID)
	status, body := o.post("ann", at+"/files", nil, "plan.png", png)
	require.Equal(t, http.StatusOK, status)
	var staged struct{ Token, Words string }
	require.NoError(t, json.Unmarshal([]byte(body), &staged))
	require.Equal(t, "plan.png · 1 kB", staged.Words)
	status, _ = o.post("out", at+"/files", nil, "plan.png", png)
	require.Equal(t, http.StatusNotFound, status)
	status, body = o.post("ann", at+"/files", nil, "a.exe", "MZ\x90\x00\x03\x00\x00")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "a.exe was left out")
	status, _ = o.post("ann", at+"/files", nil)
	require.Equal(t, http.StatusBadRequest, status)

	text, signature, _ := strings.Cut(staged.Token, ".")
	for who, token := range map[string]string{"bob": staged.Token, "ann": text + "." + strings.ToLower(signature), "lea": text} {
		status, body = o.post(who, at+"/reply", url.Values{"key": {"f" + who}, "kept": {token}})
		require.Equal(t, http.StatusUnprocessableEntity, status, "%s with %s", who, token)
		require.Contains(t, body, "The reply is empty")
	}

	seen := o.get("ann", at)
	o.say("acme", "ana", "ana-2", "one more thing")
	o.quiet(tk.Conversation)
	got := o.submit("ann", seen, "#reply", "text", "Here it is.", "kept", staged.Token)
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, got.body, `name="kept" value="`+staged.Token+`" checked`)
	status, body = o.post("ann", at+"/reply", url.Values{"key": {"k"}, "text": {"Here it is."}, "anyway": {"1"}, "kept": {staged.Token, staged.Token}}, "notes.txt", "notes")
	require.Equal(t, http.StatusSeeOther, status, body)
	o.quiet(tk.Conversation)
	said, err := o.conversations.Transcript(t.Context(), tk.Conversation, 0)
	require.NoError(t, err)
	last := said[len(said)-3:] // this network has no room for words under a file
	require.Equal(t, []any{"plan.png", "Here it is.", "notes.txt"}, []any{last[0].Attachments[0].Name, last[1].Text, last[2].Attachments[0].Name})
	require.Len(t, last[0].Attachments[0].Kept, 64)

	var many []string
	for range maxFiles + 1 {
		many = append(many, "a.txt", "text")
	}
	status, body = o.post("ann", at+"/reply", url.Values{"key": {"m"}, "text": {"x"}, "anyway": {"1"}}, many...)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "More than 5 files")
	status, body = o.post("ann", at+"/reply", url.Values{"key": {"n"}, "text": {"x"}}, "large.txt", strings.Repeat("a", media.MaxBytes+1))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "large.txt was left out: at most 20 MB")
}

// Each kind of file is shown as what it is, and what is not here says why.
func TestFileOf(t *testing.T) {
	p := english(t)
	c := &Console{o: Options{Media: func(a bot.Attachment) string { return a.Kept }}}
	for want, a := range map[string]bot.Attachment{
		"image a.png · 2 kB":         {Kind: "photo", Name: "a.png", Type: "image/png", Size: 2048, Kept: "k"},
		"image Sticker":              {Kind: "sticker", Type: "image/webp", Kept: "k"},
		"audio Voice message · 1:05": {Kind: "voice", Type: "video/mp4", Seconds: 65, Kept: "k"},
		"video Video · 2.0 MB":       {Kind: "video", Type: "video/webm", Size: 2 << 20, Kept: "k"},
		" a.pdf":                     {Kind: "document", Name: "a.pdf", Type: "application/pdf", Kept: "k"},
		" page.html":                 {Kind: "photo", Name: "page.html", Type: "text/html", Kept: "k"},
		" Place":                     {Kind: "location"},
	} {
		f := c.fileOf(p, a, false)
		require.Equal(t, want, f.Show+" "+f.Words)
		require.Empty(t, f.Note)
	}
	require.Equal(t, "Being fetched…", c.fileOf(p, bot.Attachment{Kind: "photo", File: "x"}, false).Note)
	for _, why := range []string{bot.LostTooLarge, bot.LostType, bot.LostGone, bot.LostUnreachable, bot.LostNetwork} {
		f := c.fileOf(p, bot.Attachment{Kind: "photo", File: "x", Lost: why}, false)
		require.True(t, f.Lost)
		require.NotEmpty(t, f.Note)
		require.Empty(t, f.Show+f.Href)
	}
	require.Contains(t, c.fileOf(p, bot.Attachment{Kind: "voice", Kept: "k", Unheard: bot.UnheardFailed}, false).Note, "Listen to it")
	link := c.fileOf(p, bot.Attachment{Kind: "photo", Link: "https://x.example/a.png"}, true)
	require.Equal(t, []any{"", "https://x.example/a.png", true}, []any{link.Show, link.Href, link.Away}, "what lies elsewhere is not loaded from there")
}

// What a message points at stands above its words, what was filled in or ordered below, each by what it is, with its
// link.
func TestWhatAMessagePointsAt(t *testing.T) {
	o := open(t)
	conv := o.text("49151", "w1", "How much is this?", func(e *bot.Event) {
		e.Message.Attachments = []bot.Attachment{{Kind: bot.KindProduct, Name: "Blue mug", Link: "https://shop.example/mug"}, {Kind: bot.KindReply, Of: "w0"}}
	})
	o.text("49151", "w2", "", func(e *bot.Event) {
		e.Message.Attachments = []bot.Attachment{{Kind: bot.KindOrder, Name: "2 × mug, 9.90 EUR"}, {Kind: "location", Name: "Main St"}}
	})
	p := o.get("ann", "/desk/conversations/"+string(conv.ID)).page
	require.Equal(t, []string{"About a product: Blue mug · open", "Reply to an earlier message"}, p.words(".points li"))
	require.Equal(t, "https://shop.example/mug", p.one(t, ".points a").attr["href"])
	require.Equal(t, []string{"Order: 2 × mug, 9.90 EUR", "Place: Main St"}, p.words(".files li"))
	require.NotContains(t, p.text(), "Nothing readable")

	o.text("49151", "w3", "", func(e *bot.Event) {
		e.Message.Attachments = []bot.Attachment{{Kind: bot.KindForm, Name: "email: mia@example.com"}}
	})
	require.Equal(t, []string{"Form: email: mia@example.com"}, o.get("ann", "/desk/conversations").page.words("#rows .words"))
}
