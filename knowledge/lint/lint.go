// Package lint finds what makes an FAQ answer badly: entries that say the same or contradict each other, wordings that
// are nearer to another entry than to their own, answers that only point elsewhere, missing languages, pictures that
// nothing describes, affiliate links that nothing discloses, words that no customer uses, and answers that a channel cuts. It looks at entries and changes nothing.
package lint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"faqbot/knowledge"
)

// Kind says what is wrong. Its comment says what Words are.
type Kind string

const (
	Contradiction Kind = "contradiction" // two entries have one wording and different answers: the wording
	SameWording   Kind = "same_wording"  // two entries have one wording and one answer: the wording
	SameAnswer    Kind = "same_answer"   // two entries have one answer
	Nearer        Kind = "nearer"        // a wording is nearer to the other entry: the wording
	Pointer       Kind = "pointer"       // the answer only points elsewhere
	NoLocale      Kind = "no_locale"     // the entry lacks a language that most entries have: the locale
	DeadLink      Kind = "dead_link"     // a link leads nowhere: the link; package deadlinks finds these
	NoAlt         Kind = "no_alt"        // nothing says what a picture shows: what it is called
	Undisclosed   Kind = "undisclosed"   // nothing says that a link is an affiliate link: the link
	UnsaidWords   Kind = "unsaid"        // no customer uses the question's words, and none got the answer: the words
	Cut           Kind = "cut"           // a channel cuts the answer into several messages: the channel
)

// Kinds are all there are, the gravest first.
func Kinds() []Kind {
	return []Kind{Contradiction, DeadLink, Undisclosed, SameWording, Nearer, SameAnswer, Pointer, NoLocale, NoAlt, UnsaidWords, Cut}
}

// A Finding is one thing wrong with an entry.
type Finding struct {
	Kind  Kind
	Entry knowledge.EntryID
	Other knowledge.EntryID // the other one of two, "" if it is about one
	Words string
	Why   string // of a dead link, the reason
}

// Digest names the finding: the same thing found again has the same digest.
func (f Finding) Digest() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Kind), string(f.Entry), string(f.Other), f.Words}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// A Comparer finds wordings that are nearer to another entry than to their own, the worst first.
type Comparer func(ctx context.Context, entries []knowledge.Entry) ([]Finding, error)

// Most bounds the findings of a kind: nobody mends more at one sitting.
const Most = 200

// Find looks at entries by their texts. cut names the channel that cuts an entry's answer, "" if none does; nil: that is
// not looked at.
func Find(entries []knowledge.Entry, cut func(knowledge.Entry) string) []Finding {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b knowledge.Entry) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID)) })
	found := append(sameWordings(entries), sameAnswers(entries)...)
	links := regexp.MustCompile(`(?i)\b(?:https?://|www\.)\S+`)
	for _, e := range entries {
		if pointsElsewhere(e.Answer, links) && len(e.Media) == 0 {
			found = append(found, Finding{Kind: Pointer, Entry: e.ID})
		}
		for _, m := range e.Media {
			if m.Kind == "photo" && m.Alt == "" {
				found = append(found, Finding{Kind: NoAlt, Entry: e.ID, Words: cmp.Or(m.Name, m.Link)})
			}
		}
		if link := undisclosed(e); link != "" {
			found = append(found, Finding{Kind: Undisclosed, Entry: e.ID, Words: link})
		}
		if cut == nil {
			continue
		}
		if channel := cut(e); channel != "" {
			found = append(found, Finding{Kind: Cut, Entry: e.ID, Words: channel})
		}
	}
	return bound(append(found, missingLocales(entries)...))
}

// Links are the links in an entry's answer and among its media, each once.
func Links(e knowledge.Entry) (list []string) {
	add := func(link string) {
		if !slices.Contains(list, link) {
			list = append(list, link)
		}
	}
	for _, link := range regexp.MustCompile(`(?i)\bhttps?://[^\s<>"`+"`"+`]+`).FindAllString(e.Answer, -1) {
		link = strings.TrimRight(link, ".,;:!?'*_»”’…。，]}")
		if strings.Count(link, "(") < strings.Count(link, ")") { // the bracket around it
			link = strings.TrimSuffix(link, ")")
		}
		add(link)
	}
	for _, m := range e.Media {
		if m.Link != "" {
			add(m.Link)
		}
	}
	return list
}

// bound keeps the first findings of each kind, in the order of Kinds.
func bound(found []Finding) (list []Finding) {
	for _, kind := range Kinds() {
		n := 0
		for _, f := range found {
			if f.Kind == kind && n < Most {
				list = append(list, f)
				n++
			}
		}
	}
	return list
}

// plain is what two texts have in common that differ in nothing that matters: their words, in lower case.
func plain(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("+#%€$£", r)
	}), " ")
}

// A text is what two entries may have in common, in one language.
type text struct{ plain, locale string }

func sameWordings(entries []knowledge.Entry) (found []Finding) {
	first := map[text]knowledge.Entry{}
	told := map[[2]knowledge.EntryID]bool{}
	for _, e := range entries {
		for _, w := range e.Wordings() {
			at := text{plain(w), e.Locale}
			before, ok := first[at]
			if !ok {
				first[at] = e
			}
			pair := [2]knowledge.EntryID{before.ID, e.ID}
			if !ok || before.ID == e.ID || at.plain == "" || told[pair] || apart(before, e) {
				continue
			}
			told[pair] = true
			kind := Contradiction
			if plain(before.Answer) == plain(e.Answer) {
				kind = SameWording
			}
			found = append(found, Finding{Kind: kind, Entry: e.ID, Other: before.ID, Words: w})
		}
	}
	return found
}

// apart reports whether two entries never hold at one time.
func apart(a, b knowledge.Entry) bool {
	return !a.To.IsZero() && !b.From.Before(a.To) || !b.To.IsZero() && !a.From.Before(b.To)
}

// shortAnswer is up to how many words an answer may be that of several entries: "Yes." answers many questions.
const shortAnswer = 4

func sameAnswers(entries []knowledge.Entry) (found []Finding) {
	first := map[text]knowledge.EntryID{}
	for _, e := range entries {
		at := text{plain(e.Answer), e.Locale}
		if len(strings.Fields(at.plain)) <= shortAnswer {
			continue
		}
		if before, ok := first[at]; ok {
			found = append(found, Finding{Kind: SameAnswer, Entry: e.ID, Other: before})
		} else {
			first[at] = e.ID
		}
	}
	return found
}

// fewWords is up to how many words beside its links an answer says nothing by itself: "See https://… for details."
const fewWords = 6

// pointsElsewhere reports whether an answer is little more than a link.
func pointsElsewhere(answer string, links *regexp.Regexp) bool {
	rest := links.ReplaceAllString(answer, " ")
	return rest != answer && len(strings.Fields(plain(rest))) <= fewWords && !strings.ContainsFunc(rest, unicode.IsDigit)
}

// missingLocales are the languages that entries lack although most have them, where most entries are in several.
func missingLocales(entries []knowledge.Entry) (found []Finding) {
	byKey, keys := map[string]map[string]knowledge.EntryID{}, []string{}
	for _, e := range entries {
		if byKey[e.Key] == nil {
			byKey[e.Key] = map[string]knowledge.EntryID{}
			keys = append(keys, e.Key)
		}
		byKey[e.Key][e.Locale] = e.ID
	}
	several, count := 0, map[string]int{}
	for _, variants := range byKey {
		if len(variants) > 1 {
			several++
		}
		for locale := range variants {
			count[locale]++
		}
	}
	if several*2 < len(keys) {
		return nil
	}
	for _, key := range keys {
		for locale, n := range count {
			if _, has := byKey[key][locale]; has || locale == "" || n*2 < len(keys) {
				continue
			}
			found = append(found, Finding{Kind: NoLocale, Entry: anyOf(byKey[key]), Words: locale})
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.Words, b.Words) })
	return found
}

// anyOf is the entry of the first locale.
func anyOf(variants map[string]knowledge.EntryID) (id knowledge.EntryID) {
	first := ""
	for locale, of := range variants {
		if id == "" || locale < first {
			first, id = locale, of
		}
	}
	return id
}
