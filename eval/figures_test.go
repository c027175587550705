package eval

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/knowledge"
)

// result is one whose ranking is given; the probabilities fall from p.
func result(p float64, relevant, ranked string) Result {
	r := Result{Case: Case{Relevant: ids(relevant)}}
	for i, id := range ids(ranked) {
		r.Ranked = append(r.Ranked, dialogue.Ranked{Entry: id, Probability: p / float64(i+1)})
	}
	return r
}

// ids are entries of one letter each.
func ids(letters string) (list []knowledge.EntryID) {
	for _, l := range letters {
		list = append(list, knowledge.EntryID(l))
	}
	return list
}

func value(s *Sample, f Figure) float64 { return f(s, nil) }

func TestRankingFigures(t *testing.T) {
	s := NewSample([]Result{
		result(.9, "a", "abc"),  // first
		result(.8, "c", "abc"),  // third
		result(.7, "bd", "abc"), // second; d is missed
		result(.6, "x", "abc"),  // not ranked
		result(.5, "a", ""),     // nothing found
		result(.4, "", "abc"),   // out of scope: no part in these
	})
	require.InDelta(t, 1./5, value(s, Accuracy), 1e-12)
	require.InDelta(t, 1./5, value(s, Recall(1)), 1e-12)
	require.InDelta(t, 2./5, value(s, Recall(2)), 1e-12)
	require.InDelta(t, 3./5, value(s, Recall(3)), 1e-12)
	require.InDelta(t, (1+1./3+1./2)/5, value(s, MRR()), 1e-12)
	require.InDelta(t, (1+1./3+.5*.5)/5, value(s, MAP()), 1e-12)
	log := math.Log2
	require.InDelta(t, (1+1/log(4)+(1/log(3))/(1+1/log(3)))/5, value(s, NDCG()), 1e-12)
	require.Zero(t, s.results[4].Probability())
}

func TestWeightsCountResultsSeveralTimes(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	results := scattered(random, 60)
	weights := make([]int, len(results))
	var repeated []Result
	for i, r := range results {
		weights[i] = random.IntN(4)
		for range weights[i] {
			repeated = append(repeated, r)
		}
	}
	s, long := NewSample(results), NewSample(repeated)
	for _, f := range Figures() {
		require.InDelta(t, f.Of(long, nil), f.Of(s, weights), 1e-9, f.Name)
	}
}

// scattered are results of all kinds, with ties.
func scattered(random *rand.Rand, n int) []Result {
	results := make([]Result, n)
	for i := range results {
		p := math.Floor(random.Float64()*20) / 20
		switch random.IntN(4) {
		case 0:
			results[i] = result(p/2, "", "abc")
		case 1:
			results[i] = result(p, "b", "abc")
		default:
			results[i] = result(p, "a", "abc")
		}
		results[i].Outcome.Decision.Action = []bot.Action{bot.ActionAnswer, bot.ActionClarify, bot.ActionHandoff}[random.IntN(3)]
		results[i].Outcome.Decision.Entries = ids("abc")[:random.IntN(3)]
	}
	return results
}

// All figures against their definitions, computed the long way.
func TestSelectiveFiguresAgainstDefinitions(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for range 30 {
		var in, out []float64
		results := scattered(random, 2+random.IntN(40))
		for _, r := range results {
			if r.Case.InScope() {
				in = append(in, r.Probability())
			} else {
				out = append(out, r.Probability())
			}
		}
		s := NewSample(results)
		if len(in) == 0 || len(out) == 0 {
			require.True(t, math.IsNaN(value(s, AUROC)))
			continue
		}
		pairs := 0.0
		for _, a := range in {
			for _, b := range out {
				switch {
				case a > b:
					pairs++
				case a == b:
					pairs += .5
				}
			}
		}
		require.InDelta(t, pairs/float64(len(in)*len(out)), value(s, AUROC), 1e-12)
		share := func(list []float64, from float64) float64 {
			n := 0.
			for _, x := range list {
				if x >= from {
					n++
				}
			}
			return n / float64(len(list))
		}
		highest := math.Inf(-1)
		for _, x := range in {
			if share(in, x) >= .95 {
				highest = max(highest, x)
			}
		}
		require.InDelta(t, share(out, highest), value(s, FPR95), 1e-12)
		best := 0.0
		for threshold := -.05; threshold < 1.1; threshold += .05 {
			good := 0.0
			for _, r := range results {
				answered := r.Probability() >= threshold-1e-9
				if answered && r.Right() || !answered && !r.Case.InScope() {
					good++
				}
			}
			best = max(best, good/float64(len(results)))
			if math.Abs(threshold-.5) < 1e-9 {
				require.InDelta(t, good/float64(len(results)), value(s, Joint), 1e-12)
			}
		}
		require.InDelta(t, best, value(s, Hindsight), 1e-12)
	}
}

func TestAURC(t *testing.T) {
	right, wrong, out := Judged{Right: true, InScope: true}, Judged{InScope: true}, Judged{}
	fall := func(list ...Judged) *Sample {
		for i := range list {
			list[i].Confidence = 1 - float64(i)/10
		}
		return SampleOf(list)
	}
	// Errors among the first 1, 2, 3, 4: 0/1, 1/2, 1/3, 2/4.
	require.InDelta(t, (0+1./2+1./3+2./4)/4, value(fall(right, wrong, right, out), AURC), 1e-12)
	// The perfect order: nothing in excess.
	perfect := fall(right, right, wrong, out)
	require.InDelta(t, (1./3+2./4)/4, value(perfect, AURC), 1e-12)
	require.InDelta(t, 0, value(perfect, ExcessAURC), 1e-12)
	require.InDelta(t, 1, value(fall(out, wrong), AURC), 1e-12)
	require.InDelta(t, 0, value(fall(right), AURC), 1e-12)
	// Equal confidence: the mean over both orders, (1/1+1/2)/2 and (0/1+1/2)/2.
	tied := SampleOf([]Judged{right, wrong})
	require.InDelta(t, .5*(.75+.25), value(tied, AURC), 1e-12)
	require.Equal(t, []RiskPoint{{1, .25, 0}, {.9, .5, .5}, {.8, .75, 1. / 3}, {.7, 1, .5}},
		fall(right, wrong, right, out).RiskCoverage())
}

func TestAUPR(t *testing.T) {
	// From the least confident: out, in, out. Precision at each one out of scope: 1/1, 2/3.
	s := SampleOf([]Judged{{.1, false, false}, {.2, true, true}, {.3, false, false}, {.4, true, true}})
	require.InDelta(t, .5*1+.5*2/3, value(s, AUPR), 1e-12)
	// Equals are found together: 1 of 2.
	require.InDelta(t, .5, value(SampleOf([]Judged{{.1, false, false}, {.1, true, true}}), AUPR), 1e-12)
}

func TestReliability(t *testing.T) {
	// 20 results, two a bin: .975 and .925 both right, ….
	var list []Judged
	for i := range 20 {
		list = append(list, Judged{Confidence: .975 - .05*float64(i), Right: i < 10, InScope: true})
	}
	s := SampleOf(list)
	b := s.Reliability()
	require.Len(t, b, 10)
	require.InDelta(t, .95, b[0].Confidence, 1e-9)
	require.InDelta(t, 1, b[0].Right, 1e-9)
	require.InDelta(t, 2, b[9].Count, 1e-9)
	require.InDelta(t, .25, value(s, ECE), 1e-9) // mean of .05 .15 .25 .35 .45, twice
	// All equal: one claim, right half the time, however it is cut.
	tied := make([]Judged, 33)
	for i := range tied {
		tied[i] = Judged{Confidence: .7, Right: i%3 == 0, InScope: true}
	}
	require.InDelta(t, .7-1./3, value(SampleOf(tied), ECE), 1e-9)
	require.Len(t, SampleOf(tied[:3]).Reliability(), 3)
}

func TestECEOfWhatIsCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	honest, boastful := make([]Judged, 20_000), make([]Judged, 20_000)
	for i := range honest {
		p := random.Float64()
		honest[i] = Judged{Confidence: p, Right: random.Float64() < p, InScope: true}
		boastful[i] = honest[i]
		boastful[i].Confidence = (1 + p) / 2
	}
	require.Less(t, value(SampleOf(honest), ECE), .015)
	require.InDelta(t, .25, value(SampleOf(boastful), ECE), .015)
}

func TestDecisions(t *testing.T) {
	decided := func(relevant string, a bot.Action, entries string) Result {
		return Result{Case: Case{Relevant: ids(relevant)}, Answer: dialogue.Answer{Outcome: bot.Outcome{Decision: bot.Decision{Action: a, Entries: ids(entries)}}}}
	}
	s := NewSample([]Result{
		decided("a", bot.ActionAnswer, "a"),    // 1
		decided("a", bot.ActionAnswer, "b"),    // -1
		decided("a", bot.ActionClarify, "bca"), // .8
		decided("a", bot.ActionClarify, "bc"),  // -.2
		decided("a", bot.ActionClarify, ""),    // 0
		decided("a", bot.ActionHandoff, ""),    // 0
		decided("", bot.ActionAnswer, "a"),     // -1
		decided("", bot.ActionAnswer, ""),      // small talk: 0
		decided("", bot.ActionIgnore, ""),
		decided("", bot.ActionClarify, "a"), // -.2
	})
	require.Equal(t, Decisions{
		InScope:    map[Verdict]int{AnsweredRight: 1, AnsweredWrong: 1, OfferedRight: 1, OfferedWrong: 1, Declined: 1, HandedOff: 1},
		OutOfScope: map[Verdict]int{AnsweredWrong: 1, SmallTalk: 1, Declined: 1, OfferedWrong: 1},
	}, s.Decisions())
	require.InDelta(t, (.8-.2-1-.2)/10, value(s, Utility()), 1e-12)
	require.InDelta(t, .3, value(s, Coverage()), 1e-12)
	require.InDelta(t, 1./3, value(s, SelectiveAccuracy()), 1e-12)
	require.InDelta(t, 1./3, value(s, MenuHit()), 1e-12)
	for v := range s.Decisions().InScope {
		require.Contains(t, Verdicts(), v)
	}
}

func TestFiguresOfLittle(t *testing.T) {
	for name, c := range map[string]struct {
		results []Result
		known   []string
	}{
		"nothing": {nil, nil},
		"no out of scope": {[]Result{result(.9, "a", "a"), result(.2, "b", "a")}, []string{"acc", "r@3", "MRR", "nDCG@10", "MAP", "AURC", "excess AURC", "joint", "hindsight", "ECE", "coverage", "utility",
			"right", "menu right", "wasted", "wrong", "net", "reached"}},
		"all out of scope": {[]Result{result(.9, "", "a"), result(.2, "", "a")}, []string{"AURC", "excess AURC", "joint", "hindsight", "ECE", "coverage", "utility",
			"right", "menu right", "wasted", "wrong", "net", "overanswered"}},
	} {
		s := NewSample(c.results)
		var known []string
		for _, f := range Figures() {
			v, i := f.Of(s, nil), s.Interval(f.Of)
			require.Equal(t, math.IsNaN(v), math.IsNaN(i.Low), "%s: %s", name, f.Name)
			if !math.IsNaN(v) {
				known = append(known, f.Name)
				require.LessOrEqual(t, i.Low, v+1e-9, f.Name)
				require.GreaterOrEqual(t, i.High, v-1e-9, f.Name)
			}
		}
		require.ElementsMatch(t, c.known, known, name)
		require.Empty(t, slices.DeleteFunc(s.Reliability(), func(b Bin) bool { return b.Count > 0 }))
	}
	require.Zero(t, NewSample(nil).Latency(.5))
	require.Empty(t, NewSample(nil).RiskCoverage())
}

func TestLatencyAndSlices(t *testing.T) {
	var results []Result
	for i := range 100 {
		r := result(.5, "a", "a")
		r.Took = time.Duration(100-i) * time.Millisecond
		r.Topic = []string{"money", "orders"}[i%2]
		r.Case.Tags = []string{"all"}
		if i < 10 {
			r.Case.Tags = append(r.Case.Tags, "few")
		}
		results = append(results, r)
	}
	s := NewSample(results)
	require.Equal(t, 50*time.Millisecond, s.Latency(.5))
	require.Equal(t, 95*time.Millisecond, s.Latency(.95))
	require.Equal(t, 99*time.Millisecond, s.Latency(.99))
	require.Equal(t, 100*time.Millisecond, s.Latency(1))
	tags := s.SliceBy(func(r Result) []string { return r.Case.Tags })
	require.Equal(t, []string{"all", "few"}, []string{tags[0].Name, tags[1].Name})
	require.Equal(t, []int{100, 10}, []int{tags[0].Len(), tags[1].Len()})
	require.Len(t, s.SliceBy(func(r Result) []string { return []string{r.Topic} }), 2)
}
