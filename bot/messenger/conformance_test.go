package messenger

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/channeltest"
	"faqbot/bot/graphapi/graphtest"
)

const (
	customer = "24680135790246801"
	testPage = "1234567890"
	testApp  = "1517776481860111"
)

// fake returns a fake Graph API with our page, which customer has written to.
func fake(t testing.TB, kind string) (*graphtest.Server, *graphtest.Account) {
	t.Helper()
	s := graphtest.New()
	require.NoError(t, s.Start())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	a := s.Add(graphtest.AccountOptions{Kind: kind, ID: testPage, Token: testToken, Secret: testSecret, AppID: testApp})
	a.Know(customer)
	return s, a
}

func signed(t *testing.T, hook string, body, what []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Hub-Signature-256", graphtest.Sign(testSecret, what))
	return r
}

func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		kind, app string
		moods     graphtest.Moods
	}{
		"messenger":              {"messenger", testApp, graphtest.Moods{Duplicate: 3, Early: 2}},
		"messenger without app":  {"messenger", "", graphtest.Moods{Early: 1}},
		"instagram":              {"instagram", "", graphtest.Moods{Duplicate: 2, Early: 2}},
		"instagram, bare echoes": {"instagram", testApp, graphtest.Moods{Bare: true, Early: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			channeltest.Run(t, func(stage channeltest.Stage) *channeltest.Harness {
				return open(stage, test.kind, test.app, test.moods)
			})
		})
	}
}

func open(stage channeltest.Stage, kind, app string, moods graphtest.Moods) *channeltest.Harness {
	t := stage.T
	s, a := fake(t, kind)
	a.SetMoods(moods)
	account := bot.Account{Channel: kind, ID: "main"}
	c, err := New(account, Options{Page: testPage, App: app, Token: testToken, Secrets: []string{"CANARY-old", testSecret}, APIBase: s.URL(), Files: stage.Shelf, Log: stage.Log})
	require.NoError(t, err)
	object := map[string]string{"messenger": "page", "instagram": "instagram"}[kind]
	written := time.Now()
	bodyOf := func(n int, message map[string]any) []byte {
		message["mid"] = fmt.Sprint("m_", n)
		return graphtest.Encode(map[string]any{"object": object, "entry": []any{map[string]any{"id": testPage, "messaging": []any{map[string]any{
			"sender": map[string]any{"id": customer}, "recipient": map[string]any{"id": testPage}, "timestamp": written.UnixMilli(),
			"message": message}}}}})
	}
	body := func(n int, text string) []byte { return bodyOf(n, map[string]any{"text": text}) }
	faults := map[channeltest.Failure]graphtest.Fault{
		channeltest.Throttled: {Code: 613}, channeltest.Broken: {Code: 2, Status: 500, Transient: true},
		channeltest.Lost: {Drop: true, Accept: true}, channeltest.Hanging: {Hang: true, Accept: true},
	}
	return &channeltest.Harness{Account: account, Channel: c, Receiver: c, Customer: customer, Secrets: []string{testToken, testSecret, "CANARY-old"},
		Say: func(hook string, n int, text string) *http.Request { b := body(n, text); return signed(t, hook, b, b) },
		Forged: func(hook string) []*http.Request {
			b := body(1, "CANARY-words é")
			none := signed(t, hook, b, b)
			none.Header.Del("X-Hub-Signature-256")
			return []*http.Request{none, signed(t, hook, append([]byte(" "), b...), b), signed(t, hook, bytes.Replace(b, []byte(`\u00e9`), []byte("é"), 1), b)}
		},
		Cut: func(hook string) *http.Request {
			b := body(1, "CANARY-words")
			return signed(t, hook, b[:len(b)-9], b[:len(b)-9])
		},
		Start: a.Hook,
		Received: func() (texts []string) {
			for _, m := range a.Sent(customer) {
				texts = append(texts, m.Text)
			}
			return texts
		},
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
		Media: mediaOf(t, kind, a, bodyOf),
	}
}

// mediaOf is what Messenger and Instagram do with files. Instagram takes fewer kinds, and fetches what it can.
func mediaOf(t *testing.T, kind string, a *graphtest.Account, bodyOf func(n int, message map[string]any) []byte) channeltest.Media {
	odd := map[string]any{"attachments": []any{map[string]any{"type": "template", "payload": map[string]any{"product": map[string]any{}}}}}
	m := channeltest.Media{Unnamed: true, Voice: channeltest.File{Kind: "voice", Type: "audio/mp4", Data: []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00 hello")},
		Say: func(hook string, n int, f channeltest.File) *http.Request {
			kind := map[string]string{"photo": "image", "voice": "voice", "document": "document"}[f.Kind]
			b := bodyOf(n, a.FileMessage(graphtest.File{Kind: kind, Name: f.Name, Type: f.Type, Data: f.Data, Caption: f.Words}))
			return signed(t, hook, b, b)
		},
		Odd: func(hook string, n int) *http.Request { b := bodyOf(n, odd); return signed(t, hook, b, b) },
		Got: func() (got []channeltest.Got) {
			kinds := map[string]string{"image": "photo", "video": "video", "audio": "audio", "file": "document"}
			for _, m := range a.Sent(customer) {
				got = append(got, channeltest.Got{Words: m.Text, Kind: kinds[m.Type], Name: m.Name, Data: m.Data, Link: m.Link})
			}
			return got
		},
	}
	if kind == graphtest.Instagram {
		odd["attachments"], odd["is_unsupported"] = nil, true
		m.Fetches, m.Uncarried = true, "text/plain; charset=utf-8"
	}
	m.Fail = func(f channeltest.Failure, linked bool) {
		fault := map[channeltest.Failure]graphtest.Fault{
			channeltest.Throttled: {Edge: "message_attachments", Code: 613}, channeltest.Broken: {Edge: "message_attachments", Code: 2, Status: 500, Transient: true},
			channeltest.Lost: {Edge: "messages", Drop: true, Accept: true}, channeltest.Refused: {Edge: "message_attachments", Code: 100, Subcode: 2018047},
		}[f]
		if linked && m.Fetches && f == channeltest.Refused {
			fault = graphtest.Fault{Edge: "messages", Code: 100, Subcode: 2018008}
		}
		a.Inject(fault)
	}
	return m
}
