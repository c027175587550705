package dialogue

import (
	"strings"

	"faqbot/knowledge/locale"
)

// otherLanguage stands for a language that we do not speak, of which only the script is known.
const otherLanguage = "other"

// add puts the words of phrases, and of patterns, into a set.
func (s wordSet) add(phrases []string) {
	for _, phrase := range phrases {
		for _, t := range tokenize(phrase) {
			s[t.word] = true
		}
	}
}

// languageWords are the words of a locale's lists that show its language: single ones that say nothing of
// what a message is about.
func languageWords(lists map[lexiconKind][]string) wordSet {
	set := wordSet{}
	for _, kind := range []lexiconKind{wordFunction, wordAsking, wordPointing, wordJoining, wordGreeting, wordThanks} {
		for _, phrase := range lists[kind] {
			if tokens := tokenize(phrase); len(tokens) == 1 {
				set[tokens[0].word] = true
			}
		}
	}
	return set
}

// otherLanguages are frequent words of languages that we do not speak, to be told from ours.
func otherLanguages() map[string]string {
	return map[string]string{
		"de": "ich sie wir ihr mein meine meinen wie was wann wo warum wer ist sind kann können nicht kein keine und oder der die das den dem ein eine einen für mit von auf bitte hallo danke haben habe wird mir mich zu nach lange geld bekomme",
		"fr": "je tu il elle nous vous mon ma mes est sont suis comment quand où pourquoi qui quoi quel quelle puis peut peux ne pas et ou le la les un une des pour avec sur dans bonjour merci ai avez être cette combien argent du au",
		"it": "io tu lui lei noi voi mio mia come quando dove perché chi cosa quale posso può non e o il lo la gli le un una per con su di che sono è ho hai avete ciao grazie quanto ricevo della del miei soldi",
		"nl": "ik jij wij mijn hoe wat wanneer waar waarom wie is zijn kan niet geen en of de het een voor met van op hallo bedankt heb hebben wordt naar krijg geld mijn jullie",
		"pl": "ja ty my jak co kiedy gdzie dlaczego kto jest są mogę nie i lub dla z na do mój moja dziękuję proszę czy mam się pieniądze",
		"tr": "ben sen biz nasıl ne zaman nerede neden kim bir ve veya için ile var yok mı mi nedir teşekkürler merhaba param alabilirim",
		"id": "saya kamu kami bagaimana apa kapan di mana mengapa siapa adalah bisa tidak dan atau untuk dengan dari ini itu yang terima kasih uang",
		"sv": "jag du vi hur vad när var varför vem är kan inte och eller för med av på min mitt tack hej får pengar",
		"ro": "eu tu noi cum ce când unde cine este sunt pot nu și sau pentru cu din pe meu mea mulțumesc bani",
	}
}

// foreignWords are the words of otherLanguages, by language.
func foreignWords() map[string]wordSet {
	list := map[string]wordSet{}
	for name, words := range otherLanguages() {
		list[name] = wordSet{}
		list[name].add([]string{words})
	}
	return list
}

// language tells in what language a text is: one of the locales we ship, another one, or "" if it does not
// show. A language shows by its script, or by more of its frequent words than of any other's; of ours by one
// such word at least.
func (l *lexicon) language(text string) string { return l.languageFrom(text, 1) }

// languageFrom is the language of which a text has so many frequent words at least.
func (l *lexicon) languageFrom(text string, least int) string {
	if locale.OtherScript(text) {
		return otherLanguage
	}
	best, most, second := "", 0, 0
	tokens := tokenize(text)
	count := func(name string) {
		switch n := l.frequent(tokens, name); {
		case n > most:
			best, most, second = name, n, most
		case n > second:
			second = n
		}
	}
	for _, name := range locale.Shipped() {
		count(name)
	}
	for name := range l.foreign {
		count(name)
	}
	if most == second || most < least || spoken(best) == "" && most < minForeign {
		return ""
	}
	return best
}

// minForeign is how many frequent words show a language that we do not speak, or that an entry is in
// another language than a question.
const minForeign = 2

// spoken is the name of a language if it is one of ours, else "".
func spoken(language string) string {
	for _, name := range locale.Shipped() {
		if name == language {
			return name
		}
	}
	return ""
}

// foreignTo reports whether a text in a language is in another one than an entry, as far as both show: each
// has minForeign more frequent words of its own language than of the other's.
func (l *lexicon) foreignTo(text, language, entryLocale, question string) bool {
	of := l.language(question)
	if name := locale.Match(entryLocale); entryLocale != "" && strings.HasPrefix(entryLocale, name[:2]) {
		of = name
	}
	switch {
	case language == otherLanguage:
		return !locale.OtherScript(question)
	case of == "" || of == language:
		return false
	}
	asked, entry := tokenize(text), tokenize(question)
	return (entryLocale != "" || l.frequent(entry, of) >= l.frequent(entry, language)+minForeign) &&
		l.frequent(asked, language) >= l.frequent(asked, of)+minForeign
}

// frequent is how many of tokens are frequent words of a language.
func (l *lexicon) frequent(tokens []token, language string) (n int) {
	words := l.stops[language]
	if words == nil {
		words = l.foreign[language]
	}
	for _, t := range tokens {
		if words[t.word] {
			n++
		}
	}
	return n
}
