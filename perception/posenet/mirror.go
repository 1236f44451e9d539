package posenet

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// mirrored looks at every picture twice, as it is and left to right, and gives the mean of
// both views. What it says of a mirrored picture is then the mirror image of what it says
// of the picture, to rounding; it takes twice the time.
type mirrored struct {
	Network
	spec Spec
	// first holds the outputs of the picture as it is, then the means.
	first [][]float32
	saved []float32 // the picture
}

func newMirrored(n Network, spec Spec) *mirrored {
	m := &mirrored{Network: n, spec: spec, saved: make([]float32, 3*spec.SizePx*spec.SizePx)}
	for _, o := range spec.Outputs {
		m.first = append(m.first, make([]float32, o.Length))
	}
	return m
}

func (m *mirrored) Output(i int) []float32 { return m.first[i] }

func (m *mirrored) Run() error {
	if err := m.Network.Run(); err != nil {
		return err
	}
	for i := range m.first {
		copy(m.first[i], m.Network.Output(i))
	}
	in := m.Input()
	copy(m.saved, in)
	flipRows(in, m.spec.SizePx)
	err := m.Network.Run()
	copy(in, m.saved)
	if err != nil {
		return fmt.Errorf("mirrored: %w", err)
	}
	m.average()
	return nil
}

// flipRows turns every row around.
func flipRows(x []float32, n int) {
	for ; len(x) >= n; x = x[n:] {
		for a, b := 0, n-1; a < b; a, b = a+1, b-1 {
			x[a], x[b] = x[b], x[a]
		}
	}
}

// average turns the second view around and adds it.
func (m *mirrored) average() {
	mean := func(a *float32, b float32) { *a = (*a + b) / 2 }
	points, world := m.first[LandmarkPoints], m.first[LandmarkWorld]
	other, otherWorld := m.Network.Output(LandmarkPoints), m.Network.Output(LandmarkWorld)
	for i := range Points {
		j := otherSide(i)
		mean(&points[5*i], float32(m.spec.SizePx)-other[5*j])
		for k := 1; k < 5; k++ {
			mean(&points[5*i+k], other[5*j+k])
		}
		mean(&world[3*i], -otherWorld[3*j])
		mean(&world[3*i+1], otherWorld[3*j+1])
		mean(&world[3*i+2], otherWorld[3*j+2])
		const side, cells = HeatmapSide, HeatmapSide * HeatmapSide
		here, there := m.first[LandmarkHeatmap][i*cells:(i+1)*cells], m.Network.Output(LandmarkHeatmap)[j*cells:(j+1)*cells]
		for at := range here {
			// A cell stands for the place at its left edge, so that 0 has no partner.
			col := at % side
			mean(&here[at], there[at-col+min(side-col, side-1)])
		}
	}
	mean(&m.first[LandmarkPresence][0], m.Network.Output(LandmarkPresence)[0])
}

// otherSide is the point on the other side of the body; those that are no landmarks lie
// in the middle.
func otherSide(i int) int {
	if i < landmark.Num {
		return landmark.Mirror(i)
	}
	return i
}
