package messenger

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/graphapi/graphtest"
)

const delivery = bot.DeliveryID("ABCDEFGHIJKLMNOPQRSTUVWXY2")

func to(customer string) bot.Address {
	return bot.Address{Channel: "messenger", Account: "main", Customer: customer}
}

func each2(t *testing.T, test func(t *testing.T, c *Channel, a *graphtest.Account)) {
	t.Helper()
	for _, kind := range []string{"messenger", "instagram"} {
		t.Run(kind, func(t *testing.T) {
			s, a := fake(t, kind)
			test(t, newTest(t, kind, s.URL()), a)
		})
	}
}

func TestSend(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		id, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: "1 < 2 *bold*"})
		require.NoError(t, err)
		sent := a.Sent(customer)
		require.Len(t, sent, 1)
		opaque := string(delivery)
		if c.instagram {
			opaque = ""
		}
		require.Equal(t, graphtest.Sent{ID: id, Customer: customer, Type: "text", Text: "1 < 2 *bold*", Opaque: opaque, At: sent[0].At}, sent[0])
		for _, nobody := range []string{"", "x", "1 2", strings.Repeat("1", 33)} {
			_, err := c.Send(t.Context(), to(nobody), delivery, bot.Reply{Text: "hi"})
			var se *bot.SendError
			require.ErrorAs(t, err, &se)
			require.Equal(t, bot.SendRefused, se.Kind)
		}
		_, err = c.Send(t.Context(), to("999"), delivery, bot.Reply{Text: "hi"})
		require.ErrorContains(t, err, "100/2018001")
	})
}

// Labels that a quick reply would cut are listed in the text, if it has room for them.
func TestSendChoices(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		send := func(r bot.Reply) graphtest.Sent {
			t.Helper()
			_, err := c.Send(t.Context(), to(customer), delivery, r)
			require.NoError(t, err)
			list := a.Sent(customer)
			return list[len(list)-1]
		}
		short := send(bot.Reply{Text: "Which?", Choices: []bot.Choice{{Label: "One", Payload: "e:1"}, {Label: "Exactly twenty chars", Payload: "e:2"}}})
		require.Equal(t, "Which?", short.Text)
		require.Equal(t, []graphtest.Button{{Title: "One", Payload: "e:1"}, {Title: "Exactly twenty chars", Payload: "e:2"}}, short.Buttons)
		choices := []bot.Choice{{Label: "How long does an approval take?", Payload: "e:1"}, {Label: "None of these", Payload: "none"}}
		long := send(bot.Reply{Text: "Which?", Choices: choices})
		require.Equal(t, "Which?\n1. How long does an approval take?\n2. None of these", long.Text)
		require.Equal(t, []graphtest.Button{{Title: "1. How long does an…", Payload: "e:1"}, {Title: "2. None of these", Payload: "none"}}, long.Buttons)
		full := strings.Repeat("x", c.Limits().Text)
		require.Equal(t, full, send(bot.Reply{Text: full, Choices: choices}).Text, "no room: the buttons say what they can")
	})
}

// After a day only people may write, under the tag that says so, and only for a week.
func TestHumanAgent(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		kind := func(r bot.Reply) bot.SendFailure {
			_, err := c.Send(t.Context(), to(customer), delivery, r)
			if err == nil {
				return ""
			}
			var se *bot.SendError
			require.ErrorAs(t, err, &se)
			return se.Kind
		}
		person, robot := bot.Reply{Text: "hi", Agent: "ann"}, bot.Reply{Text: "hi"}
		require.Empty(t, kind(person))
		a.CloseWindow(customer, 3*24*time.Hour)
		require.Equal(t, bot.SendWindowClosed, kind(robot))
		require.Empty(t, kind(person))
		sent := a.Sent(customer)
		require.Equal(t, []string{"", "HUMAN_AGENT"}, []string{sent[0].Tag, sent[1].Tag})
		a.CloseWindow(customer, 8*24*time.Hour)
		require.Equal(t, bot.SendWindowClosed, kind(person))
		a.CloseWindow(customer, 3*24*time.Hour)
		a.SetMoods(graphtest.Moods{NoAgent: true})
		require.Equal(t, bot.SendWindowClosed, kind(person), "an app without the feature must not stop the account")
	})
}

func TestCourtesies(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		require.NoError(t, c.Read(t.Context(), to(customer), "m_1"))
		require.NoError(t, c.Typing(t.Context(), to(customer)))
		require.Equal(t, 2, a.Typing(customer))
		a.Block(customer)
		require.Error(t, c.Typing(t.Context(), to(customer)))
	})
}

func TestRunSubscribes(t *testing.T) {
	each2(t, func(t *testing.T, c *Channel, a *graphtest.Account) {
		c.retry = time.Millisecond
		a.Inject(graphtest.Fault{Edge: "subscribed_apps", Code: 190, Times: 2})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		require.NoError(t, a.Wait(t.Context(), func() bool {
			return a.Calls("subscribed_apps") == 3 && (c.instagram || a.Calls("messenger_profile") == 1)
		}))
		stop()
		require.NoError(t, <-ended)
		require.Empty(t, c.checkSubscription(t.Context()), "with fields that the account's edge knows")
	})
}

func TestNewRefuses(t *testing.T) {
	good := Options{Page: "1", Token: testToken, Log: quiet()}
	for what, spoil := range map[string]func(*Options){
		"account's ID": func(o *Options) { o.Page = "CANARY" }, "app's ID": func(o *Options) { o.App = "CANARY" }, "token": func(o *Options) { o.Token = "" },
	} {
		o := good
		spoil(&o)
		_, err := New(bot.Account{Channel: "messenger", ID: "main"}, o)
		require.ErrorContains(t, err, what)
		require.ErrorContains(t, err, "messenger account main")
		require.NotContains(t, err.Error(), "CANARY")
	}
}

func TestInstagramBody(t *testing.T) {
	c := newTest(t, "instagram", "")
	events, err := c.Decode([]byte(`{"object":"instagram","entry":[{"id":"1234567890","messaging":[{"sender":{"id":"5"},"recipient":{"id":"1234567890"},"timestamp":1700000000000,"message":{"mid":"m","text":"hi"}}]}]}`))
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, bot.Address{Channel: "instagram", Account: "main", Customer: "5"}, events[0].Address)
	_, err = c.Decode([]byte(`{"object":"page","entry":[]}`))
	require.ErrorContains(t, err, "instagram")
}
