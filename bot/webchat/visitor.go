package webchat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	anonymousPrefix = "v:"
	userPrefix      = "u:"
	longestUser     = 200 // bytes of a site's user ID
	cookieAge       = 180 * 24 * 60 * 60
)

// A visitor is who a request comes from.
type visitor struct {
	customer string // the name in bot.Address
	token    string
}

// anonymous reports whether nobody has proven who the visitor is.
func (v visitor) anonymous() bool { return strings.HasPrefix(v.customer, anonymousPrefix) }

// sign is our signature over parts, none of which holds a NUL.
func (s *Site) sign(parts ...string) string {
	return s.o.Signer.Sign(strings.Join(parts, "\x00"))
}

func (s *Site) signed(signature string, parts ...string) bool {
	return s.o.Signer.Verify(strings.Join(parts, "\x00"), signature)
}

// visitorCalled is the visitor whom account knows by the name customer.
func (s *Site) visitorCalled(c *Channel, customer string) visitor {
	return visitor{customer: customer, token: base64.RawURLEncoding.EncodeToString([]byte(customer)) + "." + s.sign("visitor", c.account.ID, customer)}
}

func (s *Site) newVisitor(c *Channel) visitor { return s.visitorCalled(c, anonymousPrefix+rand.Text()) }

// visitorOf reads a token. One of another account, or one that we did not sign, is nobody's.
func (s *Site) visitorOf(c *Channel, token string) (visitor, bool) {
	name, signature, ok := strings.Cut(token, ".")
	if !ok {
		return visitor{}, false
	}
	customer, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || !s.signed(signature, "visitor", c.account.ID, string(customer)) {
		return visitor{}, false
	}
	return visitor{customer: string(customer), token: token}, true
}

// proven is the visitor whom the embedding site calls user, if signature proves it.
func (s *Site) proven(c *Channel, user, signature string) (visitor, bool) {
	if c.o.IdentitySecret == "" || user == "" || len(user) > longestUser || !utf8.ValidString(user) || strings.ContainsFunc(user, unicode.IsControl) {
		return visitor{}, false
	}
	mac := hmac.New(sha256.New, []byte(c.o.IdentitySecret))
	mac.Write([]byte(user))
	if !hmac.Equal([]byte(strings.ToLower(signature)), []byte(hex.EncodeToString(mac.Sum(nil)))) {
		return visitor{}, false
	}
	return s.visitorCalled(c, userPrefix+user), true
}

// identify finds out who r comes from. The form counts only once it was parsed.
func (s *Site) identify(c *Channel, r *http.Request) (visitor, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Visitor "); ok {
		return s.visitorOf(c, token)
	}
	if r.PostForm.Has("visitor") {
		return s.visitorOf(c, r.PostForm.Get("visitor"))
	}
	return s.remembered(c, r)
}

// cookieName is the account's: the path alone does not keep "shop" and "shop/…" apart for a reader.
func cookieName(c *Channel) string {
	sum := sha256.Sum256([]byte(c.account.ID))
	return "chat_" + hex.EncodeToString(sum[:6])
}

// remembered is the visitor whom the cookie names.
func (s *Site) remembered(c *Channel, r *http.Request) (visitor, bool) {
	cookie, err := r.Cookie(cookieName(c))
	if err != nil {
		return visitor{}, false
	}
	return s.visitorOf(c, cookie.Value)
}

// remember sets the cookie, unless it is set already or the visitor is a proven user.
func (s *Site) remember(c *Channel, w http.ResponseWriter, r *http.Request, v visitor) {
	if old, ok := s.remembered(c, r); ok && old.token == v.token || !v.anonymous() {
		return
	}
	cookie := &http.Cookie{Name: cookieName(c), Value: v.token, Path: c.path(""), MaxAge: cookieAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.o.Secure || r.TLS != nil { // only then may a frame in another site have one
		cookie.Secure, cookie.Partitioned, cookie.SameSite = true, true, http.SameSiteNoneMode
	}
	http.SetCookie(w, cookie)
}
