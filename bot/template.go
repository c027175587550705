package bot

import (
	"fmt"
	"strings"
)

// A Template is a message that a network approved beforehand, in one language.
type Template struct {
	Name      string
	Language  string   // in the network's spelling, "pt_BR"
	Category  string   // in the network's word
	Text      string   // with its variables as {{name}}
	Variables []string // in order of appearance, without braces: "1", "2", or names
	Marketing bool     // it advertises
	Problem   string   // why it cannot be used, "" if it can
}

// A Filled is a template with what its variables stand for.
type Filled struct {
	Name     string  `json:"name"`
	Language string  `json:"language"`
	Values   []Value `json:"values,omitempty"`

	Marketing bool `json:"marketing,omitempty"` // it advertises
}

// A Value is what a template's variable stands for.
type Value struct {
	Variable string `json:"variable"`
	Text     string `json:"text"`
}

// Fill returns what a customer reads of t with values in the order of its variables. The error says
// what is wrong with them.
func (t Template) Fill(values []string) (Filled, string, error) {
	f := Filled{Name: t.Name, Language: t.Language, Marketing: t.Marketing}
	if t.Problem != "" {
		return f, "", fmt.Errorf("template %s (%s) cannot be used: %s", t.Name, t.Language, t.Problem)
	}
	if len(values) != len(t.Variables) {
		return f, "", fmt.Errorf("template %s (%s) needs %d values, not %d", t.Name, t.Language, len(t.Variables), len(values))
	}
	var pairs []string
	for i, name := range t.Variables {
		value := strings.TrimSpace(values[i])
		// Networks refuse these in a variable.
		if value == "" || strings.ContainsAny(value, "\n\t") || strings.Contains(value, "     ") {
			return f, "", fmt.Errorf("template %s (%s): {{%s}} needs words without line breaks, tabs or runs of spaces", t.Name, t.Language, name)
		}
		f.Values = append(f.Values, Value{Variable: name, Text: value})
		pairs = append(pairs, "{{"+name+"}}", value)
	}
	return f, strings.NewReplacer(pairs...).Replace(t.Text), nil
}
