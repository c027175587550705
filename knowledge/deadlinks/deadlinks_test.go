package deadlinks

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/publicnet"
	"faqbot/knowledge/waittest"
)

// A web is sites of the internet, all on one server.
type web struct {
	mu    sync.Mutex
	asked []string
	busy  map[string]int
	most  int // requests to one host at once
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked = append(w.asked, r.Method+" "+r.Host+r.URL.Path)
	w.busy[r.Host]++
	w.most = max(w.most, w.busy[r.Host])
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.busy[r.Host]--; w.mu.Unlock() }()
	switch r.URL.Path {
	case "/gone":
		rw.WriteHeader(http.StatusGone)
	case "/moved":
		http.Redirect(rw, r, "/there", http.StatusMovedPermanently)
	case "/moved-away":
		http.Redirect(rw, r, "http://inside.example/", http.StatusFound)
	case "/loop":
		http.Redirect(rw, r, "/loop", http.StatusFound)
	case "/no-head":
		if r.Method == http.MethodHead {
			rw.WriteHeader(http.StatusNotFound)
		}
	case "/there":
	case "/shut":
		rw.WriteHeader(http.StatusForbidden)
	case "/down":
		rw.WriteHeader(http.StatusBadGateway)
	default:
		rw.WriteHeader(http.StatusNotFound)
	}
}

// Only what is known to lead nowhere is dead; what is down or shut is not. Each host is asked one link after another,
// and nothing is asked twice while the answer is fresh.
func TestDead(t *testing.T) {
	t.Parallel()
	w := &web{busy: map[string]int{}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	now := time.Now()
	var mu sync.Mutex
	c := New(Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }, Dialer: publicnet.Dialer{
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			switch host {
			case "shop.example":
				return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
			case "inside.example":
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		},
		Connect: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}})
	c.pause = time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	all := func(links ...string) map[string]Reason {
		t.Helper()
		var dead map[string]Reason // set before Eventually returns
		require.Eventually(t, func() (done bool) { dead, done = c.Dead(links); return done }, waittest.Hang, time.Millisecond)
		return dead
	}
	require.Empty(t, all("http://no-such.example/"), "nothing answered yet: perhaps we are offline")
	const shop = "http://shop.example"
	require.Equal(t, map[string]Reason{shop + "/gone": Gone, shop + "/nothing": Gone, shop + "/loop": Looping, shop + "/moved-away": Private, "http://inside.example/": Private, "ftp://shop.example": NoLink},
		all(shop+"/there", shop+"/gone", shop+"/nothing", shop+"/moved", shop+"/loop", shop+"/moved-away", shop+"/no-head", shop+"/shut", shop+"/down", "http://inside.example/", "ftp://shop.example"))
	require.Equal(t, map[string]Reason{"http://other.example/": NoHost}, all("http://other.example/"))
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Equal(t, 1, w.most)
	n := len(w.asked)
	require.Contains(t, w.asked, "GET shop.example/no-head")
	require.NotContains(t, w.asked, "GET shop.example/there", "HEAD is enough")
	_, done := c.Dead([]string{shop + "/gone", shop + "/there"})
	require.True(t, done)
	require.Len(t, w.asked, n, "it is known")
	mu.Lock()
	now = now.Add(2 * deadFor)
	mu.Unlock()
	dead, done := c.Dead([]string{shop + "/gone"})
	require.True(t, done, "what is known counts until it is known anew")
	require.Equal(t, map[string]Reason{shop + "/gone": Gone}, dead)
}
