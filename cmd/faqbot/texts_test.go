package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// textHomes names the folders whose code and templates say the texts of an area.
func textHomes() map[string][]string {
	return map[string][]string{"chat": {"bot/webchat", "bot/webchat/assets"}, "mail": {"handoff/bymail"}, "figures": {"handoff/figures/board", "handoff/figures/board/pages"}, "desk": {"handoff/console", "handoff/console/pages", "handoff/console/assets"},
		"channels": {"bot/accounts/board", "bot/accounts/board/pages"},
		"entries":  {"knowledge/portal", "knowledge/portal/pages", "handoff/gaps/board", "handoff/gaps/board/pages", "handoff/review/board", "handoff/review/board/pages"},
		"faq":      {"knowledge/faqsite", "knowledge/faqsite/pages"},
		"guide":    {"bot/accounts/start", "bot/accounts/start/pages"},
		"start":    {"cmd/faqbot", "cmd/faqbot/pages"},
		"eval":     {"eval/runs/board", "eval/runs/board/pages"},
		"people":   {"knowledge/people/signin", "knowledge/people/signin/templates"},
		"page":     {"knowledge/page", "knowledge/page/layout", "knowledge/page/layout/problem", "knowledge/page/assets"}}
}

// Every text that code, a template or a script says exists, and none is left over.
func TestTextsAreUsed(t *testing.T) {
	files, err := filepath.Glob("../../knowledge/locale/texts/en/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(textHomes()))
	shared := textsOf(t, "page")
	for area, folders := range textHomes() {
		texts := textsOf(t, area)
		source := ""
		for _, folder := range folders {
			source += sourceOf(t, filepath.Join("../..", folder))
		}
		said := map[string]bool{} // keys, and beginnings of keys that end with what is shown: "reason_"
		for prefix, patterns := range map[string][]string{
			"":    {`\bt "([a-z0-9_]+)"`, `\.Say\("([a-z0-9_]+)"`, `\.W\.([a-z_]+)`, `\.T\.([a-z_]+)`, `\bword: "([a-z_]+)"`, `\.One\("([a-z_]+_)"`, `\["([a-z_]+_)"\+`},
			"js_": {`\bwords\.([a-z_]+)`},
		} {
			if area == "chat" {
				prefix = "" // its script gets all of its texts
			}
			for _, pattern := range patterns {
				for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1) {
					said[prefix+m[1]] = true
				}
			}
		}
		for _, m := range regexp.MustCompile(`\b(?:tn |Count\()"([a-z_]+)"`).FindAllStringSubmatch(source, -1) {
			said[m[1]+"_one"], said[m[1]+"_many"] = true, true
		}
		for _, m := range regexp.MustCompile(`\b(?:key: +|Status: [\w.]+, Key: |Missing: |Broken: )"([a-z_]+)"`).FindAllStringSubmatch(source, -1) { // of an error that is told
			for _, part := range []string{"", "_title", "_safe", "_do"} {
				if part == "" || texts[m[1]+part] != "" {
					said[m[1]+part] = true
				}
			}
		}
		for key := range said {
			exists := texts[key] != "" || shared[key] != ""
			for k := range texts {
				exists = exists || strings.HasSuffix(key, "_") && strings.HasPrefix(k, key)
			}
			require.True(t, exists, "%s has no text %q", area, key)
		}
		for key := range texts {
			used := said[key] || strings.Contains(source, `"`+key+`"`) || strings.Contains(source, `'`+key+`'`)
			for begin := range said {
				used = used || strings.HasSuffix(begin, "_") && strings.HasPrefix(key, begin)
			}
			require.True(t, used, "nobody says %q of %s", key, area)
		}
	}
}

func textsOf(t *testing.T, area string) (texts map[string]string) {
	t.Helper()
	data, err := os.ReadFile("../../knowledge/locale/texts/en/" + area + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &texts))
	return texts
}

// sourceOf is all code, templates and scripts of a folder, tests apart.
func sourceOf(t *testing.T, folder string) (text string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		if slices.Contains([]string{".go", ".html", ".js"}, filepath.Ext(e.Name())) && !strings.HasSuffix(e.Name(), "_test.go") {
			data, err := os.ReadFile(filepath.Join(folder, e.Name()))
			require.NoError(t, err)
			text += string(data) + "\n"
		}
	}
	return text
}
