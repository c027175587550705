package faqfile

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// A wanted is what a file of testdata/kinds must be read as.
type wanted struct {
	File    string
	Count   int
	Has     []struct{ Question, Answer, Topic, Locale, ID string }
	Nowhere []string // in no question and no answer
	Told    []string // some problem speaks of it
}

// Files as people have them are read as they mean them, or refused.
func TestKinds(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/kinds/want.json")
	require.NoError(t, err)
	var list []wanted
	require.NoError(t, json.Unmarshal(data, &list))
	for _, w := range list {
		t.Run(w.File, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile("testdata/kinds/" + w.File)
			require.NoError(t, err)
			rows, problems := Parse(w.File, data, Options{})
			checkSound(t, rows, problems)
			w.check(t, rows, problems)
		})
	}
}

func (w wanted) check(t *testing.T, rows []knowledge.Row, problems []knowledge.Problem) {
	t.Helper()
	said := show(rows, problems)
	assert.Len(t, rows, w.Count, said)
	for _, has := range w.Has {
		found := false
		for _, r := range rows {
			found = found || r.Question == has.Question && strings.Contains(r.Answer, has.Answer) && (has.Topic == "" || r.Topic == has.Topic) &&
				(has.Locale == "" || r.Locale == has.Locale) && (has.ID == "" || r.Key == has.ID)
		}
		assert.True(t, found, "%v in\n%s", has, said)
	}
	var text, told strings.Builder
	for _, r := range rows {
		text.WriteString(r.Question + "\n" + r.Answer + "\n")
	}
	for _, p := range problems {
		told.WriteString(p.Text + "\n")
	}
	for _, s := range w.Nowhere {
		assert.NotContains(t, text.String(), s)
	}
	for _, s := range w.Told {
		assert.Contains(t, told.String(), s)
	}
}
