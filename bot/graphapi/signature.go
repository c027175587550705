package graphapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"faqbot/bot"
)

// signatureHeader carries "sha256=" and the hex HMAC of the raw body under the app's secret. What is
// signed is what is on the wire: a body that was decoded and encoded again has another signature.
const signatureHeader = "X-Hub-Signature-256"

// Verify reports whether one of an app's secrets signed body; there are two while one replaces the
// other.
func Verify(secrets []string, h http.Header, body []byte) error {
	text, ok := strings.CutPrefix(h.Get(signatureHeader), "sha256=")
	got, err := hex.DecodeString(text)
	if !ok || err != nil || len(got) != sha256.Size || text != strings.ToLower(text) {
		return errors.New("the signature is missing or malformed")
	}
	matched := 0
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body) // never fails, as package hash documents
		matched |= subtle.ConstantTimeCompare(mac.Sum(nil), got)
	}
	if matched == 0 {
		return errors.New("the signature is wrong: the body was changed on its way, or secret is not the app's")
	}
	return nil
}

// DeliveryID is our ID as Meta gave it back, "" if it is something else's: other software may write
// through the same account.
func DeliveryID(opaque string) bot.DeliveryID {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // of rand.Text
	if len(opaque) != 26 || strings.Trim(opaque, letters) != "" {
		return ""
	}
	return bot.DeliveryID(opaque)
}

// Challenge is what to answer Meta's GET by which it makes sure that the webhook is ours. ok is false
// if it does not show our verify token.
func Challenge(query url.Values, token string) (answer string, ok bool) {
	shown := query.Get("hub.verify_token")
	if token == "" || query.Get("hub.mode") != "subscribe" || subtle.ConstantTimeCompare([]byte(shown), []byte(token)) != 1 {
		return "", false
	}
	return query.Get("hub.challenge"), true
}
