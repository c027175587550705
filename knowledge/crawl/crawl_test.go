package crawl

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/limits"
)

// A site is a web site under test: its pages by path, and the requests it got.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	agents map[string]bool
	within int // requests at the same time
	most   int
}

func newSite(t *testing.T, pages map[string]http.HandlerFunc) *site {
	s := &site{agents: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.RequestURI())
		s.agents[r.UserAgent()+r.Header.Get("Cookie")] = true
		if quick := strings.Trim(r.URL.Path[len(r.URL.Path)-1:], "0123456789") == ""; quick { // others may not have noticed that nobody waits
			s.within++
			s.most = max(s.most, s.within)
			defer func() { s.mu.Lock(); s.within--; s.mu.Unlock() }()
		}
		s.mu.Unlock()
		w.Header().Set("Set-Cookie", "session=1")
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		page(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) crawler() *Crawler {
	c := New(Options{PrivateHosts: []string{s.Listener.Addr().String()}})
	c.gap = 0
	return c
}

func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.asked...)
}

func text(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

func webpage(format string, args ...any) http.HandlerFunc {
	return text("text/html; charset=utf-8", "<!doctype html><main>"+fmt.Sprintf(format, args...)+"</main>")
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// paths are the pages of a Site without its host.
func (s *site) paths(read Site) (list []string) {
	for _, p := range read.Pages {
		list = append(list, strings.TrimPrefix(p.Address, s.URL))
	}
	return list
}

func reason(t *testing.T, err error) Reason {
	t.Helper()
	why, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	return why.Reason
}

func TestOnePage(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/help/faq": webpage(`<a href="terms?a=1&amp;b=2">Terms</a> <a href="#top">Up</a> <a href="mailto:a@b.example">Mail</a> <img src="/logo.png" alt="">`)})
	read, err := s.crawler().Fetch(t.Context(), s.URL+"/help/faq#q7", false)
	require.NoError(t, err)
	require.Equal(t, []string{"/help/faq"}, s.paths(read))
	page := string(read.Pages[0].HTML)
	require.Contains(t, page, `<a href="`+s.URL+`/help/terms?a=1&amp;b=2">Terms</a> <a href="#top">Up</a> <a href="mailto:a@b.example">`)
	require.Contains(t, page, `<img src="`+s.URL+`/logo.png"`)
	require.Equal(t, []string{"/robots.txt", "/help/faq"}, s.requests())
	require.Len(t, s.agents, 1, "no cookie is sent back")
}

// 200 pages with loops, pages of other places, a slow and a huge one, and those that robots.txt keeps.
func TestPagesBelow(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 8*limits.MaxCrawlPage))
	require.NoError(t, errors.Join(err, z.Close()))
	pages := map[string]http.HandlerFunc{
		"/robots.txt": text("text/plain", "User-agent: *\nDisallow: /\n\nUser-agent: faqbot\nDisallow: /faq/private\nSitemap: /maps.xml\n"),
		"/maps.xml":   text("application/xml", `<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>/map.xml</loc></sitemap><sitemap><loc>http://elsewhere.example/map.xml</loc></sitemap></sitemapindex>`),
		"/map.xml":    text("application/xml", `<?xml version="1.0"?><urlset><url><loc>/faq/only-in-the-sitemap</loc></url><url><loc>/blog/new</loc></url></urlset>`),
		"/faq": webpage(`<a href="/faq/0">First</a> <a href="/faq/slow">S</a> <a href="/faq/huge">H</a> <a href="/faq/bomb">B</a> <a href="/faq/private/x">P</a> <a href="/faq/gone">G</a>
			<a href="/faq/out">O</a> <a href="/faq/inside-out">I</a> <a href="/faq/loop">L</a> <a href="/faq/file.pdf">F</a> <a href="/faq/picture">A</a> <a href="/admin">No</a> <a href="/faq/../admin">No</a> <a href="/faq/%%2e%%2e/admin">No</a>
			<a href="/faqs">No</a> <a href="http://elsewhere.example/faq/x">No</a> <a href="javascript:alert(1)">No</a> <a rel="nofollow" href="/faq/nofollow">No</a> <a href="?utm_source=x">Again</a>`),
		"/faq/only-in-the-sitemap": webpage("S"),
		"/faq/slow":                func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/faq/huge":                webpage("%s", strings.Repeat("<p>x", limits.MaxCrawlPage/4)),
		"/faq/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"/faq/out":        redirect("http://elsewhere.example/faq/"),
		"/faq/inside-out": redirect("/admin"),
		"/faq/loop":       redirect("/faq/loop"),
		"/faq/picture":    text("image/png", "\x89PNG"),
	}
	for i := range 150 { // each links to the next, back, and to itself under ever new addresses
		pages[fmt.Sprintf("/faq/%d", i)] = webpage(`Page %d <a href="%d">Next</a> <a href="./">Up</a> <a href="/faq/%d?session=%d">Again</a>`, i, i+1, i, i)
	}
	s := newSite(t, pages)
	c := s.crawler()
	c.pageTime = 2 * time.Second
	read, err := c.Fetch(t.Context(), s.URL+"/faq", true)
	require.NoError(t, err)

	got := s.paths(read)
	require.Contains(t, got, "/faq/only-in-the-sitemap")
	require.Equal(t, "/faq", got[0])
	seen := map[string]bool{}
	for _, p := range got {
		require.False(t, seen[p], p)
		seen[p] = true
		require.True(t, strings.HasPrefix(p, "/faq"), p)
	}
	failed := map[string]Reason{}
	for _, f := range read.Failed {
		failed[strings.TrimPrefix(f.Address, s.URL)] = f.Why.Reason
	}
	delete(failed, "/faq/") // "Up", which the site does not have
	require.Subset(t, failed, map[string]Reason{"/faq/slow": TooSlow, "/faq/huge": TooLarge, "/faq/bomb": TooLarge, "/faq/private/x": Disallowed, "/faq/gone": BadStatus,
		"/faq/out": Elsewhere, "/faq/inside-out": Elsewhere, "/faq/loop": Looping})
	requests := s.requests()
	for _, r := range requests {
		require.NotContains(t, []string{"/admin", "/faqs", "/faq/private/x", "/faq/nofollow", "/blog/new", "/faq/file.pdf"}, r)
	}
	require.LessOrEqual(t, len(requests), limits.MaxCrawlPages+20)
	require.Equal(t, 1, s.most, "one request at a time")
	require.Positive(t, read.NotRead, "the bound on pages was reached, and it says so")
}

func TestPagesAreBounded(t *testing.T) {
	pages := map[string]http.HandlerFunc{}
	for i := range 250 {
		pages[fmt.Sprintf("/%d", i)] = webpage(`%d <a href="/%d">Next</a>`, i, i+1)
	}
	pages["/"] = webpage(`<a href="/0">0</a>`)
	s := newSite(t, pages)
	read, err := s.crawler().Fetch(t.Context(), s.URL, true)
	require.NoError(t, err)
	require.Len(t, read.Pages, limits.MaxCrawlPages)
	require.Equal(t, 1, read.NotRead)

	for i := range 20 { // more bytes than are read in all
		pages[fmt.Sprintf("/large/%d", i)] = webpage(`%d <a href="/large/%d">Next</a>%s`, i, i+1, strings.Repeat("x", limits.MaxCrawlPage-100))
	}
	pages["/large/"] = webpage(`<a href="/large/0">0</a>`)
	read, err = s.crawler().Fetch(t.Context(), s.URL+"/large/", true)
	require.NoError(t, err)
	require.Equal(t, 1+limits.MaxCrawlBytes/limits.MaxCrawlPage, len(read.Pages)-1, "the page that crosses the bound is the last")
	require.Equal(t, 1, read.NotRead)
}

// The whole crawl is bounded too, and what was read by then is kept.
func TestTimeIsBounded(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/faq/": webpage(`<a href="a">A</a><a href="b">B</a>`), "/faq/a": webpage("A"), "/faq/b": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	c := s.crawler()
	c.wholeTime = 500 * time.Millisecond
	read, err := c.Fetch(t.Context(), s.URL+"/faq/", true)
	require.NoError(t, err)
	require.Equal(t, []string{"/faq/", "/faq/a"}, s.paths(read))
	require.Equal(t, 1, read.NotRead)
}

// Who asked goes away: the crawl ends with them.
func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSite(t, map[string]http.HandlerFunc{"/faq": func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }})
	_, err := s.crawler().Fetch(ctx, s.URL+"/faq", true)
	require.ErrorIs(t, err, context.Canceled)
}

func TestOneCrawlOfASite(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	s := newSite(t, map[string]http.HandlerFunc{"/faq": func(w http.ResponseWriter, r *http.Request) { entered <- true; <-leave; webpage("x")(w, r) }})
	c := s.crawler()
	done := make(chan error)
	go func() { _, err := c.Fetch(t.Context(), s.URL+"/faq", false); done <- err }()
	<-entered
	_, err := c.Fetch(t.Context(), s.URL+"/other", false)
	require.Equal(t, Busy, reason(t, err))
	close(leave)
	require.NoError(t, <-done)
}

func TestWhyAPageIsNotRead(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/file": text("application/pdf", "%PDF"), "/nothing": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.WriteHeader(http.StatusOK)
		},
		"/elsewhere": redirect("https://elsewhere.example/faq"), "/file-scheme": redirect("file:///etc/passwd"), "/password": redirect("http://a:b@elsewhere.example/"),
	})
	for path, want := range map[string]Reason{"/file": NoPage, "/nothing": NoPage, "/gone": BadStatus, "/elsewhere": Elsewhere, "/file-scheme": Elsewhere, "/password": Elsewhere} {
		_, err := s.crawler().Fetch(t.Context(), s.URL+path, false)
		require.Equal(t, want, reason(t, err), path)
		require.NotEmpty(t, err.Error())
	}
	broken := newSite(t, map[string]http.HandlerFunc{"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "/faq": webpage("x")})
	_, err := broken.crawler().Fetch(t.Context(), broken.URL+"/faq", false)
	require.Equal(t, BadStatus, reason(t, err), "who cannot say what may be read is not read")
	require.Equal(t, []string{"/robots.txt"}, broken.requests())
	away := newSite(t, nil)
	c := away.crawler()
	away.Close()
	_, err = c.Fetch(t.Context(), away.URL, false)
	require.Equal(t, Unreachable, reason(t, err))
}

// Nothing of our own network is read: by address, by a name that leads there, by a redirect, or by a name that leads
// there when it is asked again.
func TestStaysOutside(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": webpage("secret"), "/faq": webpage(`<a href="/faq/next">Next</a>`), "/faq/next": webpage("secret")})
	for _, address := range []string{s.URL, "http://127.0.0.1", "http://localhost:" + s.URL[strings.LastIndex(s.URL, ":")+1:], "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
		"http://[2002:7f00:1::]/", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://0.0.0.0/", "http://[fd00::1]/", "http://[fe80::1%25eth0]/"} {
		_, err := New(Options{}).Fetch(t.Context(), address, false)
		require.Equal(t, Private, reason(t, err), address)
	}
	for _, address := range []string{"", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "https://user:password@example.com/", "http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/",
		"http://127.1/", "http://0x7f000001/", "http://127.0.0.1./x y", "https://", "gopher://example.com", "http://127.0.0.1:99999999/"} {
		_, err := New(Options{}).Fetch(t.Context(), address, false)
		require.Contains(t, []Reason{BadAddress, Private}, reason(t, err), address)
	}
	require.Empty(t, s.requests())

	answers := []string{"9.9.9.9", "127.0.0.1"} // the second time the name leads inside
	var dialed []string
	c := New(Options{
		Resolve: func(context.Context, string) (list []netip.Addr, err error) {
			list = append(list, netip.MustParseAddr(answers[0]))
			if len(answers) > 1 {
				answers = answers[1:]
			}
			return list, nil
		},
		Connect: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		}})
	c.gap, c.transport.DisableKeepAlives = 0, true
	_, err := c.Fetch(t.Context(), "http://rebind.example/faq", true)
	require.Equal(t, Private, reason(t, err))
	require.Equal(t, []string{"9.9.9.9:80"}, dialed, "robots.txt was read outside, and nothing inside")
}

// A site that sends its visitors to www. or to https is one site; that is where pages below are looked for.
func TestMovesWithinASite(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/faq": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://www.shop.example/help/", http.StatusMovedPermanently)
		},
		"/help/":      webpage(`<a href="money">Money</a> <a href="http://shop.example/help/money">Money</a>`),
		"/help/money": webpage(`Money`),
	})
	c := New(Options{
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("9.9.9.9")}, nil
		},
		Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		}})
	c.gap = 0
	read, err := c.Fetch(t.Context(), "http://shop.example/faq", true)
	require.NoError(t, err)
	require.Equal(t, []string{"http://www.shop.example/help/", "http://www.shop.example/help/money"}, s.paths(read))
}

func TestPrefix(t *testing.T) {
	for address, want := range map[string]string{"https://a.example": "/", "https://a.example/faq": "/faq/", "https://a.example/faq/": "/faq/", "https://a.example/help/faq.html?x=y": "/help/faq/",
		"https://a.example/help/index.php": "/help/", "a.example/x/../faq": "/faq/"} {
		u, err := parseAddress(address)
		require.NoError(t, err)
		require.Equal(t, want, prefixOf(u), address)
	}
}

// The site is not asked more often than is polite, nor than it says.
func TestIsPolite(t *testing.T) {
	var times []time.Time
	note := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { times = append(times, time.Now()); h(w, r) }
	}
	s := newSite(t, map[string]http.HandlerFunc{"/robots.txt": text("text/plain", "User-agent: *\nCrawl-delay: 0.3\n"),
		"/faq/": note(webpage(`<a href="a">A</a>`)), "/faq/a": note(webpage("A"))})
	_, err := s.crawler().Fetch(t.Context(), s.URL+"/faq/", true)
	require.NoError(t, err)
	require.Len(t, times, 2)
	require.GreaterOrEqual(t, times[1].Sub(times[0]), 300*time.Millisecond)
}

func TestEncodings(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/faq": text("text/html; charset=windows-1251", "<p>\xcf\xf0\xe8\xe2\xe5\xf2")})
	read, err := s.crawler().Fetch(t.Context(), s.URL+"/faq", false)
	require.NoError(t, err)
	require.Contains(t, string(read.Pages[0].HTML), "Привет")
}
