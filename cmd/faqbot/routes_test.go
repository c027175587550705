package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// Who may go where. Every route is in this table, or the test fails.
const (
	forAll              = "everybody"
	forProgram          = "programs with a key or a secret" // no session helps
	forSignedIn         = "whoever is signed in"
	forAdmin            = "admins"
	forDesk             = "the desk"
	forDeskObject       = "the desk, if it is of their affiliate"
	forLead             = "leads and admins"
	forLeadObject       = "leads and admins, if it is of their affiliate"
	forDeskLead         = "the desk's leads and admins, if it is of their affiliate" // others of the desk do not learn that it is there
	forPortal           = "affiliates"
	forPortalObject     = "affiliates, if it is theirs"
	forLeadPortal       = "affiliates and leads"
	forLeadPortalObject = "affiliates and leads, if it is theirs"
	forVisitorObject    = "the visitor whose it is"
)

// access is the table: how every route that begins so is guarded; the longest beginning counts.
var access = map[string]string{
	"GET /": forAll, "GET /healthz": forAll, "GET /readyz": forAll, "GET /assets/": forAll,
	"GET /hooks/": forProgram, "GET /media/": forVisitorObject, "POST /hooks/": forProgram, "POST /api/": forProgram,
	"GET /sign-in": forAll, "POST /sign-in": forAll, "POST /sign-out": forAll, "GET /welcome/": forAll, "POST /welcome/": forAll,
	"GET /account": forSignedIn, "POST /account": forSignedIn,
	"GET /channels": forLead, "POST /channels": forLead, "GET /channels/add": forAdmin, "POST /channels/add": forAdmin,
	"GET /channels/:channel/:account": forLeadObject, "POST /channels/:channel/:account": forLeadObject,
	"POST /channels/:channel/:account/webhook": forAdmin, "POST /channels/:channel/:account/remove": forAdmin,
	"GET /start": forAdmin, "POST /start": forAdmin, "GET /affiliates": forAdmin, "POST /affiliates": forAdmin,
	"GET /people": forAdmin, "POST /people": forAdmin,
	"GET /desk": forDesk, "GET /desk/media/": forDeskObject,
	"GET /desk/tickets/": forDeskObject, "POST /desk/tickets/": forDeskObject,
	"GET /desk/conversations/:conversation": forDeskObject, "POST /desk/conversations/:conversation": forDeskObject,
	"GET /desk/conversations/:conversation/separate": forDeskLead, "POST /desk/conversations/:conversation/separate": forDeskLead,
	"GET /desk/conversations/:conversation/sign-out": forDeskLead, "POST /desk/conversations/:conversation/sign-out": forDeskLead,
	"GET /desk/conversations/:conversation/forget": forDeskLead, "POST /desk/conversations/:conversation/forget": forDeskLead,
	"GET /desk/conversations/:conversation/export": forDeskLead,
	"GET /partners": forLeadPortal, "GET /partners/~/": forPortal, "GET /partners/:affiliate/brand": forLeadPortalObject, "POST /partners/:affiliate/brand": forLeadPortalObject,
	"GET /partners/:affiliate": forPortalObject, "POST /partners/:affiliate": forPortalObject,
	"GET /figures": forLeadPortal, "GET /desk/figures": forLeadPortal,
	"GET /eval": forLeadPortal, "GET /eval/:affiliate": forLeadPortalObject, "POST /eval/:affiliate": forLeadPortalObject,
	"GET /faq/": forAll, "HEAD /faq/": forAll, "POST /faq/": forAll, "GET /robots.txt": forAll,
	"GET /chat/": forAll, "POST /chat/": forAll, "GET /chat/:account/media/": forVisitorObject,
}

func guardOf(route gin.RouteInfo) (kind string) {
	longest := -1
	for begin, k := range access {
		at := route.Method + " " + route.Path
		exact := at == begin
		if (exact || begin != "GET /" && strings.HasPrefix(at, begin)) && len(begin) > longest {
			kind, longest = k, len(begin)
		}
	}
	return kind
}

// A house is a service with two affiliates, people of every role, and something of acme's everywhere.
type house struct {
	t       *testing.T
	service *service
	server  *httptest.Server
	cookies map[string]string // by who
	params  *strings.Replacer
}

func newHouse(t *testing.T) *house {
	dir := t.TempDir()
	path := filepath.Join(dir, "faqbot.toml")
	require.NoError(t, os.WriteFile(path, []byte(`
[server]
public_url = "http://house.example"
[database]
dsn = "`+filepath.Join(dir, "faqbot.db")+`"
[[account]]
channel = "webchat"
id = "acme-chat"
affiliates = ["acme"]
[[account]]
channel = "telegram"
id = "acme-chat"
token = "1:A"
mode = "poll"
api_base = "http://127.0.0.1:9"
affiliates = ["acme"]
`), 0o600))
	sqldbtest.Copy(t, filepath.Join(dir, "faqbot.db"), schemas()...)
	c, err := loadConfig(path)
	require.NoError(t, err)
	log := logrus.New()
	log.SetOutput(io.Discard)
	s, err := newService(t.Context(), c, log, nil)
	require.NoError(t, err)
	h := &house{t: t, service: s, server: httptest.NewServer(s.routes()), cookies: map[string]string{"nobody": ""}}
	t.Cleanup(func() {
		s.pages.chat.Close()
		h.server.CloseClientConnections()
		h.server.Close()
		require.NoError(t, s.close())
	})
	for who, n := range map[string]people.Newcomer{
		"admin":           {Role: people.RoleAdmin, Affiliates: []knowledge.AffiliateID{knowledge.Everyone}},
		"lead":            {Role: people.RoleLead, Affiliates: []knowledge.AffiliateID{"acme"}},
		"agent":           {Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"acme"}},
		"affiliate":       {Role: people.RoleAffiliate, Affiliates: []knowledge.AffiliateID{"acme"}},
		"other agent":     {Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"other"}},
		"other lead":      {Role: people.RoleLead, Affiliates: []knowledge.AffiliateID{"other"}},
		"other affiliate": {Role: people.RoleAffiliate, Affiliates: []knowledge.AffiliateID{"other"}},
	} {
		n.Name = who
		require.NoError(t, addDemoPerson(t.Context(), s.directory, n))
		h.cookies[who], err = s.directory.SignIn(t.Context(), who, demoPassword, people.From{Remote: "127.0.0.1"})
		require.NoError(t, err)
	}
	h.furnish()
	return h
}

// furnish makes an upload, a revision, a conversation and a ticket of acme's.
func (h *house) furnish() {
	t, ctx := h.t, h.t.Context()
	corpus := knowledge.NewCorpus(h.service.db, time.Now)
	require.NoError(t, corpus.EnsureAffiliate(ctx, "acme"))
	require.NoError(t, corpus.EnsureAffiliate(ctx, "other"))
	data := []byte("id,question,answer\na,How do I get paid?,By transfer.\nb,Broken?,\n")
	rows, problems := faqfile.Parse("faq.csv", data, faqfile.Options{})
	u, err := corpus.Preview(ctx, knowledge.Upload{Affiliate: "acme", File: "faq.csv", Digest: knowledge.Digest(data), By: "affiliate", Problems: problems}, rows)
	require.NoError(t, err)
	_, err = corpus.Publish(ctx, u.ID, "affiliate")
	require.NoError(t, err)
	live, _, err := corpus.Published(ctx, "acme")
	require.NoError(t, err)
	address := bot.Address{Channel: "webchat", Account: "acme-chat", Customer: "v:someone"}
	account, _ := h.service.networks.accounts.Account("webchat/acme-chat")
	require.NoError(t, h.service.intake.Accept(ctx, account, []bot.Event{{Address: address, ExternalID: "1", At: time.Now(), Message: &bot.Inbound{Text: "hello",
		Attachments: []bot.Attachment{{Kind: "photo", Kept: strings.Repeat("a", 64)}}}}}))
	conv, err := h.service.conversations.Find(ctx, address)
	require.NoError(t, err)
	require.NoError(t, h.service.desk.Tell(ctx, bot.DeskEvent{Conversation: conv.ID, Seq: 1, At: time.Now(), Escalation: &bot.Escalation{ID: "e", Affiliate: "acme", Question: "hello"}}))
	list, err := h.service.desk.List(ctx, handoff.Filter{Affiliates: []knowledge.AffiliateID{"acme"}})
	require.NoError(t, err)
	require.Len(t, list, 1)
	h.params = strings.NewReplacer(":ticket", string(list[0].ID), ":conversation", string(conv.ID), ":affiliate", "acme", ":entry", string(live[0].ID), ":upload", string(u.ID),
		":revision", "1", ":account", "acme-chat", ":file", "faq.csv", "*file", "faqbot.css", ":change", "0", ":id", "x", ":kit", "newsletter", ":language", "en", ":key", "x", ":lock", "x", ":token", "x", ":channel", "telegram")
}

// status asks for a route as somebody and returns the answer's status and where it leads.
func (h *house) status(route gin.RouteInfo, who string) (int, string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), waittest.Hang)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, route.Method, h.server.URL+h.params.Replace(route.Path), nil)
	require.NoError(h.t, err)
	if cookie := h.cookies[who]; cookie != "" {
		req.AddCookie(&http.Cookie{Name: "faqbot", Value: cookie})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(h.t, err, "%s %s", route.Method, route.Path)
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Location")
}

// Every route, for every role, with an object of another affiliate.
func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	engine := h.service.routes().(*gin.Engine)
	insiders := map[string][]string{
		forSignedIn:   {"admin", "lead", "agent", "affiliate", "other agent", "other lead", "other affiliate"},
		forAdmin:      {"admin"},
		forDesk:       {"admin", "lead", "agent", "other agent", "other lead"},
		forLead:       {"admin", "lead", "other lead"},
		forLeadObject: {"admin", "lead"},
		forDeskLead:   {"admin", "lead"},
		forDeskObject: {"admin", "lead", "agent"},
		forPortal:     {"admin", "affiliate", "other affiliate"}, forPortalObject: {"admin", "affiliate"},
		forLeadPortal: {"admin", "lead", "affiliate", "other lead", "other affiliate"}, forLeadPortalObject: {"admin", "lead", "affiliate"},
	}
	strangers := map[string][]string{forDeskObject: {"other agent", "other lead"}, forLeadObject: {"other lead"}, forDeskLead: {"other agent", "other lead"}, forPortalObject: {"other affiliate"},
		forLeadPortalObject: {"other lead", "other affiliate"}} // right role, wrong affiliate
	for _, route := range engine.Routes() {
		kind := guardOf(route)
		require.NotEmpty(t, kind, "%s %s is not in the table of who may go where", route.Method, route.Path)
		if kind == forAll || route.Path == "/sign-out" {
			continue
		}
		for who := range h.cookies {
			if slices.Contains(insiders[kind], who) {
				continue // checked below, after everybody who must not
			}
			status, location := h.status(route, who)
			at := route.Method + " " + route.Path + " as " + who
			switch {
			case kind == forProgram || kind == forVisitorObject:
				require.Contains(t, []int{401, 403, 404, 405}, status, at)
			case who == "nobody":
				require.Equal(t, 303, status, at)
				require.Contains(t, location, "/sign-in", at)
			case slices.Contains(strangers[kind], who):
				require.Equal(t, 404, status, at)
			default:
				require.Equal(t, 403, status, at)
			}
		}
	}
	routes := engine.Routes()
	slices.SortStableFunc(routes, func(a, b gin.RouteInfo) int { // what erases the customer comes last
		return strings.Count(a.Path, "/forget") - strings.Count(b.Path, "/forget")
	})
	for _, route := range routes {
		for _, who := range insiders[guardOf(route)] {
			if strings.HasSuffix(route.Path, "/events") { // never ends
				continue
			}
			status, location := h.status(route, who)
			at := route.Method + " " + route.Path + " as " + who
			require.NotContains(t, []int{401, 403, 500}, status, at)
			require.NotContains(t, location, "/sign-in?", at)
		}
	}
}
