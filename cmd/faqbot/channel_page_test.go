package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/page/pagetest"
	"faqbot/knowledge/waittest"
)

// A reader looks at pages as somebody, without JavaScript.
type reader struct {
	n      *newcomer
	client *http.Client
}

var welcomeLink = regexp.MustCompile(`http://\S+/welcome/\S+`)

// reader makes a person and signs them in.
func (n *newcomer) reader(name, role string, affiliates ...string) *reader {
	n.t.Helper()
	args := []string{"user", "add", name, "--role", role}
	for _, a := range affiliates {
		args = append(args, "--affiliate", a)
	}
	out, code := n.run(args...)
	require.Zero(n.t, code, out)
	jar, err := cookiejar.New(nil)
	require.NoError(n.t, err)
	r := &reader{n: n, client: &http.Client{Jar: jar}}
	link := welcomeLink.FindString(out)
	status, _ := r.post(strings.TrimPrefix(link, "http://"+n.addr), url.Values{"password": {"a long password of theirs"}})
	require.Equal(n.t, http.StatusOK, status)
	return r
}

func (r *reader) read(res *http.Response, err error) (int, string) {
	r.n.t.Helper()
	require.NoError(r.n.t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(r.n.t, err)
	require.NoError(r.n.t, res.Body.Close())
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		pagetest.Check(r.n.t, string(body))
	}
	for _, secret := range []string{testToken, metaToken, metaSecret} {
		require.NotContains(r.n.t, string(body), secret, "no page shows a secret")
	}
	return res.StatusCode, string(body)
}

func (r *reader) get(path string) (int, string) {
	r.n.t.Helper()
	return r.read(r.client.Get("http://" + r.n.addr + path))
}

func (r *reader) post(path string, form url.Values) (int, string) {
	r.n.t.Helper()
	return r.read(r.client.PostForm("http://"+r.n.addr+path, form))
}

// The page adds an account as the command does: refused with the mending step, then verified, served and
// hooked; changed without entering the secrets anew; a reply that did not get through is sent again, once;
// removed. Leads see, and change nothing.
func TestChannelPages(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, "faqbot.db")
	n.start()
	admin, lead, other := n.reader("ada", "admin", "*"), n.reader("lee", "lead", "shop"), n.reader("oz", "lead", "elsewhere")
	status, body := admin.get("/channels")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "No accounts on networks yet")
	for _, channel := range []string{"telegram", "whatsapp", "messenger", "instagram"} {
		status, body = admin.get("/channels/add/" + channel)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `type="password"`)
		status, _ = lead.get("/channels/guide/" + channel)
		require.Equal(t, http.StatusOK, status)
	}
	a, _ := n.meta("instagram")
	form := url.Values{"id": {"shop"}, "page_id": {"5002"}, "token": {metaToken}, "app_id": {"77"}, "secret": {metaSecret}, "affiliates": {"shop"}, "api_base": {n.graph.URL()}}
	status, body = admin.post("/channels/add/instagram", url.Values{"id": {"shop"}, "token": {"file:/etc/passwd"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "This is needed.")
	require.Contains(t, body, "Enter the value itself here.")
	status, body = admin.post("/channels/add/instagram", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "The token is for Instagram account 5001, not for 5002.")
	require.Contains(t, body, "/channels/guide/instagram#2b-instagram")
	form.Set("page_id", "5001")
	status, body = admin.post("/channels/add/instagram", form)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "posts what customers write to faqbot from now on")
	require.Contains(t, body, "http://"+n.addr+"/hooks/instagram/shop")
	a.Say("16505550001", "minimum payout?")
	require.Equal(t, disclosure+"\n\nThe smallest payout is 50 euros.", heard(t, a, "16505550001", 1)[0].Text)

	status, body = lead.get("/channels")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "@fake")
	_, body = other.get("/channels")
	require.NotContains(t, body, "@fake", "another affiliate's lead sees nothing of it")
	status, _ = other.get("/channels/instagram/shop")
	require.Equal(t, http.StatusNotFound, status)
	for _, path := range []string{"/channels/instagram/shop/remove", "/channels/instagram/shop/webhook", "/channels/add/telegram"} {
		status, _ = lead.post(path, nil)
		require.Equal(t, http.StatusForbidden, status, path)
	}

	// Every problem leads to a section that there is.
	a.Inject(graphtest.Fault{Code: 190, Subcode: 463, Status: 401, Times: -1})
	_, body = lead.post("/channels/instagram/shop/check", nil)
	a.ClearFaults()
	require.Contains(t, body, "The token has expired.")
	anchor := regexp.MustCompile(`/channels/guide/instagram#([a-z0-9-]+)`).FindStringSubmatch(body)
	require.NotNil(t, anchor)
	_, guide := lead.get("/channels/guide/instagram")
	require.Contains(t, guide, `id="`+anchor[1]+`"`)
	_, body = lead.post("/channels/instagram/shop/check", nil)
	require.Contains(t, body, "Works")

	// A reply that the network refuses for good is a dead letter. It is sent again when asked for, once.
	a.Inject(graphtest.Fault{Edge: "messages", Code: 100, Customer: "16505550002"})
	a.Say("16505550002", "minimum payout?")
	replay := regexp.MustCompile(`/channels/instagram/shop/replay/[A-Z2-7]{26}`)
	var again string
	require.Eventually(t, func() bool {
		_, body = lead.get("/channels/instagram/shop")
		again = replay.FindString(body)
		return again != ""
	}, waittest.Hang, 50*time.Millisecond)
	require.Contains(t, body, "the network does not take it")
	status, _ = other.post(again, nil)
	require.Equal(t, http.StatusNotFound, status)
	status, body = lead.post(again, nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "sent again, once")
	require.Equal(t, disclosure+"\n\nThe smallest payout is 50 euros.", heard(t, a, "16505550002", 1)[0].Text)
	status, body = lead.post(again, nil)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "sent again already")
	require.NotContains(t, body, "/replay/")
	status, body = lead.post("/channels/instagram/shop/test", url.Values{"customer": {"16505550002"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "on its way")
	require.Contains(t, heard(t, a, "16505550002", 2)[1].Text, "This is a test message")
	_, body = lead.post("/channels/instagram/shop/test", url.Values{"customer": {"16505559999"}})
	require.Contains(t, body, "Nobody of that name")

	// What cannot be read is kept, has a ticket if its sender is known, and is read again when asked for.
	code, err := a.Post(t.Context(), []byte(`{"object":"instagram","entry":[{"id":"5001","time":1,"messaging":[{"sender":{"id":"16505550003"},"message":{"mid":7,"text":"help"}}]}]}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	id := regexp.MustCompile(`name="id" value="([0-9a-f]{64})"`)
	require.Eventually(t, func() bool {
		_, body = lead.get("/channels/instagram/shop")
		return id.MatchString(body)
	}, waittest.Hang, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		out, _ := n.run("desk", "list")
		return strings.Contains(out, "rejected")
	}, waittest.Hang, 50*time.Millisecond)
	status, _ = other.post("/channels/instagram/shop/rejects", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, body = lead.post("/channels/instagram/shop/rejects", url.Values{"id": {id.FindStringSubmatch(body)[1]}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "read again now")
	require.Eventually(t, func() bool { // nobody has mended the service meanwhile
		_, body = lead.get("/channels/instagram/shop")
		return id.MatchString(body)
	}, waittest.Hang, 50*time.Millisecond)
	out, exit := n.run("channel", "replay", id.FindStringSubmatch(body)[1])
	require.Zero(t, exit, out)
	require.Contains(t, out, "It is read again")
	out, exit = n.run("channel", "replay", "nothing")
	require.NotZero(t, exit)
	require.Contains(t, out, "neither a reply")

	// Changed, the secrets stay; pointed at another API, they do not go there.
	status, body = admin.get("/channels/add/instagram?change=shop")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `value="5001"`)
	change := url.Values{"change": {"shop"}, "page_id": {"5001"}, "app_id": {"77"}, "affiliates": {"shop, elsewhere"}, "api_base": {n.graph.URL()}}
	status, body = admin.post("/channels/add/instagram", change)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "is added")
	change.Set("api_base", "http://127.0.0.1:9")
	status, body = admin.post("/channels/add/instagram", change)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "token is missing")

	_, body = admin.post("/channels/instagram/shop/remove", nil)
	require.Contains(t, body, "The account is removed")
	require.Equal(t, http.StatusNotFound, n.status("/hooks/instagram/shop"))
	_, body = admin.get("/people/audit")
	require.Contains(t, body, "remove an account")
	n.stop()
	n.quiet()
}

// The pages in a real browser, wide and narrow; and the form on a phone without JavaScript.
func TestChannelsInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	n := &newcomer{graph: graphtest.New(), site: &site{t: t, dir: t.TempDir(), telegram: telegramtest.New(testToken), log: d.log}}
	require.NoError(t, n.telegram.Start())
	require.NoError(t, n.graph.Start())
	t.Cleanup(func() { require.NoError(t, n.telegram.Close()); require.NoError(t, n.graph.Close()) })
	writeFile(t, n.dir, "faqbot.toml", "[database]\ndsn = \""+d.data+"\"\n")
	writeFile(t, n.dir, "token", metaToken)
	out, code := n.run("channel", "add", "telegram", "--id", "harbour", "--affiliate", "harbour-lane", "--token", "env:BOT_TOKEN", "--api-base", n.telegram.URL(), "--poll")
	require.Zero(t, code, out)
	c := &customer{s: n.site, chat: 77}
	require.NotEmpty(t, c.ask("what is the minimum payout?").Text)

	admin := d.tab(1440, 900)
	admin.open("/")
	admin.click("button", "Sign in as an admin")
	admin.until(`location.pathname === '/people' && document.readyState === 'complete'`)
	admin.open("/channels/add")
	admin.accessibleShot("channels-choose")
	phone := d.tab(390, 844)
	phone.do(emulation.SetScriptExecutionDisabled(true))
	phone.open("/")
	phone.do(chromedp.Click(`//button[contains(., "Sign in as an admin")]`, chromedp.BySearch), chromedp.WaitVisible(".tabs"))
	phone.open("/channels/add/whatsapp")
	a := n.graph.Add(graphtest.AccountOptions{Kind: "instagram", ID: "5001", Token: metaToken, Secret: metaSecret, AppID: "77"})
	phone.open("/channels/add/instagram")
	phone.do(chromedp.SendKeys("#id", "harbour"), chromedp.SendKeys("#page_id", "17841477965412210"), chromedp.SendKeys("#token", metaToken), chromedp.SendKeys("#app_id", "77"),
		chromedp.SendKeys("#secret", metaSecret), chromedp.SendKeys("#api_base", n.graph.URL()), // the only affiliate is chosen
		chromedp.Click("form.form button.primary"), chromedp.WaitVisible(".problem"))
	phone.says("The token is for Instagram account 5001")
	phone.keepShot("channels-refused")
	phone.do(emulation.SetEmulatedMedia(), chromedp.EmulateViewport(390, 844))
	phone.do(chromedp.SetValue("#page_id", "5001"), chromedp.SendKeys("#token", metaToken), chromedp.SendKeys("#secret", metaSecret),
		chromedp.Click("form.form button.primary"), chromedp.WaitVisible("main .head"))
	phone.says("is added")
	phone.keepShot("channels-added")
	a.SetToken(time.Now().Add(48 * time.Hour))

	admin.open("/channels")
	admin.says("@fake")
	admin.accessibleShot("channels")
	admin.open("/channels/telegram/harbour")
	admin.says("@Bot4242Bot")
	admin.accessibleShot("channels-telegram")
	admin.open("/channels/instagram/harbour")
	admin.accessibleShot("channels-instagram")
	admin.open("/channels/add/whatsapp")
	admin.accessibleShot("channels-form")
	admin.open("/channels/guide/whatsapp")
	admin.accessibleShot("channels-guide")
	n.quiet()
}

// accessibleShot checks the page that is open and keeps what it looks like.
func (b *tab) accessibleShot(name string) {
	b.d.t.Helper()
	b.accessible(name)
	b.keepShot(name)
}
