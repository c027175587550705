package signin_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/page/pagetest"
	"faqbot/knowledge/people"
	"faqbot/knowledge/people/signin"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
)

const (
	good  = "three brown horses"
	other = "four green teapots"
)

// A site is a server with a door, as a test sees it.
type site struct {
	t    *testing.T
	dir  *people.Directory
	door *signin.Door
	url  string
	log  *bytes.Buffer
}

func newSite(t *testing.T, https bool) *site {
	t.Helper()
	return newSiteOn(t, sqldbtest.Migrated(t, people.Schema()), https, nil)
}

// newSiteOn is a site whose mail goes into outbox, nil if it sends none.
func newSiteOn(t *testing.T, db *sqldb.DB, https bool, outbox signin.Outbox) *site {
	t.Helper()
	s := &site{t: t, dir: people.NewDirectory(db, people.Options{Now: time.Now}), log: &bytes.Buffer{}}
	pages, err := signin.Pages(func(r *http.Request) page.Chrome {
		p, _ := s.door.Who(r)
		return page.Chrome{Who: p.Name}
	})
	require.NoError(t, err)
	log := logrus.New()
	log.SetOutput(s.log)
	s.door = signin.New(s.dir, pages, signin.Options{HTTPS: https, Log: log, Outbox: outbox,
		Affiliates: func(context.Context) ([]knowledge.Affiliate, error) {
			return []knowledge.Affiliate{{ID: "acme"}, {ID: "shop-one"}}, nil
		}})
	gin.SetMode(gin.TestMode)
	e := gin.New()
	s.door.Register(e)
	e.GET("/desk", s.door.Require(people.RoleAgent, people.RoleLead), func(c *gin.Context) {
		p, ok := s.door.Who(c.Request)
		require.True(t, ok)
		c.String(200, "desk of "+p.Name)
	})
	e.GET("/", func(c *gin.Context) { c.String(200, "start") })
	server := httptest.NewServer(page.Secure(http.NewCrossOriginProtection().Handler(e)))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) add(name string, role people.Role) people.Person {
	s.t.Helper()
	p, err := s.dir.Add(s.t.Context(), people.Operator, people.Newcomer{Name: name, Role: role, Affiliates: []knowledge.AffiliateID{"acme"}})
	require.NoError(s.t, err)
	token, err := s.dir.Reset(s.t.Context(), people.Operator, p.ID)
	require.NoError(s.t, err)
	_, err = s.dir.Redeem(s.t.Context(), token, good)
	require.NoError(s.t, err)
	return p
}

// A browser has cookies and no JavaScript.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &browser{site: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// A reply is what came back, with redirects not followed.
type reply struct {
	code     int
	location string
	body     string
	header   http.Header
}

func (b *browser) send(method, path string, form url.Values, header ...string) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && strings.Contains(string(body), "<main") {
		pagetest.Check(b.t, string(body))
		for _, f := range pagetest.Forms(b.t, string(body)) {
			if f.Action != "/people/audit" { // which changes nothing
				require.Equal(b.t, "post", f.Method)
			}
		}
	}
	return reply{code: res.StatusCode, location: res.Header.Get("Location"), body: string(body), header: res.Header}
}

func (b *browser) get(path string) reply { b.t.Helper(); return b.send("GET", path, nil) }

// fill sends the form of a page that goes to action, with values filled in.
func (b *browser) fill(path, action string, values map[string]string) reply {
	b.t.Helper()
	at := b.get(path)
	require.Equal(b.t, 200, at.code, path)
	for _, f := range pagetest.Forms(b.t, at.body) {
		if f.Action != action {
			continue
		}
		for name, value := range values {
			require.Contains(b.t, f.Names, name)
			f.Values.Set(name, value)
		}
		return b.send("POST", action, f.Values)
	}
	require.Fail(b.t, "no such form", "%s on %s", action, path)
	return reply{}
}

func (b *browser) signIn(name string) *browser {
	b.t.Helper()
	res := b.fill("/sign-in", "/sign-in", map[string]string{"name": name, "password": good})
	require.Equal(b.t, 303, res.code)
	return b
}

func TestSignInAndOut(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAgent)
	b := s.browser()
	res := b.get("/desk?queue=mine")
	require.Equal(t, 303, res.code)
	require.Equal(t, "/sign-in?next=%2Fdesk%3Fqueue%3Dmine", res.location)

	res = b.fill(res.location, "/sign-in", map[string]string{"name": "ana<", "password": "not the password"})
	require.Equal(t, 401, res.code)
	require.Contains(t, res.body, `value="ana&lt;"`)
	require.NotContains(t, res.body, "not the password")
	require.Contains(t, res.body, `aria-describedby="password-error"`)
	require.Contains(t, res.body, "The name or the password is wrong.")

	res = b.fill("/sign-in?next=%2Fdesk%3Fqueue%3Dmine", "/sign-in", map[string]string{"name": "ana", "password": good})
	require.Equal(t, 303, res.code)
	require.Equal(t, "/desk?queue=mine", res.location)
	cookie := res.header.Get("Set-Cookie")
	require.Regexp(t, `^faqbot=[0-9a-f]{64}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax$`, cookie)
	require.Equal(t, "desk of Ana", b.get("/desk").body)
	require.Equal(t, "/", b.get("/sign-in").location, "signed in already")

	out := b.fill("/account", "/sign-out", nil)
	require.Equal(t, 303, out.code)
	require.Equal(t, 303, b.get("/desk").code)
	// The cookie's old value is of no use either.
	token := strings.TrimPrefix(strings.Split(cookie, ";")[0], "faqbot=")
	_, ok, err := s.dir.Who(t.Context(), token)
	require.NoError(t, err)
	require.False(t, ok)
	require.NotContains(t, s.log.String(), "password")
}

func TestHTTPSCookie(t *testing.T) {
	s := newSite(t, true)
	s.add("Ana", people.RoleAgent)
	res := s.browser().fill("/sign-in", "/sign-in", map[string]string{"name": "ana", "password": good})
	cookies := res.header.Values("Set-Cookie")
	require.Len(t, cookies, 2)
	require.Regexp(t, `^__Host-faqbot-browser=[0-9A-Z]{26}; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`, cookies[0])
	require.Regexp(t, `^__Host-faqbot=[0-9a-f]{64}; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`, cookies[1])
}

// Wrong passwords in one browser do not keep somebody out of theirs, at the same address; an admin sees the
// lock and lifts it.
func TestLocks(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAgent)
	s.add("Root", people.RoleAdmin)
	in := func(b *browser, name, password string) reply {
		return b.fill("/sign-in", "/sign-in", map[string]string{"name": name, "password": password})
	}
	ana, stranger, root := s.browser(), s.browser(), s.browser()
	require.Equal(t, 303, in(ana, "ana", good).code)
	require.Equal(t, 303, in(root, "root", good).code)
	require.Equal(t, 303, ana.send("POST", "/sign-out", nil).code)
	require.NotContains(t, root.get("/people").body, "Locked out")
	for range 5 {
		require.Equal(t, 401, in(stranger, "ana", "not the password").code)
	}
	paused := in(stranger, "ana", good)
	require.Equal(t, 429, paused.code)
	require.Contains(t, paused.body, "Nobody can try another password from this address for now, you included.")
	require.Equal(t, 303, in(ana, "ana", good).code, "a browser that signed in before")

	page := root.get("/people").body
	require.Contains(t, page, "Locked out")
	require.Regexp(t, `<th scope="row">Ana</th><td data-label="From">127\.0\.0\.1</td><td data-label="Failed">5</td><td data-label="Ends in">\d+ seconds</td>`, page)
	lift := regexp.MustCompile(`action="(/people/locks/[^"]+/lift)"`).FindStringSubmatch(page)
	require.Len(t, lift, 2)
	require.Equal(t, 403, ana.send("POST", lift[1], nil).code)
	require.Equal(t, 303, root.send("POST", lift[1], nil).code)
	require.Contains(t, root.get("/people?done=lifted").body, "The lock is lifted.")
	require.Contains(t, root.get("/people/audit").body, "lift a lock")
	require.Equal(t, 303, in(stranger, "ana", good).code)
}

func TestNextStaysHere(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAgent)
	for next, want := range map[string]string{
		"/desk": "/desk", "/desk?a=b&c=%2F%2Fx": "/desk?a=b&c=%2F%2Fx", "": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/",
		"javascript:alert(1)": "/", "desk": "/", "/\tevil": "/", "/sign-in": "/", "/sign-out": "/", "///evil.example": "/", "http:/evil": "/", "\\/evil": "/",
	} {
		b := s.browser()
		res := b.send("POST", "/sign-in", url.Values{"name": {"ana"}, "password": {good}, "next": {next}})
		require.Equal(t, 303, res.code)
		require.Equal(t, want, res.location, "next=%q", next)
		require.Equal(t, want, b.get("/sign-in?next="+url.QueryEscape(next)).location, "next=%q", next)
	}
}

func TestGuessingIsTold(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAgent)
	b := s.browser()
	for range 5 {
		require.Equal(t, 401, b.send("POST", "/sign-in", url.Values{"name": {"ana"}, "password": {"not the password"}}).code)
	}
	res := b.send("POST", "/sign-in", url.Values{"name": {"ana"}, "password": {good}})
	require.Equal(t, 429, res.code)
	require.NotEmpty(t, res.header.Get("Retry-After"))
	require.Regexp(t, `Try again in \d+ seconds`, res.body)
}

func TestCrossOriginPostsAreRefused(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAgent)
	b := s.browser().signIn("ana")
	res := b.send("POST", "/sign-out", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 403, res.code)
	require.Equal(t, 200, b.get("/desk").code)
}

func TestFirstAdmin(t *testing.T) {
	s := newSite(t, false)
	token, _, err := s.dir.FirstAdmin(t.Context(), vault.FixedSigner([]byte("a key")))
	require.NoError(t, err)
	b, path := s.browser(), "/welcome/"+token
	res := b.fill(path, path, map[string]string{"name": "Marta", "password": "short"})
	require.Equal(t, 422, res.code)
	require.Contains(t, res.body, `value="Marta"`)
	require.NotContains(t, res.body, "short\"")
	require.Contains(t, res.body, "Use at least 10 characters.")
	require.Equal(t, "no-referrer", res.header.Get("Referrer-Policy"))
	res = b.fill(path, path, map[string]string{"name": "Marta", "password": good})
	require.Equal(t, 303, res.code)
	require.Equal(t, 200, b.get("/people").code)
	res = s.browser().get(path)
	require.Equal(t, 404, res.code)
	require.Contains(t, res.body, "This link does not work")
	require.NotContains(t, s.log.String(), token)
}

func TestAccount(t *testing.T) {
	s := newSite(t, false)
	s.add("Ana", people.RoleAffiliate)
	b, elsewhere, third := s.browser().signIn("ana"), s.browser().signIn("ana"), s.browser().signIn("ana")
	res := b.fill("/account", "/account", map[string]string{"old": "not the password", "password": other})
	require.Equal(t, 422, res.code)
	require.Contains(t, res.body, "This is not your password now.")
	require.NotContains(t, res.body, other)

	end := regexp.MustCompile(`/account/sessions/[A-Z0-9]+/end`).FindAllString(b.get("/account").body, -1)
	require.Len(t, end, 2)
	require.Equal(t, 303, b.fill("/account", end[0], nil).code)
	require.Equal(t, 303, b.fill("/account", "/account/sessions/end", nil).code)
	for _, gone := range []*browser{elsewhere, third} {
		require.Equal(t, 303, gone.get("/account").code)
	}
	again := s.browser().signIn("ana")
	res = b.fill("/account", "/account", map[string]string{"old": good, "password": other})
	require.Equal(t, 303, res.code)
	require.Contains(t, b.get(res.location).body, "Your password is changed.")
	require.Equal(t, 303, again.get("/account").code)
}

func TestPeople(t *testing.T) {
	s := newSite(t, false)
	s.add("Marta", people.RoleAdmin)
	b := s.browser().signIn("marta")
	res := b.fill("/people", "/people", map[string]string{"name": "Ana", "role": "agent", "affiliates": "acmee"})
	require.Equal(t, 422, res.code)
	require.Contains(t, res.body, "There is no affiliate &#34;acmee&#34;. There are: acme, shop-one.")
	require.Contains(t, res.body, `value="Ana"`)
	require.Contains(t, res.body, `aria-describedby="affiliates-hint affiliates-error"`)
	res = b.fill("/people", "/people", map[string]string{"name": "MARTA", "role": "agent", "affiliates": "*"})
	require.Equal(t, 422, res.code)
	require.Contains(t, res.body, "Somebody has this name.")

	res = b.fill("/people", "/people", map[string]string{"name": "Ana", "role": "lead", "affiliates": "shop-one, acme"})
	require.Equal(t, 200, res.code)
	link := regexp.MustCompile(regexp.QuoteMeta(s.url) + `(/welcome/[0-9a-f]{64})`).FindStringSubmatch(res.body)
	require.NotNil(t, link)
	require.NotContains(t, b.get("/people").body, "/welcome/", "shown once")
	ana := s.browser()
	require.Equal(t, 303, ana.fill(link[1], link[1], map[string]string{"password": good}).code)
	require.Equal(t, "desk of Ana", ana.get("/desk").body)

	p, err := s.dir.Find(t.Context(), "ana")
	require.NoError(t, err)
	at := "/people/" + string(p.ID)
	res = b.fill(at, at, map[string]string{"role": "affiliate", "affiliates": "acme"})
	require.Equal(t, at+"?done=changed", res.location)
	require.Equal(t, 403, ana.get("/desk").code)
	require.Equal(t, 422, b.fill(at, at, map[string]string{"affiliates": ""}).code)
	require.Equal(t, 200, b.fill(at, at+"/reset", nil).code)
	res = b.fill(at, at+"/disable", nil)
	require.Equal(t, 303, res.code)
	require.Contains(t, b.get(res.location).body, "Undo")
	require.Equal(t, 303, ana.get("/account").code)
	require.Equal(t, 303, b.fill(at, at+"/enable", nil).code)

	marta, err := s.dir.Find(t.Context(), "marta")
	require.NoError(t, err)
	at = "/people/" + string(marta.ID)
	require.Equal(t, 409, b.fill(at, at+"/disable", nil).code)
	require.Equal(t, 422, b.fill(at, at, map[string]string{"role": "agent"}).code)
	require.Equal(t, 404, b.get("/people/nobody").code)
}

func TestKeys(t *testing.T) {
	s := newSite(t, false)
	s.add("Marta", people.RoleAdmin)
	b := s.browser().signIn("marta")
	for _, bad := range []string{"", "*", "unknown"} {
		require.Equal(t, 422, b.fill("/people/keys", "/people/keys", map[string]string{"affiliate": bad, "label": "x"}).code, bad)
	}
	res := b.fill("/people/keys", "/people/keys", map[string]string{"affiliate": "acme", "label": "shop website"})
	require.Equal(t, 200, res.code)
	key := regexp.MustCompile(`faqbot_[0-9a-f]{64}`).FindString(res.body)
	affiliate, err := s.dir.Key(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, knowledge.AffiliateID("acme"), affiliate)
	list := b.get("/people/keys").body
	require.NotContains(t, list, "faqbot_")
	revoke := regexp.MustCompile(`/people/keys/[A-Z0-9]+/revoke`).FindString(list)
	require.Equal(t, 303, b.fill("/people/keys", revoke, nil).code)
	_, err = s.dir.Key(t.Context(), key)
	require.ErrorIs(t, err, people.ErrKey)
	require.Contains(t, b.get("/people/keys").body, "Revoked")
	require.Contains(t, b.get("/people/audit").body, "revoke an API key")
	for range 60 {
		require.NoError(t, s.dir.Record(t.Context(), people.Operator, "publish", "x"))
	}
	body := b.get("/people/audit?what=revoke+an+API+key&from=2020-01-01").body
	require.Contains(t, body, "revoke an API key</td>")
	require.NotContains(t, body, "sign in</td>")
	require.Contains(t, body, `href="/people/audit.csv?from=2020-01-01&amp;what=revoke&#43;an&#43;API&#43;key"`)
	file := b.get("/people/audit.csv?what=revoke+an+API+key").body
	require.Equal(t, 2, strings.Count(file, "\n"), file)
	require.Equal(t, 422, b.get("/people/audit?from=yesterday").code)
	older := regexp.MustCompile(`/people/audit\?before=[0-9a-f]+`).FindString(b.get("/people/audit").body)
	require.Contains(t, b.get(older).body, "Newest")
}

// Every page × every role, nobody included.
func TestRoles(t *testing.T) {
	s := newSite(t, false)
	b := map[people.Role]*browser{"": s.browser()}
	for _, role := range people.Roles() {
		s.add("a "+string(role), role)
		b[role] = s.browser().signIn("a " + string(role))
	}
	ana := string(s.add("Ana", people.RoleAgent).ID)
	admins := []string{"GET /people", "POST /people", "GET /people/" + ana, "POST /people/" + ana, "POST /people/" + ana + "/reset", "POST /people/" + ana + "/disable",
		"POST /people/" + ana + "/enable", "GET /people/keys", "POST /people/keys", "POST /people/keys/x/revoke", "GET /people/audit", "GET /people/audit.csv"}
	for _, route := range admins {
		method, path, _ := strings.Cut(route, " ")
		for role, at := range b {
			res := at.send(method, path, url.Values{})
			switch role {
			case "":
				require.Equal(t, 303, res.code, route)
				require.True(t, strings.HasPrefix(res.location, "/sign-in?next="), route)
			case people.RoleAdmin:
				require.NotContains(t, []int{401, 403, 500}, res.code, route)
			default:
				require.Equal(t, 403, res.code, "%s as %s", route, role)
				require.Contains(t, res.body, "this page is for admins")
			}
		}
	}
	for _, route := range []string{"GET /account", "POST /account", "POST /account/sessions/x/end", "POST /account/sessions/end"} {
		method, path, _ := strings.Cut(route, " ")
		require.Equal(t, 303, b[""].send(method, path, nil).code)
		require.NotContains(t, []int{401, 403, 500}, b[people.RoleAffiliate].send(method, path, url.Values{}).code, route)
	}
	require.Contains(t, b[people.RoleAffiliate].get("/desk").body, "You are signed in as an affiliate, and this page is for agents and leads.")
	res := b[""].send("GET", "/people", nil, "HX-Request", "true")
	require.Equal(t, 401, res.code)
	require.Equal(t, "/sign-in", res.header.Get("HX-Redirect"))
}

// Nobody ends a session that is not theirs.
func TestSessionsOfOthers(t *testing.T) {
	s := newSite(t, false)
	ana := s.add("Ana", people.RoleAgent)
	s.add("Ben", people.RoleAgent)
	a, b := s.browser().signIn("ana"), s.browser().signIn("ben")
	sessions, err := s.dir.Sessions(t.Context(), ana.ID)
	require.NoError(t, err)
	b.send("POST", "/account/sessions/"+sessions[0].ID+"/end", nil)
	require.Equal(t, 200, a.get("/account").code)
}

func TestStoredXSS(t *testing.T) {
	s := newSite(t, false)
	for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.}}`, `</title><svg onload=alert(1)>`, `javascript:alert(1)`} {
		p := s.add(evil, people.RoleAdmin)
		b := s.browser().signIn(evil)
		_, _, err := s.dir.AddKey(t.Context(), p.ID, "acme", evil)
		require.NoError(t, err)
		for _, path := range []string{"/people", "/people/" + string(p.ID), "/people/keys", "/people/audit", "/account"} {
			res := b.get(path) // checks for handlers and scripts
			require.Equal(t, 200, res.code)
			for _, raw := range []string{"<script>alert", "<img src=x", "<svg onload", `' onmouseover='`} {
				require.NotContains(t, res.body, raw, path)
			}
		}
		require.NotContains(t, b.fill("/people/"+string(p.ID), "/people/"+string(p.ID)+"/reset", nil).body, "<script>alert")
		res := b.send("POST", "/people", url.Values{"name": {evil}, "role": {evil}, "affiliates": {evil}})
		require.Equal(t, 422, res.code)
		res = s.browser().send("POST", "/sign-in", url.Values{"name": {evil}, "password": {"x"}, "next": {evil}})
		require.Equal(t, 401, res.code)
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	s := newSite(t, false)
	res := s.browser().send("POST", "/sign-in", url.Values{"name": {strings.Repeat("x", 1<<20)}, "password": {good}})
	require.Less(t, res.code, 500)
	require.NotContains(t, res.body, "xxxx")
}
