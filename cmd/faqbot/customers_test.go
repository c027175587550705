package main

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/knowledge/sqldb"
)

// exec changes the service's database behind its back, to let time pass.
func (s *metaSite) exec(query string, args ...any) {
	s.t.Helper()
	db, err := sqldb.Open(s.t.Context(), filepath.Join(s.dir, s.dsn))
	require.NoError(s.t, err)
	require.NoError(s.t, db.InTx(s.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(s.t.Context(), query, args...)
		return err
	}))
	require.NoError(s.t, db.Close())
}

// person makes an account and returns a tab in which they are signed in.
func (d *browserDemo) person(s *metaSite, name, role string) *tab {
	d.t.Helper()
	link := regexp.MustCompile(`/welcome/\S+`).FindString(s.faqbot("user", "add", name, "--role", role, "--affiliate", "shop"))
	require.NotEmpty(d.t, link)
	b := d.tab(1440, 900)
	b.open(link)
	b.fill(`input[type="password"]`, "a long password of "+name)
	b.click("main button", "Save the password")
	b.until(`!location.pathname.startsWith('/welcome')`)
	return b
}

// A visitor of the chat goes on in WhatsApp, by a link of their own; an agent sees one timeline, is told when
// the window has closed, sends a template, sees an opt-out; a lead separates the two; sources are counted.
func TestCustomerOverChannelsInABrowser(t *testing.T) {
	t.Parallel()
	s := newMetaSite(t, "faqbot.db")
	d := &browserDemo{t: t, address: s.addr, log: s.log, browser: newBrowser(t)}
	wa := s.accounts["whatsapp"]
	wa.SetTemplates(graphtest.Template{Name: "order_update", Language: "en", Category: "UTILITY", Status: "APPROVED", Body: "Hello {{1}}, about your order {{2}}: may we write to you again?"},
		graphtest.Template{Name: "spring_sale", Language: "en", Category: "MARKETING", Status: "APPROVED", Body: "Everything must go this spring."})
	const phone = "16505550009"

	visitor := d.tab(390, 844)
	visitor.open("/chat/chat")
	visitor.ask("minimum payout?", "The smallest payout is 50 euros.")
	visitor.click("#ways button", "WhatsApp")
	visitor.says("Open WhatsApp")
	visitor.accessible("chat with a link elsewhere")
	visitor.keepShot("continue")
	var href string
	require.NoError(t, visitor.js(`document.querySelector('#ways a').href`, &href))
	link, err := url.Parse(href)
	require.NoError(t, err)
	require.Equal(t, "wa.me", link.Host)
	text := link.Query().Get("text")
	require.Regexp(t, `^Hi! \(ref: l_[A-Z2-7]{30}\)$`, text)
	wa.Say(phone, text)
	require.Contains(t, heard(t, wa, phone, 1)[0].Text, "You can carry on here; I can see what you asked before.")
	wa.Say(phone, "I want to talk to a person (ref: spring)")
	require.Contains(t, heard(t, wa, phone, 2)[1].Text, "passing you to a person")

	agent := d.person(s, "ann", "agent")
	agent.open("/desk")
	agent.click("a.row", "")
	agent.says("The smallest payout is 50 euros.")
	agent.says("Opened the link, and goes on here")
	agent.says("This customer")
	agent.accessible("one timeline")
	agent.keepShot("timeline")

	s.exec(`UPDATE conversations SET window_until = $1 WHERE channel = 'whatsapp'`, time.Now().Add(-time.Hour).UnixMilli())
	var here string
	require.NoError(t, agent.js(`location.pathname`, &here))
	agent.open(here)
	agent.says("WhatsApp lets nobody write to the customer until they write again.")
	agent.until(`!document.querySelector('#reply')`)
	require.NoError(t, agent.js(`document.querySelector('#template').value = 'order_update|en'`, nil))
	agent.click(".pick button", "Use it")
	agent.fill(`[data-fills="1"]`, "Ana")
	agent.fill(`[data-fills="2"]`, "1042")
	agent.until(`document.querySelector('.preview').innerText.includes('Hello Ana, about your order 1042')`)
	agent.accessible("template")
	agent.keepShot("template")
	agent.click(".filling button", "Send the template")
	agent.says("Hello Ana, about your order 1042: may we write to you again?")
	require.Equal(t, "template", heard(t, wa, phone, 3)[2].Type)

	agent.until(`document.readyState === 'complete' && document.querySelector('#said').innerText.includes('Hello Ana')`)
	// What changes while the page is being brought up to date, or has just been, is not missed.
	var looks int
	require.NoError(t, agent.js(`window.asked = 0;
		const look = () => { const before = asked; document.body.dispatchEvent(new Event('live:here')); return asked - before; };
		document.body.addEventListener('htmx:beforeRequest', (e) => { if (e.target.id === 'said') asked++; });
		const shown = document.querySelector('#said');
		new MutationObserver((_, o) => { if (!shown.isConnected) { o.disconnect(); window.again = look(); } }).observe(document.body, {childList: true, subtree: true});
		look() + look()`, &looks))
	require.Equal(t, 2, looks, "the second goes out, though the first is on its way")
	wa.Say(phone, "STOP") // without news the page would stay as it is
	agent.until(`window.again !== undefined`)
	require.NoError(t, agent.js(`window.again`, &looks))
	require.Equal(t, 1, looks, "it goes out, though the page has just been brought up to date")
	require.Contains(t, heard(t, wa, phone, 4)[3].Text, "stop messaging you")
	agent.says("Opted out")
	agent.until(`document.querySelector('#said').innerText.includes('STOP')`)
	agent.accessible("opted out")
	agent.keepShot("opted-out")

	lead := d.person(s, "lea", "lead")
	lead.open("/desk/conversations")
	lead.click("a.row", "")
	lead.click(".identities a.button", "Separate")
	lead.says("becomes a customer of its own")
	lead.accessible("separate")
	lead.keepShot("separate")
	lead.click(".confirm button", "Separate it")
	lead.says("different customers now")
	lead.open("/desk/sources")
	lead.says("spring")
	lead.accessible("sources")
	lead.keepShot("sources")
	lead.open("/desk/figures")
	lead.says("Went to a person")
	lead.until(`[...document.querySelectorAll('.tiles li')].some((li) => li.innerText.startsWith('Tickets\n1'))`)
	lead.accessible("figures")
	lead.keepShot("figures")
	lead.open("/figures?from=2020-01-01&to=2020-01-02")
	lead.says("Open tickets")
	lead.open("/figures?from=2020-01-05&to=2020-01-02")
	lead.says("The period ends before it begins.")
	require.Equal(t, 2, s.count(`SELECT COUNT(*) FROM customers`))
	require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM people_audit WHERE action = 'separate a customer'`))
}
