package graphapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// mediaTimeout bounds fetching one file.
const mediaTimeout = 2 * time.Minute

// mediaClient fetches files. It connects to no private address, unless that is the configured API's:
// the addresses of files come from webhooks and answers, and a file host could be made to point
// into our own network.
func (c *Client) mediaClient() *http.Client {
	own := ""
	if u, err := url.Parse(c.base); err == nil {
		own = u.Hostname()
	}
	return &http.Client{
		Timeout: mediaTimeout,
		Transport: transport(func(_, address string) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return errors.New("not an address")
			}
			if ip := at.Addr().Unmap(); !public(ip) && ip.String() != own {
				return errors.New("a private address")
			}
			return nil
		}),
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > 3 || !c.mayFetch(req.URL) {
				return errors.New("redirected elsewhere")
			}
			if !c.mayHaveToken(req.URL) {
				req.Header.Del("Authorization")
			}
			return nil
		},
	}
}

func public(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast()
}

func controlOf(check func(network, address string) error) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error { return check(network, address) }
}

// mediaDomains are where Meta keeps files.
func mediaDomains() []string {
	return []string{"fbsbx.com", "fbcdn.net", "facebook.com", "cdninstagram.com"}
}

// mayFetch reports whether a file may be fetched from u.
func (c *Client) mayFetch(u *url.URL) bool {
	if c.isBase(u) {
		return true
	}
	if u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
		return false
	}
	for _, domain := range mediaDomains() {
		if host := strings.ToLower(u.Hostname()); host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// mayHaveToken reports whether u may see our token: WhatsApp's files need it, and nobody else's.
func (c *Client) mayHaveToken(u *url.URL) bool {
	return c.isBase(u) || u.Scheme == "https" && strings.EqualFold(u.Hostname(), "lookaside.fbsbx.com")
}

func (c *Client) isBase(u *url.URL) bool {
	return u.User == nil && strings.HasPrefix(c.base+"/", u.Scheme+"://"+u.Host+"/")
}

// Download opens the file at address. The caller closes it and limits how much it reads.
func (c *Client) Download(ctx context.Context, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || !c.mayFetch(u) {
		return nil, errors.New("the file does not lie with Meta: it is not fetched")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the file's address is not usable")
	}
	// WhatsApp's file host is reported to refuse clients without a user agent
	// (https://github.com/great-detail/WhatsApp-JS-SDK/issues/81).
	req.Header.Set("User-Agent", agent)
	if c.mayHaveToken(u) {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.media.Do(req)
	if err != nil {
		return nil, lost(err, false)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // nobody reads it
		return nil, fmt.Errorf("the file's host answered with status %d", resp.StatusCode)
	}
	return resp.Body, nil
}
