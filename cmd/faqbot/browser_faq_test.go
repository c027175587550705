package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// publicFAQInABrowser makes the entries public with a colour and a logo, and reads them as people do: a list, a page, a
// search while one types, recordings that play with captions, in Arabic, and without JavaScript.
func publicFAQInABrowser(admin, reader, plain *tab) {
	t := admin.d.t
	dir, at := t.TempDir(), "/partners/Harbour%20Lane"
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	clip, err := os.ReadFile("testdata/clip.webm")
	require.NoError(t, err)
	var sound strings.Builder // a second of 8-bit silence
	sound.WriteString("RIFF\x64\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x40\x1f\x00\x00" + strings.Repeat("\x80", 8000))
	faq := write("more.csv", []byte(`id,question,answer,topic,language,media
tour,How do I find the report?,"Open the menu, then:
1. Reports
2. Commission

| Plan | Pays |
|---|---|
| Bronze | 5 % |
| Gold | 8 % |

More at https://harbour.example/reports.",Reports,en,"tour.webm|tour.vtt|tour.wav ""Open the menu and choose Reports.""|map.png ""The menu, with Reports third"""
tour,كيف أجد التقرير؟,افتح القائمة ثم اختر التقارير. التفاصيل في https://harbour.example/reports,التقارير,ar,
paid,متى تدفعون؟,في الخامس عشر من كل شهر.,الدفع,ar,
`))
	admin.open(at)
	admin.click("main a", "Start from a kit")
	admin.says("Coupon site")
	admin.accessibleShot("kits")
	admin.open(at + "/kits/small-shop/es")
	admin.says("What shipping costs")
	admin.accessibleShot("kit")
	admin.open(at)
	admin.do(chromedp.SetUploadFiles(`input[name=file]`, []string{faq}), chromedp.SetUploadFiles(`input[name=media]`, []string{write("tour.webm", clip),
		write("tour.vtt", []byte("WEBVTT\n\n00:00.000 --> 00:10.000\nOpen the menu\n")), write("tour.wav", []byte(sound.String())), write("map.png", picture(320, 120))}))
	admin.click("button", "Check the file")
	admin.click(".bar button", "Publish")
	admin.click("dialog button", "Publish")
	admin.says("Published")

	const public = "/faq/Harbour%20Lane"
	reader.open(public)
	reader.says("There is no public FAQ here")
	admin.open(at + "/brand")
	admin.do(chromedp.Click(`input[name="public"]`, chromedp.ByQuery), chromedp.SetUploadFiles(`#logo`, []string{write("logo.png", picture(120, 40))}))
	admin.fill("#color", "#b4004e")
	admin.click("#brand .bar button", "Save")
	admin.says("Saved. It counts from the next message.")
	admin.until(`document.querySelector('#faq a').getAttribute('href') === '` + public + `' && document.querySelector('#faq img').naturalWidth === 120`)
	admin.accessibleShot("brand-public")

	reader.open(public)
	reader.says("How do I find the report?")
	reader.until(`document.querySelector('.brand img').naturalWidth === 120 && getComputedStyle(document.querySelector('.search button')).backgroundColor === 'rgb(180, 0, 78)'`)
	reader.accessibleShot("faq-list")
	reader.fill("#q", "where is the report")
	reader.until(`document.querySelector('.found a')?.innerText === 'How do I find the report?' && document.querySelector('#said').innerText.includes('found')`)
	reader.accessibleShot("faq-search")
	require.NoError(t, reader.js(`history.length`, nil))
	reader.click(".found a", "How do I find the report?")
	reader.until(`document.querySelector('article h1')?.innerText === 'How do I find the report?' && document.querySelector('article table td')?.innerText === 'Bronze'`)
	for _, kind := range []string{"video", "audio"} {
		require.NoError(t, reader.js(`document.querySelector('`+kind+`').muted = true; document.querySelector('`+kind+`').play()`, nil), kind)
		reader.until(`document.querySelector('` + kind + `').currentTime > 0`)
	}
	reader.until(`document.querySelector('video').textTracks[0].cues?.[0]?.text === 'Open the menu'`)
	reader.until(`(i => { i.loading = 'eager'; return i.naturalWidth === 320 })(document.querySelector('article img'))`)
	reader.accessibleShot("faq-entry")
	reader.click(".helped button", "Yes")
	reader.says("Thank you.")
	reader.until(`!document.querySelector('.helped').offsetParent`)
	reader.open(public + "/in/ar")
	reader.until(`document.dir === 'rtl' && document.querySelector('summary').innerText.length > 5`)
	require.NoError(t, reader.js(`document.querySelector('details').open = true`, nil))
	reader.accessibleShot("faq-arabic")

	plain.open(public)
	plain.until(`document.querySelectorAll('details').length > 3`)
	plain.do(chromedp.SetValue("#q", "report", chromedp.ByQuery), chromedp.Submit("#q", chromedp.ByQuery))
	plain.until(`document.querySelector('h1').innerText === 'Search results' && document.querySelector('.found a')`)
	plain.do(chromedp.Click(".found a", chromedp.ByQuery))
	plain.until(`document.querySelector('article h1')`)
	plain.do(chromedp.Click(`.helped button[value="no"]`, chromedp.ByQuery))
	plain.until(`document.querySelector('.thanks').offsetParent && !document.querySelector('.helped').offsetParent`)
	plain.do(chromedp.Click(".ask a", chromedp.ByQuery))
	plain.until(`document.querySelector('#text')?.value.length > 5`)
	plain.do(emulation.SetScriptExecutionDisabled(false))
}
