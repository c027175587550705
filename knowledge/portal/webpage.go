package portal

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
)

// webPage reads an FAQ from a web page, and shows what it would change as it does for a file.
func (p *Portal) webPage(g *gin.Context, s scope) error {
	if p.o.Crawl == nil {
		return knowledge.ErrNotFound
	}
	form := uploadPage{Address: strings.TrimSpace(g.PostForm("address")), Below: g.PostForm("below") != ""}
	if form.Address == "" {
		form.AddressError = s.Say("crawl_address")
		return p.showForm(g, s, http.StatusUnprocessableEntity, form)
	}
	end, ok := p.turns.begin(workCrawling, s.affiliate)
	if !ok {
		return errTurn(workCrawling)
	}
	defer end()
	// Without a network's deadlines, as in tests, there are none to move. The read deadline counts too: past it the
	// server takes the browser for gone, and ends the request.
	control := http.NewResponseController(g.Writer)
	_ = control.SetReadDeadline(time.Now().Add(limits.MaxCrawlTime + answerMost))
	_ = control.SetWriteDeadline(time.Now().Add(limits.MaxCrawlTime + answerMost))
	u, err := p.readPages(g.Request.Context(), s, form.Address, form.Below)
	why, unread := errors.AsType[*crawl.Error](err)
	empty, none := errors.AsType[*errNoQuestions](err)
	switch {
	case unread && why.Reason == crawl.Busy:
		form.AddressError = s.Say("crawl_busy")
		return p.showForm(g, s, http.StatusServiceUnavailable, form)
	case unread:
		form.AddressError = s.whyUnread(why)
		return p.showForm(g, s, http.StatusUnprocessableEntity, form)
	case none:
		form.AddressError = empty.why
		return p.showForm(g, s, http.StatusUnprocessableEntity, form)
	case errors.Is(err, knowledge.ErrUploads):
		form.AddressError = s.Say("too_many_uploads", "why", errors.Unwrap(err))
		return p.showForm(g, s, http.StatusTooManyRequests, form)
	case errors.Is(err, faqfile.ErrBusy):
		return errBusy()
	case err != nil:
		return err
	}
	return see(g, s.at("/uploads/"+string(u.ID)))
}

// errNoQuestions says why nothing on a page is an FAQ.
type errNoQuestions struct{ why string }

func (e *errNoQuestions) Error() string { return e.why }

// noQuestions says so with the first problems that were met.
func noQuestions(problems []knowledge.Problem) *errNoQuestions {
	var why []string
	for _, problem := range problems[:min(len(problems), 3)] {
		why = append(why, problem.Text)
	}
	return &errNoQuestions{strings.Join(why, " ")}
}

// readPages stores what web pages would change.
func (p *Portal) readPages(ctx context.Context, s scope, address string, below bool) (knowledge.Upload, error) {
	defer p.o.Read()
	faq, err := p.o.Crawl.Read(ctx, p.o.Files, address, below)
	if err != nil {
		return knowledge.Upload{}, err
	}
	if len(faq.Rows) == 0 {
		return knowledge.Upload{}, noQuestions(faq.Problems)
	}
	digest, err := p.corpus.KeepFile(ctx, s.affiliate, faq.Data)
	if err != nil {
		return knowledge.Upload{}, err
	}
	return p.propose(ctx, s, knowledge.Upload{File: faq.File, Digest: digest, Problems: faq.Problems}, faq.Rows)
}

// whyUnread says why a page was not read, and what to do.
func (s scope) whyUnread(why *crawl.Error) string {
	return s.Say("crawl_"+string(why.Reason), "to", why.To, "status", why.Status, "mib", limits.MaxCrawlPage>>20,
		"seconds", int(limits.MaxCrawlPageTime.Seconds()), "n", limits.MaxCrawlRedirects)
}
