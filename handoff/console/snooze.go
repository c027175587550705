package console

import (
	"errors"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/handoff"
	"faqbot/knowledge/page"
)

// maxSnooze is the longest a ticket may be out of the lists.
const maxSnooze = 90 * 24 // hours

// snoozeSpans are for how many hours a ticket may be snoozed with one click.
func (p reader) snoozeSpans() []page.Option {
	return []page.Option{{Value: "1", Label: p.Say("snooze_hour")}, {Value: "4", Label: p.Say("snooze_hours", "n", 4)}, {Value: "24", Label: p.Say("snooze_day")},
		{Value: "72", Label: p.Say("snooze_days", "n", 3)}, {Value: "168", Label: p.Say("snooze_days", "n", 7)}}
}

// snooze puts a ticket out of the lists for some hours and goes on to the next; for none it puts it back.
func (c *Console) snooze(g *gin.Context, p reader) error {
	t, address, err := c.acted(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	hours, err := strconv.Atoi(g.PostForm("hours"))
	if err != nil || hours < 0 || hours > maxSnooze {
		hours = 0
	}
	err = c.desk.Snooze(ctx, t.ID, agent(p), c.o.Now().Add(time.Duration(hours)*time.Hour))
	switch {
	case isTaken(err):
		return c.taken(g, p, t.ID, draftReply{})
	case errors.Is(err, handoff.ErrClosed):
		return c.closedMeanwhile(g, p, t.ID, draftReply{})
	case err != nil:
		return err
	}
	c.Poke()
	if hours == 0 {
		return done(g, address+placeOf(g).query("done", "woke"))
	}
	next, err := c.next(ctx, p, placeOf(g), t, "done", "snoozed")
	if err != nil {
		return err
	}
	return done(g, next)
}
