package retrieval

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval/late"
	"faqbot/retrieval/vector"
)

// Of two builds of an index that overlap the later one to end replaces nothing.
func TestAnOvertakenBuildReplacesNothing(t *testing.T) {
	s := NewSearcher(nil, &recorded{}, SearcherOptions{})
	first, second := &index{revision: 1}, &index{revision: 2}
	require.True(t, s.replace("acme", nil, second))
	require.False(t, s.replace("acme", nil, first))
	require.Same(t, second, (*s.indexes.Load())["acme"])
}

// recorded is an embedder with token rows that knows what it was asked.
type recorded struct {
	mu              sync.Mutex
	vectors, tokens []string
}

func (r *recorded) Space() string { return "recorded" }

func (r *recorded) Embed(_ context.Context, texts []string) (list [][]float32, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.vectors = append(r.vectors, texts...)
	for range texts {
		list = append(list, []float32{.6, .8})
	}
	return list, nil
}

func (r *recorded) EmbedTokens(_ context.Context, texts []string) (list []late.Tokens, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = append(r.tokens, texts...)
	row := make([]float32, 64)
	row[0] = 1
	for range texts {
		t := late.Tokens{Vector: []float32{.6, .8}, Pieces: []uint32{7}}
		t.Rows.Append(row)
		list = append(list, t)
	}
	return list, nil
}

// many is an entry with n wordings.
func many(n int) knowledge.Entry {
	e := knowledge.Entry{ID: "many", Affiliate: "acme", Question: "wording 0", Answer: "said"}
	for i := 1; i < n; i++ {
		e.Variants = append(e.Variants, fmt.Sprint("wording ", i))
	}
	return e
}

func TestPassagesAndTheFirstWordingsHaveTokens(t *testing.T) {
	e := &recorded{}
	p, err := newIndex("acme", 1, []knowledge.Entry{many(maxCompared + 3), {ID: "bare", Affiliate: "acme", Question: "bare"}})
	require.NoError(t, err)
	sp, err := p.embed(t.Context(), e, nil)
	require.NoError(t, err)
	require.ElementsMatch(t, append(many(maxCompared).Wordings(), "wording 0\nsaid", "bare"), e.tokens, "each once")
	require.Equal(t, []string{"wording 16", "wording 17", "wording 18"}, e.vectors)
	require.Zero(t, sp.wordings[maxCompared].Rows.Len())
	require.Equal(t, 1, sp.passages[1].Rows.Len(), "an entry without an answer has its question as passage")

	p.builtin, e.tokens, e.vectors = sp, nil, nil
	fewer := many(maxCompared + 3)
	fewer.Variants = fewer.Variants[1:]
	again, err := newIndex("acme", 2, []knowledge.Entry{fewer})
	require.NoError(t, err)
	_, err = again.embed(t.Context(), e, p.tokens(builtinOf))
	require.NoError(t, err)
	require.Equal(t, []string{"wording 16"}, e.tokens, "the only one that had no rows and now needs them")
	require.Empty(t, e.vectors)
}

func TestPreparedIsWhatIsSearched(t *testing.T) {
	prepared, searched := &recorded{}, &recorded{}
	entries := []knowledge.Entry{many(maxCompared + 2)}
	require.NoError(t, Prepare(t.Context(), prepared, entries))
	p, err := newIndex("acme", 1, entries)
	require.NoError(t, err)
	_, err = p.embed(t.Context(), searched, nil)
	require.NoError(t, err)
	require.Equal(t, searched.tokens, prepared.tokens)
	require.Equal(t, searched.vectors, prepared.vectors)
	require.Subset(t, Texts(entries), append(prepared.tokens, prepared.vectors...), "what is swept is never needed")
}

func TestWithoutAnswersThereAreNoPassages(t *testing.T) {
	e := &recorded{}
	p, err := newIndex("acme", 1, []knowledge.Entry{{ID: "a", Affiliate: "acme", Question: "a"}, {ID: "b", Affiliate: "acme", Question: "b"}})
	require.NoError(t, err)
	sp, err := p.embed(t.Context(), e, nil)
	require.NoError(t, err)
	require.Nil(t, sp.passages)
	require.Equal(t, []string{"a", "b"}, e.tokens)
}

func TestAPassageIsTheBeginningOfALongAnswer(t *testing.T) {
	text := passage(knowledge.Entry{Question: "q", Answer: strings.Repeat("word ", 1000)})
	require.LessOrEqual(t, len(text), answerMost+2)
	require.True(t, strings.HasPrefix(text, "q\nword word"))
}

// A space without token rows ranks by vectors alone, and its probability is another.
func TestWithoutTokensNothingIsCompared(t *testing.T) {
	e := &recorded{}
	p, err := newIndex("acme", 1, []knowledge.Entry{{ID: "a", Affiliate: "acme", Question: "a"}, {ID: "b", Affiliate: "acme", Question: "b"}})
	require.NoError(t, err)
	with, err := p.embed(t.Context(), e, nil)
	require.NoError(t, err)
	without, err := p.embed(t.Context(), struct{ Embedder }{e}, nil)
	require.NoError(t, err)
	tokens, err := e.EmbedTokens(t.Context(), []string{"a"})
	require.NoError(t, err)
	v, err := vector.Unit(tokens[0].Vector)
	require.NoError(t, err)
	q := question{limit: 2, variants: []queryVariant{{text: "a", vector: v, tokens: late.NewQuestion(tokens[0])}}}
	with.curve, without.curve = ShippedCalibrations().For(otherSpaces), ShippedCalibrations().For(otherSpaces)
	compared, err := p.rank(t.Context(), with, q, new(buffers))
	require.NoError(t, err)
	plain, err := p.rank(t.Context(), without, q, new(buffers))
	require.NoError(t, err)
	require.InDelta(t, 1, compared[0].Parts.Late, .01)
	require.Zero(t, plain[0].Parts.Late)
	require.True(t, compared[0].Evidence.Tokens)
	require.False(t, plain[0].Evidence.Tokens)
	require.Equal(t, compared[0].Evidence.Sure, plain[0].Evidence.Sure)
	require.NotEqual(t, compared[0].Score, plain[0].Score)
}
