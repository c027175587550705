package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
)

const (
	graphAccount  = "4001"
	graphBusiness = "4002"
	graphApp      = "4003"
)

// A graph is the fake Graph API with one WhatsApp number or Messenger page. It gives our delivery's ID
// back, so nothing may arrive twice; what it says of messages comes in any order, twice, and before
// the answer to the call that sent them.
type graph struct {
	kind    string
	server  *graphtest.Server
	account *graphtest.Account
}

func newGraph(kind, hooksURL string) graph {
	g := graph{kind: kind, server: graphtest.New()}
	g.account = g.server.Add(graphtest.AccountOptions{Kind: kind, ID: graphAccount, Business: graphBusiness, AppID: graphApp,
		Token: graphToken, Secret: accountSecret})
	g.account.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 9, Early: 4})
	g.account.Hook(hooksURL + "/hooks/" + bot.AccountKey(kind, accountID))
	return g
}

func (g graph) close() error { return g.server.Close() }

func (g graph) config(base string) string {
	text := fmt.Sprintf("channel = %q\ntoken = %q\nsecret = %q\nverify_token = \"v\"\napi_base = %q\n", g.kind, graphToken, accountSecret, base)
	if g.kind == graphtest.WhatsApp {
		return text + fmt.Sprintf("number_id = %q\nbusiness_id = %q\n", graphAccount, graphBusiness)
	}
	return text + fmt.Sprintf("page_id = %q\napp_id = %q\n", graphAccount, graphApp)
}

// customerOf is who writes in a chat: phone digits, or a page's ID for somebody.
func customerOf(chat int64) string { return strconv.FormatInt(chat, 10) }

func (g graph) say(chat int64, text string) string { return g.account.Say(customerOf(chat), text) }

func (g graph) edit(chat int64, event, text string) string {
	return g.account.Edit(customerOf(chat), event, text)
}

func (g graph) tap(chat int64, m arrival, payload string) string {
	for _, s := range g.account.Sent(customerOf(chat)) {
		for _, b := range s.Buttons {
			if s.ID == m.ID && b.Payload == payload {
				return g.account.Tap(customerOf(chat), m.ID, b)
			}
		}
	}
	panic("a tap on a button that is not there")
}

func (g graph) waitSent(ctx context.Context, chat int64, n int) (int, error) {
	list, err := g.account.WaitSent(ctx, customerOf(chat), n)
	return len(list), err
}

func (g graph) sent(chat int64) (list []arrival) {
	for _, m := range g.account.Sent(customerOf(chat)) {
		a := arrival{ID: m.ID, Chat: chat, Text: m.Text, At: m.At, Delivery: bot.DeliveryID(m.Opaque)}
		for _, b := range m.Buttons {
			a.Payloads = append(a.Payloads, b.Payload)
		}
		list = append(list, a)
	}
	return list
}

func (g graph) accepted() (list []accepted) {
	for _, a := range g.account.Accepted() {
		list = append(list, accepted(a))
	}
	return list
}

func (g graph) pending() int { return g.account.Pending() }

// fail has the Graph API answer f from now on, until ok.
func (g graph) fail(f graphtest.Fault) {
	g.account.ClearFaults()
	f.Times = -1
	g.account.Inject(f)
}

func (g graph) ok() { g.account.ClearFaults() }

func (g graph) odd() []string { return nil }

func (g graph) call(n *network, life int, w http.ResponseWriter, r *http.Request, body []byte) {
	var p struct {
		Status string `json:"status"`        // WhatsApp: read, with the sign that one types
		Action string `json:"sender_action"` // Messenger
	}
	_ = json.Unmarshal(body, &p) // a call without a body is none of these
	courtesy := p.Status != "" || p.Action != ""
	send := strings.HasSuffix(r.URL.Path, "/messages") && !courtesy
	if send && n.at(sendArrived) {
		return
	}
	a := answered(g.server, r)
	switch {
	case send:
		if id := sentIn(a.body.Bytes()); id != "" {
			n.sent(life, id)
		}
		n.at(sendReceived)
		a.to(w)
		n.at(sendAnswered)
	case courtesy:
		n.at(typingShown)
		a.to(w)
	default:
		a.to(w)
	}
}

// sentIn is the message that the network says it has sent, "" if it refused.
func sentIn(said []byte) string {
	var a struct {
		ID       string `json:"message_id"` // Messenger
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"` // WhatsApp
	}
	_ = json.Unmarshal(said, &a) // a refusal has neither
	if len(a.Messages) > 0 {
		return a.Messages[0].ID
	}
	return a.ID
}

// updates is the body itself: statuses have no names.
func (g graph) updates(body []byte) []string { return []string{string(body)} }
