package main

import (
	"context"
	"errors"
	"fmt"

	"faqbot/bot"
	"faqbot/bot/webchat"
	"faqbot/handoff/bymail"
	"faqbot/knowledge"
	mails "faqbot/knowledge/mail"
	"faqbot/knowledge/people"
	"faqbot/knowledge/people/signin"
)

// mailing is how e-mail leaves and comes; all of it is nil without [mail].
type mailing struct {
	outbox  *mails.Outbox
	answers *bymail.Service
	notices *bymail.Notices
	reader  *mails.Reader
}

// newMailing sends mail as the configuration says.
func newMailing(s *service) (m mailing, err error) {
	settings, err := s.config.Mail.settings()
	if err != nil || !settings.On() {
		return m, err
	}
	m.outbox = mails.NewOutbox(s.db, settings, s.log, nil)
	home := s.config.Server.PublicURL
	m.answers, err = bymail.New(s.db, bymail.Options{Outbox: m.outbox, Desk: s.desk, Conversations: s.conversations, Signer: s.keys.Signer(people.VisitorTokens),
		Name: func(ctx context.Context, conv bot.Conversation, locale string) string {
			return s.pages.chat.Title(ctx, conv.Address, locale)
		},
		Confirm: func(conv bot.Conversation, signature, locale string) string {
			return home + webchat.ConfirmPath(conv, signature, locale)
		},
		Back: func(conv bot.Conversation, locale string) string { return home + s.pages.chat.BackPath(conv, locale) },
		Accept: func(ctx context.Context, a bot.Address, events []bot.Event) error {
			account, ok := s.networks.accounts.Account(bot.AccountKey(a.Channel, a.Account))
			if !ok {
				return fmt.Errorf("account %s is not served", bot.AccountKey(a.Channel, a.Account))
			}
			return s.intake.Accept(ctx, account, events)
		}, Log: s.log})
	if err != nil {
		return m, err
	}
	m.notices, err = bymail.NewNotices(s.db, bymail.NoticesOptions{Outbox: m.outbox, People: s.directory.List, Desk: home + "/desk", Log: s.log,
		Staffed: func(a knowledge.AffiliateID) bool { return s.pages.console.StaffedFor(a) }})
	if settings.Reads() {
		m.reader = mails.NewReader(s.db, settings, mails.ReaderOptions{Take: m.answers.Take, Mark: bymail.Mark, Log: s.log})
	}
	return m, err
}

// loops are what of m runs in the background.
func (m mailing) loops() map[string]func(context.Context) error {
	list := map[string]func(context.Context) error{}
	if m.outbox != nil {
		list["mail"], list["answers by mail"], list["notices by mail"] = m.outbox.Run, m.answers.Run, m.notices.Run
	}
	if m.reader != nil {
		list["mailbox"] = m.reader.Run
	}
	return list
}

// visitors is m for the chat; nil if no mail is sent.
func (m mailing) visitors() webchat.Mail {
	if m.answers == nil { // a nil *Service must not become a Mail
		return nil
	}
	return m.answers
}

// links is m for the pages of accounts; nil if no mail is sent.
func (m mailing) links() signin.Outbox {
	if m.outbox == nil { // a nil *Outbox must not become an Outbox
		return nil
	}
	return m.outbox
}

// mailCommand sends a mail to see whether it arrives.
type mailCommand struct {
	To string `arg:"" help:"The address that the mail goes to."`
}

func (cmd mailCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	settings, err := c.Mail.settings()
	if err != nil {
		return fmt.Errorf("[mail] %w", err)
	}
	if !settings.On() {
		return errors.New("no mail is sent: set [mail] smtp and from in the configuration, see cmd/faqbot/docs/operating.md")
	}
	if !mails.IsAddress(cmd.To) {
		return fmt.Errorf("%q is not an e-mail address", cmd.To)
	}
	err = mails.NewOutbox(nil, settings, newLogger(term.err), nil).Try(ctx, mails.Mail{To: cmd.To, Subject: "faqbot sends mail", Text: "This mail shows that faqbot can send mail with the settings in its configuration.\n"})
	if err != nil {
		return fmt.Errorf("%s does not take the mail: %w", settings.SMTP, err)
	}
	fmt.Fprintf(term.out, "%s took the mail. See whether it arrives.\n", settings.SMTP)
	if settings.Reads() {
		if err := mails.NewReader(nil, settings, mails.ReaderOptions{}).Check(ctx); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "The mailbox at %s can be read.\n", settings.IMAP)
	}
	return nil
}
