package console

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// sourceDays are how far back the table of sources may reach.
func (p reader) sourceDays() (list []page.Option) {
	for _, days := range []string{"7", "30", "90"} {
		list = append(list, page.Option{Value: days, Label: p.Say("days", "n", days)})
	}
	return list
}

// A sourcesView is the page that says by which links and ads customers came.
type sourcesView struct {
	Rows       []bot.Source
	Of, Days   string
	Affiliates []page.Option
	Spans      []page.Option
	Empty      page.Empty
}

func (c *Console) showSources(g *gin.Context, p reader) (err error) {
	v := sourcesView{Of: g.Query("of"), Days: "30", Spans: p.sourceDays(),
		Empty: page.Empty{Title: p.Say("empty_sources_title"), Words: p.Say("empty_sources")}}
	if q := g.Query("days"); slices.ContainsFunc(v.Spans, func(o page.Option) bool { return o.Value == q }) {
		v.Days = q
	}
	days := map[string]int{"7": 7, "30": 30, "90": 90}[v.Days]
	ctx := g.Request.Context()
	if v.Affiliates, err = c.affiliateOptions(ctx, p); err != nil {
		return err
	}
	of := scope(p, place{Of: knowledge.AffiliateID(v.Of)})
	if v.Rows, err = c.conversations.Sources(ctx, of, c.o.Now().AddDate(0, 0, -days)); err != nil {
		return err
	}
	for i := range v.Rows {
		v.Rows[i].Channel = accounts.Label(v.Rows[i].Channel)
	}
	return c.pages.Show(g.Writer, g.Request, http.StatusOK, "sources", v)
}
