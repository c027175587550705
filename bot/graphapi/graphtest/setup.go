package graphtest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An app's webhook for one kind of objects.
type subscription struct {
	callback string
	fields   []string
}

// objects names what the webhook of a kind of accounts is for.
func objects(kind string) string {
	switch kind {
	case WhatsApp:
		return "whatsapp_business_account"
	case Instagram:
		return "instagram"
	}
	return "page"
}

// SetToken says until when the account's token lives, zero for ever, and what it permits; no scopes
// are not told of.
func (a *Account) SetToken(expires time.Time, scopes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expires, a.scopes = expires, scopes
}

// SetAppHook sets the app's webhook by hand, as its console does, without asking the address.
func (a *Account) SetAppHook(callback string, fields ...string) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.server.subscriptions[a.o.AppID+"/"+objects(a.o.Kind)] = subscription{callback, fields}
}

// SetOverride sets the webhook of one WhatsApp number by hand.
func (a *Account) SetOverride(callback string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.override = callback
}

// Unsubscribe has the app hear nothing more of the account.
func (a *Account) Unsubscribe() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apps = false
}

// Subscribed reports whether the app hears of the account, and where its events are posted.
func (a *Account) Subscribed() (subscribed bool, hook string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.apps, a.hook
}

// ask makes sure that callback is the caller's, as Meta does before it posts anywhere.
func (s *Server) ask(r *http.Request, callback, token string) *refusal {
	failed := &refusal{status: http.StatusBadRequest, code: 2200, message: "(#2200) Callback verification failed"}
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" {
		return failed
	}
	u.RawQuery = url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		return failed
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return failed
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	_ = resp.Body.Close() // it was read
	if err != nil || resp.StatusCode != http.StatusOK || string(answer) != "1158201444" {
		return failed
	}
	return nil
}

// serveApp answers calls with an app's own token, "ID|SECRET".
func (s *Server) serveApp(w http.ResponseWriter, r *http.Request, token string, parts []string, body []byte) {
	id, secret, _ := strings.Cut(token, "|")
	var ours []*Account
	s.mu.Lock()
	for _, a := range s.accounts {
		if a.o.AppID == id && a.o.Secret == secret {
			ours = append(ours, a)
		}
	}
	s.mu.Unlock()
	switch {
	case len(ours) == 0:
		refuse(w, &refusal{status: http.StatusBadRequest, code: 190, message: "Error validating application. Invalid application ID."})
	case len(parts) == 2 && parts[1] == "debug_token" && r.Method == http.MethodGet:
		s.debugToken(w, r.URL.Query().Get("input_token"))
	case len(parts) == 3 && parts[1] == id && parts[2] == "subscriptions" && r.Method == http.MethodGet:
		s.listSubscriptions(w, id)
	case len(parts) == 3 && parts[1] == id && parts[2] == "subscriptions" && r.Method == http.MethodPost:
		s.subscribe(w, r, id, body, ours)
	default:
		refuse(w, bad(100, "Unsupported request"))
	}
}

func (s *Server) debugToken(w http.ResponseWriter, token string) {
	a := s.accountOf(token)
	if a == nil {
		write(w, http.StatusOK, map[string]any{"data": map[string]any{"is_valid": false, "scopes": []any{}, "error": map[string]any{"code": 190, "message": "Malformed access token"}}})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	expires := int64(0)
	if !a.expires.IsZero() {
		expires = a.expires.Unix()
	}
	write(w, http.StatusOK, map[string]any{"data": map[string]any{"app_id": a.o.AppID, "type": "PAGE", "is_valid": a.expires.IsZero() || a.expires.After(time.Now()),
		"expires_at": expires, "scopes": a.scopes}})
}

func (s *Server) listSubscriptions(w http.ResponseWriter, app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := []any{}
	for key, sub := range s.subscriptions {
		if kind, ok := strings.CutPrefix(key, app+"/"); ok {
			fields := []any{}
			for _, f := range sub.fields {
				fields = append(fields, map[string]any{"name": f, "version": "v25.0"})
			}
			data = append(data, map[string]any{"object": kind, "callback_url": sub.callback, "active": true, "fields": fields})
		}
	}
	write(w, http.StatusOK, map[string]any{"data": data})
}

func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, app string, body []byte, ours []*Account) {
	var p map[string]string
	if json.Unmarshal(body, &p) != nil || p["object"] == "" || p["callback_url"] == "" {
		refuse(w, bad(100, "object and callback_url are required"))
		return
	}
	if failed := s.ask(r, p["callback_url"], p["verify_token"]); failed != nil {
		refuse(w, failed)
		return
	}
	s.mu.Lock()
	s.subscriptions[app+"/"+p["object"]] = subscription{p["callback_url"], strings.Split(p["fields"], ",")}
	s.mu.Unlock()
	for _, a := range ours {
		if objects(a.o.Kind) == p["object"] {
			a.mu.Lock()
			at := cmp.Or(a.override, p["callback_url"])
			a.mu.Unlock()
			a.Hook(at)
		}
	}
	write(w, http.StatusOK, map[string]any{"success": true})
}

// describe answers GET of the account itself.
func (a *Account) describe() map[string]any {
	a.server.mu.Lock()
	app := a.server.subscriptions[a.o.AppID+"/"+objects(a.o.Kind)].callback
	a.server.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.o.Kind {
	case WhatsApp:
		hooks := map[string]any{}
		if a.override != "" {
			hooks["phone_number"] = a.override
		}
		if app != "" {
			hooks["application"] = app
		}
		return map[string]any{"id": a.o.ID, "display_phone_number": "+1 555-0100", "verified_name": "Fake", "webhook_configuration": hooks}
	case Instagram:
		return map[string]any{"id": "9" + a.o.ID, "name": "Fake", "instagram_business_account": map[string]any{"id": a.o.ID, "username": "fake"}}
	}
	return map[string]any{"id": a.o.ID, "name": "Fake"}
}

// configure carries out POST /{number} with a webhook for this number alone.
func (a *Account) configure(r *http.Request, p map[string]any) (any, *refusal) {
	o := object(p, "webhook_configuration")
	callback := text(o, "override_callback_uri")
	if a.o.Kind != WhatsApp || o == nil {
		return nil, bad(100, "Unsupported request")
	}
	if callback != "" {
		if failed := a.server.ask(r, callback, text(o, "verify_token")); failed != nil {
			return nil, failed
		}
	}
	a.SetOverride(callback)
	a.Hook(callback)
	return map[string]any{"success": true}, nil
}
