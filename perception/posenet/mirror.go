package posenet

import (
	"fmt"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// Mirroring says whether a landmark network sees pictures or their mirror images. What a
// network says of a picture and of its mirror image differs by some pixels and a few
// centimetres in depth, always to the same side.
type Mirroring int

// The kinds of mirroring.
const (
	// Never shows it every picture as it is.
	Never Mirroring = iota
	// Alternate shows it every second picture mirrored, which costs nothing: whoever
	// smooths over what came before and after gets the mean of both. It is not for poses
	// as they arrive: at the end of a window the two views are still apart.
	Alternate
	// Both shows it every picture twice and takes the mean; half the speed.
	Both
)

// mirroringNames are in the order of the kinds.
var mirroringNames = [...]string{"never", "alternate", "both"}

func (m Mirroring) String() string { return mirroringNames[m] }

// ParseMirroring reads the name of a kind.
func ParseMirroring(name string) (Mirroring, error) {
	for m, n := range mirroringNames {
		if n == name {
			return Mirroring(m), nil
		}
	}
	return 0, fmt.Errorf("posenet: mirroring %q; legal: never, alternate, both", name)
}

// Turner is a network that can be told to see mirror images from now on; its outputs are
// those of the picture all the same.
type Turner interface{ Turn(mirrored bool) }

// mirrored is a network in front of a mirror.
type mirrored struct {
	Network
	spec   Spec
	both   bool
	turned bool
	outs   [][]float32 // what Output gives
}

func newMirrored(n Network, spec Spec, both bool) *mirrored {
	m := &mirrored{Network: n, spec: spec, both: both}
	for _, o := range spec.Outputs {
		m.outs = append(m.outs, make([]float32, o.Length))
	}
	return m
}

// Turn does nothing to a network that sees both.
func (m *mirrored) Turn(mirrored bool) { m.turned = mirrored && !m.both }

func (m *mirrored) Output(i int) []float32 { return m.outs[i] }

func (m *mirrored) Run() error {
	if !m.turned {
		if err := m.Network.Run(); err != nil {
			return err
		}
		for i := range m.outs {
			copy(m.outs[i], m.Network.Output(i))
		}
		if !m.both {
			return nil
		}
	}
	flipRows(m.Input(), m.spec.SizePx)
	err := m.Network.Run()
	flipRows(m.Input(), m.spec.SizePx)
	if err != nil {
		return fmt.Errorf("mirrored: %w", err)
	}
	if m.turned {
		m.addTurned(0, 1)
	} else {
		m.addTurned(0.5, 0.5)
	}
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

// addTurned turns what the network said around, and gives it and what outs hold their
// weights.
func (m *mirrored) addTurned(old, now float32) {
	mix := func(a *float32, b float32) { *a = old**a + now*b }
	points, world := m.outs[LandmarkPoints], m.outs[LandmarkWorld]
	other, otherWorld := m.Network.Output(LandmarkPoints), m.Network.Output(LandmarkWorld)
	for i := range Points {
		j := otherSide(i)
		mix(&points[5*i], float32(m.spec.SizePx)-other[5*j])
		for k := 1; k < 5; k++ {
			mix(&points[5*i+k], other[5*j+k])
		}
		mix(&world[3*i], -otherWorld[3*j])
		mix(&world[3*i+1], otherWorld[3*j+1])
		mix(&world[3*i+2], otherWorld[3*j+2])
		const side, cells = HeatmapSide, HeatmapSide * HeatmapSide
		here, there := m.outs[LandmarkHeatmap][i*cells:(i+1)*cells], m.Network.Output(LandmarkHeatmap)[j*cells:(j+1)*cells]
		for at := range here {
			// A cell stands for the place at its left edge, so that 0 has no partner.
			col := at % side
			mix(&here[at], there[at-col+min(side-col, side-1)])
		}
	}
	mix(&m.outs[LandmarkPresence][0], m.Network.Output(LandmarkPresence)[0])
}

// otherSide is the point on the other side of the body; those that are no landmarks lie
// in the middle.
func otherSide(i int) int {
	if i < landmark.Num {
		return landmark.Mirror(i)
	}
	return i
}
