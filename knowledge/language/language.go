package language

import (
	"bytes"
	_ "embed"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:embed profiles.bin
var profiles []byte

// ErrProfiles means that the weights are not as fit-languages writes them.
var ErrProfiles = errors.New("the profiles of languages are damaged")

const (
	// mixed is what an English word costs in a text of another language, in nats.
	mixed = 1.5
	// rare is what a language of few customers has against itself.
	rare = 2
	// clip is the most that one word says against a language: it may be a name.
	clip = 6
	// ofName is how much a word with a capital letter counts amid a text: it may be a name.
	ofName = .5
	// maxWords are read of a text; more show nothing new.
	maxWords = 60
)

// A Detector tells languages. It never changes.
type Detector struct {
	languages []string
	english   int
	rare      []bool
	weights   []byte // int8, for each bucket one for each language
}

// New returns a detector with the weights that the binary carries.
func New() (*Detector, error) { return read(profiles) }

// Scale is how much a weight of 1 is in the packed profiles.
const Scale = 12.0

func read(packed []byte) (*Detector, error) {
	head, weights, ok := bytes.Cut(packed, []byte("\n"))
	d := &Detector{languages: strings.Fields(string(head)), weights: weights}
	d.english = slices.Index(d.languages, "en")
	if !ok || d.english < 0 || len(weights) != Buckets*len(d.languages) {
		return nil, ErrProfiles
	}
	for _, name := range d.languages {
		d.rare = append(d.rare, slices.Contains(strings.Fields("no sl ca tl et lv sk sw ro hu bg uk fa fi hi-Latn"), name))
	}
	return d, nil
}

// A Guess is what a text shows of its language.
type Guess struct {
	Language string             // ISO 639-1, with the script where that is not the usual one; "" if nothing shows
	Margin   float64            // log odds of Language against the next
	Odds     map[string]float64 // log odds against Language, of those that have the text's script; nil if that one alone has
	Words    int                // that were read
}

// Of is the language of a text, "" if it does not show.
func (d *Detector) Of(text string) string { return d.Guess(text).Told() }

// Told is the language that was guessed, "" if another one may be meant.
func (g Guess) Told() string {
	least := minMargin
	if g.Words == 1 {
		least = minMarginAlone
	}
	if g.Margin < least {
		return ""
	}
	return g.Language
}

// minMargin is the Margin from which a language is told; a single word may be a name, or the same in others.
const (
	minMargin      = .7
	minMarginAlone = 1.0
)

// Guess tells the likeliest language of a text.
func (d *Detector) Guess(text string) Guess {
	of, candidates := script(text)
	switch {
	case of == "":
		return Guess{}
	case candidates == "":
		return Guess{Language: of, Margin: math.Inf(1)}
	}
	sum, words := make([]float64, len(d.languages)), 0
	for _, word := range split(text) {
		lower := strings.ToLower(word)
		if is, _ := script(word); is != of || words == maxWords {
			continue
		}
		words++
		share := 1.0
		if lower != word && words > 1 {
			share = ofName
		}
		one := d.odds(lower)
		for k := range sum {
			if k != d.english {
				one[k] = max(one[k], one[d.english]-mixed)
			}
			sum[k] += share * one[k]
		}
	}
	if words == 0 {
		return Guess{}
	}
	g := Guess{Odds: map[string]float64{}, Words: words}
	best := math.Inf(-1)
	for k, name := range d.languages {
		if d.rare[k] {
			sum[k] -= rare
		}
		if isCandidate(name, candidates) {
			g.Odds[name] = sum[k]
			if sum[k] > best {
				g.Language, best = name, sum[k]
			}
		}
	}
	g.Margin = math.Inf(1)
	for name := range g.Odds {
		if g.Odds[name] -= best; name != g.Language {
			g.Margin = min(g.Margin, -g.Odds[name])
		}
	}
	return g
}

// odds are the log odds of a word in each language, against its likeliest.
func (d *Detector) odds(word string) []float64 {
	list := make([]float64, len(d.languages))
	features := Features(word)
	for _, at := range features {
		for k, w := range d.weights[at*len(list) : (at+1)*len(list)] {
			list[k] += float64(int8(w))
		}
	}
	unit := Scale / math.MaxInt8 / math.Sqrt(float64(len(features)))
	most := slices.Max(list)
	for k := range list {
		list[k] = max((list[k]-most)*unit, -clip)
	}
	return list
}

// Words are the words of a text, in lower case, with their marks and apostrophes.
func Words(text string) []string { return split(strings.ToLower(text)) }

func split(text string) []string {
	text = strings.ReplaceAll(norm.NFC.String(text), "’", "'")
	return slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && r != '\'' && r != zeroWidthNonJoiner
	}), func(word string) bool { return !strings.ContainsFunc(word, unicode.IsLetter) })
}

const zeroWidthNonJoiner = '\u200c' // inside words of Persian
