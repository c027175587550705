package graphtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
)

// A hook hears webhooks and refuses the first few.
type hook struct {
	mu      sync.Mutex
	bodies  []string
	signed  []string
	refuses int
	url     string
}

func hear(t *testing.T, refuses int) *hook {
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
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, a.Wait(ctx, done))
}

// Bodies are escaped as Meta's are, signed as they stand, and posted until they are taken.
func TestWebhooks(t *testing.T) {
	_, a := start(t, graphtest.WhatsApp)
	h := hear(t, 3)
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
	h := hear(t, 0)
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
	h := hear(t, 0)
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
}

// What a customer did is listed once it was taken, edits too.
func TestAccepted(t *testing.T) {
	for _, kind := range []string{graphtest.WhatsApp, graphtest.Messenger} {
		t.Run(kind, func(t *testing.T) {
			_, a := start(t, kind)
			h := hear(t, 2)
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
