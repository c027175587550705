// Package visit runs pages: it finds out whether a person may see those of an affiliate, and tells them what went wrong.
// What is on a page is its own package's matter.
package visit

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// A Host runs the pages of a package.
type Host struct {
	Pages *page.Pages
	Who   func(*http.Request) (people.Person, bool)
	Log   logrus.FieldLogger
	// Missing and Broken are the keys of what a person is told of a page that is not there, and of an error that nobody
	// expects.
	Missing, Broken string
	// Known tells of which problem a person is told for an error; the zero Problem if the package does not know it. Nil
	// knows none.
	Known func(error) Problem
}

// A Problem is what a person is told of. The keys of its title, of what is safe and of what to do begin with Key.
type Problem struct {
	Status int
	Key    string
	Args   []any  // names and values in the text
	ID     string // to quote, "" if there is none
}

// A Visit is a request to a page of an affiliate whom the person may see.
type Visit struct {
	*gin.Context
	Person    people.Person
	Affiliate knowledge.Affiliate
	Others    bool // there are other affiliates the person may see
	locale.Texts
}

// At is the address of something below an affiliate's pages.
func (v Visit) At(path string) string { return At(v.Affiliate.ID, path) }

// At is the address of something below an affiliate's pages.
func At(a knowledge.AffiliateID, path string) string {
	return "/partners/" + url.PathEscape(string(a)) + path
}

// A Frame is what every page of an affiliate has.
type Frame struct {
	Base      string // the affiliate's address
	Affiliate string
	Section   string // of the rail: "upload", "entries", "gaps", "brand", "accuracy", "try", "history"
	Others    bool
	Lead      bool // the person sees nothing here but how the bot speaks
	Toast     *page.Toast
}

// Frame is the frame of a page below At.
func (v Visit) Frame(section string) Frame {
	return Frame{Base: v.At(""), Affiliate: v.Affiliate.Name(), Section: section, Others: v.Others, Lead: v.Person.Role == people.RoleLead}
}

// Seen returns an affiliate whom the person may see, and whether there are others; else knowledge.ErrNotFound.
func Seen(ctx context.Context, corpus *knowledge.Corpus, person people.Person, id knowledge.AffiliateID) (seen knowledge.Affiliate, others bool, err error) {
	list, err := corpus.Named(ctx)
	if err != nil {
		return seen, false, err
	}
	found := false
	for _, a := range list {
		if a.ID == id {
			found, seen = true, a
		}
		others = others || a.ID != id && person.May(a.ID)
	}
	if !found || !person.May(id) {
		return seen, others, knowledge.ErrNotFound
	}
	return seen, others, nil
}

// Handle runs a page of the affiliate in the address for those who may see it.
func (h Host) Handle(corpus *knowledge.Corpus, do func(Visit) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := Visit{Context: c, Texts: h.Pages.Texts(c.Request)}
		v.Person, _ = h.Who(c.Request)
		var err error
		if v.Affiliate, v.Others, err = Seen(c.Request.Context(), corpus, v.Person, knowledge.AffiliateID(c.Param("affiliate"))); err == nil {
			err = do(v)
		}
		h.Explain(c, err)
	}
}

// Explain answers with what went wrong, if anything did and somebody still waits for an answer. What nobody expects is
// logged with an ID to quote.
func (h Host) Explain(c *gin.Context, err error) {
	if err == nil || c.Request.Context().Err() != nil {
		return
	}
	if h.Known != nil {
		if p := h.Known(err); p.Key != "" {
			h.Tell(c, p)
			return
		}
	}
	if errors.Is(err, knowledge.ErrNotFound) {
		h.Tell(c, Problem{Status: http.StatusNotFound, Key: h.Missing})
		return
	}
	h.Tell(c, Problem{Status: http.StatusInternalServerError, Key: h.Broken, ID: h.Note(c.FullPath(), knowledge.AffiliateID(c.Param("affiliate")), err)})
}

// Note logs an error that nobody expects, of a page and an affiliate if there is one, and returns the ID it can be found by.
func (h Host) Note(page string, affiliate knowledge.AffiliateID, err error) (id string) {
	id = strings.ToLower(rand.Text()[:8])
	fields := logrus.Fields{"id": id, "page": page}
	if affiliate != "" {
		fields["affiliate"] = string(affiliate)
	}
	h.Log.WithError(err).WithFields(fields).Error("a page failed")
	return id
}

// Tell answers with a problem, unless something was answered already.
func (h Host) Tell(c *gin.Context, p Problem) {
	if c.Writer.Written() {
		return
	}
	t := h.Pages.Texts(c.Request)
	problem := page.Problem{What: t.Say(p.Key, p.Args...), Safe: t[p.Key+"_safe"], Do: t[p.Key+"_do"], ID: p.ID}
	if err := h.Pages.Fail(c.Writer, c.Request, p.Status, t.Say(p.Key+"_title"), problem); err != nil {
		h.Log.WithError(err).Error("a page could not say what went wrong")
	}
}
