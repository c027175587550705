package signin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A keysView is what the page of API keys shows.
type keysView struct {
	Tab, Done        string
	Keys             []keyRow
	Affiliate, Label page.Field
}

// Fields are those of the form, for its list of errors.
func (v keysView) Fields() []page.Field { return []page.Field{v.Affiliate, v.Label} }

type keyRow struct {
	ID, Affiliate, Label string
	CreatedAt, UsedAt    time.Time
	Revoked              bool
}

func (d *Door) keysView(c *gin.Context) (keysView, error) {
	list, err := d.dir.Keys(c.Request.Context())
	t := d.texts(c)
	v := keysView{Tab: "keys",
		Affiliate: page.Field{Name: "affiliate", Label: t.Say("affiliate"), Value: strings.TrimSpace(c.PostForm("affiliate")), Required: true, Autocomplete: "off",
			Hint: t.Say("key_affiliate_hint")},
		Label: page.Field{Name: "label", Label: t.Say("key_label"), Value: c.PostForm("label"), MaxLength: 64, Autocomplete: "off",
			Hint: t.Say("key_label_hint")},
	}
	if c.Query("done") == "revoked" {
		v.Done = t.Say("key_revoked")
	}
	for _, k := range list {
		v.Keys = append(v.Keys, keyRow{ID: k.ID, Affiliate: string(k.Affiliate), Label: k.Label, CreatedAt: k.CreatedAt, UsedAt: k.UsedAt,
			Revoked: !k.RevokedAt.IsZero()})
	}
	if err != nil {
		return v, err
	}
	known, err := d.affiliates(c.Request.Context())
	for _, a := range known {
		v.Affiliate.Options = append(v.Affiliate.Options, page.Option{Value: string(a.ID), Label: a.Name()})
	}
	return v, err
}

func (d *Door) showKeys(c *gin.Context) {
	v, err := d.keysView(c)
	if err != nil {
		d.fail(c, err)
		return
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "keys", v))
}

func (d *Door) addKey(c *gin.Context) {
	ctx := c.Request.Context()
	v, err := d.keysView(c)
	if err != nil {
		d.fail(c, err)
		return
	}
	t, affiliate := d.texts(c), knowledge.AffiliateID(v.Affiliate.Value)
	switch affiliate {
	case "":
		v.Affiliate.Error = t.Say("name_affiliate")
	case knowledge.Everyone:
		v.Affiliate.Error = t.Say("key_for_one")
	default:
		if v.Affiliate.Error, err = d.affiliatesWrong(ctx, t, []knowledge.AffiliateID{affiliate}); err != nil {
			d.fail(c, err)
			return
		}
	}
	if v.Affiliate.Error == "" {
		self, _ := d.Who(c.Request)
		key, k, err := d.dir.AddKey(ctx, self.ID, affiliate, v.Label.Value)
		switch {
		case err == nil:
			d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusOK, "once", linkView{Tab: "keys", Key: key, Who: string(k.Affiliate), Label: k.Label}))
			return
		case errors.Is(err, people.ErrName):
			v.Label.Error = t.Say("key_label_wrong")
		case errors.Is(err, people.ErrAffiliate):
			v.Affiliate.Error = t.Say("key_no_affiliate")
		default:
			d.fail(c, err)
			return
		}
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, http.StatusUnprocessableEntity, "keys", v))
}

func (d *Door) revokeKey(c *gin.Context) {
	self, _ := d.Who(c.Request)
	err := d.dir.RevokeKey(c.Request.Context(), self.ID, c.Param("key"))
	if err != nil && !errors.Is(err, people.ErrNotFound) { // revoked already is as wished
		d.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/keys?done=revoked")
}
