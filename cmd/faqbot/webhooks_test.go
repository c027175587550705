package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// A webhookCase is what a network posts, and what must become of it. ACCOUNT, CUSTOMER1, CUSTOMER2, CASEID, TGUPDATE,
// NOW_MS and NOW_SECONDS are filled in.
type webhookCase struct {
	About   string            `json:"about"`
	Channel string            `json:"channel"`
	Posts   []json.RawMessage `json:"posts"`
	Want    struct {
		Messages  []webhookMessage `json:"messages"`  // of the customer's, as stored
		Says      []string         `json:"says"`      // what the customer is told, each once
		Never     []string         `json:"never"`     // and is not
		Silent    bool             `json:"silent"`    // nothing is stored and nothing said
		Customers int              `json:"customers"` // 0: not counted
		Tickets   int              `json:"tickets"`   // 0: not counted
		Reject    string           `json:"reject"`    // why a post is shown at /channels
	} `json:"want"`
}

type webhookMessage struct {
	Text   string `json:"text"`
	Things []struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		Link string `json:"link"`
	} `json:"things"`
}

// What networks are known to post, odd as some of it is, one body or several: nothing that a customer said, filled in or
// pointed at is lost, and what is not understood is not answered as if it were.
func TestWebhookCases(t *testing.T) {
	t.Parallel()
	w := newWebhookSite(t)
	files, err := filepath.Glob("testdata/webhooks/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var c webhookCase
			require.NoError(t, json.Unmarshal(data, &c))
			w.play(t, i, c)
		})
	}
}

// A webhookSite is a service with an account on each network, over HTTP.
type webhookSite struct {
	*gallery
	db       *sqldb.DB
	telegram *telegramtest.Server
	accounts map[string]*graphtest.Account
}

func newWebhookSite(t *testing.T) *webhookSite {
	t.Helper()
	telegram, graph := telegramtest.New(testToken), graphtest.New()
	require.NoError(t, telegram.Start())
	t.Cleanup(func() { require.NoError(t, telegram.Close()) })
	require.NoError(t, graph.Start())
	t.Cleanup(func() { require.NoError(t, graph.Close()) })
	w := &webhookSite{telegram: telegram}
	config := fmt.Sprintf("[[account]]\nchannel = \"telegram\"\nid = \"shop\"\ntoken = %q\nsecret = \"hook-secret\"\napi_base = %q\nlocale = \"en\"\naffiliates = [\"shop\"]\n", testToken, telegram.URL())
	meta, accounts := metaAccounts(graph)
	w.accounts = accounts
	dir := t.TempDir()
	faq, err := os.ReadFile("testdata/webhooks/faq.csv")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), faq, 0o600))
	dsn := sqldbtest.SQLite(t)
	w.gallery, _ = openGallery(t, dsn, "", dir, config+meta)
	w.db, err = sqldb.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.db.Close()) })
	return w
}

func (w *webhookSite) play(t *testing.T, i int, c webhookCase) {
	first, second := fmt.Sprint(4915100000000+i*10+1), fmt.Sprint(4915100000000+i*10+2)
	if a := w.accounts[c.Channel]; a != nil {
		a.Know(first, second)
	} else {
		w.telegram.Know(4915100000000 + int64(i)*10 + 1)
	}
	for n, post := range c.Posts {
		now := time.Now()
		body := strings.NewReplacer(`"ACCOUNT"`, fmt.Sprintf("%q", w.numberOf(c.Channel)), `"CUSTOMER1_NUMBER"`, first, "CUSTOMER1", first, "CUSTOMER2", second, "CASEID", fmt.Sprintf("case%d_", i),
			`"TGUPDATE"`, fmt.Sprint(1000+i*10+n), `"NOW_MS"`, fmt.Sprint(now.UnixMilli()), `"NOW_SECONDS"`, fmt.Sprint(now.Unix())).Replace(string(post))
		require.Equal(t, http.StatusOK, w.post(t, c.Channel, []byte(body)))
		w.wait(t, "taken in", func() bool { return w.count(t, `SELECT COUNT(*) FROM inbox`) == 0 })
	}
	if c.Want.Reject != "" {
		w.wait(t, "shown at /channels", func() bool {
			return w.count(t, `SELECT COUNT(*) FROM rejects WHERE reason LIKE $1`, "%"+c.Want.Reject+"%") == 1
		})
		return
	}
	w.wait(t, "everything answered", func() bool { return w.settled(t, first, second) })
	said := w.said(c.Channel, first, second)
	if c.Want.Silent {
		require.Empty(t, w.stored(t, first, second))
		require.Empty(t, said)
		return
	}
	w.requireStored(t, c.Want.Messages, w.stored(t, first, second))
	for _, words := range c.Want.Says {
		require.NotEmpty(t, said, "silence")
		if words != "" {
			require.Equal(t, 1, strings.Count(said, words), "%q in %q", words, said)
		}
	}
	for _, words := range c.Want.Never {
		require.NotContains(t, said, words)
	}
	const customers, tickets = `SELECT COUNT(DISTINCT customer_id) FROM conversations c WHERE `, `SELECT COUNT(*) FROM tickets t JOIN conversations c ON c.id = t.conversation_id WHERE `
	if c.Want.Customers > 0 {
		require.Equal(t, c.Want.Customers, w.count(t, customers+theirs, "%"+first, "%"+second))
	}
	if c.Want.Tickets > 0 {
		w.wait(t, "tickets", func() bool { return w.count(t, tickets+theirs, "%"+first, "%"+second) == c.Want.Tickets })
	}
}

// theirs selects the conversations of a case.
const theirs = `(c.customer LIKE $1 OR c.customer LIKE $2)`

func (w *webhookSite) numberOf(channel string) string {
	return map[string]string{graphtest.WhatsApp: "5000", graphtest.Messenger: "5001", graphtest.Instagram: "5002"}[channel]
}

func (w *webhookSite) post(t *testing.T, channel string, body []byte) int {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/hooks/"+channel+"/shop", bytes.NewReader(body))
	require.NoError(t, err)
	if w.accounts[channel] == nil {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", "hook-secret")
	} else {
		r.Header.Set("X-Hub-Signature-256", graphtest.Sign("app-secret", body))
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func (w *webhookSite) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, waittest.Hang, 50*time.Millisecond, what)
}

func (w *webhookSite) count(t *testing.T, query string, args ...any) (n int) {
	require.NoError(t, w.db.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// settled reports whether every message has had its turn, and all that was said has gone out.
func (w *webhookSite) settled(t *testing.T, first, second string) bool {
	return w.count(t, `SELECT COUNT(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.author = 'customer' AND m.turn_id = '' AND `+theirs, "%"+first, "%"+second) == 0 &&
		w.count(t, `SELECT COUNT(*) FROM deliveries d JOIN conversations c ON c.id = d.conversation_id WHERE d.state = 'queued' AND `+theirs, "%"+first, "%"+second) == 0
}

// said is all that a case's customers were told.
func (w *webhookSite) said(channel string, customers ...string) string {
	var said []string
	for _, customer := range customers {
		if a := w.accounts[channel]; a != nil {
			for _, prefix := range []string{"", "US.", "IN."} {
				for _, m := range a.Sent(prefix + customer) {
					said = append(said, m.Text)
				}
			}
			continue
		}
		var id int64
		_, _ = fmt.Sscan(customer, &id)
		for _, m := range w.telegram.Sent(id) {
			said = append(said, m.Text)
		}
	}
	return strings.Join(said, "\n")
}

type storedMessage struct {
	text   string
	things []bot.Attachment
}

func (w *webhookSite) stored(t *testing.T, first, second string) (list []storedMessage) {
	require.NoError(t, sqldb.Each(t.Context(), w.db, func(rows *sql.Rows) error {
		var m storedMessage
		var things string
		err := rows.Scan(&m.text, &things)
		if things != "" {
			require.NoError(t, json.Unmarshal([]byte(things), &m.things))
		}
		list = append(list, m)
		return err
	}, `SELECT m.body, m.attachments FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.author = 'customer' AND `+theirs+` ORDER BY m.id`, "%"+first, "%"+second))
	return list
}

func (w *webhookSite) requireStored(t *testing.T, want []webhookMessage, got []storedMessage) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, m := range want {
		require.Equal(t, m.Text, got[i].text)
		require.Len(t, got[i].things, len(m.Things), "%+v", got[i].things)
		for j, thing := range m.Things {
			a := got[i].things[j]
			require.Equal(t, thing.Kind, a.Kind)
			require.Equal(t, thing.Link, a.Link)
			if thing.Name != "" {
				require.Equal(t, thing.Name, a.Name)
			}
		}
	}
}
