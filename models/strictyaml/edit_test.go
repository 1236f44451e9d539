package strictyaml

import (
	"strings"
	"testing"
)

const robotFile = `# größe: a comment with two-byte characters
name: x
joints:   # in order
  - {name: l_knee, id: 4, sign: 1, offset_rad: 0, min_rad: -0.05}   # left
  - {name: größe, sign: -1}
  - name: r_knee  # block
    sign: 1
    # a remark
    offset_rad: 0.25
other: 1 # end`

// Values change, keys that lack are added, and not one other byte does.
func TestApply(t *testing.T) {
	got, err := Apply([]byte(robotFile), []Edit{
		{"joints", 0, "offset_rad", "-0.1234"}, {"joints", 0, "sign", "-1"}, {"joints", 1, "sign", "1"}, {"joints", 1, "offset_rad", "0.5"},
		{"joints", 2, "offset_rad", "1.5"}, {"joints", 2, "min_rad", "-2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"id: 4, sign: 1, offset_rad: 0,", "id: 4, sign: -1, offset_rad: -0.1234,",
		"{name: größe, sign: -1}", "{name: größe, offset_rad: 0.5, sign: 1}",
		"r_knee  # block", "r_knee  # block\n    min_rad: -2", "0.25", "1.5",
	).Replace(robotFile)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if same, err := Apply([]byte(robotFile), nil); err != nil || string(same) != robotFile {
		t.Errorf("%q, %v", same, err)
	}
	for what, e := range map[string]Edit{"no list": {"legs", 0, "sign", "1"}, "no entry": {"joints", 3, "sign", "1"}, "no mapping": {"other", 0, "sign", "1"}} {
		if _, err := Apply([]byte(robotFile), []Edit{e}); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for _, text := range []string{"", "\t", `joints: [{name: a, sign: "1"}]`, "joints: [{name: a, sign: [1]}]"} {
		if _, err := Apply([]byte(text), []Edit{{"joints", 0, "sign", "-1"}}); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
