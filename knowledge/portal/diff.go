package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A segment is a piece of two texts: Op is "" for both, "del" for the old, "ins" for the new.
type segment struct {
	Op, Text string
}

// diffMost bounds the work of comparing two texts, in pairs of words. Beyond it all of the middle
// is shown as changed.
const diffMost = 250_000

// diff compares two texts word by word.
func diff(before, after string) []segment {
	a, b := words(before), words(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var d segments
	d.add("", a[:head])
	d.middle(a[head:len(a)-tail], b[head:len(b)-tail])
	d.add("", a[len(a)-tail:])
	return d.smooth()
}

// smooth joins changes that have nothing but a space between them: "old words" became "new words".
func (d segments) smooth() []segment {
	var out segments
	for i := 0; i < len(d); {
		var del, ins strings.Builder
		j := i
		for ; j < len(d); j++ {
			s := d[j]
			if s.Op == "" && (strings.TrimSpace(s.Text) != "" || j == i || j+1 == len(d)) {
				break
			}
			if s.Op != "ins" {
				del.WriteString(s.Text)
			}
			if s.Op != "del" {
				ins.WriteString(s.Text)
			}
		}
		for _, s := range []segment{{"del", del.String()}, {"ins", ins.String()}} {
			if s.Text != "" {
				out = append(out, s)
			}
		}
		if j < len(d) {
			out.add("", []string{d[j].Text})
			j++
		}
		i = j
	}
	return out
}

// words cuts text into words and what stands between them.
func words(text string) []string {
	var list []string
	start, kind := 0, -1
	for i, r := range text {
		k := 0 // punctuation stands alone
		switch {
		case unicode.IsSpace(r):
			k = 1
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			k = 2
			if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) {
				k = 0 // no spaces between words
			}
		}
		if k != kind || k == 0 {
			if i > start {
				list = append(list, text[start:i])
			}
			start, kind = i, k
		}
	}
	if start < len(text) {
		list = append(list, text[start:])
	}
	return list
}

type segments []segment

func (d *segments) add(op string, list []string) {
	if len(list) == 0 {
		return
	}
	text := strings.Join(list, "")
	if n := len(*d); n > 0 && (*d)[n-1].Op == op {
		(*d)[n-1].Text += text
		return
	}
	*d = append(*d, segment{op, text})
}

// middle adds the longest common subsequence of a and b, and what is not in it.
func (d *segments) middle(a, b []string) {
	if len(a)*len(b) > diffMost {
		d.add("del", a)
		d.add("ins", b)
		return
	}
	width := len(b) + 1
	length := make([]int32, (len(a)+1)*width) // of the subsequence of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			d.add("", a[i:i+1])
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			d.add("del", a[i:i+1])
			i++
		default:
			d.add("ins", b[j:j+1])
			j++
		}
	}
	d.add("del", a[i:])
	d.add("ins", b[j:])
}

const (
	textMost    = 600 // characters of a cell in a list
	contextMost = 60  // characters around a change that are kept
)

// shorten makes d short enough for a list: what both texts have is elided around the changes, and
// the rest is cut. It reports whether something is missing.
func shorten(d []segment) (short []segment, cutOff bool) {
	total := 0
	for _, s := range d {
		total += utf8.RuneCountInString(s.Text)
	}
	if total <= textMost {
		return d, false
	}
	left := textMost
	for i, s := range d {
		text := []rune(s.Text)
		if s.Op == "" && len(d) > 1 {
			head, tail := contextMost, contextMost
			if i == 0 {
				head = 0
			}
			if i == len(d)-1 {
				tail = 0
			}
			if len(text) > head+tail+5 {
				text = append(append(append([]rune{}, text[:head]...), []rune(" … ")...), text[len(text)-tail:]...)
			}
		}
		if len(text) > left {
			return append(short, segment{s.Op, string(text[:left]) + "…"}), true
		}
		left -= len(text)
		short = append(short, segment{s.Op, string(text)})
	}
	return short, true
}

// clip cuts text for a list.
func clip(text string) string {
	d, _ := shorten([]segment{{"", text}})
	return d[0].Text
}
