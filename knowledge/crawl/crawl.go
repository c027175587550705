// Package crawl reads an FAQ from web pages: one page, or the pages below it too. Addresses come from affiliates, so
// it connects to public hosts alone (publicnet), stays on one site and below one path, obeys robots.txt, asks a
// host for one page at a time, and is bounded by limits.MaxCrawl…. It finds pages and hands them to faqfile, which
// finds the questions. It publishes nothing.
package crawl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/temoto/robotstxt"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/publicnet"
)

// agent is what robots.txt calls this program.
const agent = "faqbot"

// gap is the wait between two requests: a site should not notice.
const gap = 200 * time.Millisecond

// Options are what a Crawler is told of the network. The zero value reads public pages.
type Options struct {
	PrivateHosts []string // "wiki.example:8080": hosts and ports that may be read although they are private
	Resolve      func(ctx context.Context, host string) ([]netip.Addr, error)
	Connect      func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Crawler reads web pages. It is safe for concurrent use.
type Crawler struct {
	transport *http.Transport
	slots     limits.Slots
	gap       time.Duration
	pageTime  time.Duration
	wholeTime time.Duration
}

// New returns a Crawler. It calls nobody.
func New(o Options) *Crawler {
	trusted := func(host, port string) bool { return slices.Contains(o.PrivateHosts, net.JoinHostPort(host, port)) }
	dialer := publicnet.Dialer{Resolve: o.Resolve, Connect: o.Connect, Trusted: trusted}
	return &Crawler{gap: gap, pageTime: limits.MaxCrawlPageTime, wholeTime: limits.MaxCrawlTime,
		transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: 10 * time.Second}}
}

// A Page is one page that was read. Links in its HTML have whole addresses.
type Page struct {
	Address string // where redirects ended
	HTML    []byte
}

// A Failure is one page below the first that could not be read.
type Failure struct {
	Address string
	Why     *Error
}

// A Site is what was read of a site.
type Site struct {
	Pages   []Page // the one asked for is the first
	Failed  []Failure
	NotRead int // pages that were found and not read, because a bound was reached
}

// Fetch reads the page at address, and with below the pages under its path that it, they and the site's sitemap
// link to. The error is ctx's, or an *Error that says why the page itself cannot be read.
func (c *Crawler) Fetch(ctx context.Context, address string, below bool) (Site, error) {
	start, err := parseAddress(address)
	if err != nil {
		return Site{}, err
	}
	release, ok := c.slots.Take(limits.Bound{Key: "site " + siteOf(start), Max: 1}, limits.Bound{Key: "all", Max: limits.MaxCrawls})
	if !ok {
		return Site{}, &Error{Reason: Busy}
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, c.wholeTime)
	defer cancel()
	w := &walk{crawler: c, start: start, rules: map[string]*robotstxt.RobotsData{}, known: map[string]bool{}, contents: map[[sha256.Size]byte]bool{}}
	links, why := w.readPage(limited, start)
	if err := ctx.Err(); err != nil {
		return Site{}, err
	}
	if why != nil {
		return Site{}, why
	}
	if below {
		w.below(limited, links)
	}
	return w.site, ctx.Err()
}

// A walk is one crawl.
type walk struct {
	crawler  *Crawler
	start    *url.URL                         // the first page; where its redirects ended, once it was read
	prefix   string                           // of the paths of pages below it; "" until it was read
	rules    map[string]*robotstxt.RobotsData // by scheme and host
	known    map[string]bool                  // addresses that were queued or read
	contents map[[sha256.Size]byte]bool       // one page under many addresses is read once
	queue    []*url.URL
	bytes    int
	asked    time.Time // when the last request ended
	site     Site
}

// readPage reads one readPage into the site, and returns what it links to.
func (w *walk) readPage(ctx context.Context, u *url.URL) ([]*url.URL, *Error) {
	w.known[key(u)] = true
	a, why := w.get(ctx, u, webPage)
	if why != nil {
		return nil, why
	}
	if w.prefix == "" {
		w.start, w.prefix = a.address, prefixOf(a.address)
	}
	w.known[key(a.address)] = true
	sum := sha256.Sum256(a.body)
	if w.contents[sum] {
		return nil, nil
	}
	w.contents[sum] = true
	html, links := absolute(a.body, a.address)
	w.site.Pages = append(w.site.Pages, Page{Address: a.address.String(), HTML: html})
	return links, nil
}

// below reads the pages below the first.
func (w *walk) below(ctx context.Context, links []*url.URL) {
	w.enqueue(links)
	w.enqueue(w.sitemap(ctx))
	for read := 1; len(w.queue) > 0; read++ {
		if read >= limits.MaxCrawlPages || w.bytes >= limits.MaxCrawlBytes || ctx.Err() != nil {
			w.site.NotRead = len(w.queue)
			return
		}
		u := w.queue[0]
		links, why := w.readPage(ctx, u)
		if ctx.Err() != nil {
			continue // it was not read to its end
		}
		w.queue = w.queue[1:]
		switch {
		case why == nil:
			w.enqueue(links)
		case why.Reason != NoPage: // a picture or the like that is linked is no failure
			w.site.Failed = append(w.site.Failed, Failure{u.String(), why})
		}
	}
}

// enqueue queues the links that lead to pages below the first and are not known yet.
func (w *walk) enqueue(links []*url.URL) {
	for _, u := range links {
		if len(w.known) >= limits.MaxCrawlAddresses {
			return
		}
		if k := key(u); !w.known[k] && sameSite(w.start, u) && strings.HasPrefix(clean(u), w.prefix) && !isFile(u) {
			w.known[k] = true
			w.queue = append(w.queue, u)
		}
	}
}

// parseAddress reads what a person types: the scheme may be left out.
func parseAddress(address string) (*url.URL, error) {
	address = strings.TrimSpace(address)
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || !mayRead(u) {
		return nil, &Error{Reason: BadAddress}
	}
	u.Fragment = ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// mayRead reports whether u is the address of a web page, without a password in it. A host that is a number in
// disguise, such as 0x7f.1, is none.
func mayRead(u *url.URL) bool {
	host := strings.TrimSuffix(u.Hostname(), ".")
	if u.Scheme != "http" && u.Scheme != "https" || host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return true
	}
	last := host[strings.LastIndex(host, ".")+1:]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(strings.ToLower(last), "0x")
}

// sameSite reports whether a and b are pages of one site. www.example.com is example.com, and http is https.
func sameSite(a, b *url.URL) bool {
	return mayRead(b) && siteOf(a) == siteOf(b)
}

func siteOf(u *url.URL) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), "www.") + ":" + port(u)
}

// port returns a port that is not the usual one of u's scheme, or "".
func port(u *url.URL) string {
	if p := u.Port(); p != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return p
	}
	return ""
}

// clean returns u's path without "..", decoded, so that no spelling leads out of a prefix.
func clean(u *url.URL) string {
	p := path.Clean("/" + u.Path)
	if strings.HasSuffix(u.Path, "/") && p != "/" {
		p += "/"
	}
	return p
}

// prefixOf returns what the paths of pages below u begin with: /faq/ for /faq, /faq/, /faq.html and /faq/index.html.
func prefixOf(u *url.URL) string {
	p := clean(u)
	if strings.HasSuffix(p, "/") {
		return p
	}
	dir, file := path.Split(p)
	name := strings.TrimSuffix(file, path.Ext(file))
	if name == "index" || name == "default" {
		return dir
	}
	return dir + name + "/"
}

// key is what one page is known by: fragments, the scheme and marks of campaigns make no other page of it.
func key(u *url.URL) string {
	query := u.Query()
	for name := range query {
		if strings.HasPrefix(name, "utm_") {
			query.Del(name)
		}
	}
	return siteOf(u) + strings.TrimSuffix(clean(u), "/") + "?" + query.Encode()
}

// isFile reports whether u's ending says that it is no page.
func isFile(u *url.URL) bool {
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".svg", ".webp", ".ico", ".css", ".js", ".json", ".xml", ".rss", ".zip", ".gz", ".mp3", ".mp4", ".webm",
		".docx", ".xlsx", ".pptx", ".txt", ".ics", ".exe", ".dmg", ".apk":
		return true
	}
	return false
}

// robots returns what a host's robots.txt says, or why it cannot be asked: then the host is not read.
func (w *walk) robots(ctx context.Context, u *url.URL) (*robotstxt.RobotsData, *Error) {
	if known := w.rules[origin(u)]; known != nil {
		return known, nil
	}
	a, why := w.get(ctx, &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}, rulesFile)
	switch {
	case why == nil, why.Reason == Elsewhere: // who sends all visitors elsewhere has no rules
	case why.Reason == BadStatus && why.Status < http.StatusInternalServerError:
	default:
		return nil, why
	}
	rules, err := robotstxt.FromBytes(bytes.ToValidUTF8(a.body, nil))
	if err != nil { // what stands in its place has no rules
		rules = &robotstxt.RobotsData{}
	}
	w.rules[origin(u)] = rules
	return rules, nil
}

func origin(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }
