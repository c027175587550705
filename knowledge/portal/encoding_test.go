package portal

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

// A file whose letters may be meant in several ways is shown in the likeliest, with samples of the others; what is
// chosen is read, and can be chosen back.
func TestEncodingIsChosen(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		data, err := charmap.KOI8R.NewEncoder().Bytes([]byte("question,answer\nКак вернуть деньги?,Напишите нам в чат.\n"))
		require.NoError(t, err)
		w := s.upload("ann", "shop-one", "faq.csv", data)
		require.Equal(t, http.StatusSeeOther, w.Code)
		at := w.Header().Get("Location")
		page := text(s.read("ann", at))
		assert.Contains(t, page, "was read as KOI8-R")
		assert.Contains(t, page, "Windows-1251 “лБЛ ЧЕТОХФШ ДЕОШЗЙ?,")

		wrong := s.sent("ann", at+"/encoding", url.Values{"encoding": {"Windows-1251"}})
		page = text(s.read("ann", wrong))
		assert.Contains(t, page, "was read, as you chose, as Windows-1251")
		assert.Contains(t, page, "KOI8-R “Как вернуть деньги?,")
		right := s.sent("ann", wrong+"/encoding", url.Values{"encoding": {"KOI8-R"}})
		assert.Equal(t, http.StatusNotFound, s.post("ann", right+"/encoding", url.Values{"encoding": {"EBCDIC"}}).Code)

		s.sent("ann", right+"/publish", nil)
		for _, e := range s.published("shop-one") {
			assert.Equal(t, "Как вернуть деньги?", e.Question)
		}
		assert.Len(t, s.published("shop-one"), 1)
	})
}
