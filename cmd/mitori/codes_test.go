package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// One rule of exit codes holds for every command that reads a file: missing or
// unreadable 1, usage 2, damaged or refused 3. A video that nobody can decode counts as
// one that cannot be read. Nothing is left behind, and every message names the file.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	out := at("out")
	readers := []struct {
		ending  string
		damaged int
		args    []string // "IN" stands for the file
	}{
		{"mp4", fault.ExitFailed, []string{"extract", "IN", "-o", out}},
		{"mp4", fault.ExitFailed, []string{"learn", "IN", "--robot", "kata20", "-o", out}},
		{"human.npz", fault.ExitRefused, []string{"compare", "IN", "IN"}},
		{"bvh", fault.ExitRefused, []string{"import", "IN", "-o", out}},
		{"human.npz", fault.ExitRefused, []string{"retarget", "IN", "--robot", "kata20", "-o", out}},
		{"motion.npz", fault.ExitRefused, []string{"check", "IN", "--robot", "kata20"}},
		{"yaml", fault.ExitRefused, []string{"robot", "show", "IN"}},
		{"motion.npz", fault.ExitRefused, []string{"train", "IN", "-o", out}},
		{"bundle", fault.ExitRefused, []string{"eval", "IN", "-o", out}},
		{"bundle", fault.ExitRefused, []string{"bundle", "inspect", "IN"}},
		{"toml", fault.ExitRefused, []string{"cameras", "show", "IN"}},
		{"toml", fault.ExitRefused, []string{"extract", "a.mp4", "b.mp4", "--calib", "IN", "-o", out}},
	}
	for _, r := range readers {
		damaged, denied := at("damaged."+r.ending), at("denied."+r.ending)
		for name, mode := range map[string]os.FileMode{damaged: 0o644, denied: 0o000} {
			if err := os.WriteFile(name, bytes.Repeat([]byte("noise: [\x00\x7f"), 200), mode); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadDir(dir)
		files := map[string]int{
			at("missing." + r.ending):  fault.ExitFailed,
			damaged + "/x." + r.ending: fault.ExitFailed, // below a file nothing can be read
			damaged:                    r.damaged,
		}
		if os.Getuid() != 0 { // nothing is denied to root
			files[denied] = fault.ExitFailed
		}
		for file, code := range files {
			args := strings.Split(strings.ReplaceAll(strings.Join(r.args, "\n"), "IN", file), "\n")
			got, _, said := command(t, args...)
			if got != code {
				t.Errorf("%v: exit %d, want %d: %s", args, got, code, said)
			}
			if !strings.Contains(said, filepath.Base(file)) && !strings.Contains(said, "not built") && !strings.Contains(said, "make deps") {
				t.Errorf("%v: the message does not name the file: %s", args, said)
			}
		}
		for _, wrong := range [][]string{{r.args[0], "--frobnicate"}, append(r.args[:len(r.args):len(r.args)], "--frobnicate")} {
			if got, _, said := command(t, wrong...); got != fault.ExitUsage || !strings.Contains(said, "--frobnicate") {
				t.Errorf("%v: exit %d: %s", wrong, got, said)
			}
		}
		if after, _ := os.ReadDir(dir); len(after) != len(before) {
			t.Errorf("%v: left behind: %v", r.args, after)
		}
	}
}

// Whatever a command lacks on its command line is a usage error, with one wording for
// the robot.
func TestWhatIsMissingOnTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		want string
		args []string
	}{
		{"arg", []string{"extract"}}, {"arg", []string{"learn"}}, {"arg", []string{"compare", "a"}}, {"arg", []string{"import"}},
		{"arg", []string{"retarget"}}, {"arg", []string{"check"}}, {"arg", []string{"robot", "show"}}, {"arg", []string{"train"}},
		{"arg", []string{"eval"}}, {"arg", []string{"bundle", "inspect"}}, {"-o", []string{"train", "a"}}, {"-o", []string{"learn", "a"}},
		{"name a motion", []string{"demonstrate"}}, {"arg", []string{"cameras", "show"}}, {"arg", []string{"cameras", "calibrate"}},
		{"-o", []string{"cameras", "calibrate", "a=b"}}, {"--board", []string{"cameras", "calibrate", "a=b", "-o", "c.toml"}},
		{"--calib", []string{"extract", "a", "b"}},
		{"--robot is missing", []string{"retarget", "a"}}, {"--robot is missing", []string{"check", "a"}},
		{"frobnicate", []string{"frobnicate"}}, {"frobnicate", []string{"bundle", "frobnicate"}}, {"frobnicate", []string{"robot", "frobnicate"}},
		{"frobnicate", []string{"bus", "frobnicate"}}, {"frobnicate", []string{"doctor", "frobnicate"}},
	} {
		if got, _, said := command(t, c.args...); got != fault.ExitUsage || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d, %s; want %q", c.args, got, said, c.want)
		}
	}
}
