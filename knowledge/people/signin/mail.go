package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// Kinds of the mails.
const (
	mailInvitation = "invitation"
	mailReset      = "reset"
	mailChanged    = "address changed"
)

const (
	// forgotPerMinute is how many people one network address may say to have forgotten their passwords.
	forgotPerMinute = 5
	// linksPerHour is how many links are mailed to one address without an admin's doing.
	linksPerHour = 3
)

// An Outbox sends mail; *mail.Outbox is one.
type Outbox interface {
	QueueAlone(ctx context.Context, m mail.Mail) error
	Recent(ctx context.Context, kind, recipient string, since time.Time) (int, error)
}

func newForgotRate() *limits.Rate { return limits.NewRate(forgotPerMinute, forgotPerMinute, time.Now) }

// mailLink mails a one-time link to a person who has an address; mailed is where to, "" if nowhere.
func (d *Door) mailLink(ctx context.Context, t locale.Texts, p people.Person, link string) (mailed string, err error) {
	if d.options.Outbox == nil || p.Email == "" {
		return "", nil
	}
	m := mail.Mail{Kind: mailReset, To: p.Email, Subject: t.Say("mail_reset_subject"), Text: t.Say("mail_reset_text", "who", p.Name, "link", link)}
	if p.Invited {
		m.Kind, m.Subject, m.Text = mailInvitation, t.Say("mail_invitation_subject"), t.Say("mail_invitation_text", "who", p.Name, "link", link)
	}
	return p.Email, d.options.Outbox.QueueAlone(ctx, m)
}

// emailField is where a person's address is written, nothing if no mail is sent.
func (d *Door) emailField(t locale.Texts, value string) page.Field {
	return page.Field{Name: "email", Label: t.Say("email"), Type: "email", Value: value, MaxLength: 254, Autocomplete: "off", Hint: t.Say("email_hint")}
}

// A forgotView is what the page for a forgotten password shows.
type forgotView struct {
	Name    page.Field
	Sent    bool
	Problem *page.Problem
}

func newForgotView(t locale.Texts) forgotView {
	return forgotView{Name: page.Field{Name: "name", Label: t.Say("name_or_email"), Autocomplete: "username", Required: true, MaxLength: 254, Autofocus: true}}
}

func (d *Door) showForgot(c *gin.Context) {
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "forgot", newForgotView(d.texts(c))))
}

// forgot mails a link to whoever has the name or the address. It says the same of somebody whom there is not.
func (d *Door) forgot(c *gin.Context) {
	t := d.texts(c)
	v := newForgotView(t)
	if wait := d.forgotten.Take(limits.Network(c.ClientIP())); wait > 0 {
		v.Problem = &page.Problem{What: t.Say("forgot_many"), Do: t.Say("forgot_many_do", "wait", inWords(t, wait))}
		d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusTooManyRequests, "forgot", v))
		return
	}
	list, err := d.dir.Reachable(c.Request.Context(), c.PostForm("name"))
	for _, p := range list {
		if err == nil {
			err = d.sendForgotten(c, t, p)
		}
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	v.Sent = true
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "forgot", v))
}

func (d *Door) sendForgotten(c *gin.Context, t locale.Texts, p people.Person) error {
	ctx := c.Request.Context()
	n, err := d.options.Outbox.Recent(ctx, mailReset, p.Email, time.Now().Add(-time.Hour))
	if err != nil || n >= linksPerHour {
		return err
	}
	token, err := d.dir.Reset(ctx, p.ID, p.ID)
	if errors.Is(err, people.ErrNotFound) { // kept out meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	_, err = d.mailLink(ctx, t, p, d.link(c.Request, token))
	return err
}

// changeEmail changes where one's own mail goes, and what of.
func (d *Door) changeEmail(c *gin.Context) {
	ctx := c.Request.Context()
	p, _ := d.Who(c.Request)
	email, notify := c.PostForm("email"), c.PostForm("notify") != ""
	var err error
	if email != p.Email {
		if err = d.dir.SetOwnEmail(ctx, p.ID, email, c.PostForm("proof"), d.from(c)); err == nil && p.Email != "" {
			t := d.texts(c)
			err = d.options.Outbox.QueueAlone(ctx, mail.Mail{Kind: mailChanged, To: p.Email, Subject: t.Say("mail_changed_subject"), Text: t.Say("mail_changed_text", "who", p.Name)})
		}
	}
	if err == nil && notify != p.Notify {
		err = d.dir.SetNotify(ctx, p.ID, notify)
	}
	if err == nil {
		c.Redirect(http.StatusSeeOther, "/account?done=email")
		return
	}
	d.accountRefused(c, err, func(t locale.Texts, v *accountView) bool {
		v.Email.Value, v.Notify = email, notify
		switch {
		case errors.Is(err, people.ErrSignIn):
			v.EmailPassword.Error = t.Say("password_now_wrong")
		case errors.Is(err, people.ErrEmail):
			v.Email.Error = t.Say("wrong_email")
		default:
			return false
		}
		return true
	})
}
