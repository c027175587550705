package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/waittest"
)

// An affiliate enters the address of their FAQ, looks at what was found on it and the pages below, publishes it, and
// customers get the answers.
func TestWebPageInABrowser(t *testing.T) {
	t.Parallel()
	pages := t.TempDir()
	for name, html := range map[string]string{
		"index.html": `<!doctype html><nav><a href="/">Home</a></nav><main><h1>Help</h1><a href="money.html">Money</a> <a href="gone.html">Gone</a></main>`,
		"money.html": `<!doctype html><nav><a href="/">Home</a></nav><main><h1>Money</h1><details><summary>When do you pay?</summary>On the 15th.</details>
			<details><summary>Where is your harbour museum?</summary>At the old pier.</details></main><footer>All rights reserved</footer>`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(pages, name), []byte(html), 0o600))
	}
	web := httptest.NewServer(http.StripPrefix("/help", http.FileServer(http.Dir(pages))))
	t.Cleanup(web.Close)

	s := &metaSite{site: &site{t: t, dir: t.TempDir(), addr: freeAddress(t), log: &syncBuffer{}, scheme: "http", client: http.DefaultClient}}
	config := fmt.Sprintf("[server]\nlisten = %q\n[import]\nprivate_hosts = [%q]\n[[account]]\nchannel = \"webchat\"\nid = \"chat\"\nlocale = \"en\"\naffiliates = [\"shop\"]\n", s.addr, web.Listener.Addr())
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "faqbot.toml"), []byte(config), 0o600))
	faq, err := filepath.Abs("testdata/shop.jsonl")
	require.NoError(t, err)
	s.faqbot("import", faq, "--affiliate", "shop", "--publish")
	t.Cleanup(s.stop)
	s.start()
	d := &browserDemo{t: t, address: s.addr, log: s.log, browser: newBrowser(t)}

	affiliate := d.person(s, "ann", "affiliate")
	affiliate.open("/partners/shop")
	affiliate.says("Or from a web page")
	affiliate.fill("#address", "http://10.0.0.1/faq")
	affiliate.click("#web-page button", "Check the page")
	affiliate.says("The address leads into a private network")
	affiliate.accessible("a web page that is not read")
	affiliate.keepShot("webpage-error")
	affiliate.fill("#address", web.URL+"/help/")
	affiliate.click("#web-page label", "Also the pages below it")
	affiliate.click("#web-page button", "Check the page")
	affiliate.says("When do you pay?")
	affiliate.says("gone.html: The site answered with status 404")
	affiliate.accessible("the preview of a web page")
	affiliate.keepShot("webpage-preview")
	affiliate.click(".bar button", "Publish")
	affiliate.click("dialog button", "Publish")
	affiliate.says("Published")

	folder := t.TempDir()
	files := []string{wordDocument(t, folder)}
	for name, text := range map[string]string{
		"lighthouse.md": "# Who built the red lighthouse?\n\nTwo brothers, in 1884.\n",
		"ferry.md":      "# How often does the island ferry sail?\n\nEvery 40 minutes.\n",
	} {
		files = append(files, filepath.Join(folder, name))
		require.NoError(t, os.WriteFile(files[len(files)-1], []byte(text), 0o600))
	}
	affiliate.open("/partners/shop")
	affiliate.do(chromedp.SetUploadFiles(`input[name=file]`, files))
	affiliate.click(".primary", "Check the file")
	affiliate.says("3 added")
	affiliate.keepShot("several-files")
	affiliate.click(".bar button", "Publish")
	affiliate.click("dialog button", "Publish")
	affiliate.says("Published")

	customer := d.tab(390, 844)
	customer.open("/chat/chat")
	customer.askUntil("where is your harbour museum?", "At the old pier.")
	customer.askUntil("who built the red lighthouse?", "Two brothers, in 1884.")
	customer.askUntil("do you repair old anchors?", "Yes, bring them to the dock.")
}

// wordDocument writes a document of Word with one question, and returns its path.
func wordDocument(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "anchors.docx")
	f, err := os.Create(path)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("word/document.xml")
	require.NoError(t, err)
	_, err = w.Write([]byte(`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
		<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Do you repair old anchors?</w:t></w:r></w:p><w:p><w:r><w:t>Yes, bring them to the dock.</w:t></w:r></w:p></w:body></w:document>`))
	require.NoError(t, errors.Join(err, z.Close(), f.Close()))
	return path
}

// askUntil asks until a bubble holds the answer: what was just published takes a moment to be live. After another reply
// somebody else asks, since who repeats a question is passed to a person.
func (b *tab) askUntil(question, answer string) {
	b.d.t.Helper()
	var here string
	require.NoError(b.d.t, b.js(`location.pathname + location.search`, &here))
	answered := fmt.Sprintf(`document.querySelector('#bubbles').innerText.includes(%s)`, quoted(answer))
	const said = `document.querySelectorAll('#bubbles li[data-seq]').length`
	for began := time.Now(); time.Since(began) < waittest.Hang; {
		b.until(chatReady)
		b.fill("#text", question)
		var before int
		require.NoError(b.d.t, b.js(said, &before))
		b.do(chromedp.KeyEvent("\r"))
		var ok bool
		b.until(fmt.Sprintf(`%s || %s >= %d`, answered, said, before+2)) // what they said, and a reply
		if b.js(answered, &ok) == nil && ok {
			return
		}
		b.do(network.ClearBrowserCookies())
		require.NoError(b.d.t, b.js(`localStorage.clear(); sessionStorage.clear()`, nil))
		b.open(here)
	}
	b.d.t.Fatalf("never live: %s", answer)
}
