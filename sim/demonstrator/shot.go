package demonstrator

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Moves are what the camera does while it films; the zero value is a tripod.
type Moves struct {
	ShakeDeg float64 // a hand's shaking: turns by up to about this much
	SwayM    float64 // and goes to and fro by about this much
	PanDeg   float64 // turns slowly to the left of the picture by this much in all
	Follow   bool    // turns so that the person stays in the middle
}

// view is where the camera is and looks in one picture. It never rolls.
type view struct {
	at         spatial.Vec3
	yaw, pitch float64 // radians; yaw 0 looks along +x, pitch above 0 looks up
	farM       float64 // to what it looks at, on its tripod
}

// View is the camera of one picture, exactly.
type View struct {
	AtM spatial.Vec3 // place in the world
	// WorldFromCamera turns the camera's axes (x right, y down, z into the picture).
	WorldFromCamera spatial.Quat
}

func (m Moves) check() error {
	for _, c := range []struct {
		what      string
		v, lo, hi float64
	}{
		{"shaking in degrees", m.ShakeDeg, 0, 20},
		{"swaying in metres", m.SwayM, 0, 0.5},
		{"pan in degrees", m.PanDeg, -120, 120},
	} {
		if math.IsNaN(c.v) || c.v < c.lo || c.v > c.hi {
			return fmt.Errorf("%s is %g; legal: %g to %g", c.what, c.v, c.lo, c.hi)
		}
	}
	return nil
}

// middleShare of the body height is what the camera looks at: the middle of the room that a person needs, arms raised.
const middleShare = 0.54

// still is the camera on its tripod.
func (o Options) still() view {
	rise := o.Camera.HeightM - middleShare*o.HeightM
	return view{
		at:    spatial.Vec3{o.StageM[0] + o.Camera.DistanceM, o.StageM[1], o.Camera.HeightM},
		yaw:   math.Pi,
		pitch: -math.Atan2(rise, o.Camera.DistanceM),
		farM:  math.Hypot(rise, o.Camera.DistanceM),
	}
}

// shoot gives the camera of every frame of the person's motion.
func (o Options) shoot(m *human.Motion) []view {
	out := make([]view, len(m.Frames))
	var aim []float64
	if o.Moves.Follow {
		aim = o.aims(m)
	}
	for i := range out {
		v, tS := o.still(), float64(i)/m.FPS
		s, w := rad(o.Moves.ShakeDeg), o.Moves.SwayM
		// Frequencies of a hand: slow drift, and the tremor of the arms at 3 Hz.
		v.yaw += s * (0.75*sine(tS, 0.7, 0) + 0.25*sine(tS, 3.1, 1))
		v.pitch += s * (0.70*sine(tS, 0.5, 1.6) + 0.25*sine(tS, 3.7, 0))
		v.at = v.at.Add(spatial.Vec3{w * sine(tS, 0.31, 0.4), w * sine(tS, 0.43, 2), 0.5 * w * sine(tS, 0.61, 1)})
		if o.Moves.PanDeg != 0 {
			v.yaw += rad(o.Moves.PanDeg) * (minimumJerk(tS/math.Max(m.Seconds(), 1e-9)) - 0.5)
		}
		if aim != nil {
			v.yaw += aim[i]
		}
		out[i] = v
	}
	return out
}

func sine(tS, hz, phase float64) float64 { return math.Sin(2*math.Pi*hz*tS + phase) }

// aims is by how much a camera that follows turns: to where the person is on the mean
// over half a second to both sides, as a hand is slower than a body.
func (o Options) aims(m *human.Motion) []float64 {
	v, out := o.still(), make([]float64, len(m.Frames))
	half := int(0.5 * m.FPS)
	for i := range out {
		lo, hi := max(0, i-half), min(len(m.Frames)-1, i+half)
		for k := lo; k <= hi; k++ {
			d := m.Frames[k].Positions[human.Pelvis].Sub(v.at)
			out[i] += math.Remainder(math.Atan2(d[1], d[0])-v.yaw, 2*math.Pi) / float64(hi-lo+1)
		}
	}
	return out
}

func (v view) ahead() spatial.Vec3 {
	sy, cy := math.Sincos(v.yaw)
	sp, cp := math.Sincos(v.pitch)
	return spatial.Vec3{cp * cy, cp * sy, sp}
}

func (v view) exact() View {
	z := v.ahead()
	x := z.Cross(spatial.Vec3{0, 0, 1}).Unit(spatial.Vec3{0, 1, 0})
	return View{AtM: v.at, WorldFromCamera: spatial.FromAxes(x, z.Cross(x), z)}
}

// camera is the view for the renderer, which looks at a point.
func (v view) camera(fovDeg float64) render.Camera {
	return render.Camera{
		LookAtM: v.at.Add(v.ahead().Scale(v.farM)), DistanceM: v.farM,
		AzimuthDeg: v.yaw * 180 / math.Pi, ElevationDeg: v.pitch * 180 / math.Pi, FovyDeg: fovDeg,
	}
}
