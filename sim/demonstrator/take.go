package demonstrator

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Take is all that is known of a clip beside the person's motion: what each picture of the
// file shows, from where, when. It is read-only.
type Take struct {
	// Second is the other person's motion, at the frames of the first's; nil without one.
	Second *human.Motion
	// FocalPx and CentrePx are those of the upright picture that is kept, with square pixels;
	// its size is SizePx, the picture's middle is not the lens' where it was cut.
	FocalPx  float64
	CentrePx [2]float64
	SizePx   [2]int
	Pictures []Sight
}

// Sight is one picture of the file.
type Sight struct {
	Frame   int     // of the motion
	TimeS   float64 // in the file, from its first picture
	Camera  View
	Visible [human.NumJoints]bool // neither out of the picture nor behind a thing or another person
}

// TakeOf works a clip out, without drawing it: the motion is one that Perform or Mimic
// returned with the same options. A body does not hide its own joints here: they lie
// within it.
func TakeOf(m *human.Motion, opt Options) (*Take, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	second, err := opt.company(m)
	if err != nil {
		return nil, err
	}
	w := opt.Picture.window(opt.WidthPx, opt.HeightPx)
	t := &Take{
		Second:   second,
		FocalPx:  float64(opt.HeightPx) / 2 / math.Tan(rad(opt.Camera.FovDeg)/2),
		CentrePx: [2]float64{float64(opt.WidthPx)/2 - float64(w.x), float64(opt.HeightPx)/2 - float64(w.y)},
		SizePx:   [2]int{w.width, w.height},
	}
	things := opt.props()
	for i, v := range opt.shoot(m) {
		if !opt.Picture.keeps(i) {
			continue
		}
		s := Sight{Frame: i, TimeS: float64(i) / m.FPS, Camera: v.exact()}
		var limbs []limb
		if second != nil {
			limbs = limbsOf(&second.Frames[i], opt.Second.HeightM)
		}
		for j, at := range m.Frames[i].Positions {
			s.Visible[j] = t.inside(s.Camera, at) && !hidden(s.Camera.AtM, at, things, limbs)
		}
		t.Pictures = append(t.Pictures, s)
	}
	return t, nil
}

// Project gives the place of a point of the world in a picture, pixels from the upper left
// corner of the upright picture with square pixels; ok is false behind the camera.
func (t *Take) Project(v View, at spatial.Vec3) (px [2]float64, ok bool) {
	c := v.WorldFromCamera.Inv().Rotate(at.Sub(v.AtM))
	const nearM = 0.02
	if c[2] < nearM {
		return px, false
	}
	return [2]float64{t.CentrePx[0] + t.FocalPx*c[0]/c[2], t.CentrePx[1] + t.FocalPx*c[1]/c[2]}, true
}

func (t *Take) inside(v View, at spatial.Vec3) bool {
	px, ok := t.Project(v, at)
	return ok && px[0] >= 0 && px[1] >= 0 && px[0] < float64(t.SizePx[0]) && px[1] < float64(t.SizePx[1])
}

func hidden(from, at spatial.Vec3, things []box, limbs []limb) bool {
	for _, b := range things {
		if b.hides(from, at) {
			return true
		}
	}
	for _, l := range limbs {
		if between(from, at, l.a, l.b) < l.radiusM {
			return true
		}
	}
	return false
}

// limb is a capsule of a body that hides what is behind it.
type limb struct {
	a, b    spatial.Vec3
	radiusM float64
}

// limbsOf are the capsules within the drawn body of a person, a little thinner than its clothes.
func limbsOf(p *human.Pose, heightM float64) []limb {
	at := &p.Positions
	out := []limb{
		{at[human.Pelvis], at[human.Chest], 0.080 * heightM},
		{at[human.LShoulder], at[human.RShoulder], 0.035 * heightM},
		{at[human.Chest], at[human.Head], 0.030 * heightM},
		{at[human.Head], at[human.Head], 0.050 * heightM},
	}
	for i := range 2 {
		hip, shoulder := joint(human.LHip, i), joint(human.LShoulder, i)
		for _, l := range [...]struct {
			from   human.Joint
			radius float64
		}{{shoulder, 0.030}, {shoulder + 1, 0.021}, {shoulder + 2, 0.015}, {hip, 0.046}, {hip + 1, 0.032}, {hip + 3, 0.024}} {
			out = append(out, limb{at[l.from], at[l.from+1], l.radius * heightM})
		}
	}
	return out
}

// between is the distance of two straight pieces, p to q and a to b (Ericson, Real-Time
// Collision Detection, 2005, 5.1.9).
func between(p, q, a, b spatial.Vec3) float64 {
	d1, d2, r := q.Sub(p), b.Sub(a), p.Sub(a)
	e, f, c, g := d1.Dot(d1), d2.Dot(d2), d1.Dot(r), d2.Dot(r)
	clamp := func(x float64) float64 { return math.Max(0, math.Min(1, x)) }
	var s, u float64
	if f > 1e-12 {
		h := d1.Dot(d2)
		if den := e*f - h*h; den > 1e-12 {
			s = clamp((h*g - c*f) / den)
		}
		u = (h*s + g) / f
		if u < 0 || u > 1 {
			u = clamp(u)
			s = clamp((h*u - c) / math.Max(e, 1e-12))
		}
	} else {
		s = clamp(-c / math.Max(e, 1e-12))
	}
	return p.Add(d1.Scale(s)).Sub(a.Add(d2.Scale(u))).Norm()
}
