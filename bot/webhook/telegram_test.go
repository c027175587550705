package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/telegram"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/bot/webhook"
)

const botToken = "99:CANARY-token"

// A desk takes in events once each, as the real intake does, and fails now and then.
type desk struct {
	mu       sync.Mutex
	calls    int
	failing  int            // every how many calls one fails; 0 for none
	seen     map[string]int // how often each event came
	texts    map[string][]string
	rejected []string
}

func (d *desk) Accept(_ context.Context, _ bot.Account, events []bot.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.failing > 0 && d.calls%d.failing == 0 {
		return errors.New("the disk is full")
	}
	for _, e := range events {
		d.seen[e.ExternalID]++
		if e.Message != nil && d.seen[e.ExternalID] == 1 {
			d.texts[e.Address.Customer] = append(d.texts[e.Address.Customer], e.Message.Text)
		}
	}
	return nil
}

func (d *desk) Reject(_ context.Context, _ bot.Account, body []byte, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rejected = append(d.rejected, string(body))
	return nil
}

// hear serves the hooks of one Telegram account at URL/hooks/telegram/main.
func hear(t *testing.T, d *desk, apiBase string) (*telegram.Channel, string) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	log := logrus.New()
	log.SetOutput(io.Discard)
	account := bot.Account{Channel: "telegram", ID: "main"}
	c, err := telegram.New(account, telegram.Options{Token: botToken, Secret: "S3cret", APIBase: apiBase, Log: log})
	require.NoError(t, err)
	engine := gin.New()
	webhook.NewHooks(func(string) (webhook.Endpoint, bool) { return webhook.Endpoint{Account: account, Receiver: c}, true }, d, log).Register(engine)
	s := httptest.NewServer(engine)
	t.Cleanup(s.Close)
	return c, s.URL + "/hooks/telegram/main"
}

func newDesk() *desk { return &desk{seen: map[string]int{}, texts: map[string][]string{}} }

func TestTelegramBodies(t *testing.T) {
	deep := `{"update_id":1,"message":` + strings.Repeat(`{"x":`, 20_000) + "1" + strings.Repeat("}", 20_001)
	message := func(text string) string {
		return `{"update_id":7,"message":{"message_id":1,"from":{"id":5},"chat":{"id":5,"type":"private"},"text":"` + text + `"}}`
	}
	large := message(strings.Repeat("x", 3<<20-len(message(""))))
	for _, test := range []struct {
		name, body string
		status     int
		kept, said int
	}{
		{"message", message("hi"), 200, 0, 1},
		{"not UTF-8", message("a\xffb"), 200, 0, 1},
		{"NUL", message(`a\u0000b`), 200, 0, 1},
		{"raw NUL", message("a\x00b"), 200, 1, 0},
		{"truncated", message("hi")[:40], 200, 1, 0},
		{"deep", deep, 200, 1, 0},
		{"empty", "", 200, 1, 0},
		{"unknown kind", `{"update_id":7,"managed_bot":{}}`, 200, 0, 0},
		{"3 MiB", large, 200, 0, 1},
		{"3 MiB and a byte", large + " ", 413, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk()
			_, url := hear(t, d, "")
			for _, secret := range []string{"S3cret", "guess", ""} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(test.body))
				require.NoError(t, err)
				req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
				resp, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				if secret != "S3cret" && test.status == 200 {
					require.Equal(t, 401, resp.StatusCode)
				} else {
					require.Equal(t, test.status, resp.StatusCode)
				}
			}
			require.Len(t, d.rejected, test.kept)
			if test.kept > 0 {
				require.Equal(t, test.body, d.rejected[0])
			}
			require.Len(t, d.texts["5"], test.said)
		})
	}
}

// Through refusals, duplicates and concurrent chats each message is heard, in its chat's order.
func TestTelegramDelivers(t *testing.T) {
	s := telegramtest.New(botToken)
	require.NoError(t, s.Start())
	defer func() { require.NoError(t, s.Close()) }()
	s.SetBackoff(time.Millisecond, 5*time.Millisecond)
	s.SetDuplicate(7)
	d := newDesk()
	d.failing = 5
	c, url := hear(t, d, s.URL())
	require.NoError(t, c.Start(t.Context(), url))
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint("say ", i))
		for chat := int64(1); chat <= 20; chat++ {
			s.Say(chat, want[i])
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Wait(ctx, func() bool { return s.Pending() == 0 }))
	require.Len(t, d.texts, 20)
	for chat, texts := range d.texts {
		require.Equal(t, want, texts, chat)
	}
	require.Len(t, s.Accepted(), 1000)
	require.Zero(t, s.AnswersWithBody())
}
