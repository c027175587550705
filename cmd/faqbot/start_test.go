package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/page/pagetest"
)

// send posts a form as somebody, or gets a page if there is none, and returns the answer without following it.
func (h *house) send(who, path string, form url.Values) (status int, location, body string) {
	h.t.Helper()
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, content)
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "faqbot", Value: h.cookies[who]})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(h.t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && len(data) > 0 && res.StatusCode != http.StatusSeeOther {
		pagetest.Check(h.t, string(data))
	}
	return res.StatusCode, res.Header.Get("Location"), string(data)
}

// The guided start without JavaScript: what is wrong with a form is told, steps are skipped and taken back, answers are
// written and pasted. Affiliates are renamed, archived and restored, and an archived one is nowhere to be chosen.
func TestStartAndAffiliates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	for name, says := range map[string]string{"": "Use 1 to 64 letters", "a/b": "Use 1 to 64 letters", "ACME": "There is an affiliate of that name"} {
		status, _, body := h.send("admin", "/start", url.Values{"name": {name}})
		require.Equal(t, 422, status, name)
		require.Contains(t, body, says, name)
	}
	status, to, _ := h.send("admin", "/start", url.Values{"name": {"new one"}})
	require.Equal(t, []any{303, "/start/new%20one"}, []any{status, to})

	status, _, body := h.send("admin", to+"/write", url.Values{"question1": {"When do you pay?"}, "answer1": {"On the 15th."}, "question2": {"How?"}, "answer2": {" "}})
	require.Equal(t, 422, status)
	require.Contains(t, body, "Write something here.")
	require.Contains(t, body, "On the 15th.", "nothing must be typed again")
	status, _, _ = h.send("admin", to+"/write", url.Values{"question1": {"When do you pay?"}, "answer1": {"On the 15th."}})
	require.Equal(t, 303, status)
	status, draft, _ := h.send("admin", to+"/paste", url.Values{"text": {"How do I join?\nFill in the form.\n\nWhat is it?\nA shop."}})
	require.Equal(t, 303, status)
	require.Contains(t, draft, "/partners/new%20one/uploads/")
	_, _, body = h.send("admin", draft, nil)
	require.Contains(t, body, "Fill in the form.")
	entries, revision, err := h.service.corpus.Published(ctx, "new one")
	require.NoError(t, err)
	require.EqualValues(t, 1, revision, "what was pasted waits to be looked at")
	require.Len(t, entries, 1)

	_, _, body = h.send("admin", to, nil)
	require.Contains(t, body, "Ask as a customer would", "the answers are given: the next step is open")
	h.send("admin", to+"/steps/try", url.Values{"state": {"skipped"}})
	_, _, body = h.send("admin", to, nil)
	require.Contains(t, body, "Skipped")
	require.Contains(t, body, "Make the chat")
	h.send("admin", to+"/steps/try", url.Values{"state": {""}})
	_, _, body = h.send("admin", to, nil)
	require.Contains(t, body, "Ask as a customer would")
	status, _, _ = h.send("admin", to+"/steps/name", url.Values{"state": {"skipped"}})
	require.Equal(t, 404, status)

	h.send("admin", "/affiliates/new%20one/rename", url.Values{"label": {"New Lane"}})
	for _, path := range []string{"/affiliates", "/people", "/channels/add/telegram", "/partners/new%20one"} {
		_, _, body = h.send("admin", path, nil)
		require.Contains(t, body, "New Lane", path)
	}
	_, undo, _ := h.send("admin", "/affiliates/new%20one/archive", url.Values{})
	_, _, body = h.send("admin", undo, nil)
	require.Contains(t, body, "is archived")
	for _, path := range []string{"/people", "/channels/add/telegram", "/start", "/partners"} {
		_, _, body = h.send("admin", path, nil)
		require.NotContains(t, body, "New Lane", path)
	}
	status, _, _ = h.send("admin", "/partners/new%20one", nil)
	require.Equal(t, 404, status)
	revisions, err := h.service.corpus.Revisions(ctx)
	require.NoError(t, err)
	require.NotContains(t, revisions, knowledge.AffiliateID("new one"), "nothing of it is searched")
	h.send("admin", "/affiliates/new%20one/restore", url.Values{})
	revisions, err = h.service.corpus.Revisions(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, revisions["new one"])
	status, _, _ = h.send("admin", "/affiliates/nobody/archive", url.Values{})
	require.Equal(t, 404, status)
	_, _, body = h.send("admin", "/people/audit", nil)
	require.Contains(t, body, "archive an affiliate")
}

// A chat that an admin adds is served at once, and as it is changed; a form says what is wrong with it. Accounts of the
// file stay as they are.
func TestChatIsAddedOnAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	form := url.Values{"id": {"corner"}, "affiliates": {"acme", "other"}, "name": {"Corner shop"}, "color": {"#aa0000"}, "position": {"left"}, "origins": {"shop.example"}}
	status, _, body := h.send("admin", "/channels/add/webchat", form)
	require.Equal(t, 422, status)
	require.Contains(t, body, "is not an origin")
	require.Contains(t, body, "Corner shop", "nothing must be typed again")
	form.Set("origins", "https://shop.example")
	status, to, _ := h.send("admin", "/channels/add/webchat", form)
	require.Equal(t, []any{303, "/channels/webchat/corner?done=saved"}, []any{status, to})
	_, _, body = h.send("admin", to, nil)
	require.Contains(t, body, "http://house.example/chat/corner/widget.js")
	account, ok := h.service.networks.accounts.Account("webchat/corner")
	require.True(t, ok)
	require.Equal(t, []knowledge.AffiliateID{"acme", "other"}, account.Affiliates)
	_, _, body = h.send("nobody", "/chat/corner/widget.js", nil)
	require.Contains(t, body, "#aa0000")
	form.Set("color", "#00aa00")
	form.Set("change", "corner")
	h.send("admin", "/channels/add/webchat", form)
	_, _, body = h.send("nobody", "/chat/corner/widget.js", nil)
	require.Contains(t, body, "#00aa00")
	form.Set("id", "acme-chat")
	form.Del("change")
	status, _, _ = h.send("admin", "/channels/add/webchat", form)
	require.Equal(t, 422, status, "it stands in the file")
	h.send("admin", "/channels/webchat/corner/remove", url.Values{})
	status, _, _ = h.send("nobody", "/chat/corner", nil)
	require.Equal(t, 404, status)
}
