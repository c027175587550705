package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/waittest"
)

// A line is one customer on one channel.
type line interface {
	say(words string)
	send(f sentFile)
	tap(n int)              // the nth button of the last message
	heard(n int) []heardNow // all that came so far, once that is n messages
}

// An oddLine is what else networks post, where there is such a thing.
type oddLine interface {
	odd(words string)           // beside the words stands a field of another type than expected
	replyTo(words string)       // to an earlier message
	changeNothing()             // an edit without words
	answerByInbox(words string) // the network's own inbox answers by itself
}

// A fillingLine is one on which customers fill in forms or order.
type fillingLine interface{ fillIn() }

const filledIn = "2 × KIT-1" // stands in what a fillingLine fills in, as people read it

// A sentFile is a customer's.
type sentFile struct {
	kind, name, mediaType string // kind: photo, voice, document
	data                  []byte
}

// A heardNow is a message as the customer has it.
type heardNow struct {
	text    string
	buttons []string
	kind    string // of its file: photo, video, audio, document; "" if there is none
	data    []byte // of its file, if the network has it
	link    string // of its file, if not
}

// A telegramLine is a chat with a bot.
type telegramLine struct {
	t       *testing.T
	network *telegramtest.Server
}

const telegramChat = 77

func (l telegramLine) say(words string) { l.network.Say(telegramChat, words) }

func (l telegramLine) send(f sentFile) {
	l.network.SayFile(telegramChat, f.kind, f.name, f.mediaType, f.data, "")
}

func (l telegramLine) message(words string, more map[string]any) {
	m := map[string]any{"chat": map[string]any{"id": int64(telegramChat), "type": "private"}, "text": words}
	maps.Copy(m, more)
	l.network.SayMessage(m)
}

func (l telegramLine) odd(words string) {
	l.message(words, map[string]any{"entities": "none", "link_preview_options": 7, "quote": []int{1}})
}

func (l telegramLine) replyTo(words string) {
	l.message(words, map[string]any{"reply_to_message": map[string]any{"message_id": 1, "date": 1, "chat": map[string]any{"id": telegramChat, "type": "private"}, "text": "minimum payout?"}})
}

func (l telegramLine) changeNothing() {
	l.network.Update(telegramChat, "edited_message", map[string]any{"message_id": 1, "date": 1, "edit_date": 2,
		"chat": map[string]any{"id": telegramChat, "type": "private"}, "from": map[string]any{"id": telegramChat}})
}

func (telegramLine) answerByInbox(string) {}

func (l telegramLine) fillIn() {
	l.network.SayMessage(map[string]any{"chat": map[string]any{"id": int64(telegramChat), "type": "private"},
		"web_app_data": map[string]any{"data": `{"order":"2 × KIT-1"}`, "button_text": "Order"}})
}

func (l telegramLine) sent(n int) []telegramtest.SentMessage {
	ctx, cancel := context.WithTimeout(l.t.Context(), waittest.Hang)
	defer cancel()
	list, err := l.network.WaitSent(ctx, telegramChat, n)
	require.NoError(l.t, err)
	return list
}

func (l telegramLine) tap(n int) {
	list := l.sent(1)
	m := list[len(list)-1]
	l.network.Tap(telegramChat, m.ID, m.Buttons[n].Data)
}

func (l telegramLine) heard(n int) (all []heardNow) {
	for _, m := range l.sent(n) {
		h := heardNow{text: m.Text}
		for _, b := range m.Buttons {
			h.buttons = append(h.buttons, b.Text)
		}
		if m.File != nil {
			h.kind, h.data = m.File.Kind, m.File.Data
		}
		all = append(all, h)
	}
	return all
}

// A metaLine is a chat with a number, a page or an Instagram account.
type metaLine struct {
	t       *testing.T
	account *graphtest.Account
	first   *string // the network's name for what they said first
}

const metaCustomer = "16505550007"

func (l metaLine) say(words string) {
	if id := l.account.Say(metaCustomer, words); *l.first == "" {
		*l.first = id
	}
}

func (l metaLine) send(f sentFile) {
	kind := f.kind
	if kind == "photo" {
		kind = "image"
	}
	l.account.SayFile(metaCustomer, graphtest.File{Kind: kind, Name: f.name, Type: f.mediaType, Data: f.data})
}

func (l metaLine) odd(words string) {
	if l.account.Kind() == graphtest.WhatsApp {
		l.account.SayMessage(metaCustomer, map[string]any{"type": "text", "text": map[string]any{"body": words, "preview_url": 7}, "context": 7, "referral": "odd"})
		return
	}
	l.account.SayMessage(metaCustomer, map[string]any{"text": words, "nlp": "odd", "referral": 5, "reply_to": []int{1}})
}

func (l metaLine) replyTo(words string) {
	if l.account.Kind() == graphtest.WhatsApp {
		l.account.SayMessage(metaCustomer, map[string]any{"type": "text", "text": map[string]any{"body": words}, "context": map[string]any{"id": *l.first}})
		return
	}
	l.account.SayMessage(metaCustomer, map[string]any{"text": words, "reply_to": map[string]any{"mid": *l.first}})
}

func (l metaLine) changeNothing() {
	if l.account.Kind() == graphtest.WhatsApp {
		l.account.Edit(metaCustomer, *l.first, "")
		return
	}
	l.account.Event(metaCustomer, map[string]any{"message_edit": map[string]any{"mid": *l.first, "num_edit": 0}})
}

// fillIn is of use on WhatsApp alone.
func (l metaLine) fillIn() {
	l.account.SayMessage(metaCustomer, map[string]any{"type": "order", "order": map[string]any{"catalog_id": "9",
		"product_items": []any{map[string]any{"product_retailer_id": "KIT-1", "quantity": 2, "item_price": 29, "currency": "EUR"}}}})
}

func (l metaLine) answerByInbox(words string) { l.account.WriteInApp(metaCustomer, words) }

func (l metaLine) tap(n int) {
	list := heard(l.t, l.account, metaCustomer, 1)
	m := list[len(list)-1]
	l.account.Tap(metaCustomer, m.ID, m.Buttons[n])
}

func (l metaLine) heard(n int) (all []heardNow) {
	for _, m := range heard(l.t, l.account, metaCustomer, n) {
		h := heardNow{text: m.Text, data: m.Data, link: m.Link}
		for _, b := range m.Buttons {
			title := b.Title
			if m.Type == "list" { // its rows are read with what stands under them
				title = strings.TrimSpace(b.Title + " " + b.Description)
			}
			h.buttons = append(h.buttons, title)
		}
		if m.Data != nil || m.Link != "" {
			h.kind = map[string]string{"image": "photo", "file": "document"}[m.Type]
			if h.kind == "" {
				h.kind = m.Type
			}
		}
		all = append(all, h)
	}
	return all
}

// A chatLine is a visitor of the widget's page without scripts.
type chatLine struct {
	t       *testing.T
	base    string
	account string
	client  *http.Client
}

func newChatLine(t *testing.T, base string) *chatLine {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &chatLine{t: t, base: base, account: "chat", client: &http.Client{Jar: jar}}
}

// do returns a page, "" if it has to be asked for again later.
func (l *chatLine) do(method, path, kind string, body io.Reader) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), waittest.Hang)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, l.base+path, body)
	require.NoError(l.t, err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := l.client.Do(r)
	require.NoError(l.t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, res.Body.Close())
	if res.StatusCode == http.StatusTooManyRequests {
		return ""
	}
	require.Equal(l.t, http.StatusOK, res.StatusCode, "%s", data)
	return string(data)
}

// post says something by the page's form.
func (l *chatLine) post(field, value string, f sentFile) {
	l.t.Helper()
	page := l.do(http.MethodGet, "/chat/"+l.account+"?locale=en", "", nil)
	visitor := regexp.MustCompile(`name="visitor" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(l.t, visitor)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range map[string]string{"visitor": visitor[1], "key": rand.Text(), "locale": "en", field: value} {
		require.NoError(l.t, w.WriteField(name, value))
	}
	if f.data != nil {
		part, err := w.CreateFormFile("file", f.name)
		require.NoError(l.t, err)
		_, err = part.Write(f.data)
		require.NoError(l.t, err)
	}
	require.NoError(l.t, w.Close())
	require.Eventually(l.t, func() bool {
		return l.do(http.MethodPost, "/chat/"+l.account+"/messages", w.FormDataContentType(), bytes.NewReader(form.Bytes())) != ""
	}, waittest.Hang, 200*time.Millisecond, "whoever writes fast has to wait")
}

func (l *chatLine) say(words string) { l.post("text", words, sentFile{}) }

func (l *chatLine) odd(words string) { l.post("text", words, sentFile{}) }

func (l *chatLine) replyTo(words string) { l.post("text", words, sentFile{}) }

func (*chatLine) changeNothing() {}

func (*chatLine) answerByInbox(string) {}

func (l *chatLine) send(f sentFile) { l.post("text", "", f) }

var (
	chatBubble = regexp.MustCompile(`(?s)<li class="bubble (?:bot|person)".*?</li>`)
	chatSaid   = regexp.MustCompile(`(?s)<div class="said"[^>]*>(.*?)</div>`)
	chatButton = regexp.MustCompile(`<button class="choice" name="choice" value="([^"]*)"[^>]*>([^<]*)</button>`)
	chatFile   = regexp.MustCompile(`<(a class="file"|img|audio|video)[^>]* (?:href|src)="([^"]+)"`)
	markup     = regexp.MustCompile(`<[^>]*>`)
)

func (l *chatLine) bubbles() []string {
	return chatBubble.FindAllString(l.do(http.MethodGet, "/chat/chat?all=1&locale=en", "", nil), -1)
}

func (l *chatLine) tap(n int) {
	list := l.bubbles()
	l.post("choice", chatButton.FindAllStringSubmatch(list[len(list)-1], -1)[n][1], sentFile{})
}

func (l *chatLine) heard(n int) (all []heardNow) {
	var list []string
	require.Eventually(l.t, func() bool { list = l.bubbles(); return len(list) >= n }, waittest.Hang, 50*time.Millisecond, "%d messages", n)
	for _, b := range list {
		var h heardNow
		if m := chatSaid.FindStringSubmatch(b); m != nil {
			h.text = html.UnescapeString(markup.ReplaceAllString(m[1], ""))
		}
		for _, m := range chatButton.FindAllStringSubmatch(b, -1) {
			h.buttons = append(h.buttons, html.UnescapeString(m[2]))
		}
		if m := chatFile.FindStringSubmatch(b); m != nil {
			h.kind = map[string]string{"img": "photo", `a class="file"`: "document"}[m[1]]
			if h.kind == "" {
				h.kind = m[1]
			}
			h.link = html.UnescapeString(m[2])
			if strings.HasPrefix(h.link, "/") {
				h.data = []byte(l.do(http.MethodGet, h.link, "", nil))
			}
		}
		all = append(all, h)
	}
	return all
}

// String is the message as it stands in a transcript. name says what a file is.
func (h heardNow) String(name func(h heardNow) string) string {
	s := h.text
	if len(h.buttons) > 0 {
		s += " [" + strings.Join(h.buttons, " | ") + "]"
	}
	if h.kind != "" {
		s = strings.TrimSpace(fmt.Sprintf("%s {%s %s}", s, h.kind, name(h)))
	}
	return s
}
