package train

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Budget ends a training: exactly one of the three is set.
type Budget struct {
	Time   time.Duration
	Steps  int64   // control steps, summed over worlds
	Joules float64 // of the machine's processors
}

// ParseBudget reads "60s" (any Go duration), "100000steps" or "500J".
func ParseBudget(s string) (Budget, error) {
	bad := func() (Budget, error) {
		return Budget{}, fmt.Errorf("train: budget %q; legal: a time such as 60s or 5m, control steps such as 100000steps, or energy such as 500J", s)
	}
	if n, ok := strings.CutSuffix(s, "steps"); ok {
		v, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		if err != nil || v < 1 {
			return bad()
		}
		return Budget{Steps: v}, nil
	}
	if n, ok := strings.CutSuffix(s, "J"); ok {
		v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return bad()
		}
		return Budget{Joules: v}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return bad()
	}
	return Budget{Time: d}, nil
}

func (b Budget) String() string {
	switch {
	case b.Steps > 0:
		return fmt.Sprintf("%dsteps", b.Steps)
	case b.Joules > 0:
		return fmt.Sprintf("%gJ", b.Joules)
	}
	return b.Time.String()
}

// spent is the share of the budget that is used up.
func (b Budget) spent(u Used) float64 {
	switch {
	case b.Steps > 0:
		return float64(u.Steps) / float64(b.Steps)
	case b.Joules > 0:
		return u.Joules / b.Joules
	}
	return u.Time.Seconds() / b.Time.Seconds()
}

// Used is what a training has taken so far, over all its resumptions.
type Used struct {
	Time   time.Duration
	Steps  int64
	Joules float64 // 0 where the machine has no meter
}

// Meter reads a growing count of joules.
type Meter interface {
	Joules() (float64, error)
}

// ErrNoMeter is wrapped when this machine cannot say how much energy it uses.
var ErrNoMeter = errors.New("no energy meter")

// RAPL reads the processors' own energy counters under root, on Linux /sys/class/powercap.
type RAPL struct {
	files   []string
	wrap    []float64 // value at which each counter starts again
	last    []float64
	total   float64
	started bool
}

// NewRAPL finds the counters of whole packages; their parts would be counted twice.
func NewRAPL(root string) (*RAPL, error) {
	r := &RAPL{}
	zones, _ := filepath.Glob(filepath.Join(root, "intel-rapl:[0-9]*"))
	for _, z := range zones {
		if strings.Count(filepath.Base(z), ":") != 1 {
			continue
		}
		most, err := readNumber(filepath.Join(z, "max_energy_range_uj"))
		if err != nil {
			continue
		}
		if _, err := readNumber(filepath.Join(z, "energy_uj")); err != nil {
			return nil, fmt.Errorf("train: %w: %w; run as root, or give a budget in time or steps", ErrNoMeter, err)
		}
		r.files, r.wrap = append(r.files, filepath.Join(z, "energy_uj")), append(r.wrap, most)
	}
	if len(r.files) == 0 {
		return nil, fmt.Errorf("train: %w: %s has no intel-rapl counters; give a budget in time (60s) or steps (100000steps)", ErrNoMeter, root)
	}
	r.last = make([]float64, len(r.files))
	return r, nil
}

// Joules gives the energy since the first call. It must be called at least once a counter's round, minutes to hours.
func (r *RAPL) Joules() (float64, error) {
	for i, f := range r.files {
		v, err := readNumber(f)
		if err != nil {
			return 0, fmt.Errorf("train: energy meter: %w", err)
		}
		if r.started {
			d := v - r.last[i]
			if d < 0 {
				d += r.wrap[i]
			}
			r.total += d * 1e-6
		}
		r.last[i] = v
	}
	r.started = true
	return r.total, nil
}

func readNumber(file string) (float64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
}
