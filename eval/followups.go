package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
)

// A FollowUp is a question that may need what was said before it, and what it means by itself.
type FollowUp struct {
	Text    string
	Context []string // what was said before, oldest first
	Rewrite string
}

// Rewrites are the entries of a test of follow-ups: what they mean, each once.
func Rewrites(affiliate knowledge.AffiliateID, rows []FollowUp) (list []knowledge.Entry) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.Rewrite] {
			continue
		}
		seen[r.Rewrite] = true
		id := knowledge.EntryID(fmt.Sprintf("r%d", len(list)))
		list = append(list, knowledge.Entry{ID: id, Key: string(id), Affiliate: affiliate, Question: r.Rewrite})
	}
	return list
}

// FollowUpFigures are how often the best entry is what the question means: recall@1.
type FollowUpFigures struct {
	Queries   int
	Alone     float64 // without what was said before
	InContext float64
}

// Share is how much of the way from Alone to 1 the context goes.
func (f FollowUpFigures) Share() float64 { return (f.InContext - f.Alone) / (1 - f.Alone) }

// MeasureFollowUps asks every row with its context and without. engine answers from Rewrites(rows) for
// account; two rewrites of the same text count as one.
func MeasureFollowUps(ctx context.Context, engine *dialogue.Engine, account bot.Account, rows []FollowUp) (FollowUpFigures, error) {
	entries := Rewrites("", rows)
	meant := make(map[string]knowledge.EntryID, len(entries))
	for _, e := range entries {
		meant[e.Question] = e.ID
	}
	var alone, inContext atomic.Int64
	err := each(len(rows), func(i int) error {
		for _, c := range []struct {
			context []string
			right   *atomic.Int64
		}{{nil, &alone}, {rows[i].Context, &inContext}} {
			o, err := put(ctx, engine, account, rows[i].Text, c.context)
			if err != nil {
				return err
			}
			if len(o.Trace.Hits) > 0 && o.Trace.Hits[0].Entry == meant[rows[i].Rewrite] {
				c.right.Add(1)
			}
		}
		return nil
	})
	n := float64(max(1, len(rows)))
	return FollowUpFigures{Queries: len(rows), Alone: float64(alone.Load()) / n, InContext: float64(inContext.Load()) / n}, err
}

// A Labelled is a question and the entries that answer it.
type Labelled struct {
	Text     string
	Relevant []knowledge.EntryID
}

// MeasureTopicChange asks rows after said other rows, drawn at random, and without: context that has
// nothing to do with a question must not change its answer. It returns accuracy@1 of both.
func MeasureTopicChange(ctx context.Context, engine *dialogue.Engine, account bot.Account, rows []Labelled, said int) (alone, after float64, err error) {
	random := rand.New(rand.NewPCG(1, uint64(said)))
	contexts := make([][]string, len(rows))
	for i := range contexts {
		for range said {
			contexts[i] = append(contexts[i], rows[random.IntN(len(rows))].Text)
		}
	}
	var right [2]atomic.Int64
	err = each(len(rows), func(i int) error {
		for k, before := range [][]string{nil, contexts[i]} {
			o, err := put(ctx, engine, account, rows[i].Text, before)
			if err != nil {
				return err
			}
			for _, id := range rows[i].Relevant {
				if len(o.Trace.Hits) > 0 && o.Trace.Hits[0].Entry == id {
					right[k].Add(1)
				}
			}
		}
		return nil
	})
	n := float64(max(1, len(rows)))
	return float64(right[0].Load()) / n, float64(right[1].Load()) / n, err
}

// put asks one question, in a conversation of its own in which before was said.
func put(ctx context.Context, engine *dialogue.Engine, account bot.Account, text string, before []string) (bot.Outcome, error) {
	now := time.Unix(1_700_000_000, 0)
	t := bot.Turn{ID: "eval", Account: account, Now: now, Conversation: bot.Conversation{ID: "eval", Mode: bot.ModeBot, OpenedAt: now},
		Waiting: []bot.Message{{ID: "eval", Author: bot.AuthorCustomer, Text: text, At: now}}}
	for _, said := range before {
		t.History = append(t.History, bot.Message{Author: bot.AuthorCustomer, Text: said, At: now})
	}
	return engine.Turn(ctx, t)
}

// each does n pieces of work on all cores and returns the first error.
func each(n int, do func(i int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	var once sync.Once
	var first error
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					once.Do(func() { first = err })
					next.Store(int64(n))
				}
			}
		})
	}
	group.Wait()
	return first
}
