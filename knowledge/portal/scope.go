package portal

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/people"
	"faqbot/knowledge/visit"
)

// A scope is who asks, and whose things they asked for. Handlers get one that was checked.
type scope struct {
	person    people.Person
	affiliate knowledge.AffiliateID
	name      string             // what people call the affiliate
	revision  knowledge.Revision // published now
	others    bool               // there are other affiliates the person may see
	locale.Texts
}

// at is the address of something of the affiliate's.
func (s scope) at(path string) string { return visit.At(s.affiliate, path) }

// A frame is what every page of an affiliate has.
type frame = visit.Frame

func (s scope) frame(section string) frame {
	return frame{Base: s.at(""), Affiliate: s.name, Section: section, Others: s.others, Lead: s.person.Role == people.RoleLead}
}

// handler runs a route for whoever is signed in, and says what went wrong.
func (p *Portal) handler(route Route) gin.HandlerFunc {
	return func(g *gin.Context) {
		person, ok := p.o.Who(g.Request)
		if !ok {
			p.tell(g, &told{status: http.StatusUnauthorized, key: "signed_out"})
			return
		}
		if most := int64(maxForm); !strings.HasSuffix(route.Path, "/uploads") { // files have their own limit
			if strings.HasSuffix(route.Path, "/:entry") {
				most = bodyMost
			}
			g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, most)
		}
		s, err := p.scope(g, person)
		if err == nil {
			err = route.do(p, g, s)
		}
		if err != nil {
			p.explain(g, s, err)
		}
	}
}

// scope checks that the person may see the affiliate that the address names, if it names one.
func (p *Portal) scope(g *gin.Context, person people.Person) (scope, error) {
	s := scope{person: person, affiliate: knowledge.AffiliateID(g.Param("affiliate")), Texts: p.pages.Texts(g.Request)}
	if s.affiliate == "" {
		return s, nil
	}
	a, others, err := visit.Seen(g.Request.Context(), p.corpus, person, s.affiliate)
	if err != nil {
		return s, err
	}
	s.name, s.revision, s.others = a.Name(), a.Revision, others
	return s, nil
}

// stored returns the upload that the address names.
func (p *Portal) stored(g *gin.Context, s scope) (knowledge.Upload, error) {
	u, err := p.corpus.Upload(g.Request.Context(), knowledge.UploadID(g.Param("upload")))
	if err == nil && u.Affiliate != s.affiliate {
		err = knowledge.ErrNotFound
	}
	return u, err
}

// A told error is one that the person is told of: key names its texts, and those that say its title, what is
// safe and what to do begin with it.
type told struct {
	status int
	key    string
	id     string // to quote, "" if there is none
	why    string // replaces {why} in the text
}

func (t *told) Error() string { return t.key }

var _ error = (*told)(nil)

// explain answers with what went wrong. What nobody expects is logged with an ID to quote.
func (p *Portal) explain(g *gin.Context, s scope, err error) {
	known, ok := errors.AsType[*told](err)
	_, oversize := errors.AsType[*http.MaxBytesError](err)
	switch {
	case ok:
		p.tell(g, known)
	case errors.Is(err, knowledge.ErrConflict):
		p.tell(g, &told{status: http.StatusConflict, key: "conflict"})
	case errors.Is(err, knowledge.ErrEdits):
		p.tell(g, &told{status: http.StatusTooManyRequests, key: "many_drafts"})
	case errors.Is(err, knowledge.ErrNotFound):
		p.tell(g, &told{status: http.StatusNotFound, key: "missing"})
	case oversize:
		p.tell(g, &told{status: http.StatusRequestEntityTooLarge, key: "too_long"})
	case errors.Is(err, context.Canceled) && g.Request.Context().Err() != nil: // nobody waits for an answer any more
	default:
		p.tell(g, &told{status: http.StatusInternalServerError, key: "broken", id: p.host.Note(g.FullPath(), s.affiliate, err)})
	}
}

func (p *Portal) tell(g *gin.Context, e *told) {
	p.host.Tell(g, visit.Problem{Status: e.status, Key: e.key, Args: []any{"why", e.why}, ID: e.id})
}

func (p *Portal) show(g *gin.Context, status int, name string, data any) error {
	return p.pages.Show(g.Writer, g.Request, status, name, data)
}

// see sends the browser on after an action.
func see(g *gin.Context, to string) error {
	g.Redirect(http.StatusSeeOther, to)
	return nil
}

// A chooser is the page on which a person with several affiliates chooses one.
type chooser struct {
	Affiliates []choice
}

type choice struct {
	Href, Name string
	Revision   knowledge.Revision
}

// choose sends a person with one affiliate there, and lets others choose.
func (p *Portal) choose(g *gin.Context, s scope) error {
	list, err := p.corpus.Named(g.Request.Context())
	if err != nil {
		return err
	}
	var data chooser
	for _, a := range list {
		if s.person.May(a.ID) {
			path := ""
			if s.person.Role == people.RoleLead {
				path = "/brand"
			}
			data.Affiliates = append(data.Affiliates, choice{scope{affiliate: a.ID}.at(path), a.Name(), a.Revision})
		}
	}
	if len(data.Affiliates) == 1 {
		return see(g, data.Affiliates[0].Href)
	}
	return p.show(g, http.StatusOK, "choose", data)
}
