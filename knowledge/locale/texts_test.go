package locale_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/locale"
)

// english lists the areas that a language leaves to English, knowingly: staff read English for now.
func english() map[string][]string {
	return map[string][]string{"es": {"page", "desk", "people", "channels", "entries", "eval", "figures", "start", "guide"}, "pt-BR": {"page", "desk", "people", "channels", "entries", "eval", "figures", "start", "guide"}}
}

func readArea(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	texts := map[string]string{}
	require.NoError(t, json.Unmarshal(data, &texts), file)
	require.Len(t, regexp.MustCompile(`(?m)^\s*"[a-z0-9_]+":`).FindAllString(string(data), -1), len(texts), "%s: one key to a line, none twice", file)
	return texts
}

// Every language has every text, with the same names in braces, or leaves a whole area to English.
func TestLanguagesAreComplete(t *testing.T) {
	folders, err := os.ReadDir("texts")
	require.NoError(t, err)
	require.Len(t, folders, len(locale.Shipped()))
	files, err := filepath.Glob("texts/en/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	names := func(text string) []string {
		list := regexp.MustCompile(`\{[a-z]+\}`).FindAllString(text, -1)
		slices.Sort(list)
		return slices.Compact(list)
	}
	for _, file := range files {
		area := strings.TrimSuffix(filepath.Base(file), ".json")
		texts := readArea(t, file)
		for _, language := range locale.Shipped()[1:] {
			if slices.Contains(english()[language], area) {
				require.NoFileExists(t, filepath.Join("texts", language, area+".json"))
				continue
			}
			theirs := readArea(t, filepath.Join("texts", language, area+".json"))
			require.Len(t, theirs, len(texts), "%s in %s", area, language)
			for key, text := range texts {
				require.NotEmpty(t, strings.TrimSpace(text), "%s in %s", key, area)
				require.NotEmpty(t, strings.TrimSpace(theirs[key]), "%s in %s, %s", key, area, language)
				require.Equal(t, names(text), names(theirs[key]), "%s in %s, %s", key, area, language)
			}
		}
	}
}

func TestSay(t *testing.T) {
	texts := locale.Texts{"a": "{who} has {n} of {n}; {other}"}
	require.Equal(t, "{n} has 3 of 3; {other}", texts.Say("a", "who", "{n}", "n", 3), "a value is no pattern")
	require.Equal(t, "none", texts.Say("none"))
	counted := locale.Texts{"rows_one": "{n} row of {file}", "rows_many": "{n} rows of {file}"}
	require.Equal(t, "1 row of a.csv", counted.Count("rows", 1, "file", "a.csv"))
	require.Equal(t, "0 rows of a.csv", counted.Count("rows", 0, "file", "a.csv"))
	require.Equal(t, "{n} rows of {file}", counted.One("rows_", "many"))
	require.Equal(t, "few", counted.One("rows_", "few"), "of another build")
}

func TestCatalog(t *testing.T) {
	c, err := locale.Load("chat")
	require.NoError(t, err)
	require.Equal(t, locale.Shipped(), c.Spoken())
	require.NotEqual(t, c.In("es-MX")["send"], c.In("de")["send"])
	require.Equal(t, "pt-BR", c.Match("pt"))
	_, err = locale.Load("none")
	require.ErrorContains(t, err, "texts of none in en")
	_, err = locale.Load("chat", "chat")
	require.ErrorContains(t, err, "another area has")
}
