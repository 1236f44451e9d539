package recorder

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// A restart under the same name leaves every earlier recording as it is, links
// included, and says where the new one lies.
func TestEarlierRecordingsAreKept(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	if err := os.WriteFile(at("flight.mcap"), []byte("the crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("flight.mcap"), at("link.mcap")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("nowhere"), at("dangling.mcap")); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"flight.mcap", "flight-2.mcap"}, {"flight.mcap", "flight-3.mcap"}, {"link.mcap", "link-2.mcap"},
		{"dangling.mcap", "dangling-2.mcap"}, {"bare", "bare"}, {"bare", "bare-2"},
	} {
		r, err := Create(at(c[0]), Header{Joints: []string{"a"}, RateHz: 100})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if r.Name() != at(c[1]) {
			t.Errorf("%s: recorded to %s, want %s", c[0], r.Name(), c[1])
		}
		if _, err := Open(at(c[1])); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(at("flight.mcap")); err != nil || string(got) != "the crash" {
		t.Errorf("the earlier file holds %q (%v)", got, err)
	}
	if _, err := Create(dir, Header{}); err == nil {
		t.Error("a folder was taken for a file")
	}
}

// Recordings of earlier versions stay readable. 1-0 was written by the encoder of the first release, which wrote fields
// that are zero; 1-1 by the one that is generated from the .proto files.
func TestEarlierRecordingsAreRead(t *testing.T) {
	for _, name := range []string{"testdata/schema1-0.mcap", "testdata/schema1-1.mcap"} {
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if f.Truncated || f.RateHz != 100 || f.Facts["schema"] != "1" || len(f.Ticks) != 70 || !slices.Equal(f.Joints, header().Joints) {
			t.Fatalf("%s: %d ticks, truncated %v, joints %v, facts %v", name, len(f.Ticks), f.Truncated, f.Joints, f.Facts)
		}
		for _, i := range []int{0, 1, 69} {
			if got, want := *f.Ticks[i], firstTickOf(sample(i)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: tick %d:\n%+v, want\n%+v", name, i, got, want)
			}
		}
		if len(f.Log) != 2 || f.Log[0].Text != "active -> settle: overheated" {
			t.Errorf("%s: log %+v", name, f.Log)
		}
	}
}
