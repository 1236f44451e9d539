package sibling

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	name := filepath.Join(dir, "robotd-of-a-test")
	if _, err := Find("robotd-of-a-test"); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("a program that is not there: %v", err)
	}
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := Find("robotd-of-a-test"); err != nil || got != name {
		t.Errorf("found %q, %v; want %q", got, err, name)
	}
	// The running program's own folder comes first.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Find(filepath.Base(self)); err != nil || got != self {
		t.Errorf("found %q, %v; want %q", got, err, self)
	}
}
