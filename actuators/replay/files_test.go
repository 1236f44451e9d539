package replay_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/sensed"
)

// short records a short flight with other facts in its header, without some ticks.
func short(t *testing.T, facts map[string]string, lost func(tick int64) bool) (name string) {
	t.Helper()
	b := newBench(t, false, 0, nil)
	all := replay.Facts(b.cfg, false)
	for k, v := range facts {
		all[k] = v
	}
	r, err := recorder.Create(filepath.Join(t.TempDir(), "flight.mcap"),
		recorder.Header{Joints: b.desc.JointNames(), RateHz: rateHz, Facts: all})
	must(t, err)
	b.seen = func(s *trace.Sample) {
		if lost == nil || !lost(s.Tick) {
			must(t, r.Add(s, ""))
		}
	}
	b.loop.Request(mode.Arm)
	b.fly([]happens{{time.Second, func(b *bench) { b.loop.Request(mode.Arm) }}}, 3*time.Second)
	must(t, r.Close())
	return r.Name()
}

func TestWhatCannotBeReplayedIsRefused(t *testing.T) {
	whole := short(t, nil, nil)
	settings := replay.Settings(newBench(t, false, 0, nil).cfg)
	for _, tt := range []struct {
		name, file, says string
		any              bool
	}{
		{"an early recording", "../recorder/testdata/schema1-1.mcap", `schema "1"`, false},
		{"another build", short(t, map[string]string{"build": "v0.1 amd64"}, nil),
			`recorded by "v0.1 amd64", and this is`, false},
		{"no settings", short(t, map[string]string{"settings": ""}, nil), "the settings lack RateHz", false},
		{"other settings", short(t, map[string]string{"settings": settings + "Extra=1\n"}, nil),
			"the settings have Extra", false},
		{"damaged settings", short(t, map[string]string{"settings": strings.Replace(settings, "RateHz=100",
			"RateHz=1e2", 1)}, nil), `RateHz is "1e2"`, false},
		{"no word of a controller", short(t, map[string]string{"controller": ""}, nil), "controller", false},
		{"a hole", short(t, nil, func(k int64) bool { return k > 150 && k < 160 }),
			"9 ticks after tick 150 are not recorded", false},
		{"no start", short(t, nil, func(k int64) bool { return k < 10 }), "10 ticks after tick -1 are not recorded", false},
		{"nothing", short(t, nil, func(int64) bool { return true }), "no tick is recorded", false},
		{"damage", changedByte(t, whole), "damaged after", false},
		{"no recording", noRecording(t), "not an MCAP recording", false},
		{"another build, all the same", short(t, map[string]string{"build": "v0.1 amd64"}, nil), "", true},
	} {
		_, err := replay.Files([]string{tt.file}, replay.Options{AnyBuild: tt.any})
		switch {
		case tt.says == "" && err == nil:
		case err == nil || tt.says == "" || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(),
			filepath.Base(tt.file)) || !errors.Is(err, infile.ErrUnusable):
			t.Errorf("%s: %v (unusable: %v), want %q", tt.name, err, errors.Is(err, infile.ErrUnusable), tt.says)
		}
	}
	if _, err := replay.Files([]string{"nowhere.mcap"}, replay.Options{}); !errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, infile.ErrUnusable) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// changedByte is a copy of a recording with a byte in the middle of its ticks changed.
func changedByte(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	data[len(data)/2] ^= 0x10
	copied := filepath.Join(t.TempDir(), "damaged.mcap")
	must(t, os.WriteFile(copied, data, 0o600))
	return copied
}

func noRecording(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "text.mcap")
	must(t, os.WriteFile(name, []byte("a text and no recording"), 0o600))
	return name
}

// A recording that ends in the middle is replayed as far as it goes, and said to.
func TestACutRecordingIsReplayedAsFarAsItGoes(t *testing.T) {
	name := short(t, nil, nil)
	data, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, data[:len(data)*2/3], 0o600))
	sum, err := replay.Files([]string{name}, replay.Options{})
	if err != nil || !sum.Truncated || sum.Ticks < 100 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// A flight that was recorded to several files is one.
func TestAFlightInSeveralFiles(t *testing.T) {
	b := newBench(t, false, 0, nil)
	dir := t.TempDir()
	var names []string
	var r *recorder.Recorder
	b.seen = func(s *trace.Sample) {
		if s.Tick%100 == 0 {
			if r != nil {
				must(t, r.Close())
			}
			var err error
			r, err = recorder.Create(filepath.Join(dir, "flight.mcap"), recorder.Header{Joints: b.desc.JointNames(),
				RateHz: rateHz, Facts: replay.Facts(b.cfg, false)})
			must(t, err)
			names = append(names, r.Name())
		}
		must(t, r.Add(s, ""))
	}
	b.fly([]happens{{time.Second, func(b *bench) { b.loop.Request(mode.Arm) }}}, 3500*time.Millisecond)
	must(t, r.Close())
	if sum, err := replay.Files(names, replay.Options{}); err != nil || sum.Ticks < 340 || sum.Ended != "hold" {
		t.Errorf("%+v, %v", sum, err)
	}
	if _, err := replay.Files([]string{names[0], names[2]}, replay.Options{}); !errors.Is(err, infile.ErrUnusable) {
		t.Errorf("with a file left out: %v", err)
	}
}

// Everything that a loop is told at its start comes back bit for bit.
func TestSettingsComeBack(t *testing.T) {
	cfg := newBench(t, false, 0, nil).cfg
	cfg.NowNs = nil
	cfg.Thresholds.NoisyShare = math.Inf(1)
	cfg.Limits[3] = guard.Joint{MinRad: -0.1 - 0.2, MaxRad: math.Pi, GentleRadPerS: math.SmallestNonzeroFloat64,
		FullRadPerS: 1e300, Burst: 31, AccelRadPerS2: math.Copysign(0, -1)}
	got, err := replay.ParseSettings(replay.Settings(cfg))
	must(t, err)
	if !reflect.DeepEqual(got, cfg) || !math.Signbit(got.Limits[3].AccelRadPerS2) {
		t.Errorf("%+v, want\n%+v", got, cfg)
	}
	// Each value is in the text, and looked at.
	lines := bytes.Lines([]byte(replay.Settings(cfg)))
	n := 0
	for line := range lines {
		n++
		if _, err := replay.ParseSettings(strings.Replace(replay.Settings(cfg), string(line), "", 1)); err == nil {
			t.Errorf("without %q it is still a configuration", line)
		}
	}
	if n < 20*10 {
		t.Errorf("%d values", n)
	}
	if _, err := replay.ParseSettings("RateHz=1\nControlEvery=1\nLimits=9999999999"); err == nil {
		t.Error("a list of any length")
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add(replay.Settings(loop.Config{RateHz: 100, StandRad: []float64{1, 2}}))
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := replay.ParseSettings(text)
		if err != nil {
			return
		}
		if again, err := replay.ParseSettings(replay.Settings(cfg)); err != nil ||
			replay.Settings(again) != replay.Settings(cfg) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// other is a controller that differs from the one that flew in one bit of one goal.
type other struct{ *waver }

func (o other) Act(dst []float64, s *sensed.Robot, play bool) (bool, error) {
	standing, err := o.waver.Act(dst, s, play)
	if o.acts == 120 {
		dst[4] = math.Nextafter(dst[4], 9)
	}
	return standing, err
}

// A controller that decides again must decide the same: the one that flew does, and where
// another one does not, that is found.
func TestTheControllerDecidesAgain(t *testing.T) {
	b := newBench(t, true, 0, nil)
	name, end := b.record(t)
	b.fly([]happens{
		{time.Second, func(b *bench) { b.loop.Request(mode.Arm) }}, {4 * time.Second,
			func(b *bench) { b.loop.Request(mode.Activate) }},
		{5 * time.Second, func(b *bench) { b.loop.Request(mode.StopMotion) }},
	}, 8*time.Second)
	end()
	replayed := func(ctl loop.Controller) (replay.Summary, error) {
		again := func(map[string]string) (loop.Controller, error) { return ctl, nil }
		return replay.Files([]string{name}, replay.Options{Controller: again})
	}
	fresh := func() *waver { return &waver{standRad: b.cfg.StandRad} }
	if sum, err := replayed(fresh()); err != nil || !sum.Rerun || sum.Ticks < 790 {
		t.Errorf("%+v, %v", sum, err)
	}
	_, err := replayed(other{fresh()})
	if d, ok := errors.AsType[*replay.DifferenceError](err); !ok || d.Field != "want_rad" ||
		d.Joint != b.desc.Joints[4].Name {
		t.Errorf("another controller: %v", err)
	}
	broken := errors.New("not this one")
	none := func(map[string]string) (loop.Controller, error) { return nil, broken }
	if _, err := replay.Files([]string{name}, replay.Options{Controller: none}); !errors.Is(err, broken) {
		t.Errorf("no controller: %v", err)
	}
}
