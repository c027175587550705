package webchat

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/store"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/media"
)

// cookie is what a browser sends that remembers token.
func (s *shop) cookie(token string) http.Header {
	return http.Header{"Cookie": {cookieName(s.channels["shop"]) + "=" + token}}
}

func TestLimits(t *testing.T) {
	s := openShop(t)
	s.later(0) // the clock stands
	b := s.browse("shop")
	for i := range messagesAtOnce {
		b.say(i, "hello")
	}
	status, body, h := b.post("/messages", url.Values{"key": {key(50)}, "text": {"hello"}, "locale": {"es"}})
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Equal(t, "3", h.Get("Retry-After"))
	require.Contains(t, body, "Inténtalo de nuevo en 3 s")
	s.later(3 * time.Second)
	b.say(51, "hello")
	status, _, _ = b.post("/messages", url.Values{"key": {key(52)}, "text": {"hello"}})
	require.Equal(t, http.StatusTooManyRequests, status, "20 a minute")
	s.browse("shop").say(1, "others may speak")

	s.later(time.Hour)
	for i := range filesPerMinute {
		status, body := b.sendFile(60+i, "a.txt", "text")
		require.Equal(t, http.StatusOK, status, body)
	}
	status, _ = b.sendFile(70, "a.txt", "text")
	require.Equal(t, http.StatusTooManyRequests, status)

	s.later(time.Hour)
	for i := range newPerMinute {
		v := s.browse("shop")
		v.ip = "192.0.2.77"
		v.say(i, "hello")
	}
	v := s.browse("shop")
	v.ip = "192.0.2.77"
	status, _, h = v.post("/messages", url.Values{"key": {key(1)}, "text": {"hello"}})
	require.Equal(t, http.StatusTooManyRequests, status)
	require.NotEmpty(t, h.Get("Retry-After"))
	v.ip = "192.0.2.78"
	v.say(1, "from elsewhere")

	for i := range newPerMinute { // an IPv6 customer holds 64 bits of addresses
		v := s.browse("shop")
		v.ip = fmt.Sprintf("2001:db8::%x", i+1)
		v.say(i, "hello")
	}
	v = s.browse("shop")
	v.ip = "2001:db8::ffff:1"
	status, _, _ = v.post("/messages", url.Values{"key": {key(1)}, "text": {"hello"}})
	require.Equal(t, http.StatusTooManyRequests, status)
	v.ip = "2001:db8:0:1::1"
	v.say(1, "from elsewhere")
}

// Streams are bounded for a visitor, for a network address, for an account and in all, and one that
// ended makes room.
func TestStreamLimits(t *testing.T) {
	s := openShop(t)
	full := func(f *feed) {
		t.Helper()
		require.Equal(t, http.StatusTooManyRequests, f.status)
		require.Equal(t, "30", f.header.Get("Retry-After"))
	}
	ana := s.browse("shop")
	for range limits.MaxVisitorStreams {
		require.Equal(t, http.StatusOK, ana.open(0).status)
	}
	full(ana.open(0))
	at := func(account, ip string) *browser {
		b := s.browse(account)
		b.ip = ip
		return b
	}
	for i := range limits.MaxAddressStreams {
		require.Equal(t, http.StatusOK, at("shop", fmt.Sprintf("2001:db8::%x", i+1)).open(0).status)
	}
	full(at("shop", "2001:db8::ffff").open(0))
	full(at("other", "2001:db8::ffff").open(0))
	require.Equal(t, http.StatusOK, at("shop", "2001:db8:0:1::1").open(0).status, "another network")

	// The rest of the account's slots are taken as a stream takes them: opening 500 would be slow.
	account := limits.Bound{Key: "account\x00shop", Max: limits.MaxAccountStreams}
	release, ok := s.site.streams.Take(account)
	for ok {
		_, ok = s.site.streams.Take(account)
	}
	full(at("shop", "192.0.2.9").open(0))
	require.Equal(t, http.StatusOK, at("other", "192.0.2.9").open(0).status, "another account's chats go on")
	release()
	require.Equal(t, http.StatusOK, at("shop", "192.0.2.9").open(0).status)

	all := limits.Bound{Key: "all", Max: limits.MaxStreams}
	for ok = true; ok; {
		_, ok = s.site.streams.Take(all)
	}
	full(at("other", "192.0.2.10").open(0))
}

// A token ends: with time, when its visitor is signed out, and when everybody of the account is. What
// was said stays with the one who said it, who goes on under a fresh token as long as they come back.
func TestTokensEnd(t *testing.T) {
	s := openShop(t)
	s.later(0)
	b := s.browse("shop")
	b.say(1, "my very own words")
	_, page, h := s.get("/chat/shop", s.cookie(b.token))
	require.Equal(t, b.token, tokenIn(t, page))
	require.Empty(t, h.Get("Set-Cookie"))
	s.later(renewAfter + time.Hour)
	_, page, h = s.get("/chat/shop", s.cookie(b.token))
	fresh := tokenIn(t, page)
	require.NotEqual(t, b.token, fresh)
	require.Contains(t, h.Get("Set-Cookie"), fresh)
	require.Contains(t, page, "my very own words", "the same conversation")
	told := b.open(0).until("a fresh token", func(e event) bool { return e.Data.Visitor != "" })
	require.Equal(t, fresh, told[len(told)-1].Data.Visitor, "the script learns it by its stream")
	told = b.open(0, func(r *http.Request) { r.URL.RawQuery += "&once=1" }).until("a fresh token", func(e event) bool { return e.Data.Visitor != "" })
	require.Equal(t, fresh, told[len(told)-1].Data.Visitor, "or by asking, where streams are blocked")

	old := b.token
	s.later(visitorFor - renewAfter)
	b.token = old
	status, body, _ := b.post("/messages", url.Values{"key": {key(9)}, "text": {"hello"}})
	require.Equal(t, http.StatusUnauthorized, status, body)
	b.token = fresh
	b.say(10, "still here")

	conv, err := s.conversations.Find(t.Context(), s.channels["shop"].address(visitorName(t, s, b)))
	require.NoError(t, err)
	others := s.browse("shop")
	require.NoError(t, store.New(s.db).SignOutVisitors(t.Context(), "shop", conv.Address.Customer, s.clock()))
	status, _, _ = b.post("/messages", url.Values{"key": {key(11)}, "text": {"hello"}})
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, http.StatusUnauthorized, b.open(0).status)
	_, page, _ = s.get("/chat/shop", s.cookie(fresh))
	require.NotContains(t, page, "my very own words", "they begin anew")
	others.say(1, "others are not signed out")
	require.NoError(t, store.New(s.db).SignOutVisitors(t.Context(), "shop", "", time.Now()))
	status, _, _ = others.post("/messages", url.Values{"key": {key(2)}, "text": {"hello"}})
	require.Equal(t, http.StatusOK, status, "the clock of this test is ahead: theirs was issued later")
	require.NoError(t, store.New(s.db).SignOutVisitors(t.Context(), "shop", "", s.clock()))
	status, _, _ = others.post("/messages", url.Values{"key": {key(3)}, "text": {"hello"}})
	require.Equal(t, http.StatusUnauthorized, status)
}

// The tokens of builds that did not say when they were issued are good as long as those builds' cookies
// last.
func TestUntimedTokens(t *testing.T) {
	s := openShop(t)
	s.mu.Lock()
	s.now = time.Unix(untimedUntil, 0).Add(-time.Hour)
	s.mu.Unlock()
	c := s.channels["shop"]
	customer := anonymousPrefix + "OLD"
	b := &browser{s: s, account: "shop", ip: "192.0.2.1",
		token: base64.RawURLEncoding.EncodeToString([]byte(customer)) + "." + s.site.sign("visitor", c.account.ID, customer)}
	b.say(1, "my very own words")
	_, page, _ := s.get("/chat/shop", s.cookie(b.token))
	require.Len(t, strings.Split(tokenIn(t, page), "."), 3, "replaced at the first visit")
	require.Contains(t, page, "my very own words")
	s.later(2 * time.Hour)
	status, _, _ := b.post("/messages", url.Values{"key": {key(2)}, "text": {"hello"}})
	require.Equal(t, http.StatusUnauthorized, status)
}

// A file beyond a quota is refused in words; words are still taken.
func TestFileQuota(t *testing.T) {
	full := false
	s := openShop(t, func(_ *Options, o *SiteOptions) { o.Media = crowded{o.Media, &full} })
	b := s.browse("shop")
	status, body := b.sendFile(1, "a.txt", "text")
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, body, "We can't accept more files from you for now.")
	full = true
	status, body = b.sendFile(2, "a.txt", "text")
	require.Equal(t, http.StatusInsufficientStorage, status)
	require.Contains(t, body, "We can't accept files for now.")
	require.Contains(t, s.log.String(), "the disk is almost full")
	b.say(3, "how do I join")
}

// crowded has no room for files: its owner has too many, or the disk is full.
type crowded struct {
	Media
	full *bool
}

func (c crowded) Put(_ context.Context, _ string, _ io.Reader, owner media.Owner) (media.Blob, error) {
	if owner.Account != "webchat/shop" || owner.Affiliate != "acme" || owner.Address != "192.0.2.1" || !strings.HasPrefix(owner.Visitor, "webchat/shop/v:") {
		return media.Blob{}, fmt.Errorf("counted against %+v", owner)
	}
	if *c.full {
		return media.Blob{}, media.ErrDisk
	}
	return media.Blob{}, &media.QuotaError{Of: "visitor", Max: "many"}
}
