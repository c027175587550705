package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// A typist works with the keyboard alone, and counts the keys beside the words. A key with Ctrl or Shift is one.
type typist struct {
	*tab
	strokes int
}

func (y *typist) press(key string, modifiers ...input.Modifier) {
	y.d.t.Helper()
	y.strokes++
	y.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

// typeReply waits until the reply box has the focus and nothing covers it, and types words.
func (y *typist) typeReply(words string) {
	y.d.t.Helper()
	y.until(`document.activeElement?.id === 'words' && document.readyState === 'complete'`)
	y.still()
	y.until(`(() => { const b = document.querySelector('#reply').getBoundingClientRect();
		return [...document.querySelectorAll('.toast')].every(t => { const r = t.getBoundingClientRect(); return r.bottom <= b.top || r.top >= b.bottom || r.right <= b.left || r.left >= b.right }) })()`)
	y.do(input.InsertText(words))
}

// Twenty tickets are answered and closed by keyboard alone, with at most four keys each beside the words; what was closed
// by mistake is opened again with two.
func TestDeskByKeyboardInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	const tickets = 20
	for i := range tickets {
		customer := newChatLine(t, "http://"+d.address)
		customer.account = "demo"
		customer.say(fmt.Sprint("I want to talk to a person about order ", 100+i))
	}
	y := &typist{tab: d.tab(1440, 900)}
	y.open("/")
	y.click("button", "Sign in as an agent")
	y.until(fmt.Sprintf(`document.readyState === 'complete' && document.querySelectorAll('#rows a.row').length === %d`, tickets))
	y.press("j")
	y.until(`document.activeElement?.matches('#rows a.row')`)
	y.press(kb.Enter)
	ticket := func() (path string) {
		require.NoError(t, y.js(`location.pathname`, &path))
		return path
	}
	seen := map[string]bool{}
	for i := range tickets {
		y.typeReply(fmt.Sprint("It is on its way, number ", i))
		here := ticket()
		require.False(t, seen[here], "each ticket once")
		seen[here] = true
		switch {
		case i == 5: // answers first, then closes
			y.press(kb.Enter, input.ModifierCtrl)
			y.until(`document.querySelector('.bubble.agent') && document.activeElement?.id === 'words' && !document.activeElement.value`)
			y.press(kb.Escape)
			y.press("e")
			y.until(`document.activeElement?.closest('#end-close')`)
			y.accessible("closing")
			y.press(kb.Enter)
		default:
			y.press(kb.Enter, input.ModifierCtrl|input.ModifierShift)
		}
		y.until(`location.pathname !== ` + quoted(here) + ` && document.querySelector('.toast')`)
		if i == 0 {
			y.accessible("the next ticket")
			y.keepShot("next-ticket")
		}
	}
	require.Len(t, seen, tickets)
	y.says("Nobody is waiting")
	y.until(`document.readyState === 'complete'`)
	t.Logf("%d keys for %d tickets: %.2f each", y.strokes, tickets, float64(y.strokes)/tickets)
	require.LessOrEqual(t, y.strokes, 4*tickets)

	y.press("u") // the last one
	y.says("The ticket is open again")
	y.until(`document.activeElement?.id === 'words'`)
	y.press(kb.Escape)
	y.press("g")
	y.press("m")
	y.until(`location.search.includes('show=mine') && document.querySelectorAll('#rows a.row').length === 1`)
}
