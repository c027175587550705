package console

import (
	"net/url"
	"regexp"
	"strings"
)

// A segment is a run of a message's text. One with an Href is a link.
type segment struct{ Text, Href string }

// segments cuts text at the web addresses in it. Only http and https become links, and only what
// parses as an address with a host.
func segments(text string) (list []segment) {
	address := regexp.MustCompile(`(?i)\bhttps?://[^\s<>"'\x{00AB}\x{00BB}\x{201C}\x{201D}]+`)
	for {
		at := address.FindStringIndex(text)
		if at == nil {
			break
		}
		found := trimAddress(text[at[0]:at[1]])
		end := at[0] + len(found)
		if u, err := url.Parse(found); err != nil || u.Host == "" {
			list = append(list, segment{Text: text[:end]})
		} else {
			if at[0] > 0 {
				list = append(list, segment{Text: text[:at[0]]})
			}
			list = append(list, segment{Text: found, Href: found})
		}
		text = text[end:]
	}
	if text != "" {
		list = append(list, segment{Text: text})
	}
	return list
}

// trimAddress takes off what ends the sentence rather than the address.
func trimAddress(s string) string {
	for {
		last := s[len(s)-1]
		switch {
		case strings.IndexByte(".,;:!?*_", last) >= 0:
		case last == ')' && strings.Count(s, "(") < strings.Count(s, ")"):
		case last == ']' && strings.Count(s, "[") < strings.Count(s, "]"):
		default:
			return s
		}
		s = s[:len(s)-1]
	}
}
