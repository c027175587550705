package main

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A marketer gets from nothing to live answers in a browser alone: the link of the first admin, an affiliate, the FAQ
// of a web page, the chat on a page of another origin; a question that nothing answers is answered with two clicks.
func TestStartInABrowser(t *testing.T) {
	t.Parallel()
	var tag atomic.Value
	tag.Store("")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/faq" {
			_, _ = io.WriteString(w, `<!doctype html><main><h1>Help</h1><details><summary>When do you pay?</summary>On the 15th of each month.</details>
				<details><summary>Where is your harbour museum?</summary>At the old pier.</details></main>`)
			return
		}
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A shop</title><body><h1>A shop</h1>`+tag.Load().(string)+`</body></html>`)
	}))
	t.Cleanup(web.Close)
	s := &site{t: t, dir: t.TempDir(), addr: freeAddress(t), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "faqbot.toml"), fmt.Appendf(nil, "[server]\nlisten = %q\n[import]\nprivate_hosts = [%q]\n", s.addr, web.Listener.Addr()), 0o600))
	t.Cleanup(s.stop)
	s.start()
	d := &browserDemo{t: t, address: s.addr, log: s.log, browser: newBrowser(t)}
	began, acts := time.Now(), 0
	admin := d.tab(1440, 900)
	fill := func(field, words string) { admin.fill(field, words); acts++ }
	click := func(selector, words string) { admin.click(selector, words); acts++ }

	admin.do(chromedp.Navigate(welcomeLink.FindString(s.log.String())))
	fill("#name", "ann")
	fill("#password", "a long password of hers")
	click("main button", "Create")
	admin.says("Name the affiliate")
	admin.accessibleShot("start-begin")
	fill("#name", "Harbour Lane")
	click("main button", "Go on")
	admin.says("Give the answers")
	admin.accessibleShot("start-faq")
	fill("#address", web.URL+"/faq")
	click("main button", "Check the page")
	admin.says("Where is your harbour museum?")
	click(".bar button", "Publish")
	click("dialog button", "Publish")
	admin.says("Published")
	click("nav.go a", "Set up")
	click("main a", "Harbour Lane")
	admin.says("Ask as a customer would")
	click("main a", "Ask a question")
	fill(`[name="text"]`, "when do you pay")
	click("main button", "Ask")
	admin.says("On the 15th of each month.")
	admin.open("/start/Harbour%20Lane")
	click("main button", "It answers well")
	click("main a", "Make the chat")
	admin.says("Preview")
	fill("#id", "shop")
	fill("#name", "Harbour Lane helps")
	fill("#suggested", "When do you pay?\nWhere is your harbour museum?")
	fill("#origins", web.URL)
	admin.frame = true // the widget itself, with what is not saved
	admin.until(`document.querySelector('h1').innerText.includes('Harbour Lane helps') && document.querySelectorAll('#suggested button').length === 2`)
	admin.frame = false
	admin.accessibleShot("start-chat-form")
	click("main button", "Save the chat")
	admin.says("Put it on a page")
	fill("#address", web.URL+"/")
	click("main button", "Check the page")
	admin.says("The tag is not on the page")
	var line string
	require.NoError(t, admin.js(`document.querySelector('#tag').value`, &line))
	tag.Store(line)
	acts++ // it is pasted
	fill("#address", web.URL+"/")
	click("main button", "Check the page")
	admin.says("The tag is on the page.")
	admin.says(web.URL + " may show the chat.")
	admin.accessibleShot("start-chat-page")

	visitor := func(question, answer string) *tab {
		b := d.tab(1440, 900)
		b.do(chromedp.Navigate(web.URL + "/"))
		b.until("window.faqbot")
		require.NoError(t, b.js("faqbot.open()", nil))
		b.frame = true
		b.until(`document.body.innerText.includes('Where is your harbour museum?')`)
		b.ask(question, answer)
		return b
	}
	visitor("where can I find the harbour museum?", "At the old pier.")
	live := time.Since(began)
	t.Logf("live after %d acts and %s", acts, live.Round(time.Second))
	visitor("do you sell gift vouchers for birthdays?", "None of these").click("#bubbles button", "None of these")

	admin.open("/start")
	admin.click("main a", "Harbour Lane")
	admin.says("Connect a messenger")
	admin.accessibleShot("start-last")
	admin.click("main button", "Skip this step")
	admin.says("All set.")
	admin.click("main a", "Unanswered questions")
	admin.until(`location.pathname.endsWith('/gaps')`)
	admin.until(`document.body.innerText.includes('gift vouchers') || (document.readyState === 'complete' && location.reload(), false)`)
	admin.accessibleShot("gaps")
	admin.click("main a", "Write the answer")
	admin.says("What customers asked")
	admin.accessibleShot("gap")
	admin.fill("#answer", "Yes, from 10 euros, by e-mail.")
	admin.click("main button", "Publish the answer")
	admin.says("Published. Customers get the answer now.")
	customer := d.tab(390, 844)
	customer.open("/chat/shop")
	customer.askUntil("do you sell gift vouchers for birthdays?", "Yes, from 10 euros")
	admin.until(`document.body.innerText.includes('Fixed: answered') || (document.readyState === 'complete' && (location.href = '/partners/Harbour%20Lane/gaps?state=answered'), false)`)
	admin.open("/affiliates")
	admin.accessibleShot("affiliates")
	admin.open("/people")
	admin.accessibleShot("people-list")

	brandInABrowser(admin, d.tab(390, 844))

	nobody := d.tab(390, 844)
	nobody.do(emulation.SetScriptExecutionDisabled(true))
	publicFAQInABrowser(admin, d.tab(1440, 900), nobody)

	plain := d.window(admin.cookies, 390, 844) // without JavaScript
	plain.do(emulation.SetScriptExecutionDisabled(true))
	plain.open("/partners/Harbour%20Lane/brand")
	plain.do(chromedp.SetValue("#privacy", "https://harbour.example/privacy", chromedp.ByQuery), chromedp.Click("#brand .bar button", chromedp.ByQuery),
		chromedp.WaitVisible(`//*[contains(., "Saved. It counts")]`, chromedp.BySearch))
	plain.open("/partners/Harbour%20Lane/gaps?state=answered")
	plain.do(chromedp.Click(`//button[contains(., "Open again")]`, chromedp.BySearch), chromedp.WaitVisible(`//a[contains(., "Write the answer")]`, chromedp.BySearch))
	require.NotContains(t, s.log.String(), template.HTMLEscapeString("gift vouchers"), "no customer's words in the log")
}
