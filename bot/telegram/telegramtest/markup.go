package telegramtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// strip reads Telegram's HTML and returns what a customer reads, or what is wrong in Telegram's words.
func strip(text string) (plain, wrong string) {
	var b strings.Builder
	var open []string
	for i := 0; i < len(text); {
		switch text[i] {
		case '<':
			if i, wrong = tag(text, i, &open); wrong != "" {
				return "", wrong
			}
		case '&':
			r, n := reference(text[i:])
			b.WriteString(r)
			i += n
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	if n := len(open); n > 0 {
		return "", fmt.Sprintf("Can't find end tag corresponding to start tag %q", open[n-1])
	}
	return b.String(), ""
}

// mentions are the customers whom HTML mentions by their IDs.
func mentions(text string) (ids []int64) {
	for _, m := range regexp.MustCompile(`<a href="tg://user\?id=([0-9]+)">`).FindAllStringSubmatch(text, -1) {
		id, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// tag reads the tag at i, keeps open up to date and returns where it ends.
func tag(text string, i int, open *[]string) (after int, wrong string) {
	end := tagEnd(text, i)
	if end < 0 {
		return 0, fmt.Sprintf("Unclosed start tag at byte offset %d", i)
	}
	inner := text[i+1 : end]
	if closing, ok := strings.CutPrefix(inner, "/"); ok {
		name := strings.ToLower(strings.TrimSpace(closing))
		n := len(*open)
		if n == 0 {
			return 0, fmt.Sprintf("Unexpected end tag at byte offset %d", i)
		}
		if last := (*open)[n-1]; last != name {
			return 0, fmt.Sprintf("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", i, last, name)
		}
		*open = (*open)[:n-1]
		return end + 1, ""
	}
	name, attributes, _ := strings.Cut(inner, " ")
	name = strings.ToLower(strings.TrimSpace(name))
	known := []string{"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "code", "pre",
		"blockquote", "tg-emoji"}
	if !slices.Contains(known, name) {
		return 0, fmt.Sprintf("Unsupported start tag %q at byte offset %d", name, i)
	}
	if name == "span" && strings.TrimSpace(attributes) != `class="tg-spoiler"` {
		return 0, fmt.Sprintf("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", i)
	}
	*open = append(*open, name)
	return end + 1, ""
}

// tagEnd is where the '>' of the tag at i stands, outside quotes, -1 if nowhere.
func tagEnd(text string, i int) int {
	quote := byte(0)
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// reference reads the character reference that text begins with and its length. A '&' that begins
// none stands for itself.
func reference(text string) (string, int) {
	name, _, ok := strings.Cut(text[1:min(len(text), 12)], ";")
	if !ok {
		return "&", 1
	}
	length := len(name) + 2
	switch name {
	case "lt":
		return "<", length
	case "gt":
		return ">", length
	case "amp":
		return "&", length
	case "quot":
		return `"`, length
	}
	digits, numeric := strings.CutPrefix(name, "#")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	if n, err := strconv.ParseInt(digits, base, 32); numeric && err == nil && n > 0 {
		return string(rune(n)), length
	}
	return "&", 1
}
