package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The arrow, from left to right: a package imports its own folder and folders to its left.
var arrow = []string{"knowledge", "retrieval", "bot", "handoff", "eval", "cmd"}

// botArrow is the order inside bot: a package imports packages of rows above its own. Networks stand beside
// bot/webhook.
var botArrow = [][]string{
	{"bot", "bot/exchange", "bot/lenient", "bot/phone", "bot/worker"},
	{"bot/fit", "bot/network", "bot/store", "bot/dialogue", "bot/speech"},
	{"bot/inbound", "bot/turns", "bot/outbound", "bot/conversations", "bot/graphapi"},
	{"bot/webhook"},
	{"bot/accounts"},
	{"bot/accounts/board", "bot/accounts/start"},
}

// homes names the packages that may import a third-party module outside tests. Networks may log, too.
var homes = map[string][]string{
	"github.com/philippgille/chromem-go": {"retrieval/vector", "cmd/bench"}, // there as the one to beat
	"github.com/sashabaranov/go-openai":  {"retrieval/embed", "bot/speech", "eval/subject"},
	"github.com/nyaruka/phonenumbers":    {"bot/phone"},
	"github.com/go-telegram/bot":         {"bot/telegram"},
	"modernc.org/sqlite":                 {"knowledge/sqldb"},
	"github.com/jackc/pgx/v5":            {"knowledge/sqldb"},
	"github.com/pressly/goose/v3":        {"knowledge/sqldb"},
	"github.com/xuri/excelize/v2":        {"knowledge/faqfile", "eval/suite"},
	"github.com/yuin/goldmark":           {"knowledge/faqfile", "bot/accounts/board"},
	"github.com/gin-gonic/gin":           {"bot/webhook", "bot/webchat", "bot/accounts/board", "bot/accounts/start", "handoff/console", "handoff/figures/board", "handoff/gaps/board", "handoff/review/board", "eval/runs/board", "knowledge/portal", "knowledge/visit", "knowledge/people/signin", "cmd/faqbot", "cmd/load", "knowledge/faqsite"}, // there as the one to keep up with
	"github.com/sirupsen/logrus":         {"bot/worker", "bot/inbound", "bot/turns", "bot/outbound", "bot/network", "bot/graphapi", "bot/webhook", "bot/accounts", "bot/accounts/board", "bot/accounts/start", "handoff", "handoff/console", "handoff/bymail", "handoff/figures/board", "handoff/gaps", "handoff/gaps/board", "handoff/review/board", "eval/runs", "eval/runs/board", "knowledge/guard", "knowledge/mail", "knowledge/portal", "knowledge/visit", "knowledge/people/signin", "cmd/faqbot", "knowledge/faqsite"},
	"github.com/alecthomas/kong":         {"cmd/faqbot"},
	"github.com/pelletier/go-toml/v2":    {"cmd/faqbot"},
	"github.com/schollz/progressbar/v3":  {"cmd/faqbot"},
	"github.com/stretchr/testify":        {"knowledge/sqldb/sqldbtest"},
	"github.com/rogpeppe/go-internal":    {},
	"golang.org/x/crypto":                {"cmd/faqbot", "knowledge/people"},
	"github.com/chromedp/chromedp":       {},
	"github.com/chromedp/cdproto":        {},
	"golang.org/x/net":                   {"knowledge/plaintext", "knowledge/crawl", "bot/webchat"},
	"golang.org/x/time":                  {"knowledge/limits"},
	"github.com/wneessen/go-mail":        {"knowledge/mail"},
	"github.com/emersion/go-imap":        {"knowledge/mail", "knowledge/mail/mailtest"},
	"github.com/emersion/go-message":     {"knowledge/mail"},
	"github.com/emersion/go-smtp":        {"knowledge/mail/mailtest"},
	"github.com/gabriel-vasile/mimetype": {"knowledge/media"},
	"github.com/temoto/robotstxt":        {"knowledge/crawl"},
	"go.yaml.in/yaml":                    {"knowledge/faqfile", "eval/suite"},
	"golang.org/x/sync":                  {"bot/dialogue", "bot/worker", "bot/inbound", "bot/outbound", "bot/telegram", "bot/accounts", "eval/measure", "cmd/faqbot", "cmd/crash"},
	"golang.org/x/sys":                   {"retrieval/encoder", "retrieval/vector"},
	"golang.org/x/term":                  {"cmd/faqbot"},
	"golang.org/x/text":                  {"knowledge/faqfile", "knowledge", "retrieval/encoder", "retrieval/lexical", "knowledge/locale", "knowledge/language", "bot/dialogue"},
}

// never names what a package must not import, although the arrow would let it.
var never = map[string][]string{
	"database/sql": {"bot", "bot/inbound", "bot/turns", "bot/outbound", "bot/conversations", "bot/dialogue", "bot/telegram", "bot/whatsapp", "bot/messenger", "bot/graphapi", "bot/webhook", "knowledge/faqfile", "retrieval", "retrieval/vector", "retrieval/lexical", "retrieval/encoder"},
	"net/http":     {"bot/store", "bot/dialogue", "knowledge", "knowledge/faqfile", "retrieval", "retrieval/vector", "retrieval/lexical", "retrieval/encoder", "handoff"},
}

const (
	maxFile     = 500 // lines
	maxOfBot    = 1200
	maxFunction = 60
	maxMethods  = 4 // of an interface
)

// A source is one parsed Go file.
type source struct {
	path    string // "bot/store.go"
	folder  string // "bot"
	test    bool
	ignored bool // built by hand: //go:build ignore
	file    *ast.File
	set     *token.FileSet
	lines   int
}

// sources are every Go file of the repository.
func sources(t *testing.T) []source {
	t.Helper()
	list, err := parsedOnce()
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

var parsedOnce = sync.OnceValues(parseSources)

func parseSources() (list []source, err error) {
	root := os.DirFS("../..")
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if path == "bin" { // what is built, git ignores
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, data, parser.ParseComments)
		if err != nil {
			return err
		}
		list = append(list, source{path: path, folder: filepath.Dir(path), file: file, set: set, lines: strings.Count(string(data), "\n"),
			test:    strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test"),
			ignored: strings.Contains(string(data[:min(len(data), 200)]), "//go:build ignore")})
		return nil
	})
	return list, err
}

func (s source) imports() (list []string) {
	for _, i := range s.file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		list = append(list, path)
	}
	return list
}

func top(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

func TestImportsPointLeft(t *testing.T) {
	for _, s := range sources(t) {
		at := slices.Index(arrow, top(s.folder))
		require.GreaterOrEqual(t, at, 0, "%s: Go code lies only in %v", s.path, arrow)
		for _, path := range s.imports() {
			if rest, ours := strings.CutPrefix(path, "faqbot/"); ours {
				to := slices.Index(arrow, top(rest))
				require.LessOrEqual(t, to, at, "%s imports %s, to its right", s.path, path)
			}
		}
	}
}

// networkFolders are the folders of the networks in bot/accounts/networks.go.
func networkFolders(t *testing.T, list []source) (folders []string) {
	t.Helper()
	i := slices.IndexFunc(list, func(s source) bool { return s.path == "bot/accounts/networks.go" })
	for _, path := range list[i].imports() {
		if folder := strings.TrimPrefix(path, "faqbot/"); folder != path && folder != "bot" && folder != "bot/network" {
			folders = append(folders, folder)
		}
	}
	require.NotEmpty(t, folders)
	return folders
}

// Inside bot imports point one way, and what all its packages share stays small.
func TestImportsInsideBotPointUp(t *testing.T) {
	row := map[string]int{}
	for i, folders := range botArrow {
		for _, folder := range folders {
			row[folder] = i
		}
	}
	all, lines := sources(t), 0
	for _, folder := range networkFolders(t, all) {
		row[folder] = row["bot/webhook"]
	}
	for _, s := range all {
		if s.folder == "bot" && !s.test {
			lines += s.lines
		}
		if top(s.folder) != "bot" || s.test {
			continue
		}
		at, ok := row[s.folder]
		require.True(t, ok, "%s has no place in botArrow", s.folder)
		for _, path := range s.imports() {
			if to, ok := row[strings.TrimPrefix(path, "faqbot/")]; ok {
				require.Less(t, to, at, "%s imports %s", s.path, path)
			}
		}
	}
	require.LessOrEqual(t, lines, maxOfBot, "lines of package bot")
}

// A network describes itself (bot/network), and one list names it: outside of its own folder nothing else
// knows it. The chat on a page is ours, and its accounts are wired where the configuration is.
func TestNobodyKnowsNetworksByName(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !slices.Contains([]string{"knowledge", "retrieval", "bot", "handoff"}, top(s.folder)) && s.folder != "cmd/faqbot" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			name, _ := strconv.Unquote(l.Value)
			if !slices.Contains([]string{"telegram", "whatsapp", "messenger", "instagram"}, name) {
				return true
			}
			home := map[string]string{"instagram": "bot/messenger"}[name]
			if home == "" {
				home = "bot/" + name
			}
			require.True(t, s.folder == home || strings.HasPrefix(s.folder, home+"/"), "%s knows the network %q by name", s.path, name)
			return true
		})
	}
}

// Eval is imported by its commands and pages alone: customers are served without it.
func TestOnlyTheEvalCommandsImportEval(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && top(s.folder) == "cmd" && !strings.HasPrefix(s.path, "cmd/faqbot/eval") {
			for _, path := range s.imports() {
				require.False(t, path == "faqbot/eval" || strings.HasPrefix(path, "faqbot/eval/"), "%s imports %s", s.path, path)
			}
		}
	}
}

func TestThirdPartyPackagesHaveOneHome(t *testing.T) {
	used, all := map[string]bool{}, sources(t)
	logging := networkFolders(t, all)
	for _, s := range all {
		for _, path := range s.imports() {
			if !strings.Contains(top(path), ".") {
				continue
			}
			module := ""
			for m := range homes {
				if path == m || strings.HasPrefix(path, m+"/") {
					module = m
				}
			}
			require.NotEmpty(t, module, "%s imports %s: give it a home in this test and a reason in the commit", s.path, path)
			used[module] = true
			if !s.test && !s.ignored && (module != "github.com/sirupsen/logrus" || !slices.Contains(logging, s.folder)) {
				require.Contains(t, homes[module], s.folder, "%s imports %s, whose home is elsewhere", s.path, path)
			}
		}
	}
	for m := range homes {
		require.True(t, used[m], "%s has a home and nobody uses it", m)
	}
}

func TestForbiddenImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports() {
			if !s.test {
				require.NotContains(t, never[path], s.folder, "%s imports %s", s.path, path)
			}
		}
	}
}

func TestNames(t *testing.T) {
	banned := []string{"util", "utils", "common", "types", "models", "model", "helpers", "helper", "misc", "shared", "internal", "pkg", "base", "lib"}
	for _, s := range sources(t) {
		require.NotContains(t, banned, s.file.Name.Name, s.path)
		for _, part := range strings.Split(s.folder, "/") {
			if s.ignored { // a folder of data with the program that made it
				continue
			}
			require.NotContains(t, banned, part, s.path)
		}
	}
	entries, err := os.ReadDir("../..")
	require.NoError(t, err)
	allowed := append([]string{"go.mod", "go.sum", "README.md", "Makefile", "LICENSE", "NOTICE", "CHANGELOG.md", "bin"}, arrow...)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "faqbot") { // what a run leaves is ignored by git
			require.Contains(t, allowed, e.Name(), "at the top")
		}
	}
}

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		require.LessOrEqual(t, s.lines, maxFile, "%s is too long to read at one sitting", s.path)
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil && !s.test {
					lines := s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line + 1
					require.LessOrEqual(t, lines, maxFunction, "%s: %s is too long", s.path, n.Name.Name)
				}
			case *ast.InterfaceType:
				require.LessOrEqual(t, n.Methods.NumFields(), maxMethods, "%s: an interface of %s", s.path, s.set.Position(n.Pos()))
			}
			return true
		})
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string]int{}
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") || s.ignored {
			continue
		}
		if _, seen := comments[s.folder]; !seen {
			comments[s.folder] = 0
		}
		if s.file.Doc != nil {
			comments[s.folder]++
		}
	}
	for folder, n := range comments {
		require.Equal(t, 1, n, "package comments of %s", folder)
	}
}

// Habits that syntax shows.
func TestHabits(t *testing.T) {
	for _, s := range sources(t) {
		if s.ignored {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				require.False(t, d.Name.Name == "init" && d.Recv == nil, "%s has an init", s.path)
			case *ast.GenDecl:
				checkVars(t, s, d)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				checkSelector(t, s, n)
			case *ast.CallExpr:
				checkWait(t, s, n)
			case *ast.StructType:
				for _, f := range n.Fields.List {
					sel, ok := f.Type.(*ast.SelectorExpr)
					isCtx := ok && sel.Sel.Name == "Context" && isName(sel.X, "context")
					require.False(t, isCtx && !s.test, "%s keeps a context in a struct", s.path)
				}
			}
			return true
		})
	}
}

// checkVars refuses package variables that could change: errors, interface guards and embedded files
// may stay.
func checkVars(t *testing.T, s source, d *ast.GenDecl) {
	t.Helper()
	if d.Tok != token.VAR || s.test {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for _, name := range v.Names {
			embedded := d.Doc != nil && strings.Contains(commentText(d.Doc), "//go:embed")
			sentinel := strings.HasPrefix(name.Name, "Err") || strings.HasPrefix(name.Name, "err")
			require.True(t, name.Name == "_" || sentinel || embedded, "%s: the package variable %s", s.path, name.Name)
		}
	}
}

func commentText(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text)
	}
	return b.String()
}

func checkSelector(t *testing.T, s source, n *ast.SelectorExpr) {
	t.Helper()
	if isName(n.X, "logrus") { // a package-level logger is everybody's
		require.Contains(t, []string{"FieldLogger", "Fields", "New", "JSONFormatter", "Logger", "ErrorKey", "DebugLevel", "InfoLevel", "Level", "Entry", "WarnLevel", "ErrorLevel", "TraceLevel", "TextFormatter"}, n.Sel.Name, "%s uses logrus.%s", s.path, n.Sel.Name)
		if n.Sel.Name == "New" {
			require.True(t, s.test || top(s.folder) == "cmd", "%s makes a logger", s.path)
		}
	}
	if s.test && isName(n.X, "time") && n.Sel.Name == "Sleep" {
		t.Errorf("%s sleeps: wait for the condition instead", s.path)
	}
}

// checkWait refuses a test that gives up after seconds.
func checkWait(t *testing.T, s source, n *ast.CallExpr) {
	t.Helper()
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Eventually" && sel.Sel.Name != "EventuallyWithT" || len(n.Args) < 3 {
		return
	}
	limit, ok := n.Args[2].(*ast.SelectorExpr)
	require.True(t, ok && isName(limit.X, "waittest") && limit.Sel.Name == "Hang", "%s: line %d waits for less than waittest.Hang", s.path, s.set.Position(n.Pos()).Line)
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// Store code holds no client: nothing may call a network while a transaction is open.
func TestStoresCallNobody(t *testing.T) {
	for _, s := range sources(t) {
		if name := filepath.Base(s.path); strings.HasPrefix(name, "store") && !s.test {
			require.NotContains(t, s.imports(), "net/http", s.path)
		}
	}
}
