package webchat

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed words/*.json
var wordFiles embed.FS

// locales are the languages the widget itself speaks; the first is the last resort.
func locales() []string { return []string{"en", "es", "pt-BR"} }

// A vocabulary is the widget's own words in one language, by name.
type vocabulary map[string]string

// loadWords reads the words that the binary carries, by locale. All locales have the same names.
func loadWords() (map[string]vocabulary, error) {
	all := map[string]vocabulary{}
	for _, locale := range locales() {
		data, err := wordFiles.ReadFile(path.Join("words", locale+".json"))
		if err != nil {
			return nil, fmt.Errorf("read the widget's words: %w", err)
		}
		var v vocabulary
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, fmt.Errorf("read the widget's words in %s: %w", locale, err)
		}
		all[locale] = v
	}
	for name, text := range all[locales()[0]] {
		for _, locale := range locales() {
			if strings.TrimSpace(all[locale][name]) == "" || strings.TrimSpace(text) == "" || len(all[locale]) != len(all[locales()[0]]) {
				return nil, fmt.Errorf("the widget's words in %s differ from the others; look at %q", locale, name)
			}
		}
	}
	return all, nil
}

// A tongue is how a page speaks.
type tongue struct {
	locale string // what the visitor prefers, "ar"
	own    string // the nearest locale the widget speaks, "en"
}

// dir is the direction in which the visitor reads.
func (t tongue) dir() string {
	base, _, _ := strings.Cut(strings.ToLower(t.locale), "-")
	if slices.Contains([]string{"ar", "he", "iw", "fa", "ur"}, base) {
		return "rtl"
	}
	return "ltr"
}

// chooseTongue takes the first preferred locale that is one; each may be a list as in Accept-Language.
func chooseTongue(preferred ...string) tongue {
	valid := regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)
	for _, list := range preferred {
		for want := range strings.SplitSeq(list, ",") {
			want, _, _ = strings.Cut(want, ";")
			if want = strings.TrimSpace(want); valid.MatchString(want) {
				return tongue{locale: want, own: nearest(want)}
			}
		}
	}
	return tongue{locale: locales()[0], own: locales()[0]}
}

// nearest is the locale of ours in the same language.
func nearest(want string) string {
	base, _, _ := strings.Cut(strings.ToLower(want), "-")
	for _, locale := range locales() {
		if ours, _, _ := strings.Cut(strings.ToLower(locale), "-"); ours == base {
			return locale
		}
	}
	return locales()[0]
}
