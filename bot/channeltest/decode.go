package channeltest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
)

var rewrite = flag.Bool("update", false, "rewrite the .want.json files")

// Decodes compares what decode makes of every body in testdata/in with the .want.json beside it. No
// error and no reason may hold the word "secret", which the bodies have where it must not come out.
func Decodes(t *testing.T, decode func(body []byte) ([]bot.Event, error)) {
	t.Helper()
	for _, file := range bodies(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			var got struct {
				Events []bot.Event `json:",omitempty"`
				Error  string      `json:",omitempty"`
			}
			if got.Events, err = decode(body); err != nil {
				got.Error = err.Error()
				require.NotContains(t, got.Error, "secret")
			}
			for _, e := range got.Events {
				if e.Undecodable != nil {
					require.NotContains(t, e.Undecodable.Reason, "secret")
				}
			}
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			require.NoError(t, enc.Encode(got))
			want := strings.TrimSuffix(file, ".json") + ".want.json"
			if *rewrite {
				require.NoError(t, os.WriteFile(want, text.Bytes(), 0o644))
			}
			golden, err := os.ReadFile(want)
			require.NoError(t, err, "run with -update")
			require.Equal(t, string(golden), text.String())
		})
	}
}

// Seed gives a fuzz target the bodies in testdata/in.
func Seed(f *testing.F) {
	f.Helper()
	for _, file := range bodies(f) {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
	}
}

// bodies are the files in testdata/in that a network may post.
func bodies(t testing.TB) (list []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/in/*.json")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file, ".want.json") {
			list = append(list, file)
		}
	}
	require.NotEmpty(t, list)
	return list
}
