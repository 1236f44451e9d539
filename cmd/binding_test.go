package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// boundBy lists what makes a robot out of its description. It is called in models/body alone, so that retargeting,
// training, evaluation and robotd cannot each have a robot of their own.
var boundBy = map[string][]string{
	"models/mjcf":        {"Parse", "Load"},
	"models/kin":         {"New"},
	"models/kin/anatomy": {"Derive"},
}

// unbound returns the places in a file that break the rule.
func unbound(fset *token.FileSet, f *ast.File) []string {
	locals := map[string][]string{} // what the file calls a package -> its forbidden functions
	for _, imp := range f.Imports {
		full := strings.Trim(imp.Path.Value, `"`)
		calls := boundBy[strings.TrimPrefix(full, module)]
		name := path.Base(full)
		if imp.Name != nil {
			name = imp.Name.Name
		}
		locals[name] = calls
	}
	var bad []string
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(locals[x.Name], sel.Sel.Name) {
			bad = append(bad, fset.Position(sel.Pos()).String()+": "+x.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return bad
}

func TestRobotsAreBoundInOnePlace(t *testing.T) {
	fset, files := token.NewFileSet(), 0
	err := filepath.WalkDir("..", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") && e.Name() != ".." ||
			name == filepath.FromSlash("../models/body")):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		for _, place := range unbound(fset, f) {
			t.Errorf("%s: only models/body binds a robot; take a *body.Body", place)
		}
		return nil
	})
	if err != nil || files < 200 {
		t.Fatalf("%d files read: %v", files, err)
	}
}

// The rule itself must be able to fail.
func TestBindingRuleCatchesViolations(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", `package x
import "`+module+`models/mjcf"
import k "`+module+`models/kin"
import "strings"
var a, b, c = mjcf.Parse, k.New(nil), strings.New`, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if bad := unbound(fset, f); len(bad) != 2 {
		t.Errorf("%q", bad)
	}
}
