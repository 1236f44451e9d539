package loop_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// setters are the functions whose first argument is a condition that they set.
var setters = []string{"Set", "External", "tell", "Tell"}

// sourcesOf reads the program and lists, for each condition, the functions that set it.
func sourcesOf(t *testing.T) map[mode.Condition][]string {
	t.Helper()
	byConst := map[string][]string{}
	for _, root := range []string{"../../actuators", "../../cmd/internal"} {
		err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					settersIn(f, file.Name.Name, byConst)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[mode.Condition][]string{}
	for ident, c := range constants(t) {
		slices.Sort(byConst[ident])
		out[c] = slices.Compact(byConst[ident])
	}
	return out
}

// settersIn adds f under each condition that it sets.
func settersIn(f *ast.FuncDecl, pkg string, byConst map[string][]string) {
	where := pkg + "." + f.Name.Name
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains(setters, fun.Sel.Name) {
			return true
		}
		for _, a := range call.Args {
			if c, ok := a.(*ast.SelectorExpr); ok && isName(c.X, "mode") {
				byConst[c.Sel.Name] = append(byConst[c.Sel.Name], "`"+where+"`")
			}
		}
		return true
	})
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// constants reads the names of the conditions in their order.
func constants(t *testing.T) map[string]mode.Condition {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../mode/condition.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]mode.Condition{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || !isName(g.Specs[0].(*ast.ValueSpec).Type, "Condition") {
			continue
		}
		for i, s := range g.Specs {
			if name := s.(*ast.ValueSpec).Names[0].Name; i < int(mode.AllConditions()) {
				out[name] = mode.Condition(i)
			}
		}
	}
	if len(out) != int(mode.AllConditions()) {
		t.Fatalf("%d constants for %d conditions", len(out), mode.AllConditions())
	}
	return out
}
