package record

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keys lists the JSON keys of a struct as the documents write them: nested objects
// joined by dots, lists marked by []. Types of other packages and maps end a key.
func keys(t reflect.Type, prefix string) (out []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			panic(t.Name() + "." + f.Name + " has no JSON key")
		}
		name, ft := prefix+name, f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Slice && ours(ft.Elem()) {
			name, ft = name+"[]", ft.Elem()
		}
		if ours(ft) {
			out = append(out, keys(ft, name+".")...)
		} else {
			out = append(out, name)
		}
	}
	return out
}

// ours reports whether t is a struct of this package.
func ours(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[Stats]().PkgPath()
}

// documented lists the keys in the first column of the tables below a heading. A
// key that begins with a dot continues the object of the row's first key.
func documented(t *testing.T, file, heading string) (out []string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/formats/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), heading)
	if !ok {
		t.Fatalf("%s has no %q", file, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.HasPrefix(strings.TrimSpace(cells[1]), "-") {
			continue
		}
		object := ""
		for i, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			key := m[1]
			if i == 0 {
				object = key[:strings.LastIndexByte(key, '.')+1]
			}
			if rest, ok := strings.CutPrefix(key, "."); ok {
				key = object + rest
			}
			out = append(out, key)
		}
	}
	return out
}

// covers reports whether a documented key stands for the struct's: itself, or the
// object that it lies in where the document refers to another place for its parts.
func covers(doc, key string) bool {
	whole, ok := strings.CutSuffix(doc, ".*")
	return doc == key || ok && strings.HasPrefix(key, whole+".")
}

// Every key that is written is documented, and every documented key is written.
func TestDocumentsHaveTheKeys(t *testing.T) {
	for _, c := range []struct {
		schema        any
		file, heading string
	}{
		{Stats{}, "stats.md", "# stats.json, schema 1"},
		{Summary{}, "summary.md", "# `summary.json`, schema 1"},
		{Verdict{}, "bus-emulation.md", "## The verdict"},
		{Status{}, "mqtt.md", "## State"},
		{Event{}, "mqtt.md", "## Event"},
	} {
		want, doc := keys(reflect.TypeOf(c.schema), ""), documented(t, c.file, c.heading)
		for _, k := range want {
			if !slices.ContainsFunc(doc, func(d string) bool { return covers(d, k) }) {
				t.Errorf("docs/formats/%s does not document %q", c.file, k)
			}
		}
		for _, d := range doc {
			if !slices.ContainsFunc(want, func(k string) bool { return covers(d, k) }) {
				t.Errorf("docs/formats/%s documents %q, which nothing writes", c.file, d)
			}
		}
	}
}

// A key that holds a quantity ends in its unit: a number is a count, a share or a
// truth value, or its key says what it is measured in.
func TestFieldsEndInTheUnitOfTheirKeys(t *testing.T) {
	units := map[string]string{
		"_s": "S", "_rad": "Rad", "_m": "M", "_c": "C", "_v": "V", "_us": "Us", "_hz": "Hz", "_deg": "Deg", "_mm": "mm",
		"_cm": "Cm",
	}
	for _, schema := range []any{Stats{}, Transition{}, Verdict{}, Status{}, Truth{}, Retarget{}} {
		typ := reflect.TypeOf(schema)
		for i := range typ.NumField() {
			f := typ.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			for suffix, unit := range units {
				if strings.HasSuffix(key, suffix) && !strings.HasSuffix(strings.ToLower(f.Name), strings.ToLower(unit)) {
					t.Errorf("%s.%s is written as %q", typ.Name(), f.Name, key)
				}
			}
		}
	}
}

func TestStatsKeepNoFolder(t *testing.T) {
	name := t.TempDir() + "/stats.json"
	s := &Stats{Schema: StatsSchema, Recording: "/home/ann/flights/a.mcap", Policy: "p.bundle", RateHz: 100,
		LatenessUs: Spread{P99: 88}, Truth: &Verdict{Fell: true, FellAtS: 2},
		Transitions: []Transition{{1, "disarmed", "arming", "request arm", ""}}}
	if err := s.Save(name); err != nil {
		t.Fatal(err)
	}
	got, err := LoadStats(name)
	if err != nil || got.Recording != "a.mcap" || !reflect.DeepEqual(got, s) {
		t.Errorf("%v: %+v", err, got)
	}
	if b := got.Brief(); b.RateHz != 100 || b.LatenessUs.P99 != 88 {
		t.Errorf("%+v", b)
	}
	if err := os.WriteFile(name, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadStats(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a damaged file: %v", err)
	}
}
