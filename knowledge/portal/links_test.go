package portal

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/deadlinks"
	"faqbot/knowledge/page/pagetest"
)

// someDead knows that links of one site are dead, once it was asked twice.
type someDead struct{ asked int }

func (d *someDead) Dead(links []string) (map[string]deadlinks.Reason, bool) {
	if d.asked++; d.asked == 1 {
		return nil, false
	}
	dead := map[string]deadlinks.Reason{}
	for _, link := range links {
		if link == "https://old.example/terms" {
			dead[link] = deadlinks.Gone
		}
	}
	return dead, true
}

// A dead link and a picture that nothing describes are told, with a button that leads to the mending; nothing waits for
// links to be looked at.
func TestLinksAndPictures(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		s.portal.o.Links = &someDead{}
		s.publish("shop-one", "faq.csv", "id,question,answer,media\npay,When do you pay?,See https://old.example/terms for the days.,\nplan,Which plans are there?,Three of them.,https://cdn.example/plans.png\n")
		html := s.checked(entriesAt + "/check")
		pagetest.Check(t, html)
		require.Contains(t, text(html), "A link leads nowhere 1")
		require.Contains(t, text(html), "“https://old.example/terms” The site says that the page does not exist. Correct the link")
		require.Contains(t, html, s.editorOf("pay")+"#answer")
		require.Contains(t, text(html), "A picture without a description 1")
		plan := s.editorOf("plan")
		require.Contains(t, html, plan+"#pictures")
		v := s.form("ann", plan)
		require.Contains(t, v, "alt https://cdn.example/plans.png")
		w := s.write("ann", plan, "review", "alt https://cdn.example/plans.png", `Three plans; "Basic" costs 5 €`)
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
		s.sent("ann", w.Header().Get("Location")+"/publish", nil)
		picture := knowledge.Media{Kind: "photo", Link: "https://cdn.example/plans.png", Alt: "Three plans, 'Basic' costs 5 €"}
		require.Equal(t, []knowledge.Media{picture}, s.published("shop-one")["plan"].Media)
		require.NotContains(t, text(s.checked(entriesAt+"/check")), "A picture without a description")
		require.Contains(t, s.read("ann", "/partners/shop-one/history/2/entries.csv"), `https://cdn.example/plans.png ""Three plans`)
		s.publish("shop-one", "faq.csv", s.read("ann", "/partners/shop-one/history/2/entries.csv"))
		require.Equal(t, []knowledge.Media{picture}, s.published("shop-one")["plan"].Media, "read back as it was")
		page := s.preview("shop-one", "new.csv", "id,question,answer\nnew,New?,Also https://old.example/terms here for all to read.\n")
		require.Contains(t, text(s.read("ann", page)), "A link leads nowhere")
	})
}
