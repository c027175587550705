package faqfile

import (
	"regexp"
	"strings"
)

// A components rewrites what generators of documentation sites add to Markdown as Markdown and HTML that mean the
// same: components of MDX, admonitions of MkDocs, footnotes. Lines keep their numbers.
type components struct {
	tag, title, comment, admonition, note, noted, mark *regexp.Regexp
}

func newComponents() components {
	return components{
		tag:        regexp.MustCompile(`(?s)</?[A-Z][\w.]*(?:\s+[\w:-]+(?:=(?:"[^"]*"|'[^']*'|\{[^{}]*\}))?)*\s*/?>`),
		title:      regexp.MustCompile(`\b(?:title|question|summary|label|header|heading|q|name)=(?:"([^"]*)"|'([^']*)'|\{\s*["'` + "`" + `]([^"'` + "`" + `]*)["'` + "`" + `]\s*\})`),
		comment:    regexp.MustCompile(`(?s)\{/\*.*?\*/\}`),
		admonition: regexp.MustCompile(`^(\s*)(?:!!!|\?\?\?\+?) +[\w-]+(?: [\w -]+)?(?: +"([^"]*)")?\s*$`),
		note:       regexp.MustCompile(`\[\^[^\]\s]{1,40}\]`),
		mark:       regexp.MustCompile(`(?m)\{:?\s*[.#][^{}\n]*\}|:(?:material|octicons|fontawesome|simple)-[\w-]+:|\{\{[<%][^{}\n]*[%>]\}\}|^\*\[[^\]\n]+\]:.*$|^\[TOC\][ \t]*$`),
		noted:      regexp.MustCompile(`^\[\^[^\]\s]{1,40}\]:`),
	}
}

// rewrite returns source with all of them rewritten.
func (c components) rewrite(source string) string {
	if strings.Contains(source, "{/*") {
		source = c.comment.ReplaceAllStringFunc(source, blanked)
	}
	source = joinSummaries(source)
	source = c.mark.ReplaceAllString(source, "")
	if c.tag.MatchString(source) {
		source = c.rewriteTags(source)
	}
	if strings.Contains(source, "!!!") || strings.Contains(source, "???") {
		source = c.rewriteAdmonitions(source)
	}
	if strings.Contains(source, "[^") {
		source = c.dropFootnotes(source)
	}
	return source
}

// joinSummaries puts each summary on one line, or Markdown would cut it.
func joinSummaries(source string) string {
	const maxSummary = 2000 // bytes
	var b strings.Builder
	for {
		at := strings.Index(source, "<summary")
		if at < 0 {
			return b.String() + source
		}
		b.WriteString(source[:at])
		source = source[at:]
		end := strings.Index(source[:min(len(source), maxSummary)], "</summary>")
		if end < 0 {
			b.WriteString(source[:len("<summary")])
			source = source[len("<summary"):]
			continue
		}
		b.WriteString(strings.Join(strings.Fields(source[:end]), " ") + blanked(source[:end]))
		source = source[end:]
	}
}

// blanked is the line ends of text.
func blanked(text string) string { return strings.Repeat("\n", strings.Count(text, "\n")) }

// rewriteTags makes a component with a title that asks, or that opens and closes, a summary with its details. What
// leads elsewhere is dropped with its text; of other components the text stays. Only those that begin a line count:
// elsewhere "<T>" may be text.
func (c components) rewriteTags(source string) string {
	source = c.tag.ReplaceAllStringFunc(source, func(tag string) string { // on one line
		return strings.ReplaceAll(tag, "\n", " ") + blanked(tag)
	})
	w := tagWriter{components: c}
	code := false
	for line := range strings.Lines(source) {
		bare := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(bare, "```") {
			code = !code
		}
		switch {
		case !code && beginsTag(bare):
			w.line(bare)
		case w.dropped > 0:
			w.out.WriteString(blanked(line))
		default:
			w.out.WriteString(w.dedent(line))
		}
	}
	return w.out.String()
}

// beginsTag reports whether a line begins with a component or the end of one.
func beginsTag(line string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(line, "<"), "/")
	return strings.HasPrefix(line, "<") && name != "" && name[0] >= 'A' && name[0] <= 'Z'
}

// A tagWriter writes the lines of a source without its components.
type tagWriter struct {
	components
	out     strings.Builder
	open    []openComponent
	dropped int // components open inside one that is dropped, itself included
}

// An openComponent is one whose end is to come.
type openComponent struct {
	end    string // what stands in place of that
	indent int    // of what stands inside, -1 while nothing does
}

// line writes a line with components in it.
func (w *tagWriter) line(line string) {
	at := 0
	keep := func(text string) {
		if w.dropped > 0 {
			text = blanked(text)
		}
		w.out.WriteString(text)
	}
	for _, m := range w.tag.FindAllStringIndex(line, -1) {
		keep(line[at:m[0]])
		at = m[1]
		switch tag := line[m[0]:m[1]]; {
		case strings.HasPrefix(tag, "</") && w.dropped > 0:
			w.dropped--
		case strings.HasPrefix(tag, "</"):
			if n := len(w.open); n > 0 {
				w.out.WriteString(w.open[n-1].end)
				w.open = w.open[:n-1]
			}
		case strings.HasSuffix(tag, "/>"):
		case w.dropped > 0, strings.Contains(tag, " href="):
			w.dropped++
		default:
			begin, end := w.opened(tag)
			w.out.WriteString(begin)
			w.open = append(w.open, openComponent{end, -1})
		}
	}
	keep(line[at:])
}

// dedent takes off a line what indents it in its component, which Markdown would take for code.
func (w *tagWriter) dedent(line string) string {
	bare := strings.TrimLeft(line, " \t")
	if len(w.open) == 0 || strings.TrimSpace(line) == "" {
		return line
	}
	in := &w.open[len(w.open)-1]
	if in.indent < 0 {
		in.indent = len(line) - len(bare)
	}
	return line[min(in.indent, len(line)-len(bare)):]
}

// opened is what stands in place of a component's first tag and of its last.
func (c components) opened(tag string) (begin, end string) {
	title := ""
	if m := c.title.FindStringSubmatch(tag); m != nil {
		title = m[1] + m[2] + m[3]
	}
	name := strings.ToLower(tag)
	folds := false
	for _, word := range []string{"accordion", "details", "faq", "question", "collaps", "expand", "toggle", "disclosure", "spoiler", "dropdown"} {
		folds = folds || strings.HasPrefix(name, "<"+word)
	}
	if title != "" && (folds || asks(title)) {
		return "<details><summary>" + title + "</summary>\n\n", "\n\n</details>\n\n"
	}
	return "", ""
}

// rewriteAdmonitions makes an admonition whose title asks a bold question, and leaves of others the text, which is
// indented in the source.
func (c components) rewriteAdmonitions(source string) string {
	var b strings.Builder
	indent := -1 // of the admonition that is open
	for line := range strings.Lines(source) {
		bare := strings.TrimLeft(line, " ")
		at := len(line) - len(bare)
		if m := c.admonition.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			indent = len(m[1])
			if asks(m[2]) {
				b.WriteString("**" + m[2] + "**")
			} else {
				b.WriteString(m[2])
			}
			b.WriteString("\n")
			continue
		}
		switch {
		case indent >= 0 && strings.TrimSpace(line) == "":
		case indent >= 0 && at >= indent+4:
			line = line[4:]
		default:
			indent = -1
		}
		b.WriteString(line)
	}
	return b.String()
}

// dropFootnotes drops the marks of footnotes and the notes, which stand at the end of the file, far from their answer.
func (c components) dropFootnotes(source string) string {
	var b strings.Builder
	in := false
	for line := range strings.Lines(source) {
		switch {
		case c.noted.MatchString(line):
			in = true
		case in && !strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "":
			in = false
		}
		if in {
			b.WriteString(blanked(line))
			continue
		}
		b.WriteString(c.note.ReplaceAllString(line, ""))
	}
	return b.String()
}
