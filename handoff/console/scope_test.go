package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// Whatever belongs to another affiliate is not found, by any route.
func TestAnotherAffiliates(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	fill := strings.NewReplacer(":ticket", string(tk.ID), ":conversation", string(tk.Conversation))
	scoped := 0
	for _, r := range Routes() {
		path := fill.Replace(r.Path)
		if path == r.Path {
			continue
		}
		scoped++
		for _, who := range []string{"out", "off"} {
			got := o.do(who, r.Method, path, url.Values{"text": {"x"}, "key": {"k"}, "note": {"n"}, "over": {"1"}})
			require.Equal(t, http.StatusNotFound, got.status, "%s %s as %s", r.Method, path, who)
			require.NotContains(t, got.body, "ana")
		}
		if r.Method == http.MethodPost && strings.HasSuffix(path, "/forget") {
			continue // she would erase what the rest is about
		}
		require.NotEqual(t, http.StatusNotFound, o.do("lea", r.Method, path, url.Values{"key": {"k"}}).status, path)
	}
	require.Equal(t, 26, scoped)
	for _, query := range []string{"?ticket=" + string(tk.ID), "?conversation=" + string(tk.Conversation)} {
		require.Equal(t, http.StatusNotFound, o.get("out", "/desk/events"+query).status)
	}
	for _, path := range []string{"/desk", "/desk?show=closed", "/desk?of=acme", "/desk/list", "/desk/conversations", "/desk/conversations/list?of=acme", "/desk/conversations?q=human"} {
		got := o.get("out", path)
		require.Equal(t, http.StatusOK, got.status)
		require.NotContains(t, got.body, "ana<", path)
	}
	saw, err := o.desk.Ticket(t.Context(), tk.ID)
	require.NoError(t, err)
	require.NotEqual(t, "out", string(saw.Assignee))
}

// Whatever anybody can put into the database is text on every page, never markup.
func TestStoredMarkup(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k", "hello"))
	o.quiet(tk.Conversation)
	evil := func(field string) string { return `"'><img src=x onerror=alert(1)><script>` + field + `</script>` }
	list := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return string(b)
	}
	o.exec(`UPDATE conversations SET customer = $1, locale = $2, channel = $3, account = $4`, evil("customer"), evil("locale"), evil("channel"), evil("account"))
	o.exec(`UPDATE contacts SET first_ref = $1, last_ref = $2`, evil("first"), evil("last"))
	o.exec(`UPDATE messages SET body = $1 || seq, agent = $2, choices = $3, attachments = $4`, evil("body"), evil("agent"),
		list([]bot.Choice{{Label: evil("label"), Payload: evil("payload")}}),
		list([]bot.Attachment{{Kind: evil("kind"), Kept: "javascript:alert(1)", Link: "javascript:alert(2)", Name: evil("name"), Type: evil("type"), Size: 2}, {Kind: evil("kind2")}}))
	o.exec(`UPDATE messages SET status = 'failed' WHERE author = 'agent'`)
	o.exec(`UPDATE messages SET body = '', attachments = '', choice = $1 WHERE seq = 1`, evil("payload"))
	o.exec(`UPDATE tickets SET reason = $1, topic = $2, question = $3, queue = queue`, evil("reason"), evil("topic"), evil("question"))
	o.exec(`UPDATE turns SET action = 'answer', reason = $1, trace = $2`, evil("why"), list(bot.Trace{Query: evil("query"), Rule: evil("rule"), Space: evil("space"),
		Fallback: evil("fallback"), Hits: []bot.TraceHit{{Entry: "acme:" + "q<script>entry</script>", Wording: evil("wording"), Score: 7},
			{Entry: "gone", Wording: evil("gone")}, {Entry: "bolt:secret", Wording: "secret too"}}}))
	require.NoError(t, o.desk.Note(t.Context(), tk.ID, "ann", "", evil("note")+" javascript:alert(2) https://x.example/"+`"onmouseover="x`))
	o.exec(`INSERT INTO ticket_notes (ticket_id, key, agent, body, at) VALUES ($1, 'x', '', $2, 5)`, tk.ID, evil("system"))
	// An earlier ticket of the conversation.
	o.exec(`INSERT INTO tickets (id, escalation, conversation_id, affiliate, queue, state, reason, topic, question, locale, tried, assignee, opened_at, due_at, waiting_since, outcome)
		VALUES ($1, 'e0', $2, 'acme', 'acme', 'closed', 'x', '', $3, '', '[]', $4, 1, 1, 0, $5)`, evil("id"), tk.Conversation, evil("earlier"), evil("who"), evil("outcome"))

	for _, path := range []string{"/desk", "/desk/list", "/desk?show=closed", "/desk/tickets/" + string(tk.ID), "/desk/tickets/" + string(tk.ID) + "/said?seen=1",
		"/desk/tickets/" + string(tk.ID) + "/close", "/desk/tickets/" + string(tk.ID) + "/hand-back", "/desk/conversations", "/desk/conversations?q=" + url.QueryEscape("<script>"),
		"/desk/conversations/" + string(tk.Conversation), "/desk/conversations/" + string(tk.Conversation) + "/said",
		"/desk?of=" + url.QueryEscape(evil("of")), "/desk/list?current=" + url.QueryEscape(evil("current")), "/desk/conversations?at=" + url.QueryEscape(evil("at"))} {
		got := o.get("ann", path)
		require.Equal(t, http.StatusOK, got.status, path)
		require.NotContains(t, got.body, "<img src=x", path)
		require.NotContains(t, got.body, "secret", path)
		got.page.each(func(n *node) {
			if n.tag == "script" {
				require.Empty(t, strings.TrimSpace(n.text()), "%s: an inline script", path)
			}
			for name, value := range n.attr {
				require.False(t, strings.HasPrefix(name, "on") || name == "style", "%s: %s=%q on %s", path, name, value, n.tag)
				if name == "href" || name == "src" || name == "action" || name == "hx-get" {
					require.NotContains(t, strings.ToLower(value), "javascript:", path)
				}
			}
		})
	}
	page := o.get("ann", "/desk/tickets/"+string(tk.ID)).page
	all := page.text()
	for _, field := range []string{"customer", "locale", "first", "last", "account", "channel", "body", "agent", "label", "name", "kind2", "topic", "why", "query", "rule", "space",
		"fallback", "entry", "wording", "gone", "note", "system", "earlier"} {
		require.Contains(t, all, "<script>"+field+"</script>", "%s is shown, as text", field)
	}
	link := page.one(t, ".note .said a")
	require.Equal(t, []string{"https://x.example/", "noopener noreferrer nofollow"}, []string{link.attr["href"], link.attr["rel"]})
	require.Contains(t, all, "An entry of another affiliate")
}

func TestSegments(t *testing.T) {
	for text, want := range map[string][]segment{
		"":                               nil,
		"plain":                          {{Text: "plain"}},
		"see https://a.example/x?y=1&z.": {{Text: "see "}, {Text: "https://a.example/x?y=1&z", Href: "https://a.example/x?y=1&z"}, {Text: "."}},
		"(http://a.example/b_(c))":       {{Text: "("}, {Text: "http://a.example/b_(c)", Href: "http://a.example/b_(c)"}, {Text: ")"}},
		"javascript:alert(1)":            {{Text: "javascript:alert(1)"}},
		"xhttps://a.example":             {{Text: "xhttps://a.example"}},
		"HTTPS://A.example!":             {{Text: "HTTPS://A.example", Href: "HTTPS://A.example"}, {Text: "!"}},
		"https://%zz and":                {{Text: "https://%zz"}, {Text: " and"}},
		"http://a.example\"onclick=x":    {{Text: "http://a.example", Href: "http://a.example"}, {Text: "\"onclick=x"}},
		"https://...":                    {{Text: "https://"}, {Text: "..."}},
	} {
		require.Equal(t, want, segments(text), text)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 min", 59 * time.Minute: "59 min", 61 * time.Minute: "1 h 1 min", 49 * time.Hour: "2 d 1 h"} {
		require.Equal(t, want, english(t).span(d))
	}
}

func TestRepeated(t *testing.T) {
	said := []bot.Message{{Author: bot.AuthorAgent, Agent: "ann", Text: "ok"}, {Author: bot.AuthorCustomer, Text: "what?"}, {Author: bot.AuthorAgent, Agent: "ann", Text: "one more"},
		{Author: bot.AuthorAgent, Agent: "ann", Text: "thing"}, {Author: bot.AuthorAgent, Agent: "bob", Text: "hello"}}
	for text, want := range map[string]bool{"ok": true, " one more\n\nthing ": true, "ok then": false, "o": false, "hello": false, "what?": false, "": false} {
		require.Equal(t, want, repeated(said, "ann", text), text)
	}
}
