package console

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
)

func (c *Console) showTicket(g *gin.Context, p reader) error {
	t, err := c.ticketOf(g.Request.Context(), p, handoff.TicketID(g.Param("ticket")))
	if err != nil {
		return err
	}
	w := draftReply{Template: g.Query("template")}
	if g.Query("draft") != "" {
		w.Text = t.Draft
	}
	return c.renderTicket(g, p, t, http.StatusOK, w)
}

// renderTicket shows the ticket's page with what was written and could not be sent.
func (c *Console) renderTicket(g *gin.Context, p reader, t handoff.Ticket, status int, w draftReply) error {
	v, err := c.look(g.Request.Context(), p, placeOf(g), bot.Conversation{ID: t.Conversation}, t.ID)
	if err != nil {
		return err
	}
	if w.Key == "" {
		w.Key = v.Writes.Key
	}
	v.Writes = w
	if v.WindowClosed {
		c.pick(g.Request.Context(), p, &v, v.conv, w.Template, w.Values)
	}
	if w.Moved {
		v.markNew(g.PostForm("seen"))
	}
	return c.renderCase(g, p, placeOf(g), status, v)
}

// markNew marks the messages after seq, and lets the live part do so too.
func (v *caseView) markNew(seq string) {
	after := seqOf(seq)
	if after < 0 {
		return
	}
	for i := range v.Messages {
		v.Messages[i].New = v.Messages[i].Seq > after
	}
	v.Part += "&new=" + url.QueryEscape(seq)
}

// renderCase shows a page with a conversation open.
func (c *Console) renderCase(g *gin.Context, p reader, at place, status int, v caseView) (err error) {
	if v.Inbox, err = c.inboxOf(g.Request.Context(), p, at, v.Inbox.Current); err != nil {
		return err
	}
	v.Toast, v.Pane = toastOf(g, p), "talk"
	if g.Query("pane") == "about" {
		v.Pane = "about"
	}
	return c.pages.Show(g.Writer, g.Request, status, "case", v)
}

func (c *Console) partTicket(g *gin.Context, p reader) error {
	ctx := g.Request.Context()
	t, err := c.ticketOf(ctx, p, handoff.TicketID(g.Param("ticket")))
	if err != nil {
		return err
	}
	v, err := c.look(ctx, p, placeOf(g), bot.Conversation{ID: t.Conversation}, t.ID)
	if err != nil {
		return err
	}
	return c.renderSaid(g, p, v)
}

// renderSaid renders what changes while a page is open: nothing if nothing did. What the reader was
// writing stays; if another agent replied meanwhile they are told, and the reply box goes on to
// remember where they began.
func (c *Console) renderSaid(g *gin.Context, p reader, v caseView) error {
	if g.Query("have") == v.digest() {
		g.Status(http.StatusNoContent)
		return nil
	}
	if seen := seqOf(g.Query("seen")); seen >= 0 {
		by, customers := p.moved(v.said, seen)
		if by != "" {
			v.RepliedMeanwhile, v.Seen = by, seen
		}
		if customers > 0 {
			v.News = p.Say("customer_wrote_news")
		}
	}
	v.markNew(g.Query("new"))
	v.Partial = true
	return c.pages.Part(g.Writer, g.Request, "case", "live", v)
}

// A confirmView asks before what a customer is told of.
type confirmView struct {
	Title, Words, Safe string
	Download           string // the address of a file to be had before, "" if there is none
	Action, Button     string
	Back, Keep         string // the way back, and its label
}

func (c *Console) askClose(g *gin.Context, p reader) error {
	return c.ask(g, p, "/close", func(v *confirmView, who string) {
		v.Title, v.Button = p.Say("close_title", "who", who), p.Say("close_button")
		v.Words = p.Say("close_words")
	})
}

func (c *Console) askHandBack(g *gin.Context, p reader) error {
	return c.ask(g, p, "/hand-back", func(v *confirmView, who string) {
		v.Title, v.Button = p.Say("hand_back_title", "who", who), p.Say("hand_back_button")
		v.Words = p.Say("hand_back_words")
	})
}

// ask shows a page that confirms an action on a ticket.
func (c *Console) ask(g *gin.Context, p reader, action string, fill func(*confirmView, string)) error {
	ctx := g.Request.Context()
	t, err := c.ticketOf(ctx, p, handoff.TicketID(g.Param("ticket")))
	if err != nil {
		return err
	}
	address := "/desk/tickets/" + string(t.ID)
	query := placeOf(g).query()
	switch {
	case t.State == handoff.StateClosed:
		return c.renderTicket(g, p, t, http.StatusConflict, draftReply{What: p.Say("closed_already")})
	case t.Assignee != "" && t.Assignee != agent(p):
		return c.renderTicket(g, p, t, http.StatusConflict, draftReply{What: p.Say("has_it", "who", t.Assignee), Do: p.Say("take_over_first")})
	}
	conv, err := c.conversations.Get(ctx, t.Conversation)
	if err != nil {
		return err
	}
	v := confirmView{Keep: p.Say("close_keep"), Action: address + action + query, Back: address + query}
	fill(&v, cut(p.whoOf(conv), 60))
	if why := c.cannot(p, conv); why != "" {
		v.Safe = why + " " + p.Say("so_told_nothing")
	} else if conv.OptOut == bot.OptOutAll {
		v.Safe = p.Say("opted_out_told_nothing")
	}
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "confirm", v)
}

// taken is what to say when another agent has the ticket.
func (c *Console) taken(g *gin.Context, p reader, id handoff.TicketID, w draftReply) error {
	t, err := c.ticketOf(g.Request.Context(), p, id)
	if err != nil {
		return err
	}
	w.What, w.Do = p.Say("taken", "who", t.Assignee), p.Say("taken_do")
	if w.Text != "" {
		w.Over, w.Do = true, p.Say("taken_do_send")
	}
	return c.renderTicket(g, p, t, http.StatusConflict, w)
}
