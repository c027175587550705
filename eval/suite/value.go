package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A value is a piece of YAML or JSON, or a cell of a table, with its line.
type value struct {
	line   int
	kind   kind
	text   string // of a scalar, as it is written
	list   []value
	fields []field
}

type field struct {
	name  string
	line  int
	value value
}

type kind string

const (
	empty   kind = "nothing"
	text    kind = "text"
	number  kind = "a number"
	flag    kind = "true or false"
	listed  kind = "a list"
	mapping kind = "fields"
	cell    kind = "a cell" // of a table: text that may be any scalar, or a list
)

// fromYAML is the value of a node.
func fromYAML(n *yaml.Node) (value, error) {
	v := value{line: n.Line}
	switch n.Kind {
	case yaml.DocumentNode:
		return fromYAML(n.Content[0])
	case yaml.AliasNode:
		return fromYAML(n.Alias)
	case yaml.SequenceNode:
		v.kind = listed
		for _, item := range n.Content {
			one, err := fromYAML(item)
			if err != nil {
				return v, err
			}
			v.list = append(v.list, one)
		}
	case yaml.MappingNode:
		v.kind = mapping
		for i := 0; i+1 < len(n.Content); i += 2 {
			one, err := fromYAML(n.Content[i+1])
			if err != nil {
				return v, err
			}
			v.fields = append(v.fields, field{n.Content[i].Value, n.Content[i].Line, one})
		}
	default:
		v.text = n.Value
		switch n.ShortTag() {
		case "!!null":
			v.kind = empty
		case "!!bool":
			v.kind = flag
		case "!!int", "!!float":
			v.kind = number
		default:
			v.kind = text
		}
	}
	return v, nil
}

// parseYAML is the value of a file; aliases that refer to themselves are refused by the parser's decoder.
func parseYAML(data []byte) (value, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		return value{}, err
	}
	if n.Kind == 0 {
		return value{kind: empty, line: 1}, nil
	}
	var whole any
	if err := n.Decode(&whole); err != nil { // finds aliases without end, and keys given twice
		return value{}, err
	}
	return fromYAML(&n)
}

// parseJSON is the value of one row, which is on one line.
func parseJSON(row []byte, line int) (value, error) {
	d := json.NewDecoder(bytes.NewReader(row))
	d.UseNumber()
	v, err := fromJSON(d, line)
	if err != nil {
		return v, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("something follows the row; write one JSON object a line")
	}
	return v, nil
}

func fromJSON(d *json.Decoder, line int) (value, error) {
	v := value{line: line}
	token, err := d.Token()
	if err != nil {
		return v, err
	}
	switch t := token.(type) {
	case nil:
		v.kind = empty
	case string:
		v.kind, v.text = text, t
	case bool:
		v.kind, v.text = flag, fmt.Sprint(t)
	case json.Number:
		v.kind, v.text = number, t.String()
	case json.Delim:
		v.kind = listed
		if t == '{' {
			v.kind = mapping
		}
		for d.More() {
			var f field
			if v.kind == mapping {
				name, err := d.Token()
				if err != nil {
					return v, err
				}
				f = field{name: name.(string), line: line}
			}
			if f.value, err = fromJSON(d, line); err != nil {
				return v, err
			}
			if v.kind == mapping {
				v.fields = append(v.fields, f)
			} else {
				v.list = append(v.list, f.value)
			}
		}
		_, err = d.Token() // the closing bracket
	}
	return v, err
}

// parts are the items of a cell that holds a list: separated by semicolons or line breaks.
func (v value) parts() (list []value) {
	for _, part := range strings.FieldsFunc(v.text, func(r rune) bool { return r == ';' || r == '\n' }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, value{line: v.line, kind: text, text: part})
		}
	}
	return list
}
