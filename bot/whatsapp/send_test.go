package whatsapp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/graphapi/graphtest"
)

const delivery = bot.DeliveryID("ABCDEFGHIJKLMNOPQRSTUVWXY2")

func to(customer string) bot.Address {
	return bot.Address{Channel: "whatsapp", Account: "main", Customer: customer}
}

func TestSend(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	id, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: "1 < 2 *bold* https://x.example/a", Quote: "wamid.IN"})
	require.NoError(t, err)
	sent := a.Sent(customer)
	require.Len(t, sent, 1)
	require.Equal(t, graphtest.Sent{ID: id, Customer: customer, Type: "text", Text: "1 < 2 *bold* https://x.example/a", Context: "wamid.IN", Opaque: string(delivery), At: sent[0].At}, sent[0])
}

// Whoever hides their number is written to by their user ID; anything else is nobody's address.
func TestSendTo(t *testing.T) {
	s, a := fake(t)
	a.Hide(customer)
	c := newTest(t, s.URL())
	_, err := c.Send(t.Context(), to(graphtest.BSUID(customer)), delivery, bot.Reply{Text: "hi"})
	require.NoError(t, err)
	require.Len(t, a.Sent(customer), 1)
	for _, nobody := range []string{"", "+16505551234", "1650", "somebody", "US.", "us.1", "US.1/2", strings.Repeat("1", 21)} {
		_, err := c.Send(t.Context(), to(nobody), delivery, bot.Reply{Text: "hi"})
		var se *bot.SendError
		require.ErrorAs(t, err, &se)
		require.Equal(t, bot.SendRefused, se.Kind, nobody)
	}
	require.Equal(t, 1, a.Calls("messages"))
}

func TestSendChoices(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	send := func(text string, labels ...string) graphtest.Sent {
		t.Helper()
		r := bot.Reply{Text: text}
		for _, l := range labels {
			r.Choices = append(r.Choices, bot.Choice{Label: l, Payload: "e:" + l[:2]})
		}
		fitted := fit.Split(r, c.Limits())
		require.Len(t, fitted, 1)
		_, err := c.Send(t.Context(), to(customer), delivery, fitted[0])
		require.NoError(t, err)
		list := a.Sent(customer)
		return list[len(list)-1]
	}
	buttons := send("Which?", "One", "Two", "Three, twenty chars.")
	require.Equal(t, "buttons", buttons.Type)
	require.Equal(t, []graphtest.Button{{Title: "One", Payload: "e:On"}, {Title: "Two", Payload: "e:Tw"}, {Title: "Three, twenty chars.", Payload: "e:Th"}}, buttons.Buttons)

	list := send("Which?", "How long does an approval take?", "bHow long does an approval take?", "None of these")
	require.Equal(t, "list", list.Type, "no label is cut where a list has room for it")
	require.Equal(t, []graphtest.Button{
		{Title: "1. How long does an app…", Payload: "e:Ho", Description: "How long does an approval take?"},
		{Title: "2. bHow long does an ap…", Payload: "e:bH", Description: "bHow long does an approval take?"},
		{Title: "None of these", Payload: "e:No"}}, list.Buttons)
	require.Equal(t, "list", send("Which?", "a1", "b2", "c3", "d4").Type, "more than three")
	_, err := c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: "Which?", Choices: []bot.Choice{{Label: "same", Payload: "e:1"}, {Label: "same", Payload: "e:2"}}})
	require.NoError(t, err)
	alike := a.Sent(customer)[len(a.Sent(customer))-1]
	require.Equal(t, []graphtest.Button{{Title: "same", Payload: "e:1"}, {Title: "2. same", Payload: "e:2", Description: "same"}}, alike.Buttons, "no two alike")
	require.Equal(t, "list", send(strings.Repeat("x", 1025), "One").Type, "more text than buttons carry")
	require.Equal(t, "buttons", send(strings.Repeat("x", 1024), "One").Type)
}

func TestRead(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	m, _ := a.Message(customer, map[string]any{"type": "text"})
	require.NoError(t, c.Read(t.Context(), to(customer), m["id"].(string)))
	require.Equal(t, 1, a.Typing(customer))
	require.Error(t, c.Read(t.Context(), to(customer), "wamid.unknown"))
}

func TestTemplates(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	a.SetTemplates(
		graphtest.Template{Name: "update", Language: "en_US", Category: "UTILITY", Status: "APPROVED", Body: "Hi {{1}}, order {{2}} is on its way."},
		graphtest.Template{Name: "named", Language: "pt_BR", Category: "UTILITY", Status: "APPROVED", Body: "Oi {{nome}}", Named: true},
		graphtest.Template{Name: "plain", Language: "es", Category: "MARKETING", Status: "APPROVED", Body: "Hola", Header: "TEXT"},
		graphtest.Template{Name: "paused", Language: "es", Status: "PAUSED", Body: "Hola"},
		graphtest.Template{Name: "picture", Language: "es", Status: "APPROVED", Body: "Hola", Header: "IMAGE"},
		graphtest.Template{Name: "code", Language: "es", Status: "APPROVED", Category: "AUTHENTICATION", Body: "{{1}}"},
		graphtest.Template{Name: "reversed", Language: "en", Status: "APPROVED", Body: "{{2}} before {{1}}"})
	list, err := c.Templates(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 7, "all pages are read")
	require.Equal(t, bot.Template{Name: "update", Language: "en_US", Category: "UTILITY", Text: "Hi {{1}}, order {{2}} is on its way.", Variables: []string{"1", "2"}}, list[0])
	for i, problem := range map[int]string{3: "paused", 4: "needs a file", 5: "one-time codes"} {
		require.Contains(t, list[i].Problem, problem)
	}
	calls := a.Calls("message_templates")
	_, err = c.Templates(t.Context())
	require.NoError(t, err)
	require.Equal(t, calls, a.Calls("message_templates"), "the list is kept for a while")

	a.CloseWindow(customer, 48*time.Hour)
	want := map[int]string{0: "Hi Ann, order 7 is on its way.", 1: "Oi Ann", 2: "Hola", 6: "7 before Ann"}
	for i, words := range want {
		values := []string{"Ann", "7"}[:len(list[i].Variables)]
		filled, text, err := list[i].Fill(values)
		require.NoError(t, err)
		require.Equal(t, words, text)
		_, err = c.Send(t.Context(), to(customer), delivery, bot.Reply{Text: text, Template: &filled})
		require.NoError(t, err)
		sent := a.Sent(customer)
		require.Equal(t, words, sent[len(sent)-1].Text)
	}
	a.Inject(graphtest.Fault{Edge: "message_templates", Code: 190, Status: 401})
	c.read = time.Time{}
	_, err = c.Templates(t.Context())
	require.ErrorContains(t, err, "make a new one and set it")
}

func TestRunSubscribes(t *testing.T) {
	s, a := fake(t)
	c := newTest(t, s.URL())
	c.retry = time.Millisecond
	a.Inject(graphtest.Fault{Edge: "subscribed_apps", Code: 190, Times: 2})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	require.NoError(t, a.Wait(t.Context(), func() bool { return a.Calls("subscribed_apps") == 3 }))
	stop()
	require.NoError(t, <-ended)
}

func TestNewRefuses(t *testing.T) {
	good := Options{Number: "1", Token: testToken, Log: quiet()}
	for what, spoil := range map[string]func(*Options){
		"phone number ID": func(o *Options) { o.Number = "+1 650 CANARY" }, "business account ID": func(o *Options) { o.Business = "CANARY" },
		"token": func(o *Options) { o.Token = "" }, "api_base": func(o *Options) { o.APIBase = "CANARY" }, "api_version": func(o *Options) { o.APIVersion = "CANARY" },
	} {
		o := good
		spoil(&o)
		_, err := New(bot.Account{ID: "main"}, o)
		require.ErrorContains(t, err, what)
		require.ErrorContains(t, err, "main")
		require.NotContains(t, err.Error(), "CANARY")
	}
}

func TestChallenge(t *testing.T) {
	c := newTest(t, "")
	answer, ok := c.Challenge(url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {"v3rify"}, "hub.challenge": {"42"}})
	require.True(t, ok)
	require.Equal(t, "42", answer)
	require.Error(t, c.Verify(http.Header{}, nil))
}
