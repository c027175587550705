package main

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/eval/suite"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/waittest"
)

// sendFile posts a file in a form.
func (h *house) sendFile(who, path, name, content string) (status int, location, body string) {
	h.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	require.NoError(h.t, err)
	_, err = part.Write([]byte(content))
	require.NoError(h.t, err)
	require.NoError(h.t, w.Close())
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.server.URL+path, &form)
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.AddCookie(&http.Cookie{Name: "faqbot", Value: h.cookies[who]})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(h.t, err)
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	return res.StatusCode, res.Header.Get("Location"), text.String()
}

// fetch returns a page that brings its own styles, or any.
func (h *house) fetch(who, path string) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.server.URL+path, nil)
	require.NoError(h.t, err)
	req.AddCookie(&http.Cookie{Name: "faqbot", Value: h.cookies[who]})
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	require.NoError(h.t, err)
	require.NoError(h.t, res.Body.Close())
	require.Equal(h.t, http.StatusOK, res.StatusCode)
	return text.String()
}

// carryOut carries out what waits and returns what the page of the newest run shows.
func (h *house) carryOut(path string) string {
	h.t.Helper()
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.service.pages.tests.Run(ctx) }()
	var body string
	require.Eventually(h.t, func() bool {
		_, _, body = h.send("affiliate", path, nil)
		return !strings.Contains(body, "Cancel the run")
	}, waittest.Hang, 20*time.Millisecond)
	stop()
	require.ErrorIs(h.t, <-ended, context.Canceled)
	return body
}

// Test cases without JavaScript: from a conversation, with secrets masked, by hand and from a file whose errors are told.
// Runs of them, an interrupted one too. What is a customer's goes when the customer is forgotten, from results as well.
func TestTestCasesOnPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	require.NoError(t, h.service.searcher.Refresh(ctx))
	const at = "/eval/acme"
	h.missed("turn1", "is my card 4111 1111 1111 1111 charged twice")
	conversation := h.params.Replace(":conversation")

	_, _, body := h.send("lead", "/desk/conversations/"+conversation, nil)
	link := regexp.MustCompile(`href="(/eval/acme/cases/new[^"]+)"`).FindStringSubmatch(body)
	require.NotNil(t, link, "leads see it")
	_, _, body = h.send("agent", "/desk/conversations/"+conversation, nil)
	require.NotContains(t, body, "/eval/acme/cases/new", "agents do not")
	form := strings.ReplaceAll(link[1], "&amp;", "&")
	_, _, body = h.send("affiliate", form, nil)
	require.Contains(t, body, "charged twice")
	require.NotContains(t, body, "4111 1111")
	status, _, _ := h.send("other lead", strings.Replace(form, "acme", "other", 1), nil)
	require.Equal(t, 404, status, "it is another affiliate's conversation")

	of := url.Values{"conversation": {conversation}, "turn": {"turn1"}, "question": {"is my card 4111 1111 1111 1111 charged twice"}}
	status, _, body = h.send("lead", at+"/cases", url.Values{"question": {"x"}, "expect": {"clarify"}, "near": {"a"}})
	require.Equal(t, 422, status)
	require.Contains(t, body, "Choose two entries or more.")
	of.Set("expect", "answer")
	of.Set("other", "a")
	status, to, _ := h.send("lead", at+"/cases", of)
	require.Equal(t, []any{303, at + "/cases?done=added"}, []any{status, to})
	status, _, _ = h.send("affiliate", at+"/cases", url.Values{"question": {"how am I paid?"}, "expect": {"answer"}, "other": {"a"}, "near": {"a"}})
	require.Equal(t, 303, status)
	status, _, body = h.sendFile("affiliate", at+"/cases/file", "suite.csv", "question,answer\nwhen,zzz\n")
	require.Equal(t, 422, status)
	require.Contains(t, body, `suite.csv, line 2: the FAQ has no entry &#34;zzz&#34;`)
	status, _, _ = h.sendFile("affiliate", at+"/cases/file", "suite.csv", "question,answer,none\nwhen am I paid,a,\nthe weather,,x\n")
	require.Equal(t, 303, status)
	_, _, body = h.send("affiliate", at+"/cases", nil)
	require.Equal(t, 4, strings.Count(body, "/cases/remove"))
	require.Equal(t, 1, strings.Count(body, `chip">A customer`))
	require.NotContains(t, body, "4111 1111")

	_, to, _ = h.send("affiliate", at+"/runs", url.Values{})
	require.Contains(t, h.carryOut(to), "of 4 cases failed")
	require.Contains(t, h.fetch("affiliate", to+"/report"), "charged twice")
	status, _, _ = h.send("other affiliate", strings.Replace(to, "acme", "other", 1), nil)
	require.Equal(t, 404, status)

	store := cases.NewStore(h.service.db)
	first := to
	_, to, _ = h.send("lead", at+"/runs", url.Values{})
	_, _, err := store.Claim(ctx)
	require.NoError(t, err)
	require.NoError(t, store.Interrupt(ctx), "the service was killed")
	_, _, body = h.send("affiliate", to, nil)
	require.Contains(t, body, "The service ended while this run was under way.")
	h.send("affiliate", to+"/resume", url.Values{})
	require.Contains(t, h.carryOut(to), "of 4 cases failed")
	_, _, body = h.send("affiliate", at, nil)
	require.Contains(t, body, `class="trend"`)
	id := func(path string) string { return path[strings.LastIndex(path, "/")+1:] }
	_, _, body = h.send("affiliate", at+"/compare?before="+id(first)+"&after="+id(to), nil)
	require.Contains(t, body, "4 cases in both")
	require.Contains(t, body, "No evidence of a change")

	file := filepath.Join(t.TempDir(), "mine.yaml")
	var out bytes.Buffer
	require.Equal(t, exitDone, run(ctx, []string{"--config", h.service.config.path, "eval", "export", "--affiliate", "acme", file}, terminal{out: &out, err: &out}), &out)
	s, err := suite.Read(file)
	require.NoError(t, err)
	require.Len(t, s.Cases, 4)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	status, _, _ = h.sendFile("affiliate", at+"/cases/file", "mine.yaml", string(data))
	require.Equal(t, 303, status, "what was downloaded goes up again")

	conv, err := h.service.conversations.Get(ctx, bot.ConversationID(conversation))
	require.NoError(t, err)
	require.NoError(t, h.service.desk.Forget(ctx, conv.Customer))
	for _, path := range []string{at + "/cases", first, first + "/report", to} {
		require.NotContains(t, h.fetch("affiliate", path), "charged twice", path)
	}
	require.Empty(t, filesWith(t, string(h.service.config.Database.DSN), "charged twice"))
}

// An affiliate keeps test cases from Try it and from a file, runs them, is told what an upload would break, publishes it
// all the same, and compares the two runs.
func TestTestCasesInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	ann := d.tab(390, 844)
	ann.open("/")
	ann.click("button", "Sign in as an affiliate")
	ann.says("Upload a file")
	ann.open("/eval")
	ann.says("No test cases yet")
	ann.accessible("no test cases")
	ann.keepShot("eval-empty")
	ann.open("/partners/harbour-lane/try")
	ann.fill("#text", "what is the smallest sum you send me")
	ann.click("main button", "Ask")
	ann.click("main a", "This should have been")
	ann.says("Now: the bot")
	ann.accessible("a new test case")
	ann.keepShot("eval-case")
	ann.click("label", "What is the minimum payout?")
	ann.click("main button", "Keep the test case")
	ann.says("The test case is kept.")
	file := filepath.Join(t.TempDir(), "suite.yaml")
	require.NoError(t, os.WriteFile(file, []byte("- {ask: what is the payout threshold, answer: payout-minimum}\n- {ask: when is payday, answer: payout-when}\n- {ask: is it free to join, answer: join-cost}\n- {ask: who won the cup, none: true}\n"), 0o600))
	ann.click("summary", "Upload a suite")
	ann.do(chromedp.SetUploadFiles(`input[name=file]`, []string{file}))
	ann.click("main button", "Upload the file")
	ann.says("The file's cases are kept.")
	ann.accessible("test cases")
	ann.keepShot("eval-cases")
	ann.open("/eval/harbour-lane")
	ann.click("main button", "Run 5 test cases")
	ann.says("Open the whole report") // by itself
	ann.accessible("a run")
	ann.keepShot("eval-run")

	// The upload lacks an entry that cases expect.
	ann.open("/partners/harbour-lane")
	faq := filepath.Join(t.TempDir(), "faq.jsonl")
	var kept []string
	for line := range strings.Lines(string(demoFAQ)) {
		if !strings.Contains(line, `"payout-minimum"`) {
			kept = append(kept, line)
		}
	}
	require.NoError(t, os.WriteFile(faq, []byte(strings.Join(kept, "")), 0o600))
	ann.do(chromedp.SetUploadFiles(`input[name=file]`, []string{faq}))
	ann.click("button", "Check the file")
	ann.says("of your 5 test cases") // by itself
	ann.says("what is the payout threshold")
	ann.accessible("an upload that breaks test cases")
	ann.keepShot("eval-preview")
	require.NoError(t, ann.js(`document.querySelector('form[action$="/publish"]').submit()`, nil))
	ann.says("Published 1 change")

	ann.open("/eval/harbour-lane")
	ann.until(`document.readyState === 'complete'`)
	ann.click("main button", "Run 5 test cases")
	ann.says("Cases that failed")
	ann.open("/eval/harbour-lane")
	ann.says("Share of cases that passed")
	ann.accessible("runs")
	ann.keepShot("eval-runs")
	ann.click("main form button", "Compare two runs")
	ann.says("Broken")
	ann.says("what is the payout threshold")
	ann.accessible("two runs")
	ann.keepShot("eval-compare")

	// A run of many cases is canceled while it goes on.
	large, err := filepath.Abs("demo/suite.yaml")
	require.NoError(t, err)
	data, err := os.ReadFile(large)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(data, []byte("answer: payout-minimum"), []byte("answer: payout-when")), 0o600))
	ann.open("/eval/harbour-lane/cases")
	ann.click("summary", "Upload a suite")
	ann.do(chromedp.SetUploadFiles(`input[name=file]`, []string{file}))
	ann.click("main button", "Upload the file")
	ann.says("The file's cases are kept.")
	ann.open("/eval/harbour-lane")
	ann.click("main button", "test cases")
	ann.click("main button", "Cancel the run")
	ann.says("Canceled")
	ann.keepShot("eval-canceled")
}
