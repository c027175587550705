// Package runs carries out runs of affiliates' test cases in the background of the service, and says which cases an
// upload would break. One run goes on at a time, on one core of which it leaves half, so that customers do not wait.
//
// It shows nothing: see eval/runs/board.
package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot/worker"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/guard"
)

// ErrNotReady means that what is to be asked is still being read; it can be asked later.
var ErrNotReady = errors.New("the entries are being read")

// A Bench is entries that can be asked.
type Bench struct {
	Asker    *eval.Asker
	Entries  []knowledge.Entry
	Revision knowledge.Revision // 0 if they are not published
}

// A Candidate is entries that an upload would publish.
type Candidate struct {
	Affiliate knowledge.AffiliateID
	Upload    knowledge.UploadID
	Entries   []knowledge.Entry
}

// Options are what a Runner is told of the rest. All but Every are required.
type Options struct {
	Name      string // of the engine, in reports
	Published func(context.Context, knowledge.AffiliateID) (Bench, error)
	Candidate func(context.Context, Candidate) (Bench, error)
	Log       logrus.FieldLogger
	Every     time.Duration // how often it looks for runs that another process began; 5 s if 0
}

// A Runner carries out runs.
type Runner struct {
	store    *cases.Store
	o        Options
	poke     chan struct{}
	previews chan *preview

	mu    sync.Mutex
	kept  map[string]*preview
	order []string // of kept, the oldest first
}

// New returns a Runner of the runs in store. Run makes it work.
func New(store *cases.Store, o Options) *Runner {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	return &Runner{store: store, o: o, poke: make(chan struct{}, 1), previews: make(chan *preview, previewsWaiting), kept: map[string]*preview{}}
}

// Poke makes the Runner look for runs now.
func (r *Runner) Poke() { worker.Poke(r.poke) }

// Run carries out what waits, until ctx ends. A run that ctx interrupts is said to be interrupted.
func (r *Runner) Run(ctx context.Context) error {
	for {
		run, ok, err := r.store.Claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case ok:
			r.carryOut(ctx, run)
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-r.previews:
			r.preview(ctx, p)
		case <-r.poke:
		case <-time.After(r.o.Every):
		}
	}
}

// Why a run failed, as pages say it.
const (
	problemNoEntries = "no_entries"
	problemPublished = "published"
	problemBroken    = "broken"
)

// errProblem is one of those.
type errProblem string

func (e errProblem) Error() string { return string(e) }

// errCanceled means that somebody canceled the run.
var errCanceled = errors.New("canceled")

func (r *Runner) carryOut(ctx context.Context, run cases.Run) {
	var summary []byte
	err := guard.Run(func() error {
		report, err := r.measure(ctx, run)
		if err == nil {
			report.Cases = nil
			summary, err = json.Marshal(report)
		}
		return err
	})
	state, problem := cases.Done, ""
	told, isTold := errors.AsType[errProblem](err)
	switch {
	case err == nil:
	case errors.Is(err, errCanceled):
		return
	case ctx.Err() != nil:
		state = cases.Interrupted
	case errors.Is(err, ErrNotReady):
		state = cases.Waiting
	case isTold:
		state, problem = cases.Failed, string(told)
	default:
		state, problem = cases.Failed, problemBroken
		guard.Log(r.o.Log.WithField("affiliate", string(run.Affiliate)), "a run of test cases failed", err)
	}
	if err := r.store.End(context.WithoutCancel(ctx), run.ID, state, string(summary), problem); err != nil {
		r.o.Log.WithError(err).Error("the end of a run could not be stored")
	}
	if state == cases.Waiting { // for the entries
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// measure asks what is published of a run's affiliate.
func (r *Runner) measure(ctx context.Context, run cases.Run) (*measure.Report, error) {
	list, err := r.store.List(ctx, run.Affiliate)
	if err != nil {
		return nil, err
	}
	s, err := SuiteOf(run.Affiliate, list)
	if err != nil {
		return nil, err
	}
	bench, err := r.o.Published(ctx, run.Affiliate)
	if err != nil {
		return nil, err
	}
	if len(bench.Entries) == 0 {
		return nil, errProblem(problemNoEntries)
	}
	report, err := r.ask(ctx, s, bench, &journal{store: r.store, run: run, revision: bench.Revision, of: conversationsOf(list), total: len(list)})
	if err != nil {
		return nil, err
	}
	if after, err := r.o.Published(ctx, run.Affiliate); err != nil || after.Revision != bench.Revision {
		return nil, errProblem(problemPublished)
	}
	return report, nil
}

// ask asks the cases of a bench, one at a time.
func (r *Runner) ask(ctx context.Context, s suite.Suite, b Bench, j measure.Journal) (*measure.Report, error) {
	return measure.Run{Suite: s, Entries: b.Entries, Workers: 1, Journal: j, Subject: polite{subject.NewEngine(r.o.Name, b.Asker).Keyed(b.Entries)}}.Do(ctx)
}

// SuiteOf is cases as a suite.
func SuiteOf(a knowledge.AffiliateID, list []cases.Case) (suite.Suite, error) {
	rows := make([]string, len(list))
	for i, c := range list {
		rows[i] = c.Body
	}
	return suite.FromRows(string(a), rows)
}

func conversationsOf(list []cases.Case) map[string]string {
	of := map[string]string{}
	for _, c := range list {
		of[c.ID] = c.Conversation
	}
	return of
}

// polite is a subject that rests after each turn for as long as the turn took.
type polite struct{ subject.Subject }

func (p polite) Open(c suite.Case) subject.Dialogue { return politely{p.Subject.Open(c)} }

type politely struct{ subject.Dialogue }

func (d politely) Say(ctx context.Context, t suite.Turn) (subject.Reply, error) {
	reply, err := d.Dialogue.Say(ctx, t)
	if err != nil {
		return reply, err
	}
	select {
	case <-ctx.Done():
		return reply, ctx.Err()
	case <-time.After(reply.Took):
		return reply, nil
	}
}

// ReportOf is a run that is done, with the results that are left of it: those of customers who were forgotten are not.
func (r *Runner) ReportOf(ctx context.Context, run cases.Run) (*measure.Report, error) {
	var report measure.Report
	if err := json.Unmarshal([]byte(run.Summary), &report); err != nil {
		return nil, fmt.Errorf("read run %s: %w", run.ID, err)
	}
	results, err := r.store.Results(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range results {
		var f measure.Finished
		if err := json.Unmarshal([]byte(one.Body), &f); err != nil {
			return nil, fmt.Errorf("read run %s: %w", run.ID, err)
		}
		report.Cases = append(report.Cases, f.Row)
	}
	slices.SortFunc(report.Cases, func(a, b measure.Row) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return &report, nil
}
