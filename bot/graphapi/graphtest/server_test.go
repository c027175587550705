package graphtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/waittest"
)

// A hook hears webhooks and refuses the first few.
type hook struct {
	mu      sync.Mutex
	bodies  []string
	signed  []string
	refuses int
	url     string
}

func newHook(t *testing.T, refuses int) *hook {
	t.Helper()
	h := &hook{refuses: refuses}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.refuses > 0 || err != nil {
			h.refuses--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		h.bodies, h.signed = append(h.bodies, string(body)), append(h.signed, r.Header.Get("X-Hub-Signature-256"))
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *hook) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.bodies...)
}

func start(t *testing.T, kind string) (*graphtest.Server, *graphtest.Account) {
	t.Helper()
	s := graphtest.New()
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, s.Add(graphtest.AccountOptions{Kind: kind, ID: "5", Business: "9", Token: "T", Secret: "test-app-secret", AppID: "7"})
}

func call(t *testing.T, s *graphtest.Server, token, path, body string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	require.NoError(t, res.Body.Close())
	return res.StatusCode, answer
}

func code(answer map[string]any) float64 {
	e, _ := answer["error"].(map[string]any)
	n, _ := e["code"].(float64)
	return n
}

func wait(t *testing.T, a *graphtest.Account, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	require.NoError(t, a.Wait(ctx, done))
}

// Bodies are escaped as Meta's are, signed as they stand, and posted until they are taken.
func TestWebhooks(t *testing.T) {
	_, a := start(t, graphtest.WhatsApp)
	h := newHook(t, 3)
	a.Say("16505551234", "äö 😀 https://a.b/c")
	a.Say("16505551234", "second")
	a.Hook(h.url)
	wait(t, a, func() bool { return a.Pending() == 0 })
	require.Equal(t, 3, a.Refused())
	require.Equal(t, 2, a.Delivered())
	bodies := h.heard()
	require.Len(t, bodies, 2)
	require.Contains(t, bodies[0], `\u00e4\u00f6 \ud83d\ude00 https:\/\/a.b\/c`)
	require.Contains(t, bodies[1], "second", "a customer's messages keep their order")
	require.Equal(t, graphtest.Sign("test-app-secret", []byte(bodies[0])), h.signed[0])
	require.Equal(t, "sha256=c84a394cc475525991e78ff16e430b02e47f953877d2af0ade26956ce6f384dc", graphtest.Sign("test-app-secret", []byte(`{"object":"whatsapp_business_account","entry":[]}`)))
}

func TestWhatsAppChecks(t *testing.T) {
	s, a := start(t, graphtest.WhatsApp)
	a.Know("16505551234")
	text := `{"messaging_product":"whatsapp","to":"+16505551234","type":"text","text":{"body":"` + strings.Repeat("é", 4096) + `"}}`
	for _, test := range []struct {
		name, token, path, body string
		status                  int
		code                    float64
	}{
		{"good", "T", "/v25.0/5/messages", text, 200, 0},
		{"no token", "X", "/v25.0/5/messages", text, 401, 190},
		{"another number", "T", "/v25.0/6/messages", text, 400, 100},
		{"no product", "T", "/v25.0/5/messages", `{"to":"+16505551234","type":"text","text":{"body":"x"}}`, 400, 100},
		{"no plus", "T", "/v25.0/5/messages", strings.Replace(text, "+", "", 1), 400, 131009},
		{"too long", "T", "/v25.0/5/messages", strings.Replace(text, `"body":"`, `"body":"x`, 1), 400, 131009},
		{"empty", "T", "/v25.0/5/messages", `{"messaging_product":"whatsapp","to":"+16505551234","type":"text","text":{"body":" "}}`, 400, 131009},
		{"no content", "T", "/v25.0/5/messages", `{"messaging_product":"whatsapp","to":"+16505551234","type":"text"}`, 400, 131008},
		{"not read by us", "T", "/v25.0/5/messages", `{"messaging_product":"whatsapp","status":"read","message_id":"x"}`, 400, 131009},
		{"not JSON", "T", "/v25.0/5/messages", `{`, 400, 100},
		{"no edge", "T", "/v25.0/5/tea", `{}`, 400, 100},
		{"no version", "T", "/5/messages", `{}`, 400, 2500},
	} {
		status, answer := call(t, s, test.token, test.path, test.body)
		require.Equal(t, test.status, status, test.name)
		require.InDelta(t, test.code, code(answer), 0, test.name)
	}
	require.Len(t, a.Sent("16505551234"), 1)
	a.SetMoods(graphtest.Moods{Paced: true})
	_, answer := call(t, s, "T", "/v25.0/5/messages", text)
	require.InDelta(t, 131056, code(answer), 0)
}

// A closed window and a customer who blocked us show at once or only later, as a status.
func TestWhatsAppLateFailures(t *testing.T) {
	s, a := start(t, graphtest.WhatsApp)
	h := newHook(t, 0)
	a.Hook(h.url)
	a.CloseWindow("16505551234", 25*time.Hour)
	body := `{"messaging_product":"whatsapp","to":"+16505551234","type":"text","text":{"body":"x"},"biz_opaque_callback_data":"mine"}`
	_, answer := call(t, s, "T", "/v25.0/5/messages", body)
	require.InDelta(t, 131047, code(answer), 0)
	a.SetMoods(graphtest.Moods{Async: true})
	status, _ := call(t, s, "T", "/v25.0/5/messages", body)
	require.Equal(t, 200, status)
	a.Know("16505551234")
	a.Block("16505551234")
	status, _ = call(t, s, "T", "/v25.0/5/messages", body)
	require.Equal(t, 200, status)
	wait(t, a, func() bool { return a.Pending() == 0 })
	all := strings.Join(h.heard(), "\n")
	for _, part := range []string{`"code":131047`, `"code":131026`, `"biz_opaque_callback_data":"mine"`, `"status":"failed"`} {
		require.Contains(t, all, part)
	}
	require.Empty(t, a.Sent("16505551234"))
}

func TestPageChecks(t *testing.T) {
	s, a := start(t, graphtest.Instagram)
	h := newHook(t, 0)
	a.Hook(h.url)
	a.Know("11")
	send := func(message string) float64 {
		_, answer := call(t, s, "T", "/v25.0/me/messages", `{"recipient":{"id":"11"},"messaging_type":"RESPONSE","message":`+message+`}`)
		return code(answer)
	}
	a.SetMoods(graphtest.Moods{Early: 1})
	require.Zero(t, send(`{"text":"`+strings.Repeat("é", 500)+`"}`))
	require.NotEmpty(t, h.heard(), "the echo came before the answer")
	require.Contains(t, h.heard()[0], `"is_echo":true`)
	for _, wrong := range []string{`{"text":"` + strings.Repeat("é", 500) + `x"}`, `{}`, `{"text":"x","attachment":{"type":"image","payload":{"url":"u"}}}`,
		`{"text":"x","quick_replies":[{"content_type":"text","title":"more than twenty chars","payload":"p"}]}`,
		`{"text":"x","quick_replies":[` + strings.TrimSuffix(strings.Repeat(`{"content_type":"text","title":"a","payload":"p"},`, 14), ",") + `]}`} {
		require.InDelta(t, 100, send(wrong), 0, wrong)
	}
	a.Block("11")
	require.InDelta(t, 551, send(`{"text":"x"}`), 0)
}

// form uploads data and returns the ID or the code of the refusal.
func form(t *testing.T, s *graphtest.Server, path, name, kind string, data []byte, fields ...string) (id string, refused float64) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, w.WriteField(fields[i], fields[i+1]))
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition("file", name)}, "Content-Type": {kind}})
	require.NoError(t, err)
	_, err = part.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, &b)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer T")
	r.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	require.NoError(t, res.Body.Close())
	for _, field := range []string{"id", "attachment_id"} {
		if v, ok := answer[field].(string); ok {
			id = v
		}
	}
	return id, code(answer)
}

const png = "\x89PNG\r\n\x1a\n"

// What WhatsApp does not take it refuses at once, and what it cannot deliver only later.
func TestWhatsAppUploads(t *testing.T) {
	s, a := start(t, graphtest.WhatsApp)
	h := newHook(t, 0)
	a.Hook(h.url)
	a.Know("16505551234")
	good := []string{"messaging_product", "whatsapp", "type", "image/png"}
	id, refused := form(t, s, "/v25.0/5/media", "a.png", "image/png", []byte(png), good...)
	require.Zero(t, refused)
	for what, test := range map[string]struct {
		kind   string
		data   int
		fields []string
		code   float64
	}{
		"no product": {"image/png", 1, good[2:], 100}, "no type": {"image/png", 1, good[:2], 100}, "empty": {"image/png", 0, good, 100},
		"a kind": {"image/gif", 1, good, 100}, "unknown": {"application/octet-stream", 1, good, 100},
		"largest picture": {"image/png", 5 << 20, good, 0}, "too large a picture": {"image/png", 5<<20 + 1, good, 131053},
		"largest sound": {"audio/ogg", 16 << 20, good, 0}, "too large a sound": {"audio/ogg", 16<<20 + 1, good, 131053},
		"larger document": {"application/pdf", 16<<20 + 1, good, 0},
	} {
		_, refused := form(t, s, "/v25.0/5/media", "a", test.kind, make([]byte, test.data), test.fields...)
		require.InDelta(t, test.code, refused, 0, what)
	}
	send := func(kind, file string) float64 {
		_, answer := call(t, s, "T", "/v25.0/5/messages", `{"messaging_product":"whatsapp","to":"+16505551234","type":"`+kind+`","`+kind+`":{`+file+`}}`)
		return code(answer)
	}
	require.Zero(t, send("image", `"id":"`+id+`","caption":"see"`))
	require.Equal(t, []string{"see", png}, []string{a.Sent("16505551234")[0].Text, string(a.Sent("16505551234")[0].Data)})
	require.InDelta(t, 100, send("image", `"id":"77"`), 0, "an ID that it never gave")
	require.InDelta(t, 131008, send("image", `"caption":"see"`), 0)
	require.InDelta(t, 100, send("audio", `"link":"https://x.example/a","caption":"see"`), 0, "sound has no words")
	require.InDelta(t, 100, send("image", `"id":"`+id+`","filename":"a.png"`), 0)
	a.Lose("https://x.example/gone")
	for _, late := range []float64{send("video", `"id":"`+id+`"`), send("image", `"link":"https://x.example/gone"`)} {
		require.Zero(t, late)
	}
	wait(t, a, func() bool { return a.Pending() == 0 })
	require.Equal(t, 2, strings.Count(strings.Join(h.heard(), ""), `"code":131053`))
	require.Len(t, a.Sent("16505551234"), 1)
	a.ForgetUploads()
	require.InDelta(t, 100, send("image", `"id":"`+id+`"`), 0)
}

func TestPageUploads(t *testing.T) {
	for _, kind := range []string{graphtest.Messenger, graphtest.Instagram} {
		s, a := start(t, kind)
		a.Know("11")
		attach := func(as, name, mediaType string, data []byte, more ...string) (string, float64) {
			return form(t, s, "/v25.0/me/message_attachments", name, mediaType, data, append(more, "message", `{"attachment":{"type":"`+as+`","payload":{"is_reusable":true}}}`)...)
		}
		send := func(attachment string) float64 {
			_, answer := call(t, s, "T", "/v25.0/me/messages", `{"recipient":{"id":"11"},"messaging_type":"RESPONSE","message":{"attachment":`+attachment+`}}`)
			return code(answer)
		}
		instagram := kind == graphtest.Instagram
		platform := []string{"platform", "instagram"}
		id, refused := attach("image", "a.png", "image/png", []byte(png), platform...)
		require.Zero(t, refused)
		large := append([]byte(png), make([]byte, 8<<20)...)
		for what, test := range map[string]struct {
			as, name, kind string
			data           []byte
			fails          bool
		}{
			"no picture": {"image", "a.png", "image/png", []byte("words"), true}, "another kind": {"image", "a.pdf", "application/pdf", []byte("%PDF-"), true},
			"no kind": {"photo", "a.png", "image/png", []byte(png), true}, "too large": {"image", "a.png", "image/png", large, true},
			"large": {"image", "a.png", "image/png", large[:8<<20], false}, "a PDF": {"file", "a.pdf", "application/pdf", []byte("%PDF-"), false},
			"words": {"file", "a.txt", "text/plain", []byte("words"), instagram}, "name": {"file", "ä.pdf", "application/pdf", []byte("%PDF-"), instagram},
		} {
			_, refused := attach(test.as, test.name, test.kind, test.data, platform...)
			require.Equal(t, test.fails, refused == 100, "%s %s", kind, what)
		}
		if instagram {
			_, refused = attach("image", "a.png", "image/png", []byte(png))
			require.InDelta(t, 100, refused, 0, "for which platform")
			require.Zero(t, send(`{"type":"MEDIA_SHARE","payload":{"id":"`+id+`"}}`))
			require.InDelta(t, 100, send(`{"type":"image","payload":{"attachment_id":"`+id+`"}}`), 0)
			require.InDelta(t, 100, send(`{"type":"MEDIA_SHARE","payload":{"id":"7"}}`), 0)
		} else {
			require.Zero(t, send(`{"type":"image","payload":{"attachment_id":"`+id+`"}}`))
			require.InDelta(t, 100, send(`{"type":"video","payload":{"attachment_id":"`+id+`"}}`), 0)
			require.InDelta(t, 100, send(`{"type":"image","payload":{"attachment_id":"7"}}`), 0)
		}
		require.Equal(t, []string{"image", "a.png", png}, []string{a.Sent("11")[0].Type, a.Sent("11")[0].Name, string(a.Sent("11")[0].Data)})
		a.Lose("https://x.example/gone")
		require.InDelta(t, 100, send(`{"type":"image","payload":{"url":"https://x.example/gone"}}`), 0)
		require.Zero(t, send(`{"type":"image","payload":{"url":"https://x.example/a"}}`))
	}
}

// WhatsApp's files are had with the token, others' with the address that was given out.
func TestFilesOfCustomers(t *testing.T) {
	get := func(address, token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	s, a := start(t, graphtest.WhatsApp)
	address := a.Put("77", graphtest.File{Type: "image/png", Data: []byte(png)})
	require.Equal(t, []int{200, 401, 401}, []int{get(address, "T"), get(address, ""), get(address, "X")})
	require.Equal(t, []int{200, 400}, []int{get(s.URL()+"/v25.0/77", "T"), get(s.URL()+"/v25.0/77?phone_number_id=5", "T")})
	_, a = start(t, graphtest.Messenger)
	address = a.Put("77", graphtest.File{Type: "image/png", Data: []byte(png)})
	require.Equal(t, []int{200, 403, 403}, []int{get(address, ""), get(address[:len(address)-1], ""), get(strings.Replace(address, "/77", "/78", 1), "")})
}

func TestFaults(t *testing.T) {
	s, a := start(t, graphtest.WhatsApp)
	a.Know("16505551234")
	post := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/v25.0/5/messages",
			bytes.NewReader([]byte(`{"messaging_product":"whatsapp","to":"+16505551234","type":"text","text":{"body":"x"}}`)))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer T")
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			err = res.Body.Close()
		}
		return err
	}
	a.Inject(graphtest.Fault{Edge: "messages", Drop: true})
	a.Inject(graphtest.Fault{Edge: "messages", Drop: true, Accept: true})
	require.Error(t, post())
	require.Empty(t, a.Sent("16505551234"))
	require.Error(t, post())
	require.Len(t, a.Sent("16505551234"), 1, "taken, and the answer lost")
	require.NoError(t, post())
	require.Equal(t, 3, a.Calls("messages"))
	a.Inject(graphtest.Fault{Edge: "messages", Code: 2, Status: 500, Times: -1, Nth: 10})
	for range 20 {
		require.NoError(t, post())
	}
	require.Len(t, a.Sent("16505551234"), 2+2, "of ten that are answered with an error one is taken")
}

// What a customer did is listed once it was taken, edits too.
func TestAccepted(t *testing.T) {
	for _, kind := range []string{graphtest.WhatsApp, graphtest.Messenger} {
		t.Run(kind, func(t *testing.T) {
			_, a := start(t, kind)
			h := newHook(t, 2)
			said := a.Say("16505551234", "pirces?")
			mended := a.Edit("16505551234", said, "prices?")
			require.Empty(t, a.Accepted(), "nobody listens yet")
			a.Hook(h.url)
			wait(t, a, func() bool { return a.Pending() == 0 })
			var events []string
			for _, e := range a.Accepted() {
				events = append(events, e.Event)
			}
			require.Equal(t, []string{said, mended}, events)
			require.Contains(t, h.heard()[1], "prices?")
			require.Contains(t, h.heard()[1], string(graphtest.Encode(said)), "an edit names its message")
		})
	}
}
