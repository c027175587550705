// Package lenient reads what networks post, whose fields come, go and change without notice: the words first. A field
// that is of another type than expected is left out and costs nothing but itself.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Parse reads a webhook's body, or a part of one, into v. Its errors name places in it, never what stands
// there. A *FieldError leaves the rest of v good.
func Parse(raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if mistyped.Field == "" {
			return errors.New("something else than expected")
		}
		return &FieldError{mistyped.Field, mistyped.Offset}
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON from byte %d on", broken.Offset)
	}
	if err != nil {
		return errors.New("not JSON")
	}
	return nil
}

// A FieldError is a field that is of another type than expected, and was left out.
type FieldError struct {
	Field  string
	Offset int64
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("unexpected type in %q at byte %d", e.Field, e.Offset)
}

// A Decoding gathers what the parts of a body tell.
type Decoding[E any] struct {
	Events      []E
	Undecodable func(raw json.RawMessage, err error) E // what a part tells that cannot be read
}

// Each reads the elements of a list into d, each on its own: do gets the element as it came and as it was read.
func Each[T, E any](d *Decoding[E], list []json.RawMessage, do func(json.RawMessage, T) error) {
	for _, raw := range list {
		var v T
		if err := d.Read(Parse(raw, &v), func() error { return do(raw, v) }); err != nil {
			d.Events = append(d.Events, d.Undecodable(raw, err))
		}
	}
}

// Read has do read a part that was parsed with err. An odd field is no error if the part told something all the same: it
// costs itself, not the words beside it.
func (d *Decoding[E]) Read(err error, do func() error) error {
	if _, odd := errors.AsType[*FieldError](err); err != nil && !odd {
		return err
	}
	before := len(d.Events)
	if e := do(); e != nil || len(d.Events) > before {
		return e
	}
	return err
}

// A Text is a text, a number or a truth value, as it stands; "" if it is something else.
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var s string
	switch raw = bytes.TrimSpace(raw); {
	case json.Unmarshal(raw, &s) == nil:
		*t = Text(s)
	case len(raw) > 0 && raw[0] != '{' && raw[0] != '[':
		*t = Text(raw)
	}
	return nil
}

// FormWords are the fields of a form that a customer filled in, which a network tells as JSON, as a person reads them:
// "email: mia@example.com, topic: refund". Fields of some names are left out. What is no JSON stays as it is.
func FormWords(response string, without ...string) string {
	var v any
	if json.Unmarshal([]byte(response), &v) != nil {
		return response
	}
	var words []string
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if !slices.Contains(without, key) {
					walk(key, v[key])
				}
			}
		case []any:
			for _, one := range v {
				walk(name, one)
			}
		case nil:
		default:
			text := strings.TrimSpace(fmt.Sprint(v))
			if name != "" {
				text = strings.ReplaceAll(name, "_", " ") + ": " + text
			}
			words = append(words, text)
		}
	}
	walk("", v)
	return strings.Join(words, ", ")
}

// WebLink is link if a browser can follow it, else "".
func WebLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return link
}
