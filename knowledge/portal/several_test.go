package portal

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sendFiles sends files in one form, name after name with its content.
func (s *site) sendFiles(who string, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		part, err := w.CreateFormFile("file", pairs[i])
		require.NoError(s.t, err)
		_, err = part.Write([]byte(pairs[i+1]))
		require.NoError(s.t, err)
	}
	require.NoError(s.t, w.Close())
	r := httptest.NewRequest(http.MethodPost, "/partners/shop-one/uploads", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return s.do(who, r)
}

// A folder of files is one FAQ: what one of them says wrong is told by its name, and no question is lost.
func TestSeveralFilesAreOneFAQ(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		w := s.sendFiles("ann", "money.md", "# When do you pay?\n\nOn the 15th.\n", "join.csv", "question,answer\nHow do I join?,Fill in the form.\nIs it free?,\n")
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
		at := w.Header().Get("Location")
		page := text(s.read("ann", at))
		assert.Contains(t, page, "join.csv and 1 more.jsonl")
		assert.Contains(t, page, "2 added")
		assert.Contains(t, page, "join.csv: The answer is missing.")
		s.sent("ann", at+"/publish", nil)
		assert.Len(t, s.published("shop-one"), 2)

		w = s.sendFiles("ann", "a.md", "nothing", "b.md", "here")
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, text(w.Body.String()), "a.md: No questions were found.")

		var many []string
		for i := range maxSent + 1 {
			many = append(many, "q"+strconv.Itoa(i)+".md", "# Is it "+strconv.Itoa(i)+"?\n\nYes.\n")
		}
		w = s.sendFiles("ann", many...)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, text(w.Body.String()), "At most 500 files")
		assert.Len(t, s.published("shop-one"), 2)
		assert.False(t, strings.Contains(s.read("ann", "/partners/shop-one"), "q0.md"))
	})
}
