package secretdir

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Secrets go only where nobody else can read or replace them; whatever somebody
// put in our way is neither used nor touched.
func TestSecretsAvoidForeignFolders(t *testing.T) {
	own := fmt.Sprintf("mitori-%d", os.Getuid())
	for name, prepare := range map[string]func(tmp string) error{
		"nothing there":     func(string) error { return nil },
		"open to all":       func(tmp string) error { return os.Chmod(mkdir(t, tmp, own), 0o777) },
		"readable":          func(tmp string) error { return os.Chmod(mkdir(t, tmp, own), 0o755) },
		"a link":            func(tmp string) error { return os.Symlink(mkdir(t, tmp, "elsewhere"), filepath.Join(tmp, own)) },
		"a file":            func(tmp string) error { return os.WriteFile(filepath.Join(tmp, own), nil, 0o600) },
		"somebody else's":   func(tmp string) error { return os.Chown(mkdir(t, tmp, own), 65534, 65534) },
		"in an open folder": func(tmp string) error { mkdir(t, tmp, own); return os.Chmod(tmp, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			t.Setenv("XDG_RUNTIME_DIR", "")
			if err := prepare(tmp); err != nil {
				t.Skipf("not permitted here: %v", err)
			}
			p, err := New()
			if err != nil {
				t.Fatal(err)
			}
			if taken := filepath.Dir(p.path) == filepath.Join(tmp, own); taken != (name == "nothing there") {
				t.Errorf("secrets in %s", p.path)
			}
			for d := p.path; d != tmp; d = filepath.Dir(d) {
				st, err := os.Lstat(d)
				if err != nil || st.Mode().Perm() != 0o700 || int(st.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
					t.Errorf("%s: %v, %v", d, st.Mode(), err)
				}
			}
			p.Remove()
			if _, err := os.Stat(p.path); err == nil {
				t.Error("the folder is still there")
			}
			for _, left := range glob(t, tmp, own+"-*") {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func mkdir(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func glob(t *testing.T, parts ...string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRuntimeFolderComesFirst(t *testing.T) {
	run := mkdir(t, t.TempDir(), "run")
	t.Setenv("XDG_RUNTIME_DIR", run)
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Remove()
	if filepath.Dir(p.path) != filepath.Join(run, "mitori") {
		t.Errorf("secrets in %s", p.path)
	}
}
