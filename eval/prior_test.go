package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
)

// sets writes small sets: some entries with queries each, and one nothing answers.
func sets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	subjects := []string{"shipping", "payment", "a refund", "my password", "the warranty", "gift cards", "my newsletter"}
	for name, licence := range map[string]string{"alpha1": "CC-BY-4.0", "alpha_oos": "CC0", "beta": "MIT", "gamma": "CC-BY-NC-SA-4.0", "delta": ""} {
		var faq, queries string
		for i, s := range subjects {
			faq += fmt.Sprintf(`{"id":"%d","question":"Tell me about %s","variants":["what of %s?","help with %s please","%s"]}`+"\n", i, s, s, s, s)
			queries += fmt.Sprintf(`{"id":"a%d","text":"I need to know about %s","relevant":["%d"]}`+"\n", i, s, i)
		}
		queries += `{"id":"out","text":"is it raining","relevant":[]}` + "\n"
		write(t, dir, name+"/faq.jsonl", faq)
		write(t, dir, name+"/queries.jsonl", queries)
		write(t, dir, name+"/meta.json", fmt.Sprintf(`{"licence":%q}`, licence))
	}
	write(t, dir, "alpha1/faq.k5.jsonl", `{"id":"0","question":"shipping"}`+"\n"+`{"id":"1","question":"pay"}`+"\n"+`{"id":"2","question":"refund"}`+"\n"+
		`{"id":"3","question":"password"}`+"\n"+`{"id":"4","question":"warranty"}`+"\n"+`{"id":"5","question":"gift"}`+"\n"+`{"id":"6","question":"newsletter"}`+"\n")
	write(t, dir, "follow/meta.json", `{"licence":"MIT"}`)
	return dir
}

func TestReadSources(t *testing.T) {
	dir := sets(t)
	sources, skipped, err := ReadSources([]string{dir})
	require.NoError(t, err)
	require.Equal(t, []string{"follow"}, skipped)
	usable := map[string]bool{}
	families := map[string]string{}
	for _, s := range sources {
		usable[s.Name], families[s.Name] = s.Usable, s.Family
	}
	require.Equal(t, map[string]bool{"alpha1 k5": true, "alpha_oos": true, "beta": true, "gamma": false, "delta": false}, usable)
	require.Equal(t, families["alpha1 k5"], families["alpha_oos"])
	require.NotEqual(t, families["beta"], families["alpha_oos"])
	one, _, err := ReadSources([]string{filepath.Join(dir, "beta")})
	require.NoError(t, err)
	require.Len(t, one, 1)

	_, _, err = ReadSources([]string{t.TempDir()})
	require.ErrorContains(t, err, "holds no set")
	_, _, err = ReadSources([]string{filepath.Join(dir, "follow")})
	require.ErrorContains(t, err, "has both faq.jsonl and queries.jsonl")
	write(t, dir, "beta/queries.jsonl", "{")
	_, _, err = ReadSources([]string{dir})
	require.ErrorContains(t, err, "queries.jsonl, line 1")
}

func TestLicences(t *testing.T) {
	for licence, want := range map[string]bool{
		"CC-BY-4.0 (derived from BANKING77)": true, "ODbL-1.0 (contents DbCL-1.0)": true, "CDLA-Sharing-1.0": true, "Apache-2.0": true,
		"CC-BY-NC-SA-4.0 (CrowdFlower): internal evaluation only": false, "OLID / TweetEval (research use)": false,
		"none stated (TREC CAsT topics, public)": false, "upstream JHU, wrapper repo MIT": false, "": false,
	} {
		require.Equal(t, want, usable(licence), licence)
	}
}

func TestDraw(t *testing.T) {
	sources, _, err := ReadSources([]string{filepath.Join(sets(t), "beta")})
	require.NoError(t, err)
	e, err := encoder.New()
	require.NoError(t, err)
	c := &counting{Encoder: e, times: make(map[string]int)}
	rows, err := Draw(t.Context(), sources[0], NewVectors(c))
	require.NoError(t, err)
	again, err := Draw(t.Context(), sources[0], NewVectors(e))
	require.NoError(t, err)
	require.Equal(t, rows, again, "the same source gives the same rows")
	for _, entry := range sources[0].Entries {
		for _, w := range entry.Wordings() {
			require.Equal(t, 1, c.times[w], "%s is embedded once for all draws", w)
		}
	}

	count := map[string]int{}
	out := map[string]int{}
	for _, r := range rows {
		require.Equal(t, "beta", r.Set)
		require.True(t, r.Fit)
		require.False(t, r.Right && !r.InScope)
		count[r.Draw]++
		if !r.InScope {
			out[r.Draw]++
		}
	}
	require.Equal(t, map[string]int{drawWhole: 8, drawLeft: 4 * 8, drawOne: 2 * 8, drawThree: 2 * 8}, count)
	require.Equal(t, 1, out[drawWhole])
	// 10 to 45 % of 7 entries are 1 to 3.
	require.GreaterOrEqual(t, out[drawLeft], 4*(1+1))
	require.LessOrEqual(t, out[drawLeft], 4*(1+3))
}

func TestWithoutLeavesEntriesAndWordingsOut(t *testing.T) {
	s := Source{}
	for i := range 50 {
		s.Entries = append(s.Entries, knowledge.Entry{ID: knowledge.EntryID(fmt.Sprint(i)), Question: "q", Variants: []string{"a", "b", "c"}})
	}
	for i := range 30 {
		drawn := s.without(rand.New(rand.NewPCG(1, uint64(i))), plan{left: [2]float64{.2, .6}, keep: i % 4})
		require.GreaterOrEqual(t, len(drawn.Entries), 20)
		require.LessOrEqual(t, len(drawn.Entries), 40)
		for _, e := range drawn.Entries {
			want := i % 4
			if want == 0 {
				want = 4
			}
			require.Len(t, e.Wordings(), want)
			require.Subset(t, []string{"q", "a", "b", "c"}, e.Wordings())
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(e.Wordings()))), want, "no wording twice")
		}
	}
	require.Equal(t, []string{"q", "a", "b", "c"}, s.Entries[0].Wordings(), "the source is as it was")
	random := rand.New(rand.NewPCG(1, 1))
	require.Len(t, s.without(random, plan{entries: 10}).Entries, 10)
	require.Len(t, Source{Set: Set{Entries: s.Entries[:1]}}.without(random, plan{left: [2]float64{1, 1}}).Entries, 1, "one is left")
}

func TestDrawnRowsWeighAsIfTheCorpusWereItsSize(t *testing.T) {
	share := func(rows []Row) float64 {
		in, out := 0.0, 0.0
		for _, r := range rows {
			if r.InScope {
				in += r.Weight
			} else {
				out += r.Weight
			}
		}
		return out / (in + out)
	}
	rows := func(in, out int) (list []Row) {
		for i := range in + out {
			list = append(list, Row{Fit: true, InScope: i < in})
		}
		return list
	}
	few := rows(10, 90)
	weigh(few, plan{draw: drawFew, times: 1, weight: 1}, 20)
	require.InDelta(t, .8/math.E, share(few), 1e-9)
	whole := rows(10, 90)
	weigh(whole, plan{draw: drawWhole, times: 1, weight: 1}, 16)
	require.InDelta(t, .9, share(whole), 1e-9, "what came with the set stays")
	all := rows(10, 0)
	weigh(all, plan{draw: drawLeft, times: 4, weight: 4}, 16)
	require.InDelta(t, .1, all[0].Weight, 1e-9)
}

// rowsOf are rows of a set in which the probability is the logistic function of 4x-2.
func rowsOf(set, family string, n int, fit bool) []Row {
	random := rand.New(rand.NewPCG(hash(set), 1))
	rows := make([]Row, n)
	for i := range rows {
		x := random.Float64()
		rows[i] = Row{Set: set, Family: family, Draw: drawWhole, Fit: fit, Weight: 1, InScope: i%10 > 0, Features: map[string]float64{"x": x},
			Right: i%10 > 0 && random.Float64() < sigmoid(4*x-2)}
	}
	return rows
}

func TestFitModelWeighsSetsTheSame(t *testing.T) {
	opposite := func(n int, right bool) []Row {
		rows := make([]Row, n)
		for i := range rows {
			rows[i] = Row{Set: fmt.Sprint(right), Fit: true, Weight: 1, Right: right, InScope: true, Features: map[string]float64{}}
		}
		return rows
	}
	m, err := FitModel(append(opposite(10, true), opposite(1000, false)...), nil)
	require.NoError(t, err)
	require.InDelta(t, .5, m.Probability(Row{}), 1e-6, "a hundred times the rows are no more weight")

	_, err = FitModel(rowsOf("a", "a", 10, true), []string{"y"})
	require.ErrorContains(t, err, `no feature "y"`)
	_, err = FitModel(rowsOf("a", "a", 10, false), []string{"x"})
	require.ErrorContains(t, err, "no rows")
}

func TestLeaveOneOut(t *testing.T) {
	rows := slices.Concat(rowsOf("a1", "a", 500, true), rowsOf("a2", "a", 500, true), rowsOf("b", "b", 500, true), rowsOf("c", "c", 500, false))
	var trained [][]string
	fit := func(rows []Row) (func(Row) float64, error) {
		trained = append(trained, distinct(rows, func(r Row) string { return r.Set }))
		m, err := FitModel(rows, []string{"x"})
		return m.Probability, err
	}
	spread, err := LeaveOneOut(rows, familyOf, fit)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"b", "c"}, {"a1", "a2", "c"}, {"a1", "a2", "b"}}, trained)
	require.Len(t, spread, 4)
	for _, s := range spread {
		require.Equal(t, 500, s.Queries)
		require.Less(t, s.ECE, .12, s.Set)
		require.LessOrEqual(t, s.Joint, s.Hindsight)
		require.NotNil(t, s.AUROC)
	}
	_, err = LeaveOneOut(rowsOf("a1", "a", 50, true), familyOf, fit)
	require.ErrorContains(t, err, "of one kind")

	trained = nil
	_, err = LeaveOneOut(slices.Concat(rowsOf("a k5", "a", 500, true), rowsOf("a k10", "a", 500, true), rowsOf("a_oos", "a", 500, true)), folderOf, fit)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"a_oos"}, {"a k5", "a k10"}}, trained, "a set goes with its other draws, not with its family")
}

func TestFitPriorSaysWhereItComesFrom(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	sources, _, err := ReadSources([]string{sets(t)})
	require.NoError(t, err)
	e, err := encoder.New()
	require.NoError(t, err)
	var told []string
	rows, err := Collect(t.Context(), sources, NewVectors(e), func(what string) { told = append(told, what) })
	require.NoError(t, err)
	require.Len(t, told, len(sources))
	p, err := FitPrior(sources, rows, e.Space())
	require.NoError(t, err)
	require.Positive(t, p.Learned.Sure)
	require.Positive(t, p.Plain.Sure)
	require.Equal(t, e.Space(), p.Provenance.Space)
	for _, s := range p.Provenance.Sets {
		require.Equal(t, s.Name == "gamma" || s.Name == "delta", s.Fitted == 0, "%s: %s", s.Name, s.Licence)
	}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "newsletter", "no text of a set is shipped")

	var out bytes.Buffer
	require.NoError(t, p.Print(&out))
	require.Contains(t, out.String(), "not fitted on: gamma (CC-BY-NC-SA-4.0)")
	require.Regexp(t, `beta +whole +8 `, out.String())
}
