package faqfile

import (
	"encoding/json"
	"fmt"
	"strings"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// A span is a piece of the text of a JSON file.
type span struct{ start, end int }

// A jsonFile is the text of one. It is first cut into entries by its brackets and quotes alone, so
// that one that is damaged, or an end that is missing, does not cost the others, and so that nesting
// costs no stack.
type jsonFile struct {
	b     *builder
	text  string
	whole bool // no bracket was left open

	alternates int          // entries with several answers
	marks      *promptMarks // nil until a completion is read

	offset, passed int // where line counted to last, and the line ends before that
}

// readJSON reads the entries of a document, or of one document on each line.
func readJSON(b *builder, text string) {
	if !json.Valid([]byte(text)) {
		if strict, ok := strictJSON(text); ok {
			text = strict
		}
	}
	j := &jsonFile{b: b, text: text, whole: true}
	var values []span
	if j.isLines() {
		values = j.eachLine()
	} else {
		values = j.values()
	}
	if b.look != nil {
		j.lookAt(j.objects(values))
		return
	}
	w := jsonWalk{j: j, lists: map[int]bool{}}
	if len(values) == 1 {
		w.visit(values[0], jsonContext{}, 0, 0)
	} else {
		w.list(values, jsonContext{}, 0)
	}
	entries := w.chosen()
	if len(entries) == 0 {
		j.stop(j.objects(values))
		return
	}
	for i, e := range entries {
		if i == len(entries)-1 && !j.whole && e.text == nil && !json.Valid([]byte(j.of(e.at))) {
			break // told below
		}
		if !j.add(e) {
			return
		}
	}
	w.tell()
	if !j.whole {
		last := entries[len(entries)-1].at
		b.bad(j.line(last.start), "", fmt.Sprintf(
			"The file ends too early, in or after the entry on line %d. The entries before it were read; export or send the file again.", j.line(last.start)))
	}
}

func (j *jsonFile) of(s span) string { return j.text[s.start:s.end] }

// line returns the line of an offset. Entries come in order, so counting goes on from the last one.
func (j *jsonFile) line(offset int) int {
	if offset < j.offset {
		j.offset, j.passed = 0, 0
	}
	j.passed += strings.Count(j.text[j.offset:offset], "\n")
	j.offset = offset
	return j.passed + 1
}

// trim returns s without the white space around it.
func (j *jsonFile) trim(s span) span {
	s.end = s.start + len(strings.TrimRight(j.of(s), " \t\n"))
	s.start = s.end - len(strings.TrimLeft(j.of(s), " \t\n"))
	return s
}

// split cuts the array or object that begins at open at its commas, into the first maxParts parts, and
// returns where it ends. It reports whether it has an end.
func (j *jsonFile) split(open, maxParts int) (parts []span, end int, closed bool) {
	depth, start := 0, open+1
	part := func(end int) {
		if len(parts) == maxParts {
			return
		}
		if p := j.trim(span{start, max(start, end)}); p.start < p.end {
			parts = append(parts, p)
		}
	}
	for i := open; i < len(j.text); i++ {
		switch j.text[i] {
		case '"':
			for i++; i < len(j.text) && j.text[i] != '"'; i++ {
				if j.text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				part(i)
				return parts, i + 1, true
			}
		case ',':
			if depth == 1 {
				part(i)
				start = i + 1
			}
		}
	}
	part(len(j.text))
	return parts, len(j.text), false
}

// isLines reports whether the text has one value on each line, as far as one can tell from damaged text.
func (j *jsonFile) isLines() bool {
	objects, others := 0, 0
	first := ""
	for line := range strings.Lines(j.text) {
		line = strings.TrimRight(strings.TrimSpace(line), ",")
		if line == "" {
			continue
		}
		if first == "" {
			first = line
		}
		if strings.HasPrefix(line, "{") && strings.HasSuffix(line, "}") {
			objects++
		} else {
			others++
		}
	}
	if objects == 0 || strings.HasPrefix(first, "[") {
		return false
	}
	if objects+others > 1 && json.Valid([]byte(first)) {
		return true
	}
	top := j.trim(span{0, len(j.text)})
	if _, end, closed := j.split(top.start, 0); closed && j.text[top.start] == '{' && json.Valid([]byte(j.text[top.start:end])) {
		return false
	}
	return objects > others
}

func (j *jsonFile) eachLine() []span {
	var lines []span
	start := 0
	for line := range strings.Lines(j.text) {
		if len(lines) > limits.MaxRows {
			break
		}
		if s := j.trim(span{start, start + len(line)}); s.start < s.end {
			if j.text[s.end-1] == ',' {
				s = j.trim(span{s.start, s.end - 1})
			}
			lines = append(lines, s)
		}
		start += len(line)
	}
	return lines
}

// values are those of the text: one, or several one after the other.
func (j *jsonFile) values() []span {
	var values []span
	for at := j.trim(span{0, len(j.text)}); at.start < at.end && len(values) <= limits.MaxRows; {
		if c := j.text[at.start]; c != '{' && c != '[' {
			break // what follows the value is not ours
		}
		_, end, closed := j.split(at.start, 0)
		j.whole = j.whole && closed
		values = append(values, span{at.start, end})
		at = j.trim(span{end, len(j.text)})
	}
	return values
}

// A member is a name and a value of an object.
type member struct {
	name  string
	value span
}

// members returns the members of an object that can be read, at most limits.MaxFields and one.
func (j *jsonFile) members(object span) []member { return j.membersUpTo(object, limits.MaxFields+1) }

func (j *jsonFile) membersUpTo(object span, maxMembers int) []member {
	if object.start >= object.end || j.text[object.start] != '{' {
		return nil
	}
	parts, _, _ := (&jsonFile{text: j.text[:object.end]}).split(object.start, maxMembers)
	var members []member
	for _, p := range parts {
		end := p.start + 1
		for end < p.end && j.text[end] != '"' {
			if j.text[end] == '\\' {
				end++
			}
			end++
		}
		if j.text[p.start] != '"' || end >= p.end {
			continue
		}
		var name string
		value := j.trim(span{end + 1, p.end})
		if json.Unmarshal([]byte(j.text[p.start:end+1]), &name) != nil || value.start >= value.end || j.text[value.start] != ':' {
			continue
		}
		members = append(members, member{name, j.trim(span{value.start + 1, value.end})})
	}
	return members
}

// decodeValue decodes a valid JSON value, or says why it is too much.
func decodeValue(text string) (value any, wrong string) {
	depth, deepest, values := 0, 0, 1
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			values++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		case c == ',':
			values++
		}
	}
	switch {
	case deepest > limits.MaxJSON:
		return nil, fmt.Sprintf("lists and objects nested more than %d deep. Write it flat", limits.MaxJSON)
	case values > limits.MaxValues:
		return nil, fmt.Sprintf("more than %d values. Keep those that matter", limits.MaxValues)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		return nil, "a value that cannot be read. Check it"
	}
	return value, ""
}

// keyOf is the entry's ID, also of one that is damaged.
func (j *jsonFile) keyOf(members []member) string {
	key, rank := "", 0
	for _, m := range members {
		if k, ok := lookUp(j.b.names, m.name); ok && (k.column == colKey || k.column == colSlug) && (key == "" || k.rankAsKey() < rank) {
			var value any
			if text := j.of(m.value); len(text) < maxKeyText && json.Unmarshal([]byte(text), &value) == nil {
				key, rank = plaintext.Cut(oneLine(valueText(value)), limits.MaxKey), k.rankAsKey()
			}
		}
	}
	return key
}

// maxKeyText is how many bytes of JSON an ID of a damaged entry may have: six for each character.
const maxKeyText = 6*limits.MaxKey + 100

// valueText returns a JSON value as text: of an object what it calls text or name, as JSON-LD's
// answers do, of a list its values line by line.
func valueText(value any) string {
	return namedText(value, []string{"text", "name", "value", "@value", "rendered", "plain_text", "html", "content", "body", "markdown"})
}

// namedText is valueText with the first of names that an object has.
func namedText(value any, names []string) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64, bool:
		return fmt.Sprint(v)
	case map[string]any:
		if parts, ok := v["parts"].([]any); ok { // a phrase cut where it names something
			var b strings.Builder
			for _, part := range parts {
				b.WriteString(namedText(part, names))
			}
			return b.String()
		}
		for _, name := range names {
			switch value := v[name].(type) {
			case string:
				return value
			case map[string]any, []any:
				if name == "text" { // of a message
					return namedText(value, names)
				}
			}
		}
	case []any:
		var lines []string
		for _, item := range v {
			if _, nested := item.([]any); !nested {
				lines = append(lines, namedText(item, names))
			}
		}
		return strings.Join(lines, "\n")
	}
	return ""
}

// valueList returns a JSON value as a list of wordings.
func valueList(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return splitVariants(valueText(value))
	}
	var wordings []string
	for _, item := range list {
		wordings = append(wordings, valueText(item))
	}
	return wordings
}

// jsonStrings reads a cell that is a JSON array.
func jsonStrings(cell string) ([]string, bool) {
	cell = strings.TrimSpace(cell)
	var list []any
	if !strings.HasPrefix(cell, "[") || json.Unmarshal([]byte(cell), &list) != nil {
		return nil, false
	}
	return valueList(list), true
}

// stop says which fields were found and which are expected.
func (j *jsonFile) stop(entries []span) {
	for _, s := range entries {
		var names []string
		for _, m := range j.members(s) {
			names = append(names, plaintext.Cut(oneLine(m.name), 20))
		}
		if len(names) > 0 {
			j.b.stop(fmt.Sprintf("No entry has a field for the question. The fields of the first: %s. Name them question and answer and, if you have them, %s.",
				quote(strings.Join(names, ", ")), "id, topic, variants, locale, from, to, media"))
			return
		}
	}
	j.b.stop(`No entries were found in the JSON. Write a list of objects like {"id": …, "question": …, "answer": …}, or one such object on each line.`)
}
