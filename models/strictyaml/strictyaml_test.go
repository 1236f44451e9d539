package strictyaml

import (
	"errors"
	"slices"
	"testing"
)

type inner struct {
	ID *int    `yaml:"id"`
	At float64 `yaml:"at"`
}

type file struct {
	Name  string           `yaml:"name"`
	Count int              `yaml:"count"`
	List  []inner          `yaml:"list"`
	Types map[string]inner `yaml:"types"`
}

func TestFaults(t *testing.T) {
	for text, want := range map[string][]string{
		"name: a\ncount: 3\nlist: [{id: 1, at: 0.5}]\n": nil,
		"count: 3.0\nlist: [{at: 1e9}]\n":               nil,
		"count: 3.7\n":                                  {"line 1: count: 3.7; legal: a whole number"},
		"list:\n- {id: 1.5}\n- {at: .nan}\n": {
			"line 2: list.id: 1.5; legal: a whole number", "line 3: list.at: .nan; legal: a finite number"},
		"list: [{at: &a 2.5}]\ncount: *a\n": {"line 1: count: 2.5; legal: a whole number"},
		"types:\n  a: {at: -.inf, id: 2.5}\n": {
			"line 2: types.a.at: -.inf; legal: a finite number", "line 2: types.a.id: 2.5; legal: a whole number"},
		"name: \"a\\e[2Jb\"\n":    {`line 1: name: "a\x1b[2Jb" holds a control character; legal: printable text`},
		"count: \"\\e[2\"\n":      {"line 1: cannot unmarshal !!str `?[2` into int", `line 1: count: "\x1b[2" holds a control character; legal: printable text`},
		"name: a\n---\nname: b\n": {"line 2: a second document; legal: one, without a line of ---"},
		"nome: a\ncount: .inf\nlist: {}\n": {
			"line 1: field nome not found in type strictyaml.file", "line 2: cannot unmarshal !!float `.inf` into int",
			"line 3: cannot unmarshal !!map into []strictyaml.inner", "line 2: count: .inf; legal: a finite number"},
	} {
		var f file
		d, err := Decode([]byte(text), &f)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if !slices.Equal(d.Faults(), want) {
			t.Errorf("%q:\n got %q\nwant %q", text, d.Faults(), want)
		}
	}
}

func TestNoDocument(t *testing.T) {
	var f file
	if _, err := Decode([]byte("# nothing\n"), &f); !errors.Is(err, ErrEmpty) {
		t.Errorf("%v", err)
	}
	if _, err := Decode([]byte("a: [\n"), &f); err == nil || errors.Is(err, ErrEmpty) {
		t.Errorf("%v", err)
	}
}

func TestLine(t *testing.T) {
	var f file
	d, err := Decode([]byte("name: a\nlist:\n- {id: 1}\n\n- {id: 2}\n"), &f)
	if err != nil || d.Line("list", 0) != 3 || d.Line("list", 1) != 5 || d.Line("list", 2) != 0 || d.Line("none", 0) != 0 {
		t.Errorf("%v: lines %d %d", err, d.Line("list", 0), d.Line("list", 1))
	}
}

func TestFaultsAreToldAtOnce(t *testing.T) {
	d, err := Decode([]byte("count: 3.7\n"), &file{})
	if err != nil {
		t.Fatal(err)
	}
	all := d.Faults()
	all.Check(true, "nothing")
	if all.Check(false, "name: %q; legal: %s", "", "a word"); all.Err() == nil ||
		all.Err().Error() != "  line 1: count: 3.7; legal: a whole number\n  name: \"\"; legal: a word" {
		t.Errorf("%v", all.Err())
	}
	if len(d.Faults()) != 1 || (Faults{}).Err() != nil {
		t.Errorf("the document has %q", d.Faults())
	}
}

func TestLineOf(t *testing.T) {
	var f file
	d, err := Decode([]byte("name: a\n\ntypes:\n  a:\n    id: 1\n    at: 2\nlist: [{id: 1}]\n"), &f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path []string
		want int
	}{
		{[]string{"name"}, 1}, {[]string{"types"}, 3}, {[]string{"types", "a", "at"}, 6}, {[]string{"types", "a", "no"}, 4},
		{[]string{"types", "b"}, 3}, {[]string{"no"}, 0}, {[]string{"no", "a"}, 0}, {[]string{"list", "id"}, 7}, {nil, 0},
	} {
		if got := d.LineOf(c.path...); got != c.want {
			t.Errorf("%v: line %d, want %d", c.path, got, c.want)
		}
	}
}
