package robot

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ptr(v float64) *float64 { return &v }

// Whatever is changed is what Load reads then; everything else stays, byte for byte.
func TestEdit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	kata, err := Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "sub", "robot.yaml")
	for range 30 {
		j := kata.Joints[rng.IntN(20)]
		c := Change{Joint: j.Name, Sign: ptr(-j.Sign), OffsetRad: ptr(float64(rng.IntN(20001)-10000) / 1e4), MinRad: ptr(j.MinRad + 0.25)}
		e, err := Edit("kata20", []Change{c})
		if err != nil || e.File != "" {
			t.Fatalf("%+v: %v", e, err)
		}
		if diff := e.Diff(); len(diff) != 2 || !strings.HasPrefix(diff[0], "- ") || !strings.Contains(diff[1], j.Name) {
			t.Fatalf("%q", diff)
		}
		if _, err := e.Save(name); err != nil {
			t.Fatal(err)
		}
		d, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Joints {
			want := kata.Joints[i]
			if want.Name == j.Name {
				want.Sign, want.OffsetRad, want.MinRad = *c.Sign, *c.OffsetRad, *c.MinRad
			}
			if got := d.Joints[i]; got != want && (got.MinRad-want.MinRad > 6e-4 || got.Name != want.Name || got.OffsetRad != want.OffsetRad) {
				t.Fatalf("%+v, want %+v", got, want)
			}
		}
		again, err := Edit(name, nil)
		if err != nil || again.File != name || len(again.Diff()) != 0 {
			t.Fatalf("%+v, %v", again, err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "sub", "scene.xml")); err != nil || string(text) != kata.MJCF {
		t.Error("a copy in another folder lacks its scene: ", err)
	}
}

// What would make an illegal description is refused, and nothing is written.
func TestEditRefuses(t *testing.T) {
	for what, c := range map[string]Change{
		"no joint": {Joint: "tail", Sign: ptr(1)}, "range": {Joint: "l_knee", MinRad: ptr(3)}, "offset": {Joint: "l_knee", OffsetRad: ptr(7)}, "sign": {Joint: "l_knee", Sign: ptr(2)},
	} {
		if _, err := Edit("kata20", []Change{c}); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := Edit("nonesuch", nil); err == nil {
		t.Error("no robot: no error")
	}
}
