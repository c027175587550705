package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/webhook"
	"faqbot/knowledge/waittest"
)

const secret = "CANARY-secret"

// A network is a bot.Receiver that signs with a secret.
type network struct{}

func (network) Verify(h http.Header, _ []byte) error {
	if h.Get("Secret") != secret {
		return errors.New("wrong secret")
	}
	return nil
}

func (network) Decode([]byte) ([]bot.Event, error) { return nil, errors.New("read later") }

// An inbox records what it keeps, and fails on demand.
type inbox struct {
	mu       sync.Mutex
	kept     []string
	accounts []string
	err      error
}

func (in *inbox) Receive(_ context.Context, a bot.Account, body []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.err != nil {
		return in.err
	}
	in.accounts, in.kept = append(in.accounts, a.ID), append(in.kept, string(body))
	return nil
}

// serve returns a server of hooks for accounts and what they keep. No secret and no word of a
// customer may have been logged at the end.
func serve(t *testing.T, accounts ...string) (*httptest.Server, *inbox) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	log, logged := logtest.NewNullLogger()
	in := &inbox{}
	find := func(key string) (webhook.Endpoint, bool) {
		id, ok := strings.CutPrefix(key, "net/")
		return webhook.Endpoint{Account: bot.Account{Channel: "net", ID: id}, Receiver: network{}}, ok && slices.Contains(accounts, id)
	}
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	webhook.NewHooks(find, in, log).Register(engine)
	s := httptest.NewServer(engine)
	t.Cleanup(func() {
		s.Close()
		for _, e := range logged.AllEntries() {
			text, err := e.String()
			require.NoError(t, err)
			require.NotContains(t, text, "CANARY")
		}
	})
	return s, in
}

// post posts body and requires an answer of status, without a body if it comes from the handler.
func post(t *testing.T, url, secret string, body io.Reader, status int) {
	t.Helper()
	got, answer, err := send(t.Context(), url, secret, body)
	require.NoError(t, err)
	require.Equal(t, status, got)
	if status != http.StatusNotFound {
		require.Empty(t, answer)
	}
}

func send(ctx context.Context, url, secret string, body io.Reader) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Secret", secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, errors.Join(err, resp.Body.Close())
}

func TestPost(t *testing.T) {
	s, in := serve(t, "a")
	for _, test := range []struct {
		name, path, secret, body string
		status                   int
	}{
		{"accepted", "/hooks/net/a", secret, "hello CANARY", 200},
		{"again", "/hooks/net/a", secret, "hello CANARY", 200},
		{"not UTF-8", "/hooks/net/a", secret, "a\xff\xfe\x00b", 200},
		{"empty", "/hooks/net/a", secret, "", 200},
		{"wrong secret", "/hooks/net/a", "CANARY-guess", "hello", 401},
		{"no secret", "/hooks/net/a", "", "bad", 401},
		{"unknown account", "/hooks/net/b", secret, "hello", 404},
		{"unknown channel", "/hooks/other/a", secret, "hello", 404},
		{"no account", "/hooks/net/", secret, "hello", 404},
	} {
		t.Run(test.name, func(t *testing.T) { post(t, s.URL+test.path, test.secret, strings.NewReader(test.body), test.status) })
	}
	require.Equal(t, []string{"hello CANARY", "hello CANARY", "a\xff\xfe\x00b", ""}, in.kept)
}

func TestPostAccountNames(t *testing.T) {
	names := []string{"12345:AA-b_c", "-100", "a.b", "@x", "Ünï", "a b"}
	s, in := serve(t, names...)
	for _, path := range []string{"12345:AA-b_c", "-100", "a.b", "@x", "%C3%9Cn%C3%AF", "a%20b"} {
		post(t, s.URL+"/hooks/net/"+path, secret, strings.NewReader("x"), 200)
	}
	require.Equal(t, names, in.accounts)
	post(t, s.URL+"/hooks/net/a%2Fb", secret, strings.NewReader("x"), 404)
}

func TestPostSize(t *testing.T) {
	s, in := serve(t, "a")
	post(t, s.URL+"/hooks/net/a", secret, bytes.NewReader(bytes.Repeat([]byte("x"), 3<<20)), 200)
	require.Len(t, in.kept[0], 3<<20)
	// Without a length, so that the handler must count.
	post(t, s.URL+"/hooks/net/a", secret, io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), 3<<20)), strings.NewReader("x")), 413)
	require.Len(t, in.kept, 1)
}

// A body that is cut off on the way is not a body.
func TestPostCutOff(t *testing.T) {
	s, in := serve(t, "a")
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST /hooks/net/a HTTP/1.1\r\nHost: x\r\nSecret: "+secret+"\r\nContent-Length: 100\r\n\r\nbad half")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Contains(t, string(answer), "400 Bad Request")
	require.Empty(t, in.kept)
}

// What cannot be stored is not acknowledged.
func TestPostStorageDown(t *testing.T) {
	s, in := serve(t, "a")
	in.err = errors.New("the disk is full")
	post(t, s.URL+"/hooks/net/a", secret, strings.NewReader("hello CANARY"), 500)
	in.err = nil
	post(t, s.URL+"/hooks/net/a", secret, strings.NewReader("hello"), 200)
	require.Equal(t, []string{"hello"}, in.kept)
}

func TestPostConcurrently(t *testing.T) {
	s, in := serve(t, "a")
	var g errgroup.Group
	for range 20 {
		g.Go(func() error {
			status, _, err := send(t.Context(), s.URL+"/hooks/net/a", secret, strings.NewReader("x"))
			if err == nil && status != http.StatusOK {
				err = errors.New("not accepted")
			}
			return err
		})
	}
	require.NoError(t, g.Wait())
	require.Len(t, in.kept, 20)
}

func TestGetIsNotServed(t *testing.T) {
	s, _ := serve(t, "a")
	client := http.Client{Timeout: waittest.Hang}
	resp, err := client.Get(s.URL + "/hooks/net/a")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 405, resp.StatusCode)
}

// An asking network wants a proof that the webhook is ours.
type asking struct{ network }

func (asking) Challenge(query url.Values) (string, bool) {
	return query.Get("challenge"), query.Get("token") == secret
}

func TestChallenge(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	log, _ := logtest.NewNullLogger()
	engine := gin.New()
	webhook.NewHooks(func(key string) (webhook.Endpoint, bool) {
		receivers := map[string]bot.Receiver{"net/a": asking{}, "net/mute": network{}}
		return webhook.Endpoint{Account: bot.Account{Channel: "net", ID: "a"}, Receiver: receivers[key]}, receivers[key] != nil
	}, &inbox{}, log).Register(engine)
	s := httptest.NewServer(engine)
	defer s.Close()
	for path, want := range map[string]string{
		"a?challenge=%25d%3Cb%3E&token=" + secret: "200 %d<b>", "a?challenge=1&token=guess": "403 ", "b?challenge=1&token=" + secret: "404 ", "mute?challenge=1": "405 "} {
		resp, err := http.Get(s.URL + "/hooks/net/" + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		require.Equal(t, want, fmt.Sprint(resp.StatusCode, " ", string(body)))
		if resp.StatusCode == http.StatusOK {
			require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
		}
	}
}
