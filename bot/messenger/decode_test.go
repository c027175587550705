package messenger

import (
	"io"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
)

const (
	testToken  = "CANARY-token"
	testSecret = "CANARY-secret"
)

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// newTest returns a channel, "messenger" or "instagram", that talks to base.
func newTest(t testing.TB, kind, base string) *Channel {
	t.Helper()
	c, err := New(bot.Account{Channel: kind, ID: "main"}, Options{Page: "1234567890", App: "1517776481860111", Token: testToken,
		Secrets: []string{testSecret}, VerifyToken: "v3rify", APIBase: base, Log: quiet()})
	require.NoError(t, err)
	return c
}

func TestDecode(t *testing.T) { channeltest.Decodes(t, newTest(t, "messenger", "").Decode) }

func FuzzDecode(f *testing.F) {
	channeltest.Seed(f)
	c := newTest(f, "messenger", "")
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Decode(body)
		if err != nil {
			require.Empty(t, events)
			require.Less(t, len(err.Error()), 300)
			return
		}
		for _, e := range events {
			set := 0
			for _, is := range []bool{e.Message != nil, e.Edit != nil, e.Interaction != nil, e.Status != nil, e.Echo != nil, e.AddressChanged != nil, e.ControlPassed != nil, e.Undecodable != nil} {
				if is {
					set++
				}
			}
			require.Equal(t, 1, set)
			if e.Undecodable != nil {
				require.Less(t, len(e.Undecodable.Reason), 300)
				require.NotEmpty(t, e.Undecodable.Body)
				continue
			}
			if e.Status == nil {
				require.True(t, isID(e.Address.Customer))
			}
			if m := e.Message; m != nil {
				require.NotEmpty(t, e.ExternalID)
				require.LessOrEqual(t, len(m.Choice), choiceMost)
				require.True(t, m.Text != "" || m.Choice != "" || len(m.Attachments) > 0 || e.Referral != nil)
			}
		}
	})
}

func FuzzWordsSurvive(f *testing.F) {
	channeltest.WordsSurvive(f, newTest(f, "messenger", "").Decode, "object", "sender", "recipient", "is_echo", "is_deleted", "payload")
}
