package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// A judged is a query with the entries that answer it; none means out of scope.
type judged struct {
	ID       string              `json:"id"`
	Relevant []knowledge.EntryID `json:"relevant"`
}

// A score is how well one set was answered.
type score struct{ accuracy, recall3, auroc float64 }

// TestQuality measures the engine on public sets by the command that users have, and holds it to the
// floors. The sets are not part of this repository: `make quality` says where they are.
func TestQuality(t *testing.T) {
	data := os.Getenv("FAQBOT_QUALITY_DATA")
	if data == "" {
		t.Skip("FAQBOT_QUALITY_DATA is not set: `make quality` measures on public sets that are not part of this repository")
	}
	t.Logf("%-34s %8s %9s %7s", "set", "acc@1", "recall@3", "AUROC")
	for _, set := range []struct {
		folder, faq string
		floor       score
	}{
		{"hint3_sofmattress", "faq.jsonl", score{.77, .92, .89}},
		{"stackfaq", "faq.jsonl", score{.93, 0, 0}},
		{"banking77", "faq.k10.jsonl", score{.83, 0, 0}},
		{"banking77_oos", "faq.jsonl", score{}},
		{"clinc150", "faq.k10.jsonl", score{}},
		{"hwu64", "faq.k10.jsonl", score{}},
		{"covidfaq_jhu", "faq.jsonl", score{}},
	} {
		got := measure(t, filepath.Join(data, set.folder), set.faq)
		t.Logf("%-34s %8.3f %9.3f %7.3f", set.folder+"/"+set.faq, got.accuracy, got.recall3, got.auroc)
		require.GreaterOrEqual(t, got.accuracy, set.floor.accuracy, set.folder)
		require.GreaterOrEqual(t, got.recall3, set.floor.recall3, set.folder)
		if set.floor.auroc > 0 {
			require.GreaterOrEqual(t, got.auroc, set.floor.auroc, set.folder)
		}
	}
}

// measure asks all of a set's queries. AUROC, in scope against out of scope by the best entry's
// probability, is 0 where nothing is out of scope.
func measure(t *testing.T, folder, faq string) (s score) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.jsonl")
	queries := filepath.Join(folder, "queries.jsonl")
	printed, err := exec.CommandContext(t.Context(), "faqbot", "ask", "--knowledge", filepath.Join(folder, faq), "--batch", queries, "--out", out).CombinedOutput()
	require.NoError(t, err, string(printed))
	want, got := readRows[judged](t, queries), readRows[batchRow](t, out)
	require.Len(t, got, len(want))
	var in, outside []float64
	for i, q := range want {
		require.Equal(t, q.ID, got[i].ID)
		require.NotEmpty(t, got[i].Ranked)
		if len(q.Relevant) == 0 {
			outside = append(outside, got[i].Probability)
			continue
		}
		in = append(in, got[i].Probability)
		for rank, r := range got[i].Ranked[:min(3, len(got[i].Ranked))] {
			if slices.Contains(q.Relevant, r.Entry) {
				s.recall3++
				if rank == 0 {
					s.accuracy++
				}
				break
			}
		}
	}
	s.accuracy, s.recall3 = s.accuracy/float64(len(in)), s.recall3/float64(len(in))
	if len(outside) > 0 {
		s.auroc = auroc(in, outside)
	}
	return s
}

// auroc is the chance that one of in is above one of out, ties counting half.
func auroc(in, out []float64) float64 {
	slices.Sort(out)
	sum := 0.0
	for _, x := range in {
		below, _ := slices.BinarySearch(out, x)
		notAbove := below
		for notAbove < len(out) && out[notAbove] == x {
			notAbove++
		}
		sum += float64(below+notAbove) / 2
	}
	return sum / float64(len(in)*len(out))
}

func readRows[T any](t *testing.T, path string) (list []T) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestRow)
	for lines.Scan() {
		var row T
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		list = append(list, row)
	}
	require.NoError(t, lines.Err())
	return list
}
