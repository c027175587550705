package faqfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"faqbot/knowledge/limits"
)

// strictJSON turns what people write for JSON into it: comments, commas behind the last value, names without
// quotes, other quotes, and a module of JavaScript that holds nothing but data. Lines keep their numbers. It
// reports whether the result is JSON.
func strictJSON(text string) (string, bool) {
	l := lenient{text: text}
	l.skipDeclaration()
	declared := l.pos > 0
	for l.pos < len(l.text) {
		l.token()
	}
	out := bytes.TrimRight(l.out.Bytes(), " \t\n;")
	if !declared {
		return string(out), json.Valid(out)
	}
	var value json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(out))
	if dec.Decode(&value) != nil || bytes.ContainsAny(out[dec.InputOffset():], "[:") {
		return "", false // more data behind it would be lost
	}
	return string(out[:dec.InputOffset()]), true
}

type lenient struct {
	text  string
	pos   int
	out   bytes.Buffer
	comma int // where in out a comma was written that nothing follows yet, from 1
}

// skipDeclaration skips "export const faqs: FAQ[] =" and the like.
func (l *lenient) skipDeclaration() {
	rest := l.text
	for {
		rest = strings.TrimLeft(rest, " \t\n")
		switch {
		case strings.HasPrefix(rest, "//"):
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		case strings.HasPrefix(rest, "/*"):
			_, rest, _ = strings.Cut(rest, "*/")
			continue
		case strings.HasPrefix(rest, "import "):
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		}
		break
	}
	for _, word := range []string{"export ", "const ", "let ", "var ", "module.exports", "window."} {
		if strings.HasPrefix(rest, word) {
			before, after, ok := strings.Cut(rest, "=")
			if strings.HasPrefix(rest, "export default") && (!ok || strings.ContainsAny(before, "[{")) {
				after, ok = rest[len("export default"):], true
			}
			if ok {
				l.pos = len(l.text) - len(after)
				l.out.WriteString(strings.Repeat("\n", strings.Count(l.text[:l.pos], "\n")))
			}
			return
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
	case c == '}' || c == ']':
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
	text, _ := json.Marshal(b.String())
	l.out.Write(text)
	l.out.WriteString(strings.Repeat("\n", strings.Count(l.text[l.pos:min(i, len(l.text))], "\n"))) // lines keep their numbers
	l.pos = min(i+1, len(l.text))
}

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
