package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"

	"github.com/philippgille/chromem-go"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/vector"
)

const affiliate knowledge.AffiliateID = "acme"

// search measures the nearest ten of 10,000 vectors, against reading as many bytes, and against
// chromem, which uses what cores it is given.
func search(ctx context.Context, b *bench) ([]row, error) {
	const count, dim, nearest = 10_000, encoder.Dim, 10
	r := rand.New(rand.NewPCG(3, 4))
	vectors := make([][]float32, count)
	docs, err := chromem.NewDB().CreateCollection("peer", nil, func(context.Context, string) ([]float32, error) {
		return nil, errors.New("no text is embedded here")
	})
	if err != nil {
		return nil, err
	}
	for i := range vectors {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(r.NormFloat64())
		}
		if vectors[i], err = vector.Unit(v); err != nil {
			return nil, err
		}
		if err := docs.AddDocument(ctx, chromem.Document{ID: strconv.Itoa(i), Embedding: vectors[i]}); err != nil {
			return nil, err
		}
	}
	set, err := vector.Build(ctx, vectors)
	if err != nil {
		return nil, err
	}
	slab := bytes.Repeat([]byte{1}, count*dim)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const repeats = 20 // a round's calls, of which all but the first find the memory warm
	var ours, read, theirs []float64
	for i := range 3 * b.rounds {
		query := vectors[i*37%count]
		for range repeats {
			ours = append(ours, timed(func() { _, err = set.Nearest(ctx, query, nearest) }))
		}
		found := 0
		for range repeats {
			// The runtime's assembly looks at every byte, as there is no 0.
			read = append(read, timed(func() { found += bytes.IndexByte(slab, 0) }))
		}
		var results []chromem.Result
		theirs = append(theirs, timed(func() { results, err = docs.QueryEmbedding(ctx, query, nearest, nil, nil) }))
		if err := errors.Join(err, sameNearest(ctx, set, query, results)); err != nil {
			return nil, err
		}
		if found != -repeats {
			return nil, errors.New("found a 0")
		}
	}
	mine := median(ours)
	return []row{
		{"search 10,000 × 384, against reading the int8 slab", microseconds(mine), microseconds(median(read)), mine / median(read), "×", 1.6},
		{"search 10,000 × 384, against chromem's Query", microseconds(mine), microseconds(median(theirs)), mine / median(theirs), "×", .05},
	}, nil
}

// sameNearest compares our answer with chromem's.
func sameNearest(ctx context.Context, set *vector.Set, query []float32, want []chromem.Result) error {
	got, err := set.Nearest(ctx, query, len(want))
	if err != nil {
		return err
	}
	for i, n := range got {
		if strconv.Itoa(n.Index) != want[i].ID {
			return fmt.Errorf("place %d is vector %d, and chromem's is %s", i, n.Index, want[i].ID)
		}
	}
	return nil
}

func timed(do func()) float64 {
	start := time.Now()
	do()
	return time.Since(start).Seconds()
}

func microseconds(seconds float64) string { return fmt.Sprintf("%.0f µs", seconds*1e6) }

// fixed is a corpus that is published nowhere.
type fixed []knowledge.Entry

func (f fixed) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{affiliate: 1}, nil
}

func (f fixed) Published(context.Context, knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	return f, 1, nil
}

// decision measures a whole turn over the big corpus: the customer's words read, encoded, searched
// for, ranked and decided on, and the reply worded.
func decision(ctx context.Context, b *bench) ([]row, error) {
	defer b.close()
	engine, err := newEngine(ctx)
	if err != nil {
		return nil, err
	}
	texts := questions()
	int8, err := b.onnxruntime(ctx, "int8", 1)
	if err != nil {
		return nil, err
	}
	float32, err := b.onnxruntime(ctx, b.path("model", "model.onnx"), 1)
	if err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ours, byInt8, byFloat32 []float64
	for i, text := range asked(10 * b.rounds) {
		ours = append(ours, timed(func() { err = decide(ctx, engine, text) }))
		if err != nil {
			return nil, err
		}
		if i%10 != 0 {
			continue
		}
		for _, p := range []struct {
			peer *peer
			to   *[]float64
		}{{int8, &byInt8}, {float32, &byFloat32}} {
			var seconds []float64
			if err := p.peer.ask(request{Each: texts}, &seconds); err != nil {
				return nil, err
			}
			*p.to = append(*p.to, seconds...)
		}
	}
	mine, theirs := median(ours), min(median(byInt8), median(byFloat32))
	return []row{{"decide at 10,000 entries × 3, against onnxruntime's encode alone", milliseconds(mine), milliseconds(theirs), mine / theirs, "×", .9}}, nil
}

func newEngine(ctx context.Context) (*dialogue.Engine, error) {
	var corpus fixed
	for _, r := range entries() {
		r.ID, r.Affiliate = knowledge.EntryID(r.Key), affiliate
		corpus = append(corpus, r.Entry)
	}
	e, err := encoder.New()
	if err != nil {
		return nil, err
	}
	phrases, err := dialogue.LoadPhrases()
	if err != nil {
		return nil, err
	}
	s := retrieval.NewSearcher(corpus, e, retrieval.SearcherOptions{})
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	return dialogue.NewEngine(s, phrases, dialogue.DefaultPolicy()), nil
}

// decide runs a turn of a new conversation.
func decide(ctx context.Context, e *dialogue.Engine, text string) error {
	now := time.Now()
	o, err := e.Turn(ctx, bot.Turn{ID: "bench", Account: bot.Account{Affiliates: []knowledge.AffiliateID{affiliate}}, Now: now,
		Conversation: bot.Conversation{ID: "bench", Mode: bot.ModeBot, OpenedAt: now},
		Waiting:      []bot.Message{{ID: "bench", Author: bot.AuthorCustomer, Text: text, At: now}}})
	if err == nil && len(o.Replies) == 0 {
		return fmt.Errorf("no reply to %q", text)
	}
	return err
}
