package board

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/page"
)

// A runView is a run as pages show it.
type runView struct {
	ID, Path, State, Words, By string
	Problem                    string
	Waiting, Going, Resumable  bool // Waiting: for its turn; Going: Waiting, or asking
	Done                       bool
	At                         time.Time
	Took                       string
	Asked, Total, Failed       int
	Passed                     eval.Measured
	Revision                   knowledge.Revision

	report measure.Report
}

func (b *Board) view(r request, run cases.Run) runView {
	v := runView{ID: run.ID, Path: addressOf(r, "/runs/"+url.PathEscape(run.ID)), State: string(run.State), Words: r.One("eval_state_", string(run.State)), By: run.By,
		Waiting: run.State == cases.Waiting, Going: run.State == cases.Waiting || run.State == cases.Running, Resumable: run.State == cases.Interrupted,
		At: run.StartedAt, Asked: run.Asked, Total: run.Total, Revision: run.Revision}
	if run.Problem != "" {
		v.Problem = r.One("eval_problem_", run.Problem)
	}
	if run.State != cases.Done || json.Unmarshal([]byte(run.Summary), &v.report) != nil {
		return v
	}
	v.Done, v.Failed, v.Took = true, v.report.Failed, run.EndedAt.Sub(run.StartedAt).Round(time.Second).String()
	for _, f := range v.report.Figures {
		if f.Name == measure.Passed {
			v.Passed = f.Measured
		}
	}
	return v
}

// An overviewPage lists the runs with their trend.
type overviewPage struct {
	frame
	Cases int
	Runs  []runView
	Going *runView
	Trend *trend

	Before, After page.Field // which runs to compare; without options if there are not two
}

func (b *Board) overview(r request) error {
	ctx := r.Request.Context()
	p := overviewPage{frame: frameOf(r, "runs")}
	var err error
	if p.Cases, err = b.store.Count(ctx, r.Affiliate.ID); err != nil {
		return err
	}
	list, err := b.store.Runs(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	var done []page.Option
	for _, run := range list {
		v := b.view(r, run)
		if v.Done {
			done = append(done, page.Option{Value: v.ID, Label: fmt.Sprintf("%s · %.0f %%", v.At.Format("2 January 15:04:05"), 100*v.Passed.Value)})
		}
		if v.Going && p.Going == nil {
			p.Going = &v
		}
		p.Runs = append(p.Runs, v)
	}
	p.Trend = trendOf(p.Runs)
	if len(done) > 1 {
		p.Before = page.Field{Name: "before", Label: r.Say("eval_before_run"), Options: done, Value: done[1].Value}
		p.After = page.Field{Name: "after", Label: r.Say("eval_after_run"), Options: done, Value: done[0].Value}
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "overview", p)
}

func (b *Board) start(r request) error {
	ctx := r.Request.Context()
	n, err := b.store.Count(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		r.Redirect(http.StatusSeeOther, addressOf(r, "/cases"))
		return nil
	}
	id, err := b.store.Start(ctx, r.Affiliate.ID, r.Person.Name, n)
	if err != nil {
		return err
	}
	b.runner.Poke()
	r.Redirect(http.StatusSeeOther, addressOf(r, "/runs/"+url.PathEscape(id)))
	return nil
}

func (b *Board) cancel(r request) error {
	if err := b.store.Cancel(r.Request.Context(), r.Affiliate.ID, r.Param("run")); err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, addressOf(r, "/runs/"+url.PathEscape(r.Param("run"))))
	return nil
}

func (b *Board) resume(r request) error {
	if err := b.store.Resume(r.Request.Context(), r.Affiliate.ID, r.Param("run")); err != nil {
		return err
	}
	b.runner.Poke()
	r.Redirect(http.StatusSeeOther, addressOf(r, "/runs/"+url.PathEscape(r.Param("run"))))
	return nil
}

// mostRows is how many cases a page lists; the report has all.
const mostRows = 100

// A runPage shows one run.
type runPage struct {
	frame
	Run     runView
	Figures []figureView
	Failed  []failedCase
	More    int
}

// A figureView is a figure of a run.
type figureView struct {
	Label   string
	IsShare bool // and not a utility
	eval.Measured
}

// A failedCase is a case that did not pass.
type failedCase struct {
	Question string
	Failures []string
}

// shownFigures are the figures that a page shows, of those that a run has; the report has all.
func shownFigures() []string {
	return []string{measure.Passed, "acc", "right", "wrong", "resolved", "overanswered", "utility"}
}

func (b *Board) showRun(r request) error {
	ctx := r.Request.Context()
	run, err := b.store.Run(ctx, r.Affiliate.ID, r.Param("run"))
	if err != nil {
		return err
	}
	p := runPage{frame: frameOf(r, "runs"), Run: b.view(r, run)}
	if !p.Run.Done {
		return b.pages.Show(r.Writer, r.Request, http.StatusOK, "run", p)
	}
	whole, err := b.runner.ReportOf(ctx, run)
	if err != nil {
		return err
	}
	for _, f := range whole.Figures {
		if slices.Contains(shownFigures(), f.Name) {
			p.Figures = append(p.Figures, figureView{r.One("eval_figure_", f.Name), f.Name != "utility", f.Measured})
		}
	}
	for _, row := range whole.Cases {
		if !row.Passed {
			p.Failed = append(p.Failed, failedCase{row.Question, row.Failures})
		}
	}
	if p.More = len(p.Failed) - mostRows; p.More > 0 {
		p.Failed = p.Failed[:mostRows]
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "run", p)
}

// report shows a run as the file that the command writes, which brings its own styles.
func (b *Board) report(r request) error {
	ctx := r.Request.Context()
	run, err := b.store.Run(ctx, r.Affiliate.ID, r.Param("run"))
	if err != nil {
		return err
	}
	if run.State != cases.Done {
		return fmt.Errorf("the report of run %s: %w", run.ID, cases.ErrNotFound)
	}
	whole, err := b.runner.ReportOf(ctx, run)
	if err != nil {
		return err
	}
	r.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	r.Header("Content-Type", "text/html; charset=utf-8")
	r.Header("Cache-Control", "no-store")
	return report.HTML(r.Writer, whole)
}

// A comparePage shows two runs beside each other.
type comparePage struct {
	frame
	Before, After runView
	Same          bool // it is one run twice
	C             measure.Comparison
	Figures       []comparedView
	Parts         []changes
}

// A comparedView is a figure of both runs.
type comparedView struct {
	Label, Verdict string
	measure.Compared
}

// changes are cases with another outcome.
type changes struct {
	Title string
	List  []measure.Change
	More  int
}

func (b *Board) compare(r request) error {
	ctx := r.Request.Context()
	p := comparePage{frame: frameOf(r, "runs")}
	var both [2]*measure.Report
	for i, name := range []string{"before", "after"} {
		run, err := b.store.Run(ctx, r.Affiliate.ID, r.Query(name))
		if err != nil {
			return err
		}
		v := b.view(r, run)
		if !v.Done {
			return fmt.Errorf("compare run %s: %w", run.ID, cases.ErrNotFound)
		}
		if both[i], err = b.runner.ReportOf(ctx, run); err != nil {
			return err
		}
		if i == 0 {
			p.Before = v
		} else {
			p.After = v
		}
	}
	if p.After.At.Before(p.Before.At) {
		p.Before, p.After, both[0], both[1] = p.After, p.Before, both[1], both[0]
	}
	p.Same = p.Before.ID == p.After.ID
	p.C = measure.Compare(both[0], both[1])
	for _, f := range p.C.Figures {
		if slices.Contains(shownFigures(), f.Name) {
			p.Figures = append(p.Figures, comparedView{r.One("eval_figure_", f.Name), r.One("eval_verdict_", strings.ReplaceAll(f.Verdict, " ", "_")), f})
		}
	}
	for _, part := range []changes{{Title: r.Say("eval_broken_cases"), List: p.C.Broken}, {Title: r.Say("eval_fixed_cases"), List: p.C.Fixed}, {Title: r.Say("eval_changed_cases"), List: p.C.Changed}} {
		if part.More = len(part.List) - mostRows; part.More > 0 {
			part.List = part.List[:mostRows]
		}
		p.Parts = append(p.Parts, part)
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "compare", p)
}

// A trend is a chart of the share of cases that passed, run by run, in an area of 600 by 140 units.
type trend struct {
	Points []point
	Line   string
}

// A point is a run: its share, and the interval of it as a line from Low to High.
type point struct {
	X, Y, Low, High float64
	Passed          float64
}

const (
	trendWide, trendHigh = 550.0, 120.0
	trendLeft, trendTop  = 44.0, 10.0
	trendRuns            = 30
)

// trendOf is the trend of the newest runs that are done, the oldest on the left; nil for fewer than two.
func trendOf(list []runView) *trend {
	list = slices.DeleteFunc(slices.Clone(list), func(v runView) bool { return !v.Done })
	list = list[:min(len(list), trendRuns)]
	if len(list) < 2 {
		return nil
	}
	y := func(v float64) float64 { return trendTop + trendHigh*(1-v) }
	var t trend
	for i, v := range slices.Backward(list) {
		n := len(list) - 1 - i
		pt := point{X: trendLeft + trendWide*float64(n)/float64(len(list)-1), Y: y(v.Passed.Value), Low: y(v.Passed.Interval.Low), High: y(v.Passed.Interval.High), Passed: v.Passed.Value}
		t.Points = append(t.Points, pt)
		t.Line += fmt.Sprintf("%.1f,%.1f ", pt.X, pt.Y)
	}
	return &t
}
