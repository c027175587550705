package portal

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/lint"
	"faqbot/knowledge/page/pagetest"
	"faqbot/knowledge/waittest"
)

// compareOne finds that the wording "payday" belongs to the entry that asks about pay.
func compareOne(_ context.Context, entries []knowledge.Entry) (found []lint.Finding, err error) {
	pay := slices.IndexFunc(entries, func(e knowledge.Entry) bool { return strings.Contains(e.Question, "pay") })
	for _, e := range entries {
		if pay >= 0 && e.ID != entries[pay].ID && slices.Contains(e.Variants, "payday") {
			found = append(found, lint.Finding{Kind: lint.Nearer, Entry: e.ID, Other: entries[pay].ID, Words: "payday"})
		}
	}
	return found, nil
}

// checked is the text of a page once its entries are compared.
func (s *site) checked(path string) (html string) {
	require.Eventually(s.t, func() bool {
		html = s.read("ann", path)
		return !strings.Contains(html, "Entries are being compared.")
	}, waittest.Hang, 1)
	pagetest.Check(s.t, html)
	return html
}

// What could be better is told before publishing and afterwards, each with a button that mends it; what is drafted is
// left out.
func TestFindings(t *testing.T) {
	onBoth(t, func(s *site) {
		at := s.preview("shop-one", "faq.csv", "id,question,answer,variants\npay,When do you pay?,On the 15th.,\nagain,Which day is it?,On the 1st.,when do you PAY\njoin,How do I join?,See https://a.example/join,payday\nok,Is it free?,Yes.,\n")
		html := s.checked(at)
		assert.Contains(t, text(html), "3 things are worth a look")
		assert.NotContains(t, html, "/entries/move", "the entries are not there yet")
		s.sent("ann", at+"/publish", nil)
		check := entriesAt + "/check"
		html = s.checked(check)
		for _, want := range []string{"One question, two answers 1", "A wording that fits another entry better 1", "The answer only points elsewhere 1"} {
			assert.Contains(t, text(html), want)
		}
		assert.Contains(t, text(s.checked(entriesAt)), "3 things could be better.")
		live := s.published("shop-one")
		ignored := ""
		for _, f := range pagetest.Forms(t, html) {
			if f.Values.Get("finding") != "" && ignored == "" {
				ignored = s.sent("ann", check+"/ignore", f.Values)
			}
		}
		assert.Contains(t, text(s.checked(entriesAt)), "2 things could be better.")
		undo := regexp.MustCompile(`action="([^"]+)"><button class="small">Undo`).FindStringSubmatch(s.checked(ignored))
		require.NotNil(t, undo)
		assert.Contains(t, text(s.checked(check)), "1 finding is left as it is.")
		s.sent("ann", undo[1], nil)
		assert.Contains(t, text(s.checked(entriesAt)), "3 things could be better.")
		assert.Equal(t, 404, s.post("ann", check+"/ignore", url.Values{"finding": {"nothing"}}).Code)
		assert.Contains(t, html, `href="/partners/shop-one/entries/merge?id=`+string(live["pay"].ID)+`&amp;id=`+string(live["again"].ID)+`"`)
		for _, f := range pagetest.Forms(t, html) {
			if f.Values.Get("to") != "" {
				assert.Equal(t, check, s.sent("ann", entriesAt+"/move", f.Values))
			}
		}
		assert.Contains(t, text(s.checked(check)), "3 findings are left out", "one is mended, and so are others of its entries")
		s.sent("ann", s.sent("ann", entriesAt+"/review", nil)+"/publish", nil)
		assert.Empty(t, s.published("shop-one")["join"].Variants)
		assert.Equal(t, []string{"payday"}, s.published("shop-one")["pay"].Variants)
		assert.NotContains(t, text(s.checked(check)), "fits another entry better")
		assert.Equal(t, 404, s.post("ann", entriesAt+"/move", url.Values{"from": {string(live["join"].ID)}, "words": {"nobody says it"}}).Code)
		assert.NotContains(t, s.checked(s.preview("shop-one", "more.csv", "id,question,answer\nx,Unrelated?,Fine.\n")), "worth a look", "what was there before is told elsewhere")
		assert.Contains(t, text(s.checked("/partners/shop-one/entries?q=free")), "1 entry found")
	})
}

// Affiliate links that nothing discloses, and words that no customer uses. Once the bot says of all links that they pay,
// answers need not.
func TestFindingsOfWordsAndLinks(t *testing.T) {
	onBoth(t, func(s *site) {
		s.questions = slices.Repeat([]string{"when will I be paid"}, 300)
		at := s.preview("shop-one", "faq.csv", "id,question,answer\npaid,When will I be paid?,On the 15th of each month.\nodd,Remuneration schedule?,Monthly and by transfer.\nbest,Which one will it be?,Take this one: https://shop.example/?aff_id=7 and be happy with it.\n")
		assert.Contains(t, text(s.checked(at)), "An affiliate link that nothing discloses")
		s.sent("ann", at+"/publish", nil)
		html := s.checked(entriesAt + "/check")
		for _, want := range []string{"An affiliate link that nothing discloses 1", "Say it of all links", "Words that no customer uses 1", "remuneration, schedule"} {
			assert.Contains(t, text(html), want)
		}
		require.NoError(t, s.brands.Save(t.Context(), "shop-one", brand.Brand{SaysLinks: true}, "ann", 0))
		html = text(s.checked(entriesAt + "/check"))
		assert.NotContains(t, html, "affiliate link")
		assert.Contains(t, html, "Words that no customer uses 1")
	})
}
