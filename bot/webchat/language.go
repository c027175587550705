package webchat

import "faqbot/knowledge/locale"

// A language is how a page speaks.
type language struct {
	locale string // what the visitor prefers, "ar"
	own    string // the nearest locale the widget speaks, "en"
}

// dir is the direction in which the visitor reads.
func (l language) dir() string {
	if locale.RightToLeft(l.locale) {
		return "rtl"
	}
	return "ltr"
}

// chooseLanguage takes the first preferred locale; each may be a list as in Accept-Language. What was asked
// for by name, first, is not overruled by a later one that the widget happens to speak.
func chooseLanguage(preferred ...string) language {
	first := locale.First(preferred...)
	return language{locale: first, own: locale.Match(first)}
}
