package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/knowledge/page"
)

const talksPerPage = 50

// fillTalks puts the conversations of in.Place into in, the most recently active first.
func (c *Console) fillTalks(ctx context.Context, p reader, in *inbox) error {
	at := in.Place
	in.Empty = page.Empty{Title: p.Say("empty_talks_title"), Words: p.Say("empty_talks")}
	if at.Q != "" {
		in.Empty = page.Empty{Title: p.Say("empty_found_title"), Words: p.Say("empty_found"), Href: place{Show: "talks", Of: at.Of}.list(), Action: p.Say("empty_found_go")}
	}
	s := bot.Search{Affiliates: scope(p, at), Words: at.Q, Limit: 2*talksPerPage + 1}
	after, id := cursorOf(at.At)
	if !after.IsZero() {
		s.Before = after.Add(time.Millisecond)
		newest := at
		newest.At = ""
		in.Newer = newest.list()
	}
	list, err := c.conversations.List(ctx, s)
	if err != nil {
		return err
	}
	if err := c.fillTicket(ctx, p, in); err != nil {
		return err
	}
	n := 0
	for _, talk := range list { // those as late as the last row of the page before, up to it, stood there
		if talk.ActiveAt.Equal(after) && talk.ID <= id {
			continue
		}
		if n == talksPerPage {
			older := at
			last := in.Rows[len(in.Rows)-1]
			older.At = fmt.Sprintf("%d.%s", last.When.UnixMilli(), last.ID)
			in.Older = older.list()
			break
		}
		in.Rows = append(in.Rows, talkRow(p, talk, in))
		n++
	}
	return nil
}

// fillTicket puts the ticket in front whose number is searched for.
func (c *Console) fillTicket(ctx context.Context, p reader, in *inbox) error {
	if in.Place.Q == "" || in.Place.At != "" {
		return nil
	}
	t, err := c.ticketOf(ctx, p, handoff.TicketID(strings.ToUpper(strings.TrimSpace(in.Place.Q))))
	if errors.Is(err, handoff.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	conv, err := c.conversations.Get(ctx, t.Conversation)
	if err == nil {
		in.Rows = append(in.Rows, c.ticketRow(p, t, conv, in))
	}
	return err
}

// cursorOf reads where a page of conversations begins: after the one with that time and ID.
func cursorOf(s string) (time.Time, bot.ConversationID) {
	ms, id, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, ""
	}
	return time.UnixMilli(n).UTC(), bot.ConversationID(id)
}

func talkRow(p reader, s bot.Summary, in *inbox) listed {
	l := listed{ID: string(s.ID), Href: "/desk/conversations/" + url.PathEscape(string(s.ID)) + in.Place.query(), Who: p.whoOf(s.Conversation),
		Icon: channelIcon(s.Address.Channel), Channel: accounts.Label(s.Address.Channel), Words: cut(s.Last.Text, 160),
		When: s.ActiveAt, Current: string(s.ID) == in.Current}
	if files := s.Last.Attachments; l.Words == "" && len(files) > 0 {
		l.Words = cut(p.thing(files[0]), 160)
	} else if l.Words == "" {
		l.Words = p.Say("no_words")
	}
	if s.Mode == bot.ModePerson {
		l.With = p.Say("with_person")
	}
	return l
}

func talksPlace(g *gin.Context) place {
	at := placeOf(g)
	at.Show = "talks"
	return at
}

func (c *Console) showConversations(g *gin.Context, p reader) error {
	return c.showInbox(g, p, talksPlace(g))
}

func (c *Console) partConversations(g *gin.Context, p reader) error {
	return c.renderInbox(g, p, talksPlace(g))
}

func (c *Console) showConversation(g *gin.Context, p reader) error {
	conv, err := c.conversationOf(g.Request.Context(), p, bot.ConversationID(g.Param("conversation")))
	if err != nil {
		return err
	}
	return c.renderConversation(g, p, conv, http.StatusOK, draftReply{})
}

func (c *Console) renderConversation(g *gin.Context, p reader, conv bot.Conversation, status int, w draftReply) error {
	v, err := c.look(g.Request.Context(), p, talksPlace(g), conv, "")
	if err != nil {
		return err
	}
	if err := c.lookJudged(g, &v, conv); err != nil {
		return err
	}
	v.Writes = w
	return c.renderCase(g, p, talksPlace(g), status, v)
}

func (c *Console) partConversation(g *gin.Context, p reader) error {
	ctx := g.Request.Context()
	conv, err := c.conversationOf(ctx, p, bot.ConversationID(g.Param("conversation")))
	if err != nil {
		return err
	}
	v, err := c.look(ctx, p, talksPlace(g), conv, "")
	if err != nil {
		return err
	}
	return c.renderSaid(g, p, v)
}

// stepIn gives the conversation to the person, with a ticket.
func (c *Console) stepIn(g *gin.Context, p reader) error {
	ctx := g.Request.Context()
	conv, err := c.conversationOf(ctx, p, bot.ConversationID(g.Param("conversation")))
	if err != nil {
		return err
	}
	id, err := c.desk.StepIn(ctx, conv.ID, agent(p))
	if errors.Is(err, handoff.ErrTaken) {
		return c.renderConversation(g, p, conv, http.StatusConflict, draftReply{What: p.Say("talk_taken"), Do: p.Say("talk_taken_do")})
	}
	if err != nil {
		return err
	}
	c.Poke()
	return done(g, "/desk/tickets/"+url.PathEscape(string(id))+talksPlace(g).query("done", "stepped-in"))
}
