package cmd_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms reads the table of docs/architecture.md: the packages of its first column. A name without a folder lies beside
// the first of its row.
func rooms(doc string) (out []string) {
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(doc) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		folder := ""
		for _, m := range quoted.FindAllStringSubmatch(strings.SplitN(line, "|", 3)[1], -1) {
			name := m[1]
			if !strings.Contains(name, "/") && folder != "" {
				name = path.Join(folder, name)
			}
			if folder == "" {
				folder = path.Dir(name)
			}
			out = append(out, name)
		}
	}
	return out
}

// Every package has one line in the table of rooms, and every line its package.
func TestRoomsAreOnTheMap(t *testing.T) {
	doc, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, r := range rooms(string(doc)) {
		told[r]++
	}
	for _, p := range list(t, nil, "-tags", "opencv mujoco openblas onnxruntime", "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		if slices.Contains(strings.Split(strings.TrimPrefix(name, "cmd/internal/"), "/"), "internal") {
			continue // a room of one package alone
		}
		if told[name] != 1 {
			t.Errorf("%s stands %d times in the table of rooms, want once", name, told[name])
		}
		delete(told, name)
	}
	for name := range told {
		t.Errorf("the table of rooms has %s, which is no package", name)
	}
}
