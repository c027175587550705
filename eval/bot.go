package eval

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/late"
)

// An Asker is the engine that serves customers, asked one case at a time. It is safe for concurrent use.
type Asker struct {
	account  bot.Account
	engine   *dialogue.Engine
	asker    *dialogue.Asker
	searcher *retrieval.Searcher // the engine's
	phrases  *dialogue.Phrases
	topics   map[knowledge.EntryID]string // of its entries
}

// NewAsker learns entries that are published nowhere, which have IDs, with the defaults that the
// service has.
func NewAsker(ctx context.Context, entries []knowledge.Entry, e *Vectors) (*Asker, error) {
	return NewAskerFor(ctx, entries, e, retrieval.Offsets{})
}

// NewAskerFor is NewAsker with what was learned of an affiliate's customers.
func NewAskerFor(ctx context.Context, entries []knowledge.Entry, e *Vectors, o retrieval.Offsets) (*Asker, error) {
	options := retrieval.SearcherOptions{Learned: learned(o)}
	if e.multilingual != nil {
		options.Multilingual = e.multilingual
	}
	return openAsker(ctx, entries, e, options)
}

func openAsker(ctx context.Context, entries []knowledge.Entry, e retrieval.Embedder, o retrieval.SearcherOptions) (*Asker, error) {
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	searcher := retrieval.NewSearcher(dialogue.NewUnpublished(affiliate, entries), e, o)
	if err := searcher.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("prepare the search: %w", err)
	}
	return Over(searcher, phrases, affiliate, entries).With(dialogue.DefaultPolicy()), nil
}

// Over is an Asker of what a searcher has learned of an affiliate: these entries. With gives it a policy, which it
// needs.
func Over(searcher *retrieval.Searcher, phrases *dialogue.Phrases, affiliate knowledge.AffiliateID, entries []knowledge.Entry) *Asker {
	b := &Asker{account: bot.Account{Affiliates: []knowledge.AffiliateID{affiliate}}, searcher: searcher, phrases: phrases, topics: make(map[knowledge.EntryID]string)}
	for _, e := range entries {
		b.topics[e.ID] = e.Topic
	}
	return b
}

// learned is what was learned of an Asker's customers.
type learned retrieval.Offsets

// Offsets are those of the one affiliate that an Asker has.
func (l learned) Offsets(context.Context) (map[knowledge.AffiliateID]retrieval.Offsets, error) {
	return map[knowledge.AffiliateID]retrieval.Offsets{affiliate: retrieval.Offsets(l)}, nil
}

// With is b with another policy. Both answer from what was learned once.
func (b *Asker) With(policy dialogue.Policy) *Asker {
	other := *b
	other.engine = dialogue.NewEngine(b.searcher, b.phrases, policy)
	other.asker = dialogue.NewAsker(other.engine, other.account)
	return &other
}

// A Result is what the engine did with a case.
type Result struct {
	Case Case
	dialogue.Answer
	Topic  string // of the first relevant entry
	Passed bool   // every expectation of a suite's case was met
	Effort int    // taps and rewordings until the right answer, NoAnswer if it was not reached; of a suite's case
}

// NoAnswer is the Effort of a customer who did not reach the right answer.
const NoAnswer = -1

// question is the case as a customer would write it.
func (c Case) question() dialogue.Question {
	return dialogue.Question{ID: c.ID, Text: c.Text, Locale: c.Lang, Said: c.Context}
}

// resultOf is the answer to a case.
func (b *Asker) resultOf(c Case, a dialogue.Answer) Result {
	r := Result{Case: c, Answer: a}
	if c.InScope() {
		r.Topic = b.topics[c.Relevant[0]]
	}
	return r
}

// Ask asks one case as a conversation of its own.
func (b *Asker) Ask(ctx context.Context, c Case) (Result, error) {
	a, err := b.asker.Ask(ctx, c.question())
	return b.resultOf(c, a), err
}

// search is what the search finds for c's words alone.
func (b *Asker) search(ctx context.Context, c Case, limit int) ([]retrieval.Hit, error) {
	found, err := b.searcher.Search(ctx, retrieval.Query{Text: c.Text, Locale: c.Lang, Affiliates: b.account.Affiliates, Limit: limit})
	return found.Hits, err
}

// AskAll asks all cases, on all cores, and returns their results in order. asked, which may be nil,
// hears how many are done, from several goroutines.
func (b *Asker) AskAll(ctx context.Context, cases []Case, asked func(done int)) ([]Result, error) {
	questions := make([]dialogue.Question, len(cases))
	for i, c := range cases {
		questions[i] = c.question()
	}
	answers, err := b.asker.AskAll(ctx, questions, asked)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(cases))
	for i, a := range answers {
		results[i] = b.resultOf(cases[i], a)
	}
	return results, nil
}

// inParallel does work on each item, on all cores, and returns what came of each in order, or the
// first error.
func inParallel[In, Out any](ctx context.Context, items []In, work func(context.Context, In) (Out, error)) ([]Out, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make([]Out, len(items))
	parallel(len(items), func(i int) {
		if ctx.Err() != nil {
			return
		}
		out, err := work(ctx, items[i])
		if err != nil {
			cancel(err)
		}
		done[i] = out
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return done, nil
}

// parallel does work for 0 to n-1 on all cores.
func parallel(n int, work func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
}

// Right reports whether the best entry answers the case.
func (r Result) Right() bool { return len(r.Ranked) > 0 && r.relevant(r.Ranked[0].Entry) }

func (r Result) relevant(id knowledge.EntryID) bool { return slices.Contains(r.Case.Relevant, id) }

// Vectors is an embedder that embeds no wording twice; the corpora of many runs share one. It does
// not keep customers' questions.
type Vectors struct {
	Embedder
	mu     sync.Mutex
	known  map[string][]float32
	tokens map[string]late.Tokens

	multilingual *Vectors // for entries that are not in English; nil: there are no others
}

// An Embedder is the built-in one: it also says which words it knows.
type Embedder interface {
	retrieval.TokenEmbedder
	Words() []string
}

// NewVectors keeps the vectors of e.
func NewVectors(e Embedder) *Vectors {
	return &Vectors{Embedder: e, known: make(map[string][]float32), tokens: make(map[string]late.Tokens)}
}

// With reads entries that are not in English by another embedder, the multilingual one.
func (v *Vectors) With(multilingual Embedder) *Vectors {
	v.multilingual = NewVectors(multilingual)
	return v
}

// EmbedQuery embeds a customer's question.
func (v *Vectors) EmbedQuery(ctx context.Context, text string) (late.Tokens, error) {
	return retrieval.EmbedQuery(ctx, v.Embedder, text)
}

// Embed returns one vector per text, in order.
func (v *Vectors) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return once(ctx, texts, v.known, v.Embedder.Embed)
}

// EmbedTokens is Embed with the rows of each text's tokens.
func (v *Vectors) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return once(ctx, texts, v.tokens, v.Embedder.EmbedTokens)
}

// once embeds those texts that are not known.
func once[T any](ctx context.Context, texts []string, known map[string]T, embed func(context.Context, []string) ([]T, error)) ([]T, error) {
	var missing []string
	for _, t := range texts {
		if _, ok := known[t]; !ok {
			missing = append(missing, t)
		}
	}
	made, err := embed(ctx, missing)
	if err != nil {
		return nil, err
	}
	if len(made) != len(missing) {
		return nil, fmt.Errorf("%d vectors for %d texts", len(made), len(missing))
	}
	for i, t := range missing {
		known[t] = made[i]
	}
	list := make([]T, len(texts))
	for i, t := range texts {
		list[i] = known[t]
	}
	return list, nil
}
