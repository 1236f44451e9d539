package serialport

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// deviceVariable makes this test binary open a device and tell what came of it.
const deviceVariable = "MITORI_OPEN_DEVICE"

// Who may not use the device is told so, and what to do: the group, and the command.
func TestNoPermissionForTheDevice(t *testing.T) {
	if name := os.Getenv(deviceVariable); name != "" {
		_, err := Open(name, 1_000_000)
		t.Logf("error: %v", err)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody without permission")
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer master.Close()
	defer slave.Close()
	if err := slave.Chmod(0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "open") // t.TempDir is for its owner alone
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, err := os.ReadFile(os.Args[0])
	exe := filepath.Join(dir, "open")
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(exe, program, 0o755)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "-test.v", "-test.run", "^TestNoPermissionForTheDevice$")
	c.Dir = "/"
	c.Env = append(os.Environ(), deviceVariable+"="+slave.Name())
	const nobody = 65534
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Skipf("cannot run as nobody: %v: %s", err, out)
	}
	for _, want := range []string{slave.Name(), "permission denied", "group"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("said %q, want %q in it", out, want)
		}
	}
}
