package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// An affiliate changes one answer in four acts, and the chat gives the new one; two who edit one entry are told of each
// other; a new entry, files and drafts of many entries.
func TestEditingInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	ann := d.tab(1440, 900)
	ann.open("/")
	ann.click("button", "Sign in as an affiliate")
	ann.says("Upload a file")
	ann.open("/partners/harbour-lane/entries")
	ann.accessible("entries")
	ann.keepShot("entries")

	ann.click(".entry h2 a", "minimum payout") // 1
	ann.until(`document.querySelector('#answer')`)
	ann.accessible("editor")
	ann.fill("#answer", "Ten euros, since spring.") // 2
	ann.says("Draft saved")
	ann.until(`document.querySelector('#shown').innerText.includes('Ten euros, since spring.')`)
	ann.keepShot("editor")
	ann.click("#edit .bar button", "Review and publish") // 3
	ann.says("What would change")
	ann.accessible("review")
	ann.keepShot("review")
	visitor := d.tab(390, 844)
	visitor.open("/chat/demo")
	visitor.until(chatReady)
	began := time.Now()
	ann.click(".bar button", "Publish 1") // 4
	ann.says("Published 1 change to harbour-lane")
	published := time.Since(began)
	visitor.askUntil("what is the minimum payout?", "Ten euros, since spring.")
	t.Logf("published after %v, asked and answered in the chat after %v", published, time.Since(began))

	// Somebody else opens the entry, too, and saves first.
	root := d.tab(1440, 900)
	root.open("/")
	root.click("button", "Sign in as an admin")
	root.until(`location.pathname === '/people' && document.readyState === 'complete'`)
	root.open("/partners/harbour-lane/entries?q=minimum+payout")
	root.click(".entry h2 a", "minimum payout")
	root.until(`document.querySelector('#answer')`)
	ann.open("/partners/harbour-lane/entries?q=minimum+payout")
	ann.click(".entry h2 a", "minimum payout")
	ann.says("has this entry open, too.")
	root.says("has this entry open, too.") // by itself
	root.fill("#answer", "Eleven euros.")
	root.says("Draft saved")
	ann.says("Somebody saved another draft of this entry.")
	ann.fill("#answer", "Twelve euros.")
	ann.says("Not saved: somebody else saved this entry")
	ann.click("#edit .bar button", "Save draft")
	ann.says("saved this entry while you were writing.")
	ann.accessible("conflict")
	ann.keepShot("conflict")
	ann.click("#edit .bar button", "Save draft")
	ann.says("Saved the draft.")

	// A new entry with a long answer and a file.
	ann.open("/partners/harbour-lane/entries/new")
	ann.fill("#question", "Do you have a logo?")
	ann.fill("#answer", strings.Repeat("Our logo is a lighthouse. ", 50))
	ann.fill("#variants", "payout threshold")
	ann.says("Draft saved")
	ann.until(`[...document.querySelectorAll('.channel h3')].some(e => e.innerText === 'Instagram')`)
	logo := filepath.Join(t.TempDir(), "logo.png")
	require.NoError(t, os.WriteFile(logo, picture(200, 100), 0o600))
	ann.do(chromedp.SetUploadFiles(`input[name=file]`, []string{logo}))
	ann.until(`document.querySelector('.check img')?.naturalWidth === 200`)
	ann.accessible("an entry with a file")
	ann.keepShot("editor-long")
	ann.open("/partners/harbour-lane/entries?show=drafts")
	ann.says("New, not published")
	ann.keepShot("drafts")
	ann.click(".bar button", "Review 2")
	ann.says("Publish 2")
	require.NoError(t, ann.js(`document.querySelector('form[action$="/publish"]').requestSubmit()`, nil))
	ann.says("Published 2 changes")

	// The file that the FAQ came from, once more: what was edited stays.
	ann.open("/partners/harbour-lane")
	faq, err := filepath.Abs("demo/faq.jsonl")
	require.NoError(t, err)
	ann.do(chromedp.SetUploadFiles(`input[name=file]`, []string{faq}))
	ann.click("button", "Check the file")
	ann.says("edited by hand stays")
	ann.accessible("a file that is read again")
	ann.keepShot("held")

	ann.open("/partners/harbour-lane/entries/check")
	ann.says("One question, two answers") // by itself, once they are compared
	ann.says("A channel cuts the answer")
	ann.accessible("findings")
	ann.keepShot("findings")
	ann.click("main a", "Merge the two")
	ann.says("Merge two entries")
	ann.open("/partners/harbour-lane/entries")
	ann.says("could be better")
	require.NoError(t, ann.js(`[...document.querySelectorAll('input[name=id]')].slice(0, 2).forEach(e => e.click())`, nil))
	ann.click(".bulk summary", "With the chosen")
	ann.accessible("many at once")
	ann.keepShot("bulk")
	ann.click(".bulk button", "Merge two")
	ann.says("Merge two entries")
	ann.accessible("merge")
	ann.keepShot("merge")
	ann.click("main button", "Keep this answer")
	ann.says("Saved 2\u00a0drafts.")
}
