package dialogue

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"faqbot/knowledge/locale"
)

// A Phrase names one of the fixed things the bot says. Everything else it says is an affiliate's.
type Phrase string

const (
	PhraseStart         Phrase = "start"
	PhraseHelp          Phrase = "help"
	PhraseGreeting      Phrase = "greeting"
	PhraseGreetingShort Phrase = "greeting_short" // before an answer
	PhraseThanks        Phrase = "thanks"
	PhraseGoodbye       Phrase = "goodbye"
	PhraseNoted         Phrase = "noted" // to a bare "ok", "yes" or "no" that answers nothing
	PhraseAskAgain      Phrase = "ask_again"
	PhraseOffer         Phrase = "offer"
	PhraseWhich         Phrase = "which"
	PhraseWhichOne      Phrase = "which_one"       // with a single entry to offer
	PhraseWhichOther    Phrase = "which_other"     // after the answer to a first question
	PhraseWhichOtherOne Phrase = "which_other_one" // the same with a single entry
	PhraseNoneOfThese   Phrase = "none_of_these"
	PhraseTalkToPerson  Phrase = "talk_to_person"
	PhraseTryAgain      Phrase = "try_again"
	PhraseAgain         Phrase = "again"
	PhraseHandoff       Phrase = "handoff"
	PhraseHandoffWish   Phrase = "handoff_wish"
	PhraseHandoffBroken Phrase = "handoff_broken"
	PhraseHandoffFlood  Phrase = "handoff_flood"
	PhraseHandoffUrgent Phrase = "handoff_urgent"
	PhraseOfferToo      Phrase = "offer_too" // after an answer to a complaint
	PhraseSorry         Phrase = "sorry"     // a complaint without an answer
	PhraseCalm          Phrase = "calm"      // to abuse
	PhraseGibberish     Phrase = "gibberish"
	PhraseTooLong       Phrase = "too_long"
	PhraseUnreadable    Phrase = "unreadable"
	PhraseVoice         Phrase = "voice" // a recording without words, with the offer of a person
	PhraseGone          Phrase = "gone"
	PhraseBack          Phrase = "back"
	PhraseHandedBack    Phrase = "handed_back"
	PhraseDisclosure    Phrase = "disclosure" // before the first words of a matter
	PhraseStopped       Phrase = "stopped"
	PhraseResumed       Phrase = "resumed"
	PhraseLinked        Phrase = "linked" // they came by a link from another channel
	PhraseLinkedPerson  Phrase = "linked_person"
	PhraseLinkGone      Phrase = "link_gone"
	PhraseContinue      Phrase = "continue" // an agent offers another channel: {channel}, {link}
)

// phraseNames lists every Phrase; each locale must have them all.
func phraseNames() []Phrase {
	return []Phrase{PhraseStart, PhraseHelp, PhraseGreeting, PhraseGreetingShort, PhraseThanks, PhraseGoodbye, PhraseNoted,
		PhraseAskAgain, PhraseOffer, PhraseWhich, PhraseWhichOne, PhraseWhichOther, PhraseWhichOtherOne, PhraseNoneOfThese, PhraseTalkToPerson, PhraseTryAgain, PhraseAgain, PhraseHandoff,
		PhraseHandoffWish, PhraseHandoffBroken, PhraseHandoffFlood, PhraseHandoffUrgent,
		PhraseOfferToo, PhraseSorry, PhraseCalm, PhraseGibberish, PhraseTooLong, PhraseUnreadable, PhraseVoice, PhraseGone,
		PhraseBack, PhraseHandedBack, PhraseDisclosure, PhraseStopped, PhraseResumed,
		PhraseLinked, PhraseLinkedPerson, PhraseLinkGone, PhraseContinue}
}

// A wordKind names a list of words by which Read understands what needs no search; each locale must
// have them all. Lists hold what people say anywhere, not what one set of messages happens to.
type wordKind string

const (
	wordGreeting wordKind = "greeting"
	wordGoodbye  wordKind = "goodbye"
	wordThanks   wordKind = "thanks"
	wordFiller   wordKind = "filler" // says nothing by itself: "ok", "please"
	wordYes      wordKind = "yes"
	wordNo       wordKind = "no"

	wordPerson        wordKind = "person"         // a wish for a person, anywhere in a message
	wordPersonTalk    wordKind = "person_talk"    // "talk to": a wish before person_noun or person_someone
	wordPersonWant    wordKind = "person_want"    // "i want": a wish before person_noun
	wordPersonBetween wordKind = "person_between" // what may stand between: "a real"
	wordPersonNoun    wordKind = "person_noun"
	wordPersonSomeone wordKind = "person_someone"
	wordPersonNot     wordKind = "person_not"   // before person_talk: no wish
	wordPersonAlone   wordKind = "person_alone" // a wish if it is the whole message

	wordStop   wordKind = "stop"   // the whole message: they want to hear no more
	wordResume wordKind = "resume" // the whole message, after that: they do again

	wordComplaint wordKind = "complaint"
	wordUrgent    wordKind = "urgent"
	wordAbuse     wordKind = "abuse"
	wordMild      wordKind = "mild" // holds words of the three above and means no harm

	wordPointing   wordKind = "pointing"    // "it": what it means was said before
	wordCarryingOn wordKind = "carrying_on" // "what about": begins a follow-up
	wordFunction   wordKind = "function"    // says nothing of what a question is about
	wordAsking     wordKind = "asking"      // begins a question
	wordJoining    wordKind = "joining"     // "and also": joins two questions
)

// wordKinds lists every wordKind.
func wordKinds() []wordKind {
	return []wordKind{wordGreeting, wordGoodbye, wordThanks, wordFiller, wordYes, wordNo,
		wordPerson, wordPersonTalk, wordPersonWant, wordPersonBetween, wordPersonNoun, wordPersonSomeone, wordPersonNot, wordPersonAlone,
		wordStop, wordResume, wordComplaint, wordUrgent, wordAbuse, wordMild,
		wordPointing, wordCarryingOn, wordFunction, wordAsking, wordJoining}
}

// loose reports whether a kind's words are small talk, in which people double letters and forget to.
func (k wordKind) loose() bool {
	switch k {
	case wordGreeting, wordGoodbye, wordThanks, wordFiller:
		return true
	}
	return false
}

//go:embed phrases/*.json
var phraseFiles embed.FS

// Phrases are what the bot says and understands by itself, in every language it has. They never
// change once loaded.
type Phrases struct {
	say   map[string]map[Phrase]string // by locale
	words map[wordKind]*wordList       // of all languages, since people mix them
}

// LoadPhrases reads the phrases that the binary carries. A missing phrase or word list is an error.
func LoadPhrases() (*Phrases, error) {
	p := &Phrases{say: map[string]map[Phrase]string{}, words: map[wordKind]*wordList{}}
	if err := locale.Read(phraseFiles, "phrases", p.add); err != nil {
		return nil, fmt.Errorf("read phrases: %w", err)
	}
	return p, nil
}

func (p *Phrases) add(name string, data []byte) error {
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
		if p.words[kind] == nil {
			p.words[kind] = &wordList{loose: kind.loose()}
		}
		for _, phrase := range file.Words[kind] {
			p.words[kind].add(phrase)
		}
	}
	p.say[name] = file.Say
	return nil
}

// Locale is the language the bot speaks to somebody who prefers the given ones, best first.
func (p *Phrases) Locale(preferred ...string) string { return locale.Match(preferred...) }

// Say returns the phrase in a locale that Locale returned.
func (p *Phrases) Say(locale string, name Phrase) string { return p.say[locale][name] }
