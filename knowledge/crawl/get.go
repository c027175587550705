package crawl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/publicnet"
)

// A Reason is why a page is not read.
type Reason string

// Reasons.
const (
	BadAddress  Reason = "address"     // no address of a web page
	Private     Reason = "private"     // it leads into a private network
	Disallowed  Reason = "robots"      // robots.txt does not let programs read it
	Elsewhere   Reason = "elsewhere"   // it leads to another site, or from a page below the first to one that is not
	BadStatus   Reason = "status"      // the site answers with an error
	NoPage      Reason = "kind"        // it is no HTML
	TooLarge    Reason = "large"       // more than limits.MaxCrawlPage
	TooSlow     Reason = "slow"        // longer than limits.MaxCrawlPageTime
	Looping     Reason = "redirects"   // more than limits.MaxCrawlRedirects
	Unreachable Reason = "unreachable" // no connection
	Busy        Reason = "busy"        // its host is being read, or many others are
)

// An Error says why a page is not read.
type Error struct {
	Reason Reason
	Status int    // of BadStatus
	To     string // where Elsewhere is
}

func (e *Error) Error() string {
	switch e.Reason {
	case BadAddress:
		return "This is not the address of a web page. Write it as in a browser: https://www.example.com/faq"
	case Private:
		return "The address leads into a private network. Save the page in a browser, and import the file."
	case Disallowed:
		return "The site's robots.txt does not let programs read the page. Save the page in a browser, and import the file."
	case Elsewhere:
		return fmt.Sprintf("The page leads to %s. If that is the FAQ, give that address.", e.To)
	case BadStatus:
		return fmt.Sprintf("The site answered with status %d. Open the page in a browser to see if it is there for everybody.", e.Status)
	case NoPage:
		return "The address is no web page (HTML). Save the file, and import it."
	case TooLarge:
		return fmt.Sprintf("The page has more than %d MiB.", limits.MaxCrawlPage>>20)
	case TooSlow:
		return fmt.Sprintf("The page took more than %d seconds.", int(limits.MaxCrawlPageTime.Seconds()))
	case Looping:
		return fmt.Sprintf("The page leads from one address to the next, more than %d times.", limits.MaxCrawlRedirects)
	case Busy:
		return "Pages of this site, or of many others, are being read. Try again in two minutes."
	}
	return "The site cannot be reached. Check the address."
}

// Passing reports whether the page may be there later: what stood on it is not known to be gone.
func (e *Error) Passing() bool {
	switch e.Reason {
	case BadStatus:
		return e.Status != http.StatusNotFound && e.Status != http.StatusGone
	case TooLarge, TooSlow, Unreachable:
		return true
	}
	return false
}

// An answer is what a request got, after its redirects.
type answer struct {
	address *url.URL
	body    []byte
}

// A target is what a request is for.
type target int

const (
	webPage     target = iota // HTML; below the first page it stays under its path
	sitemapFile               // anything on the site
	rulesFile                 // robots.txt, which needs no leave of itself
)

// get requests u and follows its redirects, as far as they stay where t may be.
func (w *walk) get(ctx context.Context, u *url.URL, t target) (answer, *Error) {
	for range limits.MaxCrawlRedirects + 1 {
		if t != rulesFile {
			rules, why := w.robots(ctx, u)
			if why != nil {
				return answer{}, why
			}
			if !rules.TestAgent(u.RequestURI(), agent) {
				return answer{}, &Error{Reason: Disallowed}
			}
		}
		a, next, why := w.request(ctx, u, t)
		if why != nil || next == nil {
			return a, why
		}
		if !sameSite(w.start, next) || t == webPage && !strings.HasPrefix(clean(next), w.prefix) {
			return answer{}, &Error{Reason: Elsewhere, To: next.String()}
		}
		u = next
	}
	return answer{}, &Error{Reason: Looping}
}

// request makes one request. next is where the site redirects to, or nil.
func (w *walk) request(ctx context.Context, u *url.URL, t target) (a answer, next *url.URL, why *Error) {
	if err := w.wait(ctx, u); err != nil {
		return a, nil, &Error{Reason: TooSlow}
	}
	defer func() { w.asked = time.Now() }()
	ctx, cancel := context.WithTimeout(ctx, w.crawler.pageTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return a, nil, &Error{Reason: BadAddress}
	}
	r.Header.Set("User-Agent", agent+" (reads its affiliates' own FAQ pages)")
	resp, err := w.crawler.transport.RoundTrip(r) // no cookies, and redirects are followed by get
	if err != nil {
		return a, nil, reasonOf(ctx, err)
	}
	defer resp.Body.Close() // it was read as far as it is wanted
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		if next, err = resp.Location(); err != nil {
			return a, nil, &Error{Reason: BadStatus, Status: resp.StatusCode}
		}
		next.Fragment = ""
		return a, next, nil
	case resp.StatusCode != http.StatusOK:
		return a, nil, &Error{Reason: BadStatus, Status: resp.StatusCode}
	case t == webPage && !isHTML(resp.Header):
		return a, nil, &Error{Reason: NoPage}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limits.MaxCrawlPage+1)) // unpacked, if it was packed
	w.bytes += len(body)
	switch {
	case err != nil:
		return a, nil, reasonOf(ctx, err)
	case len(body) > limits.MaxCrawlPage:
		return a, nil, &Error{Reason: TooLarge}
	}
	return answer{u, asUTF8(body, resp.Header)}, nil, nil
}

// wait waits until the site may be asked again.
func (w *walk) wait(ctx context.Context, u *url.URL) error {
	pause := w.crawler.gap
	if rules := w.rules[origin(u)]; rules != nil {
		if group := rules.FindGroup(agent); group != nil {
			pause = max(pause, group.CrawlDelay)
		}
	}
	select {
	case <-time.After(time.Until(w.asked.Add(pause))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func reasonOf(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(err, publicnet.ErrPrivate):
		return &Error{Reason: Private}
	case ctx.Err() != nil:
		return &Error{Reason: TooSlow}
	}
	return &Error{Reason: Unreachable}
}

func isHTML(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}

// asUTF8 decodes a body whose header names another encoding. Whatever only the page itself names, faqfile finds.
func asUTF8(body []byte, h http.Header) []byte {
	_, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || parameters["charset"] == "" || utf8.Valid(body) {
		return body
	}
	r, err := charset.NewReaderLabel(parameters["charset"], bytes.NewReader(body))
	if err != nil {
		return body
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return body
	}
	return text
}
