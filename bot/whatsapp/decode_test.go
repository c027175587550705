package whatsapp

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

var rewrite = flag.Bool("update", false, "rewrite the .want.json files")

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

func TestDecode(t *testing.T) {
	c := newTest(t, "")
	files, err := filepath.Glob("testdata/in/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, ".want.json") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			var got struct {
				Events []bot.Event `json:",omitempty"`
				Error  string      `json:",omitempty"`
			}
			if got.Events, err = c.Decode(body); err != nil {
				got.Error = err.Error()
				require.NotContains(t, got.Error, "secret")
			}
			for _, e := range got.Events {
				if e.Unread != nil {
					require.NotContains(t, e.Unread.Reason, "secret")
				}
			}
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			require.NoError(t, enc.Encode(got))
			want := strings.TrimSuffix(file, ".json") + ".want.json"
			if *rewrite {
				require.NoError(t, os.WriteFile(want, text.Bytes(), 0o644))
			}
			golden, err := os.ReadFile(want)
			require.NoError(t, err, "run with -update")
			require.Equal(t, string(golden), text.String())
		})
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/in/*.json")
	require.NoError(f, err)
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, ".want.json") {
			f.Add(body)
		}
	}
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
