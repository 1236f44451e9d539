package live

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Stage is a part of the way from a picture to its pose.
type Stage int

// The stages. Total is from the arrival of a picture until the pose that it brings is
// handed on; Age is how old that pose is then: Total and the lag.
const (
	Capture Stage = iota // from arrival until somebody looks at it
	Network              // tracking
	Solver               // waiting for the solver, and solving
	Total
	Age
	numStages = iota
)

var stageNames = [numStages]string{"capture", "network", "solver", "total", "age"}

func (s Stage) String() string { return stageNames[s] }

// tickMs is the resolution of a meter, ticks its range: 2 s, beyond which everything
// counts as that.
const (
	tickMs = 0.25
	ticks  = 8000
)

// Meter counts latencies by stage, in memory that does not grow.
type Meter struct {
	counts [numStages][ticks + 1]uint32
	n      [numStages]int
}

// Add counts one latency.
func (m *Meter) Add(s Stage, d time.Duration) {
	k := int(math.Round(d.Seconds() * 1000 / tickMs))
	m.counts[s][max(0, min(ticks, k))]++
	m.n[s]++
}

// Quantile is the latency in ms below which a share p of those of a stage lies, 0 where
// there is none.
func (m *Meter) Quantile(s Stage, p float64) float64 {
	rank, seen := int(math.Ceil(p*float64(m.n[s]))), 0
	for k, c := range m.counts[s] {
		if seen += int(c); seen >= rank && seen > 0 {
			return float64(k) * tickMs
		}
	}
	return 0
}

// Count is how many latencies a stage has.
func (m *Meter) Count(s Stage) int { return m.n[s] }

// String lists median and 95th percentile of every stage.
func (m *Meter) String() string {
	var parts []string
	for s := range Stage(numStages) {
		parts = append(parts, fmt.Sprintf("%v %.0f/%.0f", s, m.Quantile(s, 0.5), m.Quantile(s, 0.95)))
	}
	return strings.Join(parts, ", ") + " ms (p50/p95)"
}
