package locale

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed texts
var textFiles embed.FS

// Texts are the words of some areas in one language, by key.
type Texts map[string]string

// Say returns the text called key. args are pairs of a name and a value, which replaces {name} in the
// text. A key that does not exist is returned itself; a test sees to it that there is none.
func (t Texts) Say(key string, args ...any) string {
	text, ok := t[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	pairs := make([]string, len(args)/2*2)
	for i := 0; i+1 < len(args); i += 2 {
		pairs[i], pairs[i+1] = "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Count returns the text for n of something: key_one or key_many, in which {n} is the number.
func (t Texts) Count(key string, n int, args ...any) string {
	args = append([]any{"n", n}, args...)
	if n == 1 {
		return t.Say(key+"_one", args...)
	}
	return t.Say(key+"_many", args...)
}

// One returns the text for one of several values: "reason_" and "urgent". A value without a text, as another
// build may have stored it, is returned itself.
func (t Texts) One(kind, value string, args ...any) string {
	if _, ok := t[kind+value]; !ok {
		return value
	}
	return t.Say(kind+value, args...)
}

// A Catalog holds the texts of some areas in every language in which there are any.
type Catalog struct {
	spoken   []string // locales, the default first
	byLocale map[string]Texts
}

// Load reads texts/LOCALE/AREA.json of each area. Where a language lacks an area, its texts are those of
// the default. No two areas have a key in common.
func Load(areas ...string) (*Catalog, error) {
	c := &Catalog{byLocale: map[string]Texts{}}
	fallback := Texts{}
	for _, name := range Shipped() {
		texts, found := Texts{}, false
		for key, text := range fallback {
			texts[key] = text
		}
		for _, area := range areas {
			own, err := readTexts(name, area)
			if errors.Is(err, fs.ErrNotExist) && name != Default() {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("texts of %s in %s: %w", area, name, err)
			}
			for key, text := range own {
				if _, twice := texts[key]; twice && name == Default() {
					return nil, fmt.Errorf("texts of %s: another area has %q too", area, key)
				}
				texts[key] = text
			}
			found = true
		}
		if name == Default() {
			fallback = texts
		}
		if found {
			c.spoken, c.byLocale[name] = append(c.spoken, name), texts
		}
	}
	return c, nil
}

func readTexts(locale, area string) (t Texts, err error) {
	data, err := textFiles.ReadFile("texts/" + locale + "/" + area + ".json")
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	return t, err
}

// Spoken lists the locales in which there are texts, the default first.
func (c *Catalog) Spoken() []string { return slices.Clone(c.spoken) }

// Match returns the spoken locale for somebody who prefers the given ones, as Match does.
func (c *Catalog) Match(preferred ...string) string { return bestMatch(c.spoken, preferred) }

// In returns the texts for somebody who prefers the given locales.
func (c *Catalog) In(preferred ...string) Texts { return c.byLocale[c.Match(preferred...)] }
