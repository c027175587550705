// Package graphtest is a fake of Meta's Graph API and of the customers on WhatsApp, Messenger and
// Instagram behind it. Tests and the crash and load programs run it in their own process against a
// real server. It checks what the real one checks, refuses with its codes, and posts signed webhooks
// as shuffled, repeated and early as the real one; it is not for looking at how anything renders.
package graphtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// bodyMost bounds a call's body without its file, in bytes.
const bodyMost = 1 << 20

// Kinds of accounts.
const (
	WhatsApp  = "whatsapp"
	Messenger = "messenger"
	Instagram = "instagram"
)

// A Server is a fake Graph API with one or more accounts. It is safe for concurrent use.
type Server struct {
	mu            sync.Mutex
	accounts      map[string]*Account     // by ID
	subscriptions map[string]subscription // by app and object
	client        *http.Client            // posts to webhooks
	ctx           context.Context         // ends when the server closes: its own work has no other caller
	stop          context.CancelFunc
	running       sync.WaitGroup
	http          *http.Server
	listener      net.Listener
}

// New returns a Server without accounts.
func New() *Server {
	ctx, stop := context.WithCancel(context.Background())
	return &Server{accounts: map[string]*Account{}, subscriptions: map[string]subscription{}, ctx: ctx, stop: stop, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Start serves on a free port of 127.0.0.1. A Server that is mounted elsewhere as a handler needs none.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the fake Graph API: %w", err)
	}
	s.listener = l
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return s.ctx }}
	s.running.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.stop()
		}
	})
	return nil
}

// URL is the API base to configure: "http://127.0.0.1:PORT".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends everything that the server began and waits for it.
func (s *Server) Close() error {
	s.stop()
	var err error
	if s.http != nil {
		err = s.http.Close()
	}
	s.running.Wait()
	s.client.CloseIdleConnections()
	return err
}

// Add makes an account known. Its webhook is told later, by Account.Hook.
func (s *Server) Add(o AccountOptions) *Account {
	a := newAccount(s, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[o.ID] = a
	return a
}

// Account is the account of an ID, nil if there is none.
func (s *Server) Account(id string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[id]
}

// accountFor is the account that a call's path and token name; "me" is the token's own.
func (s *Server) accountFor(id, token string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.o.Token == token && (id == a.o.ID || id == a.o.Business || id == "me") {
			return a
		}
	}
	return nil
}

// accountOf is an account with that token, nil if nobody has it.
func (s *Server) accountOf(token string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.o.Token == token {
			return a
		}
	}
	return nil
}

// A refusal is an answer with an error.
type refusal struct {
	status, code, subcode int
	message               string
	transient             bool
	retryAfter            int // seconds
}

func bad(code int, format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, message: fmt.Sprintf("(#%d) ", code) + fmt.Sprintf(format, args...)}
}

func badToken() *refusal {
	return &refusal{status: http.StatusUnauthorized, code: 190, message: "Invalid OAuth access token - Cannot parse access token"}
}

// ServeHTTP serves /v{N}.0/…, and files at /media/… to whoever has a token and at /cdn/… to whoever has
// the address.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, "/cdn/"); ok {
		s.serveCDN(w, r, id)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.URL.Query().Get("access_token")
	}
	b, err := read(w, r)
	if err != nil {
		refuse(w, bad(100, "the body could not be read: %v", err))
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if strings.Contains(token, "|") {
		s.serveApp(w, r, token, parts, b.json)
		return
	}
	known := s.accountOf(token)
	if known == nil {
		refuse(w, badToken())
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/media/"); ok {
		known.serveFile(w, id)
		return
	}
	if len(parts) < 2 || len(parts) > 3 || !strings.HasPrefix(parts[0], "v") {
		refuse(w, bad(2500, "Unknown path components: %s", r.URL.Path))
		return
	}
	edge := ""
	if len(parts) == 3 {
		edge = parts[2]
	}
	a := s.accountFor(parts[1], token)
	if a == nil && edge == "" && r.Method == http.MethodGet {
		known.serveObject(w, r, parts[1])
		return
	}
	if a == nil {
		refuse(w, &refusal{status: http.StatusBadRequest, code: 100, subcode: 33,
			message: "Unsupported request. Object with ID '" + parts[1] + "' does not exist, cannot be loaded due to missing permissions"})
		return
	}
	a.serve(w, r, edge, b)
}

func refuse(w http.ResponseWriter, f *refusal) {
	e := map[string]any{"message": f.message, "type": "OAuthException", "code": f.code, "fbtrace_id": "Fake"}
	if f.subcode != 0 {
		e["error_subcode"] = f.subcode
	}
	if f.transient {
		e["is_transient"] = true
	}
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(f.retryAfter))
	}
	write(w, f.status, map[string]any{"error": e})
}

func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	// An error means that the caller has gone.
	_ = json.NewEncoder(w).Encode(answer)
}
