package portal

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/page/pagetest"
	"faqbot/knowledge/people"
)

// testPhrases are three of the fixed sentences.
func testPhrases() []brand.Phrase {
	both := func(en, es string) map[string]string { return map[string]string{"en": en, "es": es, "pt-BR": es} }
	return []brand.Phrase{{Name: "greeting", Main: true, Max: 40, Words: both("Hello!", "¡Hola!")}, {Name: "affiliate_links", Main: true, Max: 100, Words: both("Links pay us.", "Enlaces.")},
		{Name: "try_again", Button: true, Max: 20, Words: both("Try again", "Otra vez")}, {Name: "handed_back", Max: 60, Words: both("{agent} is done.", "{agent} terminó.")}}
}

// An editor words the bot anew: what is wrong is said beside the field and nothing is lost, what is right counts at
// once, two editors do not overwrite each other, and every version can be brought back.
func TestBrand(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		ctx := t.Context()
		s.publish("shop-one", "a.csv", "id,question,answer,topic\na,A?,1,Refunds\nb,B?,2,refunds\nc,C?,3,Joining\n")
		latest := func() brand.Saved {
			saved, err := s.brands.Latest(ctx, "shop-one")
			require.NoError(t, err)
			return saved
		}
		const at = "/partners/shop-one/brand"
		body := s.read("ann", at)
		pagetest.Check(t, body)
		require.Contains(t, text(body), "Links pay us.")
		form := s.versioned(body)
		require.Equal(t, []string{"joining", "refunds"}, strings.Split(strings.ToLower(strings.Join(form["topic"], ",")), ","), "each once, whatever its letters")
		form.Set("name", "Acme Deals")
		form.Set("links", "1")
		form.Set("imprint", "acme.example")
		form.Set("zone", "Europe/Paris")
		form.Set("day1", "18-9")
		form.Set("policy1", "draft")
		form.Set("public", "1")
		form.Set("color", "teal")
		w := s.post("ann", at, form)
		require.Equal(t, http.StatusUnprocessableEntity, w.Code)
		pagetest.Check(t, w.Body.String())
		require.Contains(t, text(w.Body.String()), "Write a whole address")
		require.Contains(t, text(w.Body.String()), "Write hours like")
		require.Contains(t, text(w.Body.String()), "Write a colour like #0f766e")
		require.Zero(t, latest().Version)
		again := s.versioned(w.Body.String())
		require.Equal(t, "Acme Deals", again.Get("name"), "what was typed stays")
		require.Equal(t, "18-9", again.Get("day1"))
		require.Equal(t, "draft", again.Get("policy1"))
		again.Set("imprint", "https://acme.example/imprint")
		again.Set("color", "#123456")
		again.Set("day1", "9-12:30, 14-18")
		again.Set("holidays", "2026-12-25 Christmas Day")
		require.Equal(t, http.StatusSeeOther, s.post("ann", at, again).Code)
		saved := latest()
		require.Equal(t, "ann", saved.By)
		require.True(t, saved.SaysLinks)
		require.True(t, saved.PublicFAQ)
		require.Equal(t, "#123456", saved.Color)
		require.Contains(t, s.read("ann", at), `href="/faq/shop-one"`)
		require.Equal(t, brand.PolicyDraft, saved.Policy("Refunds"))
		require.Equal(t, "09:00-12:30, 14:00-18:00", saved.Hours.Days[1].String())
		require.Contains(t, text(s.read("ann", at+"?saved=1")), "Saved. It counts from the next message.")

		again.Set("name", "Overwritten") // with the version from before
		w = s.post("root", at, again)
		require.Equal(t, http.StatusConflict, w.Code)
		require.Contains(t, text(w.Body.String()), "ann saved another version")
		require.Equal(t, "Acme Deals", latest().Name)
		s.wordPhrases(at + "/phrases")
		require.Equal(t, map[string]map[string]string{"en": {"greeting": "Ahoy", "handed_back": "{agent} left."}}, latest().Phrases)
		require.Equal(t, "Acme Deals", latest().Name, "the rest stays")

		history := s.read("ann", at)
		require.Contains(t, text(history), "Fixed sentences")
		require.Equal(t, http.StatusSeeOther, s.post("ann", at+"/restore", url.Values{"restore": {"1"}, "version": {"2"}}).Code)
		require.Empty(t, latest().Phrases)
		require.Equal(t, 3, latest().Version)
		require.Equal(t, http.StatusConflict, s.post("ann", at+"/restore", url.Values{"restore": {"1"}, "version": {"2"}}).Code)
		require.Equal(t, http.StatusNotFound, s.post("ann", at+"/restore", url.Values{"restore": {"9"}, "version": {"3"}}).Code)
		require.NotContains(t, s.log.String(), "Ahoy")
	})
}

// wordPhrases words two sentences anew, after trying what is not possible, and one of them again as ours.
func (s *site) wordPhrases(at string) {
	body := s.read("ann", at)
	pagetest.Check(s.t, body)
	form := s.versioned(body)
	for name, words := range map[string]string{"greeting": "Ahoy, and welcome to all of our many wonderful deals", "try_again": "Say it in other words please", "handed_back": "Done."} {
		form.Set(name, words)
	}
	w := s.post("ann", at, form)
	require.Equal(s.t, http.StatusUnprocessableEntity, w.Code)
	pagetest.Check(s.t, w.Body.String())
	for _, wrong := range []string{"At most 40 characters", "At most 20 characters", "Keep {agent} as it is"} {
		require.Contains(s.t, text(w.Body.String()), wrong)
	}
	form.Set("greeting", "Ahoy")
	form.Set("try_again", "Again")
	form.Set("handed_back", "{agent} left.")
	form.Set("reset", "try_again")
	require.Equal(s.t, http.StatusSeeOther, s.post("ann", at, form).Code)
	require.Contains(s.t, s.read("ann", at+"?locale=es"), "¡Hola!", "the default beside it")
}

// versioned is the form that edits a version.
func (s *site) versioned(body string) url.Values {
	for _, f := range pagetest.Forms(s.t, body) {
		if f.Values.Has("version") {
			return f.Values
		}
	}
	s.t.Fatal("no form of a version")
	return nil
}

func testPeople() map[string]people.Person {
	return map[string]people.Person{
		"ann":  {Name: "ann", Affiliates: []knowledge.AffiliateID{"shop-one"}},
		"bob":  {Name: "bob", Affiliates: []knowledge.AffiliateID{"shop-two"}},
		"root": {Name: "root", Affiliates: []knowledge.AffiliateID{knowledge.Everyone}},
		"none": {Name: "none"},
	}
}

// A logo is a picture that is not large; it is shown on the page, and taken off again.
func TestLogo(t *testing.T) {
	onBoth(t, func(s *site) {
		t := s.t
		const at = "/partners/shop-one/brand"
		send := func(name, data string, more ...string) *httptest.ResponseRecorder {
			var b bytes.Buffer
			form := multipart.NewWriter(&b)
			part, err := form.CreateFormFile("logo", name)
			require.NoError(t, err)
			_, err = part.Write([]byte(data))
			require.NoError(t, err)
			latest, err := s.brands.Latest(t.Context(), "shop-one")
			require.NoError(t, err)
			for _, field := range append(more, "version="+strconv.Itoa(latest.Version)) {
				key, value, _ := strings.Cut(field, "=")
				require.NoError(t, form.WriteField(key, value))
			}
			require.NoError(t, form.Close())
			r := httptest.NewRequest(http.MethodPost, at, &b)
			r.Header.Set("Content-Type", form.FormDataContentType())
			return s.do("ann", r)
		}
		png := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
		require.Equal(t, http.StatusNotFound, s.get("ann", at+"/logo").Code)
		for name, data := range map[string]string{"a.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`, "a.txt": "words", "large.png": png + strings.Repeat("x", maxLogo)} {
			w := send(name, data)
			require.Equal(t, http.StatusUnprocessableEntity, w.Code, name)
			pagetest.Check(t, w.Body.String())
		}
		require.Equal(t, http.StatusSeeOther, send("logo.png", png).Code)
		require.Equal(t, "image/png", s.get("ann", at+"/logo").Header().Get("Content-Type"))
		require.Equal(t, http.StatusNotFound, s.get("bob", at+"/logo").Code, "who is of another affiliate")
		require.Contains(t, s.read("ann", at), `name="no_logo"`)
		form := s.versioned(s.read("ann", at))
		form.Set("no_logo", "1")
		require.Equal(t, http.StatusSeeOther, s.post("ann", at, form).Code)
		require.Equal(t, http.StatusNotFound, s.get("ann", at+"/logo").Code)
	})
}
