package encoder

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func englishTokenizer(tb testing.TB) *wordPiece {
	tb.Helper()
	_, tokens, err := loadEnglish(english, goKernel())
	require.NoError(tb, err)
	return tokens
}

func TestTokensAreHuggingFaces(t *testing.T) {
	t.Parallel()
	tokens := englishTokenizer(t)
	for _, r := range references(t) {
		assert.Equal(t, r.IDs, tokens.append(nil, r.Text, new(tokenScratch)), "%q", r.Text)
	}
}

// TestTokensOfRandomText compares with Hugging Face tokenizers 0.23.3 on text of words,
// punctuation, accents and characters of all planes, except those newer than its Unicode tables.
func TestTokensOfRandomText(t *testing.T) {
	t.Parallel()
	tokens := englishTokenizer(t)
	file, err := os.Open("testdata/random_tokens.jsonl.gz")
	require.NoError(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	s, count := new(tokenScratch), 0
	for lines := bufio.NewScanner(unzipped); lines.Scan(); count++ {
		var r reference
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		assert.Equal(t, r.IDs, tokens.append(nil, r.Text, s), "%q", r.Text)
	}
	assert.Equal(t, 600, count)
}

func TestTokenizerEdges(t *testing.T) {
	t.Parallel()
	tokens := englishTokenizer(t)
	const cls, sep, unk, word = 101, 102, 100, 2773
	word256 := append([]int32{cls}, make([]int32, 254)...)
	for i := range word256[1:] {
		word256[i+1] = word
	}
	word256 = append(word256, sep)
	for name, test := range map[string]struct {
		text string
		want []int32
	}{
		"invalid UTF-8 is skipped":        {"\xffwo\xc3rd\xf0\x9f", []int32{cls, word, sep}},
		"NUL is skipped":                  {"\x00wo\x00rd", []int32{cls, word, sep}},
		"lone accents vanish":             {strings.Repeat("\u0301", 50_000) + " word", []int32{cls, word, sep}},
		"101 letters are unknown":         {strings.Repeat("\u0251", 101), []int32{cls, unk, sep}},
		"a huge word is unknown":          {strings.Repeat("x", 100_000) + " word", []int32{cls, unk, word, sep}},
		"the rest of the word counts too": {"word" + strings.Repeat("z", 97), []int32{cls, unk, sep}},
		"exactly full":                    {strings.Repeat("word ", 254), word256},
		"one too many":                    {strings.Repeat("word ", 255), word256},
		"long text":                       {strings.Repeat("word ", 20_000), word256},
		"last word is cut":                {strings.Repeat("word ", 253) + "wordxqzj", word256},
		"control tokens cannot be typed":  {"[SEP]", tokens.append(nil, "[ sep ]", new(tokenScratch))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, tokens.append(nil, test.text, new(tokenScratch)))
		})
	}
}

func TestWordOf100LettersIsCut(t *testing.T) {
	t.Parallel()
	got := englishTokenizer(t).append(nil, strings.Repeat("\u0251", 100), new(tokenScratch))
	assert.Len(t, got, 102, "100 letters are counted as letters, not bytes")
}

func TestTokensFollowWhatIsThere(t *testing.T) {
	t.Parallel()
	got := englishTokenizer(t).append([]int32{7, 8}, strings.Repeat("word ", 300), new(tokenScratch))
	assert.Equal(t, []int32{7, 8, 101}, got[:3])
	assert.Len(t, got, 2+maxEnglish)
}

func TestVocabularyMustHaveTheControlTokens(t *testing.T) {
	t.Parallel()
	_, err := newWordPiece("[CLS]\n[SEP]\nword\n")
	assert.ErrorContains(t, err, "[UNK]")
}

func FuzzTokenizer(f *testing.F) {
	tokens := englishTokenizer(f)
	f.Add("How do I change my PIN?")
	f.Add("\xff\x00\u0301가힣\u3000㍿\U0002f800")
	s := new(tokenScratch)
	f.Fuzz(func(t *testing.T, text string) {
		ids := tokens.append(nil, text, s)
		require.LessOrEqual(t, len(ids), maxEnglish)
		require.Equal(t, tokens.cls, ids[0])
		require.Equal(t, tokens.sep, ids[len(ids)-1])
		for _, id := range ids {
			require.True(t, 0 <= id && id < englishWords)
		}
		require.Equal(t, ids, tokens.append(nil, text, new(tokenScratch)), "scratch must not matter")
	})
}

func BenchmarkTokenizer(b *testing.B) {
	tokens, s := englishTokenizer(b), new(tokenScratch)
	for name, text := range map[string]string{
		"query":   "When are commissions paid out and in which currency?",
		"hostile": strings.Repeat(strings.Repeat("xq", 50)+" ", 300),
	} {
		b.Run(name, func(b *testing.B) {
			ids := make([]int32, 0, maxEnglish+maxWordRunes)
			for b.Loop() {
				ids = tokens.append(ids[:0], text, s)
			}
		})
	}
}
