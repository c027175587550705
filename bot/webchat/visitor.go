package webchat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	anonymousPrefix = "v:"
	userPrefix      = "u:"
	maxUser         = 200 // bytes of a site's user ID

	visitorFor   = 180 * 24 * time.Hour // how long an anonymous visitor's token is good
	userFor      = 7 * 24 * time.Hour   // and a proven user's: their site proves them at every load
	renewAfter   = 30 * 24 * time.Hour  // an older token is replaced by a fresh one
	proofFor     = time.Hour            // how old a site's proof may be that says when it was made
	maxClockSkew = 5 * time.Minute      // how far the site's clock may be ahead of ours
)

// untimedUntil is when the last cookies end that builds before this one gave out, whose tokens do not
// say when they were issued: 1 July 2027, in Unix seconds.
const untimedUntil = 1_814_400_000

// A visitor is who a request comes from.
type visitor struct {
	customer string // the name in bot.Address
	token    string
	issued   time.Time // zero for a token that does not say
}

// anonymous reports whether nobody has proven who the visitor is.
func (v visitor) anonymous() bool { return strings.HasPrefix(v.customer, anonymousPrefix) }

// lasts is how long the visitor's token is good.
func (v visitor) lasts() time.Duration {
	if v.anonymous() {
		return visitorFor
	}
	return userFor
}

// sign is our signature over parts, none of which holds a NUL.
func (s *Site) sign(parts ...string) string {
	return s.o.Signer.Sign(strings.Join(parts, "\x00"))
}

func (s *Site) signed(signature string, parts ...string) bool {
	return s.o.Signer.Verify(strings.Join(parts, "\x00"), signature)
}

// visitorCalled is the visitor whom account knows by the name customer, with a token issued now. A token
// is the name, the Unix milliseconds when it was issued, and our signature.
func (s *Site) visitorCalled(c *Channel, customer string) visitor {
	now := s.o.Now()
	issued := strconv.FormatInt(now.UnixMilli(), 10)
	token := base64.RawURLEncoding.EncodeToString([]byte(customer)) + "." + issued + "." + s.sign("visitor", c.account.ID, customer, issued)
	return visitor{customer: customer, token: token, issued: now}
}

func (s *Site) newVisitor(c *Channel) visitor { return s.visitorCalled(c, anonymousPrefix+rand.Text()) }

// parseToken reads a token that we signed for c. One of another account, one that we did not sign, or one
// that has expired is nobody's.
func (s *Site) parseToken(c *Channel, token string) (visitor, bool) {
	parts := strings.Split(token, ".")
	name, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	v := visitor{customer: string(name), token: token}
	switch {
	case err != nil:
		return visitor{}, false
	case len(parts) == 2: // of a build before this one
		return v, s.signed(parts[1], "visitor", c.account.ID, v.customer) && s.o.Now().Unix() < untimedUntil
	case len(parts) != 3 || !s.signed(parts[2], "visitor", c.account.ID, v.customer, parts[1]):
		return visitor{}, false
	}
	issued, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return visitor{}, false
	}
	v.issued = time.UnixMilli(issued)
	return v, s.o.Now().Sub(v.issued) < v.lasts()
}

// visitorOf is the visitor who holds token, unknown if it is nobody's or they were signed out.
func (s *Site) visitorOf(v *visit, token string) (visitor, *refusal) {
	unknown := &refusal{status: http.StatusUnauthorized, word: "err_visitor"}
	who, ok := s.parseToken(v.channel, token)
	if !ok {
		return visitor{}, unknown
	}
	until, err := s.o.SignedOut(v.Request.Context(), v.channel.account.ID, who.customer)
	if err != nil {
		r := s.broken(v, "cannot look whether a visitor was signed out", err)
		return visitor{}, &r
	}
	if !until.IsZero() && !who.issued.After(until) {
		return visitor{}, unknown
	}
	return who, nil
}

// renewed is who with a fresh token if theirs has become old.
func (s *Site) renewed(c *Channel, who visitor) visitor {
	if !who.anonymous() || s.o.Now().Sub(who.issued) < renewAfter {
		return who
	}
	return s.visitorCalled(c, who.customer)
}

// A proof is what a site says of the user who is logged in there.
type proof struct{ user, at, signature string }

// holds reports whether secret signed the proof: HMAC-SHA256 in hex over the user's ID, a line feed and
// the Unix seconds at which it was made. The older form, over the ID alone, never ends, so whoever saw it
// once is that user for ever.
func (p proof) holds(secret string, now time.Time) bool {
	if secret == "" || p.user == "" || len(p.user) > maxUser || !utf8.ValidString(p.user) || strings.ContainsFunc(p.user, unicode.IsControl) {
		return false
	}
	signed := p.user
	if p.at != "" {
		at, err := strconv.ParseInt(p.at, 10, 64)
		if age := now.Sub(time.Unix(at, 0)); err != nil || age > proofFor || age < -maxClockSkew {
			return false
		}
		signed += "\n" + p.at
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return hmac.Equal([]byte(strings.ToLower(p.signature)), []byte(hex.EncodeToString(mac.Sum(nil))))
}

// identify finds out who a request comes from. The form counts only once it was parsed.
func (s *Site) identify(v *visit) (visitor, *refusal) {
	if token, ok := strings.CutPrefix(v.Request.Header.Get("Authorization"), "Visitor "); ok {
		return s.visitorOf(v, token)
	}
	if v.Request.PostForm.Has("visitor") {
		return s.visitorOf(v, v.Request.PostForm.Get("visitor"))
	}
	return s.visitorOf(v, cookieToken(v))
}

// cookieName is the account's: the path alone does not keep "shop" and "shop/…" apart for a reader.
func cookieName(c *Channel) string {
	sum := sha256.Sum256([]byte(c.account.ID))
	return "chat_" + hex.EncodeToString(sum[:6])
}

// cookieToken is the token in the cookie, "" if there is none.
func cookieToken(v *visit) string {
	cookie, err := v.Request.Cookie(cookieName(v.channel))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// remember sets the cookie, unless it is set already, the visitor is a proven user, or the chat takes nothing.
func (s *Site) remember(v *visit, who visitor) {
	if cookieToken(v) == who.token || !who.anonymous() || v.channel.preview {
		return
	}
	cookie := &http.Cookie{Name: cookieName(v.channel), Value: who.token, Path: v.channel.path(""), MaxAge: int(visitorFor / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.o.Secure || v.Request.TLS != nil { // only then may a frame in another site have one
		cookie.Secure, cookie.Partitioned, cookie.SameSite = true, true, http.SameSiteNoneMode
	}
	http.SetCookie(v.Writer, cookie)
}
