package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

// flown records three seconds of a robot of ideal joints that is armed; spoil changes what
// is recorded of a tick.
func flown(t *testing.T, spoil func(*trace.Sample)) (name string) {
	t.Helper()
	cfg := loop.Config{RateHz: 100, ControlEvery: 1, MinRamp: loop.MinRamp, Thresholds: guard.DefaultThresholds(10.5, 9.9),
		StandRad: make([]float64, 2), SettleRad: make([]float64, 2)}
	for range 2 {
		cfg.Limits = append(cfg.Limits, guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 1.5, FullRadPerS: 12,
			AccelRadPerS2: 1200})
		cfg.Health = append(cfg.Health, guard.Health{TempWarnC: 60, TempStopC: 70})
	}
	rec, err := flight.Record(logbook.Config{Path: filepath.Join(t.TempDir(), "flight.mcap"), Robot: "two", FileBytes: 1e7, KeepBytes: 1e8}, []string{"hip", "knee"}, cfg, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	ring := trace.NewRing(1, 2)
	l, err := loop.New(cfg, drivertest.NewFake(2), nil, ring)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(300) {
		if i == 100 {
			l.Request(mode.Arm)
		}
		l.Tick(loop.Instant{Tick: i, MonoNs: i * int64(10*time.Millisecond), WallNs: i})
		s := ring.Next()
		spoil(s)
		if err := rec.Add(s, ""); err != nil {
			t.Fatal(err)
		}
		ring.Release()
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return rec.Name()
}

func TestReplayCommand(t *testing.T) {
	good := flown(t, func(*trace.Sample) {})
	bad := flown(t, func(s *trace.Sample) {
		if s.Tick == 203 {
			s.WantRad[1] += 1e-15
		}
	})
	for _, tt := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{good}, fault.ExitDone,
			"every decision is the same: 300 ticks (3.0 s), 2 changes of state, hold at the end", ""},
		{[]string{bad}, fault.ExitFailed, "", "tick 203 at 2.030 s: knee, want_rad: recorded 1e-15, replayed 0"},
		{[]string{"../../actuators/recorder/testdata/schema1-0.mcap"}, fault.ExitRefused, "", `it is of schema "1"`},
		{[]string{filepath.Join(t.TempDir(), "none.mcap")}, fault.ExitFailed, "", "no such file"},
		{nil, fault.ExitUsage, "", "requires at least 1 arg"},
		{[]string{good, "--robot", "kata20"}, fault.ExitUsage, "", "--policy"},
	} {
		var out, errs bytes.Buffer
		code := run(context.Background(), append([]string{"replay"}, tt.args...), &out, &errs)
		if code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) {
			t.Errorf("%q: code %d, out %q, errors %q", tt.args, code, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"replay", "--json", bad}, &out, &errs)
	var got replayResult
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != fault.ExitFailed || got.Equal ||
		got.Ticks != 203 || got.Difference == nil {
		t.Errorf("code %d, %s (%v)", code, out.String(), err)
	}
}
