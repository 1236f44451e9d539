package npz

import (
	"archive/zip"
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func sample() Archive {
	return Archive{
		"fps":   Scalar(29.97),
		"pos":   Floats([]float64{1, 2, 3, 4, 5, 6, -7, 8, 9e300, 0, 1, 2}, 2, 2, 3),
		"f4":    Floats32([]float64{0.5, -1}, 2),
		"names": Strings([]string{"hip", "膝", ""}),
		"meta":  String(`{"a": 1}`),
		"empty": Floats(nil, 0, 3),
		"flags": {Shape: []int{2}, Data: []float64{1, 0}, Dtype: "b1"},
		"ids":   {Shape: []int{2}, Data: []float64{-1, 1 << 40}, Dtype: "i8"},
	}
}

func TestRoundTrip(t *testing.T) {
	var a, b bytes.Buffer
	if err := Write(&a, sample()); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, sample()); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Fatalf("same content, different bytes (%v)", err)
	}
	got, err := Read(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range sample() {
		g := got[name]
		same := len(want.Data) == len(g.Data) && len(want.Text) == len(g.Text) && len(want.Shape) == len(g.Shape)
		for i := range g.Data {
			same = same && g.Data[i] == want.Data[i]
		}
		for i := range g.Text {
			same = same && g.Text[i] == want.Text[i]
		}
		if !same {
			t.Errorf("%s: %+v came back as %+v", name, want, g)
		}
	}
}

// The files must open with ordinary tools: NumPy is the judge.
func TestNumpyReadsIt(t *testing.T) {
	if exec.Command("python3", "-c", "import numpy").Run() != nil {
		t.Skip("python3 with numpy is not installed")
	}
	name := filepath.Join(t.TempDir(), "a.npz")
	if err := Save(name, sample()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", "-c", `
import sys, numpy as np
a = np.load(sys.argv[1])
assert a["pos"].shape == (2, 2, 3) and a["pos"][1, 0, 0] == -7, a["pos"]
assert list(a["names"]) == ["hip", "膝", ""] and str(a["meta"]) == '{"a": 1}'
assert float(a["fps"]) == 29.97 and a["f4"].dtype == np.float32 and a["ids"][1] == 1 << 40
c = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
np.savez(sys.argv[1], x=np.arange(6, dtype=np.float32).reshape(2, 3), s=np.array(["p", "qr"]),
  fortran=np.asfortranarray(c), text=np.asfortranarray([["a", "b"], ["c", "d"]]))
`, name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	back, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	x, err := back.Get("x", -1, 3)
	if err != nil || !reflect.DeepEqual(x.Data, []float64{0, 1, 2, 3, 4, 5}) || back["s"].Text[1] != "qr" {
		t.Fatalf("numpy's file read as %+v (%v)", back, err)
	}
	for i, v := range back["fortran"].Data {
		if v != float64(i) {
			t.Fatalf("a Fortran-ordered array came as %v", back["fortran"].Data)
		}
	}
	if got := back["text"].Text; !reflect.DeepEqual(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("Fortran-ordered text came as %q", got)
	}
}

// Every dtype of the wrong kind, in every member, must be an error where numbers
// or text are asked for, not a surprise in whoever indexes them.
func TestKindIsChecked(t *testing.T) {
	for name, arr := range sample() {
		_, err := sample().Get(name, arr.Shape...)
		_, textErr := sample().GetText(name, arr.Shape...)
		if text := arr.Dtype == "U"; text != (err != nil) || text == (textErr != nil) {
			t.Errorf("%s (%q): as numbers %v, as text %v", name, arr.Dtype, err, textErr)
		}
	}
}

// zipOf makes an archive of raw members, in order.
func zipOf(t *testing.T, members ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// npy is a stream with an honest header over body.
func npy(descr, shape, body string) string {
	head := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }\n"
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(head)), byte(len(head) >> 8)}) + head + body
}

func TestDuplicatesAreRefused(t *testing.T) {
	one := npy("<f8", "", "\x00\x00\x00\x00\x00\x00\x00\x00")
	if _, err := Read(zipOf(t, "fps.npy", one)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(zipOf(t, "fps.npy", one, "x.npy", one, "fps.npy", one)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two members of one name: %v", err)
	}
}

// A small file must not become large in memory: neither by compression, nor by a
// type that is wider in memory than in the file, nor by many members.
func TestBombsAreRefused(t *testing.T) {
	zeros := strings.Repeat("\x00", 80<<20)
	half := npy("<f8", "5242880", zeros[:40<<20])
	for what, bomb := range map[string][]byte{
		"one member":     zipOf(t, "a.npy", npy("<f8", "10485760", zeros)),
		"bools":          zipOf(t, "a.npy", npy("|b1", "10485760", zeros[:10<<20])),
		"text":           zipOf(t, "a.npy", npy("<U1", "5242880", zeros[:20<<20])),
		"two members":    zipOf(t, "a.npy", half, "b.npy", half),
		"only a promise": zipOf(t, "a.npy", npy("<f8", "1073741824", "")),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bomb)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 300<<20 {
			t.Errorf("%s: %d bytes became %d MB: %v", what, len(bomb), grown>>20, err)
		}
		// Who does not ask for a member does not pay for it.
		if _, err := Read(bomb, "fps"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestErrorsNameThings(t *testing.T) {
	a := sample()
	for _, c := range []struct {
		name  string
		shape []int
		want  string
	}{{"nope", nil, "present: "}, {"pos", []int{2, 3}, "legal: [2 3]"}, {"pos", []int{2, 2, 4}, "[2 2 3]"}} {
		if _, err := a.Get(c.name, c.shape...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Get(%s, %v): %v, want %q", c.name, c.shape, err, c.want)
		}
	}
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(b.Bytes()[:b.Len()/2]); err == nil {
		t.Error("a truncated archive was read")
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Read(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, a); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
