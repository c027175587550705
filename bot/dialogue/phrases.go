package dialogue

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/language"
)

// A Phrase names one of the fixed things the bot says. Everything else it says is an affiliate's.
type Phrase string

const (
	PhraseStart         Phrase = "start"
	PhraseHelp          Phrase = "help"
	PhraseGreeting      Phrase = "greeting"
	PhraseGreetingShort Phrase = "greeting_short" // before an answer
	PhraseThanks        Phrase = "thanks"
	PhraseAskAgain      Phrase = "ask_again"
	PhraseOffer         Phrase = "offer"
	PhraseWhich         Phrase = "which"
	PhraseWhichOne      Phrase = "which_one" // with a single entry to offer
	PhraseNoneOfThese   Phrase = "none_of_these"
	PhraseTalkToPerson  Phrase = "talk_to_person"
	PhraseTryAgain      Phrase = "try_again"
	PhraseAgain         Phrase = "again"
	PhraseHandoff       Phrase = "handoff"
	PhraseHandoffWish   Phrase = "handoff_wish"
	PhraseHandoffBroken Phrase = "handoff_broken"
	PhraseHandoffFlood  Phrase = "handoff_flood"
	PhraseTooLong       Phrase = "too_long"
	PhraseUnreadable    Phrase = "unreadable"
	PhraseVoice         Phrase = "voice" // a recording without words, with the offer of a person
	PhraseGone          Phrase = "gone"
	PhraseBack          Phrase = "back"
	PhraseHandedBack    Phrase = "handed_back"
)

// phraseNames lists every Phrase; each locale must have them all.
func phraseNames() []Phrase {
	return []Phrase{PhraseStart, PhraseHelp, PhraseGreeting, PhraseGreetingShort, PhraseThanks, PhraseAskAgain,
		PhraseOffer, PhraseWhich, PhraseWhichOne, PhraseNoneOfThese, PhraseTalkToPerson, PhraseTryAgain, PhraseAgain, PhraseHandoff,
		PhraseHandoffWish, PhraseHandoffBroken, PhraseHandoffFlood, PhraseTooLong, PhraseUnreadable, PhraseVoice, PhraseGone,
		PhraseBack, PhraseHandedBack}
}

// wordKinds lists the word lists by which Read understands small talk; each locale must have them all.
func wordKinds() []wordKind {
	return []wordKind{wordGreeting, wordThanks, wordFiller, wordYes, wordNo, wordPerson, wordPersonAlone}
}

type wordKind string

const (
	wordGreeting    wordKind = "greeting"
	wordThanks      wordKind = "thanks"
	wordFiller      wordKind = "filler" // says nothing by itself: "ok", "please"
	wordYes         wordKind = "yes"
	wordNo          wordKind = "no"
	wordPerson      wordKind = "person"       // a wish for a person, anywhere in a message
	wordPersonAlone wordKind = "person_alone" // the same if it is the whole message
)

//go:embed phrases/*.json
var phraseFiles embed.FS

// Phrases are what the bot says and understands by itself, in every language it has. They never
// change once loaded.
type Phrases struct {
	locales []string                     // the first is the last resort
	say     map[string]map[Phrase]string // by locale
	words   map[wordKind][][]string      // token sequences of all languages, since people mix them
	matcher language.Matcher
}

// LoadPhrases reads the phrases that the binary carries. A missing phrase or word list is an error.
func LoadPhrases() (*Phrases, error) {
	p := &Phrases{say: map[string]map[Phrase]string{}, words: map[wordKind][][]string{}}
	var tags []language.Tag
	for _, locale := range []string{"en", "es", "pt-BR"} {
		data, err := phraseFiles.ReadFile(path.Join("phrases", locale+".json"))
		if err != nil {
			return nil, fmt.Errorf("read phrases: %w", err)
		}
		if err := p.add(locale, data); err != nil {
			return nil, fmt.Errorf("read phrases of %s: %w", locale, err)
		}
		tags = append(tags, language.MustParse(locale))
	}
	p.matcher = language.NewMatcher(tags)
	return p, nil
}

func (p *Phrases) add(locale string, data []byte) error {
	var file struct {
		Say   map[Phrase]string     `json:"say"`
		Words map[wordKind][]string `json:"words"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	for _, name := range phraseNames() {
		if strings.TrimSpace(file.Say[name]) == "" {
			return fmt.Errorf("phrase %q is missing", name)
		}
	}
	for _, kind := range wordKinds() {
		if len(file.Words[kind]) == 0 {
			return fmt.Errorf("words for %q are missing", kind)
		}
		for _, phrase := range file.Words[kind] {
			var sequence []string
			for _, t := range tokenize(phrase) {
				sequence = append(sequence, t.word)
			}
			p.words[kind] = append(p.words[kind], sequence)
		}
	}
	p.locales = append(p.locales, locale)
	p.say[locale] = file.Say
	return nil
}

// Locale is the language the bot speaks to somebody who prefers the given ones, best first.
func (p *Phrases) Locale(preferred ...string) string {
	for _, want := range preferred {
		tag, err := language.Parse(want)
		if want == "" || err != nil {
			continue
		}
		if _, i, confidence := p.matcher.Match(tag); confidence >= language.Low {
			return p.locales[i]
		}
	}
	return p.locales[0]
}

// Say returns the phrase in a locale that Locale returned.
func (p *Phrases) Say(locale string, name Phrase) string { return p.say[locale][name] }
