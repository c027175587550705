package webchat

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"faqbot/knowledge/locale"
)

//go:embed words/*.json
var wordFiles embed.FS

// A vocabulary is the widget's own words in one language, by name.
type vocabulary map[string]string

// loadWords reads the words that the binary carries, by locale. All locales have the same names.
func loadWords() (map[string]vocabulary, error) {
	all := map[string]vocabulary{}
	err := locale.Read(wordFiles, "words", func(name string, data []byte) error {
		var v vocabulary
		err := json.Unmarshal(data, &v)
		all[name] = v
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the widget's words: %w", err)
	}
	for name, text := range all[locale.Default()] {
		for in, v := range all {
			if strings.TrimSpace(v[name]) == "" || strings.TrimSpace(text) == "" || len(v) != len(all[locale.Default()]) {
				return nil, fmt.Errorf("the widget's words in %s differ from the others; look at %q", in, name)
			}
		}
	}
	return all, nil
}

// A language is how a page speaks.
type language struct {
	locale string // what the visitor prefers, "ar"
	own    string // the nearest locale the widget speaks, "en"
}

// dir is the direction in which the visitor reads.
func (l language) dir() string {
	if locale.RightToLeft(l.locale) {
		return "rtl"
	}
	return "ltr"
}

// chooseLanguage takes the first preferred locale; each may be a list as in Accept-Language. What was asked
// for by name, first, is not overruled by a later one that the widget happens to speak.
func chooseLanguage(preferred ...string) language {
	first := locale.First(preferred...)
	return language{locale: first, own: locale.Match(first)}
}
