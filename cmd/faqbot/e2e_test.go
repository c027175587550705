package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

const testToken = "4242:TestToken"

// A site is a running faqbot with one Telegram account, and the fake Telegram it talks to.
type site struct {
	t        *testing.T
	dir      string
	addr     string
	telegram *telegramtest.Server
	process  *exec.Cmd
	log      *syncBuffer
	scheme   string
	client   *http.Client
	binary   string // what serves; faqbot if empty
}

// A syncBuffer is written by a process and read by the test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// ports are given out from below those that the system gives to connections.
var ports atomic.Int32

// freeAddress is an address for a process of ours that is yet to listen; nobody else gets it meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+ports.Add(1))
		if l, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	require.Fail(t, "no port is free")
	return ""
}

// newSite configures a site on a database and publishes the shop's FAQ.
func newSite(t *testing.T, dsn, mode string) *site {
	t.Helper()
	return newSiteOf(t, "", dsn, mode)
}

// newSiteOf is newSite of another build.
func newSiteOf(t *testing.T, binary, dsn, mode string) *site {
	t.Helper()
	s := &site{binary: binary, t: t, dir: t.TempDir(), telegram: telegramtest.New(testToken), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}
	require.NoError(t, s.telegram.Start())
	t.Cleanup(func() { require.NoError(t, s.telegram.Close()) })
	s.addr = freeAddress(t)
	config := fmt.Sprintf(`
[server]
listen = %q
public_url = "http://%s"
[database]
dsn = %q
[[account]]
channel = "telegram"
id = "shop"
token = %q
secret = "hook-secret"
api_base = %q
mode = %q
locale = "en"
affiliates = ["shop"]
`, s.addr, s.addr, dsn, testToken, s.telegram.URL(), mode)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "faqbot.toml"), []byte(config), 0o600))
	if dsn == "faqbot.db" && binary == "" {
		data, err := shopOnce()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, dsn), data, 0o600))
	} else {
		require.NoError(t, publishShop(cmp.Or(binary, "faqbot"), s.dir))
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// publishShop publishes the shop's FAQ by the configuration in a folder.
func publishShop(binary, dir string) error {
	faq, err := filepath.Abs("testdata/shop.jsonl")
	if err != nil {
		return err
	}
	publish := exec.Command(binary, "import", faq, "--affiliate", "shop", "--publish")
	publish.Dir = dir
	out, err := publish.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "Published: revision 1") {
		err = errors.New("nothing was published")
	}
	if err != nil {
		return fmt.Errorf("publish the shop's FAQ: %w: %s", err, out)
	}
	return nil
}

// shopOnce is a SQLite file in which the shop's FAQ is published.
var shopOnce = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "faqbot-shop-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := publishShop("faqbot", dir); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "faqbot.db"))
})

// faqbot runs a command beside the server and returns what it printed.
func (s *site) faqbot(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "faqbot", args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "faqbot %v: %s", args, out)
	return string(out)
}

// start serves and waits until the service is ready.
func (s *site) start() {
	s.t.Helper()
	s.launch("faqbot.toml")
	require.Eventually(s.t, func() bool { return s.status("/readyz") == http.StatusOK }, waittest.Hang, 10*time.Millisecond)
}

// startUnready serves and waits until the service says why it is not ready.
func (s *site) startUnready() {
	s.t.Helper()
	s.launch("faqbot.toml")
	require.Eventually(s.t, func() bool { return s.status("/healthz") == http.StatusOK }, waittest.Hang, 10*time.Millisecond)
	require.Eventually(s.t, func() bool { return !strings.Contains(s.body("/readyz"), "reading what is published") }, waittest.Hang, 10*time.Millisecond)
}

// launch serves with a configuration.
func (s *site) launch(config string) {
	s.t.Helper()
	s.process = exec.Command(cmp.Or(s.binary, "faqbot"), "serve", "--config", config)
	s.process.Dir, s.process.Stderr, s.process.Stdout = s.dir, s.log, s.log
	require.NoError(s.t, s.process.Start())
}

// stop stops the service as an operator does; it must end by itself.
func (s *site) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		s.t.Errorf("the service did not stop in order: %v", err)
	}
	s.process = nil
}

// kill ends the service without a word of warning.
func (s *site) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

func (s *site) status(path string) int {
	status, _ := s.get(path)
	return status
}

// body is what is served at path.
func (s *site) body(path string) string {
	_, body := s.get(path)
	return body
}

func (s *site) get(path string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), waittest.Hang)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.scheme+"://"+s.addr+path, nil)
	require.NoError(s.t, err)
	res, err := s.client.Do(req)
	if err != nil {
		return 0, ""
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	return res.StatusCode, string(text)
}

// A customer is one chat, and how much of it was read.
type customer struct {
	s    *site
	chat int64
	read int
}

// next waits for the next message from the bot.
func (c *customer) next() telegramtest.SentMessage {
	c.s.t.Helper()
	ctx, cancel := context.WithTimeout(c.s.t.Context(), waittest.Hang)
	defer cancel()
	list, err := c.s.telegram.WaitSent(ctx, c.chat, c.read+1)
	require.NoError(c.s.t, err)
	c.read++
	return list[c.read-1]
}

// ask says text and returns the answer.
func (c *customer) ask(text string) telegramtest.SentMessage {
	c.s.t.Helper()
	c.s.telegram.Say(c.chat, text)
	return c.next()
}

// everywhere runs a test on both databases, by webhook and by polling.
func everywhere(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, mode := range []string{network.ModeWebhook, network.ModePoll} {
		t.Run("sqlite/"+mode, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, "faqbot.db", mode))
		})
		t.Run("postgres/"+mode, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, sqldbtest.Postgres(t), mode))
		})
	}
}

var ticketID = regexp.MustCompile(`(?m)^([A-Z0-9]{8})\s+shop\s`)

// The whole way: answers, a choice, a ticket, a person's reply, back to the bot; and nothing of it
// in the log.
func TestFromQuestionToPersonAndBack(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *site) {
		s.start()
		c := &customer{s: s, chat: 77}

		require.Equal(t, commandDisclosure+"\n\nCommissions are paid on the 15th of every month.", c.ask("on which day do i get my commissions").Text)
		require.Equal(t, "A click counts for 30 days.", c.ask("for how long is the cookie valid, canaryone").Text)
		require.Equal(t, "Fill in the form at https://shop.example/join?from=faq&lang=en <now>.", c.ask("where do I register as affiliate").Text)

		tie := c.ask("how long does approval take")
		require.Len(t, tie.Buttons, 4, "two entries, none of these and a person")
		s.telegram.Tap(c.chat, tie.ID, tie.Buttons[1].Data)
		require.Contains(t, []string{"Accounts are approved within two working days.", "Payouts are approved within five working days."}, c.next().Text)

		require.Contains(t, c.ask("what is the weather on mars, canarytwo").Text, "another way")
		offer := c.ask("is there snow on jupiter today")
		require.Len(t, offer.Buttons, 2)
		require.Contains(t, c.ask("which team won the football final").Text, "passing you to a person")

		var ticket string
		require.Eventually(t, func() bool {
			m := ticketID.FindStringSubmatch(s.faqbot("desk", "list"))
			if m != nil {
				ticket = m[1]
			}
			return m != nil
		}, waittest.Hang, 50*time.Millisecond)
		require.Contains(t, s.faqbot("desk", "show", ticket), "weather on mars")
		s.faqbot("desk", "reply", ticket, "The reds, canarythree & <friends>.")
		require.Equal(t, "The reds, canarythree & <friends>.", c.next().Text)

		s.telegram.Say(c.chat, "thank you canaryfour")
		// Shown at once, but due an answer only once the customer has been quiet for the settle window.
		due := regexp.MustCompile(`(?m)^` + ticket + ` .* in \d`)
		require.Eventually(t, func() bool { return due.MatchString(s.faqbot("desk", "list")) }, waittest.Hang, 50*time.Millisecond)
		require.Contains(t, s.faqbot("desk", "show", ticket), "canaryfour")
		s.faqbot("desk", "close", ticket)
		require.Contains(t, c.next().Text, "automated assistant")
		require.Equal(t, "The smallest payout is 50 euros.", c.ask("minimum payout?").Text)

		s.stop()
		for _, word := range []string{"canary", "mars", "commission", "payout", "TestToken", "hook-secret"} {
			require.NotContains(t, s.log.String(), word)
		}
		require.Zero(t, s.telegram.AnswersWithBody())
		require.Equal(t, c.read, len(s.telegram.Sent(c.chat)), "nothing was said twice")
	})
}

// A published answer is live in a running service, without a restart.
func TestPublishIsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModePoll)
	s.start()
	c := &customer{s: s, chat: 5}
	require.Equal(t, commandDisclosure+"\n\nThe smallest payout is 50 euros.", c.ask("minimum payout?").Text)
	faq, err := os.ReadFile("testdata/shop.jsonl")
	require.NoError(t, err)
	path := filepath.Join(s.dir, "new.jsonl")
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(faq, []byte("50 euros"), []byte("10 euros")), 0o600))
	require.Contains(t, s.faqbot("import", path, "--affiliate", "shop", "--publish"), "1 edited")
	published := time.Now()
	for c.ask("minimum payout?").Text != "The smallest payout is 10 euros." {
		require.Less(t, time.Since(published), waittest.Hang)
	}
}

// Commands, a greeting with a question, a customer's language, a deep link.
func TestSmallTalk(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModeWebhook)
	s.start()
	c := &customer{s: s, chat: 9}
	require.Contains(t, c.ask("/start partner-7").Text, "automated assistant")
	require.Contains(t, c.ask("/help").Text, "/human")
	require.Contains(t, c.ask("hi there!").Text, "What would you like to know")
	require.Equal(t, "Hello!\n\nThe smallest payout is 50 euros.", c.ask("Hi! What is the minimum payout?").Text)
	require.Contains(t, c.ask("thanks a lot").Text, "welcome")
	s.telegram.SetLanguage(10, "pt")
	require.Contains(t, (&customer{s: s, chat: 10}).ask("oi").Text, "Sou um assistente automático")
	require.Contains(t, c.ask("/human").Text, "passing you to a person")
	require.Contains(t, c.ask("/bot").Text, "assistant is back")
}

// The HTTP edge refuses what is not Telegram, and survives what is hostile.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModeWebhook)
	s.start()
	post := func(path, secret string, body []byte) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+path, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		res, err := http.DefaultClient.Do(req)
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			return http.StatusRequestEntityTooLarge // refused while we were still sending
		}
		require.NoError(t, err)
		_ = res.Body.Close()
		return res.StatusCode
	}
	hook := "/hooks/telegram/shop"
	message := func(id int, chat int64, text string) []byte {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		return fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d},"chat":{"id":%d,"type":"private"},"date":%d,"text":%s}}`, id, id, chat, chat, time.Now().Unix(), quoted)
	}
	require.Equal(t, 401, post(hook, "wrong", message(1, 31, "hello")))
	require.Equal(t, 401, post(hook, "", message(1, 31, "hello")))
	require.Equal(t, 404, post("/hooks/telegram/other", "hook-secret", message(1, 31, "hello")))
	require.Equal(t, 413, post(hook, "hook-secret", bytes.Repeat([]byte("x"), 4<<20)))
	for _, body := range []string{"", "{", `[]`, `null`, `"x"`, strings.Repeat(`{"a":`, 200_000), "\xff\xfe{\x00", `{"update_id":"x"}`} {
		require.Equal(t, 200, post(hook, "hook-secret", []byte(body)), "%.20q", body)
	}
	s.telegram.Know(32, 33, 34, 35)
	for i, text := range []string{strings.Repeat("long ", 20_000), "\x00\x01", "a\u0000b"} {
		require.Equal(t, 200, post(hook, "hook-secret", message(100+i, int64(32+i), text)))
	}
	long := &customer{s: s, chat: 32}
	require.Contains(t, long.next().Text, "too long")
	// A flood: one answer, a person. A slow machine answers before it has read them all, so it goes on until then.
	flooded, posted := &customer{s: s, chat: 35}, 200
	for said := ""; !strings.Contains(said, "more than I can read"); said = flooded.next().Text {
		for range 60 {
			require.Equal(t, 200, post(hook, "hook-secret", message(posted, 35, fmt.Sprint("flood ", posted))))
			posted++
		}
	}
	require.Equal(t, 200, s.status("/healthz"))
	require.NotContains(t, s.log.String(), "panic")
}

// One service at a time works on a SQLite file, and a killed one leaves no lock behind.
func TestOneServicePerFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModePoll)
	s.start()
	cmd := exec.CommandContext(t.Context(), "faqbot", "serve")
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "another faqbot serves")
	s.kill()
	s.start()
}

// A token that Telegram refuses makes the service not ready, by name; the replies wait for the mend.
func TestRefusedTokenShows(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModePoll)
	s.start()
	s.telegram.Inject(telegramtest.Fault{Method: "sendMessage", Times: 1, Code: http.StatusUnauthorized, Description: "Unauthorized"})
	s.telegram.Say(3, "minimum payout?")
	require.Eventually(t, func() bool { return s.status("/readyz") == http.StatusServiceUnavailable }, waittest.Hang, 20*time.Millisecond)
	require.Equal(t, http.StatusOK, s.status("/healthz"))
	require.Empty(t, s.telegram.Sent(3))
	s.stop()
	s.start() // with the token mended
	require.Equal(t, commandDisclosure+"\n\nThe smallest payout is 50 euros.", (&customer{s: s, chat: 3}).next().Text)
}

// Whoever blocks the bot is not written to until they come back.
func TestBlockedAndBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModeWebhook)
	s.start()
	c := &customer{s: s, chat: 4}
	require.Equal(t, commandDisclosure+"\n\nThe smallest payout is 50 euros.", c.ask("minimum payout?").Text)
	s.telegram.Block(4)
	s.telegram.Unblock(4)
	require.Equal(t, "A click counts for 30 days.", c.ask("how long does the cookie last").Text)
}
