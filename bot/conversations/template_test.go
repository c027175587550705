package conversations_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
)

// A templated recorder knows templates.
type templated struct {
	*bottest.Recorder
	list []bot.Template
	err  error
}

func (c templated) Templates(context.Context) ([]bot.Template, error) { return c.list, c.err }

// Outside the window a template goes out, and what is wrong with one is said before anything is stored.
func TestSayTemplate(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Channel.Capacity.Window = 24 * time.Hour
		c := templated{Recorder: w.Channel, list: []bot.Template{
			{Name: "update", Language: "en", Text: "Hi {{name}}, order {{order}} is on its way.", Variables: []string{"name", "order"}},
			{Name: "update", Language: "es", Text: "Hola {{1}}", Variables: []string{"1"}},
			{Name: "paused", Language: "en", Problem: "WhatsApp has not approved it: paused"}}}
		w.Accounts.Put(w.Account, c)
		e := bottest.Message("c", "u1", "hello")
		e.At = time.Now().Add(-30 * time.Hour)
		w.Accept(e)
		id := w.Conversation("c").ID
		conversations := w.Conversations()
		for _, wrong := range []struct {
			name, language string
			values         []string
			says           string
		}{
			{"update", "fr", nil, "no template update in fr"},
			{"update", "en", []string{"Ann"}, "needs 2 values, not 1"},
			{"update", "en", []string{"Ann", "a\nb"}, "{{order}} needs words"},
			{"update", "en", []string{"Ann", " "}, "{{order}} needs words"},
			{"paused", "en", nil, "not approved"},
		} {
			err := conversations.SayTemplate(t.Context(), id, "k", "ann", wrong.name, wrong.language, wrong.values)
			var se *bot.SendError
			require.ErrorAs(t, err, &se)
			require.Equal(t, bot.SendRefused, se.Kind)
			require.ErrorContains(t, err, wrong.says)
		}
		var se *bot.SendError
		require.ErrorAs(t, conversations.Say(t.Context(), id, "k", bot.Reply{Text: "hi", Agent: "ann"}), &se)
		require.Equal(t, bot.SendWindowClosed, se.Kind)
		require.Equal(t, 0, w.Count(`SELECT COUNT(*) FROM deliveries`))

		for range 2 {
			require.NoError(t, conversations.SayTemplate(t.Context(), id, "k", "ann", "update", "en", []string{"Ann", "{{name}} 7"}))
		}
		w.Run(w.Courier().Run)
		w.Soon("sent", func() bool { return len(w.Channel.Texts("c")) == 1 })
		require.Equal(t, []string{"Hi Ann, order {{name}} 7 is on its way."}, w.Channel.Texts("c"))
		w.Channel.Mu.Lock()
		defer w.Channel.Mu.Unlock()
		require.Equal(t, &bot.Filled{Name: "update", Language: "en", Values: []bot.Value{{Variable: "name", Text: "Ann"}, {Variable: "order", Text: "{{name}} 7"}}}, w.Channel.Sent["c"][0].Template)
	})
}

// A template to a customer who blocked the account is refused, and nothing is stored.
func TestTemplateToWhoBlockedUs(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accounts.Put(w.Account, templated{Recorder: w.Channel, list: []bot.Template{{Name: "update", Language: "en", Text: "Hi"}}})
		blocked := bottest.Message("c", "u2", "")
		blocked.Message, blocked.BlockChanged = nil, &bot.BlockChanged{Blocked: true}
		w.Accept(bottest.Message("c", "u1", "hello"), blocked)
		id := w.Conversation("c").ID
		var se *bot.SendError
		require.ErrorAs(t, w.Conversations().SayTemplate(t.Context(), id, "k", "ann", "update", "en", nil), &se)
		require.Equal(t, bot.SendBlocked, se.Kind)
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM deliveries`))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM messages WHERE author = 'agent'`))
	})
}

func TestTemplatesFail(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "hello"))
		id := w.Conversation("c").ID
		list, err := w.Conversations().Templates(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, list, "this network has none")
		w.Accounts.Put(w.Account, templated{Recorder: w.Channel, err: errors.New("no connection")})
		require.ErrorContains(t, w.Conversations().SayTemplate(t.Context(), id, "k", "ann", "x", "en", nil), "no connection")
	})
}
