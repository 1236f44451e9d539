package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/learn"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/practice"
)

// Bad choices are refused before anything is written.
func TestLearnRefusesBeforeItWrites(t *testing.T) {
	dir := t.TempDir()
	clip := filepath.Join(dir, "clip.mp4")
	if err := os.WriteFile(clip, []byte("no video"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--robot", "nonesuch"}, fault.ExitFailed, "nonesuch"},
		{[]string{}, fault.ExitUsage, "--robot"},
		{[]string{"--robot", "kata20", "--budget", "fast"}, fault.ExitUsage, "fast"},
		{[]string{"--robot", "kata20", "--method", "magic"}, fault.ExitUsage, "magic"},
		{[]string{"--robot", "kata20", "--model", "huge"}, fault.ExitUsage, "huge"},
		{[]string{"--robot", "kata20", "--from", "5s", "--to", "2s"}, fault.ExitUsage, "--from"},
		{[]string{"--robot", "kata20", "--tries", "0"}, fault.ExitUsage, "--tries"},
	} {
		out := filepath.Join(dir, "out")
		var stderr bytes.Buffer
		args := append([]string{"learn", clip, "-o", out}, c.args...)
		if code := run(context.Background(), args, &bytes.Buffer{}, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit %d, %q; want %d and %q", c.args, code, stderr.String(), c.code, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: left %s behind", c.args, out)
		}
	}
}

// A run that fails shows nothing of an earlier one; files of other names, and
// what --resume needs, stay.
func TestLearnRemovesEarlierResults(t *testing.T) {
	dir := t.TempDir()
	clip := filepath.Join(dir, "clip.mp4")
	others := []string{clip, filepath.Join(dir, "notes.txt"), filepath.Join(dir, practice.CheckpointOf("policy.bundle"))}
	for _, name := range others {
		if err := os.WriteFile(name, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range learn.Results() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("earlier"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// A wrong command line removes nothing.
	for _, args := range [][]string{{"learn", filepath.Join(dir, "clyp.mp4")}, {"learn", filepath.Join(dir, "side_by_side.mp4")}, {"learn", clip, "--tries", "0"}} {
		if code := run(context.Background(), append(args, "--robot", "kata20", "-o", dir), io.Discard, io.Discard); code == fault.ExitDone {
			t.Errorf("%v: exit 0", args)
		}
		for _, name := range learn.Results() {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Fatalf("%v removed %s", args, name)
			}
		}
	}
	var stderr bytes.Buffer
	if code := run(context.Background(), []string{"learn", clip, "--robot", "kata20", "-o", dir}, io.Discard, &stderr); code == fault.ExitDone {
		t.Fatalf("a clip that is none was learnt: %s", &stderr)
	}
	if strings.Contains(stderr.String(), "not built in") {
		t.Skip("needs a build with a pose runtime")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != len(others) {
		t.Errorf("left in the folder: %q, want %q; learn said: %s", left, others, &stderr)
	}
}
