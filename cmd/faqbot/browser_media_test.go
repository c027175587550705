package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Files in a real browser: a customer's picture and recording at the desk, an agent's attachments with and
// without JavaScript, an entry's picture from the upload page to the chat.
func TestFilesInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	wav := append([]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"), make([]byte, 64)...)

	customer := d.tab(390, 844)
	customer.open("/chat/demo")
	customer.ask("I want to talk to a person", "passing you to a person")
	for _, file := range []string{write("screenshot.png", picture(320, 200)), write("memo.wav", wav), write("contract.pdf", []byte("%PDF-1.4 contract"))} {
		customer.do(chromedp.SetUploadFiles(`#file`, []string{file}))
		customer.click("#composer button.send", "")
		customer.until(`!document.querySelector('.failed') && [...document.querySelectorAll('#bubbles li[data-seq]')].some(e => e.innerHTML.includes('` + filepath.Base(file) + `'))`)
	}

	agent := d.tab(1440, 900)
	agent.open("/")
	agent.click("button", "Sign in as an agent")
	agent.click("a.row", "person")
	agent.until(`document.querySelector('.files img')?.naturalWidth === 320`)
	agent.until(`document.querySelector('.files audio') && document.querySelector('.files a[download]')`)
	agent.accessible("a ticket with files")
	agent.until(`document.querySelector('form[data-files].live')`)
	agent.fill("#words", "Here is what it should look like.")
	agent.do(chromedp.SetUploadFiles(`#reply input[type=file]`, []string{write("wrong.png", picture(10, 10)), write("right.png", picture(300, 150)), write("program.exe", []byte("MZ\x90\x00\x03\x00"))}))
	agent.until(`document.querySelectorAll('#staged input[name=kept]').length === 2 && document.querySelector('#staged .wrong')`)
	agent.says("program.exe was left out: this kind of file is not taken")
	agent.accessible("attachments")
	agent.keepShot("attachments")
	require.NoError(t, agent.js(`[...document.querySelectorAll('#staged li')].filter(e => !e.innerText.includes('right.png')).forEach(e => e.querySelector('button').click())`, nil))
	agent.click("#reply button", "Send the reply")
	agent.until(`document.querySelector('.bubble.agent .files img')?.naturalWidth === 300`)
	require.NoError(t, agent.js(`document.querySelectorAll('.bubble.agent .files img').length === 1 || Promise.reject('more than one file went out')`, nil))
	agent.keepShot("files")
	customer.until(`[...document.querySelectorAll('#bubbles img')].some(i => i.naturalWidth === 300)`)
	customer.accessible("a chat with files")
	customer.keepShot("chat-files")

	affiliate := d.tab(1440, 900)
	affiliate.open("/")
	affiliate.click("button", "Sign in as an affiliate")
	affiliate.says("Upload a file")
	faq := write("faq.csv", []byte("id,question,answer,media\nlogo,What does your logo look like?,Like this.,logo.png\nmissing,What is missing?,A picture.,nowhere.png\n"))
	affiliate.do(chromedp.SetUploadFiles(`input[name=file]`, []string{faq}), chromedp.SetUploadFiles(`input[name=media]`, []string{write("logo.png", picture(200, 100))}))
	affiliate.accessible("upload with files")
	affiliate.keepShot("upload-files")
	affiliate.click("button", "Check the file")
	affiliate.says(`There is no file "nowhere.png"`)
	affiliate.until(`[...document.querySelectorAll('.media img')].some(i => i.naturalWidth === 200)`)
	affiliate.accessible("preview with files")
	affiliate.keepShot("preview-files")
	affiliate.click(".bar button", "Publish")
	affiliate.click("dialog button", "Publish")
	affiliate.says("Published")
	visitor := d.tab(390, 844)
	visitor.open("/chat/demo")
	visitor.askUntil("what does your logo look like?", "Like this.")
	visitor.until(`[...document.querySelectorAll('#bubbles img')].some(i => i.naturalWidth === 200)`)
	visitor.keepShot("chat-entry")
}
