// Package plaintext turns HTML into the text that a customer reads: blocks are lines, links keep their
// addresses, a row of a table is a line that names its columns, pictures are handed over apart, scripts and
// styles are dropped. It does not make text safe to put into a page.
package plaintext

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A Node is an element or, without a Tag, a piece of text.
type Node struct {
	Tag      string
	Text     string // also what is in a script
	Line     int    // of the file, from 1
	Attrs    []html.Attribute
	Children []*Node
	Parent   *Node
}

// maxDepth is how many elements may be in each other. Deeper ones become children of the last.
const maxDepth = 200

// Parse builds the tree of s, or reports false where s has more than maxTags tags. It takes its tokens from
// x/net/html, but not its tree: building that takes the square of the input for text between stray end tags,
// and memory without bound for formatting elements left open. A "<" that begins no HTML tag is text.
func Parse(s string, maxTags int) (*Node, bool) {
	root := &Node{Line: 1}
	at, depth, line, tags := root, 0, 1, 0
	open := map[string]int{}
	tokens := html.NewTokenizer(strings.NewReader(escapeText(s)))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return root, true
		}
		began := line
		line += strings.Count(string(tokens.Raw()), "\n")
		switch kind {
		case html.TextToken:
			at.add(&Node{Text: string(tokens.Text()), Line: began})
		case html.StartTagToken, html.SelfClosingTagToken:
			if tags++; tags > maxTags {
				return nil, false
			}
			t := tokens.Token()
			for implied := closedBy(t.Data); implied != nil && slices.Contains(implied, at.Tag); {
				open[at.Tag]--
				at, depth = at.Parent, depth-1
			}
			n := at.add(&Node{Tag: t.Data, Attrs: t.Attr, Line: began})
			if !isVoid(t.Data) && kind == html.StartTagToken && depth < maxDepth {
				at, depth = n, depth+1
				open[t.Data]++
			}
		case html.EndTagToken:
			if tags++; tags > maxTags {
				return nil, false
			}
			name, _ := tokens.TagName()
			if open[string(name)] == 0 {
				continue // a stray one
			}
			for closing := ""; closing != string(name); {
				closing = at.Tag
				open[closing]--
				at, depth = at.Parent, depth-1
			}
		}
	}
}

func (n *Node) add(child *Node) *Node {
	child.Parent = n
	n.Children = append(n.Children, child)
	return child
}

// escapeText escapes each "<" of s that begins no tag of HTML, such as "3 <5" and "<name>".
func escapeText(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		if s = s[i:]; tagAt(s) == "" && !strings.HasPrefix(s, "<!") && !strings.HasPrefix(s, "<?") {
			b.WriteString("&lt;")
		} else {
			b.WriteByte('<')
		}
		s = s[1:]
	}
}

// tagAt returns the name of the HTML tag that s begins with, or "".
func tagAt(s string) string {
	const longest = 20 // no element of HTML has a longer name
	name := strings.TrimPrefix(s[1:min(len(s), longest+2)], "/")
	end := 0
	for end < len(name) && (name[end]|0x20 >= 'a' && name[end]|0x20 <= 'z' || name[end] >= '0' && name[end] <= '9') {
		end++
	}
	if end == 0 || end < len(name) && !strings.ContainsRune(" \t\n/>", rune(name[end])) {
		return ""
	}
	name = strings.ToLower(name[:end])
	if a := atom.Lookup([]byte(name)); a == 0 || notElements(name) || !ends(s[1:]) {
		return ""
	}
	return name
}

// ends reports whether a tag ends before another begins.
func ends(tag string) bool {
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; {
		case c == '>':
			return true
		case c == '<':
			return false
		case (c == '"' || c == '\'') && i > 0 && tag[i-1] == '=':
			end := strings.IndexByte(tag[i+1:], c)
			if end < 0 {
				return false
			}
			i += end + 1
		}
	}
	return false
}

// notElements are names of attributes and the like that atom knows beside those of elements.
func notElements(name string) bool {
	return !strings.Contains(elements, " "+name+" ")
}

// Each name stands between spaces, at the end of a line too.
const elements = ` a abbr acronym address area article aside audio b base basefont bdi bdo big blockquote body br button canvas caption center 
 cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame 
 frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link main map mark menu meta meter nav 
 noframes noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script section select small source 
 span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr `

func isVoid(tag string) bool {
	return strings.Contains(" area base br col embed hr img input link meta param source track wbr ", " "+tag+" ")
}

// closedBy returns the elements whose end tag may be left out before a tag.
func closedBy(tag string) []string {
	switch tag {
	case "li":
		return []string{"li", "p"}
	case "dt", "dd":
		return []string{"dt", "dd", "p"}
	case "tr":
		return []string{"td", "th", "tr"}
	case "td", "th":
		return []string{"td", "th"}
	case "option":
		return []string{"option"}
	case "p", "div", "ul", "ol", "dl", "table", "section", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "details":
		return []string{"p"}
	}
	return nil
}

// Attr returns an attribute, or "".
func (n *Node) Attr(name string) string {
	for _, a := range n.Attrs {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// Has reports whether n has an attribute.
func (n *Node) Has(name string) bool {
	return slices.ContainsFunc(n.Attrs, func(a html.Attribute) bool { return a.Key == name })
}

// All calls visit for n and the nodes in it, in order. What is in a node is left out if visit returns false.
func (n *Node) All(visit func(*Node) bool) {
	if !visit(n) {
		return
	}
	for _, c := range n.Children {
		c.All(visit)
	}
}
