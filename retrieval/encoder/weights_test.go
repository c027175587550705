package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadmeNamesTheShippedFile(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(english))
	readme, err := os.ReadFile("model/README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), hex.EncodeToString(sum[:]))
}

func TestDamagedModelFile(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty":         "",
		"another file":  "\x7fELF" + english[4:],
		"header only":   english[:36],
		"other shape":   english[:8] + "\x01" + english[9:],
		"huge words":    english[:32] + "\xff\xff\xff\xff" + english[36:],
		"cut in words":  english[:5000],
		"cut in layers": english[:20_000_000],
		"cut at end":    english[:len(english)-1],
		"too long":      english + "x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := loadEnglish(file, goKernel())
			assert.ErrorContains(t, err, "model")
		})
	}
}
