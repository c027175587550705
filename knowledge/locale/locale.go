// Package locale knows the languages that the service itself speaks, which of them is for whom, and the
// texts of the chat and of the pages.
//
// A language is one folder of texts, named after its locale, with a file for each area: chat.json is what
// visitors read in the widget, desk.json what agents read. To add a language, copy texts/en, translate the
// values, leave the {names} in braces as they are, and add the locale to Shipped. Of an area, all texts or
// none are translated; who reads one that is not gets English. The bot's phrases are in bot/dialogue.
//
// It is not for the languages of entries, which are the affiliate's, nor for telling the language of a
// message, beyond its script.
package locale

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Shipped lists the locales that the service speaks. The first is the last resort.
func Shipped() []string { return []string{"en", "es", "pt-BR"} }

// Default is the last resort.
func Default() string { return Shipped()[0] }

// Match returns the shipped locale for somebody who prefers the given ones, best first; each may be a
// list as in Accept-Language. The next is asked where one is in no shipped language.
func Match(preferred ...string) string { return bestMatch(Shipped(), preferred) }

// bestMatch returns the one of spoken for somebody who prefers the given ones, else the first.
func bestMatch(spoken, preferred []string) string {
	tags := make([]language.Tag, len(spoken))
	for i, name := range spoken {
		tags[i] = language.MustParse(name)
	}
	matcher := language.NewMatcher(tags)
	for _, list := range preferred {
		for want := range strings.SplitSeq(list, ",") {
			tag, ok := parse(want)
			if !ok {
				continue
			}
			if _, i, confidence := matcher.Match(tag); confidence >= language.Low {
				return spoken[i]
			}
		}
	}
	return spoken[0]
}

// First returns the first of the preferred locales that is one, as it was written, else the default. It
// is what the reader prefers, whether or not it is shipped.
func First(preferred ...string) string {
	for _, list := range preferred {
		for want := range strings.SplitSeq(list, ",") {
			if _, ok := parse(want); ok {
				want, _, _ = strings.Cut(want, ";")
				return strings.TrimSpace(want)
			}
		}
	}
	return Default()
}

// maxTag is the longest language tag in use, in bytes.
const maxTag = 35

// parse reads one part of an Accept-Language list.
func parse(want string) (language.Tag, bool) {
	want, _, _ = strings.Cut(want, ";")
	want = strings.TrimSpace(want)
	if want == "" || len(want) > maxTag {
		return language.Und, false
	}
	tag, err := language.Parse(want)
	return tag, err == nil && tag != language.Und
}

// OwnName is what those who speak a locale's language call it, the locale itself if nobody knows: "español".
func OwnName(locale string) string {
	tag, ok := parse(locale)
	if !ok {
		return locale
	}
	return cmp.Or(display.Self.Name(tag), locale)
}

// RightToLeft reports whether the locale's language is written from right to left.
func RightToLeft(locale string) bool {
	tag, ok := parse(locale)
	if !ok {
		return false
	}
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Nkoo", "Syrc", "Adlm", "Rohg":
		return true
	}
	return false
}

// Read calls add with the file of each shipped locale in dir, the default's first. A missing one is an
// error.
func Read(files fs.FS, dir string, add func(locale string, data []byte) error) error {
	for _, name := range Shipped() {
		data, err := fs.ReadFile(files, path.Join(dir, name+".json"))
		if err == nil {
			err = add(name, data)
		}
		if err != nil {
			return fmt.Errorf("texts in %s: %w", name, err)
		}
	}
	return nil
}

// OtherScript reports whether most letters of a text are in a script in which none of the shipped languages is written.
func OtherScript(text string) bool {
	other, letters := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if !unicode.Is(unicode.Latin, r) {
				other++
			}
		}
	}
	return 2*other > letters
}
