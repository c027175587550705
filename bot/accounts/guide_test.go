package accounts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
)

var anchor = regexp.MustCompile(`^([0-9][a-z]?-[a-z-]+|the-clock|messages-of-errors)$`)

// Every section that a problem links to is in some guide, and every guide has the sections that all
// networks link to.
func TestGuidesHaveTheSections(t *testing.T) {
	sections := map[string][]string{}
	for _, n := range Networks() {
		channel := n.Name
		text, err := os.ReadFile(filepath.Join("../..", n.GuidePath))
		require.NoError(t, err)
		require.Equal(t, string(text), n.Guide)
		for line := range strings.Lines(n.Guide) {
			if heading, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
				id := strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(heading, ".", "")), " ", "-")
				sections[channel] = append(sections[channel], id)
			}
		}
		wanted := []string{n.SettingsSection}
		if n.OnPages == nil { // the chat on a page is ours
			wanted = append(wanted, "the-clock", "messages-of-errors", n.WebhookSection)
		}
		require.Subset(t, sections[channel], wanted, channel)
	}
	found := 0
	for folder, channel := range map[string]string{"../telegram": "telegram", "../whatsapp": "whatsapp", "../messenger": "messenger"} {
		text, err := os.ReadFile(filepath.Join(folder, "check.go"))
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), "check.go", text, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && anchor.MatchString(s) {
					require.Contains(t, sections[channel], s, folder)
					found++
				}
			}
			return true
		})
	}
	require.Greater(t, found, 5)
	_, known := NetworkOf("fax")
	require.False(t, known)
	s := network.Settings{Channel: "fax", ID: "x", Token: "t"}
	var wrong *network.FieldError
	require.ErrorAs(t, Complete(&s, ""), &wrong, "an unknown network falls into nobody's checks")
	require.Equal(t, `channel = "fax": use one of `+strings.Join(Names(All()), ", "), wrong.Text)
	require.Equal(t, "fax", Label("fax"))
}
