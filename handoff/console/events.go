package console

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/handoff"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/people"
)

// writeWithin bounds one write to a stream: a browser that does not read is gone.
const writeWithin = 15 * time.Second

// events is the stream of a page: "changed" when something in a list may be another, "here" when
// the ticket or conversation that the page shows is.
func (c *Console) events(g *gin.Context, p people.Person) error {
	ctx := g.Request.Context()
	l := &listener{person: p}
	if id := g.Query("ticket"); id != "" {
		t, err := c.ticketOf(ctx, p, handoff.TicketID(id))
		if err != nil {
			return err
		}
		l.ticket = t.ID
		if l.shown, err = c.shown(ctx, t.Conversation); err != nil {
			return err
		}
	} else if id := g.Query("conversation"); id != "" {
		conv, err := c.conversationOf(ctx, p, bot.ConversationID(id))
		if err != nil {
			return err
		}
		if l.shown, err = c.shown(ctx, conv.ID); err != nil {
			return err
		}
	}
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

// shown are the conversations on the page of one: all of its customer's.
func (c *Console) shown(ctx context.Context, id bot.ConversationID) (list []bot.ConversationID, err error) {
	conv, err := c.conversations.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	identities, err := c.conversations.Identities(ctx, conv)
	for _, i := range identities {
		list = append(list, i.ID)
	}
	return list, err
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
			if here && len(l.shown) > 0 {
				text += "event: here\ndata: conversation\n\n"
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
