package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/network"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// Secrets of the tests of set-up; none may be seen anywhere.
const (
	metaToken  = "CanaryMetaToken"
	metaSecret = "CanaryAppSecret"
)

// A newcomer is a running faqbot without accounts, and the fake networks that accounts can be added on.
type newcomer struct {
	*site
	graph *graphtest.Server
	said  bytes.Buffer // by all commands
}

func newNewcomer(t *testing.T, dsn string) *newcomer {
	t.Helper()
	n := &newcomer{graph: graphtest.New(), site: &site{t: t, dir: t.TempDir(), telegram: telegramtest.New(testToken), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}}
	require.NoError(t, n.telegram.Start())
	require.NoError(t, n.graph.Start())
	t.Cleanup(func() { require.NoError(t, errors.Join(n.telegram.Close(), n.graph.Close())) })
	n.addr = freeAddress(t)
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "faqbot.toml"),
		fmt.Appendf(nil, "[server]\nlisten = %q\npublic_url = \"http://%s\"\n[database]\ndsn = %q\n", n.addr, n.addr, dsn), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "token"), []byte(metaToken+"\n"), 0o600))
	faq, err := filepath.Abs("testdata/shop.jsonl")
	require.NoError(t, err)
	require.Contains(t, n.faqbot("import", faq, "--affiliate", "shop", "--publish"), "Published: revision 1")
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			t.Log(n.log.String())
		}
	})
	return n
}

// run runs a command and returns what it printed and its exit code.
func (n *newcomer) run(args ...string) (string, int) {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), "faqbot", args...)
	cmd.Dir = n.dir
	cmd.Env = append(os.Environ(), "BOT_TOKEN="+testToken, "APP_SECRET="+metaSecret)
	out, err := cmd.CombinedOutput()
	n.said.Write(out)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	require.NoError(n.t, err)
	return string(out), 0
}

// meta adds an account of Meta's to the fake and returns it with the flags by which it is added to ours.
func (n *newcomer) meta(kind string) (*graphtest.Account, []string) {
	a := n.graph.Add(graphtest.AccountOptions{Kind: kind, ID: "5001", Business: "95001", Token: metaToken, Secret: metaSecret, AppID: "77"})
	flags := []string{"channel", "add", kind, "--id", "shop", "--affiliate", "shop", "--token", "file:token", "--secret", "env:APP_SECRET",
		"--app-id", "77", "--api-base", n.graph.URL()}
	if kind == "whatsapp" {
		return a, append(flags, "--number-id", "5001", "--business-id", "95001")
	}
	return a, append(flags, "--page-id", "5001")
}

// quiet makes sure that no secret is in what commands printed, the log, or the database.
func (n *newcomer) quiet() {
	n.t.Helper()
	for _, secret := range []string{testToken, strings.TrimPrefix(testToken, "4242:"), metaToken, metaSecret} {
		require.NotContains(n.t, n.said.String(), secret)
		require.NotContains(n.t, n.log.String(), secret)
		for _, file := range []string{"faqbot.db", "faqbot.db-wal"} {
			data, err := os.ReadFile(filepath.Join(n.dir, file))
			if err == nil {
				require.NotContains(n.t, string(data), secret, file)
				require.NotContains(n.t, string(data), hex.EncodeToString([]byte(secret)), file)
			}
		}
	}
}

// The whole way on Telegram, by the real binary beside a running service: add, answered, check, moved
// away and back, removed.
func TestAddTelegram(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "faqbot.db" }, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			n := newNewcomer(t, dsn(t))
			n.start()
			add := []string{"channel", "add", "telegram", "--id", "shop", "--affiliate", "shop", "--token", "env:BOT_TOKEN", "--api-base", n.telegram.URL()}
			out, code := n.run(add...)
			require.Zero(t, code, out)
			require.Contains(t, out, "Added telegram/shop: @Bot4242Bot")
			require.Contains(t, out, "http://"+n.addr+"/hooks/telegram/shop")
			require.Contains(t, out, "posts to it from now on")
			url, secret, _ := n.telegram.Webhook()
			require.Equal(t, "http://"+n.addr+"/hooks/telegram/shop", url)
			require.Regexp(t, `^[A-Z2-7]{26}$`, secret)
			c := &customer{s: n.site, chat: 77}
			require.Equal(t, commandDisclosure+"\n\nCommissions are paid on the 15th of every month.", c.ask("on which day do i get my commissions").Text)

			out, code = n.run("channel", "check")
			require.Zero(t, code, out)
			require.Contains(t, out, "telegram/shop  works  @Bot4242Bot")
			require.NotContains(t, out, "never", "something came in and something went out")

			setHook(t, n.telegram, "http://127.0.0.1:9/elsewhere?key=CanaryElse")
			out, code = n.run("channel", "check", "telegram/shop")
			require.Equal(t, exitMissed, code)
			require.Contains(t, out, "another address: http://127.0.0.1:9/")
			require.NotContains(t, out, "CanaryElse")
			out, code = n.run("channel", "webhook", "telegram/shop")
			require.Zero(t, code, out)
			require.Equal(t, "A click counts for 30 days.", c.ask("for how long is the cookie valid").Text)

			n.telegram.SetClock(10 * time.Minute)
			out, _ = n.run("channel", "check")
			require.Contains(t, out, "clock is 10m0s behind")
			n.telegram.SetClock(0)

			n.telegram.Inject(telegramtest.Fault{Code: 401, Times: -1})
			out, code = n.run("channel", "check")
			require.Equal(t, exitMissed, code)
			require.Contains(t, out, "does not accept the token")
			require.Contains(t, out, "bot/telegram/SETUP.md#1-the-bot")
			n.telegram.ClearFaults()

			// It is there after a restart, and gone after a removal, without one.
			n.stop()
			n.start()
			require.Equal(t, "The smallest payout is 50 euros.", c.ask("minimum payout?").Text)
			req, err := http.NewRequest(http.MethodPost, "http://"+n.addr+"/hooks/telegram/shop", strings.NewReader(`{"update_id":"CanaryBody"}`))
			require.NoError(t, err)
			req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			out, code = n.run("channel", "check")
			require.Zero(t, code, out)
			require.Contains(t, out, "1 could not be read and are kept")
			require.NotContains(t, out, "CanaryBody", "only when asked for")
			out, _ = n.run("channel", "check", "--rejects")
			require.Contains(t, out, "CanaryBody")
			n.telegram.Inject(telegramtest.Fault{Method: "sendMessage", Code: 429, RetryAfter: 600})
			n.telegram.Say(c.chat, "minimum payout?")
			require.Eventually(t, func() bool {
				out, _ = n.run("channel", "check")
				return strings.Contains(out, "lets nothing be sent until")
			}, waittest.Hang, 50*time.Millisecond)
			out, code = n.run("channel", "remove", "telegram/shop")
			require.Zero(t, code, out)
			require.Eventually(t, func() bool { return n.status("/hooks/telegram/shop") == http.StatusNotFound }, waittest.Hang, 20*time.Millisecond)
			out, _ = n.run("channel", "list")
			require.Contains(t, out, "No accounts on networks yet")
			n.stop()
			n.quiet()
		})
	}
}

// With --test the command waits until somebody writes to the account and is answered.
func TestAddAndTest(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "faqbot.db")
	n.start()
	said := make(chan string, 1)
	go func() {
		out, _ := n.run("channel", "add", "telegram", "--id", "shop", "--affiliate", "shop", "--token", "env:BOT_TOKEN", "--api-base", n.telegram.URL(), "--test")
		said <- out
	}()
	require.Eventually(t, func() bool { url, _, _ := n.telegram.Webhook(); return url != "" }, waittest.Hang, 10*time.Millisecond)
	c := &customer{s: n.site, chat: 77}
	lead := commandDisclosure + "\n\n"
	for done := false; !done; { // it may not look for messages yet when the first one comes
		require.Equal(t, lead+"The smallest payout is 50 euros.", c.ask("minimum payout?").Text)
		lead = ""
		select {
		case out := <-said:
			done = true
			require.Contains(t, out, "The answer went out. The account works.")
		case <-time.After(time.Second):
		}
	}
	n.quiet()
}

// An app of Meta's has one address for all its pages: a second page does not take it from the first.
func TestOneAppForEachPage(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "faqbot.db")
	_, add := n.meta("messenger")
	second := n.graph.Add(graphtest.AccountOptions{Kind: "messenger", ID: "6001", Token: "CanaryPageToken", Secret: metaSecret, AppID: "77"})
	n.start()
	out, code := n.run(add...)
	require.Zero(t, code, out)
	writeFile(t, n.dir, "page", "CanaryPageToken")
	out, code = n.run("channel", "add", "messenger", "--id", "second", "--affiliate", "shop", "--token", "file:page", "--secret", "env:APP_SECRET",
		"--app-id", "77", "--api-base", n.graph.URL(), "--page-id", "6001")
	require.Zero(t, code, out)
	require.Contains(t, out, "make an app for this one")
	_, hook := second.Subscribed()
	require.NotContains(t, hook, "second")
	out, code = n.run("channel", "check", "messenger/shop")
	require.Zero(t, code, out)
}

// setHook registers a webhook for the bot as some other program would.
func setHook(t *testing.T, s *telegramtest.Server, url string) {
	t.Helper()
	res, err := http.Post(s.URL()+"/bot"+testToken+"/setWebhook", "application/json", strings.NewReader(fmt.Sprintf(`{"url":%q}`, url)))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

// The whole way on each of Meta's networks.
func TestAddMeta(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	for _, kind := range []string{"whatsapp", "messenger", "instagram"} {
		t.Run(kind, func(t *testing.T) {
			n := newNewcomer(t, "faqbot.db")
			a, add := n.meta(kind)
			hook := "http://" + n.addr + "/hooks/" + kind + "/shop"

			// Nobody serves yet: the account is kept, and the webhook is set later.
			out, code := n.run(add...)
			require.Zero(t, code, out)
			require.Contains(t, out, "Start `faqbot serve`")
			n.start()
			subscribes := func(times int) {
				t.Helper()
				require.Eventually(t, func() bool { return strings.Count(n.log.String(), "the app is subscribed") == times }, waittest.Hang, 10*time.Millisecond)
			}
			subscribes(1)
			out, code = n.run(add...)
			require.Zero(t, code, out)
			require.Contains(t, out, "posts to it from now on")
			require.Contains(t, out, "verify token")
			// The service takes the change up in its own time. What is broken before that it would mend, or try to a minute later.
			subscribes(2)
			subscribed, at := a.Subscribed()
			require.True(t, subscribed)
			require.Equal(t, hook, at)
			a.Say("16505550001", "minimum payout?")
			require.Equal(t, disclosure+"\n\nThe smallest payout is 50 euros.", heard(t, a, "16505550001", 1)[0].Text)
			out, code = n.run("channel", "check")
			require.Zero(t, code, out)
			require.Contains(t, out, kind+"/shop  works")

			for what, c := range map[string]struct {
				break_, mend func()
				want         string
				grave        bool
			}{
				"a permission": {func() { a.SetToken(time.Time{}, "public_profile") }, func() { a.SetToken(time.Time{}) }, "lacks the permission", true},
				"the end":      {func() { a.SetToken(time.Now().Add(24 * time.Hour)) }, func() { a.SetToken(time.Time{}) }, "The token ends on", false},
				"over":         {func() { a.SetToken(time.Now().Add(-time.Hour)) }, func() { a.SetToken(time.Time{}) }, "not valid any more", true},
				"refused":      {func() { a.Inject(graphtest.Fault{Code: 190, Subcode: 463, Status: 401, Times: -1}) }, a.ClearFaults, "The token has expired", true},
				"forbidden":    {func() { a.Inject(graphtest.Fault{Edge: "subscribed_apps", Code: 200, Status: 403, Times: -1}) }, a.ClearFaults, "lacks the permission", true},
				"a proxy":      {func() { a.Inject(graphtest.Fault{HTML: true, Times: -1}) }, a.ClearFaults, "Meta cannot be asked", true},
				"the clock":    {func() { a.SetUsage("Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat)) }, func() { a.SetUsage("Date", time.Now().UTC().Format(http.TimeFormat)) }, "clock is", false},
			} {
				c.break_()
				out, code := n.run("channel", "check")
				c.mend()
				require.Contains(t, out, c.want, what)
				require.Contains(t, out, guideOf(kind)+"#", what)
				require.Equal(t, c.grave, code == exitMissed, "%s: %s", what, out)
			}
			a.Unsubscribe()
			out, code = n.run("channel", "check")
			require.Equal(t, exitMissed, code)
			require.Contains(t, out, "is not subscribed")
			elsewhere := "https://elsewhere.example/hook"
			if kind == "whatsapp" {
				a.SetOverride(elsewhere)
			} else {
				a.SetAppHook(elsewhere, "messages")
			}
			out, _ = n.run("channel", "check")
			require.Contains(t, out, "another address: "+elsewhere)
			out, code = n.run("channel", "webhook", kind+"/shop")
			require.Zero(t, code, out)
			out, code = n.run("channel", "check")
			require.Zero(t, code, out)
			n.stop()
			n.quiet()
		})
	}
}

// What the network says cannot work is not kept, and is said with the step that mends it.
func TestAddRefused(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "faqbot.db")
	a, add := n.meta("whatsapp")
	page, _ := n.graph.Add(graphtest.AccountOptions{Kind: "messenger", ID: "6001", Token: "CanaryPageToken", Secret: metaSecret, AppID: "77"}), 0
	require.NotNil(t, page)
	telegram := []string{"channel", "add", "telegram", "--id", "shop", "--affiliate", "shop", "--api-base", n.telegram.URL(), "--token"}
	for want, args := range map[string][]string{
		"shows in the list of processes":          append(telegram, testToken),
		"BADTOKEN is not set":                     append(telegram, "env:BADTOKEN"),
		"--token is missing":                      {"channel", "add", "telegram", "--id", "shop", "--affiliate", "shop"},
		"--affiliate is missing":                  {"channel", "add", "telegram", "--id", "shop", "--token", "env:BOT_TOKEN"},
		"has not the shape that @BotFather gives": append(telegram, "env:APP_SECRET"),
	} {
		out, code := n.run(args...)
		require.Equal(t, exitCouldNot, code, out)
		require.Contains(t, out, want)
	}
	n.telegram.Inject(telegramtest.Fault{Method: "getMe", Code: 401})
	out, code := n.run(append(telegram, "env:BOT_TOKEN")...)
	require.Equal(t, exitCouldNot, code, out)
	require.Contains(t, out, "nothing was added. Telegram does not accept the token")

	a.Inject(graphtest.Fault{Code: 190, Status: 401})
	out, _ = n.run(add...)
	require.Contains(t, out, "nothing was added. Meta does not accept the token")
	a.Inject(graphtest.Fault{Code: 10, Status: 403})
	out, _ = n.run(add...)
	require.Contains(t, out, "nothing was added. The token lacks the permission whatsapp_business_management")
	a.SetToken(time.Time{}, "whatsapp_business_management")
	out, _ = n.run(add...)
	require.Contains(t, out, "nothing was added. The token lacks the permission whatsapp_business_messaging")
	a.SetToken(time.Time{})
	out, _ = n.run(append(add, "--number-id", "5009")...)
	require.Contains(t, out, "nothing was added. The token knows no account of that ID")
	out, _ = n.run(append(add, "--app-id", "78")...)
	require.Contains(t, out, "nothing was added. The app's ID and secret do not belong together")
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "page"), []byte("CanaryPageToken"), 0o600))
	out, _ = n.run("channel", "add", "messenger", "--id", "shop", "--affiliate", "shop", "--token", "file:page", "--secret", "env:APP_SECRET",
		"--app-id", "77", "--api-base", n.graph.URL(), "--page-id", "6002")
	require.Contains(t, out, "nothing was added. The token is for page 6001, not for 6002.")

	out, _ = n.run("channel", "list")
	require.Contains(t, out, "No accounts on networks yet")
	n.quiet()
}

// Without its key file the database does not give the secrets away, and what to do is said; the file of
// the configuration wins over what was added.
func TestKeyOfTheSecrets(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "faqbot.db")
	add := []string{"channel", "add", "telegram", "--id", "shop", "--affiliate", "shop", "--token", "env:BOT_TOKEN", "--api-base", n.telegram.URL()}
	n.start()
	out, code := n.run(add...)
	require.Zero(t, code, out)
	key := filepath.Join(n.dir, "faqbot.db.key")
	info, err := os.Stat(key)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	n.stop()

	require.NoError(t, os.Rename(key, key+".kept"))
	n.startUnready()
	require.Contains(t, n.body("/readyz"), "the key of the secrets is missing")
	out, code = n.run("channel", "check")
	require.Equal(t, exitMissed, code)
	require.Contains(t, out, "secrets cannot be read")
	require.Contains(t, out, "Put the key file back")
	out, code = n.run(append(add, "--id", "second")...)
	require.Equal(t, exitCouldNot, code)
	require.Contains(t, out, "put it back, or remove those accounts")
	require.NoError(t, os.WriteFile(key, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600))
	out, _ = n.run("channel", "check")
	require.Contains(t, out, "sealed with another key")
	out, _ = n.run(append(add, "--id", "second")...)
	require.Contains(t, out, "does not fit account telegram/shop")
	require.NoError(t, os.WriteFile(key, []byte("nonsense"), 0o600))
	out, _ = n.run("channel", "check")
	require.Contains(t, out, "malformed")
	require.NotContains(t, out, "nonsense")
	require.NoError(t, os.Rename(key+".kept", key))
	c := &customer{s: n.site, chat: 78}
	require.Eventually(t, func() bool { return n.status("/hooks/telegram/shop") == http.StatusMethodNotAllowed }, waittest.Hang, 20*time.Millisecond, "the key is back: it is served without a restart")
	require.Equal(t, commandDisclosure+"\n\nThe smallest payout is 50 euros.", c.ask("minimum payout?").Text)
	n.stop()

	config, err := os.ReadFile(filepath.Join(n.dir, "faqbot.toml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "faqbot.toml"), fmt.Appendf(config,
		"[[account]]\nchannel = \"telegram\"\nid = \"shop\"\ntoken = \"file:bot\"\nsecret = \"s\"\napi_base = %q\naffiliates = [\"shop\"]\n", n.telegram.URL()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "bot"), []byte(testToken), 0o600))
	out, _ = n.run("channel", "list")
	require.Regexp(t, `telegram/shop\s+file\s`, out)
	out, code = n.run(add...)
	require.Equal(t, exitCouldNot, code)
	require.Contains(t, out, "stands in the configuration file")
	out, code = n.run("channel", "remove", "telegram/shop")
	require.Equal(t, exitCouldNot, code)
	require.Contains(t, out, "stands in the configuration file")
	n.quiet()
}

// At a terminal everything needed is asked for, and secrets unseen.
func TestAddAsks(t *testing.T) {
	t.Parallel()
	answers := []string{"shop", "", "5001", "95001", "TheToken", "77", "TheSecret", "acme, bolt", "es"}
	var hidden []string
	ask := func(question string, unseen bool) (string, error) {
		answer := answers[0]
		answers = answers[1:]
		if unseen {
			hidden = append(hidden, answer)
		}
		require.Contains(t, question, ": ")
		return answer + "\n", nil
	}
	var out bytes.Buffer
	s, err := channelAdd{Network: "whatsapp"}.settings(ask, &out)
	require.NoError(t, err)
	require.Equal(t, network.Settings{Channel: "whatsapp", ID: "shop", NumberID: "5001", BusinessID: "95001", Token: "TheToken", AppID: "77", Secret: "TheSecret",
		Affiliates: []string{"acme", "bolt"}, Locale: "es"}, s)
	require.Equal(t, []string{"TheToken", "TheSecret"}, hidden)
	require.NotContains(t, out.String(), "TheToken")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "TheToken")
	_, err = channelAdd{Network: "telegram"}.settings(func(string, bool) (string, error) { return "", errors.New("EOF") }, &out)
	require.ErrorContains(t, err, "read your answer")
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}
