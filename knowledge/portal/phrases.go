package portal

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/brand"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
)

// A phrasesPage edits the fixed sentences in one language, with the defaults beside them.
type phrasesPage struct {
	brandFrame
	Locale     string
	Languages  []languageTab
	Main, Rest []phraseView
	Own        int // how many of Rest have an own wording
}

type languageTab struct {
	Href, Label string
	Current     bool
	Own         int // sentences worded anew
}

// A phraseView is one sentence.
type phraseView struct {
	page.Field
	Default string
	Button  bool
	Own     bool // it is worded anew
}

func (p *Portal) showPhrases(g *gin.Context, s scope) error {
	saved, err := p.o.Brands.Latest(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	return p.renderPhrases(g, s, http.StatusOK, saved, locale.Match(g.Query("locale"), saved.Locale), saved.Brand, nil)
}

// renderPhrases shows what b says in a language, and what is wrong with it by phrase.
func (p *Portal) renderPhrases(g *gin.Context, s scope, status int, saved brand.Saved, in string, b brand.Brand, wrong map[string]string) error {
	data := phrasesPage{brandFrame: s.brandFrame(saved, g.Query("saved")), Locale: in}
	data.Moved = status == http.StatusConflict
	for _, name := range locale.Shipped() {
		data.Languages = append(data.Languages, languageTab{Href: s.at("/brand/phrases?locale=" + name), Label: s.languageName(name), Current: name == in, Own: len(b.Phrases[name])})
	}
	for _, phrase := range p.o.Phrases {
		v := phraseView{Field: page.Field{Name: phrase.Name, Label: s.One("phrase_", phrase.Name), Value: b.Say(in, phrase.Name), Error: wrong[phrase.Name]},
			Default: phrase.Words[in], Button: phrase.Button, Own: saved.Say(in, phrase.Name) != ""}
		if names := brand.Placeholders(v.Default); len(names) > 0 {
			v.Hint = s.Say("keep_placeholders", "names", strings.Join(names, " "))
		}
		if v.Error != "" {
			data.Errors = append(data.Errors, v.Field)
		}
		if phrase.Main {
			data.Main = append(data.Main, v)
			continue
		}
		data.Rest = append(data.Rest, v)
		if v.Own || v.Error != "" {
			data.Own++
		}
	}
	return p.show(g, status, "phrases", data)
}

// savePhrases stores the sentences of one language. An empty one, or one like the default, is the default.
func (p *Portal) savePhrases(g *gin.Context, s scope) error {
	saved, err := p.o.Brands.Latest(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	if err := g.Request.ParseForm(); err != nil {
		return err
	}
	in := locale.Match(g.PostForm("locale"))
	own, wrong := map[string]string{}, map[string]string{}
	for _, phrase := range p.o.Phrases {
		words := strings.TrimSpace(strings.ReplaceAll(g.PostForm(phrase.Name), "\r\n", "\n"))
		if words == "" || words == phrase.Words[in] || slices.Contains(g.PostFormArray("reset"), phrase.Name) {
			continue
		}
		own[phrase.Name] = words
		if err := phrase.Check(in, words); err != nil {
			wrong[phrase.Name] = s.wrongPhrase(err, phrase, in)
		}
	}
	b := saved.Brand
	b.Phrases = maps.Clone(b.Phrases)
	if b.Phrases == nil {
		b.Phrases = map[string]map[string]string{}
	}
	if b.Phrases[in] = own; len(own) == 0 {
		delete(b.Phrases, in)
	}
	if len(wrong) > 0 {
		return p.renderPhrases(g, s, http.StatusUnprocessableEntity, brand.Saved{Brand: saved.Brand, Version: formVersion(g), By: saved.By, At: saved.At}, in, b, wrong)
	}
	err = p.o.Brands.Save(g.Request.Context(), s.affiliate, b, s.person.Name, formVersion(g))
	if errors.Is(err, brand.ErrConflict) {
		return p.renderPhrases(g, s, http.StatusConflict, saved, in, b, nil)
	}
	if err != nil {
		return err
	}
	return see(g, s.at("/brand/phrases?saved=1&locale="+in))
}

// wrongPhrase says what is wrong with a wording.
func (s scope) wrongPhrase(err error, phrase brand.Phrase, in string) string {
	switch {
	case errors.Is(err, brand.ErrLong):
		return s.Say("wrong_long", "n", phrase.Max)
	case errors.Is(err, brand.ErrPlaceholder):
		if names := brand.Placeholders(phrase.Words[in]); len(names) > 0 {
			return s.Say("wrong_placeholder", "names", strings.Join(names, " "))
		}
		return s.Say("wrong_no_placeholder")
	}
	return s.Say("wrong_lines")
}
