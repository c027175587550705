package whatsapp

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
	"faqbot/bot/graphapi/graphtest"
)

const customer = "16505551234"

// fake returns a fake Graph API with our number, which customer has written to.
func fake(t testing.TB) (*graphtest.Server, *graphtest.Account) {
	t.Helper()
	s := graphtest.New()
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	a := s.Add(graphtest.AccountOptions{Kind: graphtest.WhatsApp, ID: testNumber, Business: "102290129340398", Token: testToken, Secret: testSecret, AppID: "77"})
	a.Know(customer)
	return s, a
}

// signed is a request with body and a signature of what.
func signed(t *testing.T, hook string, body, what []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Hub-Signature-256", graphtest.Sign(testSecret, what))
	return r
}

func TestConformance(t *testing.T) {
	channeltest.Run(t, func(stage channeltest.Stage) *channeltest.Harness {
		t := stage.T
		s, a := fake(t)
		a.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 3, Early: 2})
		account := bot.Account{Channel: "whatsapp", ID: "main"}
		c, err := New(account, Options{Number: testNumber, Token: testToken, Secrets: []string{"CANARY-old", testSecret}, APIBase: s.URL(), Files: stage.Shelf, Log: stage.Log})
		require.NoError(t, err)
		written := time.Now()
		bodyOf := func(n int, content map[string]any) []byte {
			m := map[string]any{"from": customer, "from_user_id": graphtest.BSUID(customer), "id": fmt.Sprint("wamid.", n), "timestamp": fmt.Sprint(written.Unix())}
			maps.Copy(m, content)
			return a.Body(map[string]any{"messages": []any{m}})
		}
		body := func(n int, text string) []byte {
			return bodyOf(n, map[string]any{"type": "text", "text": map[string]any{"body": text}})
		}
		faults := map[channeltest.Failure]graphtest.Fault{
			channeltest.Throttled: {Code: 130429, Status: 429}, channeltest.Broken: {Code: 131000, Status: 500},
			channeltest.Lost: {Drop: true, Accept: true}, channeltest.Hanging: {Hang: true, Accept: true},
		}
		return &channeltest.Harness{Account: account, Channel: c, Receiver: c, Customer: customer, Secrets: []string{testToken, testSecret, "CANARY-old"},
			Say: func(hook string, n int, text string) *http.Request { b := body(n, text); return signed(t, hook, b, b) },
			Forged: func(hook string) []*http.Request {
				b := body(1, "CANARY-words é")
				return forged(t, hook, b)
			},
			Cut: func(hook string) *http.Request {
				b := body(1, "CANARY-words")
				return signed(t, hook, b[:len(b)-20], b[:len(b)-20])
			},
			Start:    a.Hook,
			Received: func() (texts []string) { return textsOf(a.Sent(customer)) },
			Offered: func() (payloads []string) {
				list := a.Sent(customer)
				for _, b := range list[len(list)-1].Buttons {
					payloads = append(payloads, b.Payload)
				}
				return payloads
			},
			Fail:  func(f channeltest.Failure) { a.Inject(faults[f]) },
			Block: func() { a.Block(customer) },
			Close: func() { a.CloseWindow(customer, 25*time.Hour) },
			Media: channeltest.Media{Voice: channeltest.OggVoice(), Uncarried: "audio/wav",
				Say: func(hook string, n int, f channeltest.File) *http.Request {
					kind := map[string]string{"photo": "image", "voice": "voice", "document": "document"}[f.Kind]
					b := bodyOf(n, a.FileMessage(graphtest.File{Kind: kind, Name: f.Name, Type: f.Type, Data: f.Data, Caption: f.Words}))
					return signed(t, hook, b, b)
				},
				Odd: func(hook string, n int) *http.Request {
					b := bodyOf(n, map[string]any{"type": "unsupported", "errors": []any{map[string]any{"code": 131051}}, "unsupported": map[string]any{"type": "poll"}})
					return signed(t, hook, b, b)
				},
				Got:  func() []channeltest.Got { return gotOf(a.Sent(customer)) },
				Fail: func(f channeltest.Failure, _ bool) { a.Inject(uploadFault(f)) },
			},
		}
	})
}

// uploadFault makes the next file fail: only a send whose answer is lost is one that went out.
func uploadFault(f channeltest.Failure) graphtest.Fault {
	return map[channeltest.Failure]graphtest.Fault{
		channeltest.Throttled: {Edge: "media", Code: 130429, Status: 429}, channeltest.Broken: {Edge: "media", Code: 131000, Status: 500},
		channeltest.Lost: {Edge: "messages", Drop: true, Accept: true}, channeltest.Refused: {Edge: "media", Code: 100},
	}[f]
}

// gotOf is list as the suite wants to see it.
func gotOf(list []graphtest.Sent) (got []channeltest.Got) {
	kinds := map[string]string{"image": "photo", "video": "video", "audio": "audio", "document": "document"}
	for _, m := range list {
		got = append(got, channeltest.Got{Words: m.Text, Kind: kinds[m.Type], Name: m.Name, Data: m.Data, Link: m.Link})
	}
	return got
}

func textsOf(list []graphtest.Sent) (texts []string) {
	for _, m := range list {
		texts = append(texts, m.Text)
	}
	return texts
}

// forged are requests with b that prove nothing.
func forged(t *testing.T, hook string, b []byte) (list []*http.Request) {
	t.Helper()
	right := graphtest.Sign(testSecret, b)
	off := []byte(right)
	off[len(off)-1] ^= 1
	for _, signature := range []string{"", "sha256=", string(off), right[:len(right)-1], right + "0", "sha1=" + right[7:], "SHA256=" + right[7:],
		"sha256=" + string(bytes.ToUpper([]byte(right[7:]))), graphtest.Sign("CANARY-guess", b), graphtest.Sign("", b)} {
		r := signed(t, hook, b, b)
		r.Header.Set("X-Hub-Signature-256", signature)
		list = append(list, r)
	}
	changed := bytes.Replace(b, []byte("words"), []byte("swords"), 1)
	utf8 := bytes.Replace(b, []byte(`\u00e9`), []byte("é"), 1) // the same JSON, other bytes
	return append(list, signed(t, hook, changed, b), signed(t, hook, b[:len(b)-1], b), signed(t, hook, append(b[:len(b):len(b)], ' '), b), signed(t, hook, utf8, b))
}
