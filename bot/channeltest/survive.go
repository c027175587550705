package channeltest

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

// WordsSurvive fuzzes decode with the bodies in testdata/in that say something in words, of which fields beside the
// words are made odd: of another type, null, gone, or new. The words come through whatever stands beside them. Fields
// named in fixed say whose words they are, or that they are none.
func WordsSurvive(f *testing.F, decode func(body []byte) ([]bot.Event, error), fixed ...string) {
	f.Helper()
	var says []map[string]any
	var words []string
	for _, file := range bodies(f) {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		var tree map[string]any
		events, err := decode(body)
		if err != nil || len(events) != 1 || events[0].Message == nil || json.Unmarshal(body, &tree) != nil {
			continue
		}
		if text := events[0].Message.Text; text != "" && holds(tree, text) {
			says, words = append(says, tree), append(words, text)
		}
	}
	require.NotEmpty(f, says)
	for i := range 300 {
		f.Add(uint(i), uint64(i), 1+i%4)
	}
	f.Fuzz(func(t *testing.T, kind uint, seed uint64, oddities int) {
		n := int(kind % uint(len(says)))
		o := oddness{rand: rand.New(rand.NewPCG(seed, 1)), words: words[n], fixed: fixed}
		tree := o.copied(says[n]).(map[string]any)
		for range oddities & 7 {
			o.spoil(tree)
		}
		body, err := json.Marshal(tree)
		require.NoError(t, err)
		events, err := decode(body)
		require.NoError(t, err, "%s", body)
		require.True(t, slices.ContainsFunc(events, func(e bot.Event) bool { return e.Message != nil && e.Message.Text == words[n] }), "%s", body)
	})
}

// An oddness makes bodies odd.
type oddness struct {
	rand  *rand.Rand
	words string
	fixed []string
}

// holds reports whether text is a leaf of v.
func holds(v any, text string) bool {
	switch v := v.(type) {
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool { return holds(v, text) })
	case []any:
		return slices.ContainsFunc(v, func(v any) bool { return holds(v, text) })
	}
	return v == text
}

func (o *oddness) copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, inner := range v {
			m[key] = o.copied(inner)
		}
		return m
	case []any:
		var list []any
		for _, inner := range v {
			list = append(list, o.copied(inner))
		}
		return list
	}
	return v
}

// spoil makes one field odd, in m or below.
func (o *oddness) spoil(m map[string]any) {
	keys := slices.Sorted(maps.Keys(m))
	keys = slices.DeleteFunc(keys, func(key string) bool { return slices.Contains(o.fixed, key) })
	if len(keys) == 0 || o.rand.IntN(8) == 0 {
		m["new_"+strings.Repeat("x", o.rand.IntN(3))] = o.odd()
		return
	}
	key := keys[o.rand.IntN(len(keys))]
	if !holds(m[key], o.words) {
		if o.rand.IntN(4) == 0 {
			delete(m, key)
		} else {
			m[key] = o.odd()
		}
		return
	}
	below := m[key]
	if list, ok := below.([]any); ok {
		below = list[slices.IndexFunc(list, func(v any) bool { return holds(v, o.words) })]
	}
	if below, ok := below.(map[string]any); ok {
		o.spoil(below)
	}
}

func (o *oddness) odd() any {
	all := []any{nil, true, "odd", "", 7, -1, 1.5, 1e300, "7", []any{}, []any{"odd"}, []any{[]any{}}, map[string]any{}, map[string]any{"id": []any{}}, map[string]any{"id": "odd", "text": 5}}
	return all[o.rand.IntN(len(all))]
}
