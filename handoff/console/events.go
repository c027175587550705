package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/people"
)

// writeWithin bounds one write to a stream: a browser that does not read is gone.
const writeWithin = 15 * time.Second

// maxTopics is how many tabs of one browser are told what becomes of the ticket they show; those after
// them poll.
const maxTopics = 30

// events is the stream of all tabs of a browser: "changed" when something in a list may be another,
// "here" with the name of a topic when the ticket or conversation that a page shows is.
func (c *Console) events(g *gin.Context, p people.Person) error {
	shown, err := c.topics(g, p)
	if err != nil {
		return err
	}
	l := &listener{person: p, shown: shown}
	release, ok := c.streams.Take(limits.Bound{Key: "all", Max: limits.MaxDeskStreams}, limits.Bound{Key: "person\x00" + string(p.ID), Max: limits.MaxPersonStreams},
		limits.Bound{Key: "address\x00" + limits.Network(g.ClientIP()), Max: limits.MaxDeskAtOneAddress})
	if !ok {
		g.Header("Retry-After", "30")
		g.String(http.StatusTooManyRequests, "Too many of the desk's pages are open. Close some; the pages work without this stream, too.\n")
		return nil
	}
	defer release()
	s := stream{w: g.Writer, control: http.NewResponseController(g.Writer)}
	_ = s.control.SetReadDeadline(time.Time{}) // a server's ReadTimeout is for requests that end; not every writer has one
	h := g.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold it back
	// Not all at once after a restart.
	if err := s.write(fmt.Sprintf("retry: %d\n\n", 1000+rand.IntN(2000))); err != nil {
		return nil
	}
	c.hub.join(l)
	defer c.hub.leave(l)
	return c.stream(g, l, s)
}

// topics are what the tabs show. One of several that is not there, or not p's, is left out; a stream of
// nothing else is refused.
func (c *Console) topics(g *gin.Context, p people.Person) (list []topic, err error) {
	var missing error
	for _, kind := range []string{"ticket", "conversation"} {
		for _, id := range g.QueryArray(kind) {
			if len(list) == maxTopics {
				return list, nil
			}
			t, err := c.topicOf(g.Request.Context(), p, kind, id)
			switch {
			case errors.Is(err, handoff.ErrNotFound), errors.Is(err, bot.ErrNotFound):
				missing = err
			case err != nil:
				return nil, err
			default:
				list = append(list, t)
			}
		}
	}
	if len(list) == 0 {
		return nil, missing
	}
	return list, nil
}

func (c *Console) topicOf(ctx context.Context, p people.Person, kind, id string) (t topic, err error) {
	t.name = kind + "=" + url.QueryEscape(id)
	var conv bot.Conversation
	if kind == "ticket" {
		var tk handoff.Ticket
		if tk, err = c.ticketOf(ctx, p, handoff.TicketID(id)); err == nil {
			t.ticket = tk.ID
			conv, err = c.conversations.Get(ctx, tk.Conversation)
		}
	} else {
		conv, err = c.conversationOf(ctx, p, bot.ConversationID(id))
	}
	if err != nil {
		return t, err
	}
	identities, err := c.conversations.Identities(ctx, conv)
	for _, i := range identities {
		t.conversations = append(t.conversations, i.ID)
	}
	return t, err
}

// stream writes what l is told until either side ends it.
func (c *Console) stream(g *gin.Context, l *listener, s stream) error {
	beat := time.NewTicker(c.o.Beat)
	defer beat.Stop()
	for {
		text := ""
		select {
		case <-g.Request.Context().Done():
			return nil
		case <-c.hub.done:
			return nil
		case <-beat.C:
			// Whoever signed out, or may see less by now, begins anew.
			if p, ok := c.o.Who(g.Request); !ok || !same(p, l.person) {
				return nil
			}
			text = ":\n\n"
		case <-l.wake:
			list, here := c.hub.heard(l)
			if list {
				text += "event: changed\ndata: list\n\n"
			}
			for _, name := range here {
				text += "event: here\ndata: " + name + "\n\n"
			}
		}
		if err := s.write(text); err != nil {
			return nil // the browser is gone
		}
	}
}

// A stream is a response that is written bit by bit.
type stream struct {
	w       io.Writer
	control *http.ResponseController
}

func (s stream) write(text string) error {
	if text == "" {
		return nil
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer has one
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	return s.control.Flush()
}
