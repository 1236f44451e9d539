package cmd_test

import (
	"bytes"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unitSpelling is the one spelling of each unit at the end of a name: capitals begin a unit, Per divides, a digit is
// a power. What is on the left reads as something else (MS as milliseconds, MM as a product) or exists twice.
var unitSpelling = []struct {
	wrong *regexp.Regexp
	right string
}{
	{regexp.MustCompile(`([A-Za-z])RadS(2?)$`), "${1}RadPerS${2}"},
	{regexp.MustCompile(`([A-Za-z])(?:MS|Mps|MpS)(2?)$`), "${1}MPerS${2}"},
	{regexp.MustCompile(`([A-Za-z])(?:NmsRad|NmSRad|NmS)$`), "${1}NmSPerRad"},
	{regexp.MustCompile(`([A-Za-z])NmRad$`), "${1}NmPerRad"},
	{regexp.MustCompile(`([A-Za-z])MM$`), "${1}Mm"},
	{regexp.MustCompile(`([A-Za-z])CM$`), "${1}Cm"},
}

// noUnits are names that only look as if they ended in one.
var noUnits = []string{"RMS", "TTLMS"}

// unitsOfFiles are folders whose names follow the fields of a file format, which do not change.
var unitsOfFiles = []string{"actuators/recorder", "actuators/replay"}

// spelt returns a name with its unit in the one spelling.
func spelt(name string) string {
	if slices.Contains(noUnits, name) {
		return name
	}
	for _, u := range unitSpelling {
		name = u.wrong.ReplaceAllString(name, u.right)
	}
	return name
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*`)

// spellUnits returns a Go file with every name, in code and in comments, spelt; strings and tags stay as they are.
func spellUnits(src []byte) (fixed []byte, names []string) {
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	done := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return append(fixed, src[done:]...), names
		}
		if tok != token.IDENT && tok != token.COMMENT {
			continue
		}
		at := file.Offset(pos)
		end := at + len(lit)
		if !bytes.Equal(src[at:min(end, len(src))], []byte(lit)) {
			continue // a comment with carriage returns
		}
		right := word.ReplaceAllStringFunc(lit, func(w string) string {
			if spelt(w) != w {
				names = append(names, w)
			}
			return spelt(w)
		})
		fixed = append(append(fixed, src[done:at]...), right...)
		done = end
	}
}

func TestUnitsAreSpeltOneWay(t *testing.T) {
	fix := os.Getenv("MITORI_FIX_UNITS") != "" // then the test changes the names
	err := filepath.WalkDir("..", func(name string, e fs.DirEntry, err error) error {
		rel := filepath.ToSlash(strings.TrimPrefix(name, "../"))
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != ".." && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".pb.go") || under(rel, unitsOfFiles):
			return nil
		case rel == "cmd/units_test.go":
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		fixed, names := spellUnits(src)
		if fix && len(names) > 0 {
			return os.WriteFile(name, fixed, 0o644)
		}
		slices.Sort(names)
		for _, n := range slices.Compact(names) {
			t.Errorf("%s: %s is spelt %s (MITORI_FIX_UNITS=1 changes it)", rel, n, spelt(n))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The rule itself must be able to fail, and leave alone what is no unit.
func TestUnitSpelling(t *testing.T) {
	src := "package a\n\n// VelRadS is a speed.\ntype T struct {\n\tVelRadS float64 `json:\"VelRadS\"`\n\tRMS, AccelRadPerS2, SpeedMps, LiftMM, DampingNmsRad float64\n}\n"
	want := "package a\n\n// VelRadPerS is a speed.\ntype T struct {\n\tVelRadPerS float64 `json:\"VelRadS\"`\n\tRMS, AccelRadPerS2, SpeedMPerS, LiftMm, DampingNmSPerRad float64\n}\n"
	if got, names := spellUnits([]byte(src)); string(got) != want || len(names) != 5 {
		t.Errorf("%d names changed:\n%s", len(names), got)
	}
}
