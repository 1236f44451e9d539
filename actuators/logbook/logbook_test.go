package logbook

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

const epochNs = 1_800_000_000e9

// sample is tick i of a robot in one state, which it entered from another.
func sample(i int, rateHz int, from, in mode.State) *trace.Sample {
	ns := int64(i) * 1e9 / int64(rateHz)
	s := &trace.Sample{Tick: int64(i), MonoNs: 1e9 + ns, WallNs: epochNs + ns, From: from, Mode: in, Robot: *driver.NewState(3),
		WantRad: make([]float64, 3), GoalRad: make([]float64, 3), WindingC: make([]float64, 3)}
	for j := range 3 { // nothing that packs well
		s.GoalRad[j], s.Robot.PosRad[j] = float64(i*i%9973+j), float64(i%1013)/float64(j+3)
	}
	return s
}

// book is a configuration of small files.
func book(path string, folder bool) Config {
	return Config{
		Path: path, Folder: folder, Robot: "kata", Header: recorder.Header{Joints: []string{"hip", "knee", "ankle"}, RateHz: 1},
		FileBytes: 48 << 10, KeepBytes: 320 << 10,
	}
}

func open(t *testing.T, cfg Config) *Book {
	t.Helper()
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// total is what the files of a folder have in bytes.
func total(t *testing.T, dir string) (sum int64) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		st, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += st.Size()
	}
	return sum
}

// recordings are the files of a folder, oldest first, each of which opens by itself and is whole.
func recordings(t *testing.T, dir string) (all []*recorder.Flight) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		f, err := recorder.Open(n)
		if err != nil || f.Truncated || len(f.Ticks) == 0 {
			t.Fatalf("%s: %v, truncated %v, %d ticks", n, err, f.Truncated, len(f.Ticks))
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *recorder.Flight) int { return int(a.Ticks[0].Index - b.Ticks[0].Index) })
	return all
}

// A robot that nobody arms for three days never has more on its disk than was allowed, whether it may name its files or
// has one name for all. What is left are the latest hours, without a hole, in files that open by themselves.
func TestThreeDaysDisarmed(t *testing.T) {
	for _, folder := range []bool{true, false} {
		dir := t.TempDir()
		cfg := book(dir, folder)
		if !folder {
			cfg.Path = filepath.Join(dir, "flight.mcap")
		}
		b := open(t, cfg)
		const every = 60 // s
		ticks := 3 * 24 * 3600 / every
		for i := range ticks {
			if err := b.Add(sample(every*i, 1, mode.Disarmed, mode.Disarmed), ""); err != nil {
				t.Fatal(err)
			}
			if i%20 == 0 {
				if sum := total(t, dir); sum > cfg.KeepBytes {
					t.Fatalf("tick %d: %d bytes, more than %d", i, sum, cfg.KeepBytes)
				}
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		sum := total(t, dir)
		if sum > cfg.KeepBytes || sum < cfg.KeepBytes/2 {
			t.Errorf("%d bytes are left of %d", sum, cfg.KeepBytes)
		}
		next := int64(-1)
		for _, f := range recordings(t, dir) {
			for _, tick := range f.Ticks {
				if next >= 0 && tick.Index != next {
					t.Fatalf("tick %d follows %d", tick.Index, next-every)
				}
				next = tick.Index + every
			}
		}
		if next != int64(every*ticks) || b.Files() < 20 {
			t.Errorf("the last tick is %d of %d, in file %d", next-every, ticks, b.Files())
		}
	}
}

// Nobody else's file is removed, whatever it is called and however old it is.
func TestOtherFilesStay(t *testing.T) {
	dir := t.TempDir()
	old := func(name string) string { return filepath.Join(dir, name) }
	foreign := book(dir, true)
	foreign.Robot = "other"
	for _, c := range []struct {
		name string
		cfg  Config
	}{{"20200101T000000Z.mcap", foreign}, {"the-day-it-fell.mcap", book(dir, true)}, {"20200102T000000Z.mcap", book(dir, true)}} {
		c.cfg.Path, c.cfg.Folder = old(c.name), false
		b := open(t, c.cfg)
		if err := b.Add(sample(1, 1, mode.Disarmed, mode.Disarmed), ""); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.OpenFile(old("20200102T000000Z.mcap"), os.O_RDWR, 0) // by another robotd
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if err := unix.Flock(int(written.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old("20200103T000000Z.mcap"), bytes.Repeat([]byte("not ours\n"), 100000), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(old("the-day-it-fell.mcap"), old("20200104T000000Z.mcap")); err != nil {
		t.Fatal(err)
	}
	stay, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range stay {
		_ = os.Chtimes(old(e.Name()), time.Time{}, time.Unix(1_500_000_000, 0))
	}
	var told []string
	cfg := book(dir, true)
	cfg.Tell = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	b := open(t, cfg)
	for i := range 20000 {
		if err := b.Add(sample(i, 1, mode.Disarmed, mode.Disarmed), ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range stay {
		if _, err := os.Lstat(old(e.Name())); err != nil {
			t.Errorf("%s is gone: %v", e.Name(), err)
		}
	}
	if !strings.Contains(strings.Join(told, "\n"), "removed 1 old recordings (record_limit_mb)") {
		t.Errorf("nothing was removed: %q", told)
	}
}

// flights plays robots that are armed for ten seconds in every forty.
func flights(t *testing.T, b *Book, n int) {
	t.Helper()
	for i := range 40 * n {
		in, from := mode.Disarmed, mode.Disarmed
		switch at := i % 40; {
		case at == 20:
			in = mode.Arming
		case at > 20 && at < 30:
			in, from = mode.Hold, mode.Hold
		case at == 30:
			from = mode.Hold
		}
		if err := b.Add(sample(i, 1, from, in), ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// In a folder every flight is a file, which begins with the arming but for the first. A name of its own has one file
// as long as it is small.
func TestEveryFlightIsAFile(t *testing.T) {
	dir := t.TempDir()
	big := book(dir, true)
	big.FileBytes = 160 << 10
	b := open(t, big)
	flights(t, b, 3)
	all := recordings(t, dir)
	if len(all) != 3 || b.Files() != 3 {
		t.Fatalf("%d files of %d", len(all), b.Files())
	}
	for k, f := range all {
		first := map[bool]int64{true: 0, false: int64(40*k + 20)}[k == 0]
		if f.Ticks[0].Index != first || f.Facts["part"] != fmt.Sprint(k+1) || f.Facts["robot"] != "kata" {
			t.Errorf("file %d begins with tick %d, facts %v", k, f.Ticks[0].Index, f.Facts)
		}
	}
	dir = t.TempDir()
	named := book(filepath.Join(dir, "flight.mcap"), false)
	named.FileBytes = 160 << 10
	b = open(t, named)
	flights(t, b, 3)
	if all := recordings(t, dir); len(all) != 1 || len(all[0].Ticks) != 120 || b.Name() != named.Path {
		t.Errorf("%d files, %s", len(all), b.Name())
	}
}

// Where only flights are recorded there is nothing before the first, and each has its aftermath.
func TestOnlyFlights(t *testing.T) {
	dir := t.TempDir()
	cfg := book(dir, true)
	cfg.OnlyArmed = true
	b := open(t, cfg)
	if left, _ := os.ReadDir(dir); len(left) != 0 || b.Name() != "" || b.Files() != 0 {
		t.Fatalf("%v before the first flight", left)
	}
	flights(t, b, 2)
	all := recordings(t, dir)
	if len(all) != 2 {
		t.Fatalf("%d files", len(all))
	}
	for k, f := range all {
		first, last := f.Ticks[0].Index, f.Ticks[len(f.Ticks)-1].Index
		if first != int64(40*k+20) || last != int64(40*k+29+5) {
			t.Errorf("flight %d: ticks %d to %d", k, first, last)
		}
	}
}

// What cannot be written is said before the first tick, also where nothing is written yet.
func TestNoPlaceToWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, only := range []bool{false, true} {
		cfg := book(filepath.Join(file, "sub"), true)
		cfg.OnlyArmed = only
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("only flights %v: %v", only, err)
		}
	}
	cfg := book(t.TempDir(), true)
	cfg.KeepBytes = cfg.FileBytes
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "legal: room for two files") {
		t.Errorf("%v", err)
	}
}

// A device is written to as it is: there is nothing to remove or to begin anew. Its failure is told again and again.
func TestDevices(t *testing.T) {
	b := open(t, book("/dev/null", false))
	flights(t, b, 300)
	if b.Files() != 1 || b.Name() != "/dev/null" {
		t.Errorf("%d files, %s", b.Files(), b.Name())
	}
	full, err := Open(book("/dev/full", false))
	for i := 0; err == nil && i < 1000; i++ {
		err = full.Add(sample(i, 1, mode.Disarmed, mode.Disarmed), "")
	}
	if err == nil || full != nil && full.Close() == nil {
		t.Errorf("a full device: %v", err)
	}
}
