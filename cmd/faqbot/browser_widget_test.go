package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// newShop is somebody's site, which embeds the chat as its page says. Below /chat/ it plays our service, with the script
// alone and no page for the frame.
func newShop(t *testing.T, d *browserDemo, page string) string {
	t.Helper()
	res, err := http.Get("http://" + d.address + "/chat/widget.js")
	require.NoError(t, err)
	script, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/chat/widget.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
		case strings.HasPrefix(r.URL.Path, "/chat/"):
			panic(http.ErrAbortHandler) // nobody answers
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><body><h1>A shop</h1>`+page+`</body></html>`)
		}
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s.URL
}

// covers is whether the chat lies over the middle of the page, or over its corner.
const (
	overMiddle = `document.elementFromPoint(195, 300)?.localName === 'faqbot-chat'`
	overCorner = `document.elementFromPoint(350, 805)?.localName === 'faqbot-chat'`
)

// shadowText is the text of the widget, whose shadow no script of the site's sees.
func (b *tab) shadowText() string {
	b.d.t.Helper()
	var text bytes.Buffer
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		root, err := dom.GetDocument().WithDepth(-1).WithPierce(true).Do(ctx)
		var walk func(n *cdp.Node, inside bool)
		walk = func(n *cdp.Node, inside bool) {
			if inside && n.NodeType == cdp.NodeTypeText {
				text.WriteString(n.NodeValue + " ")
			}
			for _, c := range n.Children {
				walk(c, inside)
			}
			for _, s := range n.ShadowRoots {
				walk(s, true)
			}
		}
		if err == nil {
			walk(root, false)
		}
		return err
	}))
	return text.String()
}

// On a phone the chat fills the screen, and closes again whatever becomes of its frame: refused by a site that the
// account does not name, of an account that is not there, or of a service that nobody reaches.
func TestWidgetAlwaysCloses(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	tag := func(base, account string) string {
		return fmt.Sprintf(`<script src="%s/chat/widget.js" data-account=%q async></script>`, base, account)
	}
	for name, page := range map[string]string{
		"refused":     tag("http://"+d.address, "demo"),
		"no account":  tag("http://"+d.address, "nobody"),
		"unreachable": tag("", "demo"),
	} {
		b := d.tab(390, 844)
		site := newShop(t, d, `<script>window.errors = []; console.error = (e) => errors.push(e)</script>`+page)
		b.do(chromedp.Navigate(site))
		b.until(overCorner)
		b.do(chromedp.MouseClickXY(350, 805))
		b.until(overMiddle)
		b.do(chromedp.MouseClickXY(360, 30))
		b.until(`!(` + overMiddle + `) && ` + overCorner)
		b.do(chromedp.MouseClickXY(350, 805))
		b.until(`errors.some(e => String(e).includes(location.origin))`)
		require.Contains(t, b.shadowText(), "The chat cannot be shown here", name)
		b.keepShot("widget-" + strings.ReplaceAll(name, " ", "-"))
		b.do(chromedp.EmulateViewport(390, 844))
		b.do(chromedp.MouseClickXY(360, 30))
		b.until(`!(` + overMiddle + `) && ` + overCorner)
	}
}

// The chat stays where a site replaces its body, or all in it, and where a tag manager left out the attributes.
func TestWidgetStays(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	for _, insert := range []string{
		`Object.assign(document.createElement('script'), {src: '/chat/widget.js?account=demo&locale=en'})`,
		`(() => { const s = document.createElement('script'); s.src = '/chat/widget.js'; s.dataset.account = 'demo'; return s })()`,
	} {
		b := d.tab(390, 844)
		b.open("/healthz")
		b.js(`document.body.append(`+insert+`)`, nil)
		b.until(overCorner)
		for _, replace := range []string{
			`(() => { const body = document.createElement('body'); body.append('another page'); document.body.replaceWith(body) })()`,
			`document.body.innerHTML = 'yet another page'`,
		} {
			require.NoError(t, b.js(replace, nil))
			b.until(overCorner)
			b.do(chromedp.MouseClickXY(350, 805))
			b.until(overMiddle)
			in := &tab{d: d, ctx: b.ctx, cookies: b.cookies, frame: true}
			in.until(`document.querySelector('#close') && !document.querySelector('#close').hidden`)
			require.NoError(t, in.js(`document.querySelector('#close').click()`, nil))
			b.until(`!(` + overMiddle + `)`)
		}
	}
}
