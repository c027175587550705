package faqfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"faqbot/knowledge/limits"
)

// strictJSON turns what people write for JSON into it: comments, commas behind the last value, names without
// quotes, other quotes, and modules of JavaScript, of which the lists and objects are read. Lines keep their numbers.
// It reports whether the result is JSON.
func strictJSON(text string) (string, bool) {
	l := lenient{text: text}
	if l.nextData() {
		return l.module()
	}
	l.pos = 0
	l.out.Reset()
	for l.pos < len(l.text) {
		l.token()
	}
	out := bytes.TrimRight(l.out.Bytes(), " \t\n;")
	return string(out), json.Valid(out)
}

type lenient struct {
	text  string
	pos   int
	out   bytes.Buffer
	comma int  // where in out a comma was written that nothing follows yet, from 1
	depth int  // lists and objects that are open
	plus  bool // a text goes on the one before

	tag, statement *regexp.Regexp // compiled when first needed, since a module may have thousands of each
}

// module reads the lists and objects of a module from the first on, as a list of them if there are several.
func (l *lenient) module() (string, bool) {
	first, count := l.out.Len(), 0
	for {
		if count++; count > 1 {
			l.out.WriteByte(',')
		}
		begin := l.out.Len()
		for l.token(); l.depth > 0 && l.pos < len(l.text); {
			l.token()
		}
		if !json.Valid(l.out.Bytes()[begin:]) {
			return "", false
		}
		if !l.nextData() {
			break
		}
	}
	if out := l.out.String(); count > 1 {
		return out[:first] + "[" + strings.TrimRight(out[first:], " \t\n,") + "]", true
	}
	return strings.TrimRight(l.out.String(), " \t\n"), true
}

// nextData goes on to the next list or object that a statement of a module declares or exports. It reports whether
// there is one. In place of what it skips it writes the line ends.
func (l *lenient) nextData() bool {
	if l.statement == nil {
		l.statement = regexp.MustCompile(`(?m)^[ \t]*(?:(?:export\s+)?(?:const|let|var)\s+[\w$]+\s*(?::[^=]*?)?=|export\s+default\b|module\.exports(?:\.\w+)?\s*=|exports\.\w+\s*=|window\.[\w.]+\s*=)\s*`)
	}
	for from := l.pos; ; {
		m := l.statement.FindStringIndex(l.text[from:])
		if m == nil {
			return false
		}
		from += m[1]
		if from < len(l.text) && (l.text[from] == '[' || l.text[from] == '{') {
			l.out.WriteString(blanked(l.text[l.pos:from]))
			l.pos = from
			return true
		}
	}
}

// token copies the next token as JSON has it.
func (l *lenient) token() {
	c := l.text[l.pos]
	rest := l.text[l.pos:]
	switch {
	case strings.HasPrefix(rest, "//"):
		l.skip(strings.IndexByte(rest, '\n'))
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest, "*/")
		if end >= 0 {
			l.out.WriteString(strings.Repeat("\n", strings.Count(rest[:end], "\n")))
			end += len("*/")
		}
		l.skip(end)
	case c == '"' || c == '\'' || c == '`':
		l.value()
		l.quoted(c)
	case c == ' ' || c == '\t' || c == '\n':
		l.out.WriteByte(c)
		l.pos++
	case c == ',':
		l.comma = l.out.Len() + 1
		l.out.WriteByte(c)
		l.pos++
	case c == '[' || c == '{':
		l.value()
		l.depth++
		l.out.WriteByte(c)
		l.pos++
	case c == '(' || c == ')': // around what stands on several lines
		l.pos++
	case c == '+':
		l.plus = bytes.HasSuffix(bytes.TrimRight(l.out.Bytes(), " \t\n"), []byte(`"`))
		l.pos++
	case c == '<':
		l.value()
		l.markup()
	case c == '}' || c == ']':
		l.depth--
		if l.comma > 0 {
			l.out.Bytes()[l.comma-1] = ' '
		}
		l.value()
		l.out.WriteByte(c)
		l.pos++
	case c == '_' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z':
		l.value()
		l.word()
	default:
		l.value()
		l.out.WriteByte(c)
		l.pos++
	}
}

// value notes that something follows the last comma.
func (l *lenient) value() { l.comma = 0 }

func (l *lenient) skip(n int) {
	if n < 0 {
		n = len(l.text) - l.pos
	}
	l.pos += n
}

// quoted copies a text in any quotes.
func (l *lenient) quoted(quote byte) {
	var b strings.Builder
	i := l.pos + 1
	for ; i < len(l.text) && l.text[i] != quote; i++ {
		if l.text[i] != '\\' || i+1 == len(l.text) {
			b.WriteByte(l.text[i])
			continue
		}
		switch i++; l.text[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r', '\n':
		case 'u':
			var s string
			if i+5 <= len(l.text) && json.Unmarshal([]byte(`"\`+l.text[i:i+5]+`"`), &s) == nil {
				b.WriteString(s)
				i += 4
			}
		default:
			b.WriteByte(l.text[i])
		}
	}
	l.write(b.String())
	l.out.WriteString(blanked(l.text[l.pos:min(i, len(l.text))])) // lines keep their numbers
	l.pos = min(i+1, len(l.text))
}

// write writes a text, or the rest of the one before if a plus joins the two.
func (l *lenient) write(text string) {
	quoted, _ := json.Marshal(text)
	if l.plus {
		out := bytes.TrimRight(l.out.Bytes(), " \t\n")
		ends := blanked(string(l.out.Bytes()[len(out):]))
		l.out.Truncate(len(out) - 1)
		l.out.Write(quoted[1:])
		l.out.WriteString(ends)
		l.plus = false
		return
	}
	l.out.Write(quoted)
}

// markup copies JSX as a text: HTML with the names of React.
func (l *lenient) markup() {
	if l.tag == nil {
		l.tag = regexp.MustCompile(`</?[A-Za-z][\w.]*(?:[^<>"'{}]|"[^"]*"|'[^']*'|\{[^{}]*\})*>|<>|</>`)
	}
	depth, end := 0, l.pos
	for n := 0; ; n++ {
		m := l.tag.FindStringIndex(l.text[end:])
		if m == nil || n == maxMarkup {
			end = len(l.text)
			break
		}
		found := l.text[end+m[0] : end+m[1]]
		end += m[1]
		switch {
		case strings.HasPrefix(found, "</"):
			depth--
		case !strings.HasSuffix(found, "/>") && !strings.HasPrefix(found, "<br"):
			depth++
		}
		if depth <= 0 {
			break
		}
	}
	text := l.text[l.pos:end]
	for _, said := range [][2]string{{"<>", ""}, {"</>", ""}, {`{" "}`, " "}, {`{' '}`, " "}, {"className=", "class="}, {"to=", "href="}} {
		text = strings.ReplaceAll(text, said[0], said[1])
	}
	l.write(strings.Join(strings.Fields(text), " "))
	l.out.WriteString(blanked(l.text[l.pos:end]))
	l.pos = end
}

// maxMarkup is how many tags one value may have.
const maxMarkup = 2000

// word copies a name without quotes.
func (l *lenient) word() {
	end := l.pos
	for end < len(l.text) && (l.text[end] == '_' || l.text[end] == '$' || l.text[end]|0x20 >= 'a' && l.text[end]|0x20 <= 'z' || l.text[end] >= '0' && l.text[end] <= '9') {
		end++
	}
	word := l.text[l.pos:end]
	switch {
	case strings.HasPrefix(strings.TrimLeft(l.text[end:], " \t\n"), ":"):
		word = `"` + word + `"`
	case word == "undefined" || word == "NaN":
		word = "null"
	}
	l.out.WriteString(word)
	l.pos = end
}

// readYAML reads YAML as the JSON that says the same.
func readYAML(b *builder, text string) {
	marks := strings.Count(text, "\n")
	for i := range len(text) {
		if strings.IndexByte("[]{},:&*", text[i]) >= 0 {
			marks++
		}
	}
	if marks > limits.MaxYAML {
		b.stop(fmt.Sprintf("The YAML has more than %d lines and marks. Split it, or save it as JSON.", limits.MaxYAML))
		return
	}
	w := yamlWriter{most: 16*len(text) + 64<<10} // escapes make six bytes of one
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if err != nil {
			if w.out.Len() == 0 {
				b.stop(fmt.Sprintf("The YAML cannot be read: %s. Check its indents and quotes.", quote(strings.TrimPrefix(err.Error(), "yaml: "))))
				return
			}
			break
		}
		w.write(&doc, 0)
	}
	if w.tooMuch {
		b.stop("The YAML refers to its own parts too often, or nests them too deep. Write it flat.")
		return
	}
	readJSON(b, w.out.String())
}

// A yamlWriter writes YAML as JSON, each value on the line that it had.
type yamlWriter struct {
	out     strings.Builder
	line    int // of out, from 0
	most    int // bytes: parts that are referred to are written each time
	tooMuch bool
}

func (w *yamlWriter) write(n *yaml.Node, depth int) {
	if depth > limits.MaxJSON || w.out.Len() > w.most {
		w.tooMuch = true
		return
	}
	if n.Line-1 > w.line {
		w.out.WriteString(strings.Repeat("\n", n.Line-1-w.line))
		w.line = n.Line - 1
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			w.write(c, depth+1)
		}
	case yaml.AliasNode:
		w.write(n.Alias, depth+1)
	case yaml.SequenceNode:
		w.list(n, depth, "[", "]")
	case yaml.MappingNode:
		w.list(n, depth, "{", "}")
	default:
		w.scalar(n)
	}
}

func (w *yamlWriter) list(n *yaml.Node, depth int, open, end string) {
	w.out.WriteString(open)
	for i, c := range n.Content {
		switch {
		case i > 0 && (n.Kind == yaml.SequenceNode || i%2 == 0):
			w.out.WriteString(",")
		case n.Kind == yaml.MappingNode && i%2 == 1:
			w.out.WriteString(":")
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			name, _ := json.Marshal(c.Value)
			w.out.Write(name)
			continue
		}
		w.write(c, depth+1)
	}
	w.out.WriteString(end)
}

func (w *yamlWriter) scalar(n *yaml.Node) {
	switch n.Tag {
	case "!!null":
		w.out.WriteString("null")
		return
	case "!!bool":
		var is bool
		if n.Decode(&is) == nil {
			fmt.Fprint(&w.out, is)
			return
		}
	}
	text, _ := json.Marshal(n.Value)
	w.out.Write(text)
}
