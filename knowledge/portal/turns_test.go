package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// An affiliate has one file read, one question tried and one file published at a time, and is told so; others
// go on meanwhile.
func TestOneAtATime(t *testing.T) {
	onBoth(t, func(s *site) {
		w := s.upload("ann", "shop-one", "faq.csv", []byte("question,answer\nHow?,So.\n"))
		require.Equal(t, http.StatusSeeOther, w.Code)
		draft := w.Header().Get("Location")
		for kind, do := range map[string]func() (int, string){
			workReading: func() (int, string) {
				w := s.upload("ann", "shop-one", "other.csv", []byte("question,answer\nWhy?,So.\n"))
				return w.Code, w.Body.String()
			},
			workTrying: func() (int, string) {
				w := s.post("ann", "/partners/shop-one/try", url.Values{"text": {"How?"}})
				return w.Code, w.Body.String()
			},
			workPublishing: func() (int, string) {
				w := s.post("ann", draft+"/publish", nil)
				return w.Code, w.Body.String()
			},
		} {
			end, ok := s.portal.turns.begin(kind, "shop-one")
			require.True(t, ok)
			code, html := do()
			assert.Equal(t, http.StatusTooManyRequests, code, kind)
			assert.Contains(t, html, "of yours is being", kind)
			assert.Equal(t, http.StatusSeeOther, s.upload("bob", "shop-two", "faq.csv", []byte("question,answer\nHow "+kind+"?,So.\n")).Code)
			end()
			code, _ = do()
			assert.Less(t, code, http.StatusBadRequest, kind)
		}
	})
}

// A draft that is still being indexed is said to be, with what to do.
func TestTryWhileIndexing(t *testing.T) {
	onBoth(t, func(s *site) {
		w := s.upload("ann", "shop-one", "faq.csv", []byte("question,answer\nHow?,So.\n"))
		id := w.Header().Get("Location")[strings.LastIndex(w.Header().Get("Location"), "/")+1:]
		s.ask = ErrIndexing
		html := s.post("ann", "/partners/shop-one/try", url.Values{"text": {"How?"}, "upload": {id}}).Body.String()
		assert.Contains(t, html, "1 entries are still being read")
		assert.Contains(t, html, "Ask again in half a minute")
		require.NotEmpty(t, s.asked)
		assert.Equal(t, knowledge.UploadID(id), s.asked[0].Draft)
	})
}

// More wordings than one may publish are refused, also with those of entries that stay.
func TestTooManyWordings(t *testing.T) {
	onBoth(t, func(s *site) {
		var rows []knowledge.Row
		for i := range 101 {
			e := knowledge.Entry{Key: string(rune('a' + i)), Question: string(rune('a' + i)), Answer: "So."}
			for range 999 {
				e.Variants = append(e.Variants, "a wording")
			}
			rows = append(rows, knowledge.Row{Line: i + 1, Entry: e})
		}
		u, err := s.corpus.Preview(t.Context(), knowledge.Upload{Affiliate: "shop-one", File: "a.csv", Digest: "d", By: "ann"}, rows)
		require.NoError(t, err)
		require.True(t, u.Fatal())
		assert.Empty(t, u.Changes)
		assert.Contains(t, u.Problems[0].Text, "at most 100000 can be published")
		_, err = s.corpus.Publish(t.Context(), u.ID, "ann")
		require.ErrorIs(t, err, knowledge.ErrProblems)
	})
}
