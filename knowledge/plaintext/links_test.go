package plaintext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinkify(t *testing.T) {
	link := func(s string) Part { return Part{Text: s, Href: s} }
	for text, want := range map[string][]Part{
		"":                          nil,
		"no link":                   {{Text: "no link"}},
		"see https://a.example.":    {{Text: "see "}, link("https://a.example"), {Text: "."}},
		"(https://a.example/x_(y))": {{Text: "("}, link("https://a.example/x_(y)"), {Text: ")"}},
		"HTTP://A.example/?q=1&r=2#f, https://b.example!": {link("HTTP://A.example/?q=1&r=2#f"), {Text: ", "}, link("https://b.example"), {Text: "!"}},
		"javascript:alert(1) ftp://x data:text/html,x":    {{Text: "javascript:alert(1) ftp://x data:text/html,x"}},
		"https:// and https://u:p@evil.example":           {{Text: "https:// and https://u:p@evil.example"}},
		"«https://a.example/ü» и https://б.example":       {{Text: "«"}, link("https://a.example/ü"), {Text: "» и "}, link("https://б.example")},
	} {
		require.Equal(t, want, Linkify(text), text)
	}
}
