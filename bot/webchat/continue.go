package webchat

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/conversations"
)

// A way is another channel on which the visitor may go on, where the bot and people know what was said here.
type way struct{ Key, Name string }

// ways are the other channels that conv's customer, or whoever begins here, may go on in.
func (s *Site) ways(ctx context.Context, c *Channel, conv bot.Conversation) (list []way, err error) {
	if conv.ID == "" {
		conv = bot.Conversation{Address: c.address(""), Affiliate: c.account.Owner()}
	}
	where, err := s.o.Conversations.Destinations(ctx, conv)
	for _, d := range where {
		list = append(list, way{Key: d.Key, Name: s.o.Called(d.Channel)})
	}
	return list, err
}

// goOn gives the visitor a link of their own to another channel.
func (s *Site) goOn(v *visit) {
	who, r := s.open(v, formMost)
	if r == nil {
		if wait := s.messages.Take(v.channel.account.ID + "\x00" + who.customer); wait > 0 {
			limited := slow(wait)
			r = &limited
		}
	}
	var to way
	var address string
	if r == nil {
		to, address, r = s.link(v, who, v.Request.PostForm.Get("to"))
	}
	if r != nil || !v.script {
		s.finish(v, who, r, saying{way: to, wayTo: address})
		return
	}
	v.JSON(http.StatusOK, gin.H{"url": address})
}

// link makes the link to one of the ways.
func (s *Site) link(v *visit, who visitor, key string) (to way, address string, r *refusal) {
	ctx := v.Request.Context()
	conv, err := s.o.Conversations.Find(ctx, v.channel.address(who.customer))
	if errors.Is(err, bot.ErrNotFound) {
		return to, "", &refusal{status: http.StatusBadRequest, word: "err_empty"}
	}
	if err == nil {
		address, err = s.o.Conversations.Link(ctx, conv.ID, key, "")
	}
	if errors.Is(err, conversations.ErrNoLink) {
		return to, "", &refusal{status: http.StatusBadRequest, word: "err_way"}
	}
	if err != nil {
		s.broken(v, "cannot link a visitor to another channel", err)
		return to, "", &refusal{status: http.StatusBadGateway, word: "err_way"}
	}
	channel, _, _ := strings.Cut(key, "/")
	return way{Key: key, Name: s.o.Called(channel)}, address, nil
}
