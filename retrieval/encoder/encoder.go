package encoder

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"faqbot/retrieval/late"
)

// Dim is the length of every vector.
const Dim = 384

// An Encoder embeds texts. It is safe for concurrent use.
type Encoder struct {
	tokens    *tokenizer
	net       *network
	rows      [][]float32 // the directions that a token's row is projected to
	kernel    string
	scratches sync.Pool // of *scratch
}

// New loads the embedded English model, for the quickest kernel that this machine can run.
func New() (*Encoder, error) {
	return newEncoder(kernels()[0])
}

func newEncoder(k kernel) (*Encoder, error) {
	net, tokens, err := load(english, k)
	if err != nil {
		return nil, err
	}
	rows, err := loadProjection(projection)
	if err != nil {
		return nil, err
	}
	return &Encoder{
		tokens:    tokens,
		net:       net,
		rows:      rows,
		kernel:    k.name,
		scratches: sync.Pool{New: func() any { return new(scratch) }},
	}, nil
}

// Space names the vector space. Vectors may only be compared within one space: whoever stores
// vectors stores its name too and embeds anew when it differs. It must change whenever the weights,
// the tokenizer or the numerics do.
func (e *Encoder) Space() string { return "all-MiniLM-L6-v2/int8/1" }

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
		e.net.embed(vectors[i], ids, s)
	})
	if err != nil {
		return nil, err
	}
	return vectors, nil
}

// EmbedTokens is Embed that also returns the rows of each text's first tokens, [CLS] and [SEP] left out:
// what the last layer makes of them, projected to RowDim numbers and scaled to length one.
func (e *Encoder) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	list := make([]late.Tokens, len(texts))
	err := e.each(ctx, texts, func(i int, ids []int32, s *scratch) {
		list[i].Vector = make([]float32, Dim)
		e.net.embed(list[i].Vector, ids, s)
		for _, id := range ids[1 : len(ids)-1] {
			list[i].Pieces = append(list[i].Pieces, uint16(id))
		}
		list[i].Rows = e.project(s.x, min(len(ids)-2, late.MaxRows))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// TokenRows are the rows of a text's tokens as the last layer leaves them, [CLS] and [SEP] left out: what a
// projection is fitted to.
func (e *Encoder) TokenRows(text string) (rows [][]float32) {
	_ = e.each(context.Background(), []string{text}, func(_ int, ids []int32, s *scratch) {
		e.net.embed(make([]float32, Dim), ids, s)
		for i := 1; i < len(ids)-1; i++ {
			rows = append(rows, append([]float32(nil), s.x[i*hidden:][:hidden]...))
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
