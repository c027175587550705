package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A personRow is a person as pages show them.
type personRow struct {
	ID, Name, Role, Affiliates string
	Everyone                   bool
	Disabled, Invited, Self    bool
}

func newPersonRow(p people.Person) personRow {
	return personRow{ID: string(p.ID), Name: p.Name, Role: string(p.Role), Affiliates: joinAffiliates(p.Affiliates),
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
	Locks                  []lockRow
	Tab, Done              string
}

// Fields are those of the form, for its list of errors.
func (v peopleView) Fields() []page.Field { return []page.Field{v.Name, v.Role, v.Affiliates} }

func (d *Door) peopleView(c *gin.Context) (peopleView, error) {
	list, err := d.dir.List(c.Request.Context())
	self, _ := d.Who(c.Request)
	v := peopleView{Tab: "people",
		Name: page.Field{Name: "name", Label: "Sign-in name", Value: strings.TrimSpace(c.PostForm("name")), Required: true, MaxLength: 64, Autocomplete: "off",
			Hint: "For example their first name. Upper and lower case are the same."},
		Role:       roleField(c.PostForm("role")),
		Affiliates: affiliatesField(c.PostForm("affiliates")),
	}
	for _, p := range list {
		row := newPersonRow(p)
		row.Self = p.ID == self.ID
		v.People = append(v.People, row)
	}
	if err != nil {
		return v, err
	}
	locks, err := d.dir.Locks(c.Request.Context())
	for _, l := range locks {
		v.Locks = append(v.Locks, lockRow{Lock: l, EndsIn: inWords(l.Wait)})
	}
	if c.Query("done") == "lifted" {
		v.Done = "The lock is lifted. They can try again now."
	}
	return v, err
}

func roleField(value string) page.Field {
	if value == "" {
		value = string(people.RoleAgent)
	}
	return page.Field{Name: "role", Label: "Role", Value: value, Hint: "What they are here to do.", Options: []page.Option{
		{Value: string(people.RoleAgent), Label: "Agent: answers customers"},
		{Value: string(people.RoleLead), Label: "Lead: an agent who also sees the figures"},
		{Value: string(people.RoleAffiliate), Label: "Affiliate: uploads entries"},
		{Value: string(people.RoleAdmin), Label: "Admin: settings and people"},
	}}
}

func affiliatesField(value string) page.Field {
	return page.Field{Name: "affiliates", Label: "Affiliates", Value: value, Autocomplete: "off",
		Hint: "Whose things they see. Commas between several; * means all."}
}

// affiliatesWrong is what to tell about a list of affiliates, "" if it will do.
func (d *Door) affiliatesWrong(ctx context.Context, ids []knowledge.AffiliateID) (string, error) {
	if len(ids) == 0 {
		return "Name at least one affiliate, or write * for all.", nil
	}
	if d.options.Affiliates == nil {
		return "", nil
	}
	known, err := d.options.Affiliates(ctx)
	for _, id := range ids {
		if err == nil && id != knowledge.Everyone && !slices.Contains(known, id) {
			return fmt.Sprintf("There is no affiliate %q. There are: %s.", id, some(known)), nil
		}
	}
	return "", err
}

// some is a list that does not flood a page.
func some(ids []knowledge.AffiliateID) string {
	switch {
	case len(ids) == 0:
		return "none yet"
	case len(ids) > 10:
		return joinAffiliates(ids[:10]) + " and more"
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
	affiliates := splitAffiliates(v.Affiliates.Value)
	if v.Affiliates.Error, err = d.affiliatesWrong(ctx, affiliates); err != nil {
		d.fail(c, err)
		return
	}
	self, _ := d.Who(c.Request)
	var p people.Person
	if v.Affiliates.Error == "" {
		p, err = d.dir.Add(ctx, self.ID, people.Newcomer{Name: v.Name.Value, Role: people.Role(v.Role.Value), Affiliates: affiliates})
		if err == nil {
			d.showLink(c, self, p)
			return
		}
		switch v.Name.Error = nameWrong(err); {
		case errors.Is(err, people.ErrRole):
			v.Role.Error = "Choose a role."
		case errors.Is(err, people.ErrAffiliate):
			v.Affiliates.Error = "One of these names is too long."
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
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "once", linkView{Tab: "people", Who: p.Name, Link: d.link(c.Request, token)}))
}

// A personView is what the page of one person shows.
type personView struct {
	Tab              string
	Person           personRow
	Role, Affiliates page.Field
	Done             page.Toast
	Problem          *page.Problem
}

// Fields are those of the form, for its list of errors.
func (v personView) Fields() []page.Field { return []page.Field{v.Role, v.Affiliates} }

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
	v := personView{Tab: "people", Person: newPersonRow(p), Role: roleField(string(p.Role)), Affiliates: affiliatesField(joinAffiliates(p.Affiliates))}
	self, _ := d.Who(c.Request)
	v.Person.Self = self.ID == p.ID
	switch c.Query("done") {
	case "changed":
		v.Done.Words = "Saved."
	case "enabled":
		v.Done.Words = p.Name + " can sign in again."
	case "disabled":
		v.Done = page.Toast{Words: p.Name + " is kept out.", Undo: "/people/" + string(p.ID) + "/enable", Action: "Undo"}
	}
	return v, p, true
}

func (d *Door) noPerson(c *gin.Context) {
	d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusNotFound, "Nobody is here", page.Problem{
		What: "There is no such person, or they are disabled.", Do: "Go back to the list of people."}))
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
	v.Role, v.Affiliates = roleField(c.PostForm("role")), affiliatesField(c.PostForm("affiliates"))
	affiliates := splitAffiliates(v.Affiliates.Value)
	var err error
	if v.Affiliates.Error, err = d.affiliatesWrong(ctx, affiliates); err == nil && v.Affiliates.Error == "" {
		if role := people.Role(v.Role.Value); role != p.Role {
			err = d.dir.SetRole(ctx, self.ID, p.ID, role)
		}
		if err == nil {
			err = d.dir.SetAffiliates(ctx, self.ID, p.ID, affiliates)
		}
		if err == nil {
			c.Redirect(http.StatusSeeOther, "/people/"+string(p.ID)+"?done=changed")
			return
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, people.ErrRole):
		v.Role.Error = "Choose a role."
	case errors.Is(err, people.ErrLastAdmin):
		v.Role.Error = "This is the only admin. Make somebody else admin first."
	case errors.Is(err, people.ErrAffiliate):
		v.Affiliates.Error = "One of these names is too long."
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
		v.Problem = &page.Problem{What: p.Name + " is the only admin.", Safe: "Nothing was changed.", Do: "Make somebody else admin first."}
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
