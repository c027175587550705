package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"faqbot/knowledge"
	"faqbot/retrieval/contrast"
	"faqbot/retrieval/late"
	"faqbot/retrieval/spelling"
	"faqbot/retrieval/vector"
)

// A Corpus is where published entries come from.
type Corpus interface {
	// Revisions returns the newest revision of every affiliate that has published.
	Revisions(ctx context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error)
	// Published returns an affiliate's entries, whenever they hold, and their revision.
	Published(ctx context.Context, a knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error)
}

// Stages a Searcher reports to SearcherOptions.Observe.
const (
	StageSearch    = "search"          // one Search
	StagePrimary   = "primary"         // the configured embedder was asked for a query's vector
	StageLearned   = "learned"         // what was learned of customers could not be read; only with an error
	StageRevisions = "revisions"       // the corpus could not say what is published; only with an error
	StageIndex     = "snapshot"        // one affiliate's index of the snapshot was rebuilt
	StageVectors   = "primary-vectors" // the configured embedder was asked for one affiliate's wordings
)

// SearcherOptions are what NewSearcher can do without.
type SearcherOptions struct {
	// Multilingual is the built-in embedder for entries that are not in English; nil: there is none.
	Multilingual Embedder
	// Primary answers in place of the built-in embedder when it can. One of the same space as the
	// built-in is not used.
	Primary Embedder
	// Every is how often Run looks for new revisions; 0 means 500 ms.
	Every time.Duration
	// Observe hears how long each stage took and whether it failed. It may be called by many at once.
	Observe func(stage string, took time.Duration, err error)
	// Now is the clock that validity windows go by; nil means time.Now.
	Now func() time.Time
	// Learned is what was learned of affiliates' customers; nil: nothing was.
	Learned Learned
	// Attempts counts attempts to build indexes across the death of the process; nil: nobody does.
	Attempts Attempts
}

const (
	maxRunes      = 2000            // of a query's text; the rest is not read
	defaultLimit  = 10              // hits
	maxLimit      = 100             // hits; nobody reads more, and more would be ranked by guesswork
	primaryWithin = 3 * time.Second // then the built-in embedder answers
)

// A Searcher answers queries from a snapshot of a Corpus, which Refresh or Run keep up to date. It
// is safe for concurrent use.
type Searcher struct {
	corpus  Corpus
	builtin Builtin
	primary Embedder // nil if there is none
	opts    SearcherOptions
	curves  Calibrations
	kinds   *contrast.Lexicon
	common  *spelling.Lexicon // words that the English embedder or kinds knows; nil if the embedder does not say

	indexes atomic.Pointer[snapshot]
	learned atomic.Pointer[map[knowledge.AffiliateID]Offsets]
	swap    sync.Mutex // held while indexes is replaced
	claims  claims
	rests   rests
	slots   chan struct{} // bounds the indexes being built at once
	cores   chan struct{} // bounds the searches and builds that compute at once
	poke    chan struct{}
	ready   atomic.Bool
	running atomic.Bool // Run is
	buffers sync.Pool
}

// A snapshot is what is searched: each affiliate's index. It never changes.
type snapshot map[knowledge.AffiliateID]*index

// NewSearcher returns a Searcher that finds nothing until its first Refresh. builtin must be able to
// embed at any time, without the network.
func NewSearcher(corpus Corpus, builtin Embedder, opts SearcherOptions) *Searcher {
	opts.Every = cmp.Or(opts.Every, 500*time.Millisecond)
	if opts.Observe == nil {
		opts.Observe = func(string, time.Duration, error) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Searcher{
		corpus: corpus, builtin: Builtin{English: builtin, Multilingual: opts.Multilingual}, primary: opts.Primary, opts: opts, curves: ShippedCalibrations(), kinds: contrast.Load(),
		slots: make(chan struct{}, rebuilds), poke: make(chan struct{}, 1),
		cores:   make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		buffers: sync.Pool{New: func() any { return new(buffers) }},
	}
	if s.primary != nil && s.primary.Space() == builtin.Space() {
		s.primary = nil
	}
	if v, ok := builtin.(interface{ Words() []string }); ok {
		if words := v.Words(); len(words) > 0 {
			// A word that is known to mean something else is not misspelt: "unsubscribe" is not "subscribe".
			s.common = spelling.NewLexicon(append(words, s.kinds.Words()...))
		}
	}
	s.indexes.Store(&snapshot{})
	s.learned.Store(&map[knowledge.AffiliateID]Offsets{})
	return s
}

// Ready reports whether everything that was published when the Searcher started can be found.
func (s *Searcher) Ready() bool { return s.ready.Load() }

// Search returns the entries that may answer q. Only entries of q's affiliates that hold now
// compete, and of the translations of one entry only the one that fits q's locale best. Text may be
// any bytes; of a long one the first 2,000 characters count. If it has misspelt words, the English
// embedder reads it a second time without them. A text without a visible character has no hits, and
// no more than 100 are ever returned. An error means that ctx is done or the built-in embedder
// failed.
func (s *Searcher) Search(ctx context.Context, q Query) (Result, error) {
	start := time.Now()
	res, err := s.searchSnapshot(ctx, q)
	if err != nil {
		err = fmt.Errorf("search: %w", err)
	}
	s.opts.Observe(StageSearch, time.Since(start), err)
	return res, err
}

func (s *Searcher) searchSnapshot(ctx context.Context, q Query) (Result, error) {
	indexes := s.pick(q.Affiliates)
	res := Result{Space: s.builtin.English.Space(), Revisions: make(map[knowledge.AffiliateID]knowledge.Revision, len(indexes))}
	for _, p := range indexes {
		res.Revisions[p.affiliate] = p.revision
	}
	text := bounded(q.Text)
	asked := question{locale: canonical(q.Locale), now: s.opts.Now(), limit: q.Limit, before: before(q)}
	if asked.limit <= 0 {
		asked.limit = defaultLimit
	}
	asked.limit = min(asked.limit, maxLimit)
	if text == "" || len(indexes) == 0 {
		return res, ctx.Err()
	}
	if s.primary != nil {
		hits, v, why := s.byPrimary(ctx, indexes, asked, text, q)
		if why == "" {
			res.Hits, res.Vector, res.Space = hits, v, s.primary.Space()
			return res, nil
		}
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		res.Fallback = why
	}
	release, err := s.compute(ctx)
	if err != nil {
		return Result{}, err
	}
	defer release()
	english, others, err := s.spoken(ctx, indexes, q.Language)
	if err != nil {
		return Result{}, fmt.Errorf("embed the entries for another language: %w", err)
	}
	all, v, err := s.byBuiltin(ctx, false, english, asked, text, q)
	if err == nil {
		res.Vector = v
	}
	if err == nil && len(others) > 0 {
		var found []scored
		if found, v, err = s.byBuiltin(ctx, true, others, asked, text, q); len(all) == 0 || len(found) > 0 && compareScored(found[0], all[0]) < 0 {
			res.Vector, res.Space, res.Multilingual = v, s.builtin.Multilingual.Space(), true
		}
		all = append(all, found...)
	}
	if err != nil {
		return Result{}, err
	}
	slices.SortFunc(all, compareScored)
	res.Hits = best(all, asked.limit)
	return res, nil
}

// byBuiltin searches indexes in the space of the English or the multilingual embedder; nothing if there are none.
func (s *Searcher) byBuiltin(ctx context.Context, multilingual bool, indexes []*index, asked question, text string, q Query) (found []scored, v []float32, err error) {
	if len(indexes) == 0 {
		return nil, nil, nil
	}
	e, reread, in := s.builtin.English, s.reread, builtinOf
	if multilingual {
		e, reread, in = s.builtin.Multilingual, once, multilingualOf // whether a word is misspelt it does not tell
	}
	r, err := s.read(ctx, e, text)
	if err != nil {
		return nil, nil, fmt.Errorf("embed the query: %w", err)
	}
	read := reread(r)
	found, err = s.rank(ctx, indexes, asked, read, in)
	if err == nil && inDoubt(asked, best(found, 1)) {
		if asked.said, err = s.recollect(ctx, e, text, asked, q.ContextDependence); err != nil {
			return nil, nil, fmt.Errorf("embed the query with what was said before: %w", err)
		}
		found, err = s.rank(ctx, indexes, asked, read, in)
	}
	return found, r.vector, err
}

// byPrimary searches in the configured embedder's space, or says why it cannot. What it says is
// shown to people, so it never quotes an error: that goes to Observe.
func (s *Searcher) byPrimary(ctx context.Context, indexes []*index, asked question, text string, q Query) (hits []Hit, v []float32, why string) {
	for _, p := range indexes {
		if p.primary == nil {
			return nil, nil, fmt.Sprintf("%s has no vectors yet for all of %s's wordings", s.primary.Space(), p.affiliate)
		}
	}
	within := primaryWithin
	if end, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(end)/2) // the built-in embedder needs its share
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	start := time.Now()
	r, err := s.read(limited, s.primary, text)
	if err == nil {
		hits, err = s.rankPrimary(limited, indexes, asked, r)
	}
	if err == nil && inDoubt(asked, hits) {
		if asked.said, err = s.recollect(limited, s.primary, text, asked, q.ContextDependence); err == nil {
			hits, err = s.rankPrimary(limited, indexes, asked, r)
		}
	}
	s.opts.Observe(StagePrimary, time.Since(start), err)
	switch {
	case err == nil:
		return hits, r.vector, ""
	case errors.Is(err, context.DeadlineExceeded):
		return nil, nil, fmt.Sprintf("%s did not answer in time", s.primary.Space())
	}
	return nil, nil, fmt.Sprintf("%s failed", s.primary.Space())
}

func (s *Searcher) rankPrimary(ctx context.Context, indexes []*index, asked question, r queryVariant) ([]Hit, error) {
	release, err := s.compute(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	// A second request for a word misspelt would cost more than it helps: big models spell well.
	found, err := s.rank(ctx, indexes, asked, once(r), primaryOf)
	return best(found, asked.limit), err
}

// compute waits for a core, since more searches at once than there are cores are only slower, and a
// index being rebuilt must get its share however many search. Nobody holds a core while it waits for
// the network.
func (s *Searcher) compute(ctx context.Context) (release func(), err error) {
	select {
	case s.cores <- struct{}{}:
		return func() { <-s.cores }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read embeds a text that is searched for.
func (s *Searcher) read(ctx context.Context, e Embedder, text string) (queryVariant, error) {
	t, err := EmbedQuery(ctx, e, text)
	if err != nil {
		return queryVariant{}, err
	}
	v, err := vector.Unit(t.Vector)
	if err != nil {
		return queryVariant{}, fmt.Errorf("the query's vector %w", err)
	}
	return queryVariant{text: text, vector: v, tokens: late.NewQuestion(t)}, nil
}

// A reader says how a question may be read where an index's words are used.
type reader func(ctx context.Context, p *index) ([]queryVariant, error)

// once reads a question as it is.
func once(r queryVariant) reader {
	return func(context.Context, *index) ([]queryVariant, error) { return []queryVariant{r}, nil }
}

// reread reads a question as it is and, if it has misspelt words, as it was probably meant. Each
// spelling is embedded once.
func (s *Searcher) reread(raw queryVariant) reader {
	known := make(map[string]queryVariant)
	return func(ctx context.Context, p *index) ([]queryVariant, error) {
		if s.common == nil {
			return []queryVariant{raw}, nil // whether a word is misspelt or only new here nobody knows
		}
		meant := spelling.Repair(raw.text, p.lexicon, s.common)
		if meant == raw.text {
			return []queryVariant{raw}, nil
		}
		r, ok := known[meant]
		if !ok {
			var err error
			if r, err = s.read(ctx, s.builtin.English, meant); err != nil {
				return nil, err
			}
			known[meant] = r
		}
		return []queryVariant{raw, r}, nil
	}
}

// rank ranks the entries of all indexes together, the best first.
func (s *Searcher) rank(ctx context.Context, indexes []*index, asked question, read reader, in func(*index) *vectorSpace) ([]scored, error) {
	buf := s.buffers.Get().(*buffers)
	defer s.buffers.Put(buf)
	var all []scored
	for _, p := range indexes {
		variants, err := read(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("read the query for %s: %w", p.affiliate, err)
		}
		asked.variants, asked.learned = variants, (*s.learned.Load())[p.affiliate]
		found, err := p.rank(ctx, in(p), asked, buf)
		if err != nil {
			return nil, fmt.Errorf("search %s: %w", p.affiliate, err)
		}
		if len(found) > 0 && !found[0].Exact {
			found[0].Contrast = s.contrast(p, asked, found[0].Entry)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, compareScored)
	return all, nil
}

// best are the first hits of a list that is in order.
func best(list []scored, limit int) []Hit {
	hits := make([]Hit, min(len(list), limit))
	for i := range hits {
		hits[i] = list[i].Hit
	}
	return hits
}

// pick returns the indexes of the affiliates named that have entries, each once, ordered by name.
func (s *Searcher) pick(names []knowledge.AffiliateID) []*index {
	indexes := *s.indexes.Load()
	var picked []*index
	if slices.Contains(names, knowledge.Everyone) {
		for _, p := range indexes {
			picked = append(picked, p)
		}
	} else {
		for _, a := range names {
			if p := indexes[a]; p != nil {
				picked = append(picked, p)
			}
		}
	}
	picked = slices.DeleteFunc(picked, func(p *index) bool { return len(p.entries) == 0 })
	slices.SortFunc(picked, func(a, b *index) int { return cmp.Compare(a.affiliate, b.affiliate) })
	return slices.Compact(picked)
}

// bounded makes text fit to be searched for: valid, without space around it, not too long.
func bounded(text string) string {
	// A character has at most four bytes, or is an invalid byte; so this never splits the part kept.
	if len(text) > 4*maxRunes {
		text = text[:4*maxRunes]
	}
	text = strings.ToValidUTF8(text, " ")
	n := 0
	for i := range text {
		if n == maxRunes {
			text = text[:i]
			break
		}
		n++
	}
	return strings.TrimSpace(text)
}
