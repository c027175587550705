package vector

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/philippgille/chromem-go"
)

// collectionMax is the number of vectors up to which chromem answers. A query of 128 neighbours took chromem 34 µs
// among 64 vectors of 384 numbers, 88 µs among 128, 190 µs among 256 and 585 µs among 1,024, on two cores; a customer's
// turn takes 3 ms. The scan of 8-bit integers takes 4 to 45 µs, but needs a second copy of the vectors.
const collectionMax = 256

// A collection is the vectors in chromem, which shares their memory. Its traps are kept here: it is filled once and
// never persisted, is never asked for more than it holds, and leaves the choice among equals to chance.
type collection struct {
	docs *chromem.Collection
}

// newCollection takes unit vectors, all of one length.
func newCollection(ctx context.Context, vectors [][]float32) (*collection, error) {
	// The collection is never given a text, so its embedding function, which by default calls a
	// paid service, must not be reached.
	docs, err := chromem.NewDB().CreateCollection("wordings", nil, refuseText)
	if err != nil {
		return nil, fmt.Errorf("make collection: %w", err)
	}
	for i, v := range vectors {
		// No Metadata: chromem keeps the caller's map, not its copy.
		if err := docs.AddDocument(ctx, chromem.Document{ID: strconv.Itoa(i), Embedding: v}); err != nil {
			return nil, fmt.Errorf("add vector %d: %w", i, err)
		}
	}
	return &collection{docs: docs}, nil
}

func refuseText(context.Context, string) ([]float32, error) {
	return nil, errors.New("texts are embedded before they come here")
}

// nearest returns the places of the n vectors nearest to q, a unit vector, in no order that can be relied on, and what
// the cosine of a vector that is not among them is at most.
func (c *collection) nearest(ctx context.Context, q []float32, n int) (places []int, limit float64, err error) {
	found, err := c.docs.QueryEmbedding(ctx, q, n, nil, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("ask chromem: %w", err)
	}
	if err := ctx.Err(); err != nil { // chromem then returns a part of the results
		return nil, 0, err
	}
	places = make([]int, len(found))
	for i, r := range found {
		if places[i], err = strconv.Atoi(r.ID); err != nil {
			return nil, 0, fmt.Errorf("chromem's ID: %w", err)
		}
	}
	// chromem adds products in another order than a kernel. Each float32 addition or product is wrong by at most
	// one part in 2²⁴.
	margin := 2 * float64(len(q)+64) / (1 << 24)
	return places, float64(found[len(found)-1].Similarity) + margin, nil
}
