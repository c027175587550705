package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"faqbot/bot/telegram/telegramtest"
)

// A telegram is the fake Telegram.
type telegram struct {
	mode   string
	server *telegramtest.Server
}

func newTelegram(mode string) (telegram, error) {
	t := telegram{mode, telegramtest.New(accountToken)}
	t.server.SetDuplicate(25)
	return t, t.server.Start()
}

func (t telegram) close() error { return t.server.Close() }

func (t telegram) config(base string) string {
	return fmt.Sprintf("channel = \"telegram\"\ntoken = %q\nsecret = %q\napi_base = %q\nmode = %q\n", accountToken, accountSecret, base, t.mode)
}

// updateName is what the service calls an update.
func updateName(id int64) string { return "u" + strconv.FormatInt(id, 10) }

func (t telegram) say(chat int64, text string) string { return updateName(t.server.Say(chat, text)) }

func (t telegram) edit(chat int64, event, text string) string {
	id, _ := strconv.ParseInt(strings.TrimPrefix(event, "u"), 10, 64)
	return updateName(t.server.Edit(chat, id, text))
}

func (t telegram) tap(chat int64, m arrival, payload string) string {
	id, _ := strconv.ParseInt(m.ID, 10, 64)
	return updateName(t.server.Tap(chat, id, payload))
}

func (t telegram) waitSent(ctx context.Context, chat int64, n int) (int, error) {
	list, err := t.server.WaitSent(ctx, chat, n)
	return len(list), err
}

func (t telegram) sent(chat int64) (list []arrival) {
	for _, m := range t.server.Sent(chat) {
		a := arrival{ID: strconv.FormatInt(m.ID, 10), Chat: chat, Text: m.Text, At: m.At}
		for _, b := range m.Buttons {
			a.Payloads = append(a.Payloads, b.Data)
		}
		list = append(list, a)
	}
	return list
}

func (t telegram) accepted() (list []accepted) {
	for _, a := range t.server.Accepted() {
		list = append(list, accepted{updateName(a.UpdateID), a.At})
	}
	return list
}

func (t telegram) pending() int { return t.server.Pending() }

func (t telegram) odd() []string {
	if n := t.server.AnswersWithBody(); n > 0 {
		return []string{fmt.Sprintf("%d webhook calls were answered with a body", n)}
	}
	return nil
}

func (t telegram) call(n *network, life int, w http.ResponseWriter, r *http.Request, body []byte) {
	method := strings.ToLower(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	if method == "sendmessage" && n.at(sendArrived) || method == "getupdates" && confirms(body) && n.at(pollUnsaid) {
		return
	}
	a := answered(t.server, r)
	switch method {
	case "sendmessage":
		if id := messageIn(a.body.Bytes()); id != 0 {
			n.sent(life, strconv.FormatInt(id, 10))
		}
		n.at(sendReceived)
		a.to(w)
		n.at(sendAnswered)
	case "sendchataction":
		n.at(typingShown)
		a.to(w)
	case "getupdates":
		var updates []string
		if r.Context().Err() == nil {
			updates = updatesIn(a.body.Bytes())
			n.offer(updates)
		}
		a.to(w)
		if len(updates) > 0 {
			n.at(pollOffered)
		}
	default:
		a.to(w)
	}
}

// confirms reports whether a getUpdates call confirms updates.
func confirms(call []byte) bool {
	var p struct {
		Offset int64 `json:"offset"`
	}
	return json.Unmarshal(call, &p) == nil && p.Offset > 0
}

// messageIn is the message that the network says it has sent, 0 if it refused.
func messageIn(said []byte) int64 {
	var a struct {
		Result struct {
			ID int64 `json:"message_id"`
		} `json:"result"`
	}
	_ = json.Unmarshal(said, &a) // a refusal has no result
	return a.Result.ID
}

// updatesIn are the updates that a getUpdates call is answered with.
func updatesIn(said []byte) (names []string) {
	var a struct {
		Result []struct {
			ID int64 `json:"update_id"`
		} `json:"result"`
	}
	_ = json.Unmarshal(said, &a) // a refusal has no result
	for _, u := range a.Result {
		names = append(names, updateName(u.ID))
	}
	return names
}

func (t telegram) updates(body []byte) []string {
	var u struct {
		ID int64 `json:"update_id"`
	}
	_ = json.Unmarshal(body, &u) // the network posts nothing else
	return []string{updateName(u.ID)}
}
