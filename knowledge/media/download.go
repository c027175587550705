package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"faqbot/knowledge/publicnet"
)

// Why a file is not downloaded.
var (
	// ErrHost means that the address is not one of those that files may come from.
	ErrHost = errors.New("the file does not lie where this network keeps its files")
	// ErrPrivate means that the name of a host leads into a private network.
	ErrPrivate = publicnet.ErrPrivate
)

const (
	// downloadTimeout bounds one download, reading included, however slowly it comes.
	downloadTimeout = time.Minute
	redirectsMost   = 3
)

// DownloaderOptions say where files may come from. All may be left out; without Hosts and Base nothing
// may be downloaded.
type DownloaderOptions struct {
	Hosts []string // "fbcdn.net" is that host and all below it, by https on its usual port
	Base  string   // "http://127.0.0.1:8081": below this anything may be had, for the operator chose it, private or not

	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)         // as of a publicnet.Dialer
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // its Connect
	Prepare func(*http.Request)                                                  // adds what the host wants to see, a token perhaps; called for each address anew
	Wrap    func(http.RoundTripper) http.RoundTripper                            // for tests that play a host
}

// A Downloader opens files at addresses that strangers can influence: they come in webhooks and in
// networks' answers. It connects to no private address (see publicnet). It follows redirects only to where
// it may go anyway. It uses no proxy, which would connect in its place.
type Downloader struct {
	o      DownloaderOptions
	base   *url.URL // nil if there is none
	client *http.Client
}

// NewDownloader returns a Downloader. It calls nobody.
func NewDownloader(o DownloaderOptions) *Downloader {
	if o.Prepare == nil {
		o.Prepare = func(*http.Request) {}
	}
	if o.Wrap == nil {
		o.Wrap = func(r http.RoundTripper) http.RoundTripper { return r }
	}
	d := &Downloader{o: o}
	if base, err := url.Parse(o.Base); err == nil && base.Host != "" {
		d.base = base
	}
	dialer := publicnet.Dialer{Resolve: o.Resolve, Connect: o.Dial, Trusted: func(host, _ string) bool {
		return d.base != nil && strings.EqualFold(host, d.base.Hostname())
	}}
	d.client = &http.Client{
		Timeout: downloadTimeout,
		Transport: o.Wrap(&http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
			ResponseHeaderTimeout: 20 * time.Second, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > redirectsMost || !d.May(r.URL) {
				return ErrHost
			}
			r.Header = http.Header{}
			d.o.Prepare(r)
			return nil
		},
	}
	return d
}

// Open opens the file at address. The caller closes it and bounds how much it reads. The error holds
// no address: those of some networks have tokens in them. It is ErrHost, ErrPrivate, a *StatusError, or
// something that may pass.
func (d *Downloader) Open(ctx context.Context, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || !d.May(u) {
		return nil, ErrHost
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, ErrHost
	}
	d.o.Prepare(r)
	resp, err := d.client.Do(r)
	if err != nil {
		for _, known := range []error{ErrHost, ErrPrivate, context.Canceled, context.DeadlineExceeded} {
			if errors.Is(err, known) {
				return nil, known
			}
		}
		return nil, errors.New("the file's host cannot be reached")
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // nobody reads it
		return nil, &StatusError{resp.StatusCode}
	}
	return resp.Body, nil
}

// A StatusError is a host's refusal.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the file's host answered with status %d", e.Status)
}

// Gone reports whether asking again is of no use.
func (e *StatusError) Gone() bool {
	return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
}

// May reports whether u is one of the addresses that files may come from.
func (d *Downloader) May(u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if d.base != nil && u.Scheme == d.base.Scheme && u.Host == d.base.Host {
		return true
	}
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range d.o.Hosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}
