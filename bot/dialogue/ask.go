package dialogue

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// An Asker asks the engine that serves customers one question at a time. The HTTP API, the try-it box,
// the ask command and eval all ask through it. It is safe for concurrent use.
type Asker struct {
	engine  *Engine
	account bot.Account
}

// NewAsker returns an Asker that learns what a customer of account would be told.
func NewAsker(engine *Engine, account bot.Account) *Asker {
	return &Asker{engine: engine, account: account}
}

// A Question is what a customer would write.
type Question struct {
	ID     string
	Text   string
	Locale string   // BCP 47, "" if not known
	Said   []string // what they wrote before, oldest first
}

// An Answer is what the engine did with a question.
type Answer struct {
	Question Question
	Outcome  bot.Outcome
	Ranked   []Ranked // best first
	Took     time.Duration
}

// A Ranked is an entry with the probability that it answers.
type Ranked struct {
	Entry       knowledge.EntryID
	Probability float64
}

// Probability is that of the best entry; 0 if none was found.
func (a Answer) Probability() float64 {
	if len(a.Ranked) == 0 {
		return 0
	}
	return a.Ranked[0].Probability
}

// Ask asks one question as a conversation of its own.
func (a *Asker) Ask(ctx context.Context, q Question) (Answer, error) {
	now := time.Now()
	t := bot.Turn{ID: "ask", Account: a.account, Now: now,
		Conversation: bot.Conversation{ID: "ask", Locale: q.Locale, Mode: bot.ModeBot, OpenedAt: now},
		Waiting:      []bot.Message{{ID: "ask", Author: bot.AuthorCustomer, Text: q.Text, At: now}}}
	for _, said := range q.Said {
		t.History = append(t.History, bot.Message{Author: bot.AuthorCustomer, Text: said, At: now})
	}
	o, err := a.engine.Turn(ctx, t)
	if err != nil {
		return Answer{}, fmt.Errorf("question %s: %w", q.ID, err)
	}
	answer := Answer{Question: q, Outcome: o, Took: time.Since(now)}
	for _, h := range o.Trace.Hits {
		answer.Ranked = append(answer.Ranked, Ranked{h.Entry, h.Score})
	}
	return answer, nil
}

// AskAll asks all questions, on all cores, and returns their answers in order. asked, which may be nil,
// is told how many are done, by several goroutines.
func (a *Asker) AskAll(ctx context.Context, questions []Question, asked func(done int)) ([]Answer, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	answers := make([]Answer, len(questions))
	var done atomic.Int64
	for i, q := range questions {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			answer, err := a.Ask(ctx, q)
			if err != nil {
				return err
			}
			answers[i] = answer
			if n := int(done.Add(1)); asked != nil {
				asked(n)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return answers, nil
}

// Unpublished is a corpus of entries that are published nowhere, as one affiliate's.
type Unpublished struct {
	affiliate knowledge.AffiliateID
	entries   []knowledge.Entry
}

var _ retrieval.Corpus = Unpublished{}

// NewUnpublished returns the corpus of entries, which have IDs, as affiliate's.
func NewUnpublished(affiliate knowledge.AffiliateID, entries []knowledge.Entry) Unpublished {
	own := slices.Clone(entries)
	for i := range own {
		own[i].Affiliate = affiliate
	}
	return Unpublished{affiliate, own}
}

// Revisions says that there is one revision.
func (u Unpublished) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{u.affiliate: 1}, nil
}

// Published returns the entries.
func (u Unpublished) Published(context.Context, knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	return u.entries, 1, nil
}
