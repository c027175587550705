package portal

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/page/pagetest"
)

const entriesAt = "/partners/shop-one/entries"

// showOnTwo shows an answer as two channels would that cut nothing.
func showOnTwo(e knowledge.Entry) []ChannelView {
	return []ChannelView{{Names: []string{"Telegram", "Web chat"}, Messages: []MessageView{{Text: e.Answer, Used: len(e.Answer), Room: 4096, Of: "Telegram", Unit: "room_characters"}}}}
}

// form is the editor's, as a browser without JavaScript would send it.
func (s *site) form(person, path string) url.Values {
	html := s.read(person, path)
	pagetest.Check(s.t, html)
	for _, f := range pagetest.Forms(s.t, html) {
		if f.Values.Has("base") {
			f.Values.Del("do")
			return f.Values
		}
	}
	s.t.Fatalf("no editor at %s", path)
	return nil
}

// write fills in the editor's form and presses a button.
func (s *site) write(person, path, do string, fields ...string) *httptest.ResponseRecorder {
	v := s.form(person, path)
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	v.Set("do", do)
	at := regexp.MustCompile(`id="edit" method="post" action="([^"]+)"`).FindStringSubmatch(s.read(person, path))
	if do == "" || at == nil || strings.HasPrefix(path, entriesAt+"/new") {
		require.NotNil(s.t, at)
	}
	return s.post(person, at[1], v)
}

func (s *site) editorOf(key string) string {
	return entriesAt + "/" + string(s.published("shop-one")[key].ID)
}

// One answer is changed and published by hand, as a browser without JavaScript goes the way; so are a new entry, a
// removed one, and one in another language.
func TestEntriesAreEditedByHand(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "faq.csv", "id,question,answer,topic,from,to\npay,When do you pay?,Soon.,Money,2030-03-01,2030-03-31\nold,Is it old?,Yes.,Other,,\n")
		html := s.read("ann", entriesAt)
		pagetest.Check(t, html)
		assert.Contains(t, text(html), "From faq.csv no answers in 90 days")
		pay := s.editorOf("pay")
		assert.Contains(t, html, `href="`+pay+`"`)
		v := s.form("ann", pay)
		assert.Equal(t, []string{"2030-03-01", "2030-03-31", "Money"}, []string{v.Get("from"), v.Get("to"), v.Get("topic")})

		w := s.write("ann", pay, "review", "answer", "On the 15th.\r\nEach month.", "variants", "payout day\r\nwhen is payday")
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
		review := w.Header().Get("Location")
		html = s.read("ann", review)
		pagetest.Check(t, html)
		assert.Contains(t, html, `<del>Soon</del><ins>On the 15th.`)
		assert.NotContains(t, html, "data-confirm", "one look is enough")
		assert.Equal(t, "Soon.", s.published("shop-one")["pay"].Answer)
		assert.Equal(t, "/partners/shop-one/history?done=2", s.sent("ann", review+"/publish", nil))
		live := s.published("shop-one")["pay"]
		assert.Equal(t, "On the 15th.\nEach month.", live.Answer)
		assert.Equal(t, []string{"payout day", "when is payday"}, live.Variants)
		assert.Equal(t, "ann", live.EditedBy)
		assert.Contains(t, s.prepared, "payout day")
		assert.Contains(t, text(s.read("ann", "/partners/shop-one/history")), "Edits made here")
		assert.Contains(t, text(s.read("ann", entriesAt)), "From faq.csv, edited by ann")

		w = s.write("ann", entriesAt+"/new", "review", "question", "May I bring cats?")
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, text(w.Body.String()), "Write the answer.")
		assert.Contains(t, w.Body.String(), "May I bring cats?", "what was typed is still there")
		w = s.write("ann", entriesAt+"/new", "save", "question", "May I bring cats?", "locale", "nonsense language")
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		w = s.write("ann", entriesAt+"/new", "save", "question", "May I bring cats?", "locale", "en")
		require.Equal(t, http.StatusSeeOther, w.Code)
		draft, _, _ := strings.Cut(w.Header().Get("Location"), "?")
		assert.Contains(t, text(s.read("ann", entriesAt+"?show=drafts")), "May I bring cats? New, not published")
		s.write("ann", draft, "save", "answer", "**Yes**, see [here](https://cats.example)")
		german := s.write("ann", entriesAt+"/new?like="+draft[len(entriesAt)+1:]+"&locale=de", "save", "question", "Katzen?", "answer", "Ja.")
		require.Equal(t, http.StatusSeeOther, german.Code, german.Body)
		assert.Contains(t, text(s.read("ann", draft)), "Ja.", "the variants stand side by side")
		copied := s.write("ann", entriesAt+"/new?from="+draft[len(entriesAt)+1:], "save")
		require.Equal(t, http.StatusSeeOther, copied.Code, copied.Body)
		copyAt, _, _ := strings.Cut(copied.Header().Get("Location"), "?")
		s.sent("ann", copyAt, url.Values{"do": {"discard"}, "version": {s.form("ann", copyAt).Get("version")}})
		gone := s.sent("ann", s.editorOf("old"), url.Values{"do": {"remove"}})
		assert.Contains(t, s.read("ann", gone), "data-confirm", "removing is asked about")
		review = s.sent("ann", entriesAt+"/review", nil)
		assert.Contains(t, text(s.read("ann", review)), "2 added 0 edited 1 removed 1 unchanged")
		s.sent("ann", review+"/publish", nil)
		entries, _, err := s.corpus.Published(t.Context(), "shop-one")
		require.NoError(t, err)
		answers := map[string]string{}
		for _, e := range entries {
			answers[e.Key[:3]+e.Locale] = e.Answer
		}
		assert.Equal(t, map[string]string{"pay": "On the 15th.\nEach month.", "mayen": "Yes, see here (https://cats.example)", "mayde": "Ja."}, answers)
		assert.Contains(t, text(s.read("ann", entriesAt+"?show=removed")), "Is it old?")
		undo := regexp.MustCompile(`action="([^"]+)"><button class="small">Undo`).FindStringSubmatch(s.read("ann", "/partners/shop-one/history?done=3"))
		s.sent("ann", undo[1], nil)
		assert.Contains(t, s.published("shop-one"), "old")
		assert.Empty(t, s.log.String())
	})
}

// Two who edit one entry are told of each other, and neither loses words: not by saving, not by the automatic save.
func TestTwoEditors(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "faq.csv", "id,question,answer\na,A?,one\n")
		at := s.editorOf("a")
		ann, root := s.form("ann", at), s.form("root", at)
		assert.Contains(t, text(s.read("root", at)), "ann has this entry open, too.")
		assert.Contains(t, s.read("ann", at+"/others?page="+ann.Get("page")), "<b>root</b>")

		ann.Set("do", "autosave")
		ann.Set("answer", "ann's words")
		w := s.post("ann", at, ann)
		require.Equal(t, http.StatusOK, w.Code)
		assert.Contains(t, text(w.Body.String()), "Draft saved")
		assert.Contains(t, w.Body.String(), "ann&#39;s words", "the channels show it")
		ann.Set("answer", "ann's words, more")
		ann.Set("do", "save") // before the page has heard of the automatic save
		s.sent("ann", at, ann)
		assert.Contains(t, text(s.read("root", at+"/others?page="+root.Get("page"))), "Somebody saved another draft")

		root.Set("answer", "root's words")
		root.Set("do", "autosave")
		assert.Contains(t, text(s.post("root", at, root).Body.String()), "Not saved: somebody else saved this entry")
		root.Set("do", "save")
		w = s.post("root", at, root)
		require.Equal(t, http.StatusConflict, w.Code)
		pagetest.Check(t, w.Body.String())
		assert.Contains(t, text(w.Body.String()), "ann saved this entry while you were writing.")
		assert.Contains(t, w.Body.String(), "<del>ann</del><ins>root</ins>")
		for _, f := range pagetest.Forms(t, w.Body.String()) {
			if f.Values.Has("base") {
				assert.Equal(t, "root's words", f.Values.Get("answer"))
				f.Values.Set("do", "review")
				s.sent("root", s.sent("root", at, f.Values)+"/publish", nil)
			}
		}
		assert.Equal(t, "root's words", s.published("shop-one")["a"].Answer)
		ann.Set("do", "save")
		assert.Equal(t, http.StatusConflict, s.post("ann", at, ann).Code, "it was published meanwhile")
	})
}

// Many entries at once: topic, dates, two made one, removed, restored. The list finds them.
func TestManyAtOnce(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "faq.csv", "id,question,answer,language\na,A?,one,en\nb,B?,two,en\nc,C?,three,de\n")
		id := func(key string) string { return string(s.published("shop-one")[key].ID) }
		a, b, c := id("a"), id("b"), id("c")
		bulk := func(do string, ids []string, fields ...string) string {
			v := url.Values{"id": ids, "do": {do}, "q": {"?"}}
			for i := 0; i < len(fields); i += 2 {
				v.Set(fields[i], fields[i+1])
			}
			return s.sent("ann", entriesAt+"/bulk", v)
		}
		assert.Contains(t, text(s.read("ann", bulk("topic", []string{a, b}, "set_topic", "Money"))), "Saved 2 drafts.")
		bulk("dates", []string{a}, "set_from", "2030-01-01", "set_to", "2030-01-31")
		to := bulk("merge", []string{a, b})
		pagetest.Check(t, s.read("ann", to))
		s.sent("ann", entriesAt+"/merge", url.Values{"id": {a, b}, "keep": {a}})
		bulk("remove", []string{c})
		assert.Contains(t, text(s.read("ann", entriesAt+"?locale=de")), "1 entry found. Show all")
		publish := func() {
			s.sent("ann", s.sent("ann", entriesAt+"/review", nil)+"/publish", url.Values{"removed": {"2"}})
		}
		publish()
		live := s.published("shop-one")
		require.Len(t, live, 1)
		assert.Equal(t, "Money", live["a"].Topic)
		assert.Equal(t, []string{"B?"}, live["a"].Variants)
		assert.Equal(t, "2030-01-31", typedTime(live["a"].To, true))
		bulk("restore", []string{b, c})
		publish()
		assert.Len(t, s.published("shop-one"), 3)
		for do, ids := range map[string][]string{"topic": nil, "merge": {a}, "nonsense": {a}, "dates": {a}} {
			w := s.post("ann", entriesAt+"/bulk", url.Values{"id": ids, "do": {do}, "set_from": {"2030-01-02"}, "set_to": {"2030-01-01"}})
			assert.Equal(t, http.StatusUnprocessableEntity, w.Code, do)
		}
		assert.Equal(t, http.StatusNotFound, s.post("ann", entriesAt+"/bulk", url.Values{"id": {"NONE"}, "do": {"remove"}}).Code)
	})
}

// A file that is read again leaves what was edited by hand, says so, and can be made to count.
func TestAFileReadAgainMerges(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "faq.csv", "id,question,answer\na,A?,one\nb,B?,two\nc,C?,three\nd,D?,four\n")
		for _, key := range []string{"a", "b"} {
			s.sent("ann", s.write("ann", s.editorOf(key), "review", "answer", "by hand").Header().Get("Location")+"/publish", nil)
		}
		at := s.preview("shop-one", "faq.csv", "id,question,answer\na,A?,in the file\nc,C?,three\nd,D?,new\n")
		html := s.read("ann", at)
		pagetest.Check(t, html)
		assert.Contains(t, text(html), "2 entries edited by hand stay")
		assert.Contains(t, text(html), "Kept, edited by ann")
		assert.Contains(t, html, "<del>by hand</del><ins>in the file</ins>")
		taken := s.sent("ann", at+"/take", url.Values{"id": {string(s.published("shop-one")["a"].ID)}})
		assert.Contains(t, text(s.read("ann", taken)), "The file counts for 1 entry edited by hand.")
		all := s.sent("ann", taken+"/take", url.Values{"id": {"all"}})
		assert.Contains(t, text(s.read("ann", all)), "0 added 2 edited 1 removed")
		none := s.sent("ann", all+"/take", url.Values{"id": {"none"}})
		assert.Contains(t, text(s.read("ann", none)), "0 added 1 edited 0 removed")
		s.sent("ann", taken+"/restore", nil)
		s.sent("ann", taken+"/publish", nil)
		live := s.published("shop-one")
		assert.Equal(t, []string{"in the file", "by hand", "new"}, []string{live["a"].Answer, live["b"].Answer, live["d"].Answer})
		s.sent("ann", s.write("ann", entriesAt+"/new", "review", "question", "Written here?", "answer", "Yes.").Header().Get("Location")+"/publish", nil)
		same := text(s.read("ann", s.preview("shop-one", "faq.csv", "id,question,answer\na,A?,in the file\nc,C?,three\nd,D?,new\n")))
		assert.Contains(t, same, "1 published entry not in the file stays Written here?")
		assert.NotContains(t, same, "What the file says is what is published already.", "it lacks what was edited here")
		few := s.preview("shop-one", "faq.csv", "id,question,answer\na,A?,in the file\n")
		assert.Contains(t, text(s.read("ann", few)), "Remove 2 entries that the file no longer has")
		few = s.sent("ann", few+"/absent", url.Values{"absent": {string(knowledge.AbsentGone)}})
		assert.Contains(t, text(s.read("ann", few)), "2 entries will be removed.")
	})
}

// A picture goes with an answer from the editor, and a link; what is not taken costs nothing else, and both can be taken
// out again.
func TestFilesInTheEditor(t *testing.T) {
	onBoth(t, func(s *site) {
		s.publish("shop-one", "faq.csv", "id,question,answer\na,A?,one\n")
		at := s.editorOf("a")
		send := func(name, data, link string, drop ...string) *httptest.ResponseRecorder {
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			v := s.form("ann", at)
			v.Set("link", link)
			if len(drop) > 0 {
				v.Del("media")
			}
			v.Del("file")
			for key, values := range v {
				for _, value := range values {
					require.NoError(t, form.WriteField(key, value))
				}
			}
			part, err := form.CreateFormFile("file", name)
			require.NoError(t, err)
			_, err = part.Write([]byte(data))
			require.NoError(t, err)
			require.NoError(t, form.Close())
			r := httptest.NewRequest(http.MethodPost, at, &b)
			r.Header.Set("Content-Type", form.FormDataContentType())
			return s.do("ann", r)
		}
		require.Equal(t, http.StatusSeeOther, send("plan.png", "\x89PNG\r\n\x1a\nrest", "https://a.example/terms.pdf").Code)
		html := s.read("ann", at)
		assert.Contains(t, html, "plan.png#")
		assert.Contains(t, html, `<img src="/partners/shop-one/media/`)
		assert.Contains(t, html, `value="https://a.example/terms.pdf" checked`)
		w := send("bad.exe", "MZ\x90\x00\x03\x00\x00", "")
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, text(w.Body.String()), "bad.exe was not taken")
		w = send("", "", "http://a.example/x.png")
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
		assert.Contains(t, text(w.Body.String()), "does not begin with https://")
		s.sent("ann", s.sent("ann", entriesAt+"/review", nil)+"/publish", nil)
		require.Len(t, s.published("shop-one")["a"].Media, 2)
		require.Equal(t, http.StatusSeeOther, send("", "", "", "all").Code)
		s.sent("ann", s.sent("ann", entriesAt+"/review", nil)+"/publish", nil)
		require.Empty(t, s.published("shop-one")["a"].Media)
	})
}
