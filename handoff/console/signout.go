package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/knowledge/people"
)

// ActionSignOut is in the audit when somebody signs a chat visitor out.
const ActionSignOut people.Action = "sign a visitor out"

// errNotChat means that the customer is on a network, which signs its people in itself.
var errNotChat = errors.New("not in the chat on a page")

// inChat reports whether a conversation is in the chat on a page, where we sign visitors in ourselves.
func inChat(conv bot.Conversation) bool { return conv.Address.Channel == "webchat" }

// signOutable is the conversation whose visitor p asks to sign out.
func (c *Console) signOutable(g *gin.Context, p reader) (bot.Conversation, error) {
	conv, err := c.forLead(g, p)
	if err == nil && !inChat(conv) {
		err = errNotChat
	}
	return conv, err
}

func (c *Console) askSignOut(g *gin.Context, p reader) error {
	conv, err := c.signOutable(g, p)
	if err != nil {
		return err
	}
	address := "/desk/conversations/" + url.PathEscape(string(conv.ID))
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "confirm", confirmView{Keep: p.Say("signout_keep"),
		Title:  p.Say("signout_title", "who", cut(p.whoOf(conv), 60)),
		Words:  p.Say("signout_words"),
		Action: address + "/sign-out", Button: p.Say("signout_button"), Back: address})
}

func (c *Console) signOut(g *gin.Context, p reader) error {
	conv, err := c.signOutable(g, p)
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	if err := c.conversations.SignOutVisitor(ctx, conv); err != nil {
		return err
	}
	if err := c.o.Record(ctx, p.ID, ActionSignOut, "conversation "+string(conv.ID)); err != nil {
		return err
	}
	return done(g, "/desk/conversations/"+url.PathEscape(string(conv.ID))+"?done=signed-out")
}
