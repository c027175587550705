package eval

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/late"
)

const shopFAQ = `{"id":"ship","question":"How long does shipping take?","answer":"Three days.","topic":"orders","variants":["when will my parcel arrive"]}
{"id":"pay","question":"How can I pay?","answer":"By card.","topic":"money","variants":["do you take credit cards"]}
{"id":"return","question":"How do I return an order?","answer":"Within 30 days.","topic":"orders"}
`

func write(t *testing.T, folder, name, content string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestReadSet(t *testing.T) {
	dir := t.TempDir()
	faq := write(t, dir, "faq.jsonl", shopFAQ)
	queries := write(t, dir, "queries.jsonl", "\xEF\xBB\xBF"+`{"id":"1","text":"how do I pay","relevant":["pay"],"lang":"en","tags":"KZ","noise":"none"}

{"id":"2","text":"and abroad?","relevant":["ship","return"],"context":["how long does it take"],"dialog":"d","tags":["short"]}
{"id":"3","text":"what is love","relevant":[],"kind":"ood-oos"}
`)
	s, err := ReadSet("shop", faq, queries)
	require.NoError(t, err)
	require.Len(t, s.Entries, 3)
	require.Equal(t, knowledge.EntryID("ship"), s.Entries[0].ID)
	require.Equal(t, []Case{
		{ID: "1", Text: "how do I pay", Relevant: []knowledge.EntryID{"pay"}, Lang: "en", Tags: []string{"K", "Z"}},
		{ID: "2", Text: "and abroad?", Relevant: []knowledge.EntryID{"ship", "return"}, Context: []string{"how long does it take"}, Dialog: "d", Tags: []string{"short"}},
		{ID: "3", Text: "what is love", Relevant: []knowledge.EntryID{}, Kind: "ood-oos"},
	}, s.Cases)
	require.False(t, s.Cases[2].InScope())
}

func TestReadSetSaysWhatIsWrongAndWhere(t *testing.T) {
	dir := t.TempDir()
	good := `{"id":"1","text":"x","relevant":["pay"]}` + "\n"
	for name, c := range map[string]struct{ faq, queries, want string }{
		"not JSON":         {shopFAQ, good + "{", "queries.jsonl, line 2"},
		"wrong type":       {shopFAQ, `{"id":1}`, "queries.jsonl, line 1"},
		"no id":            {shopFAQ, `{"text":"x","relevant":[]}`, `line 1: "id" is missing`},
		"id twice":         {shopFAQ, good + good, `line 2: the id "1" stood on line 1 before`},
		"no text":          {shopFAQ, `{"id":"1","text":" ","relevant":[]}`, `line 1: "text" is missing`},
		"no relevant":      {shopFAQ, `{"id":"1","text":"x"}`, `line 1: "relevant" is missing; write []`},
		"unknown entry":    {shopFAQ, `{"id":"1","text":"x","relevant":["gone"]}`, `line 1: "gone" in "relevant" is not`},
		"bad tags":         {shopFAQ, `{"id":"1","text":"x","relevant":[],"tags":7}`, `line 1: "tags"`},
		"nothing":          {shopFAQ, "\n", "has no rows"},
		"row too long":     {shopFAQ, good + `{"id":"` + strings.Repeat("x", 4<<20) + `"}`, "line 2: the row is longer than 4 MiB"},
		"a lost entry":     {`{"id":"a","question":"one?"}` + "\n" + `{"id":"b","question":""}`, good, "faq.jsonl, line 2: The question is missing"},
		"an unusable file": {"", good, "faq.jsonl, line 0: The file is empty"},
	} {
		_, err := ReadSet("x", write(t, dir, "faq.jsonl", c.faq), write(t, dir, "queries.jsonl", c.queries))
		require.ErrorContains(t, err, c.want, name)
	}
	_, err := ReadSet("x", filepath.Join(dir, "none.jsonl"), "")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// The engine that serves, asked for real.
func TestBotAsksTheEngine(t *testing.T) {
	dir := t.TempDir()
	s, err := ReadSet("shop", write(t, dir, "faq.jsonl", shopFAQ), write(t, dir, "queries.jsonl",
		`{"id":"1","text":"do you take credit cards?","relevant":["pay"]}
{"id":"2","text":"how do I return an order","relevant":["return"]}
{"id":"3","text":"who won the battle of Hastings","relevant":[]}
`))
	require.NoError(t, err)
	e, err := encoder.New()
	require.NoError(t, err)
	b, err := NewAsker(t.Context(), s.Entries, NewVectors(e))
	require.NoError(t, err)
	var asked atomic.Int64
	results, err := b.AskAll(t.Context(), s.Cases, func(int) { asked.Add(1) })
	require.NoError(t, err)
	require.Len(t, results, 3)
	require.EqualValues(t, 3, asked.Load())
	for i, r := range results {
		require.Equal(t, s.Cases[i].ID, r.Case.ID)
		require.Len(t, r.Ranked, 3)
		require.Positive(t, r.Took)
	}
	require.Equal(t, AnsweredRight, results[0].Verdict())
	require.Equal(t, bot.ActionAnswer, results[0].Outcome.Decision.Action)
	require.True(t, results[1].Right())
	require.Equal(t, "orders", results[1].Topic)
	require.False(t, results[2].Right())
	require.Less(t, results[2].Probability(), .5)

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.AskAll(stopped, s.Cases, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// A counting is an embedder that remembers how much it was asked.
type counting struct {
	*encoder.Encoder
	mu    sync.Mutex
	times map[string]int
}

func (c *counting) count(texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range texts {
		c.times[t]++
	}
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	c.count(texts)
	return c.Encoder.Embed(ctx, texts)
}

// EmbedTokens counts what is asked of it as well, but not the questions, which come one at a time.
func (c *counting) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	if len(texts) > 1 {
		c.count(texts)
	}
	return c.Encoder.EmbedTokens(ctx, texts)
}

func TestVectorsEmbedAWordingOnce(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	c := &counting{Encoder: e, times: make(map[string]int)}
	v := NewVectors(c)
	first, err := v.Embed(t.Context(), []string{"one", "two"})
	require.NoError(t, err)
	second, err := v.Embed(t.Context(), []string{"two", "three", "one"})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"one": 1, "two": 1, "three": 1}, c.times)
	require.Equal(t, [][]float32{first[1], first[0]}, [][]float32{second[0], second[2]})
	require.False(t, math.IsNaN(float64(second[1][0])))
}
