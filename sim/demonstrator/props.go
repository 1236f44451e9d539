package demonstrator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Props lists the things that can stand about: a desk with a front, a pillar, and the
// block that step_up steps onto. After a colon: how far to the person's left the
// pillar or desk stands (m), as in pillar:-0.1.
func Props() []string { return []string{"table", "pillar", "block"} }

// block is where the block of step_up stands and how high it is, metres, for a person
// of 1.72 m.
const blockTopM, blockMiddleM, blockHalfM = 0.35, 0.38, 0.22

// box is a thing along the world's axes: it is drawn, and it hides what is behind it.
type box struct {
	mid, half spatial.Vec3
	paint     colour
}

// parseProp splits table:0.2 into its name and place.
func parseProp(s string) (name string, leftM float64, err error) {
	name, at, placed := strings.Cut(s, ":")
	if !slices.Contains(Props(), name) {
		return "", 0, fmt.Errorf("prop %q; legal: %s", name, strings.Join(Props(), ", "))
	}
	switch {
	case !placed && name == "pillar":
		leftM = 0.30
	case placed && name != "block":
		if leftM, err = strconv.ParseFloat(at, 64); err != nil || !(math.Abs(leftM) <= 3) {
			return "", 0, fmt.Errorf("prop %q: place %q; legal: -3 to 3 metres to the person's left", name, at)
		}
	case placed:
		return "", 0, fmt.Errorf("prop %q has its place; legal: no place after it", name)
	}
	return name, leftM, nil
}

func checkProps(all []string) error {
	for _, s := range all {
		if _, _, err := parseProp(s); err != nil {
			return err
		}
	}
	return nil
}

// props are the boxes of all things, in the world.
func (o Options) props() (all []box) {
	wood, dark := colour{0.58, 0.43, 0.30}, colour{0.50, 0.37, 0.26}
	stage := spatial.Vec3{o.StageM[0], o.StageM[1], 0}
	k := o.HeightM / referenceHeightM
	for _, s := range o.Props {
		name, y, _ := parseProp(s) // checked with the options
		add := func(mid, half spatial.Vec3, c colour) { all = append(all, box{stage.Add(mid), half, c}) }
		switch name {
		case "table":
			add(spatial.Vec3{0.66, y, 0.735}, spatial.Vec3{0.28, 0.72, 0.018}, wood)
			add(spatial.Vec3{0.90, y, 0.36}, spatial.Vec3{0.012, 0.69, 0.357}, dark)
			add(spatial.Vec3{0.66, y + 0.69, 0.36}, spatial.Vec3{0.23, 0.012, 0.357}, dark)
			add(spatial.Vec3{0.66, y - 0.69, 0.36}, spatial.Vec3{0.23, 0.012, 0.357}, dark)
		case "pillar":
			add(spatial.Vec3{0.90, y, 1.3}, spatial.Vec3{0.10, 0.10, 1.3}, colour{0.80, 0.78, 0.73})
			add(spatial.Vec3{0.90, y, 0.05}, spatial.Vec3{0.13, 0.13, 0.05}, colour{0.62, 0.60, 0.56})
		case "block":
			// It turns with the camera's azimuth as the person does, in steps of a quarter turn.
			turn := spatial.FromYaw(-rad(90 * math.Round(o.Camera.AzimuthDeg/90)))
			half := turn.Rotate(spatial.Vec3{0.30, blockHalfM, 0}).Scale(k)
			add(turn.Rotate(spatial.Vec3{0, blockMiddleM * k, 0}).Add(spatial.Vec3{0, 0, k * blockTopM / 2}),
				spatial.Vec3{math.Abs(half[0]), math.Abs(half[1]), k * blockTopM / 2}, wood)
		}
	}
	return all
}

// draw is the box in the scene.
func (b box) draw() string {
	return fmt.Sprintf(`<geom type="box" size="%.4f %.4f %.4f" pos="%.4f %.4f %.4f" rgba="%.3f %.3f %.3f 1"/>`+"\n",
		b.half[0], b.half[1], b.half[2], b.mid[0], b.mid[1], b.mid[2], b.paint[0], b.paint[1], b.paint[2])
}

// hides tells whether the box lies between two points.
func (b box) hides(from, to spatial.Vec3) bool {
	// The part of the way within the slabs of all three axes.
	in, out := 0.0, 1.0
	d := to.Sub(from)
	for k := range 3 {
		lo, hi := b.mid[k]-b.half[k]-from[k], b.mid[k]+b.half[k]-from[k]
		if math.Abs(d[k]) < 1e-12 {
			if lo > 0 || hi < 0 {
				return false
			}
			continue
		}
		lo, hi = lo/d[k], hi/d[k]
		in, out = math.Max(in, math.Min(lo, hi)), math.Min(out, math.Max(lo, hi))
	}
	return in < out
}

// under is the height of what a point stands on or over: a box whose top is below it,
// or the floor.
func under(all []box, at spatial.Vec3) float64 {
	top := 0.0
	for _, b := range all {
		const slackM = 0.02
		over := math.Abs(at[0]-b.mid[0]) < b.half[0] && math.Abs(at[1]-b.mid[1]) < b.half[1]
		if h := b.mid[2] + b.half[2]; over && h <= at[2]+slackM {
			top = math.Max(top, h)
		}
	}
	return top
}
