package cmd_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// otherWords say in an error what a value may be, and not as all others do: "; legal: ".
var otherWords = regexp.MustCompile(`[,;:] (?:want|expected|must be):? `)

// judges are folders whose texts are those of tests, which say "want" as Go's tests do.
var judges = []string{"actuators/driver/drivertest", "policy/rollout/rollouttest", "policy/train/traintest"}

// worded returns the strings of a Go file that word an error in another way.
func worded(src []byte) (bad []string) {
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return bad
		}
		if tok == token.STRING && otherWords.MatchString(lit) {
			bad = append(bad, lit)
		}
	}
}

func TestErrorsSayLegal(t *testing.T) {
	err := filepath.WalkDir("..", func(name string, e fs.DirEntry, err error) error {
		rel := filepath.ToSlash(strings.TrimPrefix(name, "../"))
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != ".." && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || under(rel, judges):
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, lit := range worded(src) {
			t.Errorf(`%s: %s; legal: a value is followed by "; legal: " and what it may be`, rel, lit)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The rule itself must be able to fail, and leave comments and names alone.
func TestOtherWordsAreFound(t *testing.T) {
	src := "package a\n\n// A number, want 3.\nvar want = `3, want 4` + \"x: %d; legal: 3\" + \"no, expected %q\" + \"what we want is, x\"\n"
	if bad := worded([]byte(src)); len(bad) != 2 {
		t.Errorf("%q", bad)
	}
}
