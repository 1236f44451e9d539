package main

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// An output that is the input, by the same name, another one or a link, is refused,
// and the input stays as it was.
func TestInputsAreNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "side_by_side.mp4")
	bvh := filepath.Join(dir, "a.bvh")
	link := filepath.Join(dir, "link")
	for _, name := range []string{in, bvh} {
		if err := os.WriteFile(name, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(in, link); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "..", filepath.Base(dir), "side_by_side.mp4")
	for _, out := range []string{in, link, other} {
		for _, args := range [][]string{
			{"extract", in, "-o", out}, {"extract", in, "-o", filepath.Join(dir, "o"), "--overlay", out},
			{"retarget", in, "--robot", "kata20", "-o", out},
			{"train", in, "-o", out}, {"train", in, "-o", filepath.Join(dir, "o"), "--checkpoint", out},
			{"eval", in, "-o", out}, {"eval", in, "--video", out},
			{"learn", in, "--robot", "kata20", "-o", filepath.Dir(out)},
		} {
			if args[0] == "learn" && out == link {
				continue
			}
			code, _, errOut := command(t, args...)
			if code != fault.ExitUsage || !strings.Contains(errOut, "overwritten") {
				t.Errorf("%v: exit %d, %s", args, code, errOut)
			}
		}
	}
	if code, _, errOut := command(t, "import", bvh, "-o", bvh); code != fault.ExitUsage {
		t.Errorf("import: exit %d, %s", code, errOut)
	}
	for _, name := range []string{in, bvh} {
		if got, err := os.ReadFile(name); err != nil || string(got) != "precious" {
			t.Errorf("%s holds %q (%v)", name, got, err)
		}
	}
}

// A file of the user's that has the checkpoint's name is not overwritten.
func TestUsersFileIsNoCheckpoint(t *testing.T) {
	dir := t.TempDir()
	motion := filepath.Join(dir, "a.motion.npz")
	truthTo(t, filepath.Join(dir, "a.human.npz"))
	if code, _, errOut := command(t, "retarget", filepath.Join(dir, "a.human.npz"), "--robot", "kata20", "-o", motion); code != fault.ExitDone {
		t.Fatal(errOut)
	}
	out := filepath.Join(dir, "p.bundle")
	taken := practice.CheckpointOf(out)
	if err := os.WriteFile(taken, []byte("my notes on checkpoints\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := command(t, "train", motion, "-o", out, "--budget", "100steps")
	if code != fault.ExitRefused || !strings.Contains(errOut, taken) || !strings.Contains(errOut, "in the way") {
		t.Errorf("exit %d, %s", code, errOut)
	}
	if got, _ := os.ReadFile(taken); string(got) != "my notes on checkpoints\n" {
		t.Errorf("it holds %q", got)
	}
}

func truthTo(t *testing.T, name string) *human.Motion {
	t.Helper()
	m, err := demonstrator.Find("wave")
	if err != nil {
		t.Fatal(err)
	}
	person, err := demonstrator.Perform(m, demonstrator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := person.Save(name); err != nil {
		t.Fatal(err)
	}
	return person
}

// Files are passed on: none says where on this machine it was made, whatever paths
// the command line had.
func TestNoPathInAnyArtefact(t *testing.T) {
	if testing.Short() {
		t.Skip("trains; leave out -short to run it")
	}
	physics(t)
	dir := filepath.Join(t.TempDir(), "somebodys-home")
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	truthTo(t, at("a.human.npz"))
	for _, args := range [][]string{
		{"demonstrate", "wave", "-o", at("clip.mp4"), "--fps", "5", "--size", "96x128"},
		{"retarget", at("a.human.npz"), "--robot", "kata20", "--from", "1s", "--to", "2s", "-o", at("a.motion.npz")},
		{"train", at("a.motion.npz"), "-o", at("p.bundle"), "--budget", "1steps", "--checkpoint", at("kept.checkpoint")},
		{"eval", at("p.bundle"), "--episodes", "1", "--no-card", "-o", at("eval.json")},
	} {
		if code, _, errOut := command(t, args...); code != fault.ExitDone {
			t.Fatalf("%v: exit %d, %s", args, code, errOut)
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		files++
		seek(t, name, data)
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files, %v", files, err)
	}
}

// seek looks for the path in a file, and in the members of an archive.
func seek(t *testing.T, name string, data []byte) {
	t.Helper()
	// NumPy's text has four bytes a letter.
	narrow := bytes.ReplaceAll(data, []byte{0}, nil)
	for _, d := range [][]byte{data, narrow} {
		if bytes.Contains(d, []byte("somebodys-home")) {
			t.Errorf("%s holds the path of the folder that it was written to", name)
		}
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		inner, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		seek(t, name+":"+f.Name, inner)
	}
}
