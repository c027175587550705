package faqfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"faqbot/knowledge/limits"
)

// objects returns the objects of the longest list in values, the first of equals.
func (j *jsonFile) objects(values []span) []span {
	best := values
	if len(values) == 1 {
		best = nil
		j.longest(values[0], 0, &best)
		if best == nil {
			best = values
		}
	}
	return best
}

func (j *jsonFile) longest(value span, depth int, best *[]span) {
	if depth > maxWalk || value.start >= value.end {
		return
	}
	switch j.text[value.start] {
	case '[':
		parts, _, _ := (&jsonFile{text: j.text[:value.end]}).split(value.start, limits.MaxRows+1)
		if len(parts) > len(*best) && j.text[parts[0].start] == '{' {
			*best = parts
		}
		for _, p := range parts[:min(len(parts), samples)] {
			j.longest(p, depth+1, best)
		}
	case '{':
		for _, m := range j.members(value) {
			j.longest(m.value, depth+1, best)
		}
	}
}

// add reads one entry. It reports whether there may be another one.
func (j *jsonFile) add(e jsonEntry) bool {
	if e.text != nil {
		return j.b.add(e.around(*e.text))
	}
	line, members := j.line(e.at.start), j.members(e.at)
	key := j.keyOf(members)
	if len(members) > limits.MaxFields {
		return j.b.bad(line, key, fmt.Sprintf("The entry has more than %d fields. Keep those of the question and its answer.", limits.MaxFields))
	}
	if !strings.HasPrefix(j.of(e.at), "{") || !json.Valid([]byte(j.of(e.at))) {
		return j.b.bad(line, key, fmt.Sprintf(
			`The entry cannot be read: %s is not a JSON object like {"id": …, "question": …, "answer": …}. Check its quotes, commas and braces.`, quote(j.of(span{e.at.start, min(e.at.end, e.at.start+1000)}))))
	}
	objects := map[string]map[string]any{"": {}}
	for _, m := range members {
		locale := ""
		if _, ok := lookUp(j.b.names, m.name); !ok && m.name != plainField && m.name != "tag" {
			base, found := splitHeader(m.name)
			if _, ok := lookUp(j.b.names, base); !ok || found == "" || j.b.names.chosen {
				continue
			}
			m.name, locale = base, found
		}
		value, wrong := decodeValue(j.of(m.value))
		if wrong != "" {
			return j.b.bad(line, key, fmt.Sprintf("The field %s has %s.", quote(m.name), wrong))
		}
		put(objects, m.name, locale, value)
	}
	return j.addObjects(e, line, objects)
}

// put puts a value into the object of its language. One whose names are languages goes into several.
func put(objects map[string]map[string]any, name, locale string, value any) {
	values := map[string]any{locale: value}
	if object, ok := value.(map[string]any); ok && len(object) > 0 {
		byLanguage := map[string]any{}
		for key, inner := range object {
			if tag := languageOf(key); tag != "" {
				byLanguage[tag] = inner
			}
		}
		_, isID := byLanguage["id"]
		if len(byLanguage) == len(object) && (!isID || len(object) > 1) {
			values = byLanguage
		}
	}
	for locale, value := range values {
		if objects[locale] == nil {
			objects[locale] = map[string]any{}
		}
		objects[locale][name] = value
	}
}

// addObjects adds an entry: the object of no language alone, or with what each language says.
func (j *jsonFile) addObjects(e jsonEntry, line int, objects map[string]map[string]any) bool {
	var list []fields
	for _, locale := range slices.Sorted(maps.Keys(objects)) {
		object := maps.Clone(objects[""])
		maps.Copy(object, objects[locale])
		f := j.fields(line, object)
		if locale != "" {
			f.text[colLocale] = locale
		}
		if locale == "" && len(objects) > 1 && (f.text[colQuestion] == "" || f.text[colAnswer] == "") {
			continue
		}
		list = append(list, e.around(f))
	}
	for i, f := range list {
		if first := oneLine(list[0].text[colQuestion]); i > 0 && f.text[colKey] == "" && first != "" {
			f.text[colKey] = KeyOf(first)
		}
		if !j.b.add(f) {
			return false
		}
	}
	return true
}

// around fills in what stands around the entry.
func (c jsonContext) around(f fields) fields {
	if f.tagged && c.topic != "" {
		f.text[colTopic] = ""
	}
	for column, text := range map[column]string{colTopic: c.topic, colLocale: c.locale, colKey: c.key} {
		if strings.TrimSpace(f.text[column]) == "" {
			f.text[column] = text
		}
	}
	if f.hidden == "" {
		f.hidden = c.hidden
	}
	return f
}

func (j *jsonFile) fields(line int, object map[string]any) fields {
	f := fields{line: line}
	var rank [columns]int
	found := [columns]bool{}
	_, responds := object["responses"].([]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		k, ok := lookUp(j.b.names, name)
		value := object[name]
		if _, list := value.([]any); list && responds && name == "text" {
			k.column = colVariants // what customers say, in an intent
		}
		switch {
		case !ok || value == nil:
		case k.column == colVariants:
			f.variants = append(f.variants, valueList(value)...)
		case k.column == colFollowUps:
			f.text[colFollowUps] = followUpsValue(value)
		case k.column == colMedia: // picture and video both go with the answer
			f.text[colMedia] = strings.TrimSpace(f.text[colMedia] + "\n" + mediaValue(value))
		case !found[k.column] || k.rank < rank[k.column]:
			f.text[k.column], found[k.column], rank[k.column] = valueText(value), true, k.rank
			if k.column == colTopic {
				f.tagged = strings.HasPrefix(normalHeader(name), "tag")
			}
			list, ok := value.([]any)
			switch {
			case !ok || len(list) < 2:
			case k.column == colQuestion: // some tools list all wordings as questions
				f.text[colQuestion] = valueText(list[0])
				f.variants = append(f.variants, valueList(list[1:])...)
			case k.column == colAnswer && slices.Contains(strings.Fields("responses replies answers"), normalHeader(name)):
				f.text[colAnswer] = valueText(list[0])
				j.alternates++
			}
		}
	}
	if f.text[colKey] == "" {
		f.text[colKey] = f.text[colSlug]
	}
	if plain, ok := object[plainField].(bool); ok && plain {
		f.plain = true
	}
	if _, ok := object["completion"]; ok {
		if j.marks == nil {
			j.marks = newPromptMarks()
		}
		f.text[colQuestion] = j.marks.separator.ReplaceAllString(f.text[colQuestion], "")
		f.text[colAnswer] = j.marks.stop.ReplaceAllString(f.text[colAnswer], "")
	}
	if name, ok := object["name"].(string); ok && name == f.text[colQuestion] && len(f.variants) > 0 && f.text[colKey] == "" && isCode(name) {
		f.text[colKey], f.text[colQuestion] = name, "" // of an intent
	}
	if f.text[colQuestion] == "" && len(f.variants) > 0 && f.text[colAnswer] != "" {
		f.text[colQuestion], f.variants = f.variants[0], f.variants[1:]
		if tag, ok := object["tag"].(string); ok && f.text[colKey] == "" {
			f.text[colKey], f.text[colTopic] = tag, ""
		}
	}
	return f
}

// promptMarks are what the makers of fine-tuning files write behind a prompt, and the words by which they end a
// completion.
type promptMarks struct{ separator, stop *regexp.Regexp }

func newPromptMarks() *promptMarks {
	return &promptMarks{
		separator: regexp.MustCompile(`(?:\s*\n\s*(?:#{2,}|={2,}|-{2,}|\|+)|\s*[-=]+>)\s*$`),
		stop:      regexp.MustCompile(`(?:\s*(?:\n?#{2,}|<\|[\w]+\|>|</s>|\[(?:END|STOP|EOS)\])|\s+(?:END|STOP|EOS|DONE))+\s*$`),
	}
}

// plainField is the field by which a file that JSONLines wrote says that its texts are to be read as they are.
const plainField = "plain"

// joined is the entry of an intent whose answer stands elsewhere. Examples are lines that begin with "- ", in
// which "[two days](time)" marks what the words mean, as meaning finds it.
func (j *jsonFile) joined(intent, answer span, meaning *regexp.Regexp) *fields {
	f := fields{line: j.line(intent.start)}
	for _, m := range j.members(intent) {
		k, ok := lookUp(j.b.names, m.name)
		value, wrong := decodeValue(j.of(m.value))
		if !ok || k.column != colVariants || wrong != "" {
			continue
		}
		for _, v := range valueList(value) {
			f.variants = append(f.variants, meaning.ReplaceAllString(strings.TrimPrefix(strings.TrimSpace(v), "- "), "$1"))
		}
	}
	if value, wrong := decodeValue(j.of(answer)); wrong == "" {
		if list, ok := value.([]any); ok && len(list) > 0 {
			if len(list) > 1 {
				j.alternates++
			}
			value = list[0]
		}
		f.text[colAnswer] = valueText(value)
	}
	if len(f.variants) > 0 {
		f.text[colQuestion], f.variants = f.variants[0], f.variants[1:]
	}
	return &f
}
