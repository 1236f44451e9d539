package demonstrator

import (
	"fmt"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
)

// segments are the rigid pieces of the mannequin, one mocap body each, in the
// order of the model: each moves with the joint it starts at.
var segments = [...]human.Joint{
	human.Pelvis, human.Chest, human.Head,
	human.LShoulder, human.LElbow, human.LWrist, human.LHip, human.LKnee, human.LAnkle,
	human.RShoulder, human.RElbow, human.RWrist, human.RHip, human.RKnee, human.RAnkle,
}

// drawing writes the MJCF of a mannequin: ellipsoids and capsules, measured in
// fractions of body height.
type drawing struct {
	strings.Builder
	name string  // before the names of its bodies
	h    float64 // body height, metres
	side float64 // +1 left, -1 right: mirrors y
}

func (d *drawing) geom(kind, size, place string, c colour) {
	fmt.Fprintf(&d.Builder, `<geom type=%q size=%q %s rgba="%.3f %.3f %.3f 1"/>`+"\n", kind, size, place, c[0], c[1], c[2])
}

func (d *drawing) numbers(v ...float64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = fmt.Sprintf("%.5f", x*d.h)
	}
	return strings.Join(s, " ")
}

// blob is an ellipsoid, pitched about the left axis (degrees, nose down).
func (d *drawing) blob(x, y, z, rx, ry, rz, pitchDeg float64, c colour) {
	d.geom("ellipsoid", d.numbers(rx, ry, rz),
		fmt.Sprintf(`pos=%q euler="0 %.1f 0"`, d.numbers(x, d.side*y, z), pitchDeg), c)
}

// limb is a capsule between two points.
func (d *drawing) limb(x0, y0, z0, x1, y1, z1, r float64, c colour) {
	d.geom("capsule", d.numbers(r),
		fmt.Sprintf(`fromto=%q`, d.numbers(x0, d.side*y0, z0, x1, d.side*y1, z1)), c)
}

func (d *drawing) body(j human.Joint, draw func()) {
	d.side = 1
	if j != j.Mirror() && j >= human.RShoulder && j.String()[0] == 'r' {
		d.side = -1
	}
	fmt.Fprintf(&d.Builder, `<body name="%s%s" mocap="true">`+"\n", d.name, j)
	draw()
	d.WriteString("</body>\n")
}

// outfit is the parsed look.
type outfit struct{ shirt, trousers, shoes, hair, skin colour }

func (l Look) outfit() outfit {
	c := func(s string) colour {
		v, _ := parseColour(s) // checked with the options
		return v
	}
	return outfit{c(l.Shirt), c(l.Trousers), c(l.Shoes), c(l.Hair), c(l.Skin)}
}

// mannequin returns the bodies of a clothed figure of the given height; name tells
// it from others in the scene.
func mannequin(name string, heightM float64, o outfit) string {
	d := &drawing{name: name, h: heightM, side: 1}
	for _, j := range segments {
		d.body(j, func() {
			switch j {
			case human.Pelvis:
				d.hips(o)
			case human.Chest:
				d.chest(o)
			case human.Head:
				d.head(o)
			case human.LShoulder, human.RShoulder:
				d.upperArm(o)
			case human.LElbow, human.RElbow:
				d.forearm(o)
			case human.LWrist, human.RWrist:
				d.hand(o)
			case human.LHip, human.RHip:
				d.thigh(o)
			case human.LKnee, human.RKnee:
				d.shank(o)
			case human.LAnkle, human.RAnkle:
				d.shoe(o)
			}
		})
	}
	return d.String()
}

func (d *drawing) hips(o outfit) {
	d.blob(-0.002, 0, 0.004, 0.064, 0.092, 0.058, 0, o.trousers)
	for _, s := range [...]float64{1, -1} {
		d.blob(-0.014, s*0.042, -0.014, 0.054, 0.050, 0.056, 0, o.trousers)
	}
	d.blob(0, 0, 0.078, 0.062, 0.085, 0.102, 0, o.shirt)
	d.blob(-0.001, 0, 0.036, 0.0630, 0.0865, 0.012, 0, o.trousers.times(0.5)) // belt
	d.blob(0.0600, 0, 0.036, 0.004, 0.010, 0.008, 0, colour{0.78, 0.68, 0.42})
}

func (d *drawing) chest(o outfit) {
	d.blob(0.002, 0, -0.112, 0.068, 0.098, 0.165, 0, o.shirt)
	d.limb(0, 0.090, 0.001, 0, -0.090, 0.001, 0.035, o.shirt)
	d.blob(-0.002, 0, 0.020, 0.042, 0.078, 0.036, 0, o.shirt)
	d.limb(-0.002, 0, 0.030, 0.006, 0, 0.085, 0.030, o.skin)
	d.blob(0.003, 0, 0.051, 0.036, 0.038, 0.0075, 10, o.shirt.times(1.3))
}

// head draws the face looking along +x; its details are what a face detector
// holds on to.
func (d *drawing) head(o outfit) {
	white, dark, iris := colour{0.97, 0.97, 0.95}, colour{0.06, 0.05, 0.05}, colour{0.25, 0.33, 0.36}
	lips := colour{0.66, 0.27, 0.26}
	brow := o.hair.times(0.75)
	d.blob(0, 0, 0.012, 0.0560, 0.0460, 0.0570, 0, o.skin)
	d.blob(0.007, 0, -0.022, 0.0455, 0.0385, 0.0450, 0, o.skin) // jaw
	d.limb(0.0535, 0, 0.008, 0.0585, 0, -0.006, 0.0038, o.skin)
	d.blob(0.0570, 0, -0.0095, 0.0095, 0.0078, 0.0068, 0, o.skin.times(0.96))
	for _, s := range [...]float64{1, -1} {
		d.blob(0.0480, s*0.0182, 0.0100, 0.0055, 0.0092, 0.0060, 0, white)
		d.blob(0.0520, s*0.0182, 0.0100, 0.0022, 0.0042, 0.0044, 0, iris)
		d.blob(0.0535, s*0.0182, 0.0102, 0.0012, 0.0023, 0.0024, 0, dark)
		d.limb(0.0508, s*0.0100, 0.0172, 0.0490, s*0.0265, 0.0165, 0.0018, o.skin.times(0.72)) // lid
		d.limb(0.0525, s*0.0095, 0.0262, 0.0465, s*0.0295, 0.0255, 0.0030, brow)
		d.blob(-0.002, s*0.0475, 0.0020, 0.0105, 0.0050, 0.0165, 0, o.skin.times(0.95)) // ear
		// A smile: each half of the mouth rises outwards.
		d.limb(0.0520, 0, -0.0335, 0.0490, s*0.0110, -0.0310, 0.0026, lips)
		d.limb(0.0490, s*0.0110, -0.0310, 0.0460, s*0.0160, -0.0268, 0.0020, lips)
		d.blob(-0.010, s*0.0390, 0.0240, 0.032, 0.0115, 0.028, 0, o.hair) // over the ears
	}
	d.blob(-0.012, 0, 0.030, 0.0520, 0.0490, 0.0480, 0, o.hair)
	d.blob(-0.022, 0, -0.004, 0.036, 0.0450, 0.046, 0, o.hair)
	d.blob(0.014, 0.005, 0.0555, 0.0400, 0.0400, 0.0190, 12, o.hair)
}

func (d *drawing) upperArm(o outfit) {
	d.blob(0, -0.002, -0.004, 0.0365, 0.036, 0.040, 0, o.shirt)
	d.limb(0, 0, -0.006, 0, 0, -0.092, 0.0310, o.shirt)
	d.blob(0, 0, -0.098, 0.0345, 0.0345, 0.0130, 0, o.shirt.times(0.8)) // hem
	d.blob(0, 0, -0.085, 0.0285, 0.0275, 0.0900, 0, o.skin)
	d.limb(0, 0, -0.120, 0, 0, -0.172, 0.0225, o.skin)
}

func (d *drawing) forearm(o outfit) {
	d.blob(0, 0, 0, 0.0255, 0.0255, 0.0255, 0, o.skin)
	d.blob(0, 0, -0.045, 0.0265, 0.0255, 0.056, 0, o.skin)
	d.limb(0, 0, -0.020, 0, 0, -0.138, 0.0185, o.skin)
}

// hand has the palm facing the thigh at rest, so its flat side is along y, its
// thumb ahead.
func (d *drawing) hand(o outfit) {
	d.blob(0, 0, -0.030, 0.0235, 0.0125, 0.034, 0, o.skin)
	for i := range 4 {
		x := 0.0165 - 0.0110*float64(i)
		tip := [...]float64{-0.096, -0.104, -0.100, -0.088}[i]
		d.limb(x, 0, -0.050, x*1.12, -0.004, tip, 0.0056, o.skin)
	}
	d.limb(0.014, -0.002, -0.018, 0.0315, -0.006, -0.052, 0.0068, o.skin)
}

func (d *drawing) thigh(o outfit) {
	d.blob(0, 0, -0.012, 0.052, 0.050, 0.058, 0, o.trousers)
	d.blob(0.002, 0, -0.085, 0.0490, 0.0470, 0.1450, 0, o.trousers)
	d.limb(0, 0, -0.140, 0, 0, -0.234, 0.0345, o.trousers)
}

func (d *drawing) shank(o outfit) {
	d.blob(0.002, 0, -0.004, 0.0358, 0.0348, 0.0400, 0, o.trousers)
	d.blob(-0.006, 0, -0.075, 0.0375, 0.0345, 0.1100, 0, o.trousers)
	d.limb(0, 0, -0.060, 0, 0, -0.200, 0.0292, o.trousers)
	d.blob(0, 0, -0.207, 0.0335, 0.0335, 0.0110, 0, o.trousers.times(0.8)) // cuff
	d.limb(0, 0, -0.205, 0, 0, -0.240, 0.0195, colour{0.84, 0.84, 0.85})   // sock
}

func (d *drawing) shoe(o outfit) {
	sole := o.shoes.times(0.55)
	d.blob(-0.008, 0, -0.020, 0.028, 0.0245, 0.026, 0, o.shoes)
	d.blob(0.034, 0.001, -0.0265, 0.066, 0.0285, 0.0205, 8, o.shoes)
	d.blob(0.076, 0.001, -0.0310, 0.035, 0.0285, 0.0135, 0, o.shoes)
	d.geom("box", d.numbers(0.050, 0.0225, 0.0045),
		fmt.Sprintf(`pos=%q`, d.numbers(0.034, 0, -0.0385)), sole)
	d.geom("cylinder", d.numbers(0.0245, 0.0045), fmt.Sprintf(`pos=%q`, d.numbers(-0.012, 0, -0.0385)), sole)
	d.geom("cylinder", d.numbers(0.0275, 0.0045), fmt.Sprintf(`pos=%q`, d.numbers(0.083, 0, -0.0385)), sole)
}

// mocapOfOne is how many numbers place writes.
const mocapOfOne = 7 * (len(segments) + 2)

// place writes the pose into mocap (seven numbers a segment) followed by one
// soft shadow under each foot. baseM is the height of what each foot is above.
func place(mocap []float64, p *human.Pose, baseM [2]float64) {
	for i, j := range segments {
		copy(mocap[7*i:], p.Positions[j][:])
		copy(mocap[7*i+3:], p.Rotations[j][:])
	}
	for i := range 2 {
		m := mocap[7*(len(segments)+i):]
		heel, toe := p.Positions[joint(human.LHeel, i)], p.Positions[joint(human.LToe, i)]
		mid := heel.Lerp(toe, 0.5)
		yaw := math.Atan2(toe[1]-heel[1], toe[0]-heel[0])
		copy(m, []float64{mid[0], mid[1], baseM[i], math.Cos(yaw / 2), 0, 0, math.Sin(yaw / 2)})
	}
}

// shadows returns the mocap bodies of the soft shadows: a few nested, almost
// clear discs just over the floor, far cheaper than a shadow map.
func shadows(name string, heightM float64) string {
	var b strings.Builder
	for i := range 2 {
		fmt.Fprintf(&b, `<body name="%sshadow%d" mocap="true">`+"\n", name, i)
		for k, r := range [...]float64{1.9, 1.5, 1.15} {
			fmt.Fprintf(&b, `<geom type="ellipsoid" size="%.4f %.4f 0.0006" pos="0 0 %.4f" rgba="0.05 0.04 0.04 0.16"/>`+"\n",
				0.078*heightM*r, 0.036*heightM*r, 0.0012+0.0008*float64(k))
		}
		b.WriteString("</body>\n")
	}
	return b.String()
}
