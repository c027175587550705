package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
)

// text lets a customer write on WhatsApp; edit may change the event.
func (o *office) text(customer, id, text string, edit func(*bot.Event)) bot.Conversation {
	o.t.Helper()
	e := bot.Event{Address: bot.Address{Channel: "whatsapp", Account: phone.ID, Customer: customer}, ExternalID: id, At: time.Now(), Message: &bot.Inbound{Text: text, NetworkID: id}}
	if edit != nil {
		edit(&e)
	}
	require.NoError(o.t, o.intake.Accept(o.t.Context(), phone, []bot.Event{e}))
	c, err := o.conversations.Find(o.t.Context(), e.Address)
	require.NoError(o.t, err)
	o.quiet(c.ID)
	return c
}

// An agent offers another channel, the customer goes on there, and the desk shows one timeline.
func TestOneTimelineOverTheChannels(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	path := "/desk/tickets/" + string(tk.ID)
	page := o.get("ann", path)
	require.Equal(t, []string{"WhatsApp"}, page.page.words(".ways button"), "not another affiliate's number")
	require.Empty(t, page.page.find(".identities"))
	invited := o.do("ann", http.MethodPost, path+"/invite", url.Values{"to": {"whatsapp/acme-wa"}, "text": {"Of course."}})
	require.Equal(t, http.StatusOK, invited.status)
	words := invited.page.one(t, "#words").text()
	require.Contains(t, words, "Of course.")
	require.Contains(t, words, "You can carry on in WhatsApp: https://wa.example/")
	require.Equal(t, http.StatusConflict, o.do("ann", http.MethodPost, path+"/invite", url.Values{"to": {"whatsapp/bolt-wa"}}).status)
	require.Equal(t, http.StatusSeeOther, o.submit("ann", invited, "#reply").status)

	o.quiet(tk.Conversation)
	old := o.get("ann", path)
	code := words[strings.Index(words, "l_"):]
	wa := o.text("49151", "w1", "Hi!", func(e *bot.Event) { e.Message.Ref = code[:32] })
	require.Equal(t, bot.ModePerson, wa.Mode)
	o.soon("the ticket follows", func() bool {
		t, err := o.desk.Ticket(o.t.Context(), tk.ID)
		return err == nil && t.Conversation == wa.ID
	})
	late := o.submit("ann", old, "#reply", "text", "written for the other channel")
	require.Equal(t, http.StatusConflict, late.status)
	require.Contains(t, late.page.words(".problem b"), "The customer went on in another channel while you were writing.")
	require.Equal(t, "\nwritten for the other channel", late.page.one(t, "#words").text())

	page = o.get("ann", path)
	said := page.page.words("#said .said")
	require.Contains(t, said, "/human", "what was said in the other channel")
	require.Contains(t, said, "Opened the link, and goes on here")
	require.Contains(t, page.page.words("#said .via"), "WhatsApp", "each message names its channel")
	require.Contains(t, page.page.words("#said .via"), "test")
	require.Contains(t, page.page.one(t, "#words").attr["placeholder"], "on WhatsApp")
	require.Equal(t, []string{"test: ana", "WhatsApp: 49151"}, page.page.words(".identities a[href]")[:2])
	require.Contains(t, page.page.words(".identities .muted")[1], "they opened the link that ann offered")

	answered := o.submit("ann", page, ".identities form")
	require.Equal(t, http.StatusSeeOther, answered.status)
	page = o.get("ann", answered.location)
	require.Contains(t, page.page.one(t, "#words").attr["placeholder"], "on test")
	require.Equal(t, http.StatusNoContent, o.get("ann", page.page.one(t, "#said").attr["hx-get"]).status, "nothing changed")
	o.text("49151", "w2", "and one more thing", nil)
	require.Contains(t, o.get("ann", page.page.one(t, "#said").attr["hx-get"]).page.words(".said"), "and one more thing", "the live part shows all channels")

	// Both ends of the customer lead to the whole of it.
	whole := o.get("ann", "/desk/conversations/"+string(wa.ID))
	require.Contains(t, whole.page.words("#said .said"), "/human")
}

// Leads and admins may say that two are not one customer.
func TestSeparate(t *testing.T) {
	o := open(t)
	a := o.text("49151", "w1", "hello", func(e *bot.Event) { e.Phone = "49151" })
	o.say("acme", "ana", "u1", "hello")
	require.NoError(t, o.intake.Accept(t.Context(), account("acme"), []bot.Event{{Address: bot.Address{Channel: "test", Account: "acme", Customer: "ana"}, ExternalID: "u2",
		At: time.Now(), Phone: "49151", Message: &bot.Inbound{Text: "my contact"}}}))
	o.quiet(o.conversation("acme", "ana").ID)
	path := "/desk/conversations/" + string(a.ID)
	require.Contains(t, o.get("ann", path).page.words(".identities .muted")[0]+o.get("ann", path).page.words(".identities .muted")[1], "the same phone number")
	require.NotContains(t, o.get("ann", path).body, "/separate")
	require.Equal(t, http.StatusForbidden, o.get("ann", path+"/separate").status)
	require.Equal(t, http.StatusForbidden, o.do("ann", http.MethodPost, path+"/separate", nil).status)

	ask := o.get("lea", path+"/separate")
	require.Contains(t, ask.page.words("h1")[0], "Separate 49151 on WhatsApp?")
	require.Equal(t, http.StatusSeeOther, o.submit("lea", ask, ".confirm form").status)
	require.Empty(t, o.get("lea", path).page.find(".identities"))
	require.NotContains(t, o.get("lea", path).page.words("#said .said"), "my contact")
	require.Equal(t, []string{"separate a customer: conversation " + string(a.ID)}, o.audit)
}

// Leads and admins may sign a chat's visitor out, whose token ends then.
func TestSignVisitorOut(t *testing.T) {
	o := open(t)
	o.say("acme", "ana", "u1", "hello") // on a network, which signs its people in itself
	elsewhere := "/desk/conversations/" + string(o.conversation("acme", "ana").ID)
	require.NotContains(t, o.get("lea", elsewhere).body, elsewhere+"/sign-out")
	require.Equal(t, http.StatusConflict, o.do("lea", http.MethodPost, elsewhere+"/sign-out", nil).status)

	chat := bot.Address{Channel: "webchat", Account: "shop", Customer: "v:SOMEBODY"}
	require.NoError(t, o.intake.Accept(t.Context(), bot.Account{Channel: "webchat", ID: "shop", Affiliates: []knowledge.AffiliateID{"acme"}},
		[]bot.Event{{Address: chat, ExternalID: "c1", At: time.Now(), Message: &bot.Inbound{Text: "hello"}}}))
	conv, err := o.conversations.Find(t.Context(), chat)
	require.NoError(t, err)
	path := "/desk/conversations/" + string(conv.ID)
	require.NotContains(t, o.get("ann", path).body, path+"/sign-out")
	require.Equal(t, http.StatusForbidden, o.do("ann", http.MethodPost, path+"/sign-out", nil).status)
	require.Contains(t, o.get("lea", path).body, path+"/sign-out")

	ask := o.get("lea", path+"/sign-out")
	require.Contains(t, ask.page.words("h1")[0], "out of the chat?")
	before := time.Now()
	require.Equal(t, http.StatusSeeOther, o.submit("lea", ask, ".confirm form").status)
	until, err := o.conversations.VisitorsSignedOut(t.Context(), "shop", "v:SOMEBODY")
	require.NoError(t, err)
	require.False(t, until.Before(before.Truncate(time.Millisecond)))
	until, err = o.conversations.VisitorsSignedOut(t.Context(), "shop", "v:OTHER")
	require.NoError(t, err)
	require.Zero(t, until)
	require.Equal(t, []string{"sign a visitor out: conversation " + string(conv.ID)}, o.audit)
}

// Nobody can hold all streams of the desk; who has too many pages open is told, and one that is closed
// makes room.
func TestDeskStreamsAreBounded(t *testing.T) {
	o := open(t)
	p := folks()["ann"]
	release, ok := o.console.streams.Take(limits.Bound{Key: "person\x00" + string(p.ID), Max: limits.MaxPersonStreams})
	for ok {
		_, ok = o.console.streams.Take(limits.Bound{Key: "person\x00" + string(p.ID), Max: limits.MaxPersonStreams})
	}
	got := o.get("ann", "/desk/events")
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Contains(t, got.body, "Too many of the desk's pages are open")
	release()
	require.NotEmpty(t, o.next(o.listen("ann", "")))
}

// Once the window has closed the desk says so before anybody types, and offers what may still be sent.
func TestTemplatesOnceTheWindowHasClosed(t *testing.T) {
	o := open(t)
	wa := o.text("49151", "w1", "/human", nil)
	id, err := o.desk.StepIn(t.Context(), wa.ID, "ann")
	require.NoError(t, err)
	path := "/desk/tickets/" + string(id)
	open := o.get("ann", path)
	require.Contains(t, open.page.words("dt"), "Reply until")
	require.Empty(t, open.page.find("#template"))
	o.exec(`UPDATE conversations SET window_until = $2 WHERE id = $1`, wa.ID, time.Now().Add(-time.Hour).UnixMilli())

	page := o.get("ann", path)
	require.Empty(t, page.page.find("#reply"))
	require.Contains(t, page.page.words("#standing .note")[0], "WhatsApp lets nobody write")
	require.Equal(t, []string{"Choose a template", "order update (en)", "sale (en)"}, page.page.words("#template option"), "not what cannot be used")
	chosen := o.get("ann", path+"?template="+url.QueryEscape("order_update|en"))
	require.Equal(t, "Hello {{1}}, about order {{2}}: may we write to you again?", chosen.page.one(t, ".preview").text())
	require.Len(t, chosen.page.find(".filling .field input"), 2)

	form := url.Values{"template": {"order_update|en"}, "key": {"k1"}, "in": {string(wa.ID)}, "value": {"Ana", ""}, "send": {"1"}}
	missing := o.do("ann", http.MethodPost, path+"/template", form)
	require.Equal(t, http.StatusUnprocessableEntity, missing.status)
	require.Contains(t, missing.page.words("#template-error")[0], "Fill in every field")
	require.Equal(t, "Hello Ana, about order {{2}}: may we write to you again?", missing.page.one(t, ".preview").text())
	require.Equal(t, "Ana", missing.page.find(".filling .field input")[0].attr["value"], "what was typed stays")

	form["value"] = []string{"Ana", "1042"}
	form.Del("send")
	preview := o.do("ann", http.MethodPost, path+"/template", form)
	require.Equal(t, "Hello Ana, about order 1042: may we write to you again?", preview.page.one(t, ".preview").text())
	form.Set("send", "1")
	for range 2 {
		require.Equal(t, http.StatusSeeOther, o.do("ann", http.MethodPost, path+"/template", form).status)
	}
	o.quiet(wa.ID)
	require.Equal(t, []string{"Hello Ana, about order 1042: may we write to you again?"}, o.get("ann", path).page.words("li.bubble.agent .said"), "sent once")

	// A free reply typed meanwhile is kept, and not sent.
	late := o.submit("ann", open, "#reply", "text", "too late", "anyway", "1")
	require.Equal(t, http.StatusConflict, late.status)
	require.Equal(t, "\ntoo late", late.page.one(t, "#words").text())

	// No advertising to who wants none.
	o.exec(`UPDATE contacts SET opt_out = 'marketing' WHERE conversation_id = $1`, wa.ID)
	require.Equal(t, []string{"Choose a template", "order update (en)"}, o.get("ann", path).page.words("#template option"))
	sale := url.Values{"template": {"sale|en"}, "key": {"k2"}, "send": {"1"}}
	require.Contains(t, o.do("ann", http.MethodPost, path+"/template", sale).page.words(".problem b"), "The customer opted out.")

	o.text("49151", "w2", "yes, please do", nil)
	require.Len(t, o.get("ann", path).page.find("#reply"), 1, "they wrote: the window is open")
}

func TestTheDeskShowsAnOptOut(t *testing.T) {
	o := open(t)
	wa := o.text("49151", "w1", "/human", nil)
	id, err := o.desk.StepIn(t.Context(), wa.ID, "ann")
	require.NoError(t, err)
	o.text("49151", "w2", "STOP", nil)
	path := "/desk/tickets/" + string(id)
	page := o.get("ann", path)
	require.Contains(t, page.page.words(".chip"), "Opted out")
	require.Contains(t, strings.Join(page.page.words("#standing .note"), " "), "the bot is silent")
	require.Contains(t, o.get("ann", path+"/close").page.words(".note")[0], "told nothing")
	said := len(page.page.find("#said .bubble.bot"))
	require.NoError(t, o.desk.Close(t.Context(), id, "ann"))
	require.Len(t, o.get("ann", path).page.find("#said .bubble.bot"), said, "not even that it is closed")
}

// What a person of ours wrote past us is on the desk, by whom as far as it is known.
func TestWhatWasWrittenPastUs(t *testing.T) {
	o := open(t)
	wa := o.text("49151", "w1", "hello", func(e *bot.Event) { e.At = e.At.Add(-time.Minute) })
	o.text("49151", "e1", "", func(e *bot.Event) {
		e.Message, e.Echo = nil, &bot.Echo{NetworkID: "n1", Text: "I answer this from my phone."}
	})
	page := o.get("ann", "/desk/conversations/"+string(wa.ID))
	require.Contains(t, page.page.words("li.bubble.agent .said"), "I answer this from my phone.")
	require.Contains(t, page.page.words("li.bubble.agent .by")[0], "A person, in WhatsApp itself")
	require.Contains(t, page.page.words(".chip"), "With a person")
}

// Links and ads are shown at the conversation and counted, each customer once.
func TestSources(t *testing.T) {
	o := open(t)
	require.Contains(t, o.get("ann", "/desk/sources").page.words(".empty h2"), "Nobody came by a link or ad")
	wa := o.text("49151", "w1", "/human", func(e *bot.Event) {
		e.Referral = &bot.Referral{Source: "ad", ID: "120", Title: "Spring shoes"}
	})
	o.text("49151", "w2", "again", func(e *bot.Event) { e.Message.Ref = "spring" })
	o.text("49152", "w1", "hello", func(e *bot.Event) { e.Message.Ref = "spring" })
	page := o.get("ann", "/desk/conversations/"+string(wa.ID)).page
	require.Contains(t, page.words("dd"), "ad:120, “Spring shoes”, ad")
	require.Contains(t, page.words("dd"), "spring, link")
	table := func(who, query string) (rows []string) {
		for _, row := range o.get(who, "/desk/sources"+query).page.words("tbody tr") {
			rows = append(rows, strings.Join(strings.Fields(row), " "))
		}
		return rows
	}
	require.Equal(t, []string{"springWhatsApp120", "ad:120WhatsApp101"}, table("ann", ""))
	require.Empty(t, table("out", ""), "another affiliate's")
	require.Empty(t, table("ann", "?of=bolt"))
	o.exec(`UPDATE conversations SET opened_at = $1`, time.Now().AddDate(0, 0, -40).UnixMilli())
	require.Empty(t, table("ann", ""))
	require.Len(t, table("ann", "?days=90"), 2)
}
