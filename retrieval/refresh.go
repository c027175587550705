package retrieval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/retrieval/late"
)

const (
	rebuilds = 4           // indexes built at once: one that is big does not hold up the others
	maxRest  = time.Minute // between two tries to get vectors from a failing embedder
)

// claims lets each affiliate's index be built by one at a time.
type claims struct {
	mu     sync.Mutex
	byName map[knowledge.AffiliateID]*sync.Mutex
}

func (c *claims) of(a knowledge.AffiliateID) *sync.Mutex {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = make(map[knowledge.AffiliateID]*sync.Mutex)
	}
	if c.byName[a] == nil {
		c.byName[a] = new(sync.Mutex)
	}
	return c.byName[a]
}

// Refresh brings the snapshot up to date: it rebuilds the indexes of the affiliates whose revision
// changed, each visible as soon as it is ready, drops those of the affiliates that are gone, and
// gets the configured embedder's vectors. An affiliate that fails keeps the index it had and is
// named in the error; the others go on. That the configured embedder fails is no error: the
// built-in one answers meanwhile.
func (s *Searcher) Refresh(ctx context.Context) error {
	err := s.refreshOnce(ctx)
	if s.primary != nil {
		for _, p := range s.lacking() {
			_ = s.fill(ctx, p) // reported to Observe
		}
	}
	return err
}

func (s *Searcher) refreshOnce(ctx context.Context) error {
	s.relearn(ctx)
	changed, err := s.outdated(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(changed))
	var wg sync.WaitGroup
	for i, a := range changed {
		if s.opts.Attempts != nil && !s.rests.rested(a.name, a.newest) {
			errs[i] = s.rests.why(a.name)
			continue
		}
		wg.Go(func() {
			claim := s.claims.of(a.name)
			claim.Lock()
			defer claim.Unlock()
			errs[i] = s.attempt(ctx, a.name, a.newest)
		})
	}
	wg.Wait()
	err = errors.Join(errs...)
	// One affiliate that cannot be read does not keep the service from starting, a corpus that
	// cannot be read does.
	if ctx.Err() == nil && !errors.Is(err, errSoon) && (err == nil || len(*s.indexes.Load()) > 0) {
		s.ready.Store(true)
	}
	return err
}

// Run keeps the snapshot up to date until ctx is done, then waits for what is under way and returns
// ctx's error. It looks for new revisions every SearcherOptions.Every, or when poked. Failures are
// reported to Observe and tried again.
func (s *Searcher) Run(ctx context.Context) error {
	s.running.Store(true)
	defer s.running.Store(false)
	var wg sync.WaitGroup
	defer wg.Wait()
	if s.primary != nil {
		wg.Go(func() { s.keepFilled(ctx) }) // which survives what it does
	}
	tick := time.NewTicker(s.opts.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		s.look(ctx, &wg)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.poke:
		}
	}
	return ctx.Err()
}

// look begins to build what is outdated. What fails is reported to Observe.
func (s *Searcher) look(ctx context.Context, wg *sync.WaitGroup) {
	err := guard.Run(func() error {
		if !s.Ready() {
			_ = s.refreshOnce(ctx)
		}
		s.relearn(ctx)
		changed, _ := s.outdated(ctx)
		for _, a := range changed {
			if claim := s.claims.of(a.name); s.rests.rested(a.name, a.newest) && claim.TryLock() {
				wg.Go(func() {
					defer claim.Unlock()
					_ = s.attempt(ctx, a.name, a.newest)
				})
			}
		}
		s.makeWanted(ctx, wg)
		return nil
	})
	if err != nil {
		s.opts.Observe(StageRevisions, 0, err)
	}
}

// relearn reads what was learned of affiliates' customers. If that fails, what was known stays.
func (s *Searcher) relearn(ctx context.Context) {
	if s.opts.Learned == nil {
		return
	}
	start := time.Now()
	offsets, err := s.opts.Learned.Offsets(ctx)
	if err != nil {
		s.opts.Observe(StageLearned, time.Since(start), fmt.Errorf("read what was learned: %w", err))
		return
	}
	s.learned.Store(&offsets)
}

// Poke makes Run look for new revisions now. It never blocks.
func (s *Searcher) Poke() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// A change is an affiliate whose index is not of its newest revision.
type change struct {
	name   knowledge.AffiliateID
	newest knowledge.Revision
}

// outdated lists the affiliates to rebuild, by name, and drops the indexes of those that are gone.
func (s *Searcher) outdated(ctx context.Context) ([]change, error) {
	start := time.Now()
	newest, err := s.corpus.Revisions(ctx)
	if err != nil {
		err = fmt.Errorf("read revisions: %w", err)
		s.opts.Observe(StageRevisions, time.Since(start), err)
		return nil, err
	}
	indexes := *s.indexes.Load()
	var changed []change
	for _, a := range slices.Sorted(maps.Keys(newest)) {
		if newest[a] > 0 && (indexes[a] == nil || indexes[a].revision != newest[a]) {
			changed = append(changed, change{a, newest[a]})
		}
	}
	for a, p := range indexes {
		if newest[a] == 0 {
			s.replace(a, p, nil)
		}
	}
	return changed, nil
}

// rebuild makes a's index anew and puts it in the snapshot, unless it is of the newest revision by
// now. The caller holds a's claim.
func (s *Searcher) rebuild(ctx context.Context, a knowledge.AffiliateID, newest knowledge.Revision) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	release, err := s.compute(ctx)
	if err != nil {
		return err
	}
	defer release()
	old := (*s.indexes.Load())[a]
	if old != nil && old.revision == newest {
		return nil
	}
	start := time.Now()
	var p *index
	err = guard.Run(func() (err error) { p, err = s.build(ctx, a, old); return err })
	if err != nil {
		err = fmt.Errorf("refresh %s: %w", a, err)
	} else {
		s.replace(a, (*s.indexes.Load())[a], p)
	}
	s.opts.Observe(StageIndex, time.Since(start), err)
	return err
}

func (s *Searcher) build(ctx context.Context, a knowledge.AffiliateID, old *index) (*index, error) {
	entries, revision, err := s.corpus.Published(ctx, a)
	if err != nil {
		return nil, err
	}
	p, err := newIndex(a, revision, entries)
	if err != nil {
		return nil, err
	}
	p.foreign = s.builtin.foreign(entries)
	var known map[string]late.Tokens
	if old != nil && old.foreign == p.foreign {
		known = old.tokens(builtinOf)
	}
	p.builtin, err = s.place(ctx, p, s.builtin.of(p.foreign), known)
	if err != nil {
		return nil, err
	}
	if s.primary == nil {
		return p, nil
	}
	p.reuse = old.tokens(primaryOf)
	if p.covered() {
		p.primary, err = s.place(ctx, p, s.primary, p.reuse)
	}
	return p, err
}

// place makes the space of p's texts that e makes of them. What is in known it is not asked for again.
func (s *Searcher) place(ctx context.Context, p *index, e Embedder, known map[string]late.Tokens) (*vectorSpace, error) {
	sp, err := p.embed(ctx, e, known)
	if err != nil {
		return nil, err
	}
	sp.curve = s.curves.For(e.Space())
	return sp, nil
}

// replace puts next in the place of a's index, or removes it if next is nil, unless the index is no
// longer old.
func (s *Searcher) replace(a knowledge.AffiliateID, old, next *index) bool {
	s.swap.Lock()
	defer s.swap.Unlock()
	indexes := *s.indexes.Load()
	if indexes[a] != old {
		return false
	}
	indexes = maps.Clone(indexes)
	if next == nil {
		delete(indexes, a)
	} else {
		indexes[a] = next
	}
	s.indexes.Store(&indexes)
	return true
}

// lacking lists the indexes without vectors of the configured embedder, by affiliate.
func (s *Searcher) lacking() []*index {
	indexes := *s.indexes.Load()
	var lacking []*index
	for _, a := range slices.Sorted(maps.Keys(indexes)) {
		if indexes[a].primary == nil {
			lacking = append(lacking, indexes[a])
		}
	}
	return lacking
}

// fill gets p's vectors from the configured embedder. If p is replaced meanwhile they are dropped.
func (s *Searcher) fill(ctx context.Context, p *index) error {
	start := time.Now()
	filled := *p
	var err error
	var refused error // of the embedder, which is no fault of the index's
	err = s.counted(ctx, "vectors", p.affiliate, p.revision, func() error {
		filled.primary, refused = s.place(ctx, p, s.primary, p.reuse)
		return nil
	})
	if err = errors.Join(err, refused); err != nil {
		err = fmt.Errorf("vectors for %s: %w", p.affiliate, err)
	} else {
		filled.reuse = nil
		s.replace(p.affiliate, p, &filled)
	}
	s.opts.Observe(StageVectors, time.Since(start), err)
	return err
}

// keepFilled fills indexes until ctx is done, and rests longer and longer while the embedder fails.
func (s *Searcher) keepFilled(ctx context.Context) {
	rest := s.opts.Every
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		failed := false
		for _, p := range s.lacking() {
			failed = s.fill(ctx, p) != nil || failed
		}
		if failed {
			rest = min(2*rest, maxRest)
		} else {
			rest = s.opts.Every
		}
		timer.Reset(rest)
	}
}
