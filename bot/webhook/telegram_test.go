package webhook_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/bot/telegram"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/bot/webhook"
	"faqbot/knowledge/events"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

const botToken = "99:CANARY-token"

// A desk is the real intake, which fails now and then.
type desk struct {
	*inbound.Intake
	t       *testing.T
	db      *sqldb.DB
	calls   atomic.Int64
	failing int64 // every how many calls one fails; 0 for none
}

func (d *desk) Receive(ctx context.Context, a bot.Account, body []byte) error {
	if n := d.calls.Add(1); d.failing > 0 && n%d.failing == 0 {
		return errors.New("the disk is full")
	}
	return d.Intake.Receive(ctx, a, body)
}

// column is what a query returns, once all that was posted has been taken in.
func (d *desk) column(query string, args ...any) (list []string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		var n int
		return d.db.QueryRowContext(d.t.Context(), `SELECT COUNT(*) FROM inbox`).Scan(&n) == nil && n == 0
	}, waittest.Hang, time.Millisecond)
	require.NoError(d.t, sqldb.Each(d.t.Context(), d.db, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		list = append(list, text)
		return err
	}, query, args...))
	return list
}

func (d *desk) rejected() []string { return d.column(`SELECT body FROM rejects`) }

func (d *desk) said(chat string) []string {
	return d.column(`SELECT m.body FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.customer = $1 ORDER BY m.seq`, chat)
}

// newDesk serves the hooks of one Telegram account at URL/hooks/telegram/main.
func newDesk(t *testing.T, apiBase string) (*desk, *telegram.Channel, string) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	log := logrus.New()
	log.SetOutput(io.Discard)
	account := bot.Account{Channel: "telegram", ID: "main"}
	c, err := telegram.New(account, telegram.Options{Token: botToken, Secret: "S3cret", APIBase: apiBase, Log: log})
	require.NoError(t, err)
	accounts := bot.NewRegistry()
	accounts.Put(account, c)
	d := &desk{t: t, db: sqldbtest.Migrated(t, events.Schema(), store.Schema())}
	d.Intake = inbound.NewIntake(store.New(d.db), accounts, log, inbound.IntakeOptions{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	engine := gin.New()
	webhook.NewHooks(webhook.Served(accounts), d, log).Register(engine)
	s := httptest.NewServer(engine)
	t.Cleanup(s.Close)
	return d, c, s.URL + "/hooks/telegram/main"
}

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
			d, _, url := newDesk(t, "")
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
			rejected := d.rejected()
			require.Len(t, rejected, test.kept)
			if test.kept > 0 {
				require.Equal(t, test.body, rejected[0])
			}
			require.Len(t, d.said("5"), test.said)
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
	d, c, url := newDesk(t, s.URL())
	d.failing = 5
	require.NoError(t, c.Start(t.Context(), url))
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint("say ", i))
		for chat := int64(1); chat <= 20; chat++ {
			s.Say(chat, want[i])
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	require.NoError(t, s.Wait(ctx, func() bool { return s.Pending() == 0 }))
	for chat := 1; chat <= 20; chat++ {
		require.Equal(t, want, d.said(strconv.Itoa(chat)), chat)
	}
	require.Len(t, s.Accepted(), 1000)
	require.Zero(t, s.AnswersWithBody())
}
