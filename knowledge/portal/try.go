package portal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
)

// A Trial is a question put as a customer would.
type Trial struct {
	Affiliate knowledge.AffiliateID
	Text      string
	Entries   []knowledge.Entry  // answer from these; nil means from what is published
	Draft     knowledge.UploadID // whose entries those are
}

// ErrIndexing means that a draft's entries are not ready to be asked yet, and become so in the background.
var ErrIndexing = errors.New("the draft is being indexed")

// A TrialResult is what a customer would get, and why.
type TrialResult struct {
	Action  string // "answer", "clarify", "handoff"
	Reason  string // "confident"
	Rule    string // what was decided by, in words
	Replies []string
	Choices []string
	Hits    []TrialHit // best first
}

// A TrialHit is an entry that may answer.
type TrialHit struct {
	Question, Wording           string // Wording is the one that matched
	Probability, Cosine, Ngrams float64
}

const (
	askMost  = 500 // characters
	hitsMost = 5
)

// A tryPage asks a question of a draft and of what is published, side by side.
type tryPage struct {
	frame
	Off     bool // nothing can be tried here
	Nothing bool // there is nothing to ask
	Text    string
	Error   string
	Draft   string
	Drafts  []page.Option
	Sides   []side
	Should  string // the address where the question becomes a test case, "" for nowhere
}

// A side is one answer.
type side struct {
	Title, Sub string
	Words      string // what happens: "Answers"
	Tone       string
	Why        string
	Problem    *page.Problem
	Result     TrialResult
	Empty      bool
}

func (p *Portal) showTry(g *gin.Context, s scope) error {
	data, err := p.tryForm(g, s, g.Query("upload"))
	if err != nil {
		return err
	}
	return p.show(g, http.StatusOK, "try", data)
}

// tryForm is the page before anything is asked.
func (p *Portal) tryForm(g *gin.Context, s scope, upload string) (tryPage, error) {
	data := tryPage{frame: s.frame("try"), Off: p.o.Ask == nil}
	drafts, err := p.corpus.Drafts(g.Request.Context(), s.affiliate)
	if err != nil {
		return data, err
	}
	data.Drafts = []page.Option{{Value: "", Label: s.Say("what_is_published")}}
	for _, u := range drafts {
		data.Drafts = append(data.Drafts, page.Option{Value: string(u.ID), Label: s.Say("draft_of", "file", first(u.File, 60), "when", u.At.Format("2 Jan 15:04 UTC"))})
		if string(u.ID) == upload {
			data.Draft = upload
		}
	}
	if u, err := p.corpus.Upload(g.Request.Context(), knowledge.UploadID(upload)); err == nil && u.Affiliate == s.affiliate && u.File == "" && u.Published == 0 {
		data.Drafts = append(data.Drafts, page.Option{Value: upload, Label: s.Say("edits_title")})
		data.Draft = upload
	}
	data.Nothing = s.revision == 0 && len(drafts) == 0
	return data, nil
}

func (p *Portal) try(g *gin.Context, s scope) error {
	upload := g.PostForm("upload")
	var draft *knowledge.Upload
	if upload != "" {
		u, err := p.corpus.Upload(g.Request.Context(), knowledge.UploadID(upload))
		if err != nil {
			return err
		}
		if u.Affiliate != s.affiliate {
			return knowledge.ErrNotFound
		}
		draft = &u
	}
	data, err := p.tryForm(g, s, upload)
	if err != nil {
		return err
	}
	data.Text = first(strings.TrimSpace(g.PostForm("text")), askMost)
	if data.Off || data.Text == "" {
		data.Error = s.Say("try_empty")
		return p.show(g, http.StatusUnprocessableEntity, "try", data)
	}
	if p.o.Tests != nil {
		data.Should = p.o.Tests(s.affiliate) + "/cases/new?" + url.Values{"question": {data.Text}}.Encode()
	}
	end, ok := p.turns.begin(workTrying, s.affiliate)
	if !ok {
		return errTurn(workTrying)
	}
	defer end()
	ctx := g.Request.Context()
	if draft != nil {
		live, err := p.corpus.At(ctx, s.affiliate, draft.Base)
		if err != nil {
			return err
		}
		entries := knowledge.After(live, draft.Changes)
		data.Sides = append(data.Sides, p.ask(ctx, s, s.Say("with_draft"), cmp.Or(draft.File, s.Say("edits_title")), Trial{Text: data.Text, Entries: entries, Draft: draft.ID}))
	}
	data.Sides = append(data.Sides, p.ask(ctx, s, s.Say("as_published"), s.Say("customers_now"), Trial{Text: data.Text}))
	return p.show(g, http.StatusOK, "try", data)
}

// ask asks one side.
func (p *Portal) ask(ctx context.Context, s scope, title, sub string, t Trial) side {
	v := side{Title: title, Sub: sub}
	if t.Draft == "" && s.revision == 0 {
		v.Empty = true
		return v
	}
	t.Affiliate = s.affiliate
	limited, cancel := context.WithTimeout(ctx, limits.MaxTrying)
	defer cancel()
	result, err := p.o.Ask(limited, t)
	if errors.Is(err, ErrIndexing) {
		v.Problem = &page.Problem{What: s.Say("try_indexing", "n", len(t.Entries)), Safe: s.Say("try_indexing_safe"), Do: s.Say("try_indexing_do")}
		return v
	}
	if err != nil {
		v.Problem = &page.Problem{What: s.Say("try_failed"), Safe: s.Say("nothing_changed"), Do: s.Say("try_failed_do"),
			ID: p.host.Note("try", s.affiliate, err)}
		return v
	}
	result.Hits = result.Hits[:min(len(result.Hits), hitsMost)]
	v.Result, v.Why = result, s.One("reason_", result.Reason)
	v.Words, v.Tone = s.One("action_", result.Action), map[string]string{"answer": "good", "clarify": "accent", "handoff": "soon"}[result.Action]
	return v
}
