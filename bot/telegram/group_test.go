package telegram

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/telegram/telegramtest"
)

// What a person writes to a group's member goes to the group only if Telegram refuses it in private: trouble on the way
// must not show it to everybody.
func TestSendToAMember(t *testing.T) {
	s := fake(t)
	c := newTest(t, s.URL())
	asked := s.MessageID(s.SayIn(-9, 71, "Ana & Co", "hello"))
	member := to(bot.InGroup("-9", "71"))
	send := func(r bot.Reply) error {
		r.Quote, r.To = strconv.FormatInt(asked, 10), "Ana & Co"
		_, err := c.Send(t.Context(), member, "d", r)
		return err
	}
	last := func(chat int64) telegramtest.SentMessage {
		list := s.Sent(chat)
		require.NotEmpty(t, list)
		return list[len(list)-1]
	}
	require.NoError(t, send(bot.Reply{Text: "of the bot"}))
	require.Equal(t, "of the bot", last(-9).Text)
	require.Equal(t, asked, last(-9).ReplyTo)
	require.NoError(t, send(bot.Reply{Text: "1 < 2", Agent: "ann"}))
	require.Equal(t, "Ana & Co,\n1 < 2", last(-9).Text, "she never opened the bot's own chat")
	require.Equal(t, []int64{71}, last(-9).Names)
	long := strings.Repeat("x", maxText)
	require.NoError(t, send(bot.Reply{Text: long, Agent: "ann"}))
	require.Equal(t, long, last(-9).Text, "no room for her name: the reply shows it")

	s.Know(71)
	n := len(s.Sent(-9))
	for _, f := range []telegramtest.Fault{{Code: http.StatusTooManyRequests, RetryAfter: 5}, {Code: http.StatusInternalServerError}, {Drop: true}, {HTML: true}} {
		f.Method, f.Chat = "sendMessage", 71
		s.Inject(f)
		require.Error(t, send(bot.Reply{Text: "for her alone", Agent: "ann"}))
	}
	require.NoError(t, send(bot.Reply{Text: "for her alone", Agent: "ann"}))
	require.Equal(t, "for her alone", last(71).Text)
	require.Zero(t, last(71).ReplyTo)
	require.Len(t, s.Sent(-9), n)
	s.Block(71)
	require.NoError(t, send(bot.Reply{Text: "in the group again", Agent: "ann"}))
	require.Equal(t, "Ana & Co,\nin the group again", last(-9).Text)

	s.Migrate(-9, -1009)
	require.NoError(t, send(bot.Reply{Text: "in the supergroup", Agent: "ann"}))
	require.Equal(t, "Ana & Co,\nin the supergroup", last(-1009).Text)
	require.Zero(t, last(-1009).ReplyTo)
	s.Inject(telegramtest.Fault{Method: "sendMessage", Chat: -9, Code: http.StatusForbidden, Description: "Forbidden: bot was kicked from the supergroup chat"})
	err := send(bot.Reply{Text: "nowhere", Agent: "ann"})
	se, ok := errors.AsType[*bot.SendError](err)
	require.True(t, ok)
	require.Equal(t, bot.SendBlocked, se.Kind)
}

// A profile picture is the smallest that a sharp screen needs, of whoever speaks: in a group the member.
func TestProfile(t *testing.T) {
	s := fake(t)
	c := newTest(t, s.URL())
	for _, customer := range []string{"71", bot.InGroup("-9", "71"), bot.InGroup("-9/5", "71")} {
		p, err := c.Profile(t.Context(), customer)
		require.NoError(t, err)
		require.Empty(t, p.Picture.File, "none is shown to us")
	}
	s.SetFace(71, []byte("face"))
	for _, customer := range []string{"71", bot.InGroup("-9", "71")} {
		p, err := c.Profile(t.Context(), customer)
		require.NoError(t, err)
		require.NotEmpty(t, p.Picture.File)
		require.NotContains(t, p.Picture.File, "-s", "90 pixels are too few")
	}
	p, err := c.Profile(t.Context(), "-9")
	require.NoError(t, err)
	require.Empty(t, p.Picture.File, "a group is nobody")
}
