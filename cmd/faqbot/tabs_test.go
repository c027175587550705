package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const manyTabs = 10 // more than the six connections that a browser opens to a host over HTTP/1.1

// Ten windows of the chat and ten of the desk all load, all send, and all show what the others sent: they
// share one stream.
func TestTenTabs(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	chats := []*tab{d.tab(1440, 900)}
	for len(chats) < manyTabs {
		chats = append(chats, chats[0].beside())
	}
	for _, c := range chats {
		c.open("/chat/demo")
		c.until("document.querySelector('#text') && document.documentElement.classList.contains('live')")
	}
	words := func(who string, i int) string { return fmt.Sprintf("%s number %d wants a person", who, i) }
	for i, c := range chats {
		c.fill("#text", words("Visitor", i))
		c.do(chromedp.KeyEvent("\r"))
		c.until(fmt.Sprintf("document.querySelector('#bubbles').innerText.includes(%s)", quoted(words("Visitor", i))))
	}
	for _, c := range chats {
		for i := range chats {
			c.says(words("Visitor", i))
		}
	}
	chats[0].sharesStream()

	desks := []*tab{d.tab(1440, 900)}
	desks[0].open("/")
	desks[0].click("button", "Sign in as an agent")
	desks[0].click("a.row", "Visitor number")
	desks[0].until("location.pathname.startsWith('/desk/tickets/') && document.querySelector('#words')")
	var path string
	require.NoError(t, desks[0].js("location.pathname", &path))
	for len(desks) < manyTabs {
		desks = append(desks, desks[0].beside())
		desks[len(desks)-1].open(path)
		desks[len(desks)-1].until("document.querySelector('#words')")
	}
	for i, desk := range desks {
		desk.fill("#words", words("Agent", i))
		desk.click("#reply button", "Send the reply")
		desk.until(fmt.Sprintf("document.querySelector('#said').innerText.includes(%s)", quoted(words("Agent", i))))
	}
	for _, desk := range append(desks, chats...) {
		for i := range desks {
			desk.says(words("Agent", i))
		}
	}
	desks[0].sharesStream()
}

// sharesStream requires that one window reads the stream and the others wait for its place.
func (b *tab) sharesStream() {
	b.d.t.Helper()
	b.until(fmt.Sprintf(`navigator.locks.query().then(l => l.held.length === 1 && l.pending.length === %d)`, manyTabs-1))
}

// Where no event stream gets through, because something between buffers it for ever or refuses it, pages poll.
func TestStreamsBlocked(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	blocked := func(stream string) *tab {
		b := d.tab(1440, 900)
		require.NoError(t, chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(`const real = fetch; window.fetch = (url, o) =>
				String(url).includes('/events') && !String(url).includes('once=1') ? ` + stream + ` : real(url, o)`).Do(ctx)
			return err
		})))
		return b
	}
	for words, stream := range map[string]string{
		"I want to talk to a person please": `new Promise(() => {})`,
		"Can I talk to a human being":       `Promise.reject(new TypeError("refused"))`,
	} {
		d.talkWithoutStreams(blocked(stream), blocked(stream), words)
	}
}

// talkWithoutStreams lets a customer, who asks for a person in those words, and an agent answer each other.
func (d *browserDemo) talkWithoutStreams(customer, agent *tab, words string) {
	d.t.Helper()
	customer.open("/chat/demo")
	customer.ask(words, "person")
	agent.open("/")
	agent.click("button", "Sign in as an agent")
	agent.click("a.row", words)
	agent.fill("#words", "Here I am.")
	agent.click("#reply button", "Send the reply")
	customer.says("Here I am.")
	customer.fill("#text", "Good that you are there")
	customer.do(chromedp.KeyEvent("\r"))
	agent.says("Good that you are there")
}

// beside is another window of the same person, in view too.
func (b *tab) beside() *tab {
	b.d.t.Helper()
	return b.d.window(b.cookies, 1440, 900)
}

func (d *browserDemo) window(cookies cdp.BrowserContextID, width, height int64) *tab {
	d.t.Helper()
	executor := cdp.WithExecutor(d.browser, chromedp.FromContext(d.browser).Browser)
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(cookies).WithNewWindow(true).Do(executor)
	require.NoError(d.t, err)
	ctx, end := chromedp.NewContext(d.browser, chromedp.WithTargetID(id))
	d.t.Cleanup(end)
	require.NoError(d.t, chromedp.Run(ctx, chromedp.EmulateViewport(width, height)))
	return &tab{d: d, ctx: ctx, cookies: cookies}
}
