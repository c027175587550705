// Package retrieval finds the entries that may answer a question and says how likely each does.
//
// A Searcher keeps a snapshot of what is published: for each affiliate an immutable index with the
// entries, the vectors of their wordings, what was learned from those, and an index of their
// spelling. Searches read the snapshot they found; a publish replaces its affiliate's index and
// disturbs nobody. A hit carries its whole entry, so that an answer never quotes what has changed
// since.
//
// The package does not decide whether to answer, and it writes nothing.
package retrieval

import (
	"context"
	"fmt"

	"faqbot/knowledge"
	"faqbot/retrieval/contrast"
	"faqbot/retrieval/late"
)

// A Query is one question put to the corpus.
type Query struct {
	Text       string
	Language   string                  // Text's, if it shows; else ""
	Locale     string                  // preferred among an entry's translations; "" if unknown
	Affiliates []knowledge.AffiliateID // whose entries may answer: none if empty, all with knowledge.Everyone
	Limit      int                     // hits wanted; 0 means 10

	Before            []string // what was said before in the same matter, oldest first; the last 6 count
	ContextDependence float64  // how much Text needs Before to be understood: 0, it stands alone, to 1
}

// A Hit is an entry that may answer the query.
type Hit struct {
	Entry   knowledge.Entry
	Wording string // the question or variant that matched best
	// Score is the probability that Entry answers the query. The best hit's comes from calibration. The
	// others share what a second try as good as the first would add, p(1-p), by their odds: on public sets
	// the three best hold the answer half again as often as the best alone.
	Score float64
	Odds  float64 // how likely Entry is the one meant compared with the best hit, whose odds are 1
	Exact bool    // the query, as it is or spelt right, is the wording
	// Contrast is what the query asks about in place of something that Entry speaks of, nil if there is none. Only an
	// affiliate's best hit has it.
	Contrast *contrast.Contrast

	Parts    Features // what the entry is ranked by
	Evidence Evidence // what Score was worked out from
}

// A Result is the hits of one query, best first, ties broken by entry ID.
type Result struct {
	Hits      []Hit
	Revisions map[knowledge.AffiliateID]knowledge.Revision // what was searched
	Space     string                                       // the vector space that answered

	Multilingual bool      // it was the multilingual encoder's, which compares texts of any languages
	Vector       []float32 // the query's vector in it, nil if nothing was searched
	Fallback     string    // why the configured embedder did not answer, "" if it did
}

// An Embedder turns texts into unit vectors.
type Embedder interface {
	// Space names the vector space. Vectors of two spaces are never compared.
	Space() string
	// Embed returns one vector per text, in order.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// A TokenEmbedder is an Embedder that also returns the rows of a text's tokens, for late interaction.
type TokenEmbedder interface {
	Embedder
	// EmbedTokens returns one for each text, in order. Their vectors are those of Embed.
	EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error)
}

// A QueryEmbedder is an Embedder that treats a customer's question otherwise than a wording: a
// cache does not keep it, some models want it marked.
type QueryEmbedder interface {
	Embedder
	EmbedQuery(ctx context.Context, text string) (late.Tokens, error)
}

// EmbedTokens returns texts' vectors with the rows of their tokens; without rows if e gives none.
func EmbedTokens(ctx context.Context, e Embedder, texts []string) ([]late.Tokens, error) {
	if t, ok := e.(TokenEmbedder); ok {
		return t.EmbedTokens(ctx, texts)
	}
	vectors, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	list := make([]late.Tokens, len(vectors))
	for i, v := range vectors {
		list[i].Vector = v
	}
	return list, nil
}

// EmbedQuery returns e's vector of a customer's question, with the rows of its tokens if e gives such.
func EmbedQuery(ctx context.Context, e Embedder, text string) (late.Tokens, error) {
	if q, ok := e.(QueryEmbedder); ok {
		return q.EmbedQuery(ctx, text)
	}
	list, err := EmbedTokens(ctx, e, []string{text})
	if err != nil {
		return late.Tokens{}, err
	}
	if len(list) != 1 {
		return late.Tokens{}, fmt.Errorf("embedder %s returned %d vectors for one text", e.Space(), len(list))
	}
	return list[0], nil
}
