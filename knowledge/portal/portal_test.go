package portal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	m.Run()
}

// A site is a portal under test.
type site struct {
	t         *testing.T
	corpus    *knowledge.Corpus
	brands    *brand.Store
	portal    *Portal
	http      http.Handler
	log       *bytes.Buffer
	prepared  []string
	prepare   error
	ask       error
	asked     []Trial
	poked     int
	questions []string // what customers asked
}

// onBoth runs test on a portal over each database, with the affiliates shop-one, shop-two and one with an awkward name.
func onBoth(t *testing.T, test func(s *site)) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), events.Schema(), knowledge.Schema(), brand.Schema()}, func(t *testing.T, db *sqldb.DB) {
		test(newSite(t, db))
	})
}

func newSite(t *testing.T, db *sqldb.DB) *site {
	s := &site{t: t, corpus: knowledge.NewCorpus(db, time.Now), brands: brand.NewStore(db, time.Now), log: &bytes.Buffer{}}
	for _, id := range []knowledge.AffiliateID{"shop-one", "shop-two", "Große Läden"} {
		require.NoError(t, s.corpus.EnsureAffiliate(t.Context(), id))
	}
	log := logrus.New()
	log.SetOutput(s.log)
	p, err := New(s.corpus, Options{
		Chrome: func(r *http.Request) page.Chrome { return page.Chrome{Who: r.Header.Get("Person")} },
		Who: func(r *http.Request) (people.Person, bool) {
			p, ok := testPeople()[r.Header.Get("Person")]
			return p, ok
		},
		Ask: func(_ context.Context, trial Trial) (TrialResult, error) {
			s.asked = append(s.asked, trial)
			return TrialResult{Action: "answer", Reason: "confident", Rule: "sure enough", Replies: []string{"Reply to " + trial.Text}, Choices: []string{"Choice 1"},
				Hits: []TrialHit{{Question: "How?", Wording: "In which way?", Probability: 0.83, Cosine: 0.7, Ngrams: 0.4}}}, s.ask
		},
		Prepare: func(_ context.Context, entries []knowledge.Entry) error {
			for _, e := range entries {
				s.prepared = append(s.prepared, e.Wordings()...)
			}
			return s.prepare
		},
		Show:      showOnTwo,
		Compare:   compareOne,
		Asked:     func(context.Context, knowledge.AffiliateID, time.Time) ([]string, error) { return s.questions, nil },
		Brands:    s.brands,
		Public:    func(a knowledge.AffiliateID) string { return "/faq/" + string(a) },
		Phrases:   testPhrases(),
		Published: func() { s.poked++ },
		Media:     media.NewStore(db, media.Options{}), Log: log,
	})
	require.NoError(t, err)
	go func() { _ = p.Run(t.Context()) }() // until the test ends
	engine := gin.New()
	p.Register(engine, engine)
	s.http, s.portal = page.Secure(engine), p
	return s
}

func (s *site) do(person string, r *http.Request) *httptest.ResponseRecorder {
	r.Header.Set("Person", person)
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	return w
}

func (s *site) get(person, path string) *httptest.ResponseRecorder {
	return s.do(person, httptest.NewRequest(http.MethodGet, path, nil))
}

// read is a page that must be there, as text.
func (s *site) read(person, path string) string {
	w := s.get(person, path)
	require.Equal(s.t, http.StatusOK, w.Code, path)
	return w.Body.String()
}

func (s *site) post(person, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(person, r)
}

// sent posts a form and returns where it leads.
func (s *site) sent(person, path string, form url.Values) string {
	w := s.post(person, path, form)
	require.Equal(s.t, http.StatusSeeOther, w.Code, "%s: %s", path, w.Body)
	return w.Header().Get("Location")
}

func (s *site) upload(person, affiliate, name string, data []byte) *httptest.ResponseRecorder {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	require.NoError(s.t, err)
	_, err = part.Write(data)
	require.NoError(s.t, err)
	require.NoError(s.t, form.Close())
	r := httptest.NewRequest(http.MethodPost, "/partners/"+affiliate+"/uploads", &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return s.do(person, r)
}

// preview uploads a file that is taken, and returns its preview's address.
func (s *site) preview(affiliate, name, data string) string {
	w := s.upload("root", affiliate, name, []byte(data))
	require.Equal(s.t, http.StatusSeeOther, w.Code, w.Body.String())
	return w.Header().Get("Location")
}

func (s *site) publish(affiliate, name, data string) {
	at := s.preview(affiliate, name, data)
	s.sent("root", at+"/publish", nil)
}

func (s *site) published(affiliate knowledge.AffiliateID) map[string]knowledge.Entry {
	entries, _, err := s.corpus.Published(s.t.Context(), affiliate)
	require.NoError(s.t, err)
	byKey := map[string]knowledge.Entry{}
	for _, e := range entries {
		byKey[e.Key] = e
	}
	return byKey
}

// text is a page without its tags and runs of white space.
func text(html string) string {
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.ReplaceAll(html, "\u00a0", " "), " ")), " ")
}

// The whole way, as a browser without JavaScript goes it.
func TestUploadMendPublishRollBack(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		assert.Equal(t, "/partners/shop-one", s.get("ann", "/partners").Header().Get("Location"))
		assert.Contains(t, s.read("ann", "/partners/shop-one"), `enctype="multipart/form-data"`)
		s.publish("shop-one", "before.csv", "id,question,answer\nj1,How do I join?,Write to us.\nold,Is it old?,Yes.\n")

		data, err := os.ReadFile("testdata/awkward.xlsx")
		require.NoError(t, err)
		w := s.upload("ann", "shop-one", "awkward.xlsx", data)
		require.Equal(t, http.StatusSeeOther, w.Code)
		at := w.Header().Get("Location")
		html := s.read("ann", at)
		assert.Contains(t, text(html), "3 added 1 edited 1 removed 0 unchanged 3 problems")
		assert.Contains(t, html, `<del>Write to us</del><ins>Fill in the form</ins>`)
		assert.Contains(t, html, "Publish 5\u00a0changes to shop-one?")
		missing := regexp.MustCompile(`name="(r\d+-answer)"`).FindStringSubmatch(html)
		date := regexp.MustCompile(`name="(r\d+-to)" value="someday"`).FindStringSubmatch(html)
		require.NotNil(t, missing)
		require.NotNil(t, date)
		assert.NotEmpty(t, s.published("shop-one")["old"], "nothing is public yet")

		assert.Equal(t, at, s.sent("ann", at+"/mend", url.Values{missing[1]: {" "}}), "nothing was typed")
		again := s.sent("ann", at+"/mend", url.Values{missing[1]: {"On the 15th,\r\neach month."}, date[1]: {"never"}})
		assert.NotEqual(t, at, again)
		html = s.read("ann", again)
		assert.Contains(t, text(html), "Read again with 2 rows fixed.")
		assert.Contains(t, text(html), "4 added 1 edited 1 removed 0 unchanged 2 problems")
		assert.Contains(t, html, `value="never"`)
		again, _, _ = strings.Cut(again, "?")
		again = s.sent("ann", again+"/mend", url.Values{date[1]: {"2030-05-31"}})
		again, _, _ = strings.Cut(again, "?")
		html = s.read("ann", again)
		assert.Contains(t, text(html), "5 added 1 edited 1 removed 0 unchanged 1 problem") // no problem left
		assert.Contains(t, text(html), "Answer typed here")
		assert.Contains(t, s.read("ann", at), "set aside")

		to := s.sent("ann", again+"/publish", nil)
		assert.Equal(t, "/partners/shop-one/history?done=2", to)
		assert.Equal(t, to, s.sent("ann", again+"/publish", nil), "posted twice, published once")
		assert.Contains(t, s.prepared, "Where can I sign up?")
		assert.Equal(t, 3, s.poked)
		live := s.published("shop-one")
		assert.Len(t, live, 6)
		assert.Equal(t, "On the 15th,\neach month.", live["p1"].Answer)
		assert.Equal(t, time.Date(2030, 6, 1, 0, 0, 0, 0, time.UTC), live["s1"].To)
		html = s.read("ann", to)
		assert.Contains(t, text(html), "Published 7 changes to shop-one.")
		assert.NotContains(t, s.read("ann", "/partners/shop-one/history?done=1"), `class="toast"`)
		assert.Contains(t, s.read("ann", again), "Published as revision 2")
		assert.Equal(t, http.StatusConflict, s.post("ann", again+"/mend", nil).Code)
		assert.Equal(t, data, s.get("ann", again+"/file").Body.Bytes())
		assert.Contains(t, s.read("ann", "/partners/shop-one/entries?q=FORM+fill"), "How do I join?")
		assert.Contains(t, text(s.read("ann", "/partners/shop-one/entries?q=nowhere")), "No entry has these words")

		s.readBack(again)
		html = s.read("ann", "/partners/shop-one/history/1")
		assert.Contains(t, text(html), "1 back again · 1 edited · 5 removed")
		back := "/partners/shop-one/history/1/roll-back?from=2"
		assert.Equal(t, "/partners/shop-one/history?done=3", s.sent("ann", back, nil))
		assert.Equal(t, "/partners/shop-one/history?done=3", s.sent("ann", back, nil), "posted twice")
		assert.Len(t, s.published("shop-one"), 2)
		undo := regexp.MustCompile(`action="([^"]+)"><button class="small">Undo`).FindStringSubmatch(s.read("ann", "/partners/shop-one/history?done=3"))
		require.NotNil(t, undo)
		s.sent("ann", undo[1], nil)
		assert.Len(t, s.published("shop-one"), 6)
		assert.Equal(t, http.StatusConflict, s.post("ann", back, nil).Code, "somebody published meanwhile")
		assert.Len(t, s.published("shop-one"), 6)
		assert.Empty(t, s.log.String())
	})
}

// readBack uploads what is downloaded: nothing would change.
func (s *site) readBack(string) {
	for _, file := range []string{"entries.csv", "entries.jsonl", "entries.tsv", "entries.xlsx", "entries.json"} {
		w := s.get("ann", "/partners/shop-one/history/2/"+file)
		require.Equal(s.t, http.StatusOK, w.Code)
		assert.Contains(s.t, w.Header().Get("Content-Disposition"), "attachment; filename=shop-one-revision-2.")
		for cell := range strings.FieldsFuncSeq(w.Body.String(), func(r rune) bool { return strings.ContainsRune(",\n\"", r) }) {
			if file == "entries.csv" {
				assert.NotRegexp(s.t, `^[=+@-]`, cell)
			}
		}
		at := s.preview("shop-one", file, w.Body.String())
		assert.Contains(s.t, s.read("ann", at), "Nothing would change")
		s.sent("ann", at+"/discard", nil)
	}
}

func TestColumnsAreAsked(t *testing.T) {
	onBoth(t, func(s *site) {
		at := s.preview("shop-one", "odd.csv", "Kunde sagt;Wir sagen;Gruppe;Rest\nWann?;Morgen.;Zeit;1\nWo?;;Ort;2\n")
		html := s.read("ann", at)
		assert.Contains(t, html, "Which column is which?")
		assert.Contains(t, html, "Kunde sagt")
		assert.NotContains(t, html, "Publish 0")
		w := s.post("ann", at+"/columns", url.Values{"c1": {"question"}})
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, w.Body.String(), "Say which column has the answer.")
		w = s.post("ann", at+"/columns", url.Values{"c1": {"question"}, "c2": {"answer"}, "c3": {"answer"}})
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		next := s.sent("ann", at+"/columns", url.Values{"c1": {"question"}, "c2": {"answer"}, "c3": {"topic"}})
		html = s.read("ann", next)
		assert.Contains(t, text(html), "1 added 0 edited 0 removed 0 unchanged 1 problem")
		next = s.sent("ann", next+"/mend", url.Values{"r2-answer": {"Hier."}})
		next, _, _ = strings.Cut(next, "?")
		assert.Contains(t, s.read("ann", next+"/columns"), `value="topic" selected`)
		undone := s.sent("ann", next+"/unmend", url.Values{"row": {"2"}})
		assert.Contains(t, text(s.read("ann", undone)), "1 problem")
		dropped := s.sent("ann", undone+"/mend", url.Values{"drop": {"2"}})
		dropped, _, _ = strings.Cut(dropped, "?")
		assert.Contains(t, text(s.read("ann", dropped)), "Line 3 left out")
		s.sent("ann", dropped+"/publish", nil)
		for _, e := range s.published("shop-one") {
			assert.Equal(t, "Zeit", e.Topic)
		}
		// Without column names.
		at = s.preview("shop-one", "bare.csv", "1,2,Wie?,So.,x\n3,4,Wer?,Ich.,y\n")
		next = s.sent("ann", at+"/columns", url.Values{"c3": {"question"}, "c4": {"answer"}, "headless": {"1"}})
		assert.Contains(t, text(s.read("ann", next)), "2 added 0 edited 0 removed 0 unchanged The file adds and updates")
	})
}

func TestSomebodyPublishedMeanwhile(t *testing.T) {
	onBoth(t, func(s *site) {
		at := s.preview("shop-one", "a.csv", "id,question,answer\na,A?,1\n")
		s.publish("shop-one", "b.csv", "id,question,answer\nb,B?,1\n")
		w := s.post("ann", at+"/publish", nil)
		assert.Equal(t, http.StatusConflict, w.Code)
		assert.Contains(t, w.Body.String(), "Somebody published since")
		assert.NotContains(t, s.published("shop-one"), "a")
		fresh := s.sent("ann", at+"/refresh", nil)
		assert.NotEqual(t, at, fresh)
		assert.Contains(t, text(s.read("ann", fresh)), "1 added 0 edited 0 removed")
		s.sent("ann", fresh+"/discard", nil)
		assert.Contains(t, text(s.read("ann", "/partners/shop-one?discarded="+fresh[strings.LastIndexByte(fresh, '/')+1:])), "Discarded a.csv.")
		assert.Equal(t, fresh, s.sent("ann", fresh+"/publish", nil), "a discarded one is not published")
		assert.NotContains(t, s.published("shop-one"), "a")
		s.sent("ann", fresh+"/restore", nil)
		s.prepare = errors.New("no vectors")
		w = s.post("ann", fresh+"/publish", nil)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		id := regexp.MustCompile(`<span class="mono">(\w+)</span>`).FindStringSubmatch(w.Body.String())
		require.NotNil(t, id)
		assert.Contains(t, s.log.String(), "id="+id[1])
		assert.NotContains(t, s.published("shop-one"), "a")
		s.prepare = nil
		s.sent("ann", fresh+"/publish", nil)
		assert.Contains(t, s.published("shop-one"), "a")
	})
}

// Every route, asked for somebody else's things.
func TestNobodySeesAnothersThings(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-two", "two.csv", "id,question,answer\na,Secret?,canary\n")
		draft := s.preview("shop-two", "two.csv", "id,question,answer\na,Secret?,canary two\n")
		id := draft[strings.LastIndexByte(draft, '/')+1:]
		change := s.published("shop-two")["a"].ID
		fill := func(path, affiliate string) string {
			return strings.NewReplacer(":affiliate", affiliate, ":upload", id, ":change", string(change), ":entry", string(change), ":revision", "1", ":file", "entries.csv").Replace(path) + "?from=1&upload=" + id
		}
		for _, route := range Routes() {
			r := func(path string) *http.Request { return httptest.NewRequest(route.Method, path, nil) }
			assert.Equal(t, http.StatusUnauthorized, s.do("", r(fill(route.Path, "shop-two"))).Code, route.Path)
			if !strings.Contains(route.Path, ":affiliate") {
				continue
			}
			for _, person := range []string{"ann", "none"} {
				w := s.do(person, r(fill(route.Path, "shop-two")))
				assert.Equal(t, http.StatusNotFound, w.Code, "%s %s for %s", route.Method, route.Path, person)
				assert.NotContains(t, w.Body.String(), "canary")
			}
			assert.Equal(t, http.StatusNotFound, s.do("root", r(fill(route.Path, "no-such"))).Code, route.Path)
			if strings.Contains(route.Path, ":upload") || strings.HasSuffix(route.Path, ":entry") { // theirs, under the own name
				assert.Equal(t, http.StatusNotFound, s.do("ann", r(fill(route.Path, "shop-one"))).Code, route.Path)
			}
		}
		assert.Equal(t, http.StatusNotFound, s.post("ann", "/partners/shop-one/try", url.Values{"upload": {id}, "text": {"Secret?"}}).Code)
		assert.Equal(t, http.StatusNotFound, s.get("ann", "/partners/shop-one/history/1").Code)
		assert.NotContains(t, s.read("ann", "/partners/shop-one?discarded="+id), "two.csv")
		assert.Equal(t, "canary", s.published("shop-two")["a"].Answer)
		assert.Empty(t, s.asked)
		assert.Contains(t, s.read("root", "/partners"), "/partners/Gro%C3%9Fe%20L%C3%A4den")
		assert.Contains(t, text(s.read("root", "/partners/Gro%C3%9Fe%20L%C3%A4den/entries")), "No entries yet")
		assert.Contains(t, text(s.read("none", "/partners")), "There is no affiliate for you yet")
	})
}

func TestTry(t *testing.T) {
	onBoth(t, func(s *site) {
		assert.Contains(t, s.read("ann", "/partners/shop-one/try"), "There is nothing to ask yet")
		s.publish("shop-one", "a.csv", "id,question,answer\na,A?,1\nb,B?,2\nc,C?,3\n")
		at := s.preview("shop-one", "a.csv", "id,question,answer\na,A?,1\nb,B?,new\nd,D?,4\n")
		id := at[strings.LastIndexByte(at, '/')+1:]
		assert.Contains(t, s.read("ann", "/partners/shop-one/try?upload="+id), `value="`+id+`" selected`)
		w := s.post("ann", "/partners/shop-one/try", url.Values{"text": {"What?"}, "upload": {id}})
		require.Equal(t, http.StatusOK, w.Code)
		for _, want := range []string{"With the draft", "As published", "Reply to What?", "Choice 1", "One entry is likely enough.", "sure enough", "83\u00a0%", "In which way?", "0.70"} {
			assert.Contains(t, w.Body.String(), want)
		}
		require.Len(t, s.asked, 2)
		got := map[string]string{}
		for _, e := range s.asked[0].Entries {
			got[e.Key] = e.Answer
		}
		assert.Equal(t, map[string]string{"a": "1", "b": "new", "d": "4"}, got)
		assert.Nil(t, s.asked[1].Entries)
		assert.Equal(t, http.StatusUnprocessableEntity, s.post("ann", "/partners/shop-one/try", url.Values{"text": {" "}}).Code)
		s.ask = errors.New("broken")
		w = s.post("ann", "/partners/shop-one/try", url.Values{"text": {"canary words"}})
		assert.Contains(t, w.Body.String(), "could not be asked")
		assert.NotContains(t, s.log.String(), "canary")
		assert.Contains(t, s.log.String(), "broken")
	})
}

func TestWhatCannotBeRead(t *testing.T) {
	onBoth(t, func(s *site) {
		for _, test := range []struct {
			name string
			data []byte
			code int
			want string
		}{
			{"big.csv", bytes.Repeat([]byte("x"), 5<<20+1), http.StatusRequestEntityTooLarge, "more than 5 MiB"},
			{"vast.csv", bytes.Repeat([]byte("x"), bodyMost+1), http.StatusRequestEntityTooLarge, "more than 5 MiB"},
			{"empty.csv", nil, http.StatusUnprocessableEntity, "No file was chosen"},
			{"junk.xlsx", append([]byte("PK\x03\x04"), bytes.Repeat([]byte{0, 1, 255}, 1000)...), http.StatusSeeOther, "cannot be opened"},
			{"junk.bin", bytes.Repeat([]byte{0x89, 0, 1, 255, 13}, 1000), http.StatusSeeOther, "This is not a text"},
			{"a.pdf", []byte("%PDF-1.7"), http.StatusSeeOther, "PDF files cannot be read"},
			{"bomb.xlsx", zipBomb(t), http.StatusSeeOther, "unpacks to more than 32 MiB"},
		} {
			w := s.upload("ann", "shop-one", test.name, test.data)
			require.Equal(t, test.code, w.Code, test.name)
			html := w.Body.String()
			if test.code == http.StatusSeeOther {
				html = s.read("ann", w.Header().Get("Location"))
				assert.NotContains(t, html, "/publish")
				assert.Equal(t, http.StatusConflict, s.post("ann", w.Header().Get("Location")+"/publish", nil).Code)
			}
			assert.Contains(t, html, test.want, test.name)
		}
		r := httptest.NewRequest(http.MethodPost, "/partners/shop-one/uploads", strings.NewReader("no form"))
		assert.Equal(t, http.StatusUnprocessableEntity, s.do("ann", r).Code)
		r = httptest.NewRequest(http.MethodPost, "/partners/shop-one/uploads", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\ncut"))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		assert.Equal(t, http.StatusBadRequest, s.do("ann", r).Code)
		at := s.preview("shop-one", "a.csv", "id,question,answer\na,A?,\n")
		w := s.post("ann", at+"/mend", url.Values{"r1-answer": {strings.Repeat("x", maxForm)}})
		assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
		_, err := io.Copy(io.Discard, w.Body)
		require.NoError(t, err)
		assert.Empty(t, s.log.String())
	})
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "file", "a/b\\c.csv": "c.csv", " x\u202e\n.csv ": "x.csv", "\xff": "file", "..": "..", "名前.xlsx": "名前.xlsx"} {
		assert.Equal(t, want, fileName(in), "%q", in)
	}
	long := fileName(strings.Repeat("x", 300) + ".xlsx")
	assert.Len(t, []rune(long), nameMost)
	assert.True(t, strings.HasSuffix(long, "….xlsx"))
	assert.Len(t, []rune(fileName("."+strings.Repeat("y", 300))), nameMost)
}

func TestManyEntries(t *testing.T) {
	onBoth(t, func(s *site) {
		var b strings.Builder
		b.WriteString("id,question,answer,topic\n")
		for i := range 450 {
			fmt.Fprintf(&b, "k%d,Question %d?,Answer.,Topic %d\n", i, i, i%3)
		}
		for range 45 {
			b.WriteString("dup,What?,,x\n")
		}
		at := s.preview("shop-one", "many.csv", b.String())
		html := s.read("ann", at)
		assert.Equal(t, 200, strings.Count(html, `<tr class="added"`))
		assert.Equal(t, firstProblems, strings.Count(html, `class="card mend lost"`))
		assert.Contains(t, text(html), "1–200 of 450")
		assert.Equal(t, 50, strings.Count(s.read("ann", at+"?kind=added&page=3"), `<tr class="added"`))
		assert.Equal(t, 45, strings.Count(s.read("ann", at+"?kind=problems"), `class="card mend lost"`))
		assert.Contains(t, text(s.read("ann", at+"?kind=added&page=9999")), "450")
		s.sent("ann", at+"/publish", nil)
		assert.Contains(t, text(s.read("ann", "/partners/shop-one/entries?topic=Topic+1")), "150 entries found")
		change := s.published("shop-one")["k1"].ID
		assert.Contains(t, s.read("ann", at+"/changes/"+string(change)), "Question 1?")
		assert.Equal(t, http.StatusNotFound, s.get("ann", at+"/changes/none").Code)
		for _, e := range s.published("shop-one") {
			assert.Equal(t, "Answer.", e.Answer)
		}
		// Kept, and named.
		at = s.preview("shop-one", "fewer.csv", "id,question,answer\nk1,Question 1?,\n")
		assert.Contains(t, text(s.read("ann", at)), "No row of the file can be used")
		at = s.preview("shop-one", "fewer.csv", "id,question,answer\nk1,Question 1?,\nk2,Question 2?,new\n")
		assert.Contains(t, text(s.read("ann", at)), "449 published entries not in the file stay")
		at = s.sent("ann", at+"/absent", url.Values{"absent": {"retire"}})
		assert.Contains(t, text(s.read("ann", at)), "448 entries will be removed.")
		assert.Contains(t, text(s.read("ann", at)), "1 entry kept although not in the file, because a row could not be read Question 1?")
	})
}

func TestTemplateIsOneThatWeRead(t *testing.T) {
	onBoth(t, func(s *site) {
		for _, file := range []string{"entries.csv", "entries.jsonl", "entries.tsv", "entries.xlsx", "entries.json"} {
			w := s.get("ann", "/partners/shop-one/template/"+file)
			require.Equal(t, http.StatusOK, w.Code)
			at := s.preview("shop-one", file, w.Body.String())
			assert.Contains(t, text(s.read("ann", at)), "2 added 0 edited 0 removed 0 unchanged What would")
		}
		assert.Equal(t, http.StatusNotFound, s.get("ann", "/partners/shop-one/template/x.exe").Code)
		style := s.portal.assets.Address("portal.css")
		assert.Contains(t, s.get("ann", "/partners/shop-one").Body.String(), style)
		w := s.get("ann", style)
		assert.Contains(t, w.Header().Get("Content-Type"), "text/css")
		r := httptest.NewRequest(http.MethodGet, style, nil)
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		assert.Equal(t, http.StatusNotModified, s.do("ann", r).Code)
	})
}
