package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
)

// done goes back to where the person was, with a word about what was done.
func done(g *gin.Context, address string) error {
	g.Redirect(http.StatusSeeOther, address)
	return nil
}

// acted reads the form and the ticket that it is about.
func (c *Console) acted(g *gin.Context, p reader) (t handoff.Ticket, address string, err error) {
	if err := parseFiles(g.Request); err != nil {
		return t, "", err
	}
	t, err = c.ticketOf(g.Request.Context(), p, handoff.TicketID(g.Param("ticket")))
	return t, "/desk/tickets/" + url.PathEscape(string(t.ID)), err
}

func (c *Console) take(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	err = c.desk.Take(g.Request.Context(), t.ID, agent(p), g.PostForm("over") != "")
	switch {
	case errors.Is(err, handoff.ErrTaken):
		return c.taken(g, p, t.ID, draftReply{})
	case errors.Is(err, handoff.ErrClosed):
		return c.closedMeanwhile(g, p, t.ID, draftReply{})
	case err != nil:
		return err
	}
	c.Poke()
	return done(g, address+placeOf(g).query("done", "took"))
}

// reply sends what was written, unless the conversation moved on meanwhile. Then the page comes back
// with the text and with what is new, and asks.
func (c *Console) reply(g *gin.Context, p reader) error {
	defer closeForm(g.Request)
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	w := draftReply{Key: cut(g.PostForm("key"), 80), Text: strings.ReplaceAll(g.PostForm("text"), "\r\n", "\n")}
	if w.Key == "" {
		w.What, w.Do = p.Say("form_incomplete"), p.Say("send_again_here")
		return c.renderTicket(g, p, t, http.StatusUnprocessableEntity, w)
	}
	if w.Files, err = c.filesOf(g, p, t); err != nil {
		wrong, refused := errors.AsType[*errFile](err)
		if !refused {
			return err
		}
		w.What, w.Do = wrong.words, p.Say("nothing_sent_yet")+" "+p.Say("other_file")
		return c.renderTicket(g, p, t, http.StatusUnprocessableEntity, w)
	}
	sent := address + placeOf(g).query("done", "replied")
	if wentOn(g, t) && g.PostForm("anyway") == "" && g.PostForm("over") == "" {
		w.Anyway, w.What, w.Do = true, p.Say("went_on_writing"), p.Say("went_on_writing_do")
		return c.renderTicket(g, p, t, http.StatusConflict, w)
	}
	if seen := seqOf(g.PostForm("seen")); seen >= 0 && g.PostForm("anyway") == "" && g.PostForm("over") == "" {
		said, err := c.conversations.Transcript(ctx, t.Conversation, seen)
		if err != nil {
			return err
		}
		if len(w.Files) == 0 && repeated(said, agent(p), w.Text) { // the second click on one button
			return done(g, sent)
		}
		if by, customers := p.moved(said, seen); by != "" || customers > 0 {
			w.Moved, w.What, w.Do = true, p.Say("customer_wrote"), p.Say("read_new")
			if by != "" {
				w.What = p.Say("replied_meanwhile", "who", by)
			}
			w.Over = t.Assignee != "" && t.Assignee != agent(p)
			w.Anyway = !w.Over
			return c.renderTicket(g, p, t, http.StatusConflict, w)
		}
	}
	if g.PostForm("over") != "" {
		if err := c.desk.Take(ctx, t.ID, agent(p), true); err != nil && !errors.Is(err, handoff.ErrClosed) {
			return err
		}
	}
	if err := c.desk.Reply(ctx, t.ID, agent(p), w.Key, w.Text, w.media()...); err != nil {
		return c.notSent(g, p, t, w, err)
	}
	c.Poke()
	if g.PostForm("then") == "close" {
		return c.end(g, p, t, "closed", c.desk.Close)
	}
	return done(g, sent)
}

// media are the files that go with a reply.
func (w draftReply) media() (list []bot.Media) {
	for _, s := range w.Files {
		list = append(list, s.media)
	}
	return list
}

// repeated reports whether me said these very words already, in one message or in the parts that a
// network wants them in.
func repeated(said []bot.Message, me handoff.AgentID, text string) bool {
	plain := func(s string) string { return strings.Join(strings.Fields(s), "") }
	want := plain(text)
	for i := range said {
		run := ""
		for _, m := range said[i:] {
			if m.Author != bot.AuthorAgent || m.Agent != string(me) {
				continue
			}
			if run += plain(m.Text); run == want && run != "" {
				return true
			}
		}
	}
	return false
}

// notSent says why a reply was not sent, with the text kept.
func (c *Console) notSent(g *gin.Context, p reader, t handoff.Ticket, w draftReply, err error) error {
	refused, ok := errors.AsType[*bot.SendError](err)
	status := http.StatusConflict
	switch {
	case errors.Is(err, handoff.ErrTaken):
		return c.taken(g, p, t.ID, w)
	case errors.Is(err, handoff.ErrClosed):
		return c.closedMeanwhile(g, p, t.ID, w)
	case errors.Is(err, handoff.ErrEmpty):
		status, w.What = http.StatusUnprocessableEntity, p.Say("reply_empty")
	case errors.Is(err, handoff.ErrTooLong):
		status, w.What, w.Do = http.StatusUnprocessableEntity, p.Say("reply_too_long"), p.Say("in_parts")
	case ok && refused.Kind == bot.SendBlocked:
		w.What, w.Do = p.Say("blocked"), p.Say("blocked_do")
	case ok && refused.Kind == bot.SendUnwanted:
		w.What, w.Do = p.Say("unwanted"), p.Say("unwanted_do")
	case ok && refused.Kind == bot.SendWindowClosed:
		w.What, w.Do = p.Say("window_closed"), p.Say("window_closed_do")
	default:
		return err
	}
	return c.renderTicket(g, p, t, status, w)
}

func (c *Console) closedMeanwhile(g *gin.Context, p reader, id handoff.TicketID, w draftReply) error {
	t, err := c.ticketOf(g.Request.Context(), p, id)
	if err != nil {
		return err
	}
	w.What, w.Do = p.Say("closed_meanwhile"), p.Say("closed_meanwhile_do")
	return c.renderTicket(g, p, t, http.StatusConflict, w)
}

func (c *Console) note(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	w := draftReply{Note: strings.ReplaceAll(g.PostForm("note"), "\r\n", "\n")}
	err = c.desk.Note(g.Request.Context(), t.ID, agent(p), cut(g.PostForm("key"), 80), w.Note)
	switch {
	case errors.Is(err, handoff.ErrEmpty):
		w.NoteWrong = p.Say("note_empty")
	case errors.Is(err, handoff.ErrTooLong):
		w.NoteWrong = p.Say("note_too_long")
	case err != nil:
		return err
	default:
		c.Poke()
		return done(g, address+placeOf(g).query("done", "noted"))
	}
	return c.renderTicket(g, p, t, http.StatusUnprocessableEntity, w)
}

func (c *Console) close(g *gin.Context, p reader) error {
	t, _, err := c.acted(g, p)
	if err != nil {
		return err
	}
	return c.end(g, p, t, "closed", c.desk.Close)
}

func (c *Console) handBack(g *gin.Context, p reader) error {
	t, _, err := c.acted(g, p)
	if err != nil {
		return err
	}
	return c.end(g, p, t, "handed-back", c.desk.HandBack)
}

// reopen opens a ticket again that was just closed.
func (c *Console) reopen(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	err = c.desk.Reopen(g.Request.Context(), t.ID, agent(p))
	if errors.Is(err, handoff.ErrClosed) {
		return c.renderTicket(g, p, t, http.StatusConflict, draftReply{What: p.Say("reopen_other"), Do: p.Say("reopen_other_do")})
	}
	if err != nil {
		return err
	}
	c.Poke()
	return done(g, address+placeOf(g).query("done", "reopened"))
}

// end ends a ticket and goes on to the next, from where t stood when the form came.
func (c *Console) end(g *gin.Context, p reader, t handoff.Ticket, word string, do ending) error {
	err := do(g.Request.Context(), t.ID, agent(p))
	switch {
	case errors.Is(err, handoff.ErrTaken):
		return c.taken(g, p, t.ID, draftReply{})
	case err != nil:
		return err
	}
	c.Poke()
	next, err := c.next(g.Request.Context(), p, placeOf(g), t, "done", word, "undo", string(t.ID))
	if err != nil {
		return err
	}
	return done(g, next)
}

type ending func(context.Context, handoff.TicketID, handoff.AgentID) error
