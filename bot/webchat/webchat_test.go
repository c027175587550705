package webchat

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/dialogue"
	"faqbot/bot/inbound"
	"faqbot/bot/outbound"
	"faqbot/bot/store"
	"faqbot/bot/turns"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
	"faqbot/knowledge/waittest"
	"faqbot/retrieval"
)

const secret = "identity secret of shop"

// A shop is the whole service around the widget: a database, a bot that knows two answers, a desk
// that takes everything, and a web server.
type shop struct {
	t             *testing.T
	db            *sqldb.DB
	site          *Site
	server        *httptest.Server
	conversations *conversations.Service
	channels      map[string]*Channel
	accounts      *bot.Registry
	log           *lockedBuffer
	elsewhere     bot.Account // on telegram
	accept        func(context.Context, bot.Account, []bot.Event) error

	mu      sync.Mutex
	now     time.Time // shifts the limiters' clock
	staffed bool
	emails  []string
}

// telegram is another channel, to which links lead.
type telegram struct{}

func (telegram) Limits() bot.Limits { return bot.Limits{Text: 4096} }

func (telegram) Send(_ context.Context, _ bot.Address, id bot.DeliveryID, _ bot.Reply) (string, error) {
	return string(id), nil
}

func (telegram) Link(_ context.Context, _, ref string) (string, error) {
	return "https://t.me/acmebot?start=" + ref, nil
}

type option func(*Options, *SiteOptions)

func openShop(t *testing.T, options ...option) *shop {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	db := sqldbtest.Migrated(t, events.Schema(), store.Schema(), media.Schema())
	s := &shop{t: t, db: db, staffed: true, channels: map[string]*Channel{}, log: &lockedBuffer{}}
	log := logrus.New()
	log.SetOutput(s.log)
	accounts := bot.NewRegistry()
	s.accounts = accounts
	so := SiteOptions{Signer: vault.FixedSigner(bytes.Repeat([]byte("k"), 32)), Log: log, Now: s.clock, Media: media.NewStore(db, media.Options{}),
		Suggest: func(context.Context, bot.Account, string) []string { return []string{"How do I join?"} },
		Staffed: func(bot.Account) bool { s.mu.Lock(); defer s.mu.Unlock(); return s.staffed },
		Contact: func(_ context.Context, _ bot.ConversationID, email string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.emails = append(s.emails, email)
			return nil
		}}
	for _, id := range []string{"shop", "other"} {
		o := Options{Name: "Shop", Origins: []string{"https://shop.example", "https://*.shop.example"}, IdentitySecret: secret}
		for _, set := range options {
			set(&o, &so)
		}
		account := bot.Account{Channel: "webchat", ID: id, Affiliates: []knowledge.AffiliateID{"acme"}}
		c, err := New(account, o)
		require.NoError(t, err)
		accounts.Put(account, c)
		s.channels[id] = c
	}
	s.elsewhere = bot.Account{Channel: "telegram", ID: "acmebot", Affiliates: []knowledge.AffiliateID{"acme"}}
	accounts.Put(s.elsewhere, telegram{})
	store := store.New(db)
	phrases, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	courier := outbound.NewCourier(store, accounts, deaf{}, log, outbound.CourierOptions{})
	runner := turns.NewRunner(store, dialogue.NewEngine(answers{}, phrases, dialogue.DefaultPolicy()), accounts, log, turns.RunnerOptions{Poke: courier.Poke})
	linkKey := vault.FixedSigner([]byte("a key for links"))
	intake := inbound.NewIntake(store, accounts, log, inbound.IntakeOptions{Poke: runner.Poke, LinkKey: linkKey})
	s.conversations = conversations.New(store, accounts, conversations.Options{Poke: courier.Poke, LinkKey: linkKey})
	s.accept = intake.Accept
	so.Conversations, so.Accept, so.SignedOut = s.conversations, intake.Accept, s.conversations.VisitorsSignedOut
	s.site, err = NewSite(accounts, so)
	require.NoError(t, err)
	router := gin.New()
	require.NoError(t, router.SetTrustedProxies([]string{"127.0.0.1"})) // so that tests may say whence they come
	s.site.Register(router)
	s.server = httptest.NewUnstartedServer(router)
	s.server.Config.ReadTimeout, s.server.Config.WriteTimeout = 30*time.Second, 60*time.Second
	s.server.Config.RegisterOnShutdown(s.site.Close)
	s.server.Start()
	ctx, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{runner.Run, courier.Run, intake.Run} {
		g.Go(func() error { return run(ctx) })
	}
	t.Cleanup(func() { s.site.Close(); s.server.Close(); stop(); require.NoError(t, g.Wait()) })
	return s
}

// A lockedBuffer is written by the service's loops while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.IsZero() {
		return time.Now()
	}
	return s.now
}

// A deaf desk takes all news.
type deaf struct{}

func (deaf) Tell(context.Context, bot.DeskEvent) error { return nil }

// answers is a retriever: "join" is answered, "pay" asks back, the rest is not known.
type answers struct{}

func newEntry(id, question, answer string) knowledge.Entry {
	return knowledge.Entry{ID: knowledge.EntryID(id), Affiliate: "acme", Question: question, Answer: answer}
}

func (answers) Search(_ context.Context, q retrieval.Query) (retrieval.Result, error) {
	hit := func(id, question, answer string, p float64) retrieval.Hit {
		return retrieval.Hit{Entry: newEntry(id, question, answer), Score: p, Odds: 1}
	}
	switch {
	case strings.Contains(q.Text, "join"):
		return retrieval.Result{Hits: []retrieval.Hit{hit("join", "How do I join?", "Fill in https://shop.example/join (2 minutes).", .9)}}, nil
	case strings.Contains(q.Text, "pay"):
		return retrieval.Result{Hits: []retrieval.Hit{hit("when", "When am I paid?", "On the 5th.", .3), hit("how", "How am I paid?", "By bank.", .3)}}, nil
	}
	return retrieval.Result{}, nil
}

func (answers) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (answers) Entry(_ []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	return newEntry(string(id), "When am I paid?", "On the 5th."), true
}

// A browser is one visitor with the script: they keep the token and send it as a header.
type browser struct {
	s       *shop
	account string
	token   string
	ip      string
}

func (s *shop) browse(account string) *browser {
	s.t.Helper()
	_, body, _ := s.get("/chat/"+account, nil)
	return &browser{s: s, account: account, token: tokenIn(s.t, body), ip: "192.0.2.1"}
}

func tokenIn(t *testing.T, page string) string {
	t.Helper()
	found := regexp.MustCompile(`data-visitor="([^"]+)"`).FindStringSubmatch(page)
	require.Len(t, found, 2, page)
	return found[1]
}

func (s *shop) do(r *http.Request) (*http.Response, string) {
	s.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer, string(body)
}

func (s *shop) get(path string, header http.Header) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+path, nil)
	require.NoError(s.t, err)
	for k, v := range header {
		r.Header[k] = v
	}
	answer, body := s.do(r)
	return answer.StatusCode, body, answer.Header
}

func (b *browser) post(path string, fields url.Values, edit ...func(*http.Request)) (int, string, http.Header) {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.server.URL+"/chat/"+b.account+path, strings.NewReader(fields.Encode()))
	require.NoError(b.s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r, edit...)
}

func (b *browser) do(r *http.Request, edit ...func(*http.Request)) (int, string, http.Header) {
	b.s.t.Helper()
	r.Header.Set("Authorization", "Visitor "+b.token)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Forwarded-For", b.ip)
	for _, f := range edit {
		f(r)
	}
	answer, body := b.s.do(r)
	return answer.StatusCode, body, answer.Header
}

func key(n int) string { return "key-0000" + strconv.Itoa(n) }

func (b *browser) say(n int, text string) {
	b.s.t.Helper()
	status, body, _ := b.post("/messages", url.Values{"key": {key(n)}, "text": {text}})
	require.Equal(b.s.t, http.StatusOK, status, body)
}

func (b *browser) sendFile(n int, name, content string) (int, string) {
	b.s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(b.s.t, form.WriteField("key", key(n)))
	part, err := form.CreateFormFile("file", name)
	require.NoError(b.s.t, err)
	_, err = io.WriteString(part, content)
	require.NoError(b.s.t, err)
	require.NoError(b.s.t, form.Close())
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.server.URL+"/chat/"+b.account+"/messages", &body)
	require.NoError(b.s.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	status, text, _ := b.do(r)
	return status, text
}

// An event is one of a stream.
type event struct {
	ID, Name string
	Data     struct {
		Seq    int64
		Own    bool
		Text   string
		HTML   string
		Person bool
		Email  bool

		Visitor string
	}
}

// A feed is an open stream.
type feed struct {
	t      *testing.T
	body   io.ReadCloser
	read   *bufio.Reader
	header http.Header
	status int
}

func (b *browser) open(after int64, edit ...func(*http.Request)) *feed {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodGet, b.s.server.URL+"/chat/"+b.account+"/events?after="+strconv.FormatInt(after, 10), nil)
	require.NoError(b.s.t, err)
	r.Header.Set("Authorization", "Visitor "+b.token)
	r.Header.Set("X-Forwarded-For", b.ip)
	for _, f := range edit {
		f(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.s.t, err)
	f := &feed{t: b.s.t, body: answer.Body, read: bufio.NewReader(answer.Body), header: answer.Header, status: answer.StatusCode}
	b.s.t.Cleanup(func() { f.body.Close() })
	return f
}

// next reads the next event; false means that the stream has ended.
func (f *feed) next() (e event, ok bool) {
	for {
		line, err := f.read.ReadString('\n')
		if err != nil {
			return e, false
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.ID = value
		case "event":
			e.Name = value
		case "data":
			require.NoError(f.t, json.Unmarshal([]byte(value), &e.Data))
		case "":
			if e.Name != "" {
				return e, true
			}
		}
	}
}

// until reads events until one is as asked, and returns all of them.
func (f *feed) until(what string, ok func(event) bool) (list []event) {
	f.t.Helper()
	timer := time.AfterFunc(waittest.Hang, func() { f.body.Close() })
	defer timer.Stop()
	for {
		e, alive := f.next()
		require.True(f.t, alive, "the stream ended before: %s; so far %+v", what, list)
		list = append(list, e)
		if ok(e) {
			return list
		}
	}
}

func says(words string) func(event) bool {
	return func(e event) bool { return e.Name == "message" && strings.Contains(e.Data.HTML, words) }
}

// own is the first of events that the visitor said.
func own(events []event) string {
	for _, e := range events {
		if e.Data.Own {
			return e.Data.Text
		}
	}
	return ""
}
