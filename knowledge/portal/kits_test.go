package portal

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/page/pagetest"
)

// Who begins with a kit fills in what only they know, sees the answers, and publishes; what they did not fill in is not
// there, and what they had stays.
func TestStartFromAKit(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		s.publish("shop-one", "a.csv", "id,question,answer\nmine,Mine?,Stays.\n")
		const at = "/partners/shop-one"
		require.Contains(t, s.read("ann", at), `href="`+at+`/kits"`)
		body := s.read("ann", at+"/kits")
		pagetest.Check(t, body)
		require.Contains(t, body, at+"/kits/newsletter/pt-BR")
		body = s.read("ann", at+"/kits/newsletter/es")
		pagetest.Check(t, body)
		require.Contains(t, body, `placeholder="todos los martes"`)
		require.Equal(t, http.StatusNotFound, s.get("ann", at+"/kits/newsletter/fr").Code)
		preview := s.sent("ann", at+"/kits/newsletter/es", url.Values{"blank_email": {" yo@example.com\n"}, "blank_site": {"https://example.com"}})
		require.Contains(t, text(s.read("ann", preview)), "13 added")
		s.sent("ann", preview+"/publish", nil)
		published := s.published("shop-one")
		require.Contains(t, published["contact"].Answer, "yo@example.com")
		require.Equal(t, "es", published["contact"].Locale)
		require.NotContains(t, published, "frequency", "nobody said how often")
		require.Equal(t, "Stays.", published["mine"].Answer)
	})
}
