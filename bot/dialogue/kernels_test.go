package dialogue

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
	"faqbot/retrieval/late"
)

// kernelPaths are what GODEBUG leaves of a processor, for each path through the kernels.
var kernelPaths = []string{"", "cpu.avx512f=off", "cpu.avx512f=off,cpu.avx2=off"}

const decideHere = "FAQBOT_TEST_DECIDE" // makes the test decide, and print what, instead of comparing

// Whatever the processor has, a customer gets the same reply, with the same probabilities to the bit.
func TestSameDecisionsOnEveryKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	if os.Getenv(decideHere) != "" {
		fmt.Fprintln(os.Stdout, decisionsHere(t))
		return
	}
	var first string
	kernels := map[string]bool{}
	for _, path := range kernelPaths {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSameDecisionsOnEveryKernel$")
		cmd.Env = append(os.Environ(), decideHere+"=1", "GODEBUG="+path)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", path, out)
		kernel, decided, ok := strings.Cut(string(out), "\n")
		require.True(t, ok)
		decided, _, _ = strings.Cut(decided, "\n")
		require.Contains(t, decided, `"action":"answer"`)
		require.Contains(t, decided, `"cosine":`)
		kernels[kernel] = true
		if first == "" {
			first = decided
		}
		require.Equal(t, first, decided, "%s decides otherwise", kernel)
	}
	if runtime.GOARCH == "amd64" {
		require.True(t, kernels["go"], "the plain path was not taken")
	}
	t.Log(kernels)
}

// decisionsHere gives the kernel's name and the whole outcomes as lines of JSON, which writes floats so
// that every bit counts.
func decisionsHere(t *testing.T) string {
	e, err := encoder.New()
	require.NoError(t, err)
	phrases, err := LoadPhrases()
	require.NoError(t, err)
	corpus := paddedCorpus()
	s := retrieval.NewSearcher(corpus, paddedEncoder{e}, retrieval.SearcherOptions{})
	require.NoError(t, s.Refresh(t.Context()))
	engine := NewEngine(s, phrases, DefaultPolicy())
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var outcomes []bot.Outcome
	for _, text := range []string{
		"how do i cancel my subscription", "Where is my parcel now??", "i wnat to retrun the winter coat", "invoice", "do you sell boats",
		"The gift card that I bought in March for my sister does not work in your shop in Porto; what can she do about that, and whom should she write to?",
	} {
		o, err := engine.Turn(t.Context(), bot.Turn{ID: "t", Account: bot.Account{Affiliates: []knowledge.AffiliateID{"acme"}}, Now: now,
			Conversation: bot.Conversation{ID: "c", Mode: bot.ModeBot, OpenedAt: now},
			Waiting:      []bot.Message{{ID: "m", Author: bot.AuthorCustomer, Text: text, At: now}}})
		require.NoError(t, err)
		outcomes = append(outcomes, o)
	}
	var decided []any
	for _, o := range outcomes {
		decided = append(decided, map[string]any{"action": o.Decision.Action, "score": o.Decision.Score, "replies": o.Replies, "trace": o.Trace})
	}
	raw, err := json.Marshal(decided)
	require.NoError(t, err)
	return e.Kernel() + "\n" + string(raw)
}

// filler marks the wordings that are there to fill the corpus: enough for the scan to be used.
const filler = "filler "

type fixedEntries []knowledge.Entry

func paddedCorpus() (list fixedEntries) {
	for i, question := range []string{
		"How do I cancel my subscription?", "How do I pause my subscription?", "Where is my parcel?", "How do I return the winter coat?",
		"How do I get an invoice?", "Why does my gift card not work?", "How do I pay by bank transfer?", "How do I change my address?",
	} {
		id := knowledge.EntryID(fmt.Sprintf("E%d", i))
		list = append(list, knowledge.Entry{ID: id, Key: string(id), Affiliate: "acme", Locale: "en", Question: question,
			Variants: []string{"help: " + strings.ToLower(question)}, Answer: "answer " + string(id)})
	}
	for i := range 20 {
		id := knowledge.EntryID(fmt.Sprintf("F%d", i))
		e := knowledge.Entry{ID: id, Key: string(id), Affiliate: "acme", Locale: "en", Question: fmt.Sprint(filler, id), Answer: "filler"}
		for k := range 29 {
			e.Variants = append(e.Variants, fmt.Sprint(filler, id, " again ", k))
		}
		list = append(list, e)
	}
	return list
}

func (f fixedEntries) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{"acme": 1}, nil
}

func (f fixedEntries) Published(context.Context, knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	return f, 1, nil
}

// A paddedEncoder embeds all but filler, which gets vectors by chance, always the same.
type paddedEncoder struct{ *encoder.Encoder }

func (p paddedEncoder) EmbedTokens(ctx context.Context, texts []string) ([]late.Tokens, error) {
	list := make([]late.Tokens, len(texts))
	for i, text := range texts {
		if !strings.HasPrefix(text, filler) {
			t, err := p.Encoder.EmbedTokens(ctx, []string{text})
			if err != nil {
				return nil, err
			}
			list[i] = t[0]
			continue
		}
		list[i].Vector = byChance(text)
	}
	return list, nil
}

// Embed is asked for the wordings that have no token rows, which are filler.
func (p paddedEncoder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	list := make([][]float32, len(texts))
	for i, text := range texts {
		list[i] = byChance(text)
	}
	return list, nil
}

func byChance(text string) []float32 {
	h := fnv.New64a()
	h.Write([]byte(text))
	r := rand.New(rand.NewPCG(h.Sum64(), 0))
	v := make([]float32, encoder.Dim)
	for j := range v {
		v[j] = float32(r.NormFloat64())
	}
	return v
}
