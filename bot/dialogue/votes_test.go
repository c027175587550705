package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

// What no shape has, the encoder tells by its likeness to examples: unless an entry answers it, the message is in
// another language, or another vector space answered.
func TestVotes(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	p := phrases(t)
	answered := false
	heard := func(text string, found retrieval.Result) Signals {
		vectors, err := e.Embed(t.Context(), []string{text})
		require.NoError(t, err)
		s := Read(p, turn(text))
		if found.Vector = vectors[0]; found.Space == "" {
			found.Space = e.Space()
		}
		p.Vote(&s, found, answered, DefaultPolicy().AnswerAt)
		return s
	}
	const identity = "let me know if you are a human or are a computer"
	require.Empty(t, Read(p, turn(identity)).Names(), "no shape has it")
	s := heard(identity, retrieval.Result{})
	require.Equal(t, []string{"identity"}, s.Names())
	require.Empty(t, s.Question, "it asks nothing else")
	require.Equal(t, []string{"identity"}, heard(identity, hits(hit("A", .3, 0))).Names(), "an entry that is hardly likely")
	require.Empty(t, heard(identity, hits(hit("A", .51, 0))).Names(), "an entry answers it")
	require.Empty(t, heard(identity, retrieval.Result{Space: "another"}).Names())
	require.Empty(t, heard("¿cuánto tarda el envío a una computadora humana?", retrieval.Result{}).Names())
	require.Empty(t, heard("How long does a transfer take?", retrieval.Result{}).Names())

	stop := heard("please put an end to all of this texting", retrieval.Result{})
	require.False(t, stop.Stop)
	v := Decide(DefaultPolicy(), Evidence{Turn: bot.Turn{}, Signals: Signals{StopMaybe: true, Question: "x"}})
	require.Equal(t, PhraseStopAsk, v.Phrase, "an opt-out that only the encoder tells is asked back about")

	const noHelp = "that does not even come close to my question"
	require.Empty(t, heard(noHelp, retrieval.Result{}).Names(), "nothing was answered yet")
	answered = true
	require.Equal(t, []string{"feedback"}, heard(noHelp, retrieval.Result{}).Names())
}
