package encoder

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxEnglish   = 256 // tokens of a text, with [CLS] and [SEP]
	maxWordRunes = 100 // a longer word is unknown
)

// A tokenizer cuts texts into a model's tokens.
type tokenizer interface {
	// append adds the tokens of text to ids, those at both ends included: at most as many as the model has
	// positions. Invalid UTF-8 is skipped.
	append(ids []int32, text string, s *tokenScratch) []int32
}

// A wordPiece cuts text into the English model's WordPiece tokens (Schuster and Nakajima 2012) as BERT's
// uncased tokenizer does. It differs on purpose in one point: "[SEP]" and the like in a text are
// plain characters, so that nobody can type a control token. Characters added to Unicode after
// version 8 may be classed differently, as the tables here are Go's.
type wordPiece struct {
	words         map[string]int32 // tokens that may start a word
	continuations map[string]int32 // tokens that continue one, without their "##"
	longest       int              // the longest key of both, in bytes
	cls, sep, unk int32
}

// newWordPiece reads a vocabulary of one token per line, in order of ID. The tokenizer keeps
// parts of vocabulary.
func newWordPiece(vocabulary string) (*wordPiece, error) {
	lines := strings.Count(vocabulary, "\n")
	t := &wordPiece{
		words:         make(map[string]int32, lines),
		continuations: make(map[string]int32, lines/4),
	}
	var id int32
	for token := range strings.Lines(vocabulary) {
		token = strings.TrimSuffix(token, "\n")
		table := t.words
		if rest, ok := strings.CutPrefix(token, "##"); ok && rest != "" {
			token, table = rest, t.continuations
		}
		table[token] = id
		t.longest = max(t.longest, len(token))
		id++
	}
	for token, at := range map[string]*int32{"[CLS]": &t.cls, "[SEP]": &t.sep, "[UNK]": &t.unk} {
		var ok bool
		if *at, ok = t.words[token]; !ok {
			return nil, errors.New("encoder: vocabulary lacks " + token)
		}
	}
	return t, nil
}

// A tokenScratch is the working memory of one append call.
type tokenScratch struct {
	word  []byte // the word being read, normalised; grows no further than maxWordRunes
	runes int    // its length; maxWordRunes+1 stands for any greater length

	viterbi viterbiScratch
}

// append adds the tokens of text, [CLS] and [SEP] included, to ids: at most maxEnglish. It stops
// reading as soon as these are found. Invalid UTF-8 is skipped.
func (t *wordPiece) append(ids []int32, text string, s *tokenScratch) []int32 {
	limit := len(ids) + maxEnglish - 1 // room for [SEP]
	ids = append(ids, t.cls)
	s.word, s.runes = s.word[:0], 0
	for _, r := range text {
		if len(ids) >= limit {
			break
		}
		switch {
		case r < utf8.RuneSelf:
			ids = t.ascii(ids, byte(r), s)
		case unicode.IsSpace(r) && r != 0x85:
			ids = t.flush(ids, s)
		case r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
		case isCJK(r):
			ids = t.flush(ids, s)
			ids = t.flush(t.decomposed(ids, r, s), s)
		default:
			ids = t.decomposed(ids, r, s)
		}
	}
	if len(ids) < limit {
		ids = t.flush(ids, s)
	}
	return append(ids[:min(len(ids), limit)], t.sep)
}

func (t *wordPiece) ascii(ids []int32, c byte, s *tokenScratch) []int32 {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		s.add(rune(c))
	case 'A' <= c && c <= 'Z':
		s.add(rune(c) + 'a' - 'A')
	case c == ' ', c == '\t', c == '\n', c == '\r':
		ids = t.flush(ids, s)
	case c < ' ', c == 0x7f: // other control characters do not even part words
	default:
		ids = t.punctuation(ids, rune(c), s)
	}
	return ids
}

// decomposed reads one character beyond ASCII by its canonical decomposition. Marks are not put in
// canonical order: nearly all of them are dropped.
func (t *wordPiece) decomposed(ids []int32, r rune, s *tokenScratch) []int32 {
	if r >= 0xac00 && r <= 0xd7a3 { // Hangul syllables decompose by rule (Unicode 3.12)
		i := r - 0xac00
		s.add(0x1100 + i/588)
		s.add(0x1161 + i%588/28)
		if final := i % 28; final != 0 {
			s.add(0x11a7 + final)
		}
		return ids
	}
	var encoded [utf8.UTFMax]byte
	n := utf8.EncodeRune(encoded[:], r)
	parts := norm.NFD.Properties(encoded[:n]).Decomposition()
	if parts == nil {
		return t.character(ids, r, s)
	}
	for len(parts) > 0 {
		part, size := utf8.DecodeRune(parts)
		ids = t.character(ids, part, s)
		parts = parts[size:]
	}
	return ids
}

// character reads one decomposed character: accents vanish, punctuation parts words.
func (t *wordPiece) character(ids []int32, r rune, s *tokenScratch) []int32 {
	switch {
	case unicode.Is(unicode.Mn, r):
		return ids
	case r < utf8.RuneSelf:
		return t.ascii(ids, byte(r), s)
	case unicode.IsPunct(r):
		return t.punctuation(ids, r, s)
	}
	s.add(unicode.ToLower(r))
	return ids
}

func (t *wordPiece) punctuation(ids []int32, r rune, s *tokenScratch) []int32 {
	ids = t.flush(ids, s)
	s.add(r)
	return t.flush(ids, s)
}

func (s *tokenScratch) add(r rune) {
	if s.runes > maxWordRunes {
		return
	}
	s.runes++
	s.word = utf8.AppendRune(s.word, r)
}

// flush ends the word in s and appends its tokens: the longest piece that the vocabulary has, then
// the longest continuation, and so on; [UNK] alone if that fails anywhere.
func (t *wordPiece) flush(ids []int32, s *tokenScratch) []int32 {
	word, runes := s.word, s.runes
	s.word, s.runes = s.word[:0], 0
	if runes == 0 {
		return ids
	}
	if runes > maxWordRunes {
		return append(ids, t.unk)
	}
	table, first := t.words, len(ids)
	for start := 0; start < len(word); table = t.continuations {
		end := min(len(word), start+t.longest)
		id, ok := table[string(word[start:end])]
		for !ok && end > start+1 {
			if end--; end < len(word) && !utf8.RuneStart(word[end]) {
				continue
			}
			id, ok = table[string(word[start:end])]
		}
		if !ok {
			return append(ids[:first], t.unk)
		}
		ids = append(ids, id)
		start = end
	}
	return ids
}

// isCJK reports whether BERT reads r as a word of its own. The gap before U+2B920 is Hugging
// Face's.
func isCJK(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4dbf, 0x4e00 <= r && r <= 0x9fff, 0xf900 <= r && r <= 0xfaff,
		0x20000 <= r && r <= 0x2a6df, 0x2a700 <= r && r <= 0x2b73f, 0x2b740 <= r && r <= 0x2b81f,
		0x2b920 <= r && r <= 0x2ceaf, 0x2f800 <= r && r <= 0x2fa1f:
		return true
	}
	return false
}
