package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
)

// public writes a data folder with two of the public sets' names and made-up content: all that is
// there is answered rightly, "with typing errors" one in two is not.
func public(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var queries, typo string
	for i, q := range []string{"how can I pay", "do you take credit cards", "how long does shipping take", "how do I return an order"} {
		relevant := []string{"pay", "pay", "ship", "return"}[i]
		queries += fmt.Sprintf(`{"id":"%d","text":"%s","relevant":["%s"],"lang":"%s"}`+"\n", i, q, relevant, []string{"en", "de"}[i%2])
		if i%2 == 0 {
			q = "How do I return an order?"
		}
		typo += fmt.Sprintf(`{"id":"%dt","text":"%s","relevant":["%s"]}`+"\n", i, q, relevant)
	}
	write(t, dir, "stackfaq/faq.jsonl", shopFAQ)
	write(t, dir, "stackfaq/queries.jsonl", queries)
	write(t, dir, "stackfaq/queries.typo.jsonl", typo)
	write(t, dir, "hint3_sofmattress/faq.jsonl", shopFAQ)
	write(t, dir, "hint3_sofmattress/queries.jsonl", queries+`{"id":"out","text":"zebra","relevant":[],"kind":"far"}`)
	return dir
}

func measured(t *testing.T, dir string) *Report {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	r, err := Quality(t.Context(), []string{dir}, NewVectors(e), func(string) {})
	require.NoError(t, err)
	return r
}

func TestQuality(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := measured(t, public(t))
	require.Contains(t, r.Skipped, "banking77 k10")
	require.NotContains(t, r.Skipped, "stackfaq")
	for _, name := range []string{"cast", "multidogo_software", "banking77, signals", "signals_airline", "signals_offensive"} {
		require.Contains(t, r.Skipped, name)
	}
	require.Len(t, r.Sets, 6, "two sets, one of them with typing errors, and three variants")
	sofa, stack := r.Sets[0], r.Sets[1]
	require.Equal(t, []int{3, 5, 1}, []int{sofa.Entries, sofa.Queries, sofa.OutOfScope})
	for _, name := range []string{"acc", "AUROC", "AUROC far", "FPR95 far", "AUPR far", "ECE", "utility"} {
		_, ok := sofa.Figure(name)
		require.True(t, ok, name)
	}
	noisy := r.Sets[2]
	all, _ := noisy.Figure("acc")
	fresh, _ := noisy.Figure("acc unseen")
	require.InDelta(t, .5, all.Value, 1e-9)
	require.InDelta(t, 1, fresh.Value, 1e-9, "without the two that are an entry's own question")
	_, ok := stack.Figure("AUROC")
	require.False(t, ok, "it means nothing where nothing is out of scope")
	require.Len(t, sofa.Answers, 5)
	require.Len(t, stack.Slices, 4, "two topics and two languages")
	require.Equal(t, "topic", stack.Slices[0].By)

	standings := map[string]Standing{}
	for _, c := range r.Checks {
		standings[c.Set+" "+c.Figure] = c.Reached
	}
	require.Equal(t, AtGoal, standings["stackfaq acc"])
	require.Equal(t, AtGoal, standings["hint3_sofmattress acc"])
	require.Equal(t, Missing, standings["stackfaq typo acc"])
	require.True(t, Missed(r.Checks))
	require.NotContains(t, standings, "all sets mean ECE", "no set is large enough")

	require.Len(t, r.Typos, 1)
	require.Equal(t, 4, r.Typos[0].Cases)
	require.Negative(t, r.Typos[0].Difference)
}

// A variant is the same set as affiliates have it: one wording an entry, or questions that nothing answers.
func TestVariants(t *testing.T) {
	s := Set{Name: "x"}
	for i := range 10 {
		id := knowledge.EntryID(fmt.Sprint(i))
		s.Entries = append(s.Entries, knowledge.Entry{ID: id, Question: "a" + string(id), Variants: []string{"b" + string(id), "c" + string(id)}})
		for k := range 100 {
			s.Cases = append(s.Cases, Case{ID: fmt.Sprint(i, k), Relevant: []knowledge.EntryID{id}})
		}
	}
	one := s.variant(plan{keep: 1})
	require.Len(t, one.Entries, 10)
	require.Len(t, one.Cases, maxOfVariant)
	for _, e := range one.Entries {
		require.Len(t, e.Wordings(), 1)
	}
	require.Equal(t, one, s.variant(plan{keep: 1}), "the same each time")
	left := s.variant(plan{left: [2]float64{.3, .3}})
	require.Len(t, left.Entries, 7)
	out := 0
	for _, c := range left.Cases {
		if !c.InScope() {
			out++
		}
	}
	require.InDelta(t, .3*maxOfVariant, out, 60)
	require.True(t, s.Cases[0].InScope(), "the set itself stays")
}

func TestShares(t *testing.T) {
	s := &Sample{marks: []marks{{inScope: true, verdict: AnsweredRight}, {inScope: true, verdict: OfferedRight}, {inScope: true, verdict: Declined}, {inScope: true, verdict: AnsweredRight},
		{verdict: AnsweredWrong}, {verdict: Declined}, {verdict: OfferedWrong}, {inScope: true, verdict: AnsweredWrong}}}
	for _, c := range []struct {
		of   Figure
		want float64
	}{{AnswersRight(), 2. / 8}, {MenusRight(), 1. / 8}, {Wasted(), 2. / 8}, {AnswersWrong(), 2. / 8}, {Net(), 0}, {Reached(), 3. / 5}, {Overanswered(), 1. / 3}} {
		require.InDelta(t, c.want, c.of(s, nil), 1e-9)
	}
}

func TestQualityIsRepeatableAndComparesWithAnEarlierRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	dir := public(t)
	first := measured(t, dir)
	raw, err := json.Marshal(first)
	require.NoError(t, err)
	var earlier *Report
	require.NoError(t, json.Unmarshal(raw, &earlier))

	write(t, dir, "stackfaq/queries.jsonl", `{"id":"0","text":"how can I pay","relevant":["pay"]}`+"\n"+`{"id":"1","text":"How do I return an order?","relevant":["pay"]}`+"\n"+`{"id":"new","text":"How do I return an order?","relevant":["pay"]}`)
	now := measured(t, dir)
	require.NoError(t, now.CompareWith(earlier))
	require.Len(t, now.Against, 6)
	require.Zero(t, now.Against[0].Difference)
	require.Equal(t, "no evidence", now.Against[0].Verdict())
	require.Equal(t, 2, now.Against[1].Cases, "only those in both")
	require.InDelta(t, -.5, now.Against[1].Difference, 1e-9)

	for i := range first.Sets { // all but the clock is the same
		require.Equal(t, first.Sets[i].Answers[0].Probability, now.Sets[i].Answers[0].Probability)
	}
	require.Equal(t, first.Sets[0].Figures, now.Sets[0].Figures)

	earlier.Version = 99
	require.ErrorContains(t, now.CompareWith(earlier), "version 99, not 1")
}

func TestQualityWithoutSets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	e, err := encoder.New()
	require.NoError(t, err)
	_, err = Quality(t.Context(), []string{t.TempDir()}, NewVectors(e), func(string) {})
	require.ErrorContains(t, err, "holds none of the public sets")
	dir := public(t)
	write(t, dir, "stackfaq/queries.jsonl", "{")
	_, err = Quality(t.Context(), []string{dir}, NewVectors(e), func(string) {})
	require.ErrorContains(t, err, "queries.jsonl, line 1", "a set that is there and broken is not skipped")
}

func TestPrint(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := measured(t, public(t))
	var out bytes.Buffer
	require.NoError(t, r.Print(&out))
	require.Regexp(t, `stackfaq +acc +1\.000 +1\.000–1\.000 +\.945 +\.960 +goal`, out.String())
	require.Regexp(t, `stackfaq typo +acc +\.500 .*MISSED`, out.String())
	require.Contains(t, out.String(), "skipped: clinc150 k10 is not there")
	require.Contains(t, out.String(), "hint3_sofmattress, far")
	require.Regexp(t, `stackfaq +one question, two answers +\.000 +\.000–\.000 +\.005\n`, out.String())
	require.Regexp(t, `stackfaq +one question, answer and offer +\.000 +\.000–\.000 *\n`, out.String(), "no ceiling")
	require.Regexp(t, `stackfaq typo +4 +-`, out.String())
}

func TestStanding(t *testing.T) {
	high, low := Target{"acc", .8, .9}, Target{"ECE", .08, .05}
	require.Equal(t, []Standing{AtGoal, AtGoal, AtFloor, AtFloor, Missing},
		[]Standing{standingOf(.95, high, false), standingOf(.9, high, false), standingOf(.89, high, false), standingOf(.8, high, false), standingOf(.79, high, false)})
	require.Equal(t, []Standing{AtGoal, AtFloor, Missing}, []Standing{standingOf(.05, low, true), standingOf(.08, low, true), standingOf(.081, low, true)})
	require.Equal(t, []Standing{AtFloor, Missing}, []Standing{standingOf(.7996, high, false), standingOf(.7994, high, false)}, "compared as they are told")
}

func TestCalibrationIsCheckedOverLargeSetsAsTheyAre(t *testing.T) {
	set := func(name string, n int, ece float64) SetReport {
		return SetReport{Name: name, Queries: n, Figures: []Measured{{Name: "ECE", Value: ece}}}
	}
	varied := set("a"+typing, 390, .9)
	varied.varied = true
	r := &Report{Sets: []SetReport{set("a", 390, .02), set("b", 5000, .12), set("small", 389, .9), varied}}
	r.checkCalibration()
	require.Len(t, r.Checks, 2)
	require.InDelta(t, .07, r.Checks[0].Value, 1e-9)
	require.Equal(t, AtFloor, r.Checks[0].Reached)
	require.InDelta(t, .12, r.Checks[1].Value, 1e-9)
	require.Equal(t, AtGoal, r.Checks[1].Reached)
}

// The whole must beat each component by itself, surely: here one knows the answer and one knows nothing.
func TestGains(t *testing.T) {
	dir := public(t)
	var queries string
	for i := range 30 {
		queries += fmt.Sprintf(`{"id":"in%d","text":"how can I pay","relevant":["pay"]}`+"\n"+`{"id":"out%d","text":"zebra","relevant":[]}`+"\n", i, i)
	}
	set, err := ReadSet("x", dir+"/stackfaq/faq.jsonl", write(t, dir, "q.jsonl", queries))
	require.NoError(t, err)
	e, err := encoder.New()
	require.NoError(t, err)
	b, err := NewAsker(t.Context(), set.Entries, NewVectors(e))
	require.NoError(t, err)
	results, err := b.AskAll(t.Context(), set.Cases, nil)
	require.NoError(t, err)

	equal, err := gains(t.Context(), b, set.Cases, "x", NewSample(results))
	require.NoError(t, err)
	require.Len(t, equal, len(components()))
	for _, c := range equal { // all tell the two questions apart, so nothing is gained
		require.Zero(t, c.Value)
		require.Equal(t, Missing, c.Reached)
	}
	for i := range results { // a whole that has it the wrong way round is worse
		results[i].Ranked[0].Probability = count(!results[i].Case.InScope())
	}
	worse, err := gains(t.Context(), b, set.Cases, "x", NewSample(results))
	require.NoError(t, err)
	for _, c := range worse {
		require.InDelta(t, -1, c.Value, 1e-9, c.Figure)
		require.Equal(t, Missing, c.Reached)
	}
}
