package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A personRow is a person as pages show them.
type personRow struct {
	ID, Name, Role, Affiliates string
	Everyone                   bool
	Disabled, Invited, Self    bool
}

func newPersonRow(t locale.Texts, p people.Person) personRow {
	return personRow{ID: string(p.ID), Name: p.Name, Role: t.Say("role_" + string(p.Role)), Affiliates: joinAffiliates(p.Affiliates),
		Everyone: slices.Contains(p.Affiliates, knowledge.Everyone), Disabled: p.Disabled, Invited: p.Invited}
}

func joinAffiliates(ids []knowledge.AffiliateID) string {
	var names []string
	for _, id := range ids {
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}

// splitAffiliates undoes joinAffiliates: no affiliate's name has a comma.
func splitAffiliates(s string) (ids []knowledge.AffiliateID) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			ids = append(ids, knowledge.AffiliateID(part))
		}
	}
	return ids
}

// A lockRow is a lock as the page shows it.
type lockRow struct {
	people.Lock
	EndsIn string
}

// A peopleView is what the list of people shows.
type peopleView struct {
	People                 []personRow
	Name, Role, Affiliates page.Field
	Email                  page.Field
	Mails                  bool // mail is sent
	Locks                  []lockRow
	Tab, Done              string
}

// Fields are those of the form, for its list of errors.
func (v peopleView) Fields() []page.Field { return []page.Field{v.Name, v.Role, v.Affiliates, v.Email} }

func (d *Door) peopleView(c *gin.Context) (peopleView, error) {
	list, err := d.dir.List(c.Request.Context())
	self, _ := d.Who(c.Request)
	t := d.texts(c)
	v := peopleView{Tab: "people",
		Name: page.Field{Name: "name", Label: t.Say("sign_in_name"), Value: strings.TrimSpace(c.PostForm("name")), Required: true, MaxLength: 64, Autocomplete: "off",
			Hint: t.Say("name_hint")},
		Role: roleField(t, c.PostForm("role")), Email: d.emailField(t, strings.TrimSpace(c.PostForm("email"))), Mails: d.options.Outbox != nil,
	}
	if err == nil {
		v.Affiliates, err = d.affiliatesField(c.Request.Context(), t, chosenAffiliates(c))
	}
	for _, p := range list {
		row := newPersonRow(t, p)
		row.Self = p.ID == self.ID
		v.People = append(v.People, row)
	}
	if err != nil {
		return v, err
	}
	locks, err := d.dir.Locks(c.Request.Context())
	for _, l := range locks {
		v.Locks = append(v.Locks, lockRow{Lock: l, EndsIn: inWords(t, l.Wait)})
	}
	if c.Query("done") == "lifted" {
		v.Done = t.Say("done_lifted")
	}
	return v, err
}

func roleField(t locale.Texts, value string) page.Field {
	if value == "" {
		value = string(people.RoleAgent)
	}
	return page.Field{Name: "role", Label: t.Say("role"), Value: value, Hint: t.Say("role_hint"), Options: []page.Option{
		{Value: string(people.RoleAgent), Label: t.Say("role_agent_words")},
		{Value: string(people.RoleLead), Label: t.Say("role_lead_words")},
		{Value: string(people.RoleAffiliate), Label: t.Say("role_affiliate_words")},
		{Value: string(people.RoleAdmin), Label: t.Say("role_admin_words")},
	}}
}

// affiliatesField is the choice of those a person works for: of the affiliates there are, of those chosen, and of all.
func (d *Door) affiliatesField(ctx context.Context, t locale.Texts, chosen []knowledge.AffiliateID) (page.Field, error) {
	f := page.Field{Name: "affiliates", Label: t.Say("affiliates"), Hint: t.Say("affiliates_hint"), Many: true}
	known, err := d.affiliates(ctx)
	for _, a := range known {
		f.Options = append(f.Options, page.Option{Value: string(a.ID), Label: a.Name()})
	}
	for _, id := range chosen {
		f.Values = append(f.Values, string(id))
		if id != knowledge.Everyone && !isKnown(known, id) {
			f.Options = append(f.Options, page.Option{Value: string(id)})
		}
	}
	f.Options = append(f.Options, page.Option{Value: string(knowledge.Everyone), Label: t.Say("affiliates_all")})
	return f, err
}

// affiliates lists those there are, none if nobody told.
func (d *Door) affiliates(ctx context.Context) ([]knowledge.Affiliate, error) {
	if d.options.Affiliates == nil {
		return nil, nil
	}
	return d.options.Affiliates(ctx)
}

func isKnown(list []knowledge.Affiliate, id knowledge.AffiliateID) bool {
	return slices.ContainsFunc(list, func(a knowledge.Affiliate) bool { return a.ID == id })
}

// chosenAffiliates are those that a form sends.
func chosenAffiliates(c *gin.Context) []knowledge.AffiliateID {
	return splitAffiliates(strings.Join(c.PostFormArray("affiliates"), ","))
}

// affiliatesWrong is what to tell about a list of affiliates, "" if it will do.
func (d *Door) affiliatesWrong(ctx context.Context, t locale.Texts, ids []knowledge.AffiliateID) (string, error) {
	if len(ids) == 0 {
		return t.Say("name_affiliate_or_all"), nil
	}
	if d.options.Affiliates == nil {
		return "", nil
	}
	known, err := d.affiliates(ctx)
	for _, id := range ids {
		if err == nil && id != knowledge.Everyone && !isKnown(known, id) {
			return t.Say("no_affiliate", "name", id, "known", some(t, known)), nil
		}
	}
	return "", err
}

// some is a list that does not flood a page.
func some(t locale.Texts, list []knowledge.Affiliate) string {
	var ids []knowledge.AffiliateID
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	switch {
	case len(ids) == 0:
		return t.Say("none_yet")
	case len(ids) > 10:
		return t.Say("and_more", "list", joinAffiliates(ids[:10]))
	}
	return joinAffiliates(ids)
}

func (d *Door) showPeople(c *gin.Context) {
	v, err := d.peopleView(c)
	if err != nil {
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "people", v))
}

func (d *Door) addPerson(c *gin.Context) {
	ctx := c.Request.Context()
	v, err := d.peopleView(c)
	if err != nil {
		d.fail(c, err)
		return
	}
	affiliates := chosenAffiliates(c)
	if v.Affiliates.Error, err = d.affiliatesWrong(ctx, d.texts(c), affiliates); err != nil {
		d.fail(c, err)
		return
	}
	self, _ := d.Who(c.Request)
	var p people.Person
	if v.Affiliates.Error == "" {
		p, err = d.dir.Add(ctx, self.ID, people.Newcomer{Name: v.Name.Value, Role: people.Role(v.Role.Value), Affiliates: affiliates, Email: v.Email.Value})
		if err == nil {
			d.showLink(c, self, p)
			return
		}
		switch v.Name.Error = nameWrong(d.texts(c), err); {
		case errors.Is(err, people.ErrRole):
			v.Role.Error = d.texts(c).Say("choose_role")
		case errors.Is(err, people.ErrAffiliate):
			v.Affiliates.Error = d.texts(c).Say("affiliate_long")
		case errors.Is(err, people.ErrEmail):
			v.Email.Error = d.texts(c).Say("wrong_email")
		case v.Name.Error == "":
			d.fail(c, err)
			return
		}
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusUnprocessableEntity, "people", v))
}

// A linkView is what is shown once: a person's link, or an API key.
type linkView struct {
	Tab, Who, Link string
	Mailed         string // where the link was mailed, too
	Key, Label     string
}

// showLink makes a one-time link and shows it, this once.
func (d *Door) showLink(c *gin.Context, self, p people.Person) {
	token, err := d.dir.Reset(c.Request.Context(), self.ID, p.ID)
	if errors.Is(err, people.ErrNotFound) {
		d.noPerson(c)
		return
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	link := d.link(c.Request, token)
	mailed, err := d.mailLink(c.Request.Context(), d.texts(c), p, link)
	if err != nil {
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "once", linkView{Tab: "people", Who: p.Name, Link: link, Mailed: mailed}))
}

// A personView is what the page of one person shows.
type personView struct {
	Tab              string
	Person           personRow
	Role, Affiliates page.Field
	Email            page.Field
	Mails            bool // mail is sent
	Done             page.Toast
	Problem          *page.Problem
}

// Fields are those of the form, for its list of errors.
func (v personView) Fields() []page.Field { return []page.Field{v.Role, v.Affiliates, v.Email} }

// person finds whom a page is about, or answers that there is nobody.
func (d *Door) person(c *gin.Context) (personView, people.Person, bool) {
	p, err := d.dir.Get(c.Request.Context(), people.PersonID(c.Param("id")))
	if errors.Is(err, people.ErrNotFound) {
		d.noPerson(c)
		return personView{}, p, false
	}
	if err != nil {
		d.fail(c, err)
		return personView{}, p, false
	}
	t := d.texts(c)
	v := personView{Tab: "people", Person: newPersonRow(t, p), Role: roleField(t, string(p.Role)), Email: d.emailField(t, p.Email), Mails: d.options.Outbox != nil}
	if v.Affiliates, err = d.affiliatesField(c.Request.Context(), t, p.Affiliates); err != nil {
		d.fail(c, err)
		return v, p, false
	}
	self, _ := d.Who(c.Request)
	v.Person.Self = self.ID == p.ID
	switch c.Query("done") {
	case "changed":
		v.Done.Words = t.Say("person_changed")
	case "enabled":
		v.Done.Words = t.Say("person_enabled", "who", p.Name)
	case "disabled":
		v.Done = page.Toast{Words: t.Say("person_disabled", "who", p.Name), Undo: "/people/" + string(p.ID) + "/enable", Action: t.Say("undo")}
	}
	return v, p, true
}

func (d *Door) noPerson(c *gin.Context) {
	t := d.texts(c)
	d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusNotFound, t.Say("nobody_title"), page.Problem{
		What: t.Say("nobody"), Do: t.Say("nobody_do")}))
}

func (d *Door) showPerson(c *gin.Context) {
	if v, _, ok := d.person(c); ok {
		d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "person", v))
	}
}

func (d *Door) changePerson(c *gin.Context) {
	v, p, ok := d.person(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	self, _ := d.Who(c.Request)
	t := d.texts(c)
	affiliates := chosenAffiliates(c)
	v.Role = roleField(t, c.PostForm("role"))
	var err error
	if v.Affiliates, err = d.affiliatesField(ctx, t, affiliates); err != nil {
		d.fail(c, err)
		return
	}
	if v.Affiliates.Error, err = d.affiliatesWrong(ctx, d.texts(c), affiliates); err == nil && v.Affiliates.Error == "" {
		if role := people.Role(v.Role.Value); role != p.Role {
			err = d.dir.SetRole(ctx, self.ID, p.ID, role)
		}
		if err == nil {
			err = d.dir.SetAffiliates(ctx, self.ID, p.ID, affiliates)
		}
		if email, given := c.GetPostForm("email"); given && err == nil {
			if v.Email.Value = email; email != p.Email {
				err = d.dir.SetEmail(ctx, self.ID, p.ID, email)
			}
		}
		if err == nil {
			c.Redirect(http.StatusSeeOther, "/people/"+string(p.ID)+"?done=changed")
			return
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, people.ErrRole):
		v.Role.Error = d.texts(c).Say("choose_role")
	case errors.Is(err, people.ErrLastAdmin):
		v.Role.Error = d.texts(c).Say("only_admin")
	case errors.Is(err, people.ErrAffiliate):
		v.Affiliates.Error = d.texts(c).Say("affiliate_long")
	case errors.Is(err, people.ErrEmail):
		v.Email.Error = d.texts(c).Say("wrong_email")
	default:
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusUnprocessableEntity, "person", v))
}

func (d *Door) resetPerson(c *gin.Context) {
	if _, p, ok := d.person(c); ok {
		self, _ := d.Who(c.Request)
		d.showLink(c, self, p)
	}
}

func (d *Door) disablePerson(c *gin.Context) {
	v, p, ok := d.person(c)
	if !ok {
		return
	}
	self, _ := d.Who(c.Request)
	err := d.dir.Disable(c.Request.Context(), self.ID, p.ID)
	if errors.Is(err, people.ErrLastAdmin) {
		t := d.texts(c)
		v.Problem = &page.Problem{What: t.Say("is_only_admin", "who", p.Name), Safe: t.Say("nothing_changed"), Do: t.Say("other_admin_first")}
		d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusConflict, "person", v))
		return
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+string(p.ID)+"?done=disabled")
}

// liftLock lets somebody try again who was locked out. One that is over is as wished.
func (d *Door) liftLock(c *gin.Context) {
	self, _ := d.Who(c.Request)
	if err := d.dir.LiftLock(c.Request.Context(), self.ID, c.Param("lock")); err != nil && !errors.Is(err, people.ErrNotFound) {
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people?done=lifted")
}

func (d *Door) enablePerson(c *gin.Context) {
	_, p, ok := d.person(c)
	if !ok {
		return
	}
	self, _ := d.Who(c.Request)
	if err := d.dir.Enable(c.Request.Context(), self.ID, p.ID); err != nil {
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+string(p.ID)+"?done=enabled")
}

// newID names an error, for a page and the log.
func newID() string { return strings.ToLower(rand.Text()[:8]) }
