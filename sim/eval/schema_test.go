package eval

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// Every field of the report is explained in its format page.
func TestFormatPageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/eval.md")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				walk(f.Type)
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("docs/formats/eval.md does not explain %q", name)
			}
		}
	}
	for _, v := range []any{Report{}, Episode{}, CardLine{}} {
		walk(reflect.TypeOf(v))
	}
}
