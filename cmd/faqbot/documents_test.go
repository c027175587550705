package main

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"faqbot/bot/accounts"
)

// maxReadme is how many lines a newcomer reads before the first question.
const maxReadme = 120

// maxPicture bounds a picture in bytes: each clone of the repository has every version of it.
const maxPicture = 120 << 10

// documents are the texts of all Markdown files that people read, by path. Test data and others' notes are not ours.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && slices.Contains([]string{"bin", ".git", "testdata", "vendor"}, d.Name()) && name != "." {
			return errOrSkip(err)
		}
		if !d.IsDir() && path.Ext(name) == ".md" {
			data, err := fs.ReadFile(root, name)
			found[name] = string(data)
			return err
		}
		return nil
	}))
	for _, name := range []string{"README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "cmd/faqbot/docs/operating.md"} {
		require.Contains(t, found, name)
	}
	require.LessOrEqual(t, strings.Count(found["README.md"], "\n"), maxReadme, "lines of README.md")
	return found
}

func errOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// Every link in a document leads to a file, a folder or a heading.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	all := documents(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path.Join(path.Dir(name), file)
			if file == "" {
				target = name
			}
			info, err := os.Stat(filepath.Join("../..", target))
			require.NoError(t, err, "%s links to %s", name, m[1])
			if path.Ext(target) == ".png" {
				require.Less(t, info.Size(), int64(maxPicture), target)
			}
			if anchor != "" {
				require.Contains(t, anchors(all[target]), anchor, "%s links to %s", name, m[1])
			}
		}
	}
}

// anchors are those that GitHub gives the headings of a text.
func anchors(text string) (list []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		list = append(list, strings.ReplaceAll(plain, " ", "-"))
	}
	return list
}

// Every path in a document that begins with a folder of ours exists. What a command makes is not there yet.
func TestDocumentsNamePathsThatExist(t *testing.T) {
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("`((?:"+strings.Join(arrow, "|")+")/[^` ]*)`").FindAllStringSubmatch(text, -1) {
			found, err := filepath.Glob(filepath.Join("../..", strings.ReplaceAll(m[1], "LOCALE", "en")))
			require.NoError(t, err, "%s: %s", name, m[1])
			require.NotEmpty(t, found, "%s names %s", name, m[1])
		}
	}
}

// Every command in a document is one that there is, with flags that it has.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("faqbot"), kong.Vars{"networks": strings.Join(accounts.Names(accounts.Networks()), ",")})
	require.NoError(t, err)
	rules, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	tests := testNames(t)
	all := documents(t)
	example, err := os.ReadFile("docs/faqbot.example.toml")
	require.NoError(t, err)
	all["faqbot.example.toml"] = string(example)
	seen := 0
	for name, text := range all {
		if name == "CHANGELOG.md" { // tells of earlier builds, too
			continue
		}
		for _, line := range commandLines(text) {
			words := strings.Fields(line)
			for len(words) > 0 && regexp.MustCompile(`^([A-Z_]+=\S*|\.ci/with-postgres)$`).MatchString(words[0]) {
				words = words[1:]
			}
			switch {
			case len(words) < 2:
			case words[0] == "faqbot" || words[0] == "bin/faqbot":
				seen++
				requireCommand(t, parser, words[1:], name+": "+line)
			case words[0] == "go" && words[1] == "run" && words[2] == "./cmd/faqbot":
				requireCommand(t, parser, words[3:], name+": "+line)
			case words[0] == "make":
				require.Regexp(t, `(?m)^`+words[1]+`:`, string(rules), "%s: %s", name, line)
			case words[0] == "go":
				requireGo(t, words[2:], tests, name+": "+line)
			}
		}
	}
	require.Greater(t, seen, 40, "commands in documents")
}

// commandLines are the lines of code of a document, and the code within its lines, without comments.
func commandLines(text string) (list []string) {
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced || strings.HasPrefix(line, "    "):
			code, _, _ := strings.Cut(line, "  #")
			code, _, _ = strings.Cut(code, " # ")
			list = append(list, strings.TrimSpace(code))
		default:
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
				list = append(list, m[1])
			}
		}
	}
	return list
}

// requireCommand follows words through the sub-commands of faqbot and looks for their flags.
func requireCommand(t *testing.T, parser *kong.Kong, words []string, where string) {
	t.Helper()
	node, flags := parser.Model.Node, []string{"help"}
	for _, word := range words {
		for _, f := range node.Flags {
			flags = append(flags, f.Name)
		}
		if name, ok := strings.CutPrefix(strings.Trim(word, "[]…"), "--"); ok {
			require.Contains(t, flags, name, where)
			continue
		}
		if i := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == word }); i >= 0 {
			node, flags = node.Children[i], append(flags, flagNames(node.Children[i])...)
			continue
		}
		require.True(t, node.Type == kong.CommandNode && len(node.Children) == 0 || strings.HasPrefix(word, "-"), "%s: there is no %q", where, word)
	}
	require.NotEqual(t, kong.ApplicationNode, node.Type, where)
}

func flagNames(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		names = append(names, f.Name)
	}
	return names
}

// requireGo checks that the folders that go is given exist, and that -run finds tests.
func requireGo(t *testing.T, words []string, tests []string, where string) {
	t.Helper()
	for i, word := range words {
		if folder, ok := strings.CutPrefix(word, "./"); ok {
			_, err := os.Stat(filepath.Join("../..", strings.TrimSuffix(folder, "...")))
			require.NoError(t, err, where)
		}
		if word != "-run" {
			continue
		}
		for pattern := range strings.SplitSeq(strings.Trim(strings.ReplaceAll(words[i+1], `\|`, "|"), "'"), "|") {
			require.True(t, slices.ContainsFunc(tests, regexp.MustCompile(pattern).MatchString), "%s: no test is called %q", where, pattern)
		}
	}
}

func testNames(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range sources(t) {
		for name := range s.file.Scope.Objects {
			if s.test && strings.HasPrefix(name, "Test") {
				names = append(names, name)
			}
		}
	}
	return names
}

// The example loads as it stands; with every commented key taken in it parses too, and no key is missing in it.
func TestExampleConfiguration(t *testing.T) {
	data, err := os.ReadFile("docs/faqbot.example.toml")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`"env:([A-Z_]+)"`).FindAllStringSubmatch(string(data), -1) {
		t.Setenv(m[1], strings.Repeat("a", 32))
	}
	c, err := loadConfig("docs/faqbot.example.toml")
	require.NoError(t, err)
	require.Len(t, c.Accounts, 4)
	require.Equal(t, keepDays, c.Retention.Days)

	whole := regexp.MustCompile(`(?m)^#([a-z_]+ = )`).ReplaceAllString(string(data), "$1")
	require.NoError(t, parseConfig([]byte(whole), &config{}))
	keys := configKeys(reflect.TypeFor[config]())
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		require.Regexp(t, `(?m)^(\[+`+key+`\]+|`+key+` = .*)$`, whole, "the example lacks %s", key)
	}
}

// configKeys are the names of all keys and tables that a type of configuration has.
func configKeys(t reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("toml"); key != "" && key != "-" {
			keys[key] = true
			maps.Copy(keys, configKeys(t.Field(i).Type))
		}
	}
	return keys
}

// What a guide prints in bold stands on the pages that it is about.
func TestGuidesNameWhatPagesSay(t *testing.T) {
	for guide, areas := range map[string][]string{"affiliate": {"entries", "eval", "faq"}, "agent": {"desk", "figures"}} {
		data, err := os.ReadFile("docs/" + guide + ".md")
		require.NoError(t, err)
		texts := map[string]string{}
		for _, area := range areas {
			file, err := os.ReadFile("../../knowledge/locale/texts/en/" + area + ".json")
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(file, &texts))
		}
		said := slices.Collect(maps.Values(texts))
		bold := regexp.MustCompile(`\*\*([^*]+)\*\*`).FindAllStringSubmatch(string(data), -1)
		require.NotEmpty(t, bold)
		for _, m := range bold {
			require.True(t, slices.ContainsFunc(said, func(s string) bool { return strings.TrimSuffix(s, "…") == strings.TrimSuffix(m[1], "…") }), "%s.md: no page says %q", guide, m[1])
		}
	}
}
