package portal

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/crawl"
)

// webSite is a site that the portal may read, by the HTML of its pages.
func (s *site) webSite(pages map[string]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	s.t.Cleanup(server.Close)
	s.portal.o.Crawl = crawl.New(crawl.Options{PrivateHosts: []string{server.Listener.Addr().String()}})
	return server
}

// A web page is shown as what it would change, like a file, and published only by hand.
func TestWebPage(t *testing.T) {
	onBoth(t, func(s *site) {
		require.NotContains(t, s.read("ann", "/partners/shop-one"), "Or from a web page", "nothing reads pages here")
		pages := map[string]string{
			"/faq/":      `<nav>Home</nav><main><a href="money">Money</a> <a href="gone">Gone</a></main>`,
			"/faq/money": `<nav>Home</nav><main><h2>When do you pay?</h2><p>On the 15th.</p><h2>Is there a minimum?</h2><p>50 euros.</p></main>`,
		}
		web := s.webSite(pages)
		require.Contains(t, s.read("ann", "/partners/shop-one"), "Or from a web page")
		w := s.post("ann", "/partners/shop-one/web-page", url.Values{"address": {web.URL + "/faq/"}, "below": {"on"}})
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
		preview := s.read("ann", w.Header().Get("Location"))
		require.Contains(t, preview, "127.0.0.1-faq.jsonl")
		require.Contains(t, preview, "When do you pay?")
		require.Contains(t, preview, web.URL+"/faq/gone: The site answered with status 404")
		_, revision, err := s.corpus.Published(t.Context(), "shop-one")
		require.NoError(t, err)
		require.Zero(t, revision, "nothing is published by itself")

		w = s.post("ann", w.Header().Get("Location")+"/publish", url.Values{})
		require.Equal(t, http.StatusSeeOther, w.Code)
		pages["/faq/money"] = strings.ReplaceAll(pages["/faq/money"], "50 euros", "70 euros")
		w = s.post("ann", "/partners/shop-one/web-page", url.Values{"address": {web.URL + "/faq/"}, "below": {"on"}})
		require.Contains(t, s.read("ann", w.Header().Get("Location")), "<ins>70</ins> euros")
		entries, _, err := s.corpus.Published(t.Context(), "shop-one")
		require.NoError(t, err)
		require.Len(t, entries, 2)
		require.NotContains(t, entries[0].Answer+entries[1].Answer, "70", "what was read again is proposed")
	})
}

// What cannot be read is said in words, beside the address that was typed.
func TestWebPageThatCannotBeRead(t *testing.T) {
	onBoth(t, func(s *site) {
		web := s.webSite(map[string]string{"/news": `<main><h1>News</h1><p>We moved.</p></main>`})
		for address, want := range map[string]string{
			"": "not the address of a web page", "ftp://example.com/": "not the address of a web page", "http://169.254.169.254/latest": "leads into a private network",
			web.URL + "/gone": "The site answered with error 404", web.URL + "/news": "No questions and answers were found",
		} {
			w := s.post("ann", "/partners/shop-one/web-page", url.Values{"address": {address}, "below": {"on"}})
			require.Equal(t, http.StatusUnprocessableEntity, w.Code, address)
			body := html.UnescapeString(w.Body.String())
			require.Contains(t, body, want)
			require.Contains(t, body, `value="`+address+`"`)
			require.Contains(t, body, `name="below" checked`)
		}
		require.Equal(t, http.StatusNotFound, s.post("bob", "/partners/shop-one/web-page", url.Values{"address": {web.URL}}).Code)
		require.Empty(t, s.log.String())
	})
}

// One page of an affiliate's is read at a time, and its reading ends with the request.
func TestOneWebPageAtATime(t *testing.T) {
	onBoth(t, func(s *site) {
		entered, gone := make(chan bool), make(chan bool)
		web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			entered <- true
			<-r.Context().Done()
			gone <- true
		}))
		t.Cleanup(web.Close)
		s.portal.o.Crawl = crawl.New(crawl.Options{PrivateHosts: []string{web.Listener.Addr().String()}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan bool)
		go func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/partners/shop-one/web-page", strings.NewReader(url.Values{"address": {web.URL}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			s.do("ann", r)
			done <- true
		}()
		<-entered
		w := s.post("ann", "/partners/shop-one/web-page", url.Values{"address": {"http://elsewhere.example/"}})
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Contains(t, w.Body.String(), "Another web page of yours is being read")
		w = s.post("bob", "/partners/shop-two/web-page", url.Values{"address": {web.URL}})
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Contains(t, w.Body.String(), "is being read right now")
		cancel()
		<-gone
		<-done
	})
}
