package plaintext

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Part is a piece of text, or a link if Href is set.
type Part struct{ Text, Href string }

// Linkify finds the web addresses in text. Only http and https become links.
func Linkify(text string) (list []Part) {
	if !strings.Contains(text, "://") { // most texts
		if text == "" {
			return nil
		}
		return []Part{{Text: text}}
	}
	address := regexp.MustCompile(`(?i)\bhttps?://[^\s<>"` + "`" + `]+`)
	at := 0
	for _, span := range address.FindAllStringIndex(text, -1) {
		link := trimLink(text[span[0]:span[1]])
		u, err := url.Parse(link)
		if err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"http", "https"}, strings.ToLower(u.Scheme)) {
			continue // "https://bank.example@elsewhere" is a trick, not an address
		}
		if span[0] > at {
			list = append(list, Part{Text: text[at:span[0]]})
		}
		list = append(list, Part{Text: link, Href: link})
		at = span[0] + len(link)
	}
	if at < len(text) {
		list = append(list, Part{Text: text[at:]})
	}
	return list
}

// trimLink drops what follows an address in a sentence: ". , )" and the like. A closing bracket that
// the address itself has opened stays.
func trimLink(link string) string {
	for link != "" {
		last := link[len(link)-1]
		switch {
		case strings.ContainsRune(`.,;:!?'*_`, rune(last)):
		case last == ')' && strings.Count(link, "(") < strings.Count(link, ")"):
		case last == ']' && strings.Count(link, "[") < strings.Count(link, "]"):
		case last == '}' && strings.Count(link, "{") < strings.Count(link, "}"):
		default:
			return strings.TrimRight(link, "»”’…。，")
		}
		link = link[:len(link)-1]
	}
	return link
}
