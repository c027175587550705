package board

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/network"
	"faqbot/bot/setup"
	"faqbot/knowledge/page"
	"faqbot/knowledge/vault"
)

func (b *Board) choose(c *gin.Context) { b.show(c, http.StatusOK, "choose", setup.Networks()) }

type formView struct {
	network                 network.Network
	Channel, Network, Guide string
	Change                  string // the account that is changed, "" when one is added
	Fields                  []page.Field
	Problem                 *page.Problem
	Section                 string // of the guide, with Problem
}

// form shows the form, with the settings of an account that is to be changed.
func (b *Board) form(c *gin.Context) {
	v, ok := b.newForm(c)
	if !ok {
		return
	}
	var known network.Settings
	if id := c.Query("change"); id != "" {
		r, err := b.lines.Report(c.Request.Context(), bot.AccountKey(v.Channel, id))
		if err == nil && r.Added {
			known, v.Change = r.Settings, id
		}
	}
	v.fill(known)
	b.show(c, http.StatusOK, "add", v)
}

// newForm is the form of the channel that the path names.
func (b *Board) newForm(c *gin.Context) (formView, bool) {
	n, _ := setup.NetworkOf(c.Param("channel"))
	if n.Open == nil {
		b.gone(c, "Accounts cannot be added on that network.", "Choose one of the networks there are.")
		return formView{}, false
	}
	return formView{network: n, Channel: n.Name, Network: n.Label, Guide: "/channels/guide/" + n.Name}, true
}

// asked are the fields of the form: an account's name does not change.
func (v *formView) asked() []network.Field {
	return slices.DeleteFunc(slices.Clone(v.network.Fields), func(f network.Field) bool { return v.Change != "" && f.Name == "id" })
}

// fill makes the fields with the settings known so far. Secrets are never shown.
func (v *formView) fill(s network.Settings) {
	values := map[string]string{"id": s.ID, "affiliates": strings.Join(s.Affiliates, ", "), "locale": s.Locale, "number_id": s.NumberID,
		"business_id": s.BusinessID, "page_id": s.PageID, "app_id": s.AppID, "api_base": s.APIBase}
	for _, f := range v.asked() {
		field := page.Field{Name: f.Name, Label: f.Label, Hint: f.Hint, Value: values[f.Name], Required: f.Must, Autocomplete: "off", MaxLength: 200}
		if f.Secret {
			field.Type, field.Value, field.Autocomplete, field.MaxLength = "password", "", "new-password", 2000
			if v.Change != "" {
				field.Required, field.Hint = false, "Empty keeps the one there is."
			}
		}
		v.Fields = append(v.Fields, field)
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
	s := network.Settings{Channel: v.Channel}
	var missing, references []string
	v.Change = c.PostForm("change")
	for _, f := range v.asked() {
		value := c.PostForm(f.Name)
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
	v.fill(s)
	for _, name := range missing {
		v.wrong(name, "This is needed.")
	}
	for _, name := range references {
		v.wrong(name, "Enter the value itself here.")
	}
	if len(missing)+len(references) > 0 {
		b.show(c, http.StatusUnprocessableEntity, "add", v)
		return
	}
	added, err := b.lines.Add(c.Request.Context(), s, ".")
	if err != nil {
		b.refuse(c, v, err)
		return
	}
	b.record(c, actionAdd, added.Settings.Key())
	view := addedView{Account: newRow(added.Report), VerifyToken: added.VerifyToken, Served: added.Served, Hooked: added.Hooked}
	if added.HookErr != nil {
		view.HookError = added.HookErr.Error()
	}
	b.show(c, http.StatusOK, "added", view)
}

// refuse shows the form with why nothing was added.
func (b *Board) refuse(c *gin.Context, v formView, err error) {
	refused, isRefused := errors.AsType[*setup.RefusedError](err)
	field, isField := errors.AsType[*network.FieldError](err)
	switch {
	case isRefused:
		v.Problem = &page.Problem{What: refused.Problem.What, Safe: "Nothing was added.", Do: refused.Problem.Fix}
		v.Section = refused.Problem.Section
	case isField && v.wrong(field.Field, field.Text):
	case isField:
		v.Problem = &page.Problem{What: "It cannot be added: " + field.Text + ".", Safe: "Nothing was added."}
	case errors.Is(err, setup.ErrInFile):
		v.wrong("id", "An account of this name stands in the configuration file, which wins. Choose another name, or take it out of the file.")
	case errors.Is(err, vault.ErrNoKey), errors.Is(err, vault.ErrSealed):
		v.Problem = &page.Problem{What: "The secrets cannot be kept: " + err.Error() + ".", Safe: "Nothing was added."}
	default:
		b.fail(c, err)
		return
	}
	b.show(c, http.StatusUnprocessableEntity, "add", v)
}
