package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/telegram/telegramtest"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// everyChannel is a service with an account on each channel, and a customer on each.
type everyChannel struct {
	*gallery
	lines map[string]func(t *testing.T) line
}

const sharedFAQ = `id,question,answer,media
minimum,What is the minimum payout?,The smallest payout is 50 euros.,
payday,When do you pay commissions?,On the 15th of every month.,
account,How long does approval of an account take?,Accounts are approved within two working days.,
payout,How long does approval of a payout take?,Payouts are approved within five working days.,
spain,Do you ship to Spain?,Parcels reach Spain in three days.,
germany,Do you ship to Germany?,Parcels reach Germany in two days.,
plans,Which plans are there?,There are three plans.,plans.png | welcome.mp3 | https://files.shop.example/terms.pdf
`

func newEveryChannel(t *testing.T) *everyChannel {
	t.Helper()
	telegram, graph := telegramtest.New(testToken), graphtest.New()
	require.NoError(t, telegram.Start())
	t.Cleanup(func() { require.NoError(t, telegram.Close()) })
	require.NoError(t, graph.Start())
	t.Cleanup(func() { require.NoError(t, graph.Close()) })
	speech := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"text": "When do you pay commissions?"})
	}))
	t.Cleanup(speech.Close)
	telegram.Publish("https://files.shop.example/terms.pdf", telegramtest.WebFile{Type: "application/pdf", Data: []byte("%PDF-1.7")})
	account := "[[account]]\nlocale = \"en\"\naffiliates = [\"shop\"]\nid = %q\nchannel = %q\n"
	config := fmt.Sprintf(account, "chat", "webchat")
	config += fmt.Sprintf(account+"token = %q\napi_base = %q\nmode = \"poll\"\n", "shop", "telegram", testToken, telegram.URL())
	e := &everyChannel{lines: map[string]func(*testing.T) line{"telegram": func(t *testing.T) line { return telegramLine{t, telegram} }}}
	meta, accounts := metaAccounts(graph)
	config += meta
	for kind, a := range accounts {
		e.lines[kind] = func(t *testing.T) line { return metaLine{t, a, new(string)} }
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"plans.png": picture(64, 48), "welcome.mp3": []byte("ID3\x04\x00\x00\x00\x00\x00\x15 welcome"), "faq.csv": []byte(sharedFAQ)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	var out string
	e.gallery, out = openGallery(t, sqldbtest.SQLite(t), speech.URL+"/v1", dir, config)
	require.Contains(t, out, "Published: revision 1")
	for kind, a := range accounts {
		a.SetMoods(graphtest.Moods{Shuffle: true, Duplicate: 3, Early: 2})
		a.Hook(e.base + "/hooks/" + kind + "/shop")
	}
	e.lines["webchat"] = func(t *testing.T) line { return newChatLine(t, e.base) }
	return e
}

// name says what the file of a message is, by what the customer gets to see of it.
func (e *everyChannel) name(h heardNow) string {
	data := h.data
	if data == nil && strings.HasPrefix(h.link, e.base) {
		_, _, body := e.do("", http.MethodGet, strings.TrimPrefix(h.link, e.base), nil)
		data = []byte(body)
	}
	for name, known := range map[string][]byte{"plans.png": picture(64, 48), "welcome.mp3": []byte("ID3\x04\x00\x00\x00\x00\x00\x15 welcome"), "terms.pdf": []byte("%PDF-1.7"), "screen.png": picture(30, 30)} {
		if bytes.Equal(known, data) {
			return name
		}
	}
	return filepath.Base(h.link)
}

// ticket is the address of the ticket of the channel's customer.
func (e *everyChannel) ticket(channel string) string {
	name := map[string]string{"telegram": "Telegram", "whatsapp": "WhatsApp", "messenger": "Messenger", "instagram": "Instagram", "webchat": "Web chat"}[channel]
	return e.shown("ann", "/desk", `<a class="row"[^>]*href="(/desk/tickets/[A-Z0-9]+)[^>]*><span class="glyph"><svg.*?</svg><span class="hidden-text">`+name)[1]
}

// talkOn is the address of the conversation on a channel.
func (e *everyChannel) talkOn(channel string) string {
	e.t.Helper()
	var id string
	require.NoError(e.t, e.service.db.QueryRowContext(e.t.Context(), `SELECT id FROM conversations WHERE channel = $1`, channel).Scan(&id))
	return "/desk/conversations/" + id
}

// settled waits until what the channel's customer said is part of a turn: said before, it is the person's to answer.
func (e *everyChannel) settled(channel, words string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		var n int
		err := e.service.db.QueryRowContext(e.t.Context(), `SELECT COUNT(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
			WHERE c.channel = $1 AND m.body = $2 AND m.turn_id <> ''`, channel, words).Scan(&n)
		return err == nil && n == 1
	}, waittest.Hang, 20*time.Millisecond)
}

// firstWordsNow makes what the channel's customer said as old as now: an inbox answers within seconds, and this machine
// may be slower.
func (e *everyChannel) firstWordsNow(channel string) {
	e.t.Helper()
	_, err := e.service.db.Change(e.t.Context(), `UPDATE messages SET at = $2 WHERE author = 'customer' AND conversation_id IN (SELECT id FROM conversations WHERE channel = $1)`,
		channel, time.Now().UnixMilli())
	require.NoError(e.t, err)
}

// reply posts an agent's words and a picture to a ticket.
func (e *everyChannel) reply(ticket, words string) {
	e.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(e.t, w.WriteField("key", e.shown("ann", ticket, `name="key" value="([A-Z0-9]+)"`)[1]))
	require.NoError(e.t, w.WriteField("text", words))
	f, err := w.CreateFormFile("file", "screen.png")
	require.NoError(e.t, err)
	_, err = f.Write(picture(30, 30))
	require.NoError(e.t, err)
	require.NoError(e.t, w.Close())
	status, _, body := e.do("ann", http.MethodPost, ticket+"/reply", &form, "Content-Type", w.FormDataContentType())
	require.Equal(e.t, http.StatusSeeOther, status, body)
}

// A step is what somebody does, and what the customer hears then wherever the channel can do all.
type step struct {
	does string // what the customer says, or what happens
	do   func(e *everyChannel, l line)
	want []string
}

// script is the conversation.
func script(channel string) []step {
	return append(spoken(channel), ordered(channel)...)
}

// spoken is what every channel can do.
func spoken(channel string) []step {
	says := func(words string, want ...string) step {
		return step{words, func(_ *everyChannel, l line) { l.say(words) }, want}
	}
	sends := func(f sentFile, want string) step {
		return step{"<" + f.name + ">", func(_ *everyChannel, l line) { l.send(f) }, []string{want}}
	}
	var ticket string
	return []step{
		says("minimum payout?", disclosure+"\n\nThe smallest payout is 50 euros."),
		{"<the inbox answers by itself>", func(e *everyChannel, l line) {
			e.firstWordsNow(channel)
			l.(oddLine).answerByInbox("We are on it.")
		}, nil},
		{"<an edit without words>", func(_ *everyChannel, l line) { l.(oddLine).changeNothing() }, nil},
		says("how long does approval of an account or a payout take", "Did you mean one of these? [How long does approval of an account take? | How long does approval of a payout take? | None of these | Talk to a person]"),
		{"<tap>", func(_ *everyChannel, l line) { l.tap(0) }, []string{"Accounts are approved within two working days."}},
		{"do you ship to spain", func(_ *everyChannel, l line) { l.(oddLine).odd("do you ship to spain") }, []string{"Parcels reach Spain in three days."}},
		says("and to germany?", "Parcels reach Germany in two days."),
		sends(sentFile{"voice", "note.ogg", "audio/ogg", voiceNote()}, "On the 15th of every month."),
		sends(sentFile{"photo", "shot.png", "image/png", picture(20, 10)}, "I can only read text. What would you like to ask? [Talk to a person]"),
		says(plans, "There are three plans. {photo plans.png}", "{audio welcome.mp3}", "{document terms.pdf}"),
		says(wish, passing+" If you'd rather have me back before that, write “back to the assistant”."),
		says("my order is canary-1042"),
		{"<reply>", func(e *everyChannel, _ line) {
			ticket = e.ticket(channel)
			e.shown("ann", ticket, "my order is canary-1042")
			e.settled(channel, "my order is canary-1042")
			for _, pattern := range []string{`<audio controls[^>]* src="/desk/media/`, `<img src="/desk/media/`} {
				e.shown("ann", ticket, pattern)
			}
			e.reply(ticket, "Here it is.")
		}, []string{"Here it is. {photo screen.png}"}},
		{"<close>", func(e *everyChannel, _ line) {
			status, _, body := e.do("ann", http.MethodPost, ticket+"/close", nil, "Content-Type", "application/x-www-form-urlencoded")
			require.Equal(e.t, http.StatusSeeOther, status, body)
		}, []string{"ann has closed this request. I'm the automated assistant and I'll take it from here. Need anything else? Just write."}},
		{"minimum payout?", func(e *everyChannel, l line) {
			l.(oddLine).replyTo("minimum payout?")
			if channel != "webchat" { // where nobody replies to anything in particular
				e.shown("ann", e.talkOn(channel), `(?s)<ul class="points">.{1,200}minimum payout\?`)
			}
		}, []string{"The smallest payout is 50 euros."}},
	}
}

// ordered is a form or an order, where a channel has any.
func ordered(channel string) []step {
	if channel != "telegram" && channel != "whatsapp" {
		return nil
	}
	return []step{{"<form or order>", func(_ *everyChannel, l line) { l.(fillingLine).fillIn() }, []string{"Thank you, that has arrived. A person will look at it and reply right here in this chat; you don't need to repeat anything."}},
		{"<what stands in it>", func(e *everyChannel, _ line) { e.shown("ann", e.ticket(channel), filledIn) }, nil}}
}

// A difference is what a channel cannot do, and what its customer hears instead in a step.
type difference struct {
	cannot string
	step   string
	heard  []string
}

var (
	pageTie = difference{"more than 20 characters on a button: they are numbered, and stand in the text", "how long does approval of an account or a payout take",
		[]string{"Did you mean one of these?\n1. How long does approval of an account take?\n2. How long does approval of a payout take?\n3. None of these\n4. Talk to a person [1. How long does ap… | 2. How long does ap… | 3. None of these | 4. Talk to a person]"}}
	pageReply = difference{"words under a file: they come after it", "<reply>", []string{"{photo screen.png}", "Here it is."}}
	plans     = "which plans are there"
	wish      = "I want to talk to a person"
	passing   = "I'm passing you to a person. They'll reply right here in this chat and can read everything you wrote, so you don't need to repeat anything."
)

var ownLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/media/\S+`)

var differences = map[string][]difference{
	"telegram": {
		{"do without commands: it names them", "minimum payout?", []string{"I'm an automated assistant. Send /human to talk to a person at any time.\n\nThe smallest payout is 50 euros."}},
		{"do without commands: it names them", wish, []string{passing + " Send /bot if you want me back before that."}}},
	"whatsapp": {{"more than 24 characters on a row: the whole stands under it", "how long does approval of an account or a payout take",
		[]string{"Did you mean one of these? [1. How long does approv… How long does approval of an account take? | 2. How long does approv… How long does approval of a payout take? | None of these | Talk to a person]"}}},
	"messenger": {pageTie, pageReply, {"words under a file: they come after it", plans,
		[]string{"{photo plans.png}", "There are three plans.", "{audio welcome.mp3}", "{document terms.pdf}"}}},
	"instagram": {pageTie, pageReply, {"words under a file, MP3 and documents: these come as links", plans,
		[]string{"{photo plans.png}", "There are three plans.", "welcome.mp3\n<link to it>", "https://files.shop.example/terms.pdf"}}},
	"webchat": {{"hide that it is automated: its page says so all the time", "minimum payout?", []string{"The smallest payout is 50 euros."}}},
}

// One conversation goes the same way on every channel, but for what a channel cannot do.
func TestEveryChannelTheSameConversation(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	e := newEveryChannel(t)
	t.Run("channels", func(t *testing.T) {
		for channel, l := range e.lines {
			t.Run(channel, func(t *testing.T) {
				t.Parallel()
				e.talk(t, channel, l(t))
			})
		}
	})
	require.NotContains(t, e.log.String(), "canary")
	e.checkPublished()
	e.checkWordless()
	e.checkReplay()
}

func (e *everyChannel) talk(t *testing.T, channel string, l line) {
	on := &everyChannel{gallery: &gallery{t: t, service: e.service, base: e.base, log: e.log, cookies: e.cookies}}
	left := slices.Clone(differences[channel])
	var all []string
	for _, s := range script(channel) {
		want := s.want
		if i := slices.IndexFunc(left, func(d difference) bool { return d.step == s.does }); i >= 0 {
			require.NotEqual(t, want, left[i].heard, "%s can: %s", channel, left[i].cannot)
			want = left[i].heard
			left = slices.Delete(left, i, i+1)
		}
		s.do(on, l)
		all = append(all, want...)
		var heard []string
		for _, h := range l.heard(len(all)) {
			heard = append(heard, ownLink.ReplaceAllString(h.String(on.name), "<link to it>"))
		}
		require.Equal(t, all, heard, "%s, after %s", channel, s.does)
	}
	require.Empty(t, left, "differences that there were not")
	on.checkEvents(channel)
}
