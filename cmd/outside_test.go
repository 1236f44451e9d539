//go:build opencv && onnxruntime && mujoco && openblas

package cmd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reach is what one run may touch: files are written below these folders only.
type reach struct{ folders []string }

// devices are files that are opened for writing and hold nothing.
var devices = regexp.MustCompile(`^/dev/(null|tty|ptmx|pts/\d+)$`)

var (
	// call splits a line of strace: name, arguments.
	call = regexp.MustCompile(`^(\w+)\((.*)\) += `)
	// quoted finds paths; before a relative one stands the folder of its
	// descriptor, as strace -y prints it.
	quoted = regexp.MustCompile(`(?:<([^>]*)>, )?"((?:[^"\\]|\\.)*)"`)
	family = regexp.MustCompile(`sa_family=AF_(\w+)`)
	ip4    = regexp.MustCompile(`sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)`)
	ip6    = regexp.MustCompile(`sin6_port=htons\((\d+)\).*inet_pton\(AF_INET6, "([^"]+)"`)
)

// fault says what a system call does outside of this machine or of the folders;
// empty if nothing.
func (r reach) fault(line string) string {
	m := call.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	name, args := m[1], m[2]
	switch name {
	case "connect", "bind", "sendto", "sendmsg", "sendmmsg":
		return peerFault(args)
	case "open", "openat", "openat2":
		if !strings.Contains(args, "O_WRONLY") && !strings.Contains(args, "O_RDWR") && !strings.Contains(args, "O_CREAT") {
			return ""
		}
	}
	for _, q := range quoted.FindAllStringSubmatch(args, -1) {
		path := q[2]
		if name == "symlink" || name == "symlinkat" { // the target is only text; the link comes last
			q = quoted.FindAllStringSubmatch(args, -1)[1]
			path = q[2]
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(q[1], path)
		}
		if !r.covers(path) {
			return "writes " + path
		}
	}
	return ""
}

func (r reach) covers(path string) bool {
	if devices.MatchString(path) {
		return true
	}
	for _, f := range r.folders {
		if path == f || strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}

// peerFault judges the address of a socket call. A name server is outside even
// where it listens on loopback: it passes the question on.
func peerFault(args string) string {
	f := family.FindStringSubmatch(args)
	if f == nil || f[1] == "UNIX" || f[1] == "UNSPEC" { // connected before, or of this machine
		return ""
	}
	m := ip4.FindStringSubmatch(args)
	if f[1] == "INET6" {
		m = ip6.FindStringSubmatch(args)
	}
	if m != nil {
		if a, err := netip.ParseAddr(m[2]); err == nil && a.Unmap().IsLoopback() && m[1] != "53" {
			return ""
		}
	}
	return "reaches out: " + args
}

const watched = "trace=connect,bind,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat," +
	"rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,truncate"

// traced runs a program and its children and returns all faults. On a crowded
// machine robotd may lose its emulated bus; what is asked here is what the
// processes touch, so a run that fails is watched and done again.
func (r reach) traced(t *testing.T, env []string, args ...string) (faults []string) {
	t.Helper()
	for left := 2; ; left-- {
		found, err := r.run(t, env, args...)
		faults = append(faults, found...)
		if err == nil {
			return faults
		}
		if left == 0 {
			t.Fatal(err)
		}
		t.Log(err)
	}
}

func (r reach) run(t *testing.T, env []string, args ...string) (faults []string, failed error) {
	t.Helper()
	logs := filepath.Join(t.TempDir(), "calls")
	// One file a process: no line is torn. Only the watched calls are stopped at.
	c := exec.Command("strace", append([]string{"-ff", "-y", "-s", "4096", "--seccomp-bpf", "-e", watched, "-o", logs}, args...)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "XDG_") { // they would lead around HOME
			c.Env = append(c.Env, v)
		}
	}
	c.Env = append(c.Env, env...)
	c.Dir = r.folders[0]
	if out, err := c.CombinedOutput(); err != nil {
		failed = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	files, err := filepath.Glob(logs + ".*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no trace: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			if f := r.fault(lines.Text()); f != "" {
				faults = append(faults, f)
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return faults, failed
}

// build makes a program of this module as make build does.
func build(t *testing.T, dir, name string, env []string, args ...string) string {
	t.Helper()
	out := filepath.Join(dir, name)
	c := exec.Command("go", append(append([]string{"build"}, args...), "-o", out, "./"+name)...)
	c.Env = append(os.Environ(), env...)
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, text)
	}
	return out
}

func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: make deps installs it")
	}
	if out, err := exec.Command("strace", "-f", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("this machine does not permit tracing: %s", bytes.TrimSpace(out))
	}
}

// TestNothingLeavesThisMachine: no command opens a connection to another
// machine, or writes a file but where it was told to, in the folder for
// temporary files and, robotd's recordings, in the folder for state. Libraries are watched as well as own code: the processes'
// system calls are what counts.
func TestNothingLeavesThisMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole path")
	}
	needStrace(t)
	dir, bin := t.TempDir(), t.TempDir()
	mitori := build(t, bin, "mitori", nil, "-tags", "opencv mujoco openblas onnxruntime")
	robotd := build(t, bin, "robotd", []string{"CGO_ENABLED=0"})
	out, tmp, home, state := filepath.Join(dir, "out"), filepath.Join(dir, "tmp"), filepath.Join(dir, "home"), filepath.Join(dir, "state")
	for _, d := range []string{out, tmp, home, state} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	deps, err := filepath.Abs("../.deps")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + home, "TMPDIR=" + tmp, "XDG_STATE_HOME=" + state, "ORT_DISABLE_TELEMETRY=", "MITORI_DEPS=" + deps, "OPENBLAS_NUM_THREADS=1"}
	r := reach{[]string{out, tmp, state}}
	for _, args := range [][]string{
		{mitori, "demonstrate", "wave", "-o", "clip.mp4", "--size", "180x240", "--fps", "10"},
		{mitori, "extract", "clip.mp4", "--to", "1s", "--model", "lite", "-o", "a.human.npz", "--overlay", "a.mp4"},
		{mitori, "learn", "clip.mp4", "--to", "1s", "--model", "lite", "--robot", "kata20", "-o", "learned", "--budget", "1000steps", "--episodes", "1", "--tries", "1"},
		{mitori, "train", "learned/reference.motion.npz", "--robot", "kata20", "-o", "b.bundle", "--budget", "1000steps"},
		{mitori, "eval", "b.bundle", "--robot", "kata20", "--episodes", "1"},
		{robotd, "--robot", "kata20", "--sim", "--policy", "learned/policy.bundle", "--for", "3s", "--stats", "s.json"},
	} {
		name := filepath.Base(args[0])
		if name == "mitori" {
			name += " " + args[1]
		}
		for i, f := range r.traced(t, env, args...) {
			if i < 10 {
				t.Errorf("%s %s", name, f)
			}
		}
	}
	if left := entries(t, home); len(left) != 0 {
		t.Errorf("in the home folder: %v", left)
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// The watch itself must be able to see.
func TestTheWatchSees(t *testing.T) {
	r := reach{[]string{"/out"}}
	for line, bad := range map[string]bool{
		`connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(1883), sin_addr=inet_addr("127.0.0.1")}, 16) = 0`:                                                                  true,
		`connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("20.1.2.3")}, 16) = -1 EINPROGRESS`:                                                       false,
		`connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0`:                                                                               false,
		`connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0`:                              true,
		`bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("0.0.0.0")}, 16) = 0`:                                                                                      false,
		`sendto(3, "x", 1, MSG_NOSIGNAL, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 1`: false,
		`connect(8<socket:[2]>, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT`:                                                                               true,
		`sendto(3, "x", 1, 0, NULL, 0) = 1`:                                      true,
		`openat(AT_FDCWD</home>, "a", O_WRONLY|O_CREAT, 0644) = 3</home/a>`:      false,
		`openat(AT_FDCWD</out>, "a", O_WRONLY|O_CREAT, 0644) = 3</out/a>`:        true,
		`openat(AT_FDCWD</out>, "../etc/a", O_WRONLY|O_CREAT, 0644) = 3</etc/a>`: false,
		`openat(AT_FDCWD</home>, "a", O_RDONLY|O_CLOEXEC) = 3</home/a>`:          true,
		`mkdir("/root/.cache/x", 0755) = 0`:                                      false,
		`renameat(AT_FDCWD</out>, "/out/a", AT_FDCWD</out>, "/home/b") = 0`:      false,
		`renameat(AT_FDCWD</out>, "/out/a", AT_FDCWD</out>, "b") = 0`:            true,
		`openat(AT_FDCWD</home>, "/dev/pts/4", O_RDWR|O_NOCTTY) = 3`:             true,
		`openat(AT_FDCWD</home>, "/outside", O_RDWR|O_CREAT, 0644) = 3`:          false,
		`symlinkat("/etc/passwd", AT_FDCWD</out>, "l") = 0`:                      true,
		`+++ exited with 0 +++`:                                                  true,
	} {
		if f := r.fault(line); (f == "") != bad {
			t.Errorf("%s: fault %q", line, f)
		}
	}
	needStrace(t)
	dir := t.TempDir()
	r = reach{[]string{dir}}
	if f := r.traced(t, nil, "sh", "-c", "echo x >inside; mkdir ../elsewhere-"+filepath.Base(dir)+"; rmdir ../elsewhere-"+filepath.Base(dir)); len(f) != 2 {
		t.Errorf("a folder made and removed outside: %v", f)
	}
}
