package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge/mail"
	"faqbot/knowledge/mail/mailtest"
	"faqbot/knowledge/waittest"
)

// newMailSite starts a service with a chat, whose mail goes through servers.
func newMailSite(t *testing.T, servers *mailtest.Servers) *metaSite {
	t.Helper()
	return newChatSite(t, "faqbot.db", func(addr string) string {
		return fmt.Sprintf(`[server]
listen = %[1]q
public_url = "http://%[1]s"
[mail]
smtp = %[2]q
smtp_security = "none"
from = "Shop <help@example.test>"
imap = %[3]q
imap_security = "none"
imap_user = "help"
imap_password = %[4]q
[[account]]
channel = "webchat"
id = "chat"
name = "Shop help"
locale = "en"
affiliates = ["shop"]
`, addr, servers.SMTP, servers.IMAP, mailtest.Password)
	})
}

// came is the n-th mail in a mailbox, as a mail that is read.
func came(t *testing.T, servers *mailtest.Servers, name string, n int) mail.Received {
	t.Helper()
	var list []string
	require.Eventually(t, func() bool { list = servers.Mails(t, name); return len(list) >= n }, waittest.Hang, 50*time.Millisecond)
	m, err := mail.Parse(strings.NewReader(strings.Replace(list[n-1], "Auto-Submitted: auto-generated", "X: y", 1)), "")
	require.NoError(t, err)
	return m
}

// A customer leaves an address and the chat; a person's answer comes by mail, its link opens the chat elsewhere, and what
// they answer by mail stands in the ticket.
func TestAnswerByMailInABrowser(t *testing.T) {
	t.Parallel()
	servers := mailtest.Start(t)
	s := newMailSite(t, servers)
	require.Contains(t, s.faqbot("mail", "boss@example.test"), "The mailbox at "+servers.IMAP+" can be read.")
	require.Contains(t, came(t, servers, "boss", 1).Text, "faqbot can send mail")
	d := &browserDemo{t: t, address: s.addr, log: s.log, browser: newBrowser(t)}

	visitor := d.tab(390, 844)
	visitor.open("/chat/chat")
	visitor.ask("I want to talk to a person", "passing you to a person")
	visitor.says("it also comes by mail once you have confirmed the address")
	visitor.accessible("chat that asks for an address")
	visitor.fill("#address", "ana@example.test")
	visitor.click("#email button", "Leave my address")
	visitor.says("open the link in it")

	link := regexp.MustCompile(`http://\S+/confirm\?\S+`).FindString(came(t, servers, "ana", 1).Text)
	require.NotEmpty(t, link)
	inbox := d.tab(390, 844)
	inbox.do(chromedp.Navigate(link))
	inbox.says("Confirm your e-mail address")
	inbox.accessible("page that confirms an address")
	inbox.keepShot("confirm")
	inbox.click("button", "Confirm the address")
	inbox.says("Our answers come to ana@example.test")
	visitor.do(chromedp.Navigate("about:blank"))

	agent := d.person(s, "mia", "agent")
	agent.open("/desk")
	agent.click("a.row", "")
	agent.says("The customer confirmed the e-mail address.")
	agent.fill("#words", "Your refund is on its way.")
	agent.click("#reply button", "Send the reply")
	agent.says("Your refund is on its way.")
	s.exec(`UPDATE messages SET at = at - 400000`)
	s.exec(`UPDATE mail_contacts SET seen_at = seen_at - 800000`)
	m := came(t, servers, "ana", 2)
	require.Contains(t, m.Text, "Your refund is on its way.")
	require.Len(t, servers.Mails(t, "ana"), 2)

	back := d.tab(390, 844)
	back.do(chromedp.Navigate(regexp.MustCompile(`http://\S+/back\?\S+`).FindString(m.Text)))
	back.says("Your refund is on its way.")
	back.says("I want to talk to a person")

	to := regexp.MustCompile(`help\+\w+@example\.test`).FindString(servers.Mails(t, "ana")[1])
	servers.Write(t, "ana@example.test", to, "From: Ana <ana@example.test>\nTo: "+to+"\nMessage-ID: <9@ana>\nSubject: Re\n\nWhen will it be here?\n\nOn 1 Dec 2026 at 10:00, Shop help wrote:\n> Your refund is on its way.\n")
	agent.says("When will it be here?")
	back.says("When will it be here?")
	require.Equal(t, 1, s.count(`SELECT COUNT(*) FROM messages WHERE body = 'When will it be here?'`))

	agent.open("/account")
	agent.fill(`input[name="email"]`, "mia@example.test")
	agent.fill(`input[name="proof"]`, "a long password of mia")
	agent.click(`[action="/account/email"] button`, "Save the changes")
	agent.says("Saved.")
	agent.accessible("account with mail")
	agent.keepShot("account-mail")
	inbox.open("/forgot")
	inbox.accessible("page for a forgotten password")
	inbox.keepShot("forgot")
	inbox.fill(`input[name="name"]`, "mia")
	inbox.click("main button", "Send me a link")
	inbox.says("a link is on its way")
	inbox.do(chromedp.Navigate(regexp.MustCompile(`http://\S+/welcome/\S+`).FindString(came(t, servers, "mia", 1).Text)))
	inbox.says("Choose a password")
	require.NotContains(t, s.log.String(), "ana@example.test")
	require.NotContains(t, s.log.String(), "refund is on its way")
}
