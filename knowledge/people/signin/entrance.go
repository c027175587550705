package signin

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A signInView is what the page for signing in shows.
type signInView struct {
	Next           string
	Name, Password page.Field
	Problem        *page.Problem
}

func (d *Door) showSignIn(c *gin.Context) {
	next := samePath(c.Query("next"))
	if p, ok := d.Who(c.Request); ok {
		c.Redirect(http.StatusSeeOther, d.after(p, next))
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "sign-in", newSignInView("", next)))
}

func newSignInView(name, next string) signInView {
	return signInView{
		Next:     next,
		Name:     page.Field{Name: "name", Label: "Sign-in name", Value: name, Autocomplete: "username", Required: true, Autofocus: name == ""},
		Password: page.Field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true, Autofocus: name != ""},
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
	v, status := newSignInView(name, next), http.StatusUnauthorized
	var paused *people.PausedError
	switch {
	case errors.As(err, &paused):
		status = http.StatusTooManyRequests
		c.Header("Retry-After", fmt.Sprint(int(math.Ceil(paused.Wait.Seconds()))))
		v.Problem = pausedProblem(paused)
	case errors.Is(err, people.ErrSignIn):
		v.Password.Error = "The name or the password is wrong. Try again, or ask an admin for a new link."
	default:
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, status, "sign-in", v))
}

func pausedProblem(e *people.PausedError) *page.Problem {
	return &page.Problem{
		What: "There were too many wrong passwords.",
		Safe: "The account is safe. Nobody can try another password from this address for now, you included.",
		Do:   "Try again in " + inWords(e.Wait) + ", or ask an admin to lift the lock at People, or for a new link.",
	}
}

// inWords is a wait, rounded up.
func inWords(d time.Duration) string {
	if s := int(math.Ceil(d.Seconds())); s < 60 {
		return count(s, "second")
	}
	return count(int(math.Ceil(d.Minutes())), "minute")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
	token := c.Param("token")
	c.Header("Referrer-Policy", "no-referrer") // the address is the secret
	invitation, err := d.dir.Invited(c.Request.Context(), token)
	if errors.Is(err, people.ErrToken) {
		d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusNotFound, "This link does not work", page.Problem{
			What: "The link was used, replaced by a newer one, or is older than a day.",
			Safe: "Your account is as it was.",
			Do:   "Ask an admin for a new link. If nobody is admin yet, start the service again: it prints one.",
		}))
		return welcomeView{}, false
	}
	if err != nil {
		d.fail(c, err)
		return welcomeView{}, false
	}
	return welcomeView{
		Token: token, Who: invitation.Person.Name, First: invitation.First,
		Name: page.Field{Name: "name", Label: "Sign-in name", Autocomplete: "username", Required: true, MaxLength: 64,
			Hint: "For example your first name. Upper and lower case are the same.", Value: c.PostForm("name"), Autofocus: true},
		Password: newPasswordField("password"),
	}, true
}

func newPasswordField(name string) page.Field {
	return page.Field{Name: name, Label: "New password", Type: "password", Autocomplete: "new-password", Required: true, MaxLength: 200,
		Hint: "At least 10 characters. Three or four words are easy to remember."}
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
		v.Name.Error = nameWrong(err)
	}
	v.Password.Error = passwordWrong(err)
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
func nameWrong(err error) string {
	switch {
	case errors.Is(err, people.ErrName):
		return "Write a name of 1 to 64 visible characters."
	case errors.Is(err, people.ErrTaken):
		return "Somebody has this name. Choose another."
	}
	return ""
}

// passwordWrong is what to tell about a new password, "" if err is not about it.
func passwordWrong(err error) string {
	switch {
	case errors.Is(err, people.ErrPasswordShort):
		return "Use at least 10 characters."
	case errors.Is(err, people.ErrPasswordLong):
		return "Use at most 200 characters."
	case errors.Is(err, people.ErrPasswordObvious):
		return "This is one of the first that anybody would guess. Choose another."
	}
	return ""
}

// fail tells what nobody foresaw, with an ID that stands in the log too.
func (d *Door) fail(c *gin.Context, err error) {
	c.Abort()
	id := newID()
	d.options.Log.WithError(err).WithField("id", id).WithField("page", c.FullPath()).Error("cannot serve a page of accounts")
	d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusInternalServerError, "That did not work", page.Problem{
		What: "Something went wrong on our side.", Safe: "Nothing was changed.", Do: "Try again in a minute.", ID: id,
	}))
}
