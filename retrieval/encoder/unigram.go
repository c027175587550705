package encoder

import (
	"math"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxMultilingual = 512  // tokens of a text, with <s> and </s>
	maxUnigramRunes = 8192 // of a text are read: more than make maxMultilingual tokens of plain words
	wordBorder      = '▁'  // stands for a space, and before the first word
)

// A unigram cuts text into the multilingual model's pieces: those whose product of probabilities is greatest, by
// Viterbi's algorithm (SentencePiece, Kudo and Richardson 2018, arXiv:1808.06226; unigram model, Kudo 2018,
// arXiv:1804.10959). Its tables stay in the model's file, as 250,000 pieces would take tens of megabytes elsewhere.
// Control tokens in a text are plain characters, as in wordPiece.
type unigram struct {
	begin, end, unknown int32
	count               int
	ids, ends, scores   table  // a piece's ID, where its bytes end, its log-probability; in the order of the bytes
	pieces              string // the bytes of all
	longest             int
	unknownScore        float32

	changes          int
	from, upTo, into table // characters that become others, in order; where those end; all of those
}

// A table is little-endian numbers of 32 bits, read where they lie.
type table string

func (t table) at(i int) uint32 {
	b := t[4*i : 4*i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (r *reader) unigram() *unigram {
	u := &unigram{begin: int32(r.number()), end: int32(r.number()), unknown: int32(r.number()), count: r.number()}
	size := r.number()
	numbers := func(n int) table { return table(r.take(4 * n)) }
	u.ids, u.ends, u.scores = numbers(u.count), numbers(u.count), numbers(u.count)
	u.pieces = r.take(size)
	u.changes = r.number()
	size = r.number()
	u.from, u.upTo, u.into = numbers(u.changes), numbers(u.changes), numbers(size)
	if r.short {
		return u
	}
	least := float32(0)
	for i := range u.count {
		least = min(least, math.Float32frombits(u.scores.at(i)))
		u.longest = max(u.longest, len(u.piece(i)))
	}
	u.unknownScore = least - 10 // as SentencePiece has it: any known piece is better
	return u
}

func (u *unigram) piece(i int) string {
	start := uint32(0)
	if i > 0 {
		start = u.ends.at(i - 1)
	}
	return u.pieces[start:u.ends.at(i)]
}

// A viterbiScratch is the working memory of one append call.
type viterbiScratch struct {
	text []byte
	best []step // by byte of text
}

// A step is the best way to a place in a text.
type step struct {
	score float32 // −∞: there is none
	from  int32
	id    int32
}

// append adds <s>, the pieces of "query: " and text, and </s>. The model wants every text to begin so that is compared
// with others of its kind.
func (u *unigram) append(ids []int32, text string, s *tokenScratch) []int32 {
	v := &s.viterbi
	v.text = u.normalise(v.text[:0], "query: "+text)
	v.walk(u)
	first := len(ids)
	ids = append(ids, u.begin)
	for at := int32(len(v.text)); at > 0; at = v.best[at].from {
		ids = append(ids, v.best[at].id)
	}
	for i, j := first+1, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
	return append(ids[:min(len(ids), first+maxMultilingual-1)], u.end)
}

// normalise appends the text with its characters replaced as the model was trained with, each run of spaces as one
// border, and one before the first word.
func (u *unigram) normalise(dst []byte, text string) []byte {
	runes, space := 0, false
	write := func(r rune) {
		if r != ' ' {
			dst, space = utf8.AppendRune(dst, r), false
		} else if !space {
			dst, space = utf8.AppendRune(dst, wordBorder), true
		}
		runes++
	}
	write(' ')
	for _, r := range norm.NFC.String(strings.ToValidUTF8(text[:min(len(text), utf8.UTFMax*maxUnigramRunes)], "")) {
		if runes > maxUnigramRunes {
			break
		}
		i := sort.Search(u.changes, func(i int) bool { return rune(u.from.at(i)) >= r })
		if i == u.changes || rune(u.from.at(i)) != r {
			write(r)
			continue
		}
		start := uint32(0)
		if i > 0 {
			start = u.upTo.at(i - 1)
		}
		for ; start < u.upTo.at(i); start++ {
			write(rune(u.into.at(int(start))))
		}
	}
	return dst
}

// walk finds the best way to every place of v.text.
func (v *viterbiScratch) walk(u *unigram) {
	v.best = v.best[:0]
	for range len(v.text) + 1 {
		v.best = append(v.best, step{score: float32(math.Inf(-1))})
	}
	v.best[0].score = 0
	for at := 0; at < len(v.text); {
		_, size := utf8.DecodeRune(v.text[at:])
		v.try(at, size, u.unknownScore, u.unknown)
		low, high := 0, u.count
		for n := 1; n <= u.longest && at+n <= len(v.text) && low < high; n++ {
			low, high = u.narrow(low, high, n-1, v.text[at+n-1])
			if low < high && len(u.piece(low)) == n {
				v.try(at, n, math.Float32frombits(u.scores.at(low)), int32(u.ids.at(low)))
			}
		}
		at += size
	}
}

// try goes n bytes on from at, if no better way leads there.
func (v *viterbiScratch) try(at, n int, score float32, id int32) {
	if to := &v.best[at+n]; v.best[at].score+score > to.score {
		*to = step{score: v.best[at].score + score, from: int32(at), id: id}
	}
}

// narrow returns those of the pieces low to high, alike in their first n bytes, whose next byte is b.
func (u *unigram) narrow(low, high, n int, b byte) (from, to int) {
	next := func(i int) int { // −1 if there is none: the shortest comes first
		if p := u.piece(i); len(p) > n {
			return int(p[n])
		}
		return -1
	}
	from = low + sort.Search(high-low, func(i int) bool { return next(low+i) >= int(b) })
	to = from + sort.Search(high-from, func(i int) bool { return next(from+i) > int(b) })
	return from, to
}
