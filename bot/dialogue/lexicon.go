package dialogue

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge/locale"
)

// A lexiconKind names a list of words by which Read understands what needs no search; each locale must
// have them all. Lists hold what people say anywhere, not what one set of messages happens to.
type lexiconKind string

const (
	wordGreeting lexiconKind = "greeting"
	wordGoodbye  lexiconKind = "goodbye"
	wordThanks   lexiconKind = "thanks"
	wordFiller   lexiconKind = "filler" // says nothing by itself: "ok", "please"
	wordYes      lexiconKind = "yes"
	wordNo       lexiconKind = "no"

	wordStop      lexiconKind = "stop"       // the whole message: they want to hear no more
	wordStopMaybe lexiconKind = "stop_maybe" // the whole message: they want to hear no more, or ask how: "unsubscribe"
	wordResume    lexiconKind = "resume"     // the whole message, after that: they do again

	wordComplaint lexiconKind = "complaint"
	wordAbuse     lexiconKind = "abuse"
	wordMild      lexiconKind = "mild" // holds words of the two above and means no harm

	wordFirst   lexiconKind = "first" // a choice by its place
	wordSecond  lexiconKind = "second"
	wordThird   lexiconKind = "third"
	wordLast    lexiconKind = "last"
	wordBoth    lexiconKind = "both"
	wordPicking lexiconKind = "picking" // stands beside a choice: "the … one please"
	wordNeither lexiconKind = "neither" // none of the choices
	wordIMean   lexiconKind = "i_mean"  // begins what is asked instead

	wordPointing   lexiconKind = "pointing"    // "it": what it means was said before
	wordCarryingOn lexiconKind = "carrying_on" // "what about": begins a follow-up
	wordFunction   lexiconKind = "function"    // says nothing of what a question is about
	wordAsking     lexiconKind = "asking"      // begins a question
	wordJoining    lexiconKind = "joining"     // "and also": joins two questions
)

// wordKinds lists every wordKind.
func wordKinds() []lexiconKind {
	return []lexiconKind{wordGreeting, wordGoodbye, wordThanks, wordFiller, wordYes, wordNo,
		wordStop, wordStopMaybe, wordResume, wordComplaint, wordAbuse, wordMild,
		wordFirst, wordSecond, wordThird, wordLast, wordBoth, wordPicking, wordNeither, wordIMean,
		wordPointing, wordCarryingOn, wordFunction, wordAsking, wordJoining}
}

// loose reports whether a kind's words are small talk, in which people double letters and forget to.
func (k lexiconKind) loose() bool {
	switch k {
	case wordGreeting, wordGoodbye, wordThanks, wordFiller:
		return true
	}
	return false
}

// A shapeKind names shapes of words; each locale must have them all.
type shapeKind string

const (
	shapePerson        shapeKind = "wants_person"
	shapeEmergency     shapeKind = "emergency" // life and limb
	shapeDanger        shapeKind = "danger"    // a break-in, money taken, the law
	shapeComplaint     shapeKind = "complaint"
	shapeAbuse         shapeKind = "abuse"
	shapeFeedback      shapeKind = "feedback" // an answer did not help
	shapePraise        shapeKind = "praise"   // it did
	shapeIdentity      shapeKind = "identity" // who or what the bot is
	shapeHelp          shapeKind = "help"     // a bare cry for help, a question announced
	shapeStop          shapeKind = "stop"
	shapeCancelHandoff shapeKind = "cancel_handoff" // the whole message, while a person was fetched
	shapeToBot         shapeKind = "to_bot"
	shapeOthers        shapeKind = "others" // talk with people who are not of the desk, or talk that is over
)

// shapeKinds lists every shapeKind.
func shapeKinds() []shapeKind {
	return []shapeKind{shapePerson, shapeEmergency, shapeDanger, shapeComplaint, shapeAbuse, shapeFeedback, shapePraise,
		shapeIdentity, shapeHelp, shapeStop, shapeCancelHandoff, shapeToBot, shapeOthers}
}

//go:embed lexicon/*.json
var lexiconFiles embed.FS

// A lexicon is what customers say: words and shapes, by kind. What the bot says is in Phrases. It never
// changes once loaded.
type lexicon struct {
	words   map[lexiconKind]*wordList // of all languages, since people mix them
	short   map[string]string         // words that people shorten in chats, and what they stand for: "u" → "you"
	shapes  map[shapeKind][]shapes    // of each language, since what takes back in one may be a word of another
	known   map[string]*spellings     // by locale: the words of the shapes, and of the lists
	stops   map[string]wordSet        // by locale: the words that show a language
	foreign map[string]wordSet        // the same, of languages that we do not speak
}

// loadLexicon reads the lexicon that the binary carries. A missing list is an error.
func loadLexicon() (*lexicon, error) {
	l := newLexicon()
	if err := locale.Read(lexiconFiles, "lexicon", l.add); err != nil {
		return nil, fmt.Errorf("read the lexicon: %w", err)
	}
	for _, known := range l.known {
		known.index()
	}
	return l, nil
}

func newLexicon() *lexicon {
	l := &lexicon{words: map[lexiconKind]*wordList{}, short: map[string]string{}, shapes: map[shapeKind][]shapes{}, known: map[string]*spellings{}, stops: map[string]wordSet{}, foreign: foreignWords()}
	for _, kind := range wordKinds() {
		l.words[kind] = &wordList{loose: kind.loose()}
	}
	return l
}

func (l *lexicon) add(name string, data []byte) error {
	var file struct {
		Words   map[lexiconKind][]string `json:"words"`
		Short   map[string]string        `json:"short"`
		Classes map[string][]string      `json:"classes"`
		Shapes  map[shapeKind]struct {
			Is  []string `json:"is"`
			Not []string `json:"not"`
		} `json:"shapes"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	known := newSpellings()
	l.known[name] = known
	for _, kind := range wordKinds() {
		if len(file.Words[kind]) == 0 {
			return fmt.Errorf("words for %q are missing", kind)
		}
		for _, phrase := range file.Words[kind] {
			l.words[kind].add(phrase)
			known.add(phrase, false)
		}
	}
	for short, word := range file.Short {
		l.short[short] = fold(word)
	}
	l.stops[name] = languageWords(file.Words)
	for _, phrases := range file.Classes {
		l.stops[name].add(phrases)
	}
	classes := map[string]*wordList{}
	for class, phrases := range file.Classes {
		classes[class] = &wordList{}
		for _, phrase := range phrases {
			classes[class].add(phrase)
			known.add(phrase, true)
		}
	}
	for _, kind := range shapeKinds() {
		of, err := newShapes(file.Shapes[kind].Is, file.Shapes[kind].Not, classes)
		if err != nil {
			return fmt.Errorf("shapes for %q: %w", kind, err)
		}
		l.shapes[kind] = append(l.shapes[kind], of)
		for _, pattern := range file.Shapes[kind].Is {
			l.stops[name].add([]string{wordsOf(pattern)})
			known.add(wordsOf(pattern), true)
		}
		for _, pattern := range file.Shapes[kind].Not {
			known.add(wordsOf(pattern), false)
		}
	}
	return nil
}

// wordsOf are the words of a pattern: without its classes, whose names nobody says.
func wordsOf(pattern string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(pattern), func(part string) bool { return strings.HasPrefix(part, "<") }), " ")
}

// read returns the tokens of a text for the shapes: with the words that were meant where they are misspelt, and
// where clauses begin and end.
func (l *lexicon) read(tokens []token) []token {
	languages := l.nearest(tokens)
	tokens = slices.Clone(tokens)
	for i := range tokens {
		tokens[i].word = l.meant(tokens[i].word, languages)
	}
	talk := []lexiconKind{wordGreeting, wordThanks, wordFiller, wordGoodbye}
	smallTalk := make([]bool, len(tokens))
	for i := 0; i < len(tokens); {
		n := 0
		for _, kind := range talk {
			n = max(n, l.words[kind].at(tokens, i))
		}
		for k := range n {
			smallTalk[i+k] = true
		}
		i += max(1, n)
	}
	for i := range tokens {
		tokens[i].begins = i == 0 || tokens[i].opens || smallTalk[i-1] && tokens[i-1].begins
	}
	for i := range slices.Backward(tokens) {
		tokens[i].ends = i == len(tokens)-1 || tokens[i+1].opens || smallTalk[i+1] && tokens[i+1].ends
	}
	return tokens
}

// meant is the word that a folded one stands for: in full where it is shortened, and spelt right in one of the
// languages.
func (l *lexicon) meant(word string, languages []string) string {
	if full, ok := l.short[word]; ok {
		return full
	}
	for _, known := range l.known {
		if known.all[word] {
			return word
		}
	}
	for _, name := range languages {
		if right := l.known[name].meant(word); right != word {
			return right
		}
	}
	return word
}

// nearest are the languages of ours of which tokens have the most frequent words.
func (l *lexicon) nearest(tokens []token) (names []string) {
	most := 0
	for _, name := range locale.Shipped() {
		n := l.frequent(tokens, name)
		if n > most {
			names = nil
		}
		if n >= most {
			names, most = append(names, name), n
		}
	}
	return names
}

// fires reports whether tokens, which read has split, have a shape of a kind.
func (l *lexicon) fires(kind shapeKind, tokens []token) bool {
	return len(l.spans(kind, tokens)) > 0
}

// spans are where tokens, which read has split, have the shapes of a kind.
func (l *lexicon) spans(kind shapeKind, tokens []token) (list []span) {
	for _, of := range l.shapes[kind] {
		list = append(list, of.find(tokens)...)
	}
	return list
}

// says reports whether tokens hold words of a kind that the mild ones do not account for.
func (l *lexicon) says(kind lexiconKind, tokens []token) bool {
	for i := 0; i < len(tokens); i++ {
		if n := l.words[wordMild].at(tokens, i); n > 0 {
			i += n - 1
		} else if l.words[kind].at(tokens, i) > 0 {
			return true
		}
	}
	return false
}
