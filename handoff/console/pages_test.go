package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge"
)

func TestListAndFilters(t *testing.T) {
	o := open(t)
	require.Contains(t, o.get("ann", "/desk").page.words(".empty h2"), "Nobody is waiting")
	a := o.ticket("acme", "ana")
	b := o.ticket("bolt", "bert")
	n := o.ticket("", "nina")
	o.exec(`UPDATE tickets SET due_at = $2 WHERE id = $1`, a.ID, time.Now().Add(-2*time.Minute).UnixMilli())
	o.exec(`UPDATE tickets SET due_at = $2, waiting_since = $3 WHERE id = $1`, b.ID, time.Now().Add(10*time.Minute).UnixMilli(), time.Now().Add(-3*time.Hour).UnixMilli())

	who := func(person, path string) []string { return o.get(person, path).page.words("#rows .who") }
	require.Equal(t, []string{"ana"}, who("ann", "/desk"))
	require.Equal(t, []string{"ana", "bert"}, who("bob", "/desk"), "the promise that ends first comes first")
	require.Equal(t, []string{"ana", "bert", "nina"}, who("lea", "/desk"), "what is nobody's is for those who see everyone's")
	require.Empty(t, who("off", "/desk"))
	require.Equal(t, []string{"bert"}, who("bob", "/desk?of=bolt"))
	require.Empty(t, who("ann", "/desk?of=bolt"), "another's affiliate is nobody's")
	require.Empty(t, o.get("ann", "/desk").page.find("select"))
	require.Equal(t, []string{"All affiliates", "acme", "bolt"}, o.get("bob", "/desk").page.words("option"))

	for _, number := range []string{string(b.ID), " " + strings.ToLower(string(b.ID))} {
		found := o.get("bob", "/desk/conversations?"+url.Values{"q": {number}}.Encode()).page
		require.Equal(t, "/desk/tickets/"+string(b.ID), found.one(t, "#rows a.row").attr["href"], "a ticket is found by its number")
	}
	require.Empty(t, who("ann", "/desk/conversations?q="+string(b.ID)), "not by those who may not see it")

	page := o.get("bob", "/desk").page
	require.Contains(t, page.words(".owed.late")[0], "late by")
	require.Contains(t, page.words(".owed.soon")[0], "in 10 min")
	require.Equal(t, []string{"All open 2", "Mine 0", "Waiting 2", "Snoozed", "Closed", "Conversations"}, page.words("#queues a"))
	require.Len(t, page.find("h1"), 1)

	require.NoError(t, o.desk.Take(t.Context(), a.ID, "bob", false))
	require.Equal(t, []string{"ana"}, who("bob", "/desk?show=mine"))
	require.Empty(t, who("lea", "/desk?show=mine"))
	require.NoError(t, o.desk.Close(t.Context(), a.ID, "bob"))
	require.Equal(t, []string{"ana"}, who("ann", "/desk?show=closed"))
	require.Equal(t, []string{"bert"}, who("bob", "/desk?show=waiting"))

	list := o.get("lea", "/desk")
	part := list.page.one(t, "#rows").attr["hx-get"]
	require.Equal(t, http.StatusNoContent, o.get("lea", part).status, "nothing changed, nothing is sent")
	require.NoError(t, o.desk.Take(t.Context(), n.ID, "lea", false))
	changed := o.get("lea", part)
	require.Equal(t, http.StatusOK, changed.status)
	require.Equal(t, "true", changed.page.one(t, "#queues").attr["hx-swap-oob"])
	require.Empty(t, changed.page.find("html"))
}

func TestListPages(t *testing.T) {
	o := open(t)
	for i := range 130 {
		require.NoError(t, o.desk.Tell(t.Context(), bot.DeskEvent{Conversation: bot.ConversationID(fmt.Sprint("c", i)), At: time.Now(),
			Escalation: &bot.Escalation{ID: fmt.Sprint(i), Affiliate: "acme", Reason: bot.ReasonNoAnswer, Question: fmt.Sprint("q", i)}}))
	}
	first := o.get("ann", "/desk").page
	require.Len(t, first.find("#rows .row"), perPage)
	second := o.get("ann", first.one(t, "[rel=next]").attr["href"]).page
	require.Len(t, second.find("#rows .row"), 30)
	require.Empty(t, second.find("[rel=next]"))
	require.Equal(t, "/desk", second.one(t, "[rel=prev]").attr["href"])
}

// From the list to a closed ticket with forms and links only.
func TestWithoutJavaScript(t *testing.T) {
	o := open(t)
	o.say("acme", "ana", "u0", "my payout is missing")
	o.soon("asked back", func() bool {
		list, err := o.conversations.List(t.Context(), bot.Search{Affiliates: []knowledge.AffiliateID{"acme"}})
		require.NoError(t, err)
		return len(list) == 1 && list[0].Last.Author == bot.AuthorBot
	})
	tk := o.ticket("acme", "ana")
	page := o.get("ann", o.get("ann", "/desk").page.one(t, "#rows a.row").attr["href"])
	require.Equal(t, []string{"ana"}, page.page.words("h1"))
	require.Len(t, page.page.find("li.bubble.customer"), 2)
	require.Contains(t, strings.Join(page.page.words("li.event"), "|"), "Bot passed this on: asked for a person")
	require.Contains(t, page.page.words(".tries p")[0], "Passed on: asked for a person")
	require.Contains(t, page.page.words(".chip"), "Nobody has it")

	took := o.submit("ann", page, ".state form[data-take]")
	require.Equal(t, []any{http.StatusSeeOther, "/desk/tickets/" + string(tk.ID) + "?done=took"}, []any{took.status, took.location})
	page = o.get("ann", took.location)
	require.Equal(t, []string{"You have the ticket."}, page.page.words(".toast p"))
	require.Contains(t, page.page.words(".chip"), "Yours")

	for range 2 { // a double click sends once
		sent := o.submit("ann", page, "#reply", "text", "It went out today.")
		require.Equal(t, []any{http.StatusSeeOther, "/desk/tickets/" + string(tk.ID) + "?done=replied"}, []any{sent.status, sent.location})
	}
	for range 2 {
		noted := o.submit("ann", page, "#noting", "note", "checked with the bank")
		require.Contains(t, noted.location, "done=noted")
	}
	o.quiet(tk.Conversation)
	page = o.get("ann", "/desk/tickets/"+string(tk.ID))
	require.Equal(t, []string{"It went out today."}, page.page.words("li.bubble.agent .said"))
	require.Equal(t, []string{"checked with the bank"}, page.page.words("li.bubble.note .said"))

	require.Equal(t, http.StatusUnprocessableEntity, o.submit("ann", page, "#reply", "text", "  ").status)
	long := o.submit("ann", page, "#reply", "text", strings.Repeat("x", handoff.LongestReply+1))
	require.Equal(t, http.StatusUnprocessableEntity, long.status)
	require.Len(t, long.page.one(t, "#words").text(), handoff.LongestReply+2, "what was typed stays")
	huge := o.submit("ann", page, "#reply", "text", strings.Repeat("x", maxBody))
	require.Equal(t, http.StatusRequestEntityTooLarge, huge.status)
	empty := o.submit("ann", page, "#noting", "note", " ")
	require.Equal(t, []string{"The note is empty. Write something first."}, empty.page.words("#note-error"))
	noKey := o.do("ann", http.MethodPost, "/desk/tickets/"+string(tk.ID)+"/reply", url.Values{"text": {"hello"}})
	require.Equal(t, http.StatusUnprocessableEntity, noKey.status)

	ask := o.get("ann", page.page.one(t, "[data-close-ticket]").attr["href"])
	require.Equal(t, []string{"Close the ticket of ana?"}, ask.page.words("h1"))
	closed := o.submit("ann", ask, ".confirm form")
	require.Equal(t, []any{http.StatusSeeOther, "/desk?done=closed&undo=" + string(tk.ID)}, []any{closed.status, closed.location})
	require.Equal(t, []string{"Closed. The customer was told, and the bot answers again."}, o.get("ann", closed.location).page.words(".toast p"))
	page = o.get("ann", "/desk/tickets/"+string(tk.ID))
	require.Empty(t, page.page.find("#reply"))
	require.Contains(t, page.page.words("li.event"), "Closed as resolved · "+page.page.words("li.event time")[1])
	require.Equal(t, http.StatusConflict, o.get("ann", "/desk/tickets/"+string(tk.ID)+"/close").status)

	again := o.ticketAgain("acme", "ana", tk.ID)
	page = o.get("ann", "/desk/tickets/"+string(again))
	require.Contains(t, page.page.one(t, ".earlier a").attr["href"], string(tk.ID))
	back := o.submit("ann", o.get("ann", "/desk/tickets/"+string(again)+"/hand-back?show=mine"), ".confirm form")
	require.Equal(t, "/desk?done=handed-back&show=mine&undo="+string(again), back.location)
	c, err := o.desk.Ticket(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, handoff.ResolutionHandedBack, c.Outcome)
}

// ticketAgain lets a customer ask for a person after the ticket before was closed.
func (o *office) ticketAgain(a knowledge.AffiliateID, customer string, before handoff.TicketID) (id handoff.TicketID) {
	o.t.Helper()
	o.say(a, customer, "again", "/human")
	o.soon("another ticket", func() bool {
		list, err := o.desk.List(o.t.Context(), handoff.Filter{Affiliates: []knowledge.AffiliateID{a}, Conversations: []bot.ConversationID{o.conversation(a, customer).ID}})
		require.NoError(o.t, err)
		if len(list) == 1 {
			id = list[0].ID
		}
		return len(list) == 1 && id != before
	})
	o.quiet(o.conversation(a, customer).ID)
	return id
}

func TestConflicts(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	path := "/desk/tickets/" + string(tk.ID)
	mine := o.get("ann", path)
	require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "bob", "b1", "Bob was faster."))

	got := o.submit("ann", mine, "#reply", "text", "My long\nanswer")
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, got.page.words(".problem b"), "bob replied while you were writing.")
	require.Equal(t, "\nMy long\nanswer", got.page.one(t, "#words").text())
	require.Equal(t, []string{"Bob was faster."}, got.page.words("li.bubble.new .said"))
	require.Equal(t, []string{"Take over and send"}, got.page.words("#reply .primary"), "for bob has the ticket now")

	// The live part tells it too, and the form still knows where the writing began.
	part := o.get("ann", mine.page.one(t, "#said").attr["hx-get"]+"&seen="+mine.page.one(t, "#seen").attr["value"])
	require.Contains(t, part.page.words("#standing p"), "bob replied while you were writing.")
	require.Equal(t, mine.page.one(t, "#seen").attr["value"], part.page.one(t, "#seen").attr["value"])
	require.Contains(t, got.page.one(t, "#said").attr["hx-get"], "&new="+mine.page.one(t, "#seen").attr["value"])

	// Anyway: but bob has the ticket.
	taken := o.submit("ann", got, "#reply", "anyway", "1")
	require.Equal(t, http.StatusConflict, taken.status)
	require.Contains(t, taken.page.words(".problem b"), "bob has taken this ticket.")
	require.Equal(t, "\nMy long\nanswer", taken.page.one(t, "#words").text())
	require.Equal(t, []string{"Take over and send"}, taken.page.words("#reply .primary"))
	got = o.submit("ann", got, "#reply", "over", "1")
	require.Equal(t, []any{http.StatusSeeOther, path + "?done=replied"}, []any{got.status, got.location})
	after, err := o.desk.Ticket(t.Context(), tk.ID)
	require.NoError(t, err)
	require.Equal(t, handoff.AgentID("ann"), after.Assignee)

	// The customer writes meanwhile.
	mine = o.get("ann", path)
	o.say("acme", "ana", "u9", "one more thing")
	got = o.submit("ann", mine, "#reply", "text", "As I said")
	require.Contains(t, got.page.words(".problem b"), "The customer wrote while you were writing.")
	require.Equal(t, []string{"Send anyway"}, got.page.words("#reply .primary"))
	sent := o.submit("ann", got, "#reply", "anyway", "1")
	require.Equal(t, http.StatusSeeOther, sent.status)
	o.quiet(tk.Conversation)
	require.Equal(t, []string{"Bob was faster.", "My long answer", "As I said"}, o.get("ann", path).page.words("li.bubble.agent .said"))

	// Taken, and taken over.
	require.Equal(t, http.StatusConflict, o.do("bob", http.MethodPost, path+"/take", nil).status)
	require.Equal(t, http.StatusConflict, o.do("bob", http.MethodPost, path+"/close", nil).status)
	require.Equal(t, http.StatusConflict, o.get("bob", path+"/hand-back").status)
	his := o.get("bob", path)
	require.Empty(t, his.page.find("#reply"))
	require.Equal(t, http.StatusSeeOther, o.submit("bob", his, "#standing form").status)

	// Closed meanwhile: the text stays.
	his = o.get("bob", path)
	require.NoError(t, o.desk.Close(t.Context(), tk.ID, "bob"))
	got = o.submit("bob", his, "#reply", "text", "late")
	require.Equal(t, http.StatusConflict, got.status)
	require.Equal(t, "\nlate", got.page.one(t, "#words").text())
	require.Equal(t, http.StatusConflict, o.do("bob", http.MethodPost, path+"/take", nil).status)
}

func TestWhatDidNotArrive(t *testing.T) {
	o := open(t)
	tk := o.ticket("acme", "ana")
	path := "/desk/tickets/" + string(tk.ID)
	require.NoError(t, o.desk.Reply(t.Context(), tk.ID, "ann", "k", "undeliverable words"))
	o.soon("failed, with its reason", func() bool {
		return len(o.get("ann", path).page.find("li.bubble.failed")) == 1 && strings.Contains(o.get("ann", path).page.words(".failed .fate")[0], "refused")
	})
	page := o.get("ann", path)
	again := o.submit("ann", page, "form.again")
	require.Equal(t, http.StatusSeeOther, again.status)
	o.soon("tried again", func() bool { return len(o.get("ann", path).page.find("li.bubble.failed")) == 2 })

	page = o.get("ann", path)
	o.exec(`UPDATE conversations SET unreachable = TRUE WHERE id = $1`, tk.Conversation)
	blocked := o.get("ann", path).page
	require.Contains(t, blocked.words("#standing p")[0], "blocked this account")
	require.Empty(t, blocked.find("#reply"), "nobody types what cannot be sent")
	got := o.submit("ann", page, "#reply", "text", "hello?")
	require.Equal(t, http.StatusConflict, got.status)
	require.Equal(t, "\nhello?", got.page.one(t, "#words").text())
	require.Contains(t, o.get("ann", path+"/close").page.words(".note")[0], "told nothing")
}

func TestConversations(t *testing.T) {
	o := open(t)
	require.Contains(t, o.get("ann", "/desk/conversations").page.words(".empty h2"), "No conversations yet")
	o.say("acme", "ana", "u1", "how do I join the PROGRAMME?")
	o.say("bolt", "bert", "u2", "hello")
	c := o.conversation("acme", "ana")
	o.quiet(c.ID)
	o.quiet(o.conversation("bolt", "bert").ID)
	who := func(person, path string) []string { return o.get(person, path).page.words("#rows .who") }
	require.Equal(t, []string{"ana"}, who("ann", "/desk/conversations"))
	require.ElementsMatch(t, []string{"ana", "bert"}, who("bob", "/desk/conversations"))
	require.Equal(t, []string{"ana"}, who("bob", "/desk/conversations?q=programme+join"))
	require.Contains(t, o.get("bob", "/desk/conversations?q=zebra").page.words(".empty h2"), "Nothing found")
	require.Equal(t, http.StatusNoContent, o.get("bob", o.get("bob", "/desk/conversations").page.one(t, "#rows").attr["hx-get"]).status)

	page := o.get("ann", o.get("ann", "/desk/conversations").page.one(t, "#rows a.row").attr["href"])
	require.Contains(t, page.page.words(".chip"), "The bot answers")
	require.Empty(t, page.page.find("#reply"))
	in := o.submit("ann", page, ".state form")
	require.Equal(t, http.StatusSeeOther, in.status)
	require.Contains(t, in.location, "done=stepped-in")
	stepped := o.get("ann", in.location)
	require.Contains(t, stepped.page.words(".chip"), "Yours")
	require.Len(t, stepped.page.find("#reply"), 1)
	require.Equal(t, in.location, o.submit("ann", page, ".state form").location, "twice is once")
	require.Equal(t, http.StatusConflict, o.submit("bob", page, ".state form").status)
	require.Contains(t, o.get("bob", "/desk/conversations/"+string(c.ID)).page.one(t, ".state .primary").attr["href"], "/desk/tickets/")
	got, err := o.conversations.Get(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, bot.ModePerson, got.Mode)
}

// Paging loses none and shows none twice, though all were active at once.
func TestConversationPages(t *testing.T) {
	o := open(t)
	want := map[string]bool{}
	for i := range 120 {
		name := fmt.Sprintf("c%03d", i)
		o.say("acme", name, name, "hello")
		want[name] = true
	}
	for name := range want {
		o.quiet(o.conversation("acme", name).ID)
	}
	o.exec(`UPDATE conversations SET active_at = 1790000000000 + (LENGTH(id) + CAST(SUBSTR(customer, 2) AS INTEGER)) / 40`)
	path := "/desk/conversations"
	for range 3 {
		page := o.get("ann", path).page
		for _, name := range page.words("#rows .who") {
			require.True(t, want[name], name)
			delete(want, name)
		}
		if next := page.find("[rel=next]"); len(next) > 0 {
			path = next[0].attr["href"]
		}
	}
	require.Empty(t, want)
}

func TestAnswers(t *testing.T) {
	o := open(t)
	require.Equal(t, http.StatusUnauthorized, o.get("nobody", "/desk").status)
	require.Equal(t, http.StatusNotFound, o.get("ann", "/desk/tickets/NOSUCH").status)
	require.Equal(t, http.StatusNotFound, o.get("ann", "/desk/assets/x/desk.js").status)
	require.Contains(t, o.get("ann", "/desk").body, o.console.assets.Address("desk.js"))
	require.Contains(t, o.get("ann", "/desk").body, o.console.assets.Address("desk.css"))
	script := o.get("ann", o.console.assets.Address("desk.js"))
	require.Equal(t, http.StatusOK, script.status)
	require.Contains(t, script.header.Get("Cache-Control"), "immutable")
	require.Contains(t, script.header.Get("Content-Type"), "javascript")
	_, err := New(o.desk, o.conversations, Options{})
	require.Error(t, err)
}
