package eval

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge/jsonl"
	"faqbot/knowledge/locale"
	"faqbot/retrieval/encoder"
)

func phrases(t *testing.T) *dialogue.Phrases {
	t.Helper()
	p, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	return p
}

func listening(t *testing.T) listener {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	multilingual, err := encoder.NewMultilingual()
	require.NoError(t, err)
	return listener{phrases(t), NewVectors(e).With(multilingual)}
}

func detected(t *testing.T, signal string, list []message) detections {
	t.Helper()
	d, err := detect(t.Context(), listening(t), signal, list)
	require.NoError(t, err)
	return d
}

func TestDetection(t *testing.T) {
	d := detected(t, "complaint", []message{{text: "this is unacceptable", should: true, dialog: "a"}, {text: "where is my money", should: true, dialog: "a"},
		{text: "I am furious", dialog: "b"}, {text: "how do I pay", dialog: "b"}})
	all := d.count(nil)
	require.Equal(t, Detection{Messages: 4, Should: 2, Fired: 2, Right: 1}, all)
	require.Equal(t, []float64{.5, .5, .5, .5}, []float64{all.Precision(), all.Recall(), all.F1(), all.FalseAlarms()})
	require.Equal(t, Detection{Messages: 3, Should: 3, Fired: 2, Right: 2}, d.count([]int{2, 1, 0, 0}))
	// A draw has both messages of a dialogue or none: without one dialogue, recall says nothing, else it is a half.
	require.Equal(t, Interval{.5, .5}, d.measure("recall", Detection.Recall).Interval)

	none := detected(t, "abuse", []message{{text: "hello", should: true}}).count(nil)
	require.True(t, math.IsNaN(none.Precision()))
	require.True(t, math.IsNaN(none.FalseAlarms()))
	require.Zero(t, none.Recall())
}

func TestSignalsAreMeasured(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "multidogo_software/faq.jsonl", `{"id":"openinggreeting","question":"hi"}
{"id":"thankyou","question":"thanks"}`)
	write(t, dir, "multidogo_software/queries.jsonl", `{"id":"1","text":"hello","relevant":["openinggreeting"],"dialog":"a"}
{"id":"2","text":"thank you","relevant":["thankyou"],"dialog":"a"}
{"id":"3","text":"a keyboard","relevant":["thankyou"],"dialog":"b"}`)
	write(t, dir, "banking77/faq.jsonl", `{"id":"x","question":"x"}`)
	write(t, dir, "banking77/queries.jsonl", `{"id":"1","text":"this is unacceptable","relevant":["x"]}
{"id":"2","text":"where is my card","relevant":["x"]}`)
	post := `{"id":"5.7E+17","text":"this is unacceptable","sentiment":"negative","offensive":false}` + "\n"
	write(t, dir, "signals_airline/queries.jsonl", post+post+`{"id":"5.7E+17","text":"lovely","sentiment":"positive"}`)

	r, l := &Report{}, listening(t)
	require.NoError(t, r.smallTalk(t.Context(), dir, l))
	require.NoError(t, r.countFalseAlarms(t.Context(), dir, l))
	require.NoError(t, r.moods(t.Context(), dir, "signals_airline", "complaint", l, func(m moodRow) bool { return m.Sentiment == "negative" }))
	reached := map[string]TargetCheck{}
	for _, c := range r.Checks {
		reached[c.Figure] = c
	}
	require.Len(t, reached, 8)
	require.InDelta(t, 1, reached["greeting F1"].Value, 1e-9)
	require.InDelta(t, 2./3, reached["thanks F1"].Value, 1e-9)
	require.Equal(t, Missing, reached["thanks F1"].Reached)
	require.InDelta(t, .5, reached["complaint false alarms"].Value, 1e-9)
	require.Equal(t, Missing, reached["complaint false alarms"].Reached, "it is a ceiling")
	require.Equal(t, AtGoal, reached["wants_person false alarms"].Reached)
	require.InDelta(t, 1, noted(t, r, "complaint recall").Value, 1e-9, "IDs that are not unique are no matter")
}

// Sentences that were written before the lexicon was, and that it was not fitted to.
func TestSentencesHeldBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	for _, own := range ownSignals() {
		for _, language := range locale.Shipped() {
			list, err := own.sentences(language, true)
			require.NoError(t, err)
			d := detected(t, own.signal, list).count(nil)
			require.NotZero(t, d.Should, language)
			require.GreaterOrEqual(t, d.Recall(), own.recall.Floor, "%s in %s", own.signal, language)
			require.GreaterOrEqual(t, d.Precision(), own.precision.Floor, "%s in %s", own.signal, language)
		}
	}
}

// Messages that look like a signal and are none, and signals in words that no list had, asked of a FAQ that has
// entries on disclosure, chargebacks, fraud and the newsletter.
func TestAdversarialSignals(t *testing.T) {
	entries, err := ReadEntries("testdata/coupons.csv")
	require.NoError(t, err)
	bot, err := NewAsker(t.Context(), entries, listening(t).vectors)
	require.NoError(t, err)
	serious := []string{"wants_person", "urgent", "complaint", "abuse", "stop", "gibberish", "unreadable"}
	err = jsonl.Read("testdata/signals.jsonl", func(_ int, row struct{ ID, Text, Expect string }) error {
		result, err := bot.Ask(t.Context(), Case{ID: row.ID, Text: row.Text})
		require.NoError(t, err)
		fired := slices.DeleteFunc(slices.Clone(result.Outcome.Trace.Signals), func(name string) bool { return !slices.Contains(serious, name) })
		switch row.Expect {
		case "none":
			assert.Empty(t, fired, row.Text)
		case "gib":
			assert.NotEmpty(t, fired, row.Text)
		default:
			assert.Contains(t, fired, row.Expect, row.Text)
		}
		return nil
	})
	require.NoError(t, err)
}

// Harmless questions, in languages of which there are no public sets, are taken for nothing else: three in 100 at most.
func TestHarmlessQuestions(t *testing.T) {
	l := listening(t)
	for _, language := range []string{"es", "pt-BR"} {
		texts, err := os.ReadFile("testdata/harmless." + language + ".txt")
		require.NoError(t, err)
		var fired []string
		lines := strings.Split(strings.TrimSpace(string(texts)), "\n")
		for _, text := range lines {
			if names := dialogue.Read(l.phrases, bot.Turn{Waiting: []bot.Message{{Author: bot.AuthorCustomer, Text: text}}}).Names(); len(names) > 0 {
				fired = append(fired, text)
			}
		}
		require.LessOrEqual(t, 100*len(fired), 3*len(lines), "%s: %v", language, fired)
	}
}
