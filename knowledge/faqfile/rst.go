package faqfile

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// readRST reads reStructuredText, as Sphinx has it, as the Markdown that means the same.
func readRST(b *builder, source string) { readMarkdown(b, markdownOfRST(source)) }

// markdownOfRST writes headings, links, code and directives as Markdown. Lines keep their numbers.
func markdownOfRST(source string) string {
	lines := strings.Split(source, "\n")
	levels := map[string]int{} // of marks under headings, by their order
	directive := regexp.MustCompile(`^(\s*)\.\. +([\w-]+)::\s*(.*)$`)
	link := regexp.MustCompile("`([^`<]+?)\\s*<([^`>]+)>`__?")
	role := regexp.MustCompile(":[a-zA-Z:+-]+:`([^`<]+?)(?:\\s*<[^`>]*>)?`")
	named := regexp.MustCompile("`([^`]+)`__?\\b|`([^`]+)`_(?:\\W|$)")
	dropping, keeping := -1, -1 // the indent of the directive or comment that is open, and whether its text stays
	for i, line := range lines {
		bare := strings.TrimSpace(line)
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if bare != "" && indent <= dropping {
			dropping = -1
		}
		if bare != "" && indent <= keeping {
			keeping = -1
		}
		switch m := directive.FindStringSubmatch(line); {
		case dropping >= 0:
			lines[i] = ""
			continue
		case m != nil && strings.Contains(" note tip hint important warning caution attention danger seealso admonition versionadded versionchanged ", " "+m[2]+" "):
			keeping = len(m[1])
			lines[i] = m[3]
			continue
		case m != nil, strings.HasPrefix(bare, ".. "), bare == "..":
			dropping = indent
			lines[i] = ""
			continue
		case keeping >= 0 && bare != "":
			if strings.HasPrefix(bare, ":") && strings.Count(bare, ":") > 1 {
				bare = "" // an option of the directive
			}
			lines[i] = bare
		}
		if i > 0 && isRule(bare) && strings.TrimSpace(lines[i-1]) != "" && utf8.RuneCountInString(bare)+1 >= utf8.RuneCountInString(strings.TrimSpace(lines[i-1])) && indent == 0 {
			mark := bare[:1]
			if i > 1 && isRule(strings.TrimSpace(lines[i-2])) {
				mark += mark
				lines[i-2] = ""
			}
			if levels[mark] == 0 {
				levels[mark] = len(levels) + 1
			}
			lines[i-1] = strings.Repeat("#", min(levels[mark], 6)) + " " + strings.TrimSpace(lines[i-1])
			lines[i] = ""
			continue
		}
		text := link.ReplaceAllString(lines[i], "[$1]($2)")
		text = role.ReplaceAllString(text, "$1")
		text = named.ReplaceAllString(text, "$1$2")
		text = strings.ReplaceAll(text, "``", "`")
		if strings.HasSuffix(text, "::") {
			text = strings.TrimSuffix(text, ":")
		}
		lines[i] = text
	}
	return strings.Join(lines, "\n")
}

// isRule reports whether a line is a row of one mark, as stands under a heading or between parts.
func isRule(line string) bool {
	return len(line) >= 3 && strings.ContainsRune("=-~^\"'`#*+.:_", rune(line[0])) && strings.Trim(line, line[:1]) == ""
}
