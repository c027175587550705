package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/portal"
	"faqbot/retrieval"
)

// tryQuestion asks the engine for the portal's tryQuestion-it box: what is published, or a draft's entries.
func (s *service) tryQuestion(ctx context.Context, t portal.Trial) (portal.TrialResult, error) {
	account := bot.Account{Affiliates: []knowledge.AffiliateID{t.Affiliate}}
	engine, questions := s.engine, s.searcher
	if t.Draft != "" {
		var err error
		if questions, err = s.trials.searcher(ctx, t); err != nil {
			return portal.TrialResult{}, fmt.Errorf("read the draft: %w", err)
		}
		engine = newEngine(questions, s.phrases, s.config.policy()).WithBrands(s.brands)
	}
	asked, err := dialogue.NewAsker(engine, account).Ask(ctx, dialogue.Question{Text: t.Text})
	if err != nil {
		return portal.TrialResult{}, err
	}
	o := asked.Outcome
	r := portal.TrialResult{Action: string(o.Decision.Action), Reason: string(o.Decision.Reason), Rule: o.Trace.Rule}
	for _, reply := range o.Replies {
		r.Replies = append(r.Replies, wordsOf(reply))
		for _, choice := range reply.Choices {
			r.Choices = append(r.Choices, choice.Label)
		}
	}
	for _, h := range o.Trace.Hits {
		e, _ := questions.Entry(account.Affiliates, h.Entry)
		r.Hits = append(r.Hits, portal.TrialHit{Question: e.Question, Wording: h.Wording, Probability: h.Score, Cosine: h.Parts.Cosine, Ngrams: h.Parts.Ngrams})
	}
	return r, nil
}

// trials index drafts for the try-it box. Indexing a large one takes minutes, so Run does it in the background,
// one draft at a time, while its affiliate is told to ask again.
type trials struct {
	open  func(dialogue.Unpublished) *retrieval.Searcher
	freed func() // called when an index is dropped
	queue chan *trial

	mu   sync.Mutex
	kept map[knowledge.AffiliateID]*trial
}

// A trial is one draft's index.
type trial struct {
	portal.Trial
	replaced chan struct{} // closed when the affiliate tries another draft
	done     chan struct{} // closed when the fields below are set

	searcher *retrieval.Searcher
	err      error
}

// maxTrials is how many drafts' indexes are kept, or waited for, at once.
const maxTrials = 4

func newTrials(open func(dialogue.Unpublished) *retrieval.Searcher, freed func()) *trials {
	return &trials{open: open, freed: freed, queue: make(chan *trial, maxTrials), kept: make(map[knowledge.AffiliateID]*trial)}
}

// searcher returns the index of a draft. The error is portal.ErrIndexing if ctx ends before it is ready.
func (ts *trials) searcher(ctx context.Context, t portal.Trial) (*retrieval.Searcher, error) {
	tr, err := ts.begin(t)
	if err != nil {
		return nil, err
	}
	select {
	case <-tr.done:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, portal.ErrIndexing
		}
		return nil, ctx.Err()
	}
	if tr.err != nil {
		ts.drop(tr.Affiliate, tr.done)
	}
	return tr.searcher, tr.err
}

// begin returns the draft's trial, and queues one in place of the affiliate's last if it has none.
func (ts *trials) begin(t portal.Trial) (*trial, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	last := ts.kept[t.Affiliate]
	if last != nil && last.Draft == t.Draft {
		return last, nil
	}
	if last == nil && !ts.makeRoom() {
		return nil, portal.ErrIndexing
	}
	tr := &trial{Trial: t, replaced: make(chan struct{}), done: make(chan struct{})}
	select {
	case ts.queue <- tr:
	default:
		return nil, portal.ErrIndexing
	}
	if last != nil {
		close(last.replaced)
		ts.freed()
	}
	ts.kept[t.Affiliate] = tr
	return tr, nil
}

// makeRoom drops an index that is ready, if there must be room for another. It reports whether there is.
func (ts *trials) makeRoom() bool {
	if len(ts.kept) < maxTrials {
		return true
	}
	for a, tr := range ts.kept {
		select {
		case <-tr.done:
			delete(ts.kept, a)
			ts.freed()
			return true
		default:
		}
	}
	return false
}

// Run indexes what is tried until ctx ends.
func (ts *trials) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case tr := <-ts.queue:
			ts.index(ctx, tr)
		}
	}
}

func (ts *trials) index(ctx context.Context, tr *trial) {
	ctx, cancel := context.WithTimeout(ctx, limits.MaxIndexing)
	defer cancel()
	go func() {
		select {
		case <-tr.replaced:
			cancel()
		case <-tr.done:
		}
	}()
	s := ts.open(dialogue.NewUnpublished(tr.Affiliate, tr.Entries))
	tr.searcher, tr.err = s, s.Refresh(ctx)
	tr.Entries = nil // the index has them
	close(tr.done)
	affiliate, done := tr.Affiliate, tr.done // not tr, whose index would stay in memory though it was dropped
	time.AfterFunc(limits.MaxTryKept, func() { ts.drop(affiliate, done) })
}

// drop forgets the index that done is of, unless another is in its place.
func (ts *trials) drop(affiliate knowledge.AffiliateID, done chan struct{}) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if tr := ts.kept[affiliate]; tr != nil && tr.done == done {
		delete(ts.kept, affiliate)
		ts.freed()
	}
}
