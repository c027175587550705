package signin

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// An accountView is what the page of one's own account shows.
type accountView struct {
	Person        personRow
	Old, Password page.Field
	Mails         bool // mail is sent
	Email         page.Field
	EmailPassword page.Field // proves that it is them who change it
	Notify        bool
	Sessions      []sessionRow
	Others        int // sessions besides this one
	Done          string
	Problem       *page.Problem
}

// Fields are those of the form, for its list of errors.
func (v accountView) Fields() []page.Field {
	return []page.Field{v.Old, v.Password, v.Email, v.EmailPassword}
}

type sessionRow struct {
	people.Session
	This bool
}

func (d *Door) accountView(c *gin.Context) (accountView, error) {
	p, _ := d.Who(c.Request)
	t := d.texts(c)
	v := accountView{
		Person:   newPersonRow(t, p),
		Old:      page.Field{Name: "old", Label: t.Say("password_now"), Type: "password", Autocomplete: "current-password", Required: true},
		Password: newPasswordField(t, "password"),
		Mails:    d.options.Outbox != nil,
		Email:    page.Field{Name: "email", Label: t.Say("email"), Type: "email", Value: p.Email, MaxLength: 254, Autocomplete: "email", Hint: t.Say("own_email_hint")},
		Notify:   p.Notify,
		EmailPassword: page.Field{Name: "proof", Label: t.Say("password_now"), Type: "password", Autocomplete: "current-password",
			Hint: t.Say("email_password_hint")},
	}
	v.Done = t["done_"+c.Query("done")]
	sessions, err := d.dir.Sessions(c.Request.Context(), p.ID)
	for _, s := range sessions {
		this := s.Is(d.token(c.Request))
		v.Sessions = append(v.Sessions, sessionRow{Session: s, This: this})
		if !this {
			v.Others++
		}
	}
	return v, err
}

func (d *Door) showAccount(c *gin.Context) {
	v, err := d.accountView(c)
	if err != nil {
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "account", v))
}

func (d *Door) changePassword(c *gin.Context) {
	p, _ := d.Who(c.Request)
	token, err := d.dir.ChangePassword(c.Request.Context(), p.ID, c.PostForm("old"), c.PostForm("password"), d.from(c))
	if err == nil {
		d.setToken(c, token)
		c.Redirect(http.StatusSeeOther, "/account?done=password")
		return
	}
	d.accountRefused(c, err, func(t locale.Texts, v *accountView) bool {
		if errors.Is(err, people.ErrSignIn) {
			v.Old.Error = t.Say("password_now_wrong")
			return true
		}
		v.Password.Error = passwordWrong(t, err)
		return v.Password.Error != ""
	})
}

// accountRefused shows the page again after a form of it was refused for err. tell puts what is wrong into the form, and
// reports whether it knows.
func (d *Door) accountRefused(c *gin.Context, err error, tell func(locale.Texts, *accountView) bool) {
	v, viewErr := d.accountView(c)
	if viewErr != nil {
		d.fail(c, viewErr)
		return
	}
	t, status := d.texts(c), http.StatusUnprocessableEntity
	var paused *people.PausedError
	switch {
	case errors.As(err, &paused):
		status, v.Problem = http.StatusTooManyRequests, pausedProblem(t, paused)
	case !tell(t, &v):
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, status, "account", v))
}

func (d *Door) endSession(c *gin.Context) {
	p, _ := d.Who(c.Request)
	err := d.dir.EndSession(c.Request.Context(), p.ID, c.Param("id"))
	if err != nil && !errors.Is(err, people.ErrNotFound) { // one that has ended is as wished
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/account?done=session")
}

func (d *Door) endSessions(c *gin.Context) {
	p, _ := d.Who(c.Request)
	if err := d.dir.EndOtherSessions(c.Request.Context(), p.ID, d.token(c.Request)); err != nil {
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/account?done=sessions")
}
