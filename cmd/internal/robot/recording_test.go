package robot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// Where recordings go: what was said, or what belongs to the service, to the user, or to nobody.
func TestRecordPlace(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		record, state, xdg, home string
		path                     string // "": refused
		folder                   bool
	}{
		{"", "/var/lib/robotd", "/x", "/home/a", "/var/lib/robotd/flights", true},
		{"", "/var/lib/robotd:/var/lib/more", "", "", "/var/lib/robotd/flights", true},
		{"", "", "/x", "/home/a", "/x/mitori/flights", true},
		{"", "", "relative", "/home/a", "/home/a/.local/state/mitori/flights", true},
		{"", "", "", "/home/a", "/home/a/.local/state/mitori/flights", true},
		{"", "", "", "", "", true},
		{"flight.mcap", "/s", "/x", "/home/a", "flight.mcap", false},
		{"flights/", "/s", "/x", "/home/a", "flights/", true},
		{dir, "/s", "/x", "/home/a", dir, true},
	} {
		t.Setenv("STATE_DIRECTORY", c.state)
		t.Setenv("XDG_STATE_HOME", c.xdg)
		t.Setenv("HOME", c.home)
		path, folder, err := (&Config{Record: c.record}).recordPlace()
		if c.path == "" {
			if err == nil || !strings.Contains(err.Error(), "--record none") {
				t.Errorf("%+v: %v", c, err)
			}
		} else if err != nil || path != c.path || folder != c.folder {
			t.Errorf("%+v: %q, a folder %v, %v", c, path, folder, err)
		}
	}
}

// A limit alone is enough: the size of a file follows.
func TestRecordLimits(t *testing.T) {
	for _, c := range []struct {
		limit, file int
		all, one    int
		wrong       string
	}{
		{0, 0, 2000, 64, ""}, {10, 0, 10, 5, ""}, {500, 20, 500, 20, ""},
		{9, 0, 0, 0, "record_limit_mb: 9"}, {100, 51, 0, 0, "record_file_mb: 51; legal: 1 to 50"}, {-1, 0, 0, 0, "record_limit_mb: -1"},
		{100, -1, 0, 0, "record_file_mb: -1"},
	} {
		o := Options{Config: Config{Robot: "a", RecordLimitMB: c.limit, RecordFileMB: c.file}, Sim: true}
		err := o.Check()
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || fault.Code(err) != fault.ExitUsage {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if all, one := o.recordLimits(); err != nil || all != c.all || one != c.one {
			t.Errorf("%+v: %d MB of %d, %v", c, one, all, err)
		}
	}
}

// Without a word recordings are in the robot's own folder, a file a flight; where only flights are recorded there is
// none at first.
func TestRecordingsInAFolder(t *testing.T) {
	for _, when := range []string{recordAlways, recordArmed} {
		state := t.TempDir()
		t.Setenv("STATE_DIRECTORY", state)
		r, said, err := loaded(t, Options{Config: Config{Robot: "kata20", RecordWhen: when}, Sim: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.record(); err != nil {
			t.Fatal(err)
		}
		if err := r.rec.Close(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Join(state, "flights"))
		if err != nil || len(left) != map[string]int{recordAlways: 1, recordArmed: 0}[when] {
			t.Errorf("%s: %v, %v", when, left, err)
		}
		r.tell.Close()
		if !strings.Contains(said.String(), "recordings in "+filepath.Join(state, "flights")+", 2000 MB at most") {
			t.Errorf("said %q", said)
		}
	}
}
