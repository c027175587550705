package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/eval"
	"faqbot/eval/runs"
	"faqbot/eval/runs/board"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/portal"
)

// tests are the affiliates' test cases in the running service.
type tests struct {
	runner *runs.Runner
	board  *board.Board
}

func newTests(s *service, p *pages) (*tests, error) {
	store, bench := cases.NewStore(s.db), benches{s}
	t := &tests{runner: runs.New(store, runs.Options{Name: "faqbot " + version, Published: bench.published, Candidate: bench.candidate, Log: s.log})}
	var err error
	t.board, err = board.New(store, t.runner, board.Options{Chrome: p.chrome, Who: p.door.Who, Corpus: s.corpus, Conversations: s.conversations, Published: bench.published, Log: s.log})
	return t, err
}

// Run carries out runs until ctx ends.
func (t *tests) Run(ctx context.Context) error { return t.runner.Run(ctx) }

// Register mounts the pages.
func (t *tests) Register(r gin.IRouter) { t.board.Register(r) }

// testsAt is the address of an affiliate's test cases.
func testsAt(a knowledge.AffiliateID) string { return board.Address(a) }

// broken says which of an affiliate's test cases an upload would break.
func (t *tests) broken(ctx context.Context, of portal.Trial) (portal.Broken, error) {
	b, done, err := t.runner.Broken(ctx, runs.Candidate{Affiliate: of.Affiliate, Upload: of.Draft, Entries: of.Entries})
	out := portal.Broken{Asked: b.Asked, Working: !done}
	for _, c := range b.Cases {
		out.Cases = append(out.Cases, portal.BrokenCase{Question: c.Question, Before: c.Before, After: c.After})
	}
	return out, err
}

// benches are what can be asked: what is published, and drafts.
type benches struct{ *service }

// published is what the searcher that serves has learned of an affiliate.
func (b benches) published(ctx context.Context, a knowledge.AffiliateID) (runs.Bench, error) {
	stored, revision, err := b.corpus.Published(ctx, a)
	if err != nil {
		return runs.Bench{}, err
	}
	now := time.Now()
	stored = slices.DeleteFunc(stored, func(e knowledge.Entry) bool { return !e.Holds(now) })
	learned := b.searcher.Entries([]knowledge.AffiliateID{a})
	versions := map[knowledge.EntryID]knowledge.Revision{}
	for _, e := range learned {
		versions[e.ID] = e.Revision
	}
	if len(stored) != len(learned) || slices.ContainsFunc(stored, func(e knowledge.Entry) bool { return versions[e.ID] != e.Revision }) {
		return runs.Bench{}, runs.ErrNotReady
	}
	return runs.Bench{Asker: eval.Over(b.searcher, b.phrases, a, learned).With(b.config.policy()), Entries: learned, Revision: revision}, nil
}

// candidate is what an upload would publish, as Try it has it.
func (b benches) candidate(ctx context.Context, c runs.Candidate) (runs.Bench, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.MaxTrying)
	defer cancel()
	searcher, err := b.trials.searcher(ctx, portal.Trial{Affiliate: c.Affiliate, Draft: c.Upload, Entries: c.Entries})
	if errors.Is(err, portal.ErrIndexing) {
		return runs.Bench{}, runs.ErrNotReady
	}
	if err != nil {
		return runs.Bench{}, err
	}
	return runs.Bench{Asker: eval.Over(searcher, b.phrases, c.Affiliate, c.Entries).With(b.config.policy()), Entries: c.Entries}, nil
}
