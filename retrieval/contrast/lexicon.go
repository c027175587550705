package contrast

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed *.txt
var files embed.FS

// A Lexicon knows kinds of things and their members. It never changes.
type Lexicon struct {
	kinds    []kind
	members  []member
	names    map[string][]name // by their first word, the longest first
	function map[string]bool
}

type kind struct {
	name   string
	framed bool // its words have other meanings, so the rest of a question must be the entry's
}

type member struct {
	kind   int
	within int    // what it is a part of, -1 for nothing
	named  bool   // a line of its own names it
	label  string // the first of its names there
}

// A name is one of a member's, as it is compared.
type name struct {
	words  []string
	exact  string // if not "": how it must be written
	member int
}

// Load reads the lexicon that the program carries; a test sees to it that it can.
func Load() *Lexicon {
	l := &Lexicon{names: map[string][]name{}, function: map[string]bool{}}
	for _, file := range []string{"countries.txt", "kinds.txt"} {
		if err := l.read(file); err != nil {
			panic(err)
		}
	}
	for w := range strings.FieldsSeq(text("functions.txt")) {
		l.function[bare(w)] = true
	}
	for _, list := range l.names {
		slices.SortStableFunc(list, func(a, b name) int { return len(b.words) - len(a.words) })
	}
	return l
}

func text(file string) string {
	raw, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// read reads kinds and members of a file. What a member is a part of may stand below it, or in another file.
func (l *Lexicon) read(file string) error {
	at := -1
	for line := range strings.Lines(text(file)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			at = l.kind(line)
		case at < 0:
			return fmt.Errorf("%s: %q stands below no kind", file, line)
		default:
			l.member(at, line)
		}
	}
	return nil
}

// kind is the kind that a heading names.
func (l *Lexicon) kind(heading string) int {
	name, _, _ := strings.Cut(strings.TrimPrefix(heading, "["), "]")
	if i := slices.IndexFunc(l.kinds, func(k kind) bool { return k.name == name }); i >= 0 {
		return i
	}
	l.kinds = append(l.kinds, kind{name, strings.HasSuffix(heading, "[framed]")})
	return len(l.kinds) - 1
}

// member adds a member with all its names.
func (l *Lexicon) member(kind int, line string) {
	names, whole, _ := strings.Cut(line, "<")
	m := member{kind: kind, within: -1}
	if whole = strings.TrimSpace(whole); whole != "" {
		m.within = l.ofName(kind, whole)
	}
	list := strings.Split(names, ",")
	id := l.ofName(kind, strings.TrimSpace(list[0]))
	if l.members[id].named { // a name of two members
		l.members = append(l.members, m)
		id = len(l.members) - 1
		l.add(id, strings.TrimSpace(list[0]))
	}
	m.named, m.label = true, strings.TrimSpace(list[0])
	l.members[id] = m
	for _, n := range list[1:] {
		l.add(id, strings.TrimSpace(n))
	}
}

// ofName is the member of a kind with a name, which is added if it is not there.
func (l *Lexicon) ofName(kind int, text string) int {
	words := bareWords(text)
	for _, n := range l.names[words[0]] {
		if l.members[n.member].kind == kind && slices.Equal(n.words, words) {
			return n.member
		}
	}
	l.members = append(l.members, member{kind: kind, within: -1})
	l.add(len(l.members)-1, text)
	return len(l.members) - 1
}

func (l *Lexicon) add(member int, text string) {
	n := name{words: bareWords(text), member: member}
	if capital(text) {
		n.exact = text
	}
	l.names[n.words[0]] = append(l.names[n.words[0]], n)
}

func bareWords(text string) (list []string) {
	for _, w := range words(text) {
		list = append(list, w.bare)
	}
	return list
}

// Words are the words of all names, in order.
func (l *Lexicon) Words() (list []string) {
	for _, first := range slices.Sorted(maps.Keys(l.names)) {
		for _, n := range l.names[first] {
			list = append(list, n.words...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// at returns the members whose name text begins with, and of how many words that is: the longest.
func (l *Lexicon) at(text []word) (n int, members []int) {
	for _, name := range l.names[text[0].bare] {
		if len(name.words) < n || len(name.words) > len(text) || name.exact != "" && (name.exact != text[0].text || text[0].opens) {
			continue
		}
		fits := true
		for i, w := range name.words {
			fits = fits && text[i].bare == w
		}
		if fits {
			n, members = len(name.words), append(members, name.member)
		}
	}
	return n, members
}
