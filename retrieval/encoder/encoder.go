package encoder

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"faqbot/retrieval/late"
)

// Dim is the length of every vector.
const Dim = 384

// An Encoder embeds texts. It is safe for concurrent use.
type Encoder struct {
	space     string
	tokens    tokenizer
	lead      int // tokens before a text's own; behind them is one
	net       *network
	words     map[string]int32 // those that the model knows whole
	mean      []float32        // taken from vectors before they are of length one; nil: nothing is
	meanRow   []float32        // likewise from tokens' rows
	rows      [][]float32      // the directions that a token's row is projected to
	kernel    string
	scratches sync.Pool // of *scratch
}

// New loads the embedded English model, for the quickest kernel that this machine can run.
func New() (*Encoder, error) {
	return newEncoder(kernels()[0])
}

func newEncoder(k kernel) (*Encoder, error) {
	net, tokens, err := loadEnglish(english, k)
	if err != nil {
		return nil, err
	}
	rows, err := loadProjection(projection)
	if err != nil {
		return nil, err
	}
	return &Encoder{
		space:     "all-MiniLM-L6-v2/int8/1",
		tokens:    tokens,
		lead:      1, // [CLS]
		net:       net,
		words:     tokens.words,
		rows:      rows,
		kernel:    k.name,
		scratches: newScratches(),
	}, nil
}

func newScratches() sync.Pool { return sync.Pool{New: func() any { return new(scratch) }} }

// Space names the vector space. Vectors may only be compared within one space: whoever stores
// vectors stores its name too and embeds anew when it differs. It must change whenever the weights,
// the tokenizer or the numerics do.
func (e *Encoder) Space() string { return e.space }

// Kernel names the matrix kernel in use, for people and benchmarks. All kernels give the same
// vectors, to the bit.
func (e *Encoder) Kernel() string { return e.kernel }

// Embed returns one unit vector of Dim numbers per text, in order; a text's vector does not depend
// on the others. Any text will do, the empty one included; what is beyond 256 tokens is not read.
// Embed looks at ctx between texts and then returns its error. Several texts are spread over
// GOMAXPROCS goroutines, which have ended when Embed returns.
func (e *Encoder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	slab := make([]float32, len(texts)*Dim)
	for i := range vectors {
		vectors[i] = slab[i*Dim : (i+1)*Dim : (i+1)*Dim]
	}
	err := e.each(ctx, texts, func(i int, ids []int32, s *scratch) {
		e.embedIDs(vectors[i], ids, s)
	})
	if err != nil {
		return nil, err
	}
	return vectors, nil
}

// embedIDs is network.embedIDs without the direction that all texts share. Of the multilingual model's that is most of the
// vector: cosines of any two texts are between .75 and 1, which drowns differences in what else entries are ranked by.
func (e *Encoder) embedIDs(dst []float32, ids []int32, s *scratch) {
	e.net.embed(dst, ids, s)
	if e.mean != nil {
		unit(centred(dst, e.mean))
	}
}

// centred is v less mean, in place.
func centred(v, mean []float32) []float32 {
	for i, m := range mean {
		v[i] -= m
	}
	return v
}

// EmbedTokens is Embed that also returns the rows of each text's first tokens, those at both ends left out:
// what the last layer makes of them, projected to RowDim numbers and scaled to length one.
func (e *Encoder) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	list := make([]late.Tokens, len(texts))
	err := e.each(ctx, texts, func(i int, ids []int32, s *scratch) {
		list[i].Vector = make([]float32, Dim)
		e.embedIDs(list[i].Vector, ids, s)
		own := ids[e.lead : len(ids)-1]
		for _, id := range own {
			list[i].Pieces = append(list[i].Pieces, uint32(id))
		}
		list[i].Rows = e.project(s.x, min(len(own), late.MaxRows))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// TokenRows are the rows of a text's tokens before they are projected, those at both ends left out: what a projection
// is fitted to.
func (e *Encoder) TokenRows(text string) (rows [][]float32) {
	_ = e.each(context.Background(), []string{text}, func(_ int, ids []int32, s *scratch) {
		e.net.embed(make([]float32, Dim), ids, s)
		for i := e.lead; i < len(ids)-1; i++ {
			rows = append(rows, centred(slices.Clone(s.x[i*hidden:][:hidden]), e.meanRow))
		}
	})
	return rows
}

// each lets work read each text's tokens, several texts at a time.
func (e *Encoder) each(ctx context.Context, texts []string, work func(i int, ids []int32, s *scratch)) error {
	var next atomic.Int64
	worker := func() {
		s := e.scratches.Get().(*scratch)
		defer e.scratches.Put(s)
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(texts) {
				return
			}
			s.ids = e.tokens.append(s.ids[:0], texts[i], &s.tokenScratch)
			work(i, s.ids, s)
		}
	}
	var group sync.WaitGroup
	for range min(len(texts), runtime.GOMAXPROCS(0)) - 1 {
		group.Go(worker)
	}
	worker()
	group.Wait()
	return ctx.Err()
}
