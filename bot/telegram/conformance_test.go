package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
	"faqbot/bot/telegram/telegramtest"
)

func TestConformance(t *testing.T) {
	channeltest.Run(t, func(stage channeltest.Stage) *channeltest.Harness {
		t, s := stage.T, fake(stage.T)
		s.Know(5)
		account := bot.Account{Channel: "telegram", ID: "main"}
		c, err := New(account, Options{Token: testToken, Secret: "S3cret_-", APIBase: s.URL(), Files: stage.Shelf, Log: stage.Log})
		require.NoError(t, err)
		request := func(hook, secret, body string) *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, strings.NewReader(body))
			require.NoError(t, err)
			r.Header.Set(secretHeader, secret)
			return r
		}
		updateOf := func(n int, message map[string]any) string {
			message["message_id"], message["from"], message["chat"] = n, map[string]any{"id": 5}, map[string]any{"id": 5, "type": "private"}
			text, err := json.Marshal(map[string]any{"update_id": n, "message": message})
			require.NoError(t, err)
			return string(text)
		}
		update := func(n int, text string) string {
			return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"from":{"id":5},"chat":{"id":5,"type":"private"},"text":%q}}`, n, n, text)
		}
		faults := map[channeltest.Failure]telegramtest.Fault{
			channeltest.Throttled: {Method: "sendMessage", Code: 429, RetryAfter: 5}, channeltest.Broken: {Method: "sendMessage", Code: 500},
			channeltest.Lost: {Method: "sendMessage", Drop: true, Accept: true}, channeltest.Hanging: {Method: "sendMessage", Hang: true, Accept: true},
		}
		return &channeltest.Harness{Account: account, Channel: c, Receiver: c, Customer: "5", Secrets: []string{testToken, "S3cret_-"},
			Say: func(hook string, n int, text string) *http.Request { return request(hook, "S3cret_-", update(n, text)) },
			Forged: func(hook string) []*http.Request {
				return []*http.Request{request(hook, "", update(1, "x")), request(hook, "S3cret_,", update(1, "x")), request(hook, "S3cret_", update(1, "x")), request(hook, "s3cret_-", update(1, "x"))}
			},
			Cut: func(hook string) *http.Request { return request(hook, "S3cret_-", update(1, "CANARY-words")[:60]) },
			Received: func() (texts []string) {
				for _, m := range s.Sent(5) {
					texts = append(texts, m.Text)
				}
				return texts
			},
			Offered: func() (payloads []string) {
				list := s.Sent(5)
				for _, b := range list[len(list)-1].Buttons {
					payloads = append(payloads, b.Data)
				}
				return payloads
			},
			Fail:  func(f channeltest.Failure) { s.Inject(faults[f]) },
			Block: func() { s.Block(5) },
			Media: channeltest.Media{Voice: channeltest.OggVoice(),
				Say: func(hook string, n int, f channeltest.File) *http.Request {
					return request(hook, "S3cret_-", updateOf(n, s.FileMessage(5, f.Kind, f.Name, f.Type, f.Data, f.Words)))
				},
				Odd: func(hook string, n int) *http.Request {
					return request(hook, "S3cret_-", updateOf(n, map[string]any{"poll": map[string]any{"question": "Which?"}}))
				},
				Got:  func() []channeltest.Got { return gotOf(s.Sent(5)) },
				Fail: func(f channeltest.Failure, _ bool) { s.Inject(fileFault(f)) },
			},
		}
	})
}

// fileFault makes the next picture fail. Here giving a file is sending it.
func fileFault(f channeltest.Failure) telegramtest.Fault {
	return map[channeltest.Failure]telegramtest.Fault{
		channeltest.Throttled: {Method: "sendPhoto", Code: 429, RetryAfter: 5}, channeltest.Broken: {Method: "sendPhoto", Code: 500},
		channeltest.Lost:    {Method: "sendPhoto", Drop: true, Accept: true},
		channeltest.Refused: {Method: "sendPhoto", Code: 400, Description: "Bad Request: IMAGE_PROCESS_FAILED"},
	}[f]
}

// gotOf is list as the suite wants to see it.
func gotOf(list []telegramtest.SentMessage) (got []channeltest.Got) {
	for _, m := range list {
		g := channeltest.Got{Words: m.Text}
		if f := m.File; f != nil {
			g.Kind, g.Name, g.Data = f.Kind, f.Name, f.Data
		}
		got = append(got, g)
	}
	return got
}
