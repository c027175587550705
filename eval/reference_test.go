package eval

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot/dialogue"
)

// Figures of random results are those of scikit-learn, ranx and numpy; testdata/reference.py has computed them.
func TestFiguresAgainstOthers(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	require.NoError(t, err)
	var samples []struct {
		Results []struct {
			Relevant, Ranked string
			Probability      float64
		}
		Figures map[string]float64
	}
	require.NoError(t, json.Unmarshal(data, &samples))
	require.Len(t, samples, 24)
	for i, sample := range samples {
		var results []Result
		for _, r := range sample.Results {
			one := Result{Case: Case{Relevant: ids(r.Relevant)}}
			for k, id := range ids(r.Ranked) {
				one.Ranked = append(one.Ranked, dialogue.Ranked{Entry: id, Probability: r.Probability / float64(k+1)})
			}
			results = append(results, one)
		}
		s, compared := NewSample(results), 0
		for _, f := range Figures() {
			if want, ok := sample.Figures[f.Name]; ok {
				require.InDelta(t, want, s.Value(f.Of), 1e-9, "sample %d, %s", i, f.Name)
				compared++
			}
		}
		require.Len(t, sample.Figures, compared)
	}
}
