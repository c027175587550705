package board

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"faqbot/bot"
	"faqbot/handoff/review"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// maxRound is how many questions are judged at a time.
const maxRound = 20

// ActionForgetLearned is in the audit when somebody has the bot forget what it learned.
const ActionForgetLearned people.Action = "forget what was learned"

// An overviewPage shows what was learned, and from what.
type overviewPage struct {
	frame
	At      string
	Version int
	From    string // which labels there are
	Means   string // what the offset does, in words
	Rows    []row
	Menus   string
}

// A row of the table is questions of which the bot was about as sure.
type row struct {
	Label                 string
	N                     int
	Before, After, Became float64
}

func (b *Board) overview(r request) error {
	report, err := b.review.Report(r.Request.Context(), r.Affiliate.ID)
	if err != nil {
		return err
	}
	p := overviewPage{frame: r.Frame("accuracy"), At: at(r, ""), Version: report.Offsets.Version}
	switch n, _ := strconv.Atoi(r.Query("done")); {
	case n > 0:
		p.Toast = &page.Toast{Words: r.Count("accuracy_thanks", n)}
	case r.Query("done") == "reset":
		p.Toast = &page.Toast{Words: r.Say("accuracy_was_reset")}
	}
	if best := report.Best; best.Labels > 0 {
		p.From = r.Say("accuracy_from", "menus", report.By[learn.Menu], "desk", report.By[learn.Desk], "page", report.By[learn.Page])
		p.Means = means(r, report.Offsets.Best)
		for _, bin := range best.Bins {
			p.Rows = append(p.Rows, row{r.Say("accuracy_range", "from", percent(bin.From), "to", percent(bin.To)), bin.Labels, bin.Before, bin.After, bin.Right})
		}
		p.Rows = append(p.Rows, row{r.Say("accuracy_all"), best.Labels, best.Before.Mean, best.After.Mean, best.Right})
	}
	if m := report.Menus; m.Labels > 0 {
		p.Menus = r.Say("accuracy_menus", "n", m.Labels, "right", percent(m.Right), "before", percent(m.Before.Mean), "after", percent(m.After.Mean))
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "accuracy", p)
}

// means says what an offset does to an answer that was just likely enough to be given.
func means(r request, offset float64) string {
	const even = .5
	now := retrieval.Shift(even, offset)
	switch {
	case math.Abs(now-even) < .01:
		return r.Say("accuracy_same")
	case now < even:
		return r.Say("accuracy_careful", "before", percent(even), "now", percent(now))
	}
	return r.Say("accuracy_bolder", "before", percent(even), "now", percent(now))
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// A questionPage asks which entry answers one real question.
type questionPage struct {
	frame
	At       string
	N, Of    int
	Question *review.Question // nil: no more are left
	Last     bot.TurnID       // the question before, "" if there is none to go back to
	Options  []option
}

// An option is an entry that may answer.
type option struct {
	Key int // the number that chooses it
	knowledge.Entry
}

// ask shows the next question of a round. Where the round is stands in the address.
func (b *Board) ask(r request) error {
	n, _ := strconv.Atoi(r.Query("n"))
	p := questionPage{frame: r.Frame("accuracy"), At: at(r, ""), N: min(max(n, 1), maxRound), Of: maxRound, Last: bot.TurnID(r.Query("last"))}
	q, err := b.drawn(r)
	if err != nil && !errors.Is(err, review.ErrNothing) {
		return err
	}
	if err == nil {
		p.Question = &q
		for i, e := range q.Candidates {
			p.Options = append(p.Options, option{i + 1, e})
		}
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "questions", p)
}

// drawn is the question that the address names, else the next one after a place.
func (b *Board) drawn(r request) (review.Question, error) {
	ctx := r.Request.Context()
	if id := r.Query("turn"); id != "" {
		q, err := b.review.Question(ctx, bot.TurnID(id))
		if err == nil && q.Affiliate == r.Affiliate.ID {
			return q, nil
		}
	}
	return b.review.Draw(ctx, []knowledge.AffiliateID{r.Affiliate.ID}, r.Query("after"), false)
}

// judge keeps what was chosen, and goes on to the next question.
func (b *Board) judge(r request) error {
	ctx, id := r.Request.Context(), bot.TurnID(r.PostForm("turn"))
	q, err := b.review.Question(ctx, id)
	if errors.Is(err, review.ErrNotFound) || err == nil && q.Affiliate != r.Affiliate.ID {
		return knowledge.ErrNotFound
	}
	if err != nil {
		return err
	}
	switch answer := r.PostForm("answer"); answer {
	case "skip":
	case "none":
		err = b.review.Judge(ctx, q, learn.None, learn.Page, r.Person.Name)
	default:
		err = b.review.Judge(ctx, q, q.Verdict(knowledge.EntryID(answer)), learn.Page, r.Person.Name)
	}
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(r.PostForm("n"))
	if n >= maxRound {
		r.Redirect(http.StatusSeeOther, at(r, fmt.Sprintf("?done=%d", maxRound)))
		return nil
	}
	r.Redirect(http.StatusSeeOther, at(r, "/questions?"+url.Values{"n": {strconv.Itoa(n + 1)}, "after": {review.Place(id)}, "last": {string(id)}}.Encode()))
	return nil
}

// undo goes back to a question, and takes back what was said of it.
func (b *Board) undo(r request) error {
	id := bot.TurnID(r.PostForm("turn"))
	if err := b.review.Undo(r.Request.Context(), r.Affiliate.ID, id); err != nil {
		return err
	}
	n, _ := strconv.Atoi(r.PostForm("n"))
	r.Redirect(http.StatusSeeOther, at(r, "/questions?"+url.Values{"n": {strconv.Itoa(n - 1)}, "turn": {string(id)}}.Encode()))
	return nil
}

// reset has the bot forget what it learned.
func (b *Board) reset(r request) error {
	if err := b.review.Reset(r.Request.Context(), r.Affiliate.ID); err != nil {
		return err
	}
	if err := b.o.Record(r.Request.Context(), r.Person.ID, ActionForgetLearned, string(r.Affiliate.ID)); err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, at(r, "?done=reset"))
	return nil
}
