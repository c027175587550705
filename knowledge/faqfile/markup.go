package faqfile

import (
	"html"
	"strings"
)

// untag turns HTML, as the answers of a FAQPage are, into plain text: blocks and <br> begin lines,
// list items "- ", links keep their addresses. It does not make text safe to put into a page.
func untag(s string) string {
	var out strings.Builder
	unclosed := map[string]bool{}
	link, url := 0, "" // where in out the text of the open link begins, and where it leads
	for {
		before, tag, rest, ok := nextTag(s)
		out.WriteString(html.UnescapeString(before))
		if !ok {
			return strings.TrimSpace(out.String())
		}
		s = rest
		name, attributes := tagName(tag)
		switch name {
		case "a":
			link, url = out.Len(), attribute(attributes, "href")
		case "/a":
			out.WriteString(addressBehind(out.String()[link:], url))
			link, url = out.Len(), ""
		case "li":
			out.WriteString("\n- ")
		case "/p", "/ul", "/ol", "/table", "/h1", "/h2", "/h3", "/h4":
			out.WriteString("\n\n")
		case "br", "p", "div", "/div", "tr", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4":
			out.WriteString("\n")
		case "script", "style":
			if unclosed[name] {
				continue
			}
			if at := strings.Index(s, "</"+name); at >= 0 {
				s = s[at:]
			} else {
				unclosed[name] = true // and stays so: its end is not looked for again
			}
		}
	}
}

// nextTag returns the text before the next tag or comment, what is between its angle brackets, and
// what follows. A bracket that begins neither is text.
func nextTag(s string) (before, tag, rest string, ok bool) {
	for i := 0; ; i++ {
		next := strings.IndexByte(s[i:], '<')
		if next < 0 || i+next+1 >= len(s) {
			return s, "", "", false
		}
		i += next
		closing := ">"
		if strings.HasPrefix(s[i:], "<!--") {
			closing = "-->"
		} else if c := s[i+1]; c != '/' && c != '!' && (c|0x20 < 'a' || c|0x20 > 'z') {
			continue
		}
		end := strings.Index(s[i:], closing)
		if end < 0 {
			return s, "", "", false
		}
		return s[:i], s[i+1 : i+end], s[i+end+len(closing):], true
	}
}

func tagName(tag string) (name, attributes string) {
	end := strings.IndexAny(tag, " \t\n")
	if end < 0 {
		return strings.ToLower(strings.TrimSuffix(tag, "/")), ""
	}
	return strings.ToLower(tag[:end]), tag[end:]
}

// attribute returns the value of a quoted attribute.
func attribute(attributes, name string) string {
	i := strings.Index(strings.Map(lowerASCII, attributes), name+"=")
	if i < 0 || i+len(name)+2 > len(attributes) {
		return ""
	}
	value := attributes[i+len(name)+1:]
	inside, _, ok := strings.Cut(value[1:], value[:1])
	if !ok || value[0] != '"' && value[0] != '\'' {
		return ""
	}
	return html.UnescapeString(inside)
}

// lowerASCII lowers a letter and keeps its length in bytes.
func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r | 0x20
	}
	return r
}
