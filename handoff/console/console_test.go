package console

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
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
	"faqbot/handoff"
	"faqbot/handoff/bymail"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/attempts"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/events"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
	"faqbot/knowledge/waittest"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// An office is a whole desk over SQLite, with two affiliates' accounts and four people.
type office struct {
	t             *testing.T
	db            *sqldb.DB
	desk          *handoff.Desk
	conversations *conversations.Service
	intake        *inbound.Intake
	console       *Console
	url           string
	stop          func()
	audit         []string
	looks         atomic.Int64 // the watcher asks for the time at each
}

type network struct{}

func (network) Limits() bot.Limits { return bot.Limits{Text: 1000, Choices: 3, Label: 40} }

func (network) Send(_ context.Context, _ bot.Address, id bot.DeliveryID, r bot.Reply) (string, error) {
	if strings.Contains(r.Text, "undeliverable") {
		return "", &bot.SendError{Kind: bot.SendRefused, Code: "gone"}
	}
	return string(id), nil
}

// business is a network with a window, templates and links to it.
type business struct{ network }

func (business) Limits() bot.Limits {
	return bot.Limits{Text: 1000, Choices: 3, Label: 40, Window: 24 * time.Hour}
}

func (business) Link(_ context.Context, greeting, ref string) (string, error) {
	return "https://wa.example/?text=" + greeting + ref, nil
}

func (business) Templates(context.Context) ([]bot.Template, error) {
	return []bot.Template{
		{Name: "order_update", Language: "en", Text: "Hello {{1}}, about order {{2}}: may we write to you again?", Variables: []string{"1", "2"}},
		{Name: "sale", Language: "en", Text: "Everything must go.", Marketing: true},
		{Name: "pending", Language: "en", Text: "Not yet.", Problem: "WhatsApp has not approved it: pending"},
	}, nil
}

type nothing struct{}

func (nothing) Search(context.Context, retrieval.Query) (retrieval.Result, error) {
	return retrieval.Result{}, nil
}

func (nothing) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (nothing) Entry([]knowledge.AffiliateID, knowledge.EntryID) (knowledge.Entry, bool) {
	return knowledge.Entry{}, false
}

// english is somebody who reads English.
func english(t *testing.T) reader {
	t.Helper()
	texts, err := locale.Load("desk")
	require.NoError(t, err)
	return reader{Texts: texts.In("en")}
}

func folks() map[string]people.Person {
	return map[string]people.Person{
		"ann": {ID: "1", Name: "ann", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"acme"}},
		"bob": {ID: "2", Name: "bob", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"acme", "bolt"}},
		"lea": {ID: "3", Name: "lea", Role: people.RoleLead, Affiliates: []knowledge.AffiliateID{knowledge.Everyone}},
		"out": {ID: "4", Name: "out", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"bolt"}},
		"off": {ID: "5", Name: "off", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"acme"}, Disabled: true},
	}
}

// Two numbers on WhatsApp.
var (
	phone  = bot.Account{Channel: "whatsapp", ID: "acme-wa", Affiliates: []knowledge.AffiliateID{"acme"}}
	rivals = bot.Account{Channel: "whatsapp", ID: "bolt-wa", Affiliates: []knowledge.AffiliateID{"bolt"}}
)

func account(affiliate knowledge.AffiliateID) bot.Account {
	a := bot.Account{Channel: "test", ID: string(affiliate), Affiliates: []knowledge.AffiliateID{affiliate}}
	if affiliate == "" {
		a = bot.Account{Channel: "test", ID: "general", Affiliates: []knowledge.AffiliateID{knowledge.Everyone}}
	}
	return a
}

func open(t *testing.T) *office {
	t.Helper()
	t.Parallel()
	return openOn(t, sqldbtest.Migrated(t, schemas()...))
}

func schemas() []sqldb.Schema {
	return []sqldb.Schema{attempts.Schema(), events.Schema(), knowledge.Schema(), brand.Schema(), store.Schema(), handoff.Schema(), gaps.Schema(), learn.Schema(), cases.Schema(), mail.Schema(), bymail.Schema()}
}

func openOn(t *testing.T, db *sqldb.DB) *office {
	t.Helper()
	o := &office{t: t, db: db}
	log := logrus.New()
	log.SetOutput(t.Output())
	phrases, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	accounts := bot.NewRegistry()
	for _, a := range []knowledge.AffiliateID{"acme", "bolt", ""} {
		accounts.Put(account(a), network{})
	}
	for _, a := range []bot.Account{phone, rivals} {
		accounts.Put(a, business{})
	}
	store := store.New(o.db)
	linkKey := vault.FixedSigner([]byte("a key for links"))
	o.conversations = conversations.New(store, accounts, conversations.Options{LinkKey: linkKey})
	o.desk = handoff.NewDesk(o.db, o.conversations, phrases, log, nil)
	o.intake = inbound.NewIntake(store, accounts, log, inbound.IntakeOptions{LinkKey: linkKey})
	runner := turns.NewRunner(store, dialogue.NewEngine(nothing{}, phrases, dialogue.DefaultPolicy()), accounts, log, turns.RunnerOptions{})
	courier := outbound.NewCourier(store, accounts, o.desk, log, outbound.CourierOptions{})
	o.console, err = New(o.desk, o.conversations, Options{Log: log, Every: 10 * time.Millisecond, Beat: 20 * time.Millisecond, Now: func() time.Time { o.looks.Add(1); return time.Now() },
		Chrome: func(r *http.Request) page.Chrome { return page.Chrome{Who: r.Header.Get("X-Who")} },
		Who: func(r *http.Request) (people.Person, bool) {
			p, ok := folks()[r.Header.Get("X-Who")]
			return p, ok
		},
		Entry: func(_ context.Context, id knowledge.EntryID) (knowledge.Entry, error) {
			if a, q, ok := strings.Cut(string(id), ":"); ok {
				return knowledge.Entry{ID: id, Affiliate: knowledge.AffiliateID(a), Question: q}, nil
			}
			return knowledge.Entry{}, errors.New("no such entry")
		},
		Record: func(_ context.Context, _ people.PersonID, action people.Action, object string) error {
			o.audit = append(o.audit, string(action)+": "+object)
			return nil
		},
		Media: func(a bot.Attachment) string { return a.Kept },
	})
	require.NoError(t, err)
	gin.SetMode(gin.TestMode)
	r := gin.New()
	o.console.Register(r)
	server := httptest.NewServer(r)
	o.url = server.URL
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context) error{runner.Run, courier.Run, o.console.Run} {
		g.Go(func() error { return loop(ctx) })
	}
	t.Cleanup(func() { stop(); require.NoError(t, g.Wait()); server.Close() })
	return o
}

func (o *office) soon(what string, cond func() bool) {
	o.t.Helper()
	require.Eventually(o.t, cond, waittest.Hang, 5*time.Millisecond, what)
}

// say lets a customer of an affiliate's account write.
func (o *office) say(a knowledge.AffiliateID, customer, id, text string) {
	o.t.Helper()
	require.NoError(o.t, o.intake.Accept(o.t.Context(), account(a), []bot.Event{{Address: bot.Address{Channel: "test", Account: account(a).ID, Customer: customer},
		ExternalID: id, At: time.Now(), Message: &bot.Inbound{Text: text}}}))
}

// ticket lets a customer ask for a person and waits until all is said.
func (o *office) ticket(a knowledge.AffiliateID, customer string) (t handoff.Ticket) {
	o.t.Helper()
	o.say(a, customer, customer+"-1", "/human")
	o.soon("a ticket", func() bool {
		list, err := o.desk.List(o.t.Context(), handoff.Filter{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}})
		require.NoError(o.t, err)
		for _, t = range list {
			c, err := o.conversations.Get(o.t.Context(), t.Conversation)
			require.NoError(o.t, err)
			if c.Address.Customer == customer && c.Address.Account == account(a).ID {
				return true
			}
		}
		return false
	})
	o.quiet(t.Conversation)
	return t
}

// quiet waits until everything said has gone out.
func (o *office) quiet(id bot.ConversationID) {
	o.t.Helper()
	o.soon("quiet", func() bool {
		said, err := o.conversations.Transcript(o.t.Context(), id, 0)
		require.NoError(o.t, err)
		for _, m := range said {
			if m.Status == bot.StatusQueued || m.Author == bot.AuthorCustomer && m.Turn == "" {
				return false
			}
		}
		// The desk has heard it too: what it hears late would open a closed ticket again.
		conv, err := o.conversations.Get(o.t.Context(), id)
		require.NoError(o.t, err)
		heard, err := o.conversations.WithPerson(o.t.Context(), time.Now().Add(time.Hour))
		require.NoError(o.t, err)
		return conv.Mode == bot.ModeBot || slices.ContainsFunc(heard, func(c bot.Conversation) bool { return c.ID == id })
	})
}

func (o *office) conversation(a knowledge.AffiliateID, customer string) bot.Conversation {
	o.t.Helper()
	c, err := o.conversations.Find(o.t.Context(), bot.Address{Channel: "test", Account: account(a).ID, Customer: customer})
	require.NoError(o.t, err)
	return c
}

func (o *office) exec(query string, args ...any) {
	o.t.Helper()
	require.NoError(o.t, o.db.InTx(o.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(o.t.Context(), query, args...)
		return err
	}))
}

// An answer is what a browser got.
type answer struct {
	status   int
	location string
	header   http.Header
	body     string
	page     *node
}

func (o *office) do(who, method, path string, form url.Values) answer {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(form.Encode()))
	require.NoError(o.t, err)
	req.Header.Set("X-Who", who)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(o.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(o.t, err)
	a := answer{status: res.StatusCode, location: res.Header.Get("Location"), header: res.Header, body: string(body)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		a.page = parse(o.t, a.body)
	}
	return a
}

func (o *office) get(who, path string) answer {
	o.t.Helper()
	return o.do(who, http.MethodGet, path, nil)
}

// submit fills in a form of a page as a browser does without JavaScript, and posts it.
func (o *office) submit(who string, a answer, form string, more ...string) answer {
	o.t.Helper()
	f := a.page.one(o.t, form)
	values := url.Values{}
	a.page.each(func(n *node) {
		inside := n.inside(f) && n.attr["form"] == "" || n.attr["form"] != "" && n.attr["form"] == f.attr["id"]
		if inside && n.attr["name"] != "" && (n.tag == "input" || n.tag == "textarea") {
			value := n.attr["value"]
			if n.tag == "textarea" {
				value = strings.TrimPrefix(n.text(), "\n")
			}
			values.Set(n.attr["name"], value)
		}
	})
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return o.do(who, http.MethodPost, f.attr["action"], values)
}

// A node is an element of a parsed page.
type node struct {
	tag    string
	attr   map[string]string
	parent *node
	parts  []any // *node or string
}

// parse reads HTML as our templates write it.
func parse(t *testing.T, text string) *node {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := &node{}
	at := root
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{tag: token.Name.Local, attr: map[string]string{}, parent: at}
			for _, a := range token.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			at.parts = append(at.parts, n)
			at = n
		case xml.EndElement:
			at = at.parent
		case xml.CharData:
			at.parts = append(at.parts, string(token))
		}
	}
}

func (n *node) each(do func(*node)) {
	for _, p := range n.parts {
		if child, ok := p.(*node); ok {
			do(child)
			child.each(do)
		}
	}
}

func (n *node) text() string {
	var b strings.Builder
	for _, p := range n.parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case *node:
			b.WriteString(p.text())
		}
	}
	return b.String()
}

func (n *node) inside(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

// matches understands tag, #id, .class and [attribute=value], joined: "li.bubble", "form[action=/desk]".
func (n *node) matches(selector string) bool {
	rest := selector
	for rest != "" {
		end := strings.IndexAny(rest[1:], "#.[")
		part := rest
		if end >= 0 && rest[0] != '[' {
			part, rest = rest[:end+1], rest[end+1:]
		} else if rest[0] == '[' {
			end = strings.IndexByte(rest, ']')
			part, rest = rest[:end+1], rest[end+1:]
		} else {
			rest = ""
		}
		ok := n.tag == part
		switch part[0] {
		case '#':
			ok = n.attr["id"] == part[1:]
		case '.':
			ok = strings.Contains(" "+n.attr["class"]+" ", " "+part[1:]+" ")
		case '[':
			name, value, exact := strings.Cut(part[1:len(part)-1], "=")
			_, ok = n.attr[name]
			ok = ok && (!exact || n.attr[name] == value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// find returns the elements that a selector names; "a b" is b inside a.
func (n *node) find(selector string) (list []*node) {
	parts := strings.Fields(selector)
	n.each(func(m *node) {
		if !m.matches(parts[len(parts)-1]) {
			return
		}
		want := len(parts) - 2
		for up := m.parent; up != nil && want >= 0; up = up.parent {
			if up.tag != "" && up.matches(parts[want]) {
				want--
			}
		}
		if want < 0 {
			list = append(list, m)
		}
	})
	return list
}

func (n *node) one(t *testing.T, selector string) *node {
	t.Helper()
	list := n.find(selector)
	require.Len(t, list, 1, selector)
	return list[0]
}

func (n *node) words(selector string) (list []string) {
	for _, m := range n.find(selector) {
		list = append(list, strings.Join(strings.Fields(m.text()), " "))
	}
	return list
}

// listen opens the event stream and returns its events as they come.
func (o *office) listen(who, query string) <-chan string {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/desk/events"+query, nil)
	require.NoError(o.t, err)
	req.Header.Set("X-Who", who)
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(o.t, err)
	require.Equal(o.t, []any{http.StatusOK, "text/event-stream; charset=utf-8"}, []any{res.StatusCode, res.Header.Get("Content-Type")})
	events := make(chan string, 1000)
	var g errgroup.Group
	g.Go(func() error {
		defer close(events)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				events <- event
			} else if lines.Text() == ":" {
				events <- "beat"
			}
		}
		return nil
	})
	o.t.Cleanup(func() { cancel(); _ = g.Wait(); _ = res.Body.Close() })
	return events
}
