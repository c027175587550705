package faqfile

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

// A jsonContext is what stands around an entry: names on the way to it, and what the objects there say.
type jsonContext struct{ topic, locale, key, hidden string }

// A jsonEntry is a value that is an entry, or may be one.
type jsonEntry struct {
	jsonContext
	at     span
	text   *fields // if the entry is no object: a name and its value, two messages
	group  int     // the list that it is in
	full   bool    // it has a question and an answer
	named  bool    // by names that mean nothing else
	strong bool    // by names that mean nothing else, or it asks
}

// A jsonWalk finds the entries of a document in one walk.
type jsonWalk struct {
	j       *jsonFile
	entries []jsonEntry
	groups  []string // names of the lists and objects that hold entries
	lists   map[int]bool
	left    []string // those without entries
}

// maxWalk is how many lists and objects deep entries are looked for.
const maxWalk = 10

func (w *jsonWalk) visit(value span, c jsonContext, depth, group int) {
	if depth > maxWalk || value.start >= value.end || len(w.entries) > limits.MaxRows {
		return
	}
	switch w.j.text[value.start] {
	case '[':
		parts, _, _ := (&jsonFile{text: w.j.text[:value.end]}).split(value.start, limits.MaxRows+1)
		w.list(parts, c, depth)
	case '{':
		w.object(value, c, depth, group)
	}
}

// list visits the parts of a list: entries, groups of them, or rows of a table.
func (w *jsonWalk) list(parts []span, c jsonContext, depth int) {
	if w.rows(parts, c) {
		return
	}
	w.groups = append(w.groups, c.topic)
	group := len(w.groups)
	w.lists[group] = true
	for _, p := range parts {
		before := len(w.entries)
		if w.j.text[p.start] == '{' {
			w.object(p, c, depth+1, group)
		} else if w.j.text[p.start] == '[' {
			w.visit(p, c, depth+1, group)
		}
		if !slices.ContainsFunc(w.entries[before:], func(e jsonEntry) bool { return e.full || w.j.text[p.start] == '{' }) {
			w.entries = w.entries[:before] // one, kept where the others are entries
			w.entries = append(w.entries, jsonEntry{jsonContext: c, at: p, group: group})
		}
		if len(w.entries) > limits.MaxRows {
			return
		}
	}
}

// rows reads a list of lists of texts as a table, and reports whether it is one.
func (w *jsonWalk) rows(parts []span, c jsonContext) bool {
	var records []record
	for _, p := range parts {
		var cells []string
		if w.j.text[p.start] != '[' || p.end-p.start > limits.MaxCell || json.Unmarshal([]byte(w.j.of(p)), &cells) != nil {
			return false
		}
		records = append(records, record{line: w.j.line(p.start), cells: cells[:min(len(cells), limits.MaxColumns)]})
	}
	if len(records) == 0 || records[0].width() < 2 {
		return false
	}
	header, l, ok := w.j.b.findHeader(records)
	if !ok {
		if header, l, ok = w.j.b.guess(records, guessAll); !ok {
			return false
		}
	}
	w.groups = append(w.groups, c.topic)
	for _, r := range records[header+1:] {
		for _, f := range l.fields(r) {
			w.entries = append(w.entries, jsonEntry{jsonContext: c, text: &f, group: len(w.groups), full: true, strong: true, named: true})
		}
	}
	return true
}

// A shape is what the names and values of an object's members say of it.
type shape struct {
	question, answer, wordings, around, weak bool
	kind                                     string // schema.org's
	hidden                                   string
	title                                    string
	asked                                    span
}

func (w *jsonWalk) shape(members []member) (s shape) {
	rank := 1 << 10
	for _, m := range members {
		value := w.j.of(m.value)
		if m.name == "@type" {
			s.kind = value
		}
		if s.hidden == "" && len(value) < maxHeader {
			if s.hidden = notPublic(m.name, strings.Trim(value, `"`)); m.name == "publishedAt" && value == "null" {
				s.hidden = "draft"
			}
		}
		if w.holdsEntries(m.value) {
			s.around = true
			continue
		}
		k, ok := lookUp(w.j.b.names, m.name)
		if !ok {
			if base, locale := splitHeader(m.name); locale != "" && !w.j.b.names.chosen {
				k, ok = lookUp(w.j.b.names, base)
			}
		}
		if !ok {
			continue
		}
		switch {
		case k.column == colQuestion:
			s.question = true
			if k.rank < rank {
				rank, s.asked = k.rank, m.value
			}
		case k.column == colAnswer:
			s.answer = true
		case k.column == colVariants:
			s.wordings = true
		}
		s.wordings = s.wordings || normalHeader(m.name) == "text" && strings.HasPrefix(value, "[") // beside the responses of an intent
		if k.column == colQuestion || k.column == colTopic {
			if s.title == "" && strings.HasPrefix(value, `"`) {
				_ = json.Unmarshal([]byte(value[:min(len(value), limits.MaxCell)]), &s.title)
			}
		}
		s.weak = s.weak || k.column == colQuestion && slices.Contains(strings.Fields("title name heading header subject summary titre titulo titolo titel input label"), normalHeader(m.name))
	}
	return s
}

// holdsEntries reports whether a value is a list of objects, or an object of them, of which the first has a
// question and an answer.
func (w *jsonWalk) holdsEntries(value span) bool {
	text := w.j.of(value)
	var first span
	switch {
	case strings.HasPrefix(text, "["):
		parts, _, _ := (&jsonFile{text: w.j.text[:value.end]}).split(value.start, 1)
		if len(parts) == 0 {
			return false
		}
		first = parts[0]
	case strings.HasPrefix(text, "{"):
		members := w.j.membersUpTo(value, 1)
		if len(members) == 0 || languageOf(members[0].name) != "" {
			return false
		}
		first = members[0].value
	default:
		return false
	}
	question, answer := false, false
	for _, m := range w.j.members(first) {
		if k, ok := lookUp(w.j.b.names, m.name); ok {
			question = question || k.column == colQuestion || k.column == colVariants
			answer = answer || k.column == colAnswer
		}
	}
	return question && answer
}

func (w *jsonWalk) object(value span, c jsonContext, depth, group int) {
	members := w.j.membersUpTo(value, limits.MaxRows+1)
	s := w.shape(members)
	if c.hidden == "" {
		c.hidden = s.hidden
	}
	if w.messages(members, c, group) || w.pairs(members, c) || w.intents(members, c) || w.columns(members, c) || w.numbered(members, c) {
		return
	}
	question := s.question || s.wordings && s.answer
	isFull := question && s.answer && !s.around
	switch {
	case s.kind != "" && !strings.Contains(s.kind, "Question"):
		isFull = false
	case isFull:
		strong := !s.weak || strings.Contains(w.j.of(s.asked), "?") || strings.Contains(w.j.of(s.asked), "？") || s.kind != ""
		w.entries = append(w.entries, jsonEntry{jsonContext: c, at: value, group: group, full: true, strong: strong, named: !s.weak || s.kind != ""})
		return
	}
	if depth > 0 && s.title != "" && s.kind == "" && !isFull && (s.around || !s.answer) {
		c.topic = oneLine(s.title)
	}
	if key := w.j.keyOf(members); key != "" {
		c.key = key
	}
	c.locale = w.localeOf(members, c.locale)
	before := len(w.entries)
	w.groups = append(w.groups, c.topic)
	inner := len(w.groups)
	for _, m := range members {
		if v := w.j.of(m.value); strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			w.member(m, c, depth, inner)
		}
	}
	inside := func(e jsonEntry) bool { return e.full || w.half(e.at) }
	if (s.question || s.answer) && s.kind == "" && !slices.ContainsFunc(w.entries[before:], inside) {
		w.entries = append(w.entries[:before], jsonEntry{jsonContext: c, at: value, group: group})
	}
}

// localeOf is the language that an object around entries says they are in, else outer.
func (w *jsonWalk) localeOf(members []member, outer string) string {
	for _, m := range members {
		if k, ok := lookUp(w.j.b.names, m.name); ok && k.column == colLocale {
			if locale := languageOf(strings.Trim(w.j.of(m.value), `"`)); locale != "" {
				return locale
			}
		}
	}
	return outer
}

// member visits a member that is a list or an object. Its name is a language, the key of one entry, or the
// topic of several.
func (w *jsonWalk) member(m member, c jsonContext, depth, group int) {
	isList := w.j.text[m.value.start] == '['
	name := normalHeader(m.name)
	_, known := lookUp(w.j.b.names, m.name)
	switch locale := languageOf(m.name); {
	case locale != "":
		c.locale = locale
	case slices.Contains(strings.Fields(`mainentity entries faqs faq items rows records questions data results graph content children edges nodes node
		attributes fields articles article qna qnas intents nlu list entities value values assets sections categories topics groups pages docs body hits source messages conversations itemlistelement item haspart`), name), known:
	case isList:
		c.key = ""
		if c.topic == "" {
			c.topic = oneLine(m.name)
		}
	default:
		s := w.shape(w.j.members(m.value))
		if (s.question || s.wordings) && s.answer && !s.around {
			c.key = plaintext.Cut(oneLine(m.name), limits.MaxKey)
		} else if c.topic == "" {
			c.topic = oneLine(m.name)
		}
	}
	if isList {
		c.key = ""
	}
	w.visit(m.value, c, depth+1, group)
}

// messages reads a list of messages of a user and an assistant, and reports whether there is one.
func (w *jsonWalk) messages(members []member, c jsonContext, group int) bool {
	for _, m := range members {
		name := normalHeader(m.name)
		if name != "messages" && name != "conversations" && name != "conversation" || m.value.end-m.value.start > limits.MaxCell {
			continue
		}
		var list []struct{ Role, From, Content, Value string }
		if json.Unmarshal([]byte(w.j.of(m.value)), &list) != nil {
			continue
		}
		asked := ""
		found := false
		for _, l := range list {
			switch l.Role + l.From {
			case "user", "human":
				asked = l.Content + l.Value
			case "assistant", "gpt", "bot", "model":
				if asked != "" {
					w.pair(m.value, asked, l.Content+l.Value, c, group)
					asked, found = "", true
				}
			}
		}
		if found {
			return true
		}
	}
	return false
}

func (w *jsonWalk) pair(at span, question, answer string, c jsonContext, group int) {
	f := fields{line: w.j.line(at.start)}
	f.text[colQuestion], f.text[colAnswer] = question, answer
	w.entries = append(w.entries, jsonEntry{jsonContext: c, at: at, text: &f, group: group, full: true, strong: true, named: true})
}

// pairs reads an object whose names ask and whose values are texts, and reports whether it is one.
func (w *jsonWalk) pairs(members []member, c jsonContext) bool {
	asking := 0
	for _, m := range members {
		if !strings.HasPrefix(w.j.of(m.value), `"`) {
			return false
		}
		if asks(m.name) {
			asking++
		}
	}
	if asking == 0 || asking*2 < len(members) {
		return false
	}
	w.groups = append(w.groups, c.topic)
	for _, m := range members {
		var answer string
		if json.Unmarshal([]byte(w.j.of(m.value)), &answer) == nil {
			w.pair(m.value, m.name, answer, c, len(w.groups))
		}
	}
	return true
}

// columns reads an object with the questions in one object and the answers in another, under the same names,
// as tables are exported column by column. It reports whether it is one.
func (w *jsonWalk) columns(members []member, c jsonContext) bool {
	var byColumn [columns]map[string]string
	var order []string
	for _, m := range members {
		k, ok := lookUp(w.j.b.names, m.name)
		if !ok || k.column != colQuestion && k.column != colAnswer {
			continue
		}
		var values map[string]string
		if json.Unmarshal([]byte(w.j.of(m.value)), &values) != nil {
			return false
		}
		byColumn[k.column] = values
		if k.column == colQuestion {
			for _, cell := range w.j.membersUpTo(m.value, limits.MaxRows+1) {
				if languageOf(cell.name) != "" {
					return false
				}
				order = append(order, cell.name)
			}
		}
	}
	if len(order) == 0 || len(byColumn[colAnswer]) == 0 {
		return false
	}
	w.groups = append(w.groups, c.topic)
	for _, name := range order {
		w.pair(members[0].value, byColumn[colQuestion][name], byColumn[colAnswer][name], c, len(w.groups))
	}
	return true
}

// numbered reads an object with names such as "q1" and "a1", and reports whether it is one.
func (w *jsonWalk) numbered(members []member, c jsonContext) bool {
	numbers := 0
	var header, cells []string
	for _, m := range members[:min(len(members), limits.MaxColumns)] {
		var text string
		if !strings.HasPrefix(w.j.of(m.value), `"`) || json.Unmarshal([]byte(w.j.of(m.value)), &text) != nil {
			continue
		}
		if _, n := numberedHeader(w.j.b.names, m.name); n > 0 {
			numbers++
		}
		header, cells = append(header, m.name), append(cells, text)
	}
	if numbers == 0 || w.j.b.names.chosen {
		return false
	}
	l := layOut(w.j.b.names, nil, header)
	if !l.has(colQuestion) || !l.has(colAnswer) {
		return false
	}
	if len(l.parts) > 0 {
		l.cell[colQuestion], l.cell[colAnswer] = -1, -1 // a title is not one of them
	}
	w.groups = append(w.groups, c.topic)
	for _, f := range l.fields(record{line: w.j.line(members[0].value.start), cells: cells}) {
		w.entries = append(w.entries, jsonEntry{jsonContext: c, at: members[0].value, text: &f, group: len(w.groups), full: true, strong: true, named: true})
	}
	return true
}

// intents joins intents that have examples with responses kept apart by names such as "utter_NAME", and
// reports whether there are any.
func (w *jsonWalk) intents(members []member, c jsonContext) bool {
	responses := map[string]span{}
	for _, m := range members {
		if normalHeader(m.name) == "responses" && strings.HasPrefix(w.j.of(m.value), "{") {
			for _, r := range w.j.membersUpTo(m.value, limits.MaxRows) {
				responses[strings.TrimPrefix(r.name, "utter_")] = r.value
			}
		}
	}
	if len(responses) == 0 {
		return false
	}
	before := len(w.entries)
	w.groups = append(w.groups, c.topic)
	meaning := regexp.MustCompile(`\[([^\]\n]*)\](\([^)\n]*\)|\{[^}\n]*\})`)
	for _, m := range members {
		if !strings.HasPrefix(w.j.of(m.value), "[") {
			continue
		}
		parts, _, _ := (&jsonFile{text: w.j.text[:m.value.end]}).split(m.value.start, limits.MaxRows+1)
		for _, p := range parts {
			var intent struct{ Intent, Tag, Name string }
			if json.Unmarshal([]byte(w.j.of(p)), &intent) != nil {
				continue
			}
			name := intent.Intent + intent.Tag + intent.Name
			answer, ok := responses[name]
			if !ok {
				continue
			}
			w.entries = append(w.entries, jsonEntry{jsonContext: jsonContext{topic: c.topic, locale: c.locale, key: name}, at: p, group: len(w.groups), full: true, strong: true, named: true,
				text: w.j.joined(p, answer, meaning)})
		}
	}
	return len(w.entries) > before
}
