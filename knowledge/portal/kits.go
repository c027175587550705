package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/kits"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
)

// A kitsPage offers kits, or asks for what only the affiliate can say in one.
type kitsPage struct {
	frame
	Kits  []kitView // to choose from
	Kit   kitView   // the one that was chosen
	In    string    // its language
	At    string
	Count int
	Blank []page.Field
	Error string
}

// A kitView is a kit in the languages that there are.
type kitView struct {
	Label, Words string
	Languages    []page.Link
}

// maxBlank is how many characters fill in a blank.
const maxBlank = 300

func (s scope) kitView(name string) kitView {
	key := strings.ReplaceAll(name, "-", "_")
	v := kitView{Label: s.One("kit_", key), Words: s.One("kit_words_", key)}
	for _, in := range locale.Shipped() {
		v.Languages = append(v.Languages, page.Link{Href: s.at("/kits/" + name + "/" + in), Label: s.languageName(in)})
	}
	return v
}

func (p *Portal) showKits(g *gin.Context, s scope) error {
	data := kitsPage{frame: s.frame("upload")}
	for _, name := range kits.Names() {
		data.Kits = append(data.Kits, s.kitView(name))
	}
	return p.show(g, http.StatusOK, "kits", data)
}

func (p *Portal) showKit(g *gin.Context, s scope) error {
	k, err := kits.Open(g.Param("kit"), g.Param("language"))
	if err != nil {
		return errors.Join(err, knowledge.ErrNotFound)
	}
	return p.renderKit(g, s, http.StatusOK, k, nil, "")
}

func (p *Portal) renderKit(g *gin.Context, s scope, status int, k kits.Kit, typed url.Values, wrong string) error {
	data := kitsPage{frame: s.frame("upload"), Kit: s.kitView(k.Name), In: s.languageName(k.Locale), At: s.at("/kits/" + k.Name + "/" + k.Locale), Count: k.Entries(), Error: wrong}
	for _, b := range k.Blanks {
		data.Blank = append(data.Blank, page.Field{Name: "blank_" + b.Name, Label: s.One("blank_", b.Name), Hint: s.Count("kit_answers", b.Answers),
			Value: typed.Get("blank_" + b.Name), Placeholder: b.Example, MaxLength: maxBlank, Autocomplete: "off"})
	}
	return p.show(g, status, "kit", data)
}

// useKit fills in a kit, and leads to what it would change. Entries that it lacks stay.
func (p *Portal) useKit(g *gin.Context, s scope) error {
	k, err := kits.Open(g.Param("kit"), g.Param("language"))
	if err != nil {
		return errors.Join(err, knowledge.ErrNotFound)
	}
	if err := g.Request.ParseForm(); err != nil {
		return err
	}
	values := map[string]string{}
	for _, b := range k.Blanks {
		values[b.Name] = strings.Join(strings.Fields(first(g.Request.PostForm.Get("blank_"+b.Name), maxBlank)), " ")
	}
	data, err := k.Fill(values)
	if err != nil {
		return err
	}
	u, err := p.read(g.Request.Context(), s, k.Name+"."+k.Locale+".csv", data, knowledge.Reading{Absent: knowledge.AbsentStay})
	if errors.Is(err, knowledge.ErrUploads) {
		return p.renderKit(g, s, http.StatusTooManyRequests, k, g.Request.PostForm, s.Say("too_many_uploads", "why", errors.Unwrap(err)))
	}
	if err != nil {
		return err
	}
	return see(g, s.at("/uploads/"+string(u.ID)))
}
