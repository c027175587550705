package portal

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
)

// A publicFAQ is the part of a brand's form that says whether everybody may read the entries, and how that page looks.
type publicFAQ struct {
	At     string // the page's address; "" if there are no such pages
	Public bool
	Color  string
	Logo   string // the address of the picture, "" if there is none
	Wrong  struct{ Color, Logo string }
}

// maxLogo is in bytes: every reader of the page loads it.
const maxLogo = 512 << 10

// publicFAQ is the part of the form with what b says, and what is wrong with it.
func (p *Portal) publicFAQ(s scope, b brand.Brand, filled publicFAQ) publicFAQ {
	f := publicFAQ{Public: b.PublicFAQ, Color: b.Color, Wrong: filled.Wrong}
	if p.o.Public != nil {
		f.At = p.o.Public(s.affiliate)
	}
	if b.Logo != "" {
		f.Logo = s.at("/brand/logo")
	}
	return f
}

// readPublicFAQ reads that part of the form into b, and keeps the logo that came with it.
func (p *Portal) readPublicFAQ(g *gin.Context, s scope, b *brand.Brand) (filled publicFAQ, right bool, err error) {
	b.PublicFAQ = g.PostForm("public") != ""
	b.Color = strings.TrimSpace(g.PostForm("color"))
	if brand.CheckColor(b.Color) != nil {
		filled.Wrong.Color = s.Say("wrong_color")
	}
	if g.PostForm("no_logo") != "" {
		b.Logo = ""
	}
	file, header, err := g.Request.FormFile("logo")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || p.o.Media == nil {
		return filled, filled.Wrong.Color == "", nil
	}
	if err != nil {
		return filled, false, err
	}
	defer func() { _ = file.Close() }() // it was only read
	if header.Size > maxLogo {
		filled.Wrong.Logo = s.Say("wrong_logo", "kb", maxLogo>>10)
		return filled, false, nil
	}
	m, err := p.keepFile(g.Request.Context(), s, header.Filename, file)
	if refused, ok := errors.AsType[*errFile](err); ok {
		filled.Wrong.Logo = refused.words
		return filled, false, nil
	}
	if err != nil {
		return filled, false, err
	}
	if m.Kind != "photo" {
		filled.Wrong.Logo = s.Say("wrong_logo", "kb", maxLogo>>10)
		return filled, false, nil
	}
	b.Logo = m.File
	return filled, filled.Wrong.Color == "", nil
}

// logo is the picture on the public FAQ.
func (p *Portal) logo(g *gin.Context, s scope) error {
	saved, err := p.o.Brands.Latest(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	if saved.Logo == "" || p.o.Media == nil {
		return knowledge.ErrNotFound
	}
	return p.serveFile(g, saved.Logo, "logo")
}
