package whatsapp

import (
	"io"
	"os"
	"path/filepath"
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

// Bodies that can be read at once are read as their parts would be.
func TestDecodeWholeIsAsDecodeParts(t *testing.T) {
	c := newTest(t, "")
	files, err := filepath.Glob("testdata/in/*.json")
	require.NoError(t, err)
	whole := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		events, ok := c.decodeWhole(body)
		if !ok {
			continue
		}
		whole++
		parts, err := c.decodeParts(body)
		require.NoError(t, err, file)
		require.Equal(t, parts, events, file)
	}
	require.Greater(t, whole, len(files)/4, "most bodies are read at once")
}

func BenchmarkDecode(b *testing.B) {
	c := newTest(b, "")
	body, err := os.ReadFile("testdata/in/text.json")
	require.NoError(b, err)
	for name, decode := range map[string]func([]byte) ([]bot.Event, error){"decode": c.Decode, "parts": c.decodeParts} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

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
			for _, is := range []bool{e.Message != nil, e.Edit != nil, e.Interaction != nil, e.Status != nil, e.Echo != nil, e.AddressChanged != nil, e.ControlPassed != nil, e.Consent != nil, e.Undecodable != nil} {
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

func FuzzWordsSurvive(f *testing.F) {
	channeltest.WordsSurvive(f, newTest(f, "").Decode, "object", "field", "metadata", "from", "from_user_id", "contacts", "group_id")
}
