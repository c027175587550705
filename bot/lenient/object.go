package lenient

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// EachObject calls do for every object in a JSON text, however deep; none if it is not JSON. Numbers are
// json.Numbers. It is for finding something in what cannot be read.
func EachObject(body []byte, do func(map[string]any)) {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			do(v)
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
}
