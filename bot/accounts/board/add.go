package board

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/network"
	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/vault"
)

func (b *Board) choose(c *gin.Context) { b.show(c, http.StatusOK, "choose", accounts.Networks()) }

type formView struct {
	network                 network.Network
	Channel, Network, Guide string
	Change                  string // the account that is changed, "" when one is added
	Fields                  []page.Field
	Problem                 *page.Problem
	Section                 string // of the guide, with Problem
	Preview                 bool   // of a chat, beside the form
	affiliates              []knowledge.Affiliate
}

// form shows the form, with the settings of an account that is to be changed.
func (b *Board) form(c *gin.Context) {
	v, ok := b.newForm(c)
	if !ok {
		return
	}
	known := network.Settings{Affiliates: c.QueryArray("affiliate")}
	if id := c.Query("change"); id != "" {
		r, err := b.served.Report(c.Request.Context(), bot.AccountKey(v.Channel, id))
		if err == nil && r.Added {
			known, v.Change = r.Settings, id
		}
	}
	v.fill(b.texts(c), known)
	b.show(c, http.StatusOK, "add", v)
}

// newForm is the form of the channel that the path names.
func (b *Board) newForm(c *gin.Context) (formView, bool) {
	n, _ := accounts.NetworkOf(c.Param("channel"))
	if n.Open == nil {
		b.gone(c, "cannot_add_there", "choose_network")
		return formView{}, false
	}
	v := formView{network: n, Channel: n.Name, Network: n.Label, Guide: "/channels/guide/" + n.Name, Preview: n.OnPages != nil}
	var err error
	if v.affiliates, err = b.o.Affiliates(c.Request.Context()); err != nil {
		b.fail(c, err)
		return formView{}, false
	}
	return v, true
}

// asked are the fields of the form: an account's name does not change.
func (v *formView) asked() []network.Field {
	return slices.DeleteFunc(slices.Clone(v.network.Fields), func(f network.Field) bool { return v.Change != "" && f.Name == "id" })
}

// fill makes the fields with the settings known so far. Secrets are never shown.
func (v *formView) fill(t locale.Texts, s network.Settings) {
	for _, f := range v.asked() {
		field := page.Field{Name: f.Name, Label: f.Label, Hint: f.Hint, Value: s.Get(f.Name), Required: f.Must, Autocomplete: "off", MaxLength: 200, Type: f.Type, Rows: f.Rows}
		for _, o := range f.Options {
			field.Options = append(field.Options, page.Option{Value: o[0], Label: o[1]})
		}
		switch {
		case f.Name == "affiliates":
			v.chooseAffiliates(t, &field, s.Affiliates)
		case f.Type == "color" && field.Value == "":
			field.Value = defaultColor
		case f.Rows > 0:
			field.MaxLength = 4000
		}
		if f.Secret {
			field.Type, field.Value, field.Autocomplete, field.MaxLength = "password", "", "new-password", 2000
			if v.Change != "" {
				field.Required, field.Hint = false, t.Say("keeps_secret")
			}
		}
		v.Fields = append(v.Fields, field)
	}
}

// defaultColor is that of a chat without a colour of its own.
const defaultColor = "#0f766e"

// chooseAffiliates makes a field the choice of affiliates: those there are, those that were chosen, and all.
func (v *formView) chooseAffiliates(t locale.Texts, f *page.Field, chosen []string) {
	f.Many, f.Values, f.Hint, f.Required = true, chosen, t.Say("affiliates_choose"), false
	for _, a := range v.affiliates {
		f.Options = append(f.Options, page.Option{Value: string(a.ID), Label: a.Name()})
	}
	for _, name := range chosen {
		if name != string(knowledge.Everyone) && !slices.ContainsFunc(v.affiliates, func(a knowledge.Affiliate) bool { return string(a.ID) == name }) {
			f.Options = append(f.Options, page.Option{Value: name})
		}
	}
	f.Options = append(f.Options, page.Option{Value: string(knowledge.Everyone), Label: t.Say("affiliates_all")})
	if len(chosen) == 0 && len(v.affiliates) == 1 {
		f.Values = []string{string(v.affiliates[0].ID)}
	}
}

// wrong sets a field's error.
func (v *formView) wrong(name, text string) bool {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			v.Fields[i].Error = text
			return true
		}
	}
	return false
}

type addedView struct {
	Account     row
	VerifyToken string
	Served      bool
	Hooked      bool
	HookError   string
}

func (b *Board) add(c *gin.Context) {
	v, ok := b.newForm(c)
	if !ok {
		return
	}
	s, missing, references := v.typed(c)
	t := b.texts(c)
	v.fill(t, s)
	for _, name := range missing {
		v.wrong(name, t.Say("needed"))
	}
	for _, name := range references {
		v.wrong(name, t.Say("no_reference"))
	}
	if len(missing)+len(references) > 0 {
		b.show(c, http.StatusUnprocessableEntity, "add", v)
		return
	}
	added, err := b.served.Add(c.Request.Context(), s, ".")
	if err != nil {
		b.refuse(c, v, err)
		return
	}
	b.record(c, actionAdd, added.Settings.Key())
	if v.Preview { // there is nothing to set up elsewhere
		c.Redirect(http.StatusSeeOther, newRow(added.Report).Path+"?done=saved")
		return
	}
	view := addedView{Account: newRow(added.Report), VerifyToken: added.VerifyToken, Served: added.Served, Hooked: added.Hooked}
	if added.HookErr != nil {
		view.HookError = added.HookErr.Error()
	}
	b.show(c, http.StatusOK, "added", view)
}

// typed are the settings that the form says, and the fields that are missing or must not refer to what is elsewhere.
func (v *formView) typed(c *gin.Context) (s network.Settings, missing, references []string) {
	s.Channel = v.Channel
	v.Change = c.PostForm("change")
	for _, f := range v.asked() {
		value := strings.Join(c.PostFormArray(f.Name), ",") // of the affiliates, any number
		s.Set(f.Name, value)
		switch {
		case f.Must && strings.TrimSpace(value) == "" && (!f.Secret || v.Change == ""):
			missing = append(missing, f.Name)
		case f.Secret && network.IsReference(value): // whoever fills in a form must not read the machine's files
			references = append(references, f.Name)
		}
	}
	if v.Change != "" {
		s.ID = v.Change
	}
	return s, missing, references
}

// preview tells the form's script where the chat is shown as the form says it. What cannot be saved is not shown.
func (b *Board) preview(c *gin.Context) {
	v, ok := b.newForm(c)
	if !ok {
		return
	}
	s, _, references := v.typed(c)
	if s.ID == "" { // it has no name yet
		s.ID = "chat"
	}
	if !v.Preview || b.o.Preview == nil || len(references) > 0 || accounts.Complete(&s, ".") != nil {
		c.Status(http.StatusUnprocessableEntity)
		return
	}
	address, err := b.o.Preview(s)
	if err != nil {
		c.Status(http.StatusUnprocessableEntity)
		return
	}
	c.JSON(http.StatusOK, gin.H{"address": address})
}

// refuse shows the form with why nothing was added.
func (b *Board) refuse(c *gin.Context, v formView, err error) {
	t := b.texts(c)
	refused, isRefused := errors.AsType[*accounts.RefusedError](err)
	field, isField := errors.AsType[*network.FieldError](err)
	switch {
	case isRefused:
		v.Problem = &page.Problem{What: refused.Problem.What, Safe: t.Say("nothing_added"), Do: refused.Problem.Fix}
		v.Section = refused.Problem.Section
	case isField && v.wrong(field.Field, field.Text):
	case isField:
		v.Problem = &page.Problem{What: t.Say("cannot_add", "why", field.Text), Safe: t.Say("nothing_added")}
	case errors.Is(err, accounts.ErrInFile):
		v.wrong("id", t.Say("id_in_file"))
	case errors.Is(err, vault.ErrNoKey), errors.Is(err, vault.ErrSealed):
		v.Problem = &page.Problem{What: t.Say("no_secrets", "why", err), Safe: t.Say("nothing_added")}
	default:
		b.fail(c, err)
		return
	}
	b.show(c, http.StatusUnprocessableEntity, "add", v)
}
