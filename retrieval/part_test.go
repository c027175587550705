package retrieval

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval/vector"
)

// placed is a part of questions with answers, whose vectors these are.
func placed(t *testing.T, questions, answers [][]float32) *space {
	t.Helper()
	var list []knowledge.Entry
	for i := range questions {
		e := knowledge.Entry{ID: knowledge.EntryID(fmt.Sprint(i)), Affiliate: "acme", Question: fmt.Sprint("q ", i)}
		if answers[i] != nil {
			e.Answer = fmt.Sprint("a ", i)
		}
		list = append(list, e)
	}
	p, err := newPart("acme", 1, list)
	require.NoError(t, err)
	all := questions
	for _, a := range answers {
		if a != nil {
			all = append(all, a)
		}
	}
	sp, err := p.place(t.Context(), all)
	require.NoError(t, err)
	return sp
}

func TestAnAnswerNearEveryQuestionSaysLittle(t *testing.T) {
	questions := [][]float32{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}
	answers := [][]float32{{.5, .5, .5, .5}, {0, 1, 0, 0}, nil, {-.5, -.5, -.5, -.5}}
	sp := placed(t, questions, answers)
	require.InDeltaSlice(t, []float64{.5, 0, 0, -.5}, []float64{
		float64(sp.hubness[0]), float64(sp.hubness[1]), float64(sp.hubness[2]), float64(sp.hubness[3])}, 1e-6,
		"the mean of the three nearest of others; what is at right angles does not count")
	asked := []float32{.5, .5, .5, .5}
	require.InDelta(t, .5, vector.Dot(asked, sp.answers[0])-sp.hubness[0], 1e-6, "what is near all")
	require.InDelta(t, .5, vector.Dot(asked, sp.answers[1])-sp.hubness[1], 1e-6)
}

func TestHubnessOfManyIsThatOfASample(t *testing.T) {
	questions := make([][]float32, 3*hubSample)
	for i := range questions {
		questions[i] = []float32{1, 0}
	}
	answers := make([][]float32, len(questions))
	answers[0] = []float32{.6, .8}
	require.InDelta(t, .6, placed(t, questions, answers).hubness[0], 1e-6)
}
