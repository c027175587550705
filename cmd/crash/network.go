package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A point is a place on the wire between the service and the network at which a trap can be laid.
type point string

const (
	sendArrived  point = "send arrived"      // the network got a message to send and loses it
	sendReceived point = "send received"     // the customer has the message, the service may not know
	sendAnswered point = "send answered"     // the service is being told so
	typingShown  point = "typing shown"      // also the probe before a repeat
	called       point = "any call"          // of the service to the network, before it is carried out
	posted       point = "posted"            // a webhook call is on its way to the service
	acceptUnsaid point = "accepted, unheard" // the service said 2xx, the network does not hear it
	acceptSaid   point = "accepted"          // the service said 2xx, the network is being told so
	pollOffered  point = "poll offered"      // updates are on their way to the service
	pollUnsaid   point = "poll, unheard"     // the service confirms updates, the network does not hear it
)

// held reports whether whoever comes to p waits there until the service is dead.
func (p point) held() bool {
	switch p {
	case sendAnswered, posted, acceptSaid, pollOffered:
		return false
	}
	return true
}

// A trap waits for the nth that comes to its point.
type trap struct {
	point point
	nth   int
	hit   chan struct{} // closed when it came
	dead  chan struct{} // closed when the service is dead
}

// A fake is a messaging network with its customers.
type fake interface {
	crowd
	record
	wire
}

// A crowd is what customers do on a network and see of it.
type crowd interface {
	say(chat int64, text string) (event string)
	edit(chat int64, event, text string) (edit string)
	tap(chat int64, m arrival, payload string) (event string)
	waitSent(ctx context.Context, chat int64, n int) (count int, err error)
}

// A record is what can be asked of a network afterwards. Events have the IDs that the service stores.
type record interface {
	sent(chat int64) []arrival // in order
	accepted() []accepted
	pending() int
	odd() []string
}

// A wire is what passes between a network and the service.
type wire interface {
	// config is the account's part of the configuration, for a life that calls the network at base.
	config(base string) string
	// call carries out a call of the service's. Which life made it is known.
	call(n *network, life int, w http.ResponseWriter, r *http.Request, body []byte)
	// updates names what body, which the network posted, tells of.
	updates(body []byte) []string
	close() error
}

// An accepted is an event that the network knows to have been taken.
type accepted struct {
	Event string
	At    time.Time
}

// A network is a fake and both wires to it. Each life of the service calls it under an address of its
// own, so what was sent is known by the life that sent it.
type network struct {
	fake     fake
	servers  []*http.Server
	running  sync.WaitGroup
	client   *http.Client
	apiURL   string
	hooksURL string

	mu      sync.Mutex
	service string         // where the service listens, "" while it does not
	trap    *trap          // nil if none is laid
	lives   map[string]int // by the ID of a message that the service sent
	offered map[string]int // how often an update was taken by the service, or handed to it, by its name
}

// startNetwork starts the network for a mode.
func startNetwork(ctx context.Context, mode string) (*network, error) {
	n := &network{lives: map[string]int{}, offered: map[string]int{},
		client: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	var err error
	if n.apiURL, err = n.serve(ctx, n.api); err == nil {
		n.hooksURL, err = n.serve(ctx, n.hook)
	}
	if err == nil && (mode == modeWhatsApp || mode == modeMessenger) {
		n.fake = newGraph(mode, n.hooksURL) // it lives until close, not until ctx ends
	} else if err == nil {
		n.fake, err = newTelegram(mode) // likewise
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// serve serves handle on a free port until close and returns its address.
func (n *network) serve(ctx context.Context, handle http.HandlerFunc) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	s := &http.Server{Handler: handle, ReadHeaderTimeout: 10 * time.Second}
	n.servers = append(n.servers, s)
	n.running.Go(func() { _ = s.Serve(l) }) // it ends when close closes it
	return "http://" + l.Addr().String(), nil
}

func (n *network) close() error {
	var err error
	for _, s := range n.servers {
		err = errors.Join(err, s.Close())
	}
	if n.fake != nil {
		err = errors.Join(err, n.fake.close())
	}
	n.running.Wait()
	n.client.CloseIdleConnections()
	return err
}

// connect says where the service listens from now on, "" that it is dead.
func (n *network) connect(service string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.service = service
}

// lay lays a trap in place of the one before.
func (n *network) lay(p point, nth int) *trap {
	t := &trap{point: p, nth: nth, hit: make(chan struct{}), dead: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trap = t
	return t
}

// lift takes t away, the service being dead, and lets go whoever waits in it.
func (n *network) lift(t *trap) {
	n.mu.Lock()
	if n.trap == t {
		n.trap = nil
	}
	n.mu.Unlock()
	close(t.dead)
}

// at is called by whoever comes to p. caught means that it was held and the service is dead now.
func (n *network) at(p point) (caught bool) {
	n.mu.Lock()
	t := n.trap
	if t == nil || t.point != p {
		n.mu.Unlock()
		return false
	}
	if t.nth--; t.nth > 0 {
		n.mu.Unlock()
		return false
	}
	n.trap = nil
	n.mu.Unlock()
	close(t.hit)
	if !p.held() {
		return false
	}
	<-t.dead // the caller's context may end sooner, but this must be sure of its death
	return true
}

// An answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// answered is what h answers r.
func answered(h http.Handler, r *http.Request) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(a, r)
	return a
}

func (a *answer) to(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the caller may be dead
	_ = http.NewResponseController(w).Flush()
}

// api takes the service's calls to the network, "/life/N/…".
func (n *network) api(w http.ResponseWriter, r *http.Request) {
	number, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/life/"), "/")
	life, err := strconv.Atoi(number)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // it died while it was calling
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.URL.Path, r.URL.RawPath = "/"+rest, ""
	if n.at(called) {
		return
	}
	n.fake.call(n, life, w, r, body)
}

// sent notes which life sent a message.
func (n *network) sent(life int, message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lives[message] = life
}

// offer notes that the service was told of updates, or took them.
func (n *network) offer(updates []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range updates {
		n.offered[u]++
	}
}

// hook passes a webhook call on to the service.
func (n *network) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n.mu.Lock()
	service := n.service
	n.mu.Unlock()
	if service == "" {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+service+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	req.Header = r.Header.Clone()
	n.at(posted)
	resp, err := n.client.Do(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	a := &answer{header: http.Header{}, status: resp.StatusCode}
	_, err = a.body.ReadFrom(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if a.status < 300 {
		n.offer(n.fake.updates(body))
		if n.at(acceptUnsaid) {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
	}
	a.to(w)
	if a.status < 300 {
		n.at(acceptSaid)
	}
}

// again is how often an update was offered that had been offered before.
func (n *network) again() (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, times := range n.offered {
		count += times - 1
	}
	return count
}

// life is which life of the service sent a message, 0 if none did.
func (n *network) life(message string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lives[message]
}
