package faqfile

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"faqbot/knowledge"
)

// A settings is what stands above the answer in a file of one entry. Plain tells the file from other Markdown with
// settings: its answer is text as customers read it.
type settings struct {
	Key       string   `yaml:"id"`
	Question  string   `yaml:"question"`
	Topic     string   `yaml:"topic"`
	Locale    string   `yaml:"locale"`
	Variants  []string `yaml:"variants"`
	From      string   `yaml:"from"`
	To        string   `yaml:"to"`
	Media     []string `yaml:"media"`
	FollowUps []string `yaml:"follow_ups"`
	Slug      string   `yaml:"slug"`
	Plain     bool     `yaml:"plain"`
}

// EntryFile returns one entry as a file of a folder that a version control keeps: settings, a line each, and the answer
// below them as it is.
func EntryFile(e knowledge.Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("---\n")
	for _, field := range []struct {
		name  string
		value any
		empty bool
	}{
		{"id", e.Key, e.Key == ""}, {"question", e.Question, false}, {"topic", e.Topic, e.Topic == ""}, {"locale", e.Locale, e.Locale == ""},
		{"variants", e.Variants, len(e.Variants) == 0}, {"from", stamp(e.From), e.From.IsZero()}, {"to", stamp(e.To), e.To.IsZero()},
		{"media", marks(e.Media), len(e.Media) == 0}, {"follow_ups", e.FollowUps, len(e.FollowUps) == 0}, {"slug", e.Slug, e.Slug == ""}, {"plain", true, false},
	} {
		if field.empty {
			continue
		}
		var value bytes.Buffer
		enc := json.NewEncoder(&value) // JSON is YAML, but for characters that YAML takes for the end of a line
		enc.SetEscapeHTML(false)
		if err := enc.Encode(field.value); err != nil {
			return nil, err
		}
		b.WriteString(field.name + ": " + strings.NewReplacer("\u0085", `\u0085`, "\ufeff", `\ufeff`, "\u007f", `\u007f`).Replace(value.String()))
	}
	b.WriteString("---\n" + e.Answer + "\n")
	return b.Bytes(), nil
}

// IsEntryFile reports whether a file is one that EntryFile wrote, whatever was changed in it.
func IsEntryFile(data []byte) bool {
	_, _, ok := entrySettings(strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n"))
	return ok
}

// entrySettings splits a file that EntryFile wrote.
func entrySettings(source string) (s settings, answer string, ok bool) {
	rest, ok := strings.CutPrefix(source, "---\n")
	head, answer, found := strings.Cut(rest, "\n---\n")
	const maxSettings = 1 << 20 // bytes
	if !ok || !found || len(head) > maxSettings || !strings.Contains(head, "plain:") {
		return s, "", false
	}
	if yaml.Unmarshal([]byte(head), &s) != nil || !s.Plain || s.Question == "" {
		return s, "", false
	}
	return s, answer, true
}

// readEntryFile reads a file of one entry, and reports whether it is one.
func readEntryFile(b *builder, source string) bool {
	s, answer, ok := entrySettings(source)
	if !ok {
		return false
	}
	f := fields{line: 1, plain: true, variants: s.Variants}
	f.text[colKey], f.text[colQuestion], f.text[colTopic], f.text[colLocale] = s.Key, s.Question, s.Topic, s.Locale
	f.text[colFrom], f.text[colTo], f.text[colMedia], f.text[colAnswer] = s.From, s.To, strings.Join(s.Media, "\n"), answer
	f.text[colFollowUps], f.text[colSlug] = jsonList(s.FollowUps), s.Slug
	b.add(f)
	return true
}
