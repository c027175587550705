package whatsapp

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
	testNumber = "106540352242922"
)

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// newTest returns a channel that talks to base.
func newTest(t testing.TB, base string) *Channel {
	t.Helper()
	c, err := New(bot.Account{Channel: "whatsapp", ID: "main"}, Options{Number: testNumber, Business: "102290129340398", Token: testToken,
		Secrets: []string{testSecret}, VerifyToken: "v3rify", APIBase: base, Log: quiet()})
	require.NoError(t, err)
	return c
}

func TestDecode(t *testing.T) { channeltest.Decodes(t, newTest(t, "").Decode) }

func FuzzDecode(f *testing.F) {
	channeltest.Seed(f)
	c := newTest(f, "")
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Decode(body)
		if err != nil {
			require.Empty(t, events)
			require.Less(t, len(err.Error()), 300)
			return
		}
		for _, e := range events {
			set := 0
			for _, is := range []bool{e.Message != nil, e.Edit != nil, e.Sign != nil, e.Status != nil, e.Aside != nil, e.Moved != nil, e.Passed != nil, e.Consent != nil, e.Unread != nil} {
				if is {
					set++
				}
			}
			require.Equal(t, 1, set)
			if e.Unread != nil {
				require.Less(t, len(e.Unread.Reason), 300)
				require.NotEmpty(t, e.Unread.Body)
				continue
			}
			if e.Status == nil {
				_, err := addressOf(e.Address.Customer)
				require.NoError(t, err)
			}
			require.True(t, e.Stable == "" || isUserID(e.Stable))
			if m := e.Message; m != nil {
				require.NotEmpty(t, e.ExternalID)
				require.LessOrEqual(t, len(m.Choice), choiceMost)
				require.True(t, m.Text != "" || m.Choice != "" || len(m.Attachments) > 0 || e.Referral != nil)
			}
		}
	})
}
