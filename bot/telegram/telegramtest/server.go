// Package telegramtest is a fake Telegram: the Bot API on one side, customers on the other. Tests
// and the crash and load programs run it in their own process against a real server. It checks what
// the real one checks and refuses in the real one's words; it is not for looking at how Telegram
// renders anything.
package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bodyMost bounds a call's body, in bytes.
const bodyMost = uploadMost + 1<<20

// A Server is a fake Telegram with one or more bots. Its own methods besides Start, Close, URL, Token
// and ServeHTTP are those of its first bot. It is safe for concurrent use.
type Server struct {
	*Bot
	bots     map[string]*Bot // by token
	client   *http.Client    // posts to webhooks
	wake     chan struct{}   // some bot has queues to deliver
	stop     context.CancelFunc
	running  sync.WaitGroup
	http     *http.Server
	listener net.Listener
}

// New returns a Server that knows the bots of tokens, each "NUMBER:LETTERS". At least one is needed.
func New(token string, more ...string) *Server {
	s := &Server{bots: map[string]*Bot{}, wake: make(chan struct{}, 1)}
	s.client = &http.Client{
		Timeout:       60 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, t := range append([]string{token}, more...) {
		s.bots[t] = newBot(s, t)
	}
	s.Bot = s.bots[token]
	return s
}

// Start serves on a free port of 127.0.0.1 and begins to deliver.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the fake Telegram: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.listener, s.stop = l, stop
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	s.running.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			stop()
		}
	})
	s.running.Go(func() { s.dispatch(ctx) })
	return nil
}

// dispatch has queues delivered, each by a worker of its own, until ctx ends and all workers have.
func (s *Server) dispatch(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	for {
		for _, b := range s.bots {
			for _, q := range b.due() {
				workers.Go(func() { b.deliver(ctx, q) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
	}
}

// URL is the API base to configure: "http://127.0.0.1:PORT".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Token is the bot of token, nil if there is none.
func (s *Server) Token(token string) *Bot { return s.bots[token] }

// Close ends everything that Start began and waits for it.
func (s *Server) Close() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	err := s.http.Close()
	s.running.Wait()
	s.client.CloseIdleConnections()
	return err
}

// A refusal is an answer with ok false.
type refusal struct {
	code        int
	description string
	retryAfter  int   // seconds
	migrateTo   int64 // chat
}

func bad(format string, args ...any) *refusal {
	return &refusal{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

// ServeHTTP serves /bot{token}/{method} and /file/bot{token}/{path}.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok && r.Method == http.MethodGet {
		s.serveFile(w, rest)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, cut := strings.Cut(rest, "/")
	number, _, colon := strings.Cut(token, ":")
	if _, err := strconv.ParseInt(number, 10, 64); !ok || !cut || !colon || err != nil {
		refuse(w, &refusal{code: http.StatusNotFound, description: "Not Found"})
		return
	}
	b := s.bots[token]
	if b == nil {
		refuse(w, &refusal{code: http.StatusUnauthorized, description: "Unauthorized"})
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		refuse(w, &refusal{code: http.StatusMethodNotAllowed, description: "Method Not Allowed"})
		return
	}
	p, err := parse(w, r)
	if err != nil {
		refuse(w, bad("can't parse the request: %v", err))
		return
	}
	b.serve(w, r, strings.ToLower(method), p)
}

func refuse(w http.ResponseWriter, f *refusal) {
	answer := map[string]any{"ok": false, "error_code": f.code, "description": f.description}
	parameters := map[string]any{}
	if f.retryAfter > 0 {
		parameters["retry_after"] = f.retryAfter
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.migrateTo != 0 {
		parameters["migrate_to_chat_id"] = f.migrateTo
	}
	if len(parameters) > 0 {
		answer["parameters"] = parameters
	}
	write(w, f.code, answer)
}

func write(w http.ResponseWriter, status int, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error means that the caller has gone.
	_ = json.NewEncoder(w).Encode(answer)
}

// params are a call's parameters as text; structures are JSON.
type params map[string]string

func (p params) number(name string) int64 {
	n, _ := strconv.ParseInt(p[name], 10, 64)
	return n
}

// parse reads parameters from the query and from a JSON, urlencoded or multipart body. The body is
// read to its end, so that the request's context ends when the caller goes.
func parse(w http.ResponseWriter, r *http.Request) (params, error) {
	p := params{}
	add := func(values url.Values) {
		for name, list := range values {
			p[name] = list[0]
		}
	}
	add(r.URL.Query())
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMost))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if len(body) == 0 { // the library sends "multipart" with nothing in it
		return p, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, errors.New("content type")
	}
	switch kind {
	case "application/json":
		return p, p.addJSON(body)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(bodyMost); err != nil {
			return nil, errors.New("multipart")
		}
		add(r.MultipartForm.Value)
		return p, p.addFiles(r.MultipartForm)
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return nil, errors.New("form")
		}
		add(r.PostForm)
	}
	return p, nil
}

func (p params) addJSON(body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return errors.New("JSON")
	}
	for name, raw := range fields {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			p[name] = text
		} else {
			p[name] = string(raw)
		}
	}
	return nil
}
