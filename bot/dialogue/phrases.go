package dialogue

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge/brand"
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
	PhraseNothingAbout  Phrase = "nothing_about"   // no entry speaks of {word}; these are near
	PhraseOtherLanguage Phrase = "other_language"  // before an answer
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
	PhraseHandoffForm   Phrase = "handoff_form"
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

	PhraseIdentity      Phrase = "identity"       // what the bot is and can do
	PhraseIdentityFor   Phrase = "identity_for"   // the same, with {affiliate}
	PhraseSuggestions   Phrase = "suggestions"    // after these two and help: for example
	PhraseFeedback      Phrase = "feedback"       // an answer did not help, and there is no other
	PhraseFeedbackWhich Phrase = "feedback_which" // the same, and there is another
	PhrasePraise        Phrase = "praise"         // an answer did help
	PhraseEmergency     Phrase = "emergency"      // what to do now
	PhraseEmergencyCall Phrase = "emergency_call" // the same, with {number}
	PhraseLanguage      Phrase = "language"       // a language that we do not speak
	PhraseStopAsk       Phrase = "stop_ask"       // shall messages here stop?
	PhraseStopHere      Phrase = "stop_here"      // the button
	PhraseStopChat      Phrase = "stop_chat"      // to STOP in a chat that the customer opened
	PhraseTurnOff       Phrase = "turn_off"       // the button there
	PhraseOff           Phrase = "off"            // the assistant is silent
	PhraseTurnOn        Phrase = "turn_on"        // the button there
	PhraseHandoffOff    Phrase = "handoff_off"    // to what they ask then
	PhraseResumedPerson Phrase = "resumed_person" // START while a person has it

	PhraseAffiliateLinks Phrase = "affiliate_links" // with the disclosure, if the affiliate wants it
	PhraseImprint        Phrase = "imprint"         // before its address
	PhrasePrivacy        Phrase = "privacy"
)

// phraseNames lists every Phrase; each locale must have them all.
func phraseNames() []Phrase {
	return []Phrase{PhraseStart, PhraseHelp, PhraseGreeting, PhraseGreetingShort, PhraseThanks, PhraseGoodbye, PhraseNoted,
		PhraseAskAgain, PhraseOffer, PhraseWhich, PhraseWhichOne, PhraseWhichOther, PhraseWhichOtherOne, PhraseNothingAbout, PhraseOtherLanguage, PhraseNoneOfThese, PhraseTalkToPerson, PhraseTryAgain, PhraseAgain, PhraseHandoff,
		PhraseHandoffWish, PhraseHandoffBroken, PhraseHandoffFlood, PhraseHandoffUrgent,
		PhraseOfferToo, PhraseSorry, PhraseCalm, PhraseGibberish, PhraseTooLong, PhraseUnreadable, PhraseHandoffForm, PhraseVoice, PhraseGone,
		PhraseBack, PhraseHandedBack, PhraseDisclosure, PhraseStopped, PhraseResumed,
		PhraseLinked, PhraseLinkedPerson, PhraseLinkGone, PhraseContinue,
		PhraseIdentity, PhraseIdentityFor, PhraseSuggestions, PhraseFeedback, PhraseFeedbackWhich, PhrasePraise, PhraseEmergency,
		PhraseEmergencyCall, PhraseLanguage, PhraseStopAsk, PhraseStopHere, PhraseStopChat, PhraseTurnOff, PhraseOff, PhraseTurnOn, PhraseHandoffOff, PhraseResumedPerson,
		PhraseAffiliateLinks, PhraseImprint, PhrasePrivacy}
}

// Editable returns the phrases as an affiliate may word them anew, those first that many customers read. At most text
// UTF-16 units are possible in one, at most label on a button.
func (p *Phrases) Editable(text, label int) (list []brand.Phrase) {
	main := []Phrase{PhraseStart, PhraseGreeting, PhraseDisclosure, PhraseAffiliateLinks, PhraseHelp, PhraseIdentityFor, PhraseAskAgain, PhraseOffer, PhraseHandoff, PhraseHandoffWish, PhraseThanks, PhraseGoodbye}
	buttons := []Phrase{PhraseNoneOfThese, PhraseTalkToPerson, PhraseTryAgain, PhraseStopHere, PhraseTurnOff, PhraseTurnOn}
	for _, name := range append(slices.Clone(main), slices.DeleteFunc(phraseNames(), func(n Phrase) bool { return slices.Contains(main, n) })...) {
		one := brand.Phrase{Name: string(name), Words: map[string]string{}, Main: slices.Contains(main, name), Button: slices.Contains(buttons, name), Max: text}
		if one.Button {
			one.Max = label
		}
		for _, in := range locale.Shipped() {
			one.Words[in] = p.say[in][name]
		}
		list = append(list, one)
	}
	return list
}

//go:embed phrases/*.json
var phraseFiles embed.FS

// Phrases are what the bot says by itself, in every language it has, and the lexicon and the votes of what it
// understands by itself. They never change once loaded.
type Phrases struct {
	*lexicon
	ballots []Ballot
	say     map[string]map[Phrase]string            // by locale
	on      map[string]map[string]map[Phrase]string // by locale and channel: what is said otherwise there
	own     brand.Brand                             // whose wordings are said instead
}

// For returns the phrases as the bot of a brand says them.
func (p *Phrases) For(b brand.Brand) *Phrases {
	own := *p
	own.own = b
	return &own
}

// LoadPhrases reads the phrases and the lexicon that the binary carries. A missing one is an error.
func LoadPhrases() (*Phrases, error) {
	lexicon, err := loadLexicon()
	if err != nil {
		return nil, err
	}
	ballots, err := loadBallots()
	if err != nil {
		return nil, err
	}
	p := &Phrases{lexicon: lexicon, ballots: ballots, say: map[string]map[Phrase]string{}, on: map[string]map[string]map[Phrase]string{}}
	if err := locale.Read(phraseFiles, "phrases", p.add); err != nil {
		return nil, fmt.Errorf("read phrases: %w", err)
	}
	return p, nil
}

func (p *Phrases) add(name string, data []byte) error {
	var file struct {
		Say map[Phrase]string            `json:"say"`
		On  map[string]map[Phrase]string `json:"on"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	for _, name := range phraseNames() {
		if strings.TrimSpace(file.Say[name]) == "" {
			return fmt.Errorf("phrase %q is missing", name)
		}
	}
	p.say[name], p.on[name] = file.Say, file.On
	return nil
}

// Locale is the language the bot speaks to somebody who prefers the given ones, best first.
func (p *Phrases) Locale(preferred ...string) string {
	return locale.Match(append(preferred, p.own.Locale)...)
}

// Say returns the phrase in a locale that Locale returned.
func (p *Phrases) Say(locale string, name Phrase) string {
	return cmp.Or(p.own.Say(locale, string(name)), p.say[locale][name])
}

// SayOn returns the phrase as it is said to an address. Commands are named only where customers know them, since the
// channel lists and completes them; in a group a person may reply in private. An affiliate's own wording is said everywhere.
func (p *Phrases) SayOn(to bot.Address, locale string, name Phrase) string {
	group := ""
	if _, _, ok := to.Member(); ok {
		group = p.on[locale][to.Channel+" group"][name]
	}
	return cmp.Or(p.own.Say(locale, string(name)), group, p.on[locale][to.Channel][name], p.Say(locale, name))
}
