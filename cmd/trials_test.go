package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// trial is a row of docs/trials.md.
type trial struct {
	name  string
	tests []string // "folder Test"
}

// trialsOf reads the table.
func trialsOf(doc string) (out []trial) {
	for line := range strings.Lines(doc) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !regexp.MustCompile(`^ [ABN]\d+(\.\d+)? $`).MatchString(cells[1]) {
			continue
		}
		t := trial{name: strings.TrimSpace(cells[1])}
		folder := ""
		for _, word := range strings.FieldsFunc(cells[3], func(r rune) bool { return r == ' ' || r == ';' }) {
			if name, ok := strings.CutPrefix(word, "`"); ok {
				folder = strings.TrimSuffix(name, "`")
				continue
			}
			t.tests = append(t.tests, folder+" "+word)
		}
		out = append(out, t)
	}
	return out
}

// Every case of the trials has its row, and every test that a row names exists.
func TestTrialsNameTestsThatExist(t *testing.T) {
	doc, err := os.ReadFile("../docs/trials.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, row := range trialsOf(string(doc)) {
		if seen[row.name] {
			t.Errorf("%s stands twice in the table", row.name)
		}
		seen[row.name] = true
		for _, test := range row.tests {
			folder, name, _ := strings.Cut(test, " ")
			if !hasTest(t, folder, name) {
				t.Errorf("%s: %s has no test %s", row.name, folder, name)
			}
		}
	}
	for prefix, n := range map[string]int{"A1.": 23, "A2.": 16, "B": 17, "N": 10} {
		for i := 1; i <= n; i++ {
			if name := prefix + strconv.Itoa(i); !seen[name] {
				t.Errorf("%s has no row", name)
			}
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {") {
			return true
		}
	}
	return false
}
