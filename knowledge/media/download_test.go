package media

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A world is a TLS server that plays every host, with a resolver and a record of what was connected to.
type world struct {
	server *httptest.Server
	names  map[string][]string // host → addresses, one list for each time it is asked; the last stays
	dialed []string
	asked  map[string]int
}

func newWorld(t *testing.T, serve http.HandlerFunc) *world {
	w := &world{server: httptest.NewTLSServer(serve), names: map[string][]string{}, asked: map[string]int{}}
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) downloader(o DownloaderOptions) *Downloader {
	o.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		answers := w.names[host]
		if len(answers) == 0 {
			return nil, errors.New("no such host")
		}
		answer := answers[min(w.asked[host], len(answers)-1)]
		w.asked[host]++
		var list []netip.Addr
		for _, ip := range strings.Fields(answer) {
			list = append(list, netip.MustParseAddr(ip))
		}
		return list, nil
	}
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		w.dialed = append(w.dialed, address)
		return new(net.Dialer).DialContext(ctx, network, w.server.Listener.Addr().String())
	}
	o.Wrap = func(r http.RoundTripper) http.RoundTripper {
		tr := r.(*http.Transport)
		tr.TLSClientConfig = w.server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		tr.TLSClientConfig.InsecureSkipVerify = true // the test's server has one name for all
		tr.DisableKeepAlives = true
		return tr
	}
	return NewDownloader(o)
}

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(data)
}

func TestDownload(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			rw.WriteHeader(http.StatusGone)
		case "/busy":
			rw.WriteHeader(http.StatusTooManyRequests)
		default:
			_, _ = io.WriteString(rw, r.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		}
	})
	w.names["a.files.example"] = []string{"10.0.0.1 9.9.9.9"}
	d := w.downloader(DownloaderOptions{Hosts: []string{"files.example"}, Prepare: func(r *http.Request) { r.Header.Set("Authorization", "token") }})
	f, err := d.Open(t.Context(), "https://a.files.example/x?y=z")
	require.NoError(t, err)
	require.Equal(t, "a.files.example/x token", read(t, f))
	require.Equal(t, []string{"9.9.9.9:443"}, w.dialed, "the private one of its addresses is passed over")

	var refused *StatusError
	_, err = d.Open(t.Context(), "https://a.files.example/gone")
	require.ErrorAs(t, err, &refused)
	require.True(t, refused.Gone())
	_, err = d.Open(t.Context(), "https://a.files.example/busy")
	require.ErrorAs(t, err, &refused)
	require.False(t, refused.Gone())
	_, err = d.Open(t.Context(), "https://unknown.files.example/secret-token")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")

	w.dialed = nil
	for _, address := range []string{"https://elsewhere.example/x", "https://files.example.evil.example/", "https://notfiles.example/", "http://a.files.example/",
		"https://a.files.example:8443/", "https://user@a.files.example/", "file:///etc/passwd", "://", "https://127.0.0.1/"} {
		_, err := d.Open(t.Context(), address)
		require.ErrorIs(t, err, ErrHost, address)
	}
	require.Empty(t, w.dialed)
}

// No address of ours is connected to, by whatever name, and not the second time a name is asked either.
func TestDownloadStaysOutside(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, "x") })
	d := w.downloader(DownloaderOptions{Hosts: []string{"files.example"}})
	for _, ip := range []string{"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"} {
		w.names["h.files.example"] = []string{ip}
		_, err := d.Open(t.Context(), "https://h.files.example/")
		require.ErrorIs(t, err, ErrPrivate, ip)
	}
	require.Empty(t, w.dialed)

	// The name is public when it is checked and private when it is asked again: there is no second time.
	w.names["rebind.files.example"] = []string{"9.9.9.9", "127.0.0.1"}
	f, err := d.Open(t.Context(), "https://rebind.files.example/")
	require.NoError(t, err)
	require.Equal(t, "x", read(t, f))
	require.Equal(t, []string{"9.9.9.9:443"}, w.dialed)
	require.Equal(t, 1, w.asked["rebind.files.example"])
	_, err = d.Open(t.Context(), "https://rebind.files.example/")
	require.ErrorIs(t, err, ErrPrivate)
}

func TestDownloadRedirects(t *testing.T) {
	var to atomic.Value
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			_, _ = io.WriteString(rw, "x"+r.Header.Get("Authorization")+r.Header.Get("X-Token"))
			return
		}
		http.Redirect(rw, r, to.Load().(string), http.StatusFound)
	})
	w.names["a.files.example"], w.names["b.files.example"], w.names["in.files.example"] = []string{"9.9.9.9"}, []string{"9.9.9.8"}, []string{"192.168.0.1"}
	d := w.downloader(DownloaderOptions{Hosts: []string{"files.example"}, Prepare: func(r *http.Request) {
		if r.URL.Hostname() == "a.files.example" {
			r.Header.Set("Authorization", "token")
			r.Header.Set("X-Token", "token") // net/http takes only the first one away
		}
	}})
	to.Store("https://b.files.example/file")
	f, err := d.Open(t.Context(), "https://a.files.example/")
	require.NoError(t, err)
	require.Equal(t, "x", read(t, f), "the token stays with its host")
	for address, want := range map[string]error{"https://in.files.example/file": ErrPrivate, "http://169.254.169.254/latest/meta-data": ErrHost,
		"https://127.0.0.1/file": ErrHost, "http://a.files.example/file": ErrHost, "https://a.files.example/again": ErrHost} {
		to.Store(address)
		_, err := d.Open(t.Context(), "https://a.files.example/")
		require.ErrorIs(t, err, want, address)
	}
}

// The operator's own server may be anywhere.
func TestDownloadFromBase(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "x") }))
	t.Cleanup(s.Close)
	d := NewDownloader(DownloaderOptions{Base: s.URL})
	f, err := d.Open(t.Context(), s.URL+"/file/a")
	require.NoError(t, err)
	require.Equal(t, "x", read(t, f))
	_, err = d.Open(t.Context(), "http://127.0.0.1:1/file/a")
	require.ErrorIs(t, err, ErrHost)
}
