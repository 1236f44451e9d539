package support

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// whole reads a support file back.
func whole(t *testing.T, name string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

// Whatever a part says, and in whatever form, nothing personal leaves; what is no secret
// stays as it is.
func TestNothingPersonalLeaves(t *testing.T) {
	t.Setenv("USER", "berta")
	t.Setenv("LOGNAME", "berta")
	t.Setenv("SUDO_USER", "amelie")
	t.Setenv("HOME", "/srv/people/berta")
	s := Here()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s.Hide("operator", "(mqtt user)")
	s.Hide("hunter22", "(password)")
	s.Hide("kata-7", "(robot id)")
	secrets := []string{
		"berta", "amelie", "/srv/people", host, "operator", "hunter22", "kata-7", "broker.example", "10.1.2.3", "/home/carla", "FT5NR2TL",
		"00:1b:44:11:3a:b7", "carla@example.org", "shared.secret",
	}
	text := fmt.Sprintf(`robot: kata20 joint l_knee 4 of 20 at 1.2.3 rad, berta wrote this; sudo by amelie "on" %s
/srv/people/berta/robot.yaml: \"/srv/people/berta/x\" 'file:///home/carla/flight.mcap' (/home/carla/y), /dev/ttyUSB0
port /dev/serial/by-id/usb-FTDI_FT232R_FT5NR2TL-if00 mqtts://operator:hunter22@broker.example:8883/x?token=shared.secret
host 10.1.2.3 via 00:1b:44:11:3a:b7, carla@example.org, kata-7 says hunter22; alberta and kata-77 and operators stay`, host)
	name := filepath.Join(t.TempDir(), "support.zip")
	if err := Write(name, s, []File{{"a.txt", []byte(text)}, JSON("b.json", map[string]string{"text": text}), {"empty.txt", nil}}); err != nil {
		t.Fatal(err)
	}
	all := whole(t, name)
	if len(all) != 3 || !strings.Contains(all["README.txt"], "a.txt") || strings.Contains(all["README.txt"], "empty") {
		t.Errorf("%d parts: %q", len(all), all["README.txt"])
	}
	for part, got := range all {
		got = strings.NewReplacer("alberta", "", "kata-77", "", "operators", "").Replace(got)
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(got), strings.ToLower(secret)) {
				t.Errorf("%s says %q:\n%s", part, secret, got)
			}
		}
	}
	for _, kept := range []string{"kata20 joint l_knee 4 of 20", "/dev/ttyUSB0", "alberta and kata-77 and operators stay", "at 1.2.3 rad"} {
		if !strings.Contains(all["a.txt"], kept) {
			t.Errorf("%q is gone:\n%s", kept, all["a.txt"])
		}
	}
	s.Serials = true
	if got := s.Scrub(text); !strings.Contains(got, "FT5NR2TL") {
		t.Error("a serial number that was asked for is gone")
	}
}

func TestLatest(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, "old"), filepath.Join(dir, "young")
	for name, age := range map[string]time.Duration{old: time.Hour, young: time.Minute} {
		at := time.Now().Add(-age)
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := latest([]string{old, "", young, filepath.Join(dir, "none"), dir}); got != young {
		t.Errorf("%q", got)
	}
	if f := Stats(filepath.Join(dir, "none")); len(f.Text) != 0 {
		t.Errorf("%+v", f)
	}
	if f := Log(dir); len(f.Text) != 0 {
		t.Errorf("%+v", f)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.mcap"), []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := Log(dir); len(f.Text) == 0 {
		t.Error("a damaged recording is not told")
	}
}
