package encoder

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Dim is the length of every vector.
const Dim = 384

// An Encoder embeds texts. It is safe for concurrent use.
type Encoder struct {
	tokens    *tokenizer
	net       *network
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
	return &Encoder{
		tokens:    tokens,
		net:       net,
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
	var next atomic.Int64
	work := func() {
		s := e.scratches.Get().(*scratch)
		defer e.scratches.Put(s)
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(texts) {
				return
			}
			s.ids = e.tokens.append(s.ids[:0], texts[i], &s.tokenScratch)
			e.net.embed(vectors[i], s.ids, s)
		}
	}
	var group sync.WaitGroup
	for range min(len(texts), runtime.GOMAXPROCS(0)) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return vectors, nil
}
