package main

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// An affiliate checks real questions by keyboard, an agent checks answers that are drawn, and the page shows what the bot
// learned; all of it works without JavaScript and on a phone.
func TestAccuracyInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	affiliate := d.tab(1440, 900)
	affiliate.open("/")
	affiliate.click("button", "Sign in as an affiliate")
	affiliate.says("Upload a file")
	affiliate.click("nav a", "Accuracy")
	affiliate.says("Nothing was learned yet")
	affiliate.accessibleShot("accuracy-empty")

	customer := d.tab(390, 844)
	customer.open("/chat/demo")
	for _, asked := range [][2]string{{"when will my money arrive", "On the 15th of each month"}, {"how long do your cookies work", "within 30 days of the click"},
		{"may I send your link in my newsletter", "In newsletters to people"}, {"least I must earn to be paid, my card is 4111 1111 1111 1111", "Did you mean this?"}} {
		customer.ask(asked[0], asked[1])
	}
	customer.click("#bubbles button", "How can I be paid?")
	customer.says("By bank transfer or by PayPal.") // and so the menu is judged before others are drawn
	press := func(b *tab, key string, then string) {
		t.Helper()
		b.do(chromedp.KeyEvent(key))
		b.until(`document.readyState === 'complete' && (` + then + `)`)
	}
	progress := func(n string) string { return `document.querySelector('.split .num')?.innerText === '` + n + ` of 20'` }
	affiliate.click("main a", "Check 20 questions")
	affiliate.until(progress("1"))
	affiliate.accessibleShot("accuracy-question")
	var first, again string
	require.NoError(t, affiliate.js(`document.querySelector('.content h2').innerText`, &first))
	press(affiliate, "1", progress("2"))
	press(affiliate, "z", progress("1"))
	require.NoError(t, affiliate.js(`document.querySelector('.content h2').innerText`, &again))
	require.Equal(t, first, again, "it is asked again")
	press(affiliate, "n", progress("2"))
	press(affiliate, "s", progress("3"))

	agent := d.tab(1440, 900)
	agent.open("/")
	agent.click("button", "Sign in as an agent")
	agent.says("Mine")
	agent.open("/desk/conversations")
	agent.click("a", "Check answers")
	agent.says("Was this answer right?")
	agent.accessibleShot("judge")
	require.NoError(t, agent.js(`window.unjudged = true`, nil))
	press(agent, "r", `!window.unjudged && location.search.includes('judge')`) // the next page: the address is like this one's
	agent.says("Was this answer right?")

	plain := d.window(affiliate.cookies, 390, 844)
	plain.do(emulation.SetScriptExecutionDisabled(true))
	plain.open("/partners/harbour-lane/accuracy/questions")
	plain.do(chromedp.Click(`.choose li:last-child button`, chromedp.ByQuery))
	plain.says("No more questions for now")

	affiliate.open("/partners/harbour-lane/accuracy")
	affiliate.says("What the bot learned")
	affiliate.says("chose in menus (1), answers checked at the desk (1) and questions checked here (2)")
	affiliate.accessibleShot("accuracy")
	affiliate.click("main button", "Forget what was learned")
	affiliate.click("dialog button", "Forget what was learned")
	affiliate.says("What was learned is forgotten.")
	affiliate.says("Nothing was learned yet")
	require.NotContains(t, d.log.String(), "4111", "no customer's words in the log")
}
