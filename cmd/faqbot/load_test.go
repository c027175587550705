package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/waittest"
)

// slow skips a test that takes long, or needs the machine for itself; make slow runs it.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("make slow runs it")
	}
}

// A posting posts messages of customers to a site's webhook as fast as a few connections can, one message per
// customer, and keeps which were acknowledged.
type posting struct {
	s    *site
	stop chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	acked   map[int64]bool
	refused map[int]int // how many answers of each status but 200; 0 is none at all
}

// nextChat counts customers: each posts one message in a test run.
var nextChat atomic.Int64

const (
	firstChat = 100_000
	// postWithin is how long an answer may take: the service's own bound and some.
	postWithin = maxRequest + 20*time.Second
)

// post begins posting.
func post(s *site, connections int) *posting {
	p := &posting{s: s, stop: make(chan struct{}), acked: map[int64]bool{}, refused: map[int]int{}}
	for range connections {
		p.wg.Go(func() {
			client := &http.Client{Timeout: postWithin, Transport: &http.Transport{}}
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for {
				select {
				case <-p.stop:
					return
				case <-pace.C:
					p.one(client)
				}
			}
		})
	}
	return p
}

func (p *posting) one(client *http.Client) {
	n := firstChat + nextChat.Add(1)
	p.s.telegram.Know(n)
	body := fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":1,"from":{"id":%d},"chat":{"id":%d,"type":"private"},"date":%d,"text":"minimum payout? number %d"}}`, n, n, n, time.Now().Unix(), n)
	r, err := http.NewRequest(http.MethodPost, "http://"+p.s.addr+"/hooks/telegram/shop", bytes.NewReader(body)) // the client has a timeout
	require.NoError(p.s.t, err)
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", "hook-secret")
	status := 0
	if res, err := client.Do(r); err == nil {
		status = res.StatusCode
		_ = res.Body.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if status == http.StatusOK {
		p.acked[n] = true
	} else {
		p.refused[status]++
	}
}

// known are the messages acknowledged so far.
func (p *posting) known() map[int64]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.acked)
}

func (p *posting) refusals() map[int]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.refused)
}

// more waits until n more messages were acknowledged.
func (p *posting) more(n int) {
	p.s.t.Helper()
	before := len(p.known())
	require.Eventually(p.s.t, func() bool { return len(p.known()) >= before+n }, waittest.Hang, 20*time.Millisecond)
}

// end ends posting and returns what was acknowledged in all.
func (p *posting) end() map[int64]bool {
	close(p.stop)
	p.wg.Wait()
	return p.known()
}

// stored counts the customers' messages in a database, those waiting in the inbox included.
func storedMessages(t *testing.T, db *sqldb.DB) map[int64]int {
	t.Helper()
	count := map[int64]int{}
	// One statement, since messages move from the inbox while it is read.
	inbox := `CAST(body AS TEXT)`
	if db.Postgres() {
		inbox = `convert_from(body, 'UTF8')`
	}
	require.NoError(t, sqldb.Each(t.Context(), db, func(r *sql.Rows) error {
		var body string
		err := r.Scan(&body)
		_, number, _ := strings.Cut(body, "number ")
		number, _, _ = strings.Cut(number, `"`)
		if n, bad := strconv.ParseInt(number, 10, 64); bad == nil {
			count[n]++
		}
		return err
	}, `SELECT body FROM messages WHERE author = 'customer' UNION ALL SELECT `+inbox+` FROM inbox`))
	return count
}

// holds makes sure that a database has every message of acked, once.
func holds(t *testing.T, db *sqldb.DB, acked map[int64]bool) {
	t.Helper()
	count, lost := storedMessages(t, db), 0
	for n := range acked {
		if count[n] == 0 {
			lost++
		}
	}
	doubled := 0
	for _, n := range count {
		if n > 1 {
			doubled++
		}
	}
	require.Zero(t, lost, "of %d acknowledged", len(acked))
	require.Zero(t, doubled)
	t.Logf("%d acknowledged, all of them stored, none twice", len(acked))
}

// answered makes sure that every customer of acked got one answer.
func (s *site) answered(acked map[int64]bool) {
	s.t.Helper()
	for n := range acked {
		require.Eventually(s.t, func() bool { return len(s.telegram.Sent(n)) > 0 }, waittest.Hang, 50*time.Millisecond, "customer %d", n)
	}
	twice := 0
	for n := range acked {
		if len(s.telegram.Sent(n)) > 1 {
			twice++
		}
	}
	s.t.Logf("%d customers answered, %d of them more than once", len(acked), twice)
}

// newHookSite is a running site by webhook.
func newHookSite(t *testing.T, dsn string) *site {
	s := newSite(t, dsn, network.ModeWebhook)
	s.start()
	return s
}
