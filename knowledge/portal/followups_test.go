package portal

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/page/pagetest"
)

// What to suggest after an answer is chosen by its question; a question that nobody has is said beside the field. An
// entry that is removed vanishes from it, and its address is changed like anything else.
func TestSuggestionsAreChosen(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		s.publish("shop-one", "faq.csv", "id,question,answer,locale\npay,When do you pay?,Soon.,en\njoin,How do I join?,By form.,en\nunirse,¿Cómo me uno?,Así.,es\nleave,How do I leave?,By mail.,en\n")
		pay := s.editorOf("pay")
		send := func(do string, followUps ...string) (int, string) {
			v := s.form("ann", pay)
			v["follow_ups"] = followUps
			v.Set("slug", "Pay Day!")
			v.Set("do", do)
			w := s.post("ann", pay, v)
			return w.Code, w.Body.String() + w.Header().Get("Location")
		}
		code, body := send("save", "how do I JOIN?", "¿Cómo me uno?", "")
		require.Equal(t, http.StatusUnprocessableEntity, code)
		pagetest.Check(t, body)
		require.Contains(t, text(body), "No entry in this language asks “¿Cómo me uno?”")
		require.Contains(t, body, `value="how do I JOIN?"`, "what was typed stays")
		code, at := send("review", "how do I JOIN?", "", "leave")
		require.Equal(t, http.StatusSeeOther, code)
		html := s.read("ann", at)
		require.Contains(t, text(html), "Suggested after the answer: join · leave")
		s.sent("ann", at+"/publish", nil)
		require.Equal(t, []string{"join", "leave"}, s.published("shop-one")["pay"].FollowUps)
		require.Equal(t, "pay-day", s.published("shop-one")["pay"].Slug)
		require.Equal(t, []string{"How do I join?", "How do I leave?", ""}, s.form("ann", pay)["follow_ups"])

		gone := s.sent("ann", s.editorOf("leave"), url.Values{"do": {"remove"}})
		s.sent("ann", gone+"/publish", nil)
		require.Equal(t, []string{"How do I join?", "", ""}, s.form("ann", pay)["follow_ups"])
		require.Contains(t, s.read("ann", "/partners/shop-one/history/2/entries.csv"), `"[""join"",""leave""]"`)
	})
}
