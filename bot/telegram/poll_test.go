package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/waittest"
)

// An inbox is what a poller handed over.
type inbox struct {
	mu     sync.Mutex
	bodies [][]byte            // that were received
	tries  []string            // update numbers of all that were to be
	fail   func(try int) error // nil means none fails
}

func (in *inbox) receive(_ context.Context, body []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tries = append(in.tries, numberOf(body))
	if in.fail != nil {
		if err := in.fail(len(in.tries)); err != nil {
			return err
		}
	}
	in.bodies = append(in.bodies, body)
	return nil
}

// numberOf is an update's number as events carry it, "" if there is none.
func numberOf(body []byte) string {
	var u struct {
		ID int64 `json:"update_id"`
	}
	if json.Unmarshal(body, &u) != nil || u.ID == 0 {
		return ""
	}
	return fmt.Sprint("u", u.ID)
}

// texts are the words of what was received; unread are the bodies that cannot be read.
func (in *inbox) texts(t *testing.T) (texts, unread []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	c := newTest(t, "")
	for _, body := range in.bodies {
		events, err := c.Decode(body)
		if err != nil {
			unread = append(unread, string(body))
		}
		for _, e := range events {
			texts = append(texts, e.Message.Text)
		}
	}
	return texts, unread
}

// polling polls s until stop is called, which waits for the end and for Poll's result.
func polling(t *testing.T, c *Channel, in *inbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error { return c.Poll(ctx, in.receive) })
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, g.Wait())
	}
	t.Cleanup(stop)
	return stop
}

func wait(t *testing.T, s *telegramtest.Server, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	require.NoError(t, s.Wait(ctx, done))
}

// drained means that everything was confirmed to Telegram.
func drained(s *telegramtest.Server) func() bool { return func() bool { return s.Pending() == 0 } }

func TestPoll(t *testing.T) {
	s := fake(t)
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	hooked := newTest(t, s.URL())
	require.NoError(t, hooked.Start(ctx, "https://example.com/hooks/telegram/main"))
	c := newTest(t, s.URL())
	in := &inbox{}
	s.Say(5, "before")
	stop := polling(t, c, in)
	wait(t, s, drained(s))
	s.Say(5, "one")
	s.Say(6, "two")
	s.Update(5, "message", map[string]any{"message_id": "no number"})
	s.Update(5, "message_reaction", map[string]any{})
	s.Say(5, "three")
	wait(t, s, drained(s))
	stop()
	texts, unread := in.texts(t)
	require.Equal(t, []string{"before", "one", "two", "three"}, texts)
	require.Len(t, unread, 1)
	require.Contains(t, unread[0], "no number")
	require.Equal(t, s.Username, *c.username.Load())
	url, _, kinds := s.Webhook()
	require.Empty(t, url, "polling removes the webhook")
	require.Equal(t, []string{"message", "edited_message", "callback_query", "my_chat_member"}, kinds)
	for _, language := range []string{"", "es", "pt"} {
		require.Len(t, s.Commands(language), 4)
	}
	require.Len(t, s.Accepted(), 5, "the reaction was not asked for")
}

// While nothing can be stored nothing is confirmed and nothing overtakes.
func TestPollReceiveFails(t *testing.T) {
	s := fake(t)
	in := &inbox{fail: func(try int) error {
		if try == 2 || try == 3 || try == 5 {
			return errors.New("the disk is full")
		}
		return nil
	}}
	first := s.Say(5, "one")
	s.Say(6, "two")
	s.Update(5, "message", 7)
	s.Say(5, "three")
	stop := polling(t, newTest(t, s.URL()), in)
	wait(t, s, drained(s))
	stop()
	texts, unread := in.texts(t)
	require.Equal(t, []string{"one", "two", "three"}, texts)
	require.Equal(t, []string{"u1001", "u1002", "u1002", "u1002", "u1003", "u1003", "u1004"}, in.tries)
	require.Len(t, unread, 1, "it is for whoever reads it to find that out")
	require.EqualValues(t, 1001, first)
}

// A crash after receiving and before the offset moved brings the update again.
func TestPollCrash(t *testing.T) {
	s := fake(t)
	in := &inbox{}
	ctx, crash := context.WithCancel(t.Context())
	defer crash()
	s.Say(5, "one")
	s.Say(5, "two")
	receive := func(_ context.Context, body []byte) error {
		defer crash()
		return in.receive(ctx, body)
	}
	require.NoError(t, newTest(t, s.URL()).Poll(ctx, receive))
	require.Equal(t, 2, s.Pending())

	stop := polling(t, newTest(t, s.URL()), in)
	wait(t, s, drained(s))
	stop()
	require.Equal(t, "u1001", in.tries[0])
	require.Equal(t, []string{"u1001", "u1002"}, in.tries[len(in.tries)-2:])
}

func TestPollMany(t *testing.T) {
	s := fake(t)
	in := &inbox{}
	stop := polling(t, newTest(t, s.URL()), in)
	for range 500 {
		s.Say(5, "x")
		s.Say(6, "x")
	}
	wait(t, s, drained(s))
	stop()
	require.Len(t, in.bodies, 1000)
	for i, body := range in.bodies[1:] {
		require.Less(t, numberOf(in.bodies[i]), numberOf(body))
	}
}

func TestPollTroubles(t *testing.T) {
	for name, faults := range map[string][]telegramtest.Fault{
		"conflict":     {{Method: "getUpdates", Code: 409, Times: 2}},
		"revoked":      {{Code: 401, Times: 4}, {Method: "getUpdates", Code: 401}},
		"broken":       {{Method: "getUpdates", Code: 500}, {Method: "getUpdates", HTML: true}, {Method: "getUpdates", Drop: true}},
		"at the start": {{Method: "deleteWebhook", Code: 500}, {Method: "getMe", Drop: true}, {Method: "getMe", HTML: true}},
		"no commands":  {{Method: "setMyCommands", Code: 400, Times: -1}},
		"lost answer":  {{Method: "getUpdates", Drop: true, Accept: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := fake(t)
			for _, f := range faults {
				s.Inject(f)
			}
			in := &inbox{}
			s.Say(5, "one")
			stop := polling(t, newTest(t, s.URL()), in)
			wait(t, s, drained(s))
			stop()
			texts, _ := in.texts(t)
			require.Equal(t, []string{"one"}, texts)
		})
	}
}

// An update without a number, which Telegram never sends, is kept and passed by the next.
func TestPollUpdateWithoutNumber(t *testing.T) {
	s := fake(t)
	var mu sync.Mutex
	odd := true
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if odd && r.URL.Path == "/bot"+testToken+"/getUpdates" {
			odd = false
			_, _ = w.Write([]byte(`{"ok":true,"result":[{"message":{}}]}`))
			return
		}
		s.ServeHTTP(w, r)
	}))
	defer front.Close()
	s.Say(5, "one")
	in := &inbox{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := newTest(t, front.URL).Poll(ctx, func(ctx context.Context, body []byte) error {
		if numberOf(body) != "" {
			cancel()
		}
		return in.receive(ctx, body)
	})
	require.NoError(t, err)
	texts, unread := in.texts(t)
	require.Equal(t, []string{`{"message":{}}`}, unread)
	require.Equal(t, []string{"one"}, texts)
}

func TestPollUnreachableEndsWithContext(t *testing.T) {
	c := newTest(t, "http://127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	in := &inbox{}
	require.NoError(t, c.Poll(ctx, in.receive))
}

func TestPacing(t *testing.T) {
	p := pacing{first: time.Second, most: time.Minute}
	for n, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		require.Equal(t, want, p.after(n, errors.New("x")), n)
	}
	require.Equal(t, 5000*time.Second, p.after(1, &apiError{code: 429, retryAfter: 5000 * time.Second}))
	c := newTest(t, "")
	c.retry = p
	require.Equal(t, 30*time.Second, c.pollAgain(1000, errors.New("x")))
	require.Equal(t, time.Minute, c.pollAgain(1, &apiError{code: 401}))
}

// run runs c until stop is called.
func run(t *testing.T, c *Channel, hookURL string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error { return c.Run(ctx, hookURL) })
	return func() {
		cancel()
		require.NoError(t, g.Wait())
	}
}

func TestRun(t *testing.T) {
	s := fake(t)
	for _, f := range []telegramtest.Fault{{Code: 401}, {Code: 500}, {Method: "setWebhook", Code: 429, RetryAfter: 1}, {Method: "setMyCommands", Code: 400}} {
		s.Inject(f)
	}
	c := newTest(t, s.URL())
	hook := "https://example.com/hooks/telegram/main"
	stop := run(t, c, hook)
	wait(t, s, func() bool { return len(s.Commands("pt")) > 0 })
	url, secret, kinds := s.Webhook()
	require.Equal(t, hook, url)
	require.Equal(t, "S3cret_-", secret)
	require.Equal(t, []string{"message", "edited_message", "callback_query", "my_chat_member"}, kinds)
	require.Equal(t, s.Username, *c.username.Load())

	resp, err := http.Get(s.URL() + "/bot" + testToken + "/deleteWebhook")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	wait(t, s, func() bool { url, _, _ := s.Webhook(); return url == hook })
	s.Inject(telegramtest.Fault{Method: "getWebhookInfo", Code: 500})
	asked := s.Calls("getWebhookInfo")
	wait(t, s, func() bool { return s.Calls("getWebhookInfo") > asked+2 })
	stop()
}

// What goes wrong is logged with what to do about it, and without secrets.
func TestRunTellsHowToMend(t *testing.T) {
	s := fake(t)
	log, hook := logtest.NewNullLogger()
	c, err := New(bot.Account{Channel: "telegram", ID: "main"}, Options{Token: testToken, Secret: "S3cret_-", APIBase: s.URL(), Log: log})
	require.NoError(t, err)
	c.retry = pacing{first: time.Millisecond, most: time.Millisecond}
	c.watch = time.Millisecond
	s.Inject(telegramtest.Fault{Code: 401, Description: "Unauthorized: " + testToken + " S3cret_-"})
	s.Inject(telegramtest.Fault{Drop: true})
	s.Inject(telegramtest.Fault{Method: "setWebhook", Code: 400, Description: "Bad Request: bad webhook: HTTPS url must be provided for webhook"})
	s.Say(5, canary)
	stop := run(t, c, "http://127.0.0.1:1/nobody")
	wait(t, s, func() bool { return s.Calls("getWebhookInfo") > 1 && s.Calls("setWebhook") > 1 })
	logged := func(words string) bool {
		for _, e := range hook.AllEntries() {
			if text, err := e.String(); err == nil && strings.Contains(text, words) {
				return true
			}
		}
		return false
	}
	wait(t, s, func() bool { return logged("had trouble with the webhook") })
	stop()
	for _, words := range []string{"@BotFather", "public_url must be", "webhook registered", "Connection failed", "account=main", "level=error"} {
		require.True(t, logged(words), words)
	}
	require.False(t, logged("CANARY"))
	require.False(t, logged("S3cret"))
}

func TestRunWithoutWebhook(t *testing.T) {
	for name, open := range map[string]func(*testing.T, string) (*Channel, string){
		"no URL": func(t *testing.T, base string) (*Channel, string) { return newTest(t, base), "" },
		"no secret": func(t *testing.T, base string) (*Channel, string) {
			c, err := New(bot.Account{Channel: "telegram", ID: "main"}, Options{Token: testToken, APIBase: base, Log: quiet()})
			require.NoError(t, err)
			require.Error(t, c.Start(t.Context(), "https://example.com/"))
			return c, "https://example.com/"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fake(t)
			c, hook := open(t, s.URL())
			stop := run(t, c, hook)
			wait(t, s, func() bool { return len(s.Commands("pt")) > 0 })
			stop()
			require.Zero(t, s.Calls("setWebhook"))
		})
	}
}
