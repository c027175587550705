package telegram

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
)

const testToken = "99:CANARY-token_0123456789"

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// newTest returns a channel that talks to base and waits hardly at all between tries.
func newTest(t testing.TB, base string) *Channel {
	t.Helper()
	c, err := New(bot.Account{Channel: "telegram", ID: "main"}, Options{Token: testToken, Secret: "S3cret_-", APIBase: base, Log: quiet()})
	require.NoError(t, err)
	c.retry = pacing{first: time.Millisecond, most: 5 * time.Millisecond}
	c.watch = 5 * time.Millisecond
	return c
}

// named is a channel that knows the bot's name.
func named(t testing.TB) *Channel {
	c := newTest(t, "")
	name := "FaqBot"
	c.username.Store(&name)
	return c
}

func TestDecode(t *testing.T) { channeltest.Decodes(t, named(t).Decode) }

// Before getMe answered nobody can tell whether a name is ours.
func TestDecodeBeforeNameIsKnown(t *testing.T) {
	c := newTest(t, "")
	for file, heard := range map[string]bool{"group_mention": false, "group_command_named": false, "group_command": true,
		"group_reply": true, "group_text_mention": true, "text": true, "start_bot_ref": true} {
		body, err := os.ReadFile("testdata/in/" + file + ".json")
		require.NoError(t, err)
		events, err := c.Decode(body)
		require.NoError(t, err)
		require.Equal(t, heard, len(events) == 1, file)
	}
}

func TestDecodeDeepNesting(t *testing.T) {
	c := named(t)
	for _, body := range []string{
		strings.Repeat("[", 1<<20),
		`{"update_id":1,"x":` + strings.Repeat(`{"a":`, 200_000) + "1" + strings.Repeat("}", 200_000) + "}",
		`{"update_id":1,"message":{"reply_to_message":` + strings.Repeat(`{"reply_to_message":`, 50_000) + "{}" + strings.Repeat("}", 50_001) + "}}",
	} {
		_, err := c.Decode([]byte(body))
		require.Error(t, err)
		require.Less(t, len(err.Error()), 200)
	}
}

func TestDecodeNotUTF8(t *testing.T) {
	events, err := named(t).Decode([]byte("{\"update_id\":1,\"message\":{\"message_id\":1,\"from\":{\"id\":5},\"chat\":{\"id\":5,\"type\":\"private\"},\"text\":\"a\xff\xfeb\"}}"))
	require.NoError(t, err)
	require.Equal(t, "a\uFFFD\uFFFDb", events[0].Message.Text)
}

func FuzzDecode(f *testing.F) {
	channeltest.Seed(f)
	c := named(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Decode(body)
		if err != nil {
			require.Empty(t, events)
			require.Less(t, len(err.Error()), 300)
			return
		}
		require.LessOrEqual(t, len(events), 1)
		for _, e := range events {
			set := 0
			for _, is := range []bool{e.Message != nil, e.Edit != nil, e.BlockChanged != nil} {
				if is {
					set++
				}
			}
			require.Equal(t, 1, set)
			require.Regexp(t, `^(u-?\d+|update:[0-9a-f]{32})$`, e.ExternalID)
			p, err := parsePlace(e.Address.Customer)
			require.NoError(t, err)
			require.Equal(t, e.Address.Customer, p.String())
			require.LessOrEqual(t, len(e.Locale), localeMost)
			if m := e.Message; m != nil {
				require.True(t, m.Ref == "" || isName(m.Ref, refMost))
				require.LessOrEqual(t, len(m.Choice), choiceMost)
				require.Equal(t, m.Choice == "", m.Tap == "")
			}
		}
	})
}

func FuzzWordsSurvive(f *testing.F) {
	channeltest.WordsSurvive(f, named(f).Decode, "chat", "from", "reply_to_message", "is_bot", "sender_chat", "reply_markup", "text", "caption", "callback_query", "edited_message", "entities", "caption_entities")
}
