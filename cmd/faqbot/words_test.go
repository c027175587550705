package main

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// bannedNames are identifiers that had a meaning only their author knew. What is called so now has a name of its field.
func bannedNames() []string {
	return strings.Fields(`Hooker hearing queuer Aside Overheard Reach Fate Left Tells Grave lull bite turnOfOthers takeOut
		takeIn takeUp takeOver Writers Pulse Owes evict Leans soothe wordKind which sure shut untwinned Asking errSaid owed
		tongue hear Mend writes`)
}

// builtins are Go's own functions and types, which no name hides.
func builtins() []string {
	return strings.Fields(`any append bool byte cap clear close complex copy delete error false int iota len make max min
		new nil panic print println real recover string true uint`)
}

// TestNamesAreTheFields keeps banned names out, Go's own names visible, and names in a file apart by more than a capital.
func TestNamesAreTheFields(t *testing.T) {
	t.Parallel()
	banned, hidden := map[string]bool{}, map[string]bool{}
	for _, name := range bannedNames() {
		banned[name] = true
	}
	for _, name := range builtins() {
		hidden[name] = true
	}
	for _, s := range sources(t) {
		spelt := map[string]string{}
		for _, d := range declarations(s.file) {
			where := s.set.Position(d.name.Pos())
			assert.False(t, banned[d.name.Name], "%s: %s says too little", where, d.name.Name)
			assert.False(t, hidden[d.name.Name] && !d.member, "%s: %s hides Go's own", where, d.name.Name)
			if !d.top {
				continue
			}
			lower := strings.ToLower(d.name.Name)
			other, seen := spelt[lower]
			assert.False(t, seen && other != d.name.Name, "%s: %s and %s differ by a capital only", where, d.name.Name, other)
			spelt[lower] = d.name.Name
		}
	}
}

// A declaration is a name that a file gives to something.
type declaration struct {
	name   *ast.Ident
	top    bool // of the package, or a method
	member bool // a field or a method, which is never used without what it belongs to
}

// declarations lists what f declares, wherever in it.
func declarations(f *ast.File) (list []declaration) {
	top := map[ast.Node]bool{}
	for _, d := range f.Decls {
		top[d] = true
		if g, ok := d.(*ast.GenDecl); ok {
			for _, s := range g.Specs {
				top[s] = true
			}
		}
	}
	fields := func(l *ast.FieldList, member bool) {
		if l == nil {
			return
		}
		for _, f := range l.List {
			for _, name := range f.Names {
				list = append(list, declaration{name: name, member: member})
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			list = append(list, declaration{n.Name, true, n.Recv != nil})
			fields(n.Recv, false)
		case *ast.FuncType:
			fields(n.Params, false)
			fields(n.Results, false)
		case *ast.StructType:
			fields(n.Fields, true)
		case *ast.InterfaceType:
			fields(n.Methods, true)
		case *ast.TypeSpec:
			list = append(list, declaration{n.Name, top[n], false})
		case *ast.ValueSpec:
			for _, name := range n.Names {
				list = append(list, declaration{name, top[n], false})
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, x := range n.Lhs {
					if name, ok := x.(*ast.Ident); ok {
						list = append(list, declaration{name: name})
					}
				}
			}
		case *ast.RangeStmt:
			for _, x := range []ast.Expr{n.Key, n.Value} {
				if name, ok := x.(*ast.Ident); ok && n.Tok == token.DEFINE {
					list = append(list, declaration{name: name})
				}
			}
		}
		return true
	})
	return list
}
