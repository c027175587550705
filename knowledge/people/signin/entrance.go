package signin

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A signInView is what the page for signing in shows.
type signInView struct {
	Next           string
	Name, Password page.Field
	Problem        *page.Problem
	Mails          bool // a forgotten password is helped by mail
}

func (d *Door) showSignIn(c *gin.Context) {
	next := samePath(c.Query("next"))
	if p, ok := d.Who(c.Request); ok {
		c.Redirect(http.StatusSeeOther, d.after(p, next))
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "sign-in", d.newSignInView(d.texts(c), "", next)))
}

func (d *Door) newSignInView(t locale.Texts, name, next string) signInView {
	return signInView{
		Next:     next,
		Mails:    d.options.Outbox != nil,
		Name:     page.Field{Name: "name", Label: t.Say("sign_in_name"), Value: name, Autocomplete: "username", Required: true, Autofocus: name == ""},
		Password: page.Field{Name: "password", Label: t.Say("password"), Type: "password", Autocomplete: "current-password", Required: true, Autofocus: name != ""},
	}
}

func (d *Door) after(p people.Person, next string) string {
	if next != "" {
		return next
	}
	return d.options.Home(p)
}

func (d *Door) signIn(c *gin.Context) {
	name, next := c.PostForm("name"), samePath(c.PostForm("next"))
	token, err := d.dir.SignIn(c.Request.Context(), name, c.PostForm("password"), d.from(c))
	if err == nil {
		p, _, err := d.dir.Who(c.Request.Context(), token)
		if err != nil {
			d.fail(c, err)
			return
		}
		d.setToken(c, token)
		c.Redirect(http.StatusSeeOther, d.after(p, next))
		return
	}
	t := d.texts(c)
	v, status := d.newSignInView(t, name, next), http.StatusUnauthorized
	var paused *people.PausedError
	switch {
	case errors.As(err, &paused):
		status = http.StatusTooManyRequests
		c.Header("Retry-After", fmt.Sprint(int(math.Ceil(paused.Wait.Seconds()))))
		v.Problem = pausedProblem(t, paused)
	case errors.Is(err, people.ErrSignIn):
		v.Password.Error = t.Say("wrong_sign_in")
	default:
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, status, "sign-in", v))
}

func pausedProblem(t locale.Texts, e *people.PausedError) *page.Problem {
	return &page.Problem{
		What: t.Say("paused"),
		Safe: t.Say("paused_safe"),
		Do:   t.Say("paused_do", "wait", inWords(t, e.Wait)),
	}
}

// inWords is a wait, rounded up.
func inWords(t locale.Texts, d time.Duration) string {
	if s := int(math.Ceil(d.Seconds())); s < 60 {
		return t.Count("seconds", s)
	}
	return t.Count("minutes", int(math.Ceil(d.Minutes())))
}

func (d *Door) signOut(c *gin.Context) {
	if token := d.token(c.Request); token != "" {
		if err := d.dir.SignOut(c.Request.Context(), token); err != nil {
			d.fail(c, err)
			return
		}
	}
	d.setToken(c, "")
	c.Redirect(http.StatusSeeOther, "/sign-in")
}

// A welcomeView is what the page behind a one-time link shows.
type welcomeView struct {
	Token, Who     string
	First          bool
	Name, Password page.Field
}

// Fields are those of the form, for its list of errors.
func (v welcomeView) Fields() []page.Field { return []page.Field{v.Name, v.Password} }

func (d *Door) welcomeView(c *gin.Context) (welcomeView, bool) {
	t, token := d.texts(c), c.Param("token")
	c.Header("Referrer-Policy", "no-referrer") // the address is the secret
	invitation, err := d.dir.Invited(c.Request.Context(), token)
	if errors.Is(err, people.ErrToken) {
		d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusNotFound, t.Say("link_gone_title"), page.Problem{
			What: t.Say("link_gone"),
			Safe: t.Say("link_gone_safe"),
			Do:   t.Say("link_gone_do"),
		}))
		return welcomeView{}, false
	}
	if err != nil {
		d.fail(c, err)
		return welcomeView{}, false
	}
	return welcomeView{
		Token: token, Who: invitation.Person.Name, First: invitation.First,
		Name: page.Field{Name: "name", Label: t.Say("sign_in_name"), Autocomplete: "username", Required: true, MaxLength: 64,
			Hint: t.Say("own_name_hint"), Value: c.PostForm("name"), Autofocus: true},
		Password: newPasswordField(t, "password"),
	}, true
}

func newPasswordField(t locale.Texts, name string) page.Field {
	return page.Field{Name: name, Label: t.Say("new_password"), Type: "password", Autocomplete: "new-password", Required: true, MaxLength: 200,
		Hint: t.Say("new_password_hint")}
}

func (d *Door) showWelcome(c *gin.Context) {
	if v, ok := d.welcomeView(c); ok {
		d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "welcome", v))
	}
}

func (d *Door) welcome(c *gin.Context) {
	v, ok := d.welcomeView(c)
	if !ok {
		return
	}
	ctx, password := c.Request.Context(), c.PostForm("password")
	var p people.Person
	var err error
	if v.First {
		p, err = d.dir.BecomeAdmin(ctx, v.Token, v.Name.Value, password)
	} else {
		p, err = d.dir.Redeem(ctx, v.Token, password)
	}
	if err == nil {
		d.enter(c, p, password)
		return
	}
	if v.First {
		v.Name.Error = nameWrong(d.texts(c), err)
	}
	v.Password.Error = passwordWrong(d.texts(c), err)
	if v.Name.Error == "" && v.Password.Error == "" {
		if errors.Is(err, people.ErrToken) { // used since the page was asked for
			c.Redirect(http.StatusSeeOther, "/welcome/"+v.Token)
			return
		}
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusUnprocessableEntity, "welcome", v))
}

// enter signs in somebody who has just chosen the password.
func (d *Door) enter(c *gin.Context, p people.Person, password string) {
	token, err := d.dir.SignIn(c.Request.Context(), p.Name, password, d.from(c))
	if errors.Is(err, people.ErrPaused) { // the address is, for others' guesses
		c.Redirect(http.StatusSeeOther, "/sign-in")
		return
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	d.setToken(c, token)
	c.Redirect(http.StatusSeeOther, d.options.Home(p))
}

// nameWrong is what to tell about a name, "" if err is not about it.
func nameWrong(t locale.Texts, err error) string {
	switch {
	case errors.Is(err, people.ErrName):
		return t.Say("wrong_name")
	case errors.Is(err, people.ErrTaken):
		return t.Say("taken_name")
	}
	return ""
}

// passwordWrong is what to tell about a new password, "" if err is not about it.
func passwordWrong(t locale.Texts, err error) string {
	switch {
	case errors.Is(err, people.ErrPasswordShort):
		return t.Say("password_short")
	case errors.Is(err, people.ErrPasswordLong):
		return t.Say("password_long")
	case errors.Is(err, people.ErrPasswordObvious):
		return t.Say("password_obvious")
	}
	return ""
}

// fail tells what nobody foresaw, with an ID that stands in the log too.
func (d *Door) fail(c *gin.Context, err error) {
	c.Abort()
	id := newID()
	d.options.Log.WithError(err).WithField("id", id).WithField("page", c.FullPath()).Error("cannot serve a page of accounts")
	t := d.texts(c)
	d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusInternalServerError, t.Say("broken_title"), page.Problem{
		What: t.Say("broken"), Safe: t.Say("nothing_changed"), Do: t.Say("broken_do"), ID: id,
	}))
}
