package board

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/bot/accounts"
	"faqbot/bot/network"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
)

// An onPage is how a chat comes onto a page, nil for accounts whose network is elsewhere.
type onPage struct {
	Tag     string // HTML
	Chat    string // the chat alone
	Address page.Field
	Guides  []guide
	Checked []verdict
}

// A guide says where a kind of site takes the tag.
type guide struct {
	Title string
	Steps []string
}

// guides are those of the texts: page_on_ and a site, its steps one a line.
func guides(t locale.Texts) (list []guide) {
	for _, site := range []string{"wordpress", "shopify", "wix", "squarespace", "gtm", "html"} {
		list = append(list, guide{t.One("page_on_", site), strings.Split(t.One("page_steps_", site), "\n")})
	}
	return list
}

// A verdict is one thing that a check of a page has found.
type verdict struct {
	Tone  string // good, soon, late
	Words string
}

// home is where the world reaches us, without a path.
func (b *Board) home(r *http.Request) string {
	if b.o.PublicURL != "" {
		return b.o.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (b *Board) onPage(c *gin.Context, r row) *onPage {
	n, _ := accounts.NetworkOf(r.Settings.Channel)
	if n.OnPages == nil {
		return nil
	}
	t, home := b.texts(c), b.home(c.Request)
	return &onPage{Guides: guides(t), Tag: n.OnPages.Tag(r.Settings, home), Chat: home + "/chat/" + r.Settings.ID,
		Address: page.Field{Name: "address", Label: t.Say("page_address"), Type: "url", Placeholder: "https://", Required: true, MaxLength: 2000, Autocomplete: "off"}}
}

// checkPage opens a page and says whether the chat is on it.
func (b *Board) checkPage(c *gin.Context, r row) {
	v := accountView{OnPage: b.onPage(c, r)}
	n, _ := accounts.NetworkOf(r.Settings.Channel)
	if v.OnPage == nil || b.o.Crawl == nil {
		b.gone(c, "no_account", "back_to_accounts")
		return
	}
	t := b.texts(c)
	v.OnPage.Address.Value = strings.TrimSpace(c.PostForm("address"))
	site, err := b.o.Crawl.Fetch(c.Request.Context(), v.OnPage.Address.Value, false)
	why, refused := errors.AsType[*crawl.Error](err)
	switch {
	case refused:
		v.OnPage.Address.Error = t.One("page_unread_", string(why.Reason), "status", why.Status, "to", why.To)
		b.showAccount(c, http.StatusUnprocessableEntity, r, v)
		return
	case err != nil:
		b.fail(c, err)
		return
	}
	found := n.OnPages.Find(r.Settings, b.home(c.Request), site.Pages[0].Address, site.Pages[0].HTML)
	say := func(tone, key string) {
		v.OnPage.Checked = append(v.OnPage.Checked, verdict{tone, t.Say(key, "origin", found.Origin)})
	}
	sayFinding(found, say)
	b.showAccount(c, http.StatusOK, r, v)
}

// sayFinding says what a page has of the chat.
func sayFinding(f network.Finding, say func(tone, key string)) {
	switch {
	case f.Tag:
		say("good", "tag_there")
	case f.Elsewhere:
		say("late", "tag_elsewhere")
	case f.Other:
		say("late", "tag_other")
	case f.Manager:
		say("soon", "tag_manager")
	default:
		say("late", "tag_missing")
	}
	if f.Allowed {
		say("good", "site_allowed")
	} else {
		say("late", "site_not_allowed")
	}
}
