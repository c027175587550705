package webchat

import (
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

func prove(user string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(user))
	return hex.EncodeToString(mac.Sum(nil))
}

// One visitor's token opens one visitor's conversation, on one account.
func TestVisitorsAreApart(t *testing.T) {
	s := openShop(t)
	a, b := s.browse("shop"), s.browse("shop")
	require.NotEqual(t, a.token, b.token)
	a.say(1, "my secret question about how to join")
	a.open(0).until("answered", says("Fill in"))
	b.say(2, "how do I join")
	for _, e := range b.open(0).until("answered", says("Fill in")) {
		require.NotContains(t, e.Data.HTML, "secret")
	}
	name, signature, _ := strings.Cut(a.token, ".")
	otherName, otherSignature, _ := strings.Cut(b.token, ".")
	for what, token := range map[string]string{
		"none": "", "half": name, "without signature": name + ".", "another's signature": name + "." + otherSignature, "another's name": otherName + "." + signature,
		"cut": a.token[:len(a.token)-1], "longer": a.token + "A", "padded": name + "=." + signature, "garbage": "!.!", "huge": strings.Repeat("A", 10_000) + "." + signature,
	} {
		forger := &browser{s: s, account: "shop", token: token, ip: "192.0.2.9"}
		require.Equal(t, http.StatusUnauthorized, forger.open(0).status, what)
		status, _, _ := forger.post("/messages", url.Values{"key": {key(1)}, "text": {"hi"}})
		require.Equal(t, http.StatusUnauthorized, status, what)
	}
	elsewhere := &browser{s: s, account: "other", token: a.token, ip: "192.0.2.9"}
	require.Equal(t, http.StatusUnauthorized, elsewhere.open(0).status, "a token is good for its account")
	_, page, _ := s.get("/chat/other", http.Header{"Cookie": {cookieName(s.channels["other"]) + "=" + a.token}})
	require.NotContains(t, page, "secret")
	_, page, _ = s.get("/chat/shop", http.Header{"Cookie": {cookieName(s.channels["shop"]) + "=" + a.token}})
	require.Contains(t, page, "secret", "the cookie does open its own")
	require.NotContains(t, s.log.String(), "secret question", "customers' words are in no log")
}

func TestProvenUsers(t *testing.T) {
	s := openShop(t)
	session := func(user, signature string) string { return s.session(user, "", signature).Visitor }
	token := session("customer-7", prove("customer-7"))
	require.NotEmpty(t, token)
	require.NotEmpty(t, session("customer-7", strings.ToUpper(prove("customer-7"))))
	one, two := &browser{s: s, account: "shop", token: token, ip: "192.0.2.1"}, &browser{s: s, account: "shop", token: token, ip: "192.0.2.2"}
	require.Equal(t, "u:customer-7", visitorName(t, s, one))
	one.say(1, "how do I join")
	two.open(0).until("on another device", says("Fill in"))
	_, _, h := one.post("/messages", url.Values{"key": {key(2)}, "text": {"hello"}})
	require.Empty(t, h.Get("Set-Cookie"), "whoever signs out is out")
	for what, c := range map[string][2]string{
		"another's proof": {"customer-8", prove("customer-7")}, "no proof": {"customer-7", ""}, "no user": {"", prove("")}, "cut": {"customer-7", prove("customer-7")[:62]},
		"control": {"a\x00b", prove("a\x00b")}, "long": {strings.Repeat("a", 300), prove(strings.Repeat("a", 300))}, "an anonymous name": {"v:ABC", prove("ABC")},
	} {
		require.Empty(t, session(c[0], c[1]), what)
	}
}

// session is what a page gets for a site's proof.
func (s *shop) session(user, at, signature string) (answer struct {
	Visitor string
	Untimed bool
}) {
	s.t.Helper()
	status, body, h := s.browse("shop").post("/session", url.Values{"user": {user}, "signed_at": {at}, "signature": {signature}})
	require.Equal(s.t, http.StatusOK, status)
	require.Empty(s.t, h.Get("Set-Cookie"))
	require.NoError(s.t, json.Unmarshal([]byte(body), &answer))
	return answer
}

// A proof that says when it was made ends after an hour; one that does not is taken, with a warning.
func TestTimedProof(t *testing.T) {
	s := openShop(t)
	s.later(0)
	at := func(d time.Duration) string { return strconv.FormatInt(s.clock().Add(d).Unix(), 10) }
	both := func(user, at string) string { return prove(user + "\n" + at) }
	for what, age := range map[string]time.Duration{"now": 0, "almost an hour old": -59 * time.Minute, "a clock ahead": 4 * time.Minute} {
		got := s.session("customer-7", at(age), both("customer-7", at(age)))
		require.NotEmpty(t, got.Visitor, what)
		require.False(t, got.Untimed, what)
	}
	now := at(0)
	for what, c := range map[string][3]string{
		"older than an hour": {"customer-7", at(-61 * time.Minute), both("customer-7", at(-61*time.Minute))},
		"far ahead":          {"customer-7", at(time.Hour), both("customer-7", at(time.Hour))},
		"another time":       {"customer-7", at(-time.Minute), both("customer-7", now)},
		"another user":       {"customer-8", now, both("customer-7", now)},
		"the user alone":     {"customer-7", now, prove("customer-7")},
		"time left out":      {"customer-7", "", both("customer-7", now)},
		"time in the name":   {"customer-7\n" + now, "", both("customer-7", now)},
		"no number":          {"customer-7", "x", both("customer-7", "x")},
	} {
		require.Empty(t, s.session(c[0], c[1], c[2]).Visitor, what)
	}
	require.NotContains(t, s.log.String(), "data-signed-at")
	for range 2 {
		got := s.session("customer-7", "", prove("customer-7"))
		require.NotEmpty(t, got.Visitor)
		require.True(t, got.Untimed)
	}
	require.Equal(t, 1, strings.Count(s.log.String(), "data-signed-at"), "warned about once")
}

func TestNobodyIsProvenWithoutASecret(t *testing.T) {
	s := openShop(t, func(o *Options, _ *SiteOptions) { o.IdentitySecret = "" })
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte("admin"))
	_, body, _ := s.browse("shop").post("/session", url.Values{"user": {"admin"}, "signature": {hex.EncodeToString(mac.Sum(nil))}})
	require.JSONEq(t, `{"visitor":""}`, body)
}

func TestOrigins(t *testing.T) {
	s := openShop(t)
	_, body, h := s.get("/chat/shop", nil)
	require.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; media-src 'self' https:; connect-src 'self'; form-action 'self'; base-uri 'none'; "+
		"frame-ancestors 'self' https://shop.example https://*.shop.example", h.Get("Content-Security-Policy"))
	require.NotContains(t, body, "<style")
	require.NotRegexp(t, `<script(?: [^>]*)?>[^<]`, body)
	require.NotRegexp(t, `\s(style|on[a-z]+)=`, body)
	for _, bad := range []string{"shop.example", "https://shop.example/", "https://shop.example; script-src *", "https://a b", "*", "javascript://x", "https://u@x.example", "https://*", "https://x.*.example", ""} {
		_, err := New(bot.Account{Channel: "webchat", ID: "x"}, Options{Origins: []string{bad}})
		require.Error(t, err, bad)
	}
	for _, good := range []string{"http://localhost:8080", "https://[::1]:8443", "https://xn--bcher-kva.example"} {
		_, err := New(bot.Account{Channel: "webchat", ID: "x"}, Options{Origins: []string{good}})
		require.NoError(t, err, good)
	}
	b := s.browse("shop")
	say := url.Values{"key": {key(1)}, "text": {"hi"}, "visitor": {b.token}, "email": {"a@example.com"}}
	for _, path := range []string{"/messages", "/email", "/session"} {
		for header, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
			status, _, _ := b.post(path, say, func(r *http.Request) { r.Header.Set(header, value) })
			require.Equal(t, http.StatusForbidden, status, path+" "+header)
		}
		status, _, _ := b.post(path, say, func(r *http.Request) { r.Header.Set("Origin", "null") })
		require.Equal(t, http.StatusForbidden, status, path)
	}
	require.Equal(t, http.StatusForbidden, b.open(0, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }).status)
	status, _, _ := b.post("/messages", say, func(r *http.Request) { r.Header.Set("Origin", s.server.URL) })
	require.Equal(t, http.StatusOK, status)

	secure := openShop(t, func(_ *Options, o *SiteOptions) { o.Secure = true })
	_, _, h = secure.get("/chat/shop", nil)
	require.Regexp(t, `; HttpOnly; Secure; SameSite=None; Partitioned$`, h.Get("Set-Cookie"))
}

func TestWhatCannotBeSaid(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	for what, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"empty":               {url.Values{"key": {key(1)}, "text": {" \n "}}, http.StatusBadRequest},
		"only controls":       {url.Values{"key": {key(1)}, "text": {"\x00\x01\x02"}}, http.StatusBadRequest},
		"too long":            {url.Values{"key": {key(1)}, "text": {strings.Repeat("é", maxText+1)}}, http.StatusBadRequest},
		"too long in UTF-16":  {url.Values{"key": {key(1)}, "text": {strings.Repeat("😀", maxText/2+1)}}, http.StatusBadRequest},
		"binary":              {url.Values{"key": {key(1)}, "text": {"\xff\xfe\xfd"}}, http.StatusBadRequest},
		"no key":              {url.Values{"text": {"hi"}}, http.StatusBadRequest},
		"a bad key":           {url.Values{"key": {"turn:x:0"}, "text": {"hi"}}, http.StatusBadRequest},
		"a long key":          {url.Values{"key": {strings.Repeat("k", 65)}, "text": {"hi"}}, http.StatusBadRequest},
		"a long choice":       {url.Values{"key": {key(1)}, "choice": {strings.Repeat("c", 65)}}, http.StatusBadRequest},
		"a choice of nothing": {url.Values{"key": {key(1)}, "choice": {"e:x"}}, http.StatusBadRequest},
	} {
		s.later(time.Hour)
		status, body, _ := b.post("/messages", c.form)
		require.Equal(t, c.status, status, "%s: %s", what, body)
	}
	_, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
	require.ErrorIs(t, err, bot.ErrNotFound, "nothing was stored")
	s.later(time.Hour)
	status, body, _ := b.post("/messages", url.Values{"key": {key(2)}, "text": {"a\x00b\x1b[31m\r\nc\td" + strings.Repeat("😀", 1000)}})
	require.Equal(t, http.StatusOK, status, body)
	got := b.open(0).until("stored", func(e event) bool { return e.Data.Own })
	require.True(t, strings.HasPrefix(own(got), "ab[31m\nc\td😀"), own(got))
	status, _, _ = b.post("/messages", url.Values{"key": {key(3)}, "text": {strings.Repeat("x", fileMax+formMost)}})
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	for _, path := range []string{"/chat/nobody", "/chat/nobody/events", "/chat/assets/x/chat.js", s.site.assets.Address("frame.html"), s.site.assets.Address("..%2fwidget.js")} {
		status, _, _ := s.get(path, nil)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

// Whatever somebody writes anywhere, the page shows it as text.
func TestNothingActs(t *testing.T) {
	attacks := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</textarea><svg onload=alert(1)>`, `javascript:alert(1)`,
		`https://x.example/"onclick="alert(1)`, `https://x.example/<script>`, `{{.Form.Visitor}}`, "</li></ol><base href=//evil.example>", `https://user@evil.example/`, "\u202eevil"}
	for _, attack := range attacks {
		s := openShop(t, func(o *Options, so *SiteOptions) {
			o.Name, o.Welcome = attack, attack
			so.Suggest = func(context.Context, bot.Account, string) []string { return []string{attack} }
		})
		b := s.browse("shop")
		_, page, _ := s.get("/chat/shop?locale="+url.QueryEscape(attack)+"&ask="+url.QueryEscape(attack), nil)
		harmless(t, page, attack)
		require.Contains(t, page, template.HTMLEscapeString(attack)+"</textarea>", "a question that a link brings along waits in the composer")
		b.say(1, attack)
		status, _ := b.sendFile(2, attack+".txt", "text")
		require.Equal(t, http.StatusOK, status)
		status, _, _ = b.post("/messages", url.Values{"key": {key(3)}, "text": {"hi"}, "locale": {attack}})
		require.Equal(t, http.StatusOK, status)
		status, _, _ = b.post("/email", url.Values{"email": {attack}})
		require.Equal(t, http.StatusBadRequest, status)
		conv, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
		require.NoError(t, err)
		require.NoError(t, s.conversations.Say(t.Context(), conv.ID, "k", bot.Reply{Text: attack, Agent: attack, Choices: []bot.Choice{{Label: attack, Payload: attack[:min(len(attack), 60)]}}}))
		for _, e := range b.open(0).until("said", says("bubble person")) {
			harmless(t, e.Data.HTML, attack)
		}
		_, page, _ = s.get("/chat/shop", http.Header{"Cookie": {cookieName(s.channels["shop"]) + "=" + b.token}})
		harmless(t, page, attack)
		require.Contains(t, page, html.EscapeString(attack)[:5])
	}
}

// harmless checks that page holds only elements and attributes of our templates.
func harmless(t *testing.T, page, attack string) {
	t.Helper()
	require.NotContains(t, page, "<svg onload", attack)
	require.NotContains(t, page, "<base", attack)
	require.NotContains(t, page, "<img src=x", attack)
	require.NotContains(t, page, "<script>", attack)
	for _, tag := range regexp.MustCompile(`<[a-z][^>]*>`).FindAllString(page, -1) {
		bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`)
		require.NotRegexp(t, `(?i)\son[a-z]+\s*=`, bare, attack)
		require.NotRegexp(t, `(?i)(href|src|action)="\s*javascript:`, tag, attack)
		require.NotRegexp(t, `href="https?://[^"]*@`, tag, attack)
	}
}

func TestLanguages(t *testing.T) {
	for want, preferred := range map[[3]string][]string{
		{"en", "en", "ltr"}:    {"", "tlh*", "<script>"},
		{"es-MX", "es", "ltr"}: {"es-MX"},
		{"pt", "pt-BR", "ltr"}: {"", "pt,en;q=0.5"},
		{"ar", "en", "rtl"}:    {"ar"},
		{"he-IL", "en", "rtl"}: {"", "he-IL;q=0.9, en"},
		{"fa", "en", "rtl"}:    {"fa"},
		{"ur-PK", "en", "rtl"}: {"ur-PK", "es"},
		{"de", "en", "ltr"}:    {strings.Repeat("x", 5000), "", "de"},
	} {
		got := chooseLanguage(preferred...)
		require.Equal(t, want, [3]string{got.locale, got.own, got.dir()}, "%v", preferred)
	}
	s := openShop(t)
	_, page, _ := s.get("/chat/shop?locale=ar", nil)
	require.Contains(t, page, `<html lang="ar" dir="rtl">`)
	_, page, _ = s.get("/chat/shop", http.Header{"Accept-Language": {"pt-PT"}})
	require.Contains(t, page, "Falar com um atendente")
}

func TestScriptIsSmall(t *testing.T) {
	s := openShop(t)
	total := 0
	for _, path := range []string{"/chat/widget.js", s.site.assets.Address("chat.js"), s.site.assets.Address("render.js"), s.site.assets.Address("live.js")} {
		status, packed, h := s.get(path, http.Header{"Accept-Encoding": {"gzip"}})
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "gzip", h.Get("Content-Encoding"))
		total += len(packed)
		r, err := gzip.NewReader(strings.NewReader(packed))
		require.NoError(t, err)
		plain, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NotContains(t, string(plain), "__WORDS__")
		require.LessOrEqual(t, strings.Count(string(plain), "\n"), 500, path)
		status, _, _ = s.get(path, http.Header{"If-None-Match": {h.Get("ETag")}})
		require.Equal(t, http.StatusNotModified, status)
	}
	t.Logf("all scripts: %d bytes gzipped", total)
	require.LessOrEqual(t, total, 15_000)
}
