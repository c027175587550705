package graphapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

const testToken = "CANARY-token"

func newTest(t *testing.T, base string) *Client {
	t.Helper()
	c, err := NewClient(Options{Token: testToken, Base: base})
	require.NoError(t, err)
	return c
}

// answering is a server that answers everything alike.
func answering(t *testing.T, status int, header http.Header, body string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s
}

// answeringTo is a server that answers as answer says.
func answeringTo(t *testing.T, answer func(r *http.Request) string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(answer(r))) }))
	t.Cleanup(s.Close)
	return s
}

func TestCall(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"path":%q,"query":%q,"auth":%q,"type":%q,"body":%q}`, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
	}))
	defer s.Close()
	var got struct{ Path, Query, Auth, Type, Body string }
	require.NoError(t, newTest(t, s.URL+"/").Call(t.Context(), http.MethodPost, "5/messages", url.Values{"a": {"b c"}}, map[string]int{"x": 1}, &got))
	require.Equal(t, "/v25.0/5/messages", got.Path)
	require.Equal(t, "a=b+c", got.Query, "the token stays out of the address")
	require.Equal(t, "Bearer "+testToken, got.Auth)
	require.Equal(t, "application/json", got.Type)
	require.JSONEq(t, `{"x":1}`, got.Body)

	c, err := NewClient(Options{Token: testToken, Base: s.URL, Version: "v31.0"})
	require.NoError(t, err)
	require.NoError(t, c.Call(t.Context(), http.MethodGet, "5", nil, nil, &got))
	require.Equal(t, "/v31.0/5", got.Path)
	require.Empty(t, got.Body)
}

func TestNewClientRefuses(t *testing.T) {
	for _, o := range []Options{{}, {Token: "CANARY\nx"}, {Token: "CANARY é"}, {Token: testToken, Version: "25"}, {Token: testToken, Version: "v25.0/../x"},
		{Token: testToken, Base: "ftp://CANARY"}, {Token: testToken, Base: "://CANARY"}} {
		_, err := NewClient(o)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "CANARY")
	}
}

// Every code of Meta's tables that a send can meet, and what it means for the send.
func TestSendError(t *testing.T) {
	for _, test := range []struct {
		status, code, subcode int
		want                  bot.SendFailure
	}{
		{401, 190, 463, bot.SendMisconfigured}, {401, 0, 0, bot.SendMisconfigured}, {403, 10, 0, bot.SendMisconfigured}, {403, 200, 2018028, bot.SendMisconfigured},
		{400, 299, 0, bot.SendMisconfigured}, {403, 131005, 0, bot.SendMisconfigured}, {403, 131031, 0, bot.SendMisconfigured}, {403, 368, 0, bot.SendMisconfigured},
		{400, 131042, 0, bot.SendMisconfigured}, {400, 133010, 0, bot.SendMisconfigured}, {403, 10, 1893063, bot.SendMisconfigured},
		{500, 131000, 0, bot.SendErrored}, {500, 1, 0, bot.SendErrored}, {400, 1, 1357046, bot.SendErrored}, {400, 2, 0, bot.SendErrored}, {503, 131016, 0, bot.SendErrored},
		{500, 987654, 0, bot.SendErrored}, {400, 99, 0, bot.SendErrored},
		{400, 4, 0, bot.SendThrottled}, {429, 80007, 0, bot.SendThrottled}, {400, 130429, 0, bot.SendThrottled}, {400, 613, 0, bot.SendThrottled}, {400, 9, 2018352, bot.SendThrottled},
		{400, 32, 0, bot.SendThrottled}, {429, 424242, 0, bot.SendThrottled}, {400, 80006, 0, bot.SendThrottled},
		{400, 131056, 0, bot.SendTransient}, {400, 131053, 0, bot.SendFile},
		{400, 131047, 0, bot.SendWindowClosed}, {400, 10, 2018278, bot.SendWindowClosed}, {400, 10, 2534022, bot.SendWindowClosed}, {400, 10, 2018065, bot.SendWindowClosed},
		{400, 10, 1545041, bot.SendWindowClosed},
		{400, 131026, 0, bot.SendBlocked}, {400, 551, 0, bot.SendBlocked}, {400, 551, 1545041, bot.SendBlocked}, {400, 200, 1545041, bot.SendBlocked}, {400, 10, 2018108, bot.SendBlocked},
		{400, 100, 0, bot.SendRefused}, {400, 100, 2018001, bot.SendRefused}, {400, 131009, 0, bot.SendRefused}, {400, 131048, 0, bot.SendRefused}, {400, 131049, 0, bot.SendRefused},
		{404, 132001, 0, bot.SendRefused}, {400, 613, 2018338, bot.SendRefused}, {400, 10, 2018300, bot.SendRefused}, {400, 131030, 0, bot.SendRefused}, {400, 424242, 0, bot.SendRefused},
	} {
		body := fmt.Sprintf(`{"error":{"message":"(#1) CANARY words","type":"OAuthException","code":%d,"error_subcode":%d,"error_data":{"details":"CANARY"},"fbtrace_id":"F"}}`, test.code, test.subcode)
		s := answering(t, test.status, nil, body)
		se := SendError(newTest(t, s.URL).Call(t.Context(), http.MethodPost, "5/messages", nil, struct{}{}, nil))
		require.Equal(t, test.want, se.Kind, "%d/%d with %d", test.code, test.subcode, test.status)
		require.Zero(t, se.After, "nobody said for how long")
		require.NotContains(t, se.Error(), "CANARY")
		require.Contains(t, se.Error(), fmt.Sprint(test.code))
	}
}

func TestOddAnswers(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   bot.SendFailure
	}{
		{200, `{"error":{"code":131047}}`, bot.SendWindowClosed}, // a 200 can carry an error
		{200, `CANARY`, bot.SendUnknown}, {200, ``, bot.SendUnknown}, {200, `{"id":["CANARY"]}`, bot.SendUnknown}, {502, `<html>CANARY</html>`, bot.SendUnknown},
		{302, `{}`, bot.SendUnknown}, {404, `{}`, bot.SendUnknown}, {400, `{"error":"CANARY"}`, bot.SendUnknown},
		{400, `{"error":{"code":4,"is_transient":true}}`, bot.SendThrottled}, {400, `{"error":{"code":424242,"is_transient":true}}`, bot.SendErrored},
	} {
		var out struct {
			ID string `json:"id"`
		}
		s := answering(t, test.status, http.Header{"Location": {"http://127.0.0.1:1/"}}, test.body)
		se := SendError(newTest(t, s.URL).Call(t.Context(), http.MethodPost, "5/messages", nil, struct{}{}, &out))
		require.Equal(t, test.want, se.Kind, "%d %s", test.status, test.body)
		require.NotContains(t, se.Error(), "CANARY")
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	for _, base := range []string{nobody, "http://nobody.invalid"} {
		se := SendError(newTest(t, base).Call(t.Context(), http.MethodPost, "5/messages", nil, struct{}{}, nil))
		require.Equal(t, bot.SendTransient, se.Kind)
		require.Contains(t, se.Error(), "nothing was sent")
	}
}

func TestThrottledSaysHowLong(t *testing.T) {
	s := answering(t, 429, http.Header{"Retry-After": {"7"}}, `{"error":{"code":4}}`)
	require.Equal(t, 7*time.Second, SendError(newTest(t, s.URL).Call(t.Context(), http.MethodGet, "5", nil, nil, nil)).After)
	s = answering(t, 400, http.Header{"X-Business-Use-Case-Usage": {`{"9":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":12}]}`}}, `{"error":{"code":80006}}`)
	require.InDelta(t, 12*60, SendError(newTest(t, s.URL).Call(t.Context(), http.MethodGet, "5", nil, nil, nil)).After.Seconds(), 2)
}

// Near the limit calls are spread out, and at it none is made, before Meta refuses.
func TestSlowsDownBeforeTheLimit(t *testing.T) {
	header := http.Header{}
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		for name, v := range header {
			w.Header()[name] = v
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	c := newTest(t, s.URL)
	call := func() error { return c.Call(t.Context(), http.MethodGet, "5", nil, nil, nil) }
	timed := func(n int) time.Duration {
		began := time.Now()
		for range n {
			require.NoError(t, call())
		}
		return time.Since(began)
	}
	header.Set("X-App-Usage", `{"call_count":20,"total_time":70,"total_cputime":5}`)
	timed(10)
	require.Zero(t, gap(70))
	header.Set("X-App-Usage", `{"call_count":20,"total_time":83,"total_cputime":5}`)
	timed(1)
	require.Greater(t, timed(3), 2*gap(83), "three calls, two gaps at least")
	header.Set("X-App-Usage", `nonsense`)
	header.Set("X-Business-Use-Case-Usage", `{"9":[{"type":"messenger","call_count":100,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":30}]}`)
	require.NoError(t, call())
	before := calls
	se := SendError(call())
	require.Equal(t, bot.SendThrottled, se.Kind)
	require.InDelta(t, 30*60, se.After.Seconds(), 2)
	require.Equal(t, before, calls, "nothing is sent while Meta refuses everything")
}

func TestGap(t *testing.T) {
	require.Zero(t, gap(74))
	require.Positive(t, gap(75))
	require.Less(t, gap(80), 200*time.Millisecond)
	require.Equal(t, slowMost, gap(100))
	require.Equal(t, slowMost, gap(170))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var u usage
	u.note(http.Header{"X-App-Usage": {`{"call_count":99}`}})
	require.NoError(t, u.wait(t.Context()))
	require.ErrorIs(t, u.wait(ctx), context.Canceled)
}

func TestDownload(t *testing.T) {
	seen := make(chan string, 10)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Host + " " + r.Header.Get("Authorization")
		_, _ = w.Write([]byte("not yours"))
	}))
	defer files.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, files.URL, http.StatusFound)
		case "/gone":
			http.NotFound(w, r)
		default:
			fmt.Fprint(w, r.Header.Get("Authorization"), " ", r.Header.Get("User-Agent"))
		}
	}))
	defer api.Close()
	c := newTest(t, api.URL)
	f, err := c.Download(t.Context(), api.URL+"/media/1")
	require.NoError(t, err)
	got, err := io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	require.Equal(t, "Bearer "+testToken+" faqbot", string(got))

	for _, address := range []string{api.URL + "/away", api.URL + "/gone", files.URL, "http://lookaside.fbsbx.com/x", "https://lookaside.fbsbx.com.evil.example/x",
		"https://evilfbsbx.com/x", "https://user@lookaside.fbsbx.com/x", "https://lookaside.fbsbx.com:8443/x", "file:///etc/passwd", "https://127.0.0.1/x",
		strings.Replace(api.URL, "http://", "http://CANARY@", 1), api.URL + "0/x", "", "https://[::1]/x", "gopher://lookaside.fbsbx.com"} {
		_, err := c.Download(t.Context(), address)
		require.ErrorIs(t, err, bot.ErrNoFile, address)
		require.NotContains(t, err.Error(), "CANARY")
	}
	require.Empty(t, seen, "no other host hears of us")
	for address, token := range map[string]bool{"https://lookaside.fbsbx.com/x?y": true, "https://scontent.xx.fbcdn.net/x": false, "https://cdn.fbsbx.com/x": false,
		"https://scontent.cdninstagram.com/x": false} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.True(t, c.media.May(u), address)
		require.Equal(t, token, c.mayHaveToken(u), address)
	}
}
