package live_test

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/page/live"
	"faqbot/knowledge/waittest"
)

// A house serves one kind of stream, and counts those that ended.
type house struct {
	t      *testing.T
	hub    *live.Hub
	server *httptest.Server
	ended  chan error
}

func open(t *testing.T, s live.Stream) *house {
	h := &house{t: t, hub: live.NewHub(), ended: make(chan error, 10)}
	h.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ended <- h.hub.Serve(w, r, s) }))
	h.server.Config.ReadTimeout = 200 * time.Millisecond // which a stream outlives
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

// read opens the stream; each line that is not empty comes through.
func (h *house) read() <-chan string {
	res, err := http.Get(h.server.URL)
	require.NoError(h.t, err)
	require.Equal(h.t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
	lines := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			if scan.Text() != "" {
				lines <- scan.Text()
			}
		}
	}()
	h.t.Cleanup(func() { _ = res.Body.Close(); <-done })
	return lines
}

func (h *house) until(lines <-chan string, want string) {
	h.t.Helper()
	for {
		select {
		case line, ok := <-lines:
			require.True(h.t, ok, "the stream ended before %q", want)
			if strings.HasPrefix(line, want) {
				return
			}
		case <-time.After(waittest.Hang):
			h.t.Fatalf("no %q came", want)
		}
	}
}

func named(woken []string) (list []live.Event, err error) {
	for _, topic := range woken {
		list = append(list, live.Event{ID: 7, Name: topic, Data: "it"})
	}
	return list, nil
}

func always() bool { return true }

func TestStream(t *testing.T) {
	h := open(t, live.Stream{Topics: []string{"a", "b"}, News: named, Allowed: always, Beat: 50 * time.Millisecond})
	lines := h.read()
	for _, want := range []string{"retry: ", "id: 7", "event: a", "data: it", "event: b", ":", ":", ":", ":", ":", ":"} {
		h.until(lines, want)
	}
	h.hub.Wake("c", "b")
	h.until(lines, "event: b")
	h.hub.WakeAll()
	h.until(lines, "event: ")
	h.hub.Close()
	h.hub.Close()
	require.NoError(t, <-h.ended, "with the service")
	h.read()
	require.NoError(t, <-h.ended, "and none begins any more")
}

func TestStreamEnds(t *testing.T) {
	var signedOut atomic.Bool
	h := open(t, live.Stream{Topics: []string{"a"}, News: named, Allowed: func() bool { return !signedOut.Load() }, Beat: 50 * time.Millisecond})
	lines := h.read()
	h.until(lines, ":")
	signedOut.Store(true)
	require.NoError(t, <-h.ended, "with the session")

	broken := errors.New("broken")
	h = open(t, live.Stream{News: func([]string) ([]live.Event, error) { return nil, broken }, Allowed: always})
	h.read()
	require.ErrorIs(t, <-h.ended, broken)
}

// A stream that nobody wakes looks by itself.
func TestPoll(t *testing.T) {
	var looks atomic.Int64
	h := open(t, live.Stream{Topics: []string{"a"}, Allowed: always, Poll: 20 * time.Millisecond, News: func(woken []string) ([]live.Event, error) {
		if len(woken) == 0 && looks.Add(1) == 3 {
			return []live.Event{{Name: "news", Data: "{}"}}, nil
		}
		return nil, nil
	}})
	h.until(h.read(), "event: news")
}
