package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"faqbot/bot/store"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// What leads do with a customer's data, as the audit names it.
const (
	ActionExport people.Action = "export a customer"
	ActionForget people.Action = "erase a customer"
)

// askForget offers all there is of a customer as a file, and asks whether to erase them.
func (c *Console) askForget(g *gin.Context, p reader) error {
	conv, err := c.forLead(g, p)
	if err != nil {
		return err
	}
	address := "/desk/conversations/" + url.PathEscape(string(conv.ID))
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "confirm", confirmView{Keep: p.Say("forget_keep"),
		Title: p.Say("forget_title", "who", cut(p.whoOf(conv), 60)),
		Words: p.Say("forget_words"), Safe: p.Say("forget_safe"), Download: address + "/export",
		Action: address + "/forget", Button: p.Say("forget_button"), Back: address})
}

func (c *Console) export(g *gin.Context, p reader) error {
	conv, err := c.forLead(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	if err := c.o.Record(ctx, p.ID, ActionExport, "conversation "+string(conv.ID)); err != nil {
		return err
	}
	g.Header("Content-Type", "application/zip")
	g.Header("Content-Disposition", `attachment; filename="customer-`+string(conv.ID)+`.zip"`)
	return c.desk.Export(ctx, conv.Customer, g.Writer)
}

func (c *Console) forget(g *gin.Context, p reader) error {
	conv, err := c.forLead(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	err = c.desk.Forget(ctx, conv.Customer)
	if errors.Is(err, store.ErrUnread) {
		c.fail(g, http.StatusConflict, p.Say("forget_unread_title"), page.Problem{What: p.Say("forget_unread"), Do: p.Say("try_again")})
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.o.Record(ctx, p.ID, ActionForget, "conversation "+string(conv.ID)); err != nil {
		return err
	}
	c.Poke()
	return done(g, "/desk/conversations?done=forgotten")
}
