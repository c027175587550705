package telegramtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/waittest"
)

const token = "99:token"

func start(t *testing.T) *telegramtest.Server {
	t.Helper()
	s := telegramtest.New(token, "98:other")
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// An answer is what the Bot API said.
type answer struct {
	Status      int
	OK          bool            `json:"ok"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Result      json.RawMessage `json:"result"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func call(t *testing.T, s *telegramtest.Server, method, contentType, body string) answer {
	t.Helper()
	resp, err := http.Post(s.URL()+"/bot"+method, contentType, strings.NewReader(body))
	require.NoError(t, err)
	a := answer{Status: resp.StatusCode}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&a))
	require.NoError(t, resp.Body.Close())
	require.Equal(t, a.OK, a.Status == 200)
	if !a.OK {
		require.Equal(t, a.Status, a.Code)
	}
	return a
}

func callJSON(t *testing.T, s *telegramtest.Server, method, body string) answer {
	t.Helper()
	return call(t, s, token+"/"+method, "application/json", body)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	t.Cleanup(cancel)
	return ctx
}

func TestTokensAndMethods(t *testing.T) {
	s := start(t)
	for path, want := range map[string]answer{
		"x/getMe":                {Status: 404, Description: "Not Found"},
		"x:y/getMe":              {Status: 404, Description: "Not Found"},
		"97:token/getMe":         {Status: 401, Description: "Unauthorized"},
		token + "/makeTea":       {Status: 404, Description: "Not Found: method not found"},
		token + "/getMe":         {Status: 200},
		token + "/GETME":         {Status: 200},
		"98:other/getMe":         {Status: 200},
		token + "/sendMessage":   {Status: 400, Description: "Bad Request: chat_id is empty"},
		token + "/getMe/../getM": {Status: 404, Description: "Not Found: method not found"},
	} {
		got := call(t, s, path, "application/json", "{}")
		require.Equal(t, want.Status, got.Status, path)
		require.Equal(t, want.Description, got.Description, path)
	}
	require.Equal(t, 2, s.Calls("getMe"))
	require.EqualValues(t, 98, s.Token("98:other").ID)
	require.Nil(t, s.Token("97:token"))
}

func TestParameterEncodings(t *testing.T) {
	s := start(t)
	s.Know(5)
	require.True(t, callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"json","reply_markup":{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}}`).OK)
	require.True(t, call(t, s, token+"/sendMessage", "application/x-www-form-urlencoded", url.Values{"chat_id": {"5"}, "text": {"form"}}.Encode()).OK)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(t, w.WriteField("chat_id", "5"))
	require.NoError(t, w.WriteField("text", "multipart"))
	require.NoError(t, w.Close())
	require.True(t, call(t, s, token+"/sendMessage", w.FormDataContentType(), form.String()).OK)
	require.True(t, call(t, s, token+"/getMe", w.FormDataContentType(), "").OK)
	require.True(t, call(t, s, token+"/sendMessage?chat_id=5&text=query", "", "").OK)
	require.False(t, callJSON(t, s, "sendMessage", `{"chat_id":`).OK)
	var texts []string
	for _, m := range s.Sent(5) {
		texts = append(texts, m.Text)
	}
	require.Equal(t, []string{"json", "form", "multipart", "query"}, texts)
	require.Len(t, s.Sent(5)[0].Buttons, 1)
}

func TestSendMessageChecks(t *testing.T) {
	s := start(t)
	s.Know(5, 6)
	s.Block(6)
	s.Migrate(-7, -8)
	long := strings.Repeat("😀", 2048)
	for body, want := range map[string]string{
		`{"text":"x"}`:                                                   "Bad Request: chat_id is empty",
		`{"chat_id":4,"text":"x"}`:                                       "Bad Request: chat not found",
		`{"chat_id":"@name","text":"x"}`:                                 "Bad Request: chat not found",
		`{"chat_id":6,"text":"x"}`:                                       "Forbidden: bot was blocked by the user",
		`{"chat_id":-7,"text":"x"}`:                                      "Bad Request: group chat was upgraded to a supergroup chat",
		`{"chat_id":5}`:                                                  "Bad Request: message text is empty",
		`{"chat_id":5,"text":" \n"}`:                                     "Bad Request: message text is empty",
		`{"chat_id":5,"text":"` + long + `"}`:                            "",
		`{"chat_id":5,"text":"` + long + `x"}`:                           "Bad Request: message is too long",
		`{"chat_id":5,"parse_mode":"HTML","text":"<b>` + long + `</b>"}`: "",
		`{"chat_id":5,"text":"x","parse_mode":"Markup"}`:                 "Bad Request: unsupported parse_mode",
		`{"chat_id":5,"text":"<b>x","parse_mode":"HTML"}`:                `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`,
		`{"chat_id":5,"text":"<p>x</p>","parse_mode":"html"}`:            `Bad Request: can't parse entities: Unsupported start tag "p" at byte offset 0`,
		`{"chat_id":5,"text":"x</b>","parse_mode":"HTML"}`:               "Bad Request: can't parse entities: Unexpected end tag at byte offset 1",
		`{"chat_id":5,"text":"<b><i>x</b></i>","parse_mode":"HTML"}`:     `Bad Request: can't parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`,
		`{"chat_id":5,"text":"1 < 2","parse_mode":"HTML"}`:               "Bad Request: can't parse entities: Unclosed start tag at byte offset 2",
		`{"chat_id":5,"text":"<span>x</span>","parse_mode":"HTML"}`:      `Bad Request: can't parse entities: Tag "span" must have class "tg-spoiler" at byte offset 0`,
		`{"chat_id":5,"text":"x","reply_markup":"{"}`:                    "Bad Request: can't parse reply keyboard markup JSON object",
		`{"chat_id":5,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"A","callback_data":"` + strings.Repeat("é", 32) + `"}]]}}`:  "",
		`{"chat_id":5,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"A","callback_data":"` + strings.Repeat("é", 32) + `x"}]]}}`: "Bad Request: BUTTON_DATA_INVALID",
		`{"chat_id":5,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"A","copy_text":{"text":""}}]]}}`:                            "Bad Request: BUTTON_TYPE_INVALID",
		`{"chat_id":5,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"","callback_data":"a"}]]}}`:                                 "Bad Request: inline keyboard button text must be non-empty",
	} {
		got := callJSON(t, s, "sendMessage", body)
		require.Equal(t, want, got.Description, body)
		require.Equal(t, want == "", got.OK)
	}
	require.EqualValues(t, -8, callJSON(t, s, "sendMessage", `{"chat_id":-7,"text":"x"}`).Parameters.MigrateTo)
	require.Len(t, s.Sent(5), 3)
	require.Equal(t, 3, s.SentCount())
}

func TestMarkup(t *testing.T) {
	s := start(t)
	s.Know(5)
	for markup, want := range map[string]string{
		`<b>bold <i>both</i></b> &lt;b&gt; &amp;amp; &quot;`:               `bold both <b> &amp; "`,
		`<a href="https://ex.com/?a>b&amp;c">link</a> > & &x; &#65;&#x42;`: `link > & &x; AB`,
		`<SPAN class="tg-spoiler">s</SPAN>`:                                `s`,
		`é&`:                                                               `é&`,
	} {
		body, err := json.Marshal(map[string]any{"chat_id": 5, "parse_mode": "HTML", "text": markup})
		require.NoError(t, err)
		require.True(t, callJSON(t, s, "sendMessage", string(body)).OK, markup)
		sent := s.Sent(5)
		require.Equal(t, want, sent[len(sent)-1].Text)
	}
}

func TestEditMessageText(t *testing.T) {
	s := start(t)
	s.Know(5)
	require.True(t, callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"one"}`).OK)
	id := s.Sent(5)[0].ID
	require.Contains(t, callJSON(t, s, "editMessageText", fmt.Sprintf(`{"chat_id":5,"message_id":%d,"text":"one"}`, id)).Description, "message is not modified")
	require.Contains(t, callJSON(t, s, "editMessageText", `{"chat_id":5,"message_id":9,"text":"one"}`).Description, "message to edit not found")
	require.True(t, callJSON(t, s, "editMessageText", fmt.Sprintf(`{"chat_id":5,"message_id":%d,"text":"two"}`, id)).OK)
	require.Equal(t, "two", s.Sent(5)[0].Text)
	require.Equal(t, 1, s.Sent(5)[0].Edited)
}

func TestTaps(t *testing.T) {
	s := start(t)
	s.Know(5)
	one, two := s.Tap(5, 77, "a"), s.Tap(5, 77, "b")
	ack := func(id string) answer { return callJSON(t, s, "answerCallbackQuery", `{"callback_query_id":"`+id+`"}`) }
	require.True(t, ack(s.CallbackID(one)).OK)
	require.True(t, s.Answered(one))
	s.ExpireTaps()
	for _, id := range []string{s.CallbackID(one), s.CallbackID(two), "x", ""} {
		require.Equal(t, "Bad Request: query is too old and response timeout expired or query ID is invalid", ack(id).Description)
	}
	require.False(t, s.Answered(two))
}

func TestFaults(t *testing.T) {
	s := start(t)
	s.Know(5, 6)
	s.Inject(telegramtest.Fault{Method: "sendMessage", Chat: 5, Code: 429, RetryAfter: 7, Times: 2})
	require.True(t, callJSON(t, s, "sendMessage", `{"chat_id":6,"text":"x"}`).OK)
	require.True(t, callJSON(t, s, "getMe", ``).OK)
	for range 2 {
		got := callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"x"}`)
		require.Equal(t, 7, got.Parameters.RetryAfter)
		require.Equal(t, "Too Many Requests: retry after 7", got.Description)
	}
	require.True(t, callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"x"}`).OK)
	s.Inject(telegramtest.Fault{Code: 500, Times: -1})
	require.Equal(t, 500, callJSON(t, s, "getMe", ``).Status)
	require.Equal(t, 500, callJSON(t, s, "getMe", ``).Status)
	s.ClearFaults()
	s.Inject(telegramtest.Fault{Drop: true, Accept: true})
	_, err := http.Post(s.URL()+"/bot"+token+"/sendMessage", "application/json", strings.NewReader(`{"chat_id":5,"text":"lost"}`))
	require.Error(t, err)
	require.Len(t, s.Sent(5), 2)
	s.SetPaced(true)
	require.Equal(t, 429, callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"x"}`).Status)
}

// A hanging call must not keep the server from closing.
func TestHangEndsWithClose(t *testing.T) {
	s := telegramtest.New(token)
	require.NoError(t, s.Start())
	s.Inject(telegramtest.Fault{Hang: true})
	var wg sync.WaitGroup
	wg.Go(func() {
		resp, err := http.Get(s.URL() + "/bot" + token + "/getMe")
		if err == nil {
			_ = resp.Body.Close()
		}
	})
	require.NoError(t, s.Wait(within(t), func() bool { return s.Calls("getMe") == 1 }))
	require.NoError(t, s.Close())
	wg.Wait()
}

func updates(t *testing.T, a answer) (ids []int64) {
	t.Helper()
	var list []struct {
		ID int64 `json:"update_id"`
	}
	require.True(t, a.OK, a.Description)
	require.NoError(t, json.Unmarshal(a.Result, &list))
	for _, u := range list {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestGetUpdates(t *testing.T) {
	s := start(t)
	require.Empty(t, updates(t, callJSON(t, s, "getUpdates", `{}`)))
	a, b, c := s.Say(5, "/start x"), s.Say(6, "two"), s.Say(5, "three")
	require.Equal(t, []int64{a, b, c}, updates(t, callJSON(t, s, "getUpdates", `{}`)))
	require.Equal(t, []int64{a, b}, updates(t, callJSON(t, s, "getUpdates", `{"limit":2}`)))
	require.Empty(t, s.Accepted())
	require.Equal(t, []int64{c}, updates(t, callJSON(t, s, "getUpdates", fmt.Sprintf(`{"offset":%d}`, c))))
	require.Equal(t, []int64{c}, updates(t, callJSON(t, s, "getUpdates", `{"offset":0}`)))
	accepted := s.Accepted()
	require.Len(t, accepted, 2)
	require.Equal(t, a, accepted[0].UpdateID)
	require.EqualValues(t, 6, accepted[1].Chat)
	d := s.Say(5, "four")
	require.Equal(t, []int64{d}, updates(t, callJSON(t, s, "getUpdates", `{"offset":-1}`)))
	require.Equal(t, 1, s.Pending())

	// A waiting call returns as soon as there is something.
	got := make(chan []int64, 1)
	go func() {
		got <- updates(t, callJSON(t, s, "getUpdates", fmt.Sprintf(`{"offset":%d,"timeout":50}`, d+1)))
	}()
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	e := s.Say(5, "five")
	require.Equal(t, []int64{e}, <-got)

	// A second poller ends the first one's wait; a webhook ends all.
	first := make(chan answer, 1)
	calls := s.Calls("getUpdates")
	go func() { first <- callJSON(t, s, "getUpdates", fmt.Sprintf(`{"offset":%d,"timeout":50}`, e+1)) }()
	require.NoError(t, s.Wait(within(t), func() bool { return s.Calls("getUpdates") == calls+1 && s.Pending() == 0 }))
	require.Empty(t, updates(t, callJSON(t, s, "getUpdates", `{}`)))
	require.Equal(t, 409, (<-first).Status)
	require.True(t, callJSON(t, s, "setWebhook", `{"url":"https://example.com/"}`).OK)
	require.Contains(t, callJSON(t, s, "getUpdates", `{}`).Description, "can't use getUpdates method while webhook is active")
}

func TestSetWebhook(t *testing.T) {
	s := start(t)
	for body, want := range map[string]string{
		`{"url":"http://example.com/"}`:                              "bad webhook",
		`{"url":"https://example.com/","secret_token":"a b"}`:        "unallowed characters",
		`{"url":"https://example.com/","allowed_updates":"message"}`: "can't parse allowed updates",
	} {
		require.Contains(t, callJSON(t, s, "setWebhook", body).Description, want)
	}
	require.True(t, callJSON(t, s, "setWebhook", `{"url":"https://example.com/","secret_token":"x","allowed_updates":["message"],"max_connections":3}`).OK)
	s.Block(5) // not asked for
	s.Tap(5, 1, "x")
	var info map[string]any
	require.NoError(t, json.Unmarshal(callJSON(t, s, "getWebhookInfo", ``).Result, &info))
	require.Equal(t, "https://example.com/", info["url"])
	require.Equal(t, 3.0, info["max_connections"])
	require.Equal(t, 0.0, info["pending_update_count"])
	require.True(t, callJSON(t, s, "setWebhook", `{"url":""}`).OK)
	s.Say(5, "x")
	require.True(t, callJSON(t, s, "deleteWebhook", `{"drop_pending_updates":true}`).OK)
	require.Zero(t, s.Pending())
	require.Empty(t, s.Accepted())
}

// A hookServer takes deliveries, fails some, and records what it took.
type hookServer struct {
	mu     sync.Mutex
	fail   func(n int) bool
	bodies []string
	posts  int
	secret string
}

func (h *hookServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts++
	h.secret = r.Header.Get("X-Telegram-Bot-Api-Secret-Token")
	if h.fail != nil && h.fail(h.posts) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h.bodies = append(h.bodies, string(body))
}

// serve serves h at address, "127.0.0.1:0" for any, and returns where, and what stops it.
func serve(t *testing.T, h http.Handler, address string) (at string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	server := &http.Server{Handler: h}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	stop = func() {
		_ = server.Close()
		wg.Wait()
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func setWebhook(t *testing.T, s *telegramtest.Server, at string) {
	t.Helper()
	require.True(t, callJSON(t, s, "setWebhook", `{"url":"http://`+at+`/","secret_token":"S"}`).OK)
}

func TestDeliveryOrderAndRetries(t *testing.T) {
	s := start(t)
	h := &hookServer{fail: func(n int) bool { return n%3 == 0 }}
	at, _ := serve(t, h, "127.0.0.1:0")
	s.SetBackoff(time.Millisecond, 2*time.Millisecond)
	s.Say(1, "waits for the webhook")
	setWebhook(t, s, at)
	for i := range 200 {
		for chat := int64(1); chat <= 5; chat++ {
			s.Say(chat, fmt.Sprint(i))
		}
	}
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	require.Len(t, s.Accepted(), 1001)
	require.Len(t, h.bodies, 1001)
	require.Equal(t, "S", h.secret)
	last := map[int64]int64{}
	for _, a := range s.Accepted() {
		require.Less(t, last[a.Chat], a.UpdateID)
		last[a.Chat] = a.UpdateID
	}
	var info map[string]any
	require.NoError(t, json.Unmarshal(callJSON(t, s, "getWebhookInfo", ``).Result, &info))
	require.Equal(t, "Wrong response from the webhook: 500 Internal Server Error", info["last_error_message"])
}

// The bot's server dies and comes back on the same port.
func TestDeliverySurvivesRestart(t *testing.T) {
	s := start(t)
	s.SetBackoff(time.Millisecond, 5*time.Millisecond)
	h := &hookServer{}
	at, stop := serve(t, h, "127.0.0.1:0")
	setWebhook(t, s, at)
	s.Say(1, "one")
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	stop()
	s.Say(1, "two")
	require.NoError(t, s.Wait(within(t), func() bool {
		var info map[string]any
		return json.Unmarshal(callJSON(t, s, "getWebhookInfo", ``).Result, &info) == nil && info["last_error_message"] != nil
	}))
	serve(t, h, at)
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	require.Len(t, s.Accepted(), 2)
}

func TestDeliveryDuplicates(t *testing.T) {
	s := start(t)
	s.SetDuplicate(2)
	h := &hookServer{}
	at, _ := serve(t, h, "127.0.0.1:0")
	setWebhook(t, s, at)
	for range 10 {
		s.Say(1, "x")
	}
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	require.Len(t, h.bodies, 15)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(h.bodies))), 10)
	require.Len(t, s.Accepted(), 10)
}

func TestAnswersWithBody(t *testing.T) {
	s := start(t)
	at, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }), "127.0.0.1:0")
	setWebhook(t, s, at)
	s.Say(1, "x")
	require.NoError(t, s.Wait(within(t), func() bool { return s.Pending() == 0 }))
	require.Equal(t, 1, s.AnswersWithBody())
}

func TestUpdateShapes(t *testing.T) {
	s := start(t)
	s.SetLanguage(5, "pt-br")
	said := s.Say(5, "/start ref")
	s.Edit(5, said, "mended")
	require.True(t, callJSON(t, s, "sendMessage", `{"chat_id":5,"text":"?","reply_markup":{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}}`).OK)
	s.Tap(5, s.Sent(5)[0].ID, "a")
	s.Tap(5, 999, "a")
	s.Block(5)
	s.Unblock(5)
	s.SayMessage(map[string]any{"chat": map[string]any{"id": int64(-9), "type": "group"}, "photo": []any{}})
	got := callJSON(t, s, "getUpdates", `{}`)
	require.Len(t, updates(t, got), 7)
	text := string(got.Result)
	for _, want := range []string{`"language_code":"pt-br"`, `"entities":[{"length":6,"offset":0,"type":"bot_command"}]`, `"edited_message":{`, `"text":"mended"`,
		`"inline_keyboard":[[{"text":"A","callback_data":"a"}]]`, `"date":0`, `"status":"kicked","until_date":0`, `"photo":[]`} {
		require.Contains(t, text, want)
	}
	_, err := s.WaitSent(within(t), 5, 1)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = s.WaitSent(ctx, 5, 2)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, s.Wait(ctx, func() bool { return false }), context.DeadlineExceeded)
}
