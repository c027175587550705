package main

import (
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// brandInABrowser words the bot anew, suggests an entry after another's answer, and has a person answer a topic. The
// chat does so at once after each save.
func brandInABrowser(admin, customer *tab) {
	t := admin.d.t
	const at = "/partners/Harbour%20Lane"
	admin.open(at + "/entries?q=pay")
	admin.click(".entry h2 a", "When do you pay?")
	admin.until(`document.querySelector('#follow_ups-1')`)
	admin.fill("#topic", "Payouts")
	admin.fill("#follow_ups-1", "Where is your harbour museum?")
	admin.says("Draft saved")
	admin.accessibleShot("editor-suggestions")
	admin.click("#edit .bar button", "Review and publish")
	admin.says("What would change")
	admin.click(".bar button", "Publish 1")
	admin.says("Published 1 change")

	admin.open(at + "/brand")
	admin.says("Payouts")
	admin.fill("#name", "Harbour Lane Deals")
	admin.do(chromedp.Click(`input[name="links"]`, chromedp.ByQuery))
	admin.fill("#imprint", "https://harbour.example/imprint")
	admin.fill("#zone", "Europe/Berlin")
	admin.fill("#day1", "9-12:30, 14-18")
	admin.fill("#holidays", "2030-12-25 Christmas Day")
	admin.click("#brand .bar button", "Save")
	admin.says("Saved. It counts from the next message.")
	admin.accessibleShot("brand")
	admin.open(at + "/brand/phrases")
	admin.fill("#thanks", "Any time, sailor.")
	admin.fill("#disclosure", "A machine answers here.")
	admin.click("form.form .bar button", "Save")
	admin.says("Saved. It counts from the next message.")
	admin.accessibleShot("phrases")

	customer.open("/chat/shop")
	customer.says("A machine answers here. Some links here are affiliate links")
	customer.until(`document.querySelector('.legal a').href === 'https://harbour.example/imprint'`)
	customer.ask("thank you", "Any time, sailor.")
	customer.ask("when do you pay?", "On the 15th of each month.")
	customer.accessibleShot("chat-suggestion")
	customer.click("#bubbles li:last-child button", "Where is your harbour museum?")
	customer.says("At the old pier.")

	admin.open(at + "/brand")
	admin.until(`(s => { if (s) { s.value = 'draft'; return true } })(document.querySelector('#topics select[aria-label$="Payouts"]'))`)
	admin.click("#brand .bar button", "Save")
	admin.says("Saved. It counts from the next message.")
	customer.ask("so when do you pay?", "They'll reply right here in this chat")
	admin.open("/desk")
	admin.click("a.row", "when do you pay")
	admin.says("The answer that the bot would give")
	admin.accessibleShot("ticket-draft")
	admin.click("#draft a", "Put it into the reply")
	admin.until(`document.querySelector('#words').value.trim() === 'On the 15th of each month.'`)
	require.NotContains(t, admin.d.log.String(), "sailor")
}
