package faqfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// isPage reports whether text is a web page, or a piece of one.
func isPage(ext, text string) bool {
	head := strings.ToLower(strings.TrimSpace(text[:min(len(text), 512)]))
	if ext == ".html" || ext == ".htm" || ext == ".xhtml" {
		return true
	}
	return ext != ".md" && ext != ".mdx" && (strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<?xml") && strings.Contains(head, "<html"))
}

// A pageReader finds the questions of a web page: those that its structure names (microdata, details, lists of
// terms, toggles and what they control, classes that say question and answer), then headings, bold lines and
// plain ones that ask.
type pageReader struct {
	plaintext.Printer
	ids     map[string]*plaintext.Node
	answers map[*plaintext.Node][]*plaintext.Node // of a question's node
	taken   map[*plaintext.Node]bool              // it is an answer, printed with its question
	chrome  *regexp.Regexp
	icon    *regexp.Regexp
	inside  bool // an answer is being printed
}

func newPageReader() *pageReader {
	return &pageReader{ids: map[string]*plaintext.Node{}, answers: map[*plaintext.Node][]*plaintext.Node{}, taken: map[*plaintext.Node]bool{},
		chrome: regexp.MustCompile(`(?i)(^|[\s_-])(nav|navbar|navigation|menu|breadcrumbs?|cookies?|consent|newsletter|subscribe|sidebar|footer|masthead|site-header|skip|skip-link|toc|table-of-contents|related|share|sharing|social|helpful|feedback|rating|comments?|cta|banner|advert|ads|promo|popup|modal|pagination|search|edit-link|sr-only|visually-hidden)($|[\s_-])`),
		icon:   regexp.MustCompile(`(?i)(^|[\s_-])(icons?|chevron|arrow|caret|plus|minus|glyphicon|fa|toggle-icon|anchor|headerlink|permalink)($|[\s_-])`)}
}

const noFAQ = "No questions were found on the page. What is looked for: a list of questions that fold open, headings or bold lines that end in a question mark, a table or list of questions and answers, or the data of a FAQPage."

// readPage reads a saved web page, or a piece of one.
func readPage(b *builder, text string) {
	if b.look != nil {
		return
	}
	root, ok := plaintext.Parse(text, limits.MaxTags)
	if !ok {
		b.stop(fmt.Sprintf("The page has more than %d tags. Save only the part with the questions.", limits.MaxTags))
		return
	}
	r := newPageReader()
	main := r.main(root)
	r.find(main)
	r.Skip, r.Instead, r.Picture = r.skip, r.question, markPicture
	r.Print(main)
	o := newOutline()
	o.strict = true
	for _, l := range r.Finish() {
		if l.Level > 0 {
			o.head(l.Level, l.Number, l.Text)
		} else if !isChrome(l.Text) {
			o.add(bodyOf(l, 0))
		}
	}
	b.strict = true
	if page := o.root(); page.asksInside() || page.hasQuestions(b.names) {
		b.readSection(page, "")
	}
	r.data(b, root)
	if len(b.found) > 0 || b.stopped != "" {
		return
	}
	if words := len(strings.Fields(plaintext.Join(r.Lines))); words < fewWords && strings.Contains(text, "<script") {
		b.stop("The page has no text of its own: a script draws it in the browser. Copy the questions from the browser into a table, or save the page there as \"complete\".")
		return
	}
	b.stop(noFAQ)
}

// fewWords is how few words the page of a script has: "Please enable JavaScript".
const fewWords = 30

// main returns the element with the page's own text, or root.
func (r *pageReader) main(root *plaintext.Node) *plaintext.Node {
	var main, body *plaintext.Node
	root.All(func(n *plaintext.Node) bool {
		if id := n.Attr("id"); id != "" && r.ids[id] == nil {
			r.ids[id] = n
		}
		switch {
		case main == nil && (n.Tag == "main" || n.Attr("role") == "main"):
			main = n
		case body == nil && n.Tag == "body":
			body = n
		}
		return true
	})
	switch {
	case main != nil:
		return main
	case body != nil:
		return body
	}
	return root
}

// skip reports whether a node belongs to the page and not to its text.
func (r *pageReader) skip(n *plaintext.Node) bool {
	if r.taken[n] && !r.inside {
		return true
	}
	switch n.Tag {
	case "nav", "footer", "aside", "form", "dialog", "button":
		return n.Tag != "button" || r.inside
	case "header":
		return n.Parent != nil && n.Parent.Tag == "body"
	case "ul", "ol", "p", "div", "li":
		if ownLinks(n) {
			return true
		}
	}
	if slices.Contains([]string{"navigation", "banner", "contentinfo", "search", "dialog", "complementary", "alert"}, n.Attr("role")) {
		return true
	}
	name := n.Attr("class") + " " + n.Attr("id")
	if strings.Contains(strings.ToLower(name), "faq") || strings.Contains(strings.ToLower(name), "question") || n.Tag == "body" || n.Tag == "main" {
		return r.isIcon(n)
	}
	return r.isIcon(n) || n.Tag != "a" && r.chrome.MatchString(name) && !r.asksInside(n)
}

// asksInside reports whether a question that the structure names is in n.
func (r *pageReader) asksInside(n *plaintext.Node) (found bool) {
	n.All(func(inner *plaintext.Node) bool {
		found = found || len(r.answers[inner]) > 0
		return !found
	})
	return found
}

// isIcon reports whether a node is a picture made of letters.
func (r *pageReader) isIcon(n *plaintext.Node) bool {
	return n.Attr("aria-hidden") == "true" && (n.Tag == "span" || n.Tag == "i") || (n.Tag == "span" || n.Tag == "i" || n.Tag == "a") && r.icon.MatchString(n.Attr("class"))
}

// ownLinks reports whether all the words in n are links to places on its own page: a table of contents, "to the top".
func ownLinks(n *plaintext.Node) bool {
	links, words := 0, false
	n.All(func(inner *plaintext.Node) bool {
		if inner.Tag == "a" && strings.HasPrefix(inner.Attr("href"), "#") && !inner.Has("data-toggle") && !inner.Has("data-bs-toggle") && !inner.Has("aria-controls") {
			links++
			return false
		}
		words = words || strings.TrimSpace(inner.Text) != "" || inner.Tag == "img"
		return !words
	})
	return links > 0 && !words
}

// find finds the questions that the structure names, and their answers.
func (r *pageReader) find(main *plaintext.Node) {
	main.All(func(n *plaintext.Node) bool {
		switch {
		case strings.Contains(n.Attr("itemtype"), "schema.org/Question"):
			r.pair(within(n, "itemprop", "name"), answerIn(n))
		case n.Tag == "details":
			r.details(n)
		case n.Tag == "dt":
			r.term(n)
		default:
			r.toggle(n)
		}
		return true
	})
	main.All(func(n *plaintext.Node) bool {
		if isClass(n, "question") && !r.near(n) {
			r.classes(n)
		}
		return true
	})
}

func (r *pageReader) pair(question *plaintext.Node, answers ...*plaintext.Node) {
	answers = slices.DeleteFunc(answers, func(n *plaintext.Node) bool { return n == nil })
	if question == nil || len(answers) == 0 || r.taken[question] || len(r.answers[question]) > 0 {
		return
	}
	r.answers[question] = answers
	for _, n := range answers {
		r.taken[n] = true
	}
}

func within(n *plaintext.Node, attribute, value string) (found *plaintext.Node) {
	n.All(func(inner *plaintext.Node) bool {
		if found == nil && inner.Attr(attribute) == value {
			found = inner
		}
		return found == nil
	})
	return found
}

func answerIn(n *plaintext.Node) *plaintext.Node {
	answer := within(n, "itemprop", "acceptedAnswer")
	if answer == nil {
		answer = within(n, "itemprop", "suggestedAnswer")
	}
	if answer != nil {
		if text := within(answer, "itemprop", "text"); text != nil {
			return text
		}
	}
	return answer
}

func (r *pageReader) details(n *plaintext.Node) {
	var summary *plaintext.Node
	var rest []*plaintext.Node
	words := false
	for _, c := range n.Children {
		if c.Tag == "summary" && summary == nil {
			summary = c
			continue
		}
		rest = append(rest, c)
		words = words || c.Tag != "" || strings.TrimSpace(c.Text) != ""
	}
	if words {
		r.pair(summary, rest...)
	}
}

// term pairs a <dt> with the <dd> behind it.
func (r *pageReader) term(n *plaintext.Node) {
	var list []*plaintext.Node
	for _, c := range after(n) {
		if c.Tag == "dt" || c.Tag != "dd" && c.Tag != "" {
			break
		}
		if c.Tag == "dd" {
			list = append(list, c)
		}
	}
	r.pair(n, list...)
}

// after returns the siblings behind n.
func after(n *plaintext.Node) []*plaintext.Node {
	if n.Parent == nil {
		return nil
	}
	at := slices.Index(n.Parent.Children, n)
	return n.Parent.Children[at+1 : min(len(n.Parent.Children), at+1+maxSiblings)]
}

// maxSiblings is how many nodes behind a question its answer may be.
const maxSiblings = 50

// toggle pairs what opens an element of the page with that.
func (r *pageReader) toggle(n *plaintext.Node) {
	id := n.Attr("aria-controls")
	for _, name := range []string{"data-bs-target", "data-target"} {
		if id == "" {
			id = strings.TrimPrefix(n.Attr(name), "#")
		}
	}
	if id == "" && (n.Has("data-toggle") || n.Has("data-bs-toggle")) {
		id = strings.TrimPrefix(n.Attr("href"), "#")
	}
	if target := r.ids[id]; id != "" && target != nil && n.Attr("role") != "tab" && n.Attr("data-toggle") != "tab" && n.Attr("data-bs-toggle") != "tab" && !contains(target, n) {
		r.pair(n, target)
	}
}

func contains(n, inner *plaintext.Node) bool {
	for ; inner != nil; inner = inner.Parent {
		if inner == n {
			return true
		}
	}
	return false
}

// near reports whether a question was found at n, in it or around it.
func (r *pageReader) near(n *plaintext.Node) bool {
	for at := n; at != nil; at = at.Parent {
		if len(r.answers[at]) > 0 || r.taken[at] {
			return true
		}
	}
	return r.asksInside(n)
}

// isClass reports whether a word of n's class is, or ends or begins in, what.
func isClass(n *plaintext.Node, what string) bool {
	for class := range strings.FieldsSeq(strings.ToLower(n.Attr("class"))) {
		if class == what || strings.HasSuffix(class, "-"+what) || strings.HasSuffix(class, "_"+what) || strings.HasPrefix(class, what+"-") && !strings.Contains(class, "list") && !strings.Contains(class, "item") {
			return true
		}
	}
	return false
}

// classes pairs a node with a class of a question with the next one with a class of an answer: behind it, or
// behind the element that it is in.
func (r *pageReader) classes(n *plaintext.Node) {
	for at, up := n, 0; at != nil && up < 3; at, up = at.Parent, up+1 {
		var list []*plaintext.Node
		for _, c := range after(at) {
			if isClass(c, "question") {
				break
			}
			if isClass(c, "answer") {
				list = append(list, c)
			}
		}
		if len(list) > 0 {
			r.pair(n, list...)
			return
		}
	}
}

// question prints a question that the structure names, and its answer.
func (r *pageReader) question(n *plaintext.Node) bool {
	if answers := r.answers[n]; len(answers) > 0 && !r.inside {
		question(&r.Printer, n)
		r.inside = true
		for i, a := range answers {
			if i == 0 || n.Tag != "summary" { // what is in one <details> is one text
				r.Blank()
			}
			r.Print(a)
		}
		r.Blank()
		r.inside = false
		r.Lines = append(r.Lines, plaintext.Line{Mark: markEnd})
		return true
	}
	if isHeading(n.Tag) && !r.inside && r.asksInside(n) {
		for _, c := range n.Children {
			r.Print(c)
		}
		return true
	}
	return false
}

func isHeading(tag string) bool {
	return len(tag) == 2 && tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '6'
}

// data adds the entries of the page's JSON-LD that the page itself does not show.
func (r *pageReader) data(b *builder, root *plaintext.Node) {
	shown := map[string]bool{}
	for _, f := range b.found {
		shown[normalQuestion(oneLine(f.text[colQuestion]))] = true
	}
	known := names()
	root.All(func(n *plaintext.Node) bool {
		if n.Tag != "script" || !strings.Contains(strings.ToLower(n.Attr("type")), "ld+json") || len(n.Children) == 0 {
			return true
		}
		inner := &builder{names: known} // it only finds
		readJSON(inner, strings.TrimSpace(n.Children[0].Text))
		if len(inner.found) == 0 {
			return true
		}
		inner.makeText()
		for _, f := range inner.found {
			if key := normalQuestion(oneLine(f.text[colQuestion])); !shown[key] && f.text[colAnswer] != "" {
				shown[key], f.plain, f.line = true, true, n.Line
				if !b.add(f) {
					return false
				}
			}
		}
		return true
	})
}
