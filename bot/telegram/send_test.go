package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/bot/telegram/telegramtest"
)

const canary = "CANARY-words"

func fake(t testing.TB) *telegramtest.Server {
	t.Helper()
	s := telegramtest.New(testToken)
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func to(customer string) bot.Address {
	return bot.Address{Channel: "telegram", Account: "main", Customer: customer}
}

// failure sends through c and returns the failure, which must hold no secrets.
func failure(t *testing.T, ctx context.Context, c *Channel, customer string) *bot.SendError {
	t.Helper()
	id, err := c.Send(ctx, to(customer), "d", bot.Reply{Text: canary})
	require.Error(t, err)
	require.Empty(t, id)
	require.NotContains(t, err.Error(), "CANARY")
	se, ok := errors.AsType[*bot.SendError](err)
	require.True(t, ok, "%T", err)
	return se
}

func TestSend(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL()+"/")
	require.Equal(t, bot.Limits{Text: 4096, Media: true, Caption: 1024, Choices: 10, Label: 60, Pace: time.Second, Resend: true}, c.Limits())
	id, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "1 < 2 && <b>3</b> &amp; https://ex.com/?a=1&b=2\n\"quoted\" &#64;",
		Choices: []bot.Choice{{Label: "A <b>", Payload: "entry:1"}, {Label: "B", Payload: strings.Repeat("é", 32)}}})
	require.NoError(t, err)
	sent := s.Sent(5)
	require.Len(t, sent, 1)
	require.Equal(t, fmt.Sprint(sent[0].ID), id)
	require.Equal(t, "1 < 2 && <b>3</b> &amp; https://ex.com/?a=1&b=2\n\"quoted\" &#64;", sent[0].Text)
	require.True(t, sent[0].HTML)
	require.Equal(t, []telegramtest.Button{{Text: "A <b>", Data: "entry:1"}, {Text: "B", Data: strings.Repeat("é", 32)}}, sent[0].Buttons)

	require.NoError(t, c.Typing(t.Context(), to("5")))
	require.Equal(t, 1, s.Actions(5))
}

func TestSendToTopic(t *testing.T) {
	s := fake(t)
	s.Know(-100777)
	_, err := newTest(t, s.URL()).Send(t.Context(), to("-100777/7"), "d", bot.Reply{Text: "hi"})
	require.NoError(t, err)
	require.EqualValues(t, 7, s.Sent(-100777)[0].Thread)
}

// The longest text that Fit leaves in one piece is the longest that Telegram takes, whatever it is
// made of.
func TestSendLongest(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	n := 0
	for _, text := range []string{strings.Repeat("&", 4096), strings.Repeat("😀", 2048), "x" + strings.Repeat("😀", 2048),
		strings.Repeat("<b>", 3000), strings.Repeat("ж", 4097), strings.Repeat("a😀 ", 5000)} {
		var got strings.Builder
		parts := fit.Split(bot.Reply{Text: text}, c.Limits())
		for _, r := range parts {
			_, err := c.Send(t.Context(), to("5"), "d", r)
			require.NoError(t, err)
		}
		n += len(parts)
		sent := s.Sent(5)
		require.Len(t, sent, n)
		for _, m := range sent[n-len(parts):] {
			got.WriteString(m.Text)
		}
		require.Equal(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(got.String(), " ", ""))
	}
	_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: strings.Repeat("😀", 2048) + "x"})
	require.ErrorContains(t, err, "message is too long")
}

func TestSendFailures(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault telegramtest.Fault
		want  bot.SendFailure
		code  string
		after time.Duration
	}{
		{"throttled", telegramtest.Fault{Code: 429, RetryAfter: 5000}, bot.SendThrottled, "429 too many requests", 5000 * time.Second},
		{"throttled, not told how long", telegramtest.Fault{Code: 429}, bot.SendThrottled, "429 too many requests", time.Second},
		{"blocked", telegramtest.Fault{Code: 403}, bot.SendBlocked, "403 bot was blocked by the user", 0},
		{"gone", telegramtest.Fault{Code: 403, Description: "Forbidden: user is deactivated"}, bot.SendBlocked, "403 user is deactivated", 0},
		{"kicked", telegramtest.Fault{Code: 403, Description: "Forbidden: bot was kicked from the supergroup chat"}, bot.SendBlocked, "403 bot was kicked", 0},
		{"never wrote", telegramtest.Fault{Code: 403, Description: "Forbidden: bot can't initiate conversation with a user"}, bot.SendBlocked,
			"403 can't initiate conversation", 0},
		{"revoked", telegramtest.Fault{Code: 401}, bot.SendMisconfigured, "401 unauthorized", 0},
		{"no such token", telegramtest.Fault{Code: 404}, bot.SendMisconfigured, "404", 0},
		{"conflict", telegramtest.Fault{Code: 409}, bot.SendMisconfigured, "409 terminated by other getupdates", 0},
		{"no chat", telegramtest.Fault{Code: 400, Description: "Bad Request: CHAT NOT FOUND"}, bot.SendRefused, "400 chat not found", 0},
		{"raw code", telegramtest.Fault{Code: 400, Description: "Bad Request: CHAT_WRITE_FORBIDDEN"}, bot.SendRefused, "400 chat_write_forbidden", 0},
		{"unknown", telegramtest.Fault{Code: 400, Description: "Bad Request: what is " + canary}, bot.SendRefused, "400", 0},
		{"too large", telegramtest.Fault{Code: 413}, bot.SendRefused, "413", 0},
		{"misdirected", telegramtest.Fault{Code: 421}, bot.SendUnknown, "421", 0},
		{"500", telegramtest.Fault{Code: 500, Description: "Internal Server Error: " + canary}, bot.SendUnknown, "500", 0},
		{"500, sent", telegramtest.Fault{Code: 500, Accept: true}, bot.SendUnknown, "500", 0},
		{"page", telegramtest.Fault{HTML: true}, bot.SendUnknown, "not the Bot API", 0},
		{"cut", telegramtest.Fault{Drop: true}, bot.SendUnknown, "no answer", 0},
		{"sent and cut", telegramtest.Fault{Drop: true, Accept: true}, bot.SendUnknown, "no answer", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := fake(t)
			s.Know(5)
			s.Inject(test.fault)
			se := failure(t, t.Context(), newTest(t, s.URL()), "5")
			require.Equal(t, test.want, se.Kind)
			require.Equal(t, test.code, se.Code)
			require.Equal(t, test.after, se.After)
			want := 0
			if test.fault.Accept {
				want = 1
			}
			require.Len(t, s.Sent(5), want)
			require.Equal(t, 1, s.Calls("sendMessage"), "no call is repeated on its own")
		})
	}
}

func TestSendRefusedByState(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	require.Equal(t, bot.SendRefused, failure(t, t.Context(), c, "6").Kind)
	require.Equal(t, bot.SendRefused, failure(t, t.Context(), c, "somebody").Kind)
	require.Equal(t, bot.SendRefused, failure(t, t.Context(), c, "5/x").Kind)
	s.Block(5)
	require.Equal(t, bot.SendBlocked, failure(t, t.Context(), c, "5").Kind)
	require.Error(t, c.Typing(t.Context(), to("5")))
	s.Unblock(5)
	_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "x", Choices: []bot.Choice{{Label: "A", Payload: strings.Repeat("é", 32) + "x"}}})
	require.ErrorContains(t, err, "button_data_invalid")
	s.SetPaced(true)
	_, err = c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "x"})
	require.NoError(t, err)
	se := failure(t, t.Context(), c, "5")
	require.Equal(t, bot.SendThrottled, se.Kind)
	require.Equal(t, time.Second, se.After)
}

func TestSendUnknownToken(t *testing.T) {
	s := fake(t)
	c, err := New(bot.Account{Channel: "telegram", ID: "main"}, Options{Token: "99:CANARY-other", APIBase: s.URL(), Log: quiet()})
	require.NoError(t, err)
	se := failure(t, t.Context(), c, "5")
	require.Equal(t, bot.SendMisconfigured, se.Kind)
	require.Equal(t, "401 unauthorized", se.Code)
}

func TestSendFallsBackToPlain(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	s.Inject(telegramtest.Fault{Code: 400, Description: "Bad Request: can't parse entities: unsupported start tag \"" + canary + "\""})
	_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "1 < 2 & 3", Choices: []bot.Choice{{Label: "A", Payload: "a"}}})
	require.NoError(t, err)
	sent := s.Sent(5)
	require.Len(t, sent, 1)
	require.Equal(t, "1 < 2 & 3", sent[0].Text)
	require.False(t, sent[0].HTML)
	require.Len(t, sent[0].Buttons, 1)

	s.Inject(telegramtest.Fault{Code: 400, Times: 2, Description: "Bad Request: can't parse entities: " + canary})
	require.Equal(t, bot.SendRefused, failure(t, t.Context(), c, "5").Kind)
	require.Equal(t, 4, s.Calls("sendMessage"))
}

func TestSendToMigratedGroup(t *testing.T) {
	s := fake(t)
	s.Migrate(-5, -1009)
	_, err := newTest(t, s.URL()).Send(t.Context(), to("-5"), "d", bot.Reply{Text: "hi"})
	require.NoError(t, err)
	require.Len(t, s.Sent(-1009), 1)
	s.Migrate(-1009, -1010) // and no further
	require.Equal(t, bot.SendRefused, failure(t, t.Context(), newTest(t, s.URL()), "-5").Kind)
}

func TestSendUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	se := failure(t, t.Context(), newTest(t, nobody), "5")
	require.Equal(t, bot.SendTransient, se.Kind)
	require.Contains(t, se.Error(), "connection refused")
	require.Equal(t, bot.SendTransient, failure(t, t.Context(), newTest(t, "http://nobody.invalid"), "5").Kind)

	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	se = failure(t, t.Context(), newTest(t, untrusted.URL), "5")
	require.Equal(t, bot.SendTransient, se.Kind)
	require.Contains(t, se.Error(), "certificate")
}

// A deadline passes when the test says so, however slow the machine is.
type deadline struct {
	context.Context
	passed chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.passed }

func (d deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestSendObeysContext(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	s.Inject(telegramtest.Fault{Hang: true, Accept: true})
	ctx := deadline{t.Context(), make(chan struct{})}
	go func() {
		defer close(ctx.passed)
		_, _ = s.WaitSent(t.Context(), 5, 1) // what fails is seen below
	}()
	se := failure(t, ctx, c, "5")
	require.Equal(t, bot.SendUnknown, se.Kind)
	require.ErrorIs(t, se, context.DeadlineExceeded)
	require.Len(t, s.Sent(5), 1)
	// Now it has ended: nothing goes out any more.
	require.Equal(t, bot.SendTransient, failure(t, ctx, c, "5").Kind)
	require.Len(t, s.Sent(5), 1)
}

// What the library cannot decode of a message that was sent must not make it look unsent; what is no
// message at all must not pass for one.
func TestSendOddAnswers(t *testing.T) {
	for answer, want := range map[string]bot.SendFailure{
		`{"ok":true,"result":{"message_id":51,"chat":7,"entities":"new"}}`: "",
		`{"ok":true,"result":{"message_id":0}}`:                            bot.SendUnknown,
		`{"ok":true,"result":true}`:                                        bot.SendUnknown,
		`{"ok":true}`:                                                      bot.SendUnknown,
		`{"ok":false}`:                                                     bot.SendUnknown,
		`{"ok":tr`:                                                         bot.SendUnknown,
		`[]`:                                                               bot.SendUnknown,
		``:                                                                 bot.SendUnknown,
		`CANARY`:                                                           bot.SendUnknown,
		`{"ok":false,"error_code":429,"description":"CANARY","parameters":{"retry_after":99999999999}}`: bot.SendThrottled,
		`{"ok":false,"error_code":429,"description":"CANARY","parameters":{"retry_after":"CANARY"}}`:    bot.SendUnknown,
	} {
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		c := newTest(t, front.URL)
		if want == "" {
			id, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "hi"})
			require.NoError(t, err)
			require.Equal(t, "51", id)
		} else {
			require.Equal(t, want, failure(t, t.Context(), c, "5").Kind, answer)
		}
		front.Close()
	}
}

func TestAcknowledge(t *testing.T) {
	s := fake(t)
	s.Know(5)
	c := newTest(t, s.URL())
	_, err := c.Send(t.Context(), to("5"), "d", bot.Reply{Text: "?", Choices: []bot.Choice{{Label: "A", Payload: "a"}}})
	require.NoError(t, err)
	update := s.Tap(5, s.Sent(5)[0].ID, "a")
	require.NoError(t, c.Acknowledge(t.Context(), s.CallbackID(update)))
	require.True(t, s.Answered(update))
	require.NoError(t, c.Acknowledge(t.Context(), s.CallbackID(update)), "too late is no error")
	require.NoError(t, c.Acknowledge(t.Context(), "no such tap"))
	s.Inject(telegramtest.Fault{Code: 500})
	require.Error(t, c.Acknowledge(t.Context(), "x"))
}

func TestVerify(t *testing.T) {
	c := newTest(t, "")
	header := func(secret string) http.Header {
		h := http.Header{}
		h.Set("x-telegram-bot-api-secret-token", secret)
		return h
	}
	require.NoError(t, c.Verify(header("S3cret_-"), nil))
	for _, wrong := range []string{"", "S3cret_", "S3cret_-x", "s3cret_-"} {
		err := c.Verify(header(wrong), nil)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "S3cret")
	}
	require.Error(t, c.Verify(http.Header{}, nil))
	none, err := New(bot.Account{ID: "main"}, Options{Token: testToken, Log: quiet()})
	require.NoError(t, err)
	require.Error(t, none.Verify(header(""), nil))
	require.Error(t, none.Verify(http.Header{}, nil))
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {Token: "CANARY"}, {Token: "x:CANARY"}, {Token: "-1:CANARY"}, {Token: "1:"}, {Token: "1:CANARY/../x"},
		{Token: testToken, Secret: "CANARY space"}, {Token: testToken, Secret: strings.Repeat("a", 257)},
		{Token: testToken, APIBase: "ftp://CANARY"}, {Token: testToken, APIBase: "://CANARY"}} {
		o.Log = quiet()
		_, err := New(bot.Account{ID: "main"}, o)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "CANARY")
		require.Contains(t, err.Error(), "main")
	}
}
