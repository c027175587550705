package portal

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Files come with the file of entries, are shown with what changes, belong to one affiliate, and need not be
// sent twice.
func TestFilesOfEntries(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{events.Schema(), knowledge.Schema(), media.Schema()}, func(t *testing.T, db *sqldb.DB) {
		corpus := knowledge.NewCorpus(db, time.Now)
		for _, id := range []knowledge.AffiliateID{"shop-one", "shop-two"} {
			require.NoError(t, corpus.EnsureAffiliate(t.Context(), id))
		}
		store := media.NewStore(db, media.Options{})
		log := logrus.New()
		log.SetOutput(&bytes.Buffer{})
		p, err := New(corpus, Options{Log: log, Media: store, Who: func(r *http.Request) (people.Person, bool) {
			p, ok := testPeople()[r.Header.Get("Person")]
			return p, ok
		}})
		require.NoError(t, err)
		router := gin.New()
		p.Register(router, router)
		do := func(who string, r *http.Request) *httptest.ResponseRecorder {
			r.Header.Set("Person", who)
			w := httptest.NewRecorder()
			router.ServeHTTP(w, r)
			return w
		}
		upload := func(faq string, files ...string) *httptest.ResponseRecorder { // name, content, …
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			add := func(field, name, content string) {
				f, err := form.CreateFormFile(field, name)
				require.NoError(t, err)
				_, err = f.Write([]byte(content))
				require.NoError(t, err)
			}
			if len(files) > 0 { // in whatever order a browser sends them
				add("media", files[0], files[1])
			}
			add("file", "faq.csv", faq)
			for i := 2; i < len(files); i += 2 {
				add("media", files[i], files[i+1])
			}
			require.NoError(t, form.Close())
			r := httptest.NewRequest(http.MethodPost, "/partners/shop-one/uploads", &b)
			r.Header.Set("Content-Type", form.FormDataContentType())
			return do("ann", r)
		}
		const png = "\x89PNG\r\n\x1a\nrest"
		got := upload("id,question,answer,media\na,One?,Yes.,Plan.png | terms.pdf | https://x.example/a.png | none.png\n", `C:\Plan.png`, png, "terms.pdf", "%PDF-1.4")
		require.Equal(t, http.StatusSeeOther, got.Code)
		body := do("ann", httptest.NewRequest(http.MethodGet, got.Header().Get("Location"), nil)).Body.String()
		require.Contains(t, body, "There is no file &#34;none.png&#34;")
		require.Contains(t, body, `href="https://x.example/a.png"`)
		files, err := corpus.Files(t.Context(), "shop-one")
		require.NoError(t, err)
		require.Len(t, files, 2)
		require.Equal(t, "Plan.png", files[0].Name)
		at := "/partners/shop-one/media/" + files[0].File
		require.Contains(t, body, `<img src="`+at+`"`)
		for who, status := range map[string]int{"ann": 200, "root": 200, "bob": 404, "none": 404} {
			require.Equal(t, status, do(who, httptest.NewRequest(http.MethodGet, at, nil)).Code, who)
		}
		require.Equal(t, http.StatusNotFound, do("bob", httptest.NewRequest(http.MethodGet, strings.Replace(at, "one", "two", 1), nil)).Code, "by knowing its name")
		served := do("ann", httptest.NewRequest(http.MethodGet, at, nil))
		require.Equal(t, "nosniff", served.Header().Get("X-Content-Type-Options"))
		n, err := store.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "entries' files are kept")

		again := upload("id,question,answer,media\na,One?,Yes!,plan.png\n") // the file is known by its name
		require.Equal(t, http.StatusSeeOther, again.Code)
		require.NotContains(t, do("ann", httptest.NewRequest(http.MethodGet, again.Header().Get("Location"), nil)).Body.String(), "There is no file")

		wrong := upload("id,question,answer,media\na,One?,Yes.,x.exe\n", "x.exe", "MZ\x90\x00\x03\x00\x00")
		require.Equal(t, http.StatusUnprocessableEntity, wrong.Code)
		require.Contains(t, wrong.Body.String(), "x.exe was not taken: this kind of file is not taken")
		large := upload("id,question,answer,media\na,One?,Yes.,x.txt\n", "x.txt", strings.Repeat("a", media.MaxBytes+1))
		require.Contains(t, large.Body.String(), "x.txt was not taken: too large: at most 20 MB are taken")
		var many []string
		for range maxFiles + 1 {
			many = append(many, "a.txt", "text")
		}
		require.Contains(t, upload("id,question,answer\na,One?,Yes.\n", many...).Body.String(), "More than 50 files")
	})
}
