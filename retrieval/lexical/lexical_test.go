package lexical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNgramsAreScikitLearns(t *testing.T) {
	// TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True), worked out the
	// slow way: by words of text, never by hash.
	wordings := []string{"Where is my order?", "where IS my order", "a", "Cancel my order, cancel it now", "", "naïve café", "ＣＡＦＥ"}
	queries := []string{"where is my oder", "cancel cancel", "a", "zzz", "", "café", "cafe\u0301", "my"}
	x := NewNgrams(wordings)
	require.Equal(t, len(wordings), x.Len())
	for _, q := range queries {
		got := x.Scores(nil, q)
		for i, want := range slowTFIDF(wordings, q) {
			require.InDelta(t, want, got[i], 1e-6, "%q against %q", q, wordings[i])
		}
	}
}

func slowGrams(text string) map[string]float64 {
	tf := make(map[string]float64)
	for _, w := range strings.Fields(Fold(text)) {
		r := []rune(" " + w + " ")
		for n := 2; n <= 5; n++ {
			for i := 0; i+n <= len(r); i++ {
				tf[string(r[i:i+n])]++
			}
		}
	}
	for g, n := range tf {
		tf[g] = 1 + math.Log(n)
	}
	return tf
}

func slowTFIDF(wordings []string, query string) []float64 {
	df := make(map[string]float64)
	docs := make([]map[string]float64, len(wordings))
	for i, w := range wordings {
		docs[i] = slowGrams(w)
		for g := range docs[i] {
			df[g]++
		}
	}
	weigh := func(tf map[string]float64) map[string]float64 {
		v, sum := make(map[string]float64), 0.0
		for g, f := range tf {
			if df[g] > 0 {
				v[g] = f * (math.Log((1+float64(len(wordings)))/(1+df[g])) + 1)
				sum += v[g] * v[g]
			}
		}
		for g := range v {
			v[g] /= math.Sqrt(sum)
		}
		return v
	}
	scores := make([]float64, len(wordings))
	q := weigh(slowGrams(query))
	for i, d := range docs {
		for g, w := range weigh(d) {
			scores[i] += w * q[g]
		}
	}
	return scores
}

func TestNgramsForgiveTypos(t *testing.T) {
	x := NewNgrams([]string{"shipping costs", "payment methods", "return policy"})
	scores := x.Scores(nil, "shiping csots")
	require.Greater(t, scores[0], float32(0.4))
	require.Less(t, max(scores[1], scores[2]), float32(0.05))
}

func TestBM25ByHand(t *testing.T) {
	// Three wordings of 2, 1 and 3 words, mean 2. "order" is in two of them, once in the first,
	// which is of mean length, and twice in the third.
	x := NewBM25([]string{"my order", "refund", "order, ORDER now"})
	got := x.Scores(nil, "Order!")
	require.InDelta(t, 1*2.2/(1+1.2*1), got[0], 1e-6, "all of the question's words, in a wording of mean length")
	require.Zero(t, got[1])
	require.InDelta(t, 2*2.2/(2+1.2*(.25+.75*1.5)), got[2], 1e-6)
	idf := func(df float64) float64 { return math.Log(1 + (3-df+.5)/(df+.5)) }
	half := x.Scores(nil, "order elsewhere")
	require.InDelta(t, float64(got[0])*idf(2)/(idf(2)+idf(0)), half[0], 1e-6, "a word that nobody has counts against all")
	require.InDelta(t, float64(got[0])*2*idf(2)/(2*idf(2)+idf(0)), x.Scores(nil, "order order elsewhere")[0], 1e-6, "a word asked twice counts twice")
	require.Zero(t, x.Scores(nil, "elsewhere")[0])
}

func TestWordsFrequentFirst(t *testing.T) {
	x := NewBM25([]string{"my order", "refund", "order, ORDER my", "order"})
	require.Equal(t, []string{"order", "my", "refund"}, x.Words())
	require.Empty(t, NewBM25(nil).Words())
}

func TestMarksStayInsideWords(t *testing.T) {
	require.Equal(t, []string{"दुकान", "कहाँ", "है"}, words(Fold("दुकान कहाँ है?")))
	require.Equal(t, []string{"café", "x200", "don", "t"}, words(Fold("cafe\u0301 X200, don't")))
	x := NewBM25([]string{"आपकी दुकान कहाँ है", "की का"})
	require.Zero(t, x.Scores(nil, "दुकान")[1])
}

func TestAnyBytesAndNothingAtAll(t *testing.T) {
	for _, wordings := range [][]string{nil, {""}, {"", "\xff\xfe", "\x00", "?!"}} {
		for _, q := range []string{"", " ", "\xff", "a\x00b", "🤷", strings.Repeat("ab ", 40_000)} {
			for _, scores := range [][]float32{NewNgrams(wordings).Scores(nil, q), NewBM25(wordings).Scores(nil, q)} {
				require.Len(t, scores, len(wordings))
				for _, s := range scores {
					require.False(t, math.IsNaN(float64(s)))
				}
			}
		}
	}
}

func TestScoresReuseMemory(t *testing.T) {
	x := NewNgrams([]string{"abc", "xyz"})
	dst := []float32{7, 7, 7}
	got := x.Scores(dst, "abc")
	require.Same(t, &dst[0], &got[0])
	require.Len(t, got, 2)
	require.InDelta(t, 1, got[0], 1e-6)
	require.Zero(t, got[1])
}

func TestSearchedByMany(t *testing.T) {
	wordings := sentences(300)
	grams, bm := NewNgrams(wordings), NewBM25(wordings)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			q := wordings[g]
			for range 20 {
				if s := grams.Scores(nil, q); s[g] < .999 {
					t.Errorf("n-grams: a wording is not like itself: %v", s[g])
				}
				if s := bm.Scores(nil, q); s[g] <= 0 {
					t.Errorf("BM25: a wording does not find itself: %v", s[g])
				}
			}
		})
	}
	wg.Wait()
}

// sentences makes n texts of about 60 characters from a vocabulary of 5,000 words.
func sentences(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	vocabulary := make([]string, 5000)
	for i := range vocabulary {
		b := make([]byte, 3+r.IntN(7))
		for j := range b {
			b[j] = "eeeettaaooiinnsshrrdlcumwfgypbvkxjqz"[r.IntN(36)]
		}
		vocabulary[i] = string(b)
	}
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for b.Len() < 55 {
			f := r.Float64()
			b.WriteString(vocabulary[int(f*f*f*5000)])
			b.WriteByte(' ')
		}
		texts[i] = b.String()
	}
	return texts
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		texts := sentences(n)
		b.Run(fmt.Sprintf("ngrams/%d", n), func(b *testing.B) {
			for b.Loop() {
				NewNgrams(texts)
			}
		})
		b.Run(fmt.Sprintf("bm25/%d", n), func(b *testing.B) {
			for b.Loop() {
				NewBM25(texts)
			}
		})
	}
}

func BenchmarkScores(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		texts := sentences(n)
		grams, bm := NewNgrams(texts), NewBM25(texts)
		var dst []float32
		b.Run(fmt.Sprintf("ngrams/%d", n), func(b *testing.B) {
			for b.Loop() {
				dst = grams.Scores(dst, texts[7])
			}
		})
		b.Run(fmt.Sprintf("bm25/%d", n), func(b *testing.B) {
			for b.Loop() {
				dst = bm.Scores(dst, texts[7])
			}
		})
	}
}
