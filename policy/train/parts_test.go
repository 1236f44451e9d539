package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/policy/rollout/rollouttest"
)

func TestParseBudget(t *testing.T) {
	for s, want := range map[string]Budget{
		"60s": {Time: time.Minute}, "1m30s": {Time: 90 * time.Second}, "100000steps": {Steps: 100000}, "500J": {Joules: 500}, "1.5J": {Joules: 1.5},
	} {
		if got, err := ParseBudget(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "60", "-5s", "0steps", "1.5steps", "J", "-1J", "InfJ", "NaNJ", "5kJ"} {
		if got, err := ParseBudget(s); err == nil {
			t.Errorf("%q: accepted as %v", s, got)
		}
	}
}

func writeZone(t *testing.T, root, zone, energy string) {
	t.Helper()
	dir := filepath.Join(root, zone)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{"energy_uj": energy, "max_energy_range_uj": "10000000\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(v), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRAPLCountsPackagesAndWraps(t *testing.T) {
	root := t.TempDir()
	if _, err := NewRAPL(root); !errors.Is(err, ErrNoMeter) {
		t.Errorf("no counters: %v", err)
	}
	writeZone(t, root, "intel-rapl:0", "9000000\n")
	writeZone(t, root, "intel-rapl:1", "0\n")
	writeZone(t, root, "intel-rapl:0:0", "5000000\n") // a part of package 0
	m, err := NewRAPL(root)
	if err != nil {
		t.Fatal(err)
	}
	if j, err := m.Joules(); err != nil || j != 0 {
		t.Errorf("first reading %g, %v; want 0", j, err)
	}
	writeZone(t, root, "intel-rapl:0", "500000\n") // wrapped at 10 J: 1.5 J used
	writeZone(t, root, "intel-rapl:1", "2000000\n")
	if j, err := m.Joules(); err != nil || math.Abs(j-3.5) > 1e-9 {
		t.Errorf("second reading %g, %v; want 3.5", j, err)
	}
}

func TestEnergyBudgetNeedsAMeter(t *testing.T) {
	if _, err := newClock(Options{Budget: Budget{Joules: 5}}, Used{}); !errors.Is(err, ErrNoMeter) {
		t.Errorf("%v", err)
	}
	if _, err := newClock(Options{}, Used{}); err == nil {
		t.Error("no budget: accepted")
	}
}

func TestSamplerPractisesWhereEpisodesFail(t *testing.T) {
	task, err := rollouttest.ToyTask(2, 4)
	if err != nil {
		t.Fatal(err)
	}
	task.Refs = append(task.Refs, task.Refs[0])
	s := newSampler(&task)
	scratch, rng := make([]float64, len(s.Fails)), rand.New(rand.NewPCG(1, 2))
	count := func(fromStart, adaptive float64) (near, zero, second int) {
		for range 4000 {
			clip, step := s.draw(rng, &task, fromStart, adaptive, scratch)
			if step < 0 || step >= len(task.Refs[clip].Frames)+task.HoldSteps {
				t.Fatalf("begins at step %d", step)
			}
			if clip == 1 && step > 60 && step < 110 {
				near++
			}
			if step == 0 {
				zero++
			}
			second += clip
		}
		return
	}
	if near, _, second := count(0, 0.5); near > 700 || second < 1800 || second > 2200 {
		t.Errorf("without failures: %d of 4000 in a tenth of the time, %d in the second reference", near, second)
	}
	for range 20 {
		s.failed(1, 100)
	}
	if near, _, _ := count(0, 0.5); near < 2000 {
		t.Errorf("after failures there: only %d of 4000", near)
	}
	if _, zero, _ := count(0.3, 0.5); zero < 1100 {
		t.Errorf("%d of 4000 begin at the start, want about 1200", zero)
	}
	for range 200 {
		s.decay()
	}
	if near, _, _ := count(0, 0.5); near > 700 {
		t.Errorf("failures are never forgotten: %d", near)
	}
	s.failed(0, 1<<20) // beyond the end counts at the end
}
