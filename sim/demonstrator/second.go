package demonstrator

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Second is another person in the scene.
type Second struct {
	Does    string  // "" is nobody; see Roles
	Clothes string  // other (default) or alike
	HeightM float64 // default: the first person's where alike, 0.96 of it otherwise
}

// Roles lists what a second person can do: stand beside the first, pass by towards the
// camera, cross between camera and person, cross behind the person.
func Roles() []string { return []string{"stand", "pass", "before", "behind"} }

func (s Second) withDefaults(firstM float64) Second {
	if s.Does == "" {
		return s
	}
	if s.Clothes == "" {
		s.Clothes = "other"
	}
	if s.HeightM == 0 {
		s.HeightM = firstM
		if s.Clothes == "other" {
			s.HeightM *= 0.96
		}
	}
	return s
}

func (s Second) check() error {
	switch {
	case s.Does == "" && (s.Clothes != "" || s.HeightM != 0):
		return fmt.Errorf("second person: does is missing; legal: %s", strings.Join(Roles(), ", "))
	case s.Does == "":
		return nil
	case !slices.Contains(Roles(), s.Does):
		return fmt.Errorf("second person: does is %q; legal: %s", s.Does, strings.Join(Roles(), ", "))
	case s.Clothes != "other" && s.Clothes != "alike":
		return fmt.Errorf("second person: clothes are %q; legal: other, alike", s.Clothes)
	case !(s.HeightM >= 0.8 && s.HeightM <= 2.3):
		return fmt.Errorf("second person: height is %g m; legal: 0.8 to 2.3", s.HeightM)
	}
	return nil
}

// look is what the second person wears.
func (o Options) secondLook() outfit {
	if o.Second.Clothes == "alike" {
		return o.Look.outfit()
	}
	return Look{Shirt: "#b0573a", Trousers: "#6a6450", Shoes: "#2f2d30", Hair: "#1f1a18", Skin: "#b98561"}.outfit()
}

// Where a second person goes, metres from the middle of the stage: towards the camera (x)
// and to the first person's left (y). The walls of the room leave that much.
const (
	besideXM, besideYM = -0.30, 0.85
	passFromM, passToM = -1.30, 1.70
	passYM             = -0.72
	beforeXM, behindXM = 0.85, -0.90
	// outsideM is how far a body reaches beyond its middle.
	outsideM = 0.35
)

// company gives the second person's motion at the frames of the first's, or nil.
func (o Options) company(m *human.Motion) (*human.Motion, error) {
	if o.Second.Does == "" {
		return nil, nil
	}
	way, from, yaw := o.route()
	act := perform(walk(way, 0), newBody(o.Second.HeightM), vary(0))
	start := (m.Seconds() - act.seconds) / 2
	if o.Second.Does == "stand" {
		act, start = perform(idle(m.Seconds()), newBody(o.Second.HeightM), vary(0)), 0
	}
	turn := spatial.FromYaw(yaw)
	out := &human.Motion{FPS: m.FPS, Frames: make([]human.Pose, len(m.Frames)), Meta: m.Meta}
	out.Meta.Source, out.Meta.SubjectHeightM = "demonstrator:second:"+o.Second.Does, o.Second.HeightM
	for i := range out.Frames {
		p := act.pose(math.Max(0, math.Min(act.seconds, float64(i)/m.FPS-start)))
		for j := range p.Positions {
			p.Positions[j] = from.Add(turn.Rotate(p.Positions[j]))
			p.Rotations[j] = turn.Mul(p.Rotations[j])
		}
		out.Frames[i] = p
	}
	return out, out.Validate()
}

// route is how far the second person walks, from where, and which way (radians, to the
// first person's left of the camera's direction).
func (o Options) route() (wayM float64, from spatial.Vec3, yaw float64) {
	stage := spatial.Vec3{o.StageM[0], o.StageM[1], 0}
	cross := func(x float64) (float64, spatial.Vec3, float64) {
		half := o.halfWidthM(x) + outsideM
		return 2 * half, stage.Add(spatial.Vec3{x, -half, 0}), math.Pi / 2
	}
	switch o.Second.Does {
	case "before":
		return cross(beforeXM)
	case "behind":
		return cross(behindXM)
	case "pass":
		return passToM - passFromM, stage.Add(spatial.Vec3{passFromM, passYM, 0}), 0
	}
	y := math.Min(besideYM, math.Max(0.5, o.halfWidthM(besideXM)-outsideM+0.05))
	return 0.5, stage.Add(spatial.Vec3{besideXM, y, 0}), -rad(12)
}

// halfWidthM is half of what the picture is wide where x is.
func (o Options) halfWidthM(x float64) float64 {
	return (o.Camera.DistanceM - x) * math.Tan(rad(o.Camera.FovDeg)/2) * float64(o.WidthPx) / float64(o.HeightPx)
}

// idle is somebody who stands about: looks around, and shifts a little.
func idle(seconds float64) Motion {
	return Motion{"idle", "stands about", seconds, func(t float64) stance {
		s := standing()
		s.loadLeft = 0.5 + 0.12*math.Sin(0.9*t)
		s.head.yaw = rad(14) * math.Sin(0.7*t+1)
		for i := range s.arm {
			s.arm[i].elbow += rad(10 + 8*math.Sin(0.8*t+float64(i)))
		}
		return s
	}, nil}
}

// walk goes straight ahead by wayM in even steps, after startS of standing.
func walk(wayM, startS float64) Motion {
	const stepM, everyS, swingS = 0.48, 0.60, 0.46
	n := max(2, int(math.Round(wayM/stepM)))
	each := wayM / float64(n)
	begin := startS + 0.5
	load := curve{{startS, 0.5}}
	for k := range n + 1 {
		on := float64(k % 2) // the left foot goes first: 0 is all weight on the right one
		from := begin + float64(k)*everyS
		load = append(load, key{from, on}, key{from + swingS, on})
	}
	end := begin + float64(n)*everyS + swingS
	load = append(load, key{end + 0.4, 0.5})
	return Motion{"walk", "walks straight ahead", end + 0.8, func(t float64) stance {
		s := standing()
		s.loadLeft = load.at(t)
		moving := path(startS, 0, begin+0.3, 1, end-0.2, 1, end+0.3, 0).at(t)
		s.dropM += 0.030 * moving
		s.pelvisPitch = rad(3) * moving
		for k := range n + 1 {
			from := begin + float64(k)*everyS
			side, to := k%2, from+swingS
			stride := 2 * each
			if k == 0 || k == n {
				stride = each
			}
			s.swing(side, t, from, to, 0.07, 0)
			s.foot[side].x += stride * minimumJerk((t-from-0.03)/(swingS-0.06))
			up := bump(t, from, to)
			s.foot[side].pitch += rad(8) * up
			s.arm[1-side].flex += rad(20) * up
			s.arm[1-side].elbow += rad(14) * up
			s.arm[side].flex -= rad(14) * up
		}
		return s
	}, nil}
}
