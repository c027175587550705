package faqfile

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"faqbot/knowledge/limits"
)

// looksXML reports whether text is XML that is no web page.
func looksXML(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "<?xml") }

// An xmlNode is an element as JSON would have it: members by their names, of which several are a list.
type xmlNode struct {
	name    string
	text    strings.Builder
	members []string // names in their order
	values  map[string][]any
}

func (n *xmlNode) put(name string, value any) {
	if n.values == nil {
		n.values = map[string][]any{}
	}
	if _, ok := n.values[name]; !ok {
		n.members = append(n.members, name)
	}
	n.values[name] = append(n.values[name], value)
}

// value is the element as JSON has it: its text, or an object of what is in it.
func (n *xmlNode) value() any {
	text := strings.TrimSpace(n.text.String())
	if len(n.members) == 0 {
		return text
	}
	object := map[string]any{}
	for name, list := range n.values {
		if len(list) == 1 {
			object[name] = list[0]
		} else {
			object[name] = list
		}
	}
	if text != "" {
		object["text"] = text
	}
	return object
}

// readXML reads XML as the JSON that says the same. Lines are not kept.
func readXML(b *builder, text string) {
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.Strict = false
	dec.Entity = xml.HTMLEntity
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // text is decoded
	open := []*xmlNode{{}}
	for seen := 0; ; seen++ {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil || len(open) > limits.MaxJSON || seen > limits.MaxTags {
			b.stop(fmt.Sprintf("The XML cannot be read: it is nested more than %d deep, has more than %d tags, or a tag is not closed near line %d.", limits.MaxJSON, limits.MaxTags, 1+strings.Count(text[:min(len(text), int(dec.InputOffset()))], "\n")))
			return
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &xmlNode{name: t.Name.Local}
			if t.Name.Space != "" && t.Name.Local == "encoded" { // content:encoded, excerpt:encoded of feeds
				n.name = t.Name.Space[strings.LastIndexAny(strings.TrimRight(t.Name.Space, "/"), "/:")+1:]
				n.name = strings.TrimRight(n.name, "/")
			}
			for _, a := range t.Attr {
				n.put(a.Name.Local, a.Value)
			}
			open = append(open, n)
		case xml.EndElement:
			if len(open) > 1 {
				open = open[:len(open)-1]
				open[len(open)-1].put(top.name, top.value())
			}
		case xml.CharData:
			top.text.Write(t)
		}
	}
	data, err := json.Marshal(open[0].value())
	if err != nil {
		b.stop("The XML cannot be read.")
		return
	}
	readJSON(b, string(data))
}
