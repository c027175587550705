package webchat

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/bot/store"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/waittest"
)

func TestAskAndAnswer(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	f := b.open(0)
	require.Equal(t, "text/event-stream; charset=utf-8", f.header.Get("Content-Type"))
	b.say(1, "how do I join")
	got := f.until("answered", says("Fill in"))
	names := map[string]int{}
	for _, e := range got {
		names[e.Name]++
	}
	require.Equal(t, 2, names["message"])
	require.Positive(t, names["typing"], "shown while the answer is worked out: %+v", got)
	require.Contains(t, got[len(got)-1].Data.HTML, `<a href="https://shop.example/join" target="_blank" rel="noopener noreferrer nofollow">https://shop.example/join</a> (2 minutes).`)

	b.say(2, "when is pay")
	got = f.until("asked back", says("None of these"))
	require.Contains(t, got[len(got)-1].Data.HTML, `value="e:when"`)
	status, body, _ := b.post("/messages", url.Values{"key": {key(3)}, "choice": {"e:when"}})
	require.Equal(t, http.StatusOK, status, body)
	got = f.until("chosen", says("On the 5th."))
	require.Equal(t, "When am I paid?", own(got), "the label, from what was offered")
	status, body, _ = b.post("/messages", url.Values{"key": {key(4)}, "choice": {"e:never-offered"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, s.site.texts.In("en")["err_choice"])
}

// A page that comes back names the last message it has and misses nothing, and reads nothing twice.
func TestResume(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	f := b.open(0)
	b.say(1, "how do I join")
	first := f.until("answered", says("Fill in"))
	f.body.Close()
	b.say(2, "when is pay")
	b.open(0).until("asked back, on another page", says("None of these"))

	last := first[len(first)-1].ID
	for _, resume := range []func(*http.Request){
		func(r *http.Request) { r.Header.Set("Last-Event-ID", last) },
		func(r *http.Request) { r.URL.RawQuery = "after=" + last },
	} {
		var seqs []int64
		for _, e := range b.open(0, resume).until("asked back", says("None of these")) {
			if e.Name == "message" {
				seqs = append(seqs, e.Data.Seq)
			}
		}
		require.Equal(t, []int64{3, 4}, seqs)
	}
	for _, lie := range []string{"after=99999999999999", "after=-1", "after=x", "after=9223372036854775808"} {
		f := b.open(0, func(r *http.Request) { r.URL.RawQuery = lie })
		f.until("state", func(e event) bool { return e.Name == "state" })
	}
	var seqs []int64
	for _, e := range b.open(0).until("all of it, whatever others asked for", says("None of these")) {
		if e.Name == "message" {
			seqs = append(seqs, e.Data.Seq)
		}
	}
	require.Equal(t, []int64{1, 2, 3, 4}, seqs)
}

// A message sent again under its key is one message.
func TestSameKeyOnce(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	for range 3 {
		b.say(1, "how do I join")
	}
	f := b.open(0)
	f.until("answered", says("Fill in"))
	b.say(2, "how do I join please")
	n := 0
	for _, e := range b.open(0).until("the second", func(e event) bool { return e.Data.Text == "how do I join please" }) {
		if e.Data.Own {
			n++
		}
	}
	require.Equal(t, 2, n)
}

func TestPerson(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	f := b.open(0)
	status, body, _ := b.post("/messages", url.Values{"key": {key(1)}, "choice": {"person"}, "locale": {"es-MX"}})
	require.Equal(t, http.StatusOK, status, body)
	got := f.until("handed over", func(e event) bool { return e.Name == "state" && e.Data.Person })
	require.False(t, got[len(got)-1].Data.Email, "somebody is there")
	require.Equal(t, "Hablar con una persona", own(got), "%+v", got)

	s.mu.Lock()
	s.staffed = false
	s.mu.Unlock()
	b.open(0).until("an address is asked for", func(e event) bool { return e.Name == "state" && e.Data.Email })
	for _, bad := range []string{"ana@localhost", "ana@example.", "ana@example.c", "", "ana", "ana@", "Ana <ana@example.com>", "ana@example.com\r\nBcc: x@example.com", strings.Repeat("a", 250) + "@example.com"} {
		s.later(time.Minute)
		status, _, _ := b.post("/email", url.Values{"email": {bad}})
		require.Equal(t, http.StatusBadRequest, status, bad)
	}
	status, body, _ = b.post("/email", url.Values{"email": {" ana@example.com "}})
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, []string{"ana@example.com"}, s.emails)
	status, _, _ = s.browse("shop").post("/email", url.Values{"email": {"x@example.com"}})
	require.Equal(t, http.StatusBadRequest, status, "who said nothing waits for nobody")

	conv, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
	require.NoError(t, err)
	require.NoError(t, s.conversations.Say(t.Context(), conv.ID, "k1", bot.Reply{Text: "Ann here.", Agent: "ann@desk"}))
	got = f.until("the person writes", says("Ann here."))
	require.Contains(t, got[len(got)-1].Data.HTML, `class="bubble person"`)
	require.NotContains(t, got[len(got)-1].Data.HTML, "ann@desk", "an agent's name of ours is not the customer's business")
}

func visitorName(t *testing.T, s *shop, b *browser) string {
	t.Helper()
	v, ok := s.site.parseToken(s.channels[b.account], b.token)
	require.True(t, ok)
	return v.customer
}

// later moves the clock that limits go by.
func (s *shop) later(d time.Duration) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now.Add(d)
}

// What another process writes is seen although nobody wakes the stream.
func TestWrittenElsewhere(t *testing.T) {
	s := openShop(t)
	b := s.browse("shop")
	b.say(1, "how do I join")
	f := b.open(0)
	f.until("answered", says("Fill in"))
	elsewhere := conversations.New(store.New(s.db), nil, conversations.Options{})
	conv, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
	require.NoError(t, err)
	other, err := New(s.channels["shop"].account, Options{})
	require.NoError(t, err)
	s.accounts.Put(other.account, other) // what is sent wakes no stream of ours
	require.NoError(t, elsewhere.Say(t.Context(), conv.ID, "k", bot.Reply{Text: "From elsewhere."}))
	f.until("polled", says("From elsewhere."))
}

// Without the script: forms, a cookie, and where cookies are blocked the form itself.
func TestWithoutScript(t *testing.T) {
	s := openShop(t)
	status, body, h := s.get("/chat/shop", nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "How do I join?", "suggested")
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	require.NotEmpty(t, cookie)
	require.Contains(t, h.Get("Set-Cookie"), "HttpOnly; SameSite=Lax")
	token := tokenIn(t, body)
	form := url.Values{"key": {key(1)}, "visitor": {token}, "locale": {"en"}, "text": {"how do I join"}}
	post := func(form url.Values, cookie string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/chat/shop/messages", strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.server.URL)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		return s.do(r)
	}
	answer, _ := post(form, cookie)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Equal(t, "/chat/shop?locale=en", answer.Header.Get("Location"))
	require.Eventually(t, func() bool {
		_, body, h := s.get("/chat/shop", http.Header{"Cookie": {cookie}})
		require.Empty(t, h.Get("Set-Cookie"), "known already")
		return strings.Contains(body, "https://shop.example/join</a>") && strings.Contains(body, `class="day"`)
	}, waittest.Hang, 10*time.Millisecond)

	form.Set("key", key(2))
	form.Set("text", "when is pay")
	answer, body = post(form, "")
	require.Equal(t, http.StatusOK, answer.StatusCode, "no cookie: the page itself is the answer")
	require.Contains(t, body, "when is pay")
	require.Contains(t, body, "Fill in")
	require.Equal(t, token, tokenIn(t, body))

	form.Set("text", strings.Repeat("x", maxText+1))
	answer, body = post(form, cookie)
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
	require.Contains(t, body, s.site.texts.In("en")["err_long"])
	require.Contains(t, body, strings.Repeat("x", maxText+1)+"</textarea>", "what was typed is not lost")
	form.Set("visitor", "forged")
	answer, _ = post(form, cookie)
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}

func TestFiles(t *testing.T) {
	s := openShop(t)
	b, stranger := s.browse("shop"), s.browse("shop")
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("p", 100_000)
	status, body := b.sendFile(1, `C:\x\"><img src=x onerror=alert(1)>.png`, png)
	require.Equal(t, http.StatusOK, status, body)
	got := b.open(0).until("shown", func(e event) bool { return e.Data.Own })
	shown := got[len(got)-1].Data.HTML
	require.NotContains(t, shown, "<img src=x")
	src := regexp.MustCompile(`<img src="([^"]+)"`).FindStringSubmatch(shown)
	require.Len(t, src, 2, shown)
	path := html.UnescapeString(src[1])
	status, body, h := s.get(path, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, png, body)
	require.Equal(t, "image/png", h.Get("Content-Type"))
	require.Contains(t, h.Get("Content-Security-Policy"), "sandbox")
	for _, other := range []string{strings.Replace(path, "/shop/", "/other/", 1), strings.Replace(path, "key=", "key=A", 1), strings.Replace(path, "name=", "name=x", 1), path[:strings.Index(path, "?")]} {
		status, _, _ = s.get(other, nil)
		require.Equal(t, http.StatusNotFound, status, other)
	}
	status, body = b.sendFile(2, "x.png", "MZ\x90\x00 a program")
	require.Equal(t, http.StatusUnsupportedMediaType, status)
	require.Contains(t, body, "PDF")
	status, body = stranger.sendFile(3, "x.txt", strings.Repeat("x", fileMax+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, status, body)
	status, body = stranger.sendFile(4, "x.txt", strings.Repeat("x", fileMax+formMost+1000))
	require.Equal(t, http.StatusRequestEntityTooLarge, status, body)
}

func TestShutdownEndsStreams(t *testing.T) {
	s := openShop(t)
	feeds := []*feed{}
	for range 3 {
		f := s.browse("shop").open(0)
		f.until("open", func(e event) bool { return e.Name == "state" })
		feeds = append(feeds, f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Hang)
	defer cancel()
	require.NoError(t, s.server.Config.Shutdown(ctx), "streams keep it waiting")
	for _, f := range feeds {
		_, alive := f.next()
		require.False(t, alive)
	}
	_, ok := s.site.streams.Take(limits.Bound{Key: "all", Max: 1})
	require.True(t, ok, "no stream holds a slot any more")
}
