// Package deadlinks finds out which links lead nowhere any more. It asks in the background, a few hosts at once and each
// host one link after another, and remembers what it learnt. It connects to no private address.
//
// It is not for reading pages (crawl) nor for finding links in texts (lint).
package deadlinks

import (
	"context"
	"errors"
	"hash/fnv"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"faqbot/knowledge/publicnet"
)

// A Reason is why a link is dead.
type Reason string

const (
	Alive   Reason = ""        // or not known to be dead: the site may be down for a while, or shut to programs
	Gone    Reason = "gone"    // the site says that there is nothing
	NoHost  Reason = "host"    // there is no such site
	Private Reason = "private" // it leads into a private network, where customers cannot go
	Looping Reason = "looping" // the site redirects on and on
	NoLink  Reason = "address" // it is no address of the web
)

const (
	workers      = 4
	waiting      = 500                    // links that wait for a worker
	requestTime  = 10 * time.Second       // of one request with its redirects
	pause        = 500 * time.Millisecond // between two requests of a worker, so between any two to one host
	maxRedirects = 10
	known        = 10_000 // links that are remembered
	aliveFor     = 24 * time.Hour
	deadFor      = time.Hour // then it is asked again: a site comes back
	onlineFor    = time.Hour // after an answer of any site, that a name leads nowhere counts
)

// A Checker knows which links are dead. It is safe for concurrent use.
type Checker struct {
	transport http.RoundTripper
	now       func() time.Time
	pause     time.Duration
	queues    [workers]chan string

	mu     sync.Mutex
	links  map[string]link
	order  []string  // of links, those learnt first at the front
	online time.Time // when a site answered last
}

// A link is what is known of one.
type link struct {
	reason Reason
	queued bool
	until  time.Time // when it is asked again; zero until it was asked
}

// Options may be left out.
type Options struct {
	Dialer publicnet.Dialer
	Now    func() time.Time // time.Now if nil
}

// New returns a Checker. It asks nobody before Run.
func New(o Options) *Checker {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Checker{now: o.Now, pause: pause, links: map[string]link{}, transport: &http.Transport{DialContext: o.Dialer.DialContext, TLSHandshakeTimeout: requestTime,
		ResponseHeaderTimeout: requestTime, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second}}
	for i := range c.queues {
		c.queues[i] = make(chan string, waiting)
	}
	return c
}

// Dead returns those of links that are known to be dead, and has the others looked at. done is false while that goes on.
func (c *Checker) Dead(links []string) (dead map[string]Reason, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dead, done = map[string]Reason{}, true
	for _, address := range links {
		l, seen := c.links[address]
		if l.reason != Alive {
			dead[address] = l.reason
		}
		if seen && c.now().Before(l.until) {
			continue
		}
		if !l.queued {
			select {
			case c.queues[workerOf(address)] <- address:
				l.queued = true
				c.remember(address, l)
			default: // when it is asked for the next time
			}
		}
		done = done && !l.until.IsZero() // what is known counts while it is looked at anew
	}
	return dead, done
}

// workerOf is the same for all links to one host.
func workerOf(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(u.Host))
	return int(h.Sum32() % workers)
}

// remember keeps what is known of a link, in place of what was learnt first if there is too much.
func (c *Checker) remember(address string, l link) {
	if _, seen := c.links[address]; !seen {
		if len(c.order) >= known {
			delete(c.links, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, address)
	}
	c.links[address] = l
}

// Run looks at links until ctx ends.
func (c *Checker) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, queue := range c.queues {
		all.Go(func() { c.work(ctx, queue) })
	}
	all.Wait()
	return ctx.Err()
}

func (c *Checker) work(ctx context.Context, queue chan string) {
	for {
		var address string
		select {
		case <-ctx.Done():
			return
		case address = <-queue:
		}
		reason := c.look(ctx, address)
		if ctx.Err() != nil {
			return
		}
		l := link{reason: reason, until: c.now().Add(aliveFor)}
		if reason != Alive {
			l.until = c.now().Add(deadFor)
		}
		c.mu.Lock()
		c.remember(address, l)
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(c.pause):
		}
	}
}

// look asks where a link leads: by HEAD, and by GET where the site does not answer that well.
func (c *Checker) look(ctx context.Context, address string) Reason {
	status, reason := c.request(ctx, http.MethodHead, address)
	if reason == Alive && status >= http.StatusBadRequest {
		status, reason = c.request(ctx, http.MethodGet, address)
	}
	if status == http.StatusNotFound || status == http.StatusGone {
		return Gone
	}
	return reason
}

// request asks for an address and follows its redirects. The status is 0 if nothing answered.
func (c *Checker) request(ctx context.Context, method, address string) (status int, reason Reason) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	at, err := url.Parse(address)
	for range maxRedirects + 1 {
		if err != nil || at.Host == "" || !slices.Contains([]string{"http", "https"}, at.Scheme) {
			return 0, NoLink
		}
		r, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
		if err != nil {
			return 0, NoLink
		}
		r.Header.Set("User-Agent", "faqbot (looks whether links in its affiliates' answers work)")
		r.Header.Set("Range", "bytes=0-0") // of a GET no more is wanted than that it works
		resp, err := c.transport.RoundTrip(r)
		if err != nil {
			return 0, c.reasonOf(err)
		}
		_ = resp.Body.Close()
		c.answered()
		if resp.StatusCode < 300 || resp.StatusCode >= 400 || resp.Header.Get("Location") == "" {
			return resp.StatusCode, Alive
		}
		if at, err = resp.Location(); err != nil {
			return resp.StatusCode, Alive
		}
	}
	return 0, Looping
}

func (c *Checker) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.online = c.now()
}

// reasonOf says whether an error of a request means that the link is dead. Offline no name leads anywhere, so that counts
// only if some site answered lately.
func (c *Checker) reasonOf(err error) Reason {
	name, isName := errors.AsType[*net.DNSError](err)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, publicnet.ErrPrivate):
		return Private
	case isName && name.IsNotFound && c.now().Sub(c.online) < onlineFor:
		return NoHost
	}
	return Alive
}
