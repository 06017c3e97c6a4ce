package socketio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// exported returns the names that the packages in dirs export, methods and
// fields as Type.Name. Embedding is followed one level: a Server has what its
// Namespace has.
func exported(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	embeds := map[string][]string{}
	for _, dir := range dirs {
		noTests := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
		pkgs, err := parser.ParseDir(token.NewFileSet(), dir, noTests, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, pkg := range pkgs {
			for _, file := range pkg.Files {
				for _, d := range file.Decls {
					declared(d, names, embeds)
				}
			}
		}
	}
	for owner, inner := range embeds {
		for _, e := range inner {
			for name := range names {
				if rest, ok := strings.CutPrefix(name, e+"."); ok {
					names[owner+"."+rest] = true
				}
			}
		}
	}
	return names
}

func declared(d ast.Decl, names map[string]bool, embeds map[string][]string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names[d.Name.Name] = true
		} else {
			names[baseName(d.Recv.List[0].Type)+"."+d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				st, ok := s.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range st.Fields.List {
					if len(f.Names) == 0 {
						embeds[s.Name.Name] = append(embeds[s.Name.Name], baseName(f.Type))
					}
					for _, n := range f.Names {
						names[s.Name.Name+"."+n.Name] = true
					}
				}
			}
		}
	}
}

// baseName is the name of a type without its pointer and its parameters.
func baseName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return baseName(e.X)
	case *ast.IndexExpr:
		return baseName(e.X)
	case *ast.IndexListExpr:
		return baseName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestFromNodeToGo holds the guide for those who come from Node to the names
// that there are.
func TestFromNodeToGo(t *testing.T) {
	page, err := os.ReadFile("docs/from-node-to-go.md")
	if err != nil {
		t.Fatal(err)
	}
	names := exported(t, ".")
	rows := regexp.MustCompile(`(?m)^\| .*\|([^|]*)\|$`).FindAllStringSubmatch(string(page), -1)
	checked := 0
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`([A-Z][A-Za-z.]*)`").FindAllStringSubmatch(row[1], -1) {
			name := m[1]
			checked++
			// What all namespaces can do is registered through an embedded type.
			owner, rest, _ := strings.Cut(name, ".")
			if !names[name] && !(owner == "Namespace" && names["registry."+rest]) {
				t.Errorf("there is no %s", name)
			}
		}
	}
	if checked < 60 {
		t.Errorf("found %d names in the tables: they are not where they were", checked)
	}
}
