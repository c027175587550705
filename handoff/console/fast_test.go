package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/handoff"
)

// One button sends the reply, closes the ticket and leads to the next that waits; what was closed is opened again by one
// more, unless the customer has another ticket by then.
func TestSendAndClose(t *testing.T) {
	o := open(t)
	a, b, c := o.ticket("acme", "ana"), o.ticket("acme", "ben"), o.ticket("acme", "cleo")
	at := func(tk handoff.Ticket) string { return "/desk/tickets/" + string(tk.ID) }
	send := func(tk handoff.Ticket) answer {
		return o.submit("ann", o.get("ann", at(tk)), "#reply", "text", "Done.", "then", "close")
	}
	sent := send(b)
	require.Equal(t, []any{http.StatusSeeOther, at(c) + "?done=closed&undo=" + string(b.ID)}, []any{sent.status, sent.location}, "the next below")
	o.quiet(b.Conversation)
	said, err := o.conversations.Transcript(t.Context(), b.Conversation, 0)
	require.NoError(t, err)
	require.Equal(t, []bot.Author{bot.AuthorAgent, bot.AuthorBot}, []bot.Author{said[len(said)-2].Author, said[len(said)-1].Author}, "the reply, and then that it is closed")
	require.Equal(t, at(a)+"?done=closed&undo="+string(c.ID), send(c).location, "after the last the first")
	require.Equal(t, "/desk?done=closed&undo="+string(a.ID), send(a).location, "nobody is left")

	undone := o.submit("ann", o.get("ann", "/desk?done=closed&undo="+string(b.ID)), ".toast form")
	require.Equal(t, at(b)+"?done=reopened", undone.location)
	tk, err := o.desk.Ticket(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, []any{handoff.StateAssigned, handoff.AgentID("ann")}, []any{tk.State, tk.Assignee})
	require.Equal(t, bot.ModePerson, o.conversation("acme", "ben").Mode, "the bot is quiet again")
	require.Equal(t, http.StatusNotFound, o.do("out", http.MethodPost, at(a)+"/reopen", nil).status)

	again := o.ticketAgain("acme", "ana", a.ID)
	require.NotEqual(t, a.ID, again)
	require.Equal(t, http.StatusConflict, o.do("ann", http.MethodPost, at(a)+"/reopen", nil).status, "one open ticket for a customer")
}

// Snoozing leads to the next ticket; the list of snoozed ones has it, and its page wakes it.
func TestSnoozeOnThePage(t *testing.T) {
	o := open(t)
	a, b := o.ticket("acme", "ana"), o.ticket("acme", "ben")
	at := "/desk/tickets/" + string(a.ID)
	snoozed := o.submit("ann", o.get("ann", at), "#snoozing", "hours", "24")
	require.Equal(t, "/desk/tickets/"+string(b.ID)+"?done=snoozed", snoozed.location)
	require.Equal(t, []string{"ben"}, o.get("ann", "/desk").page.words("#rows .who"))
	require.Equal(t, []string{"ana"}, o.get("ann", "/desk?show=snoozed").page.words("#rows .who"))
	page := o.get("ann", at)
	require.Contains(t, page.page.words(".chip.soon")[0], "Snoozed until")
	require.Equal(t, at+"?done=woke", o.submit("ann", page, "#snoozing", "hours", "0").location)
	require.Equal(t, []string{"ana", "ben"}, o.get("ann", "/desk").page.words("#rows .who"))
	require.Equal(t, http.StatusConflict, o.do("bob", http.MethodPost, at+"/snooze", nil).status, "it is ann's")
}
