package metrics

import (
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Comparison says how far one motion is from another. Lengths are in the unit
// in the name; angles are geodesic.
type Comparison struct {
	Frames   int     `json:"frames"` // compared
	OverlapS float64 `json:"overlap_s"`
	// HeadingAlignedDeg is by how much m was turned about the vertical before it was
	// compared: x points towards the camera, so headings of motions from different videos
	// say nothing about each other. 0 against a rendered truth, which has m's camera.
	HeadingAlignedDeg float64 `json:"heading_aligned_deg,omitempty"`

	MPJPEMm   float64 `json:"mpjpe_mm"`
	NMPJPEMm  float64 `json:"n_mpjpe_mm"`
	PAMPJPEMm float64 `json:"pa_mpjpe_mm"`
	// GMPJPEMm aligns only the mean floor position: where the origin lies on
	// the floor depends on the first frame.
	GMPJPEMm float64 `json:"g_mpjpe_mm"`

	// Joint angles: rotation relative to the parent segment. Swing ignores the
	// turn about the bone itself, which a video hardly shows.
	JointAngleMeanDeg float64 `json:"joint_angle_mean_deg"`
	JointAngleP95Deg  float64 `json:"joint_angle_p95_deg"`
	JointSwingMeanDeg float64 `json:"joint_swing_mean_deg"`
	// FlexionMeanDeg is the mean absolute error of knee and elbow bend.
	FlexionMeanDeg     float64 `json:"flexion_mean_deg"`
	PelvisTiltMeanDeg  float64 `json:"pelvis_tilt_mean_deg"`   // of the pelvis's up axis
	HeadingMeanDeg     float64 `json:"heading_mean_deg"`       // of the pelvis about the vertical
	RootMeanM          float64 `json:"root_mean_m"`            // pelvis, mean floor position aligned
	RootRMSM           float64 `json:"root_rms_m"`             //
	RootMaxM           float64 `json:"root_max_m"`             //
	RootHeightMeanM    float64 `json:"root_height_mean_m"`     // mean absolute error of the height alone
	RootHeightBiasM    float64 `json:"root_height_bias_m"`     // mean signed error of the height
	RootAcrossMeanM    float64 `json:"root_across_mean_m"`     // sideways seen from the camera (world y)
	RootDepthMeanM     float64 `json:"root_depth_mean_m"`      // towards the camera (world x)
	AccelErrorMPerS2   float64 `json:"accel_error_mps2"`       // mean over joints, pelvis aligned
	ContactAgreement   float64 `json:"contact_agreement"`      // share of foot-frames (heel or toe) judged alike
	ContactFalseShare  float64 `json:"contact_false_share"`    // contact claimed, none in truth
	ContactMissedShare float64 `json:"contact_missed_share"`   // contact in truth, none claimed
	SideErrorShare     float64 `json:"left_right_error_share"` // frames closer to the truth with left and right exchanged

	Limbs

	Joints []JointError `json:"joints"`
}

// JointError is the error of one joint; AngleDeg and SwingDeg are those of the
// segment that starts there (0 for ends that share their segment's rotation).
type JointError struct {
	Joint    string  `json:"joint"`
	MPJPEMm  float64 `json:"mpjpe_mm"`
	AngleDeg float64 `json:"angle_deg"`
	SwingDeg float64 `json:"swing_deg"`
}

// angleJoints are the joints whose segment turns against its parent segment.
var angleJoints = [...]human.Joint{human.Chest, human.Head,
	human.LShoulder, human.LElbow, human.LWrist, human.RShoulder, human.RElbow, human.RWrist,
	human.LHip, human.LKnee, human.LAnkle, human.RHip, human.RKnee, human.RAnkle}

// Compare judges m against truth over the time they share.
func Compare(m, truth *human.Motion) (*Comparison, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if err := truth.Validate(); err != nil {
		return nil, err
	}
	a, b, err := overlap(m, truth)
	if err != nil {
		return nil, err
	}
	turnedRad := 0.0
	if otherVideo(m, truth) {
		a, turnedRad = faceAlike(a, b)
	}
	c := &Comparison{HeadingAlignedDeg: deg(turnedRad), Frames: len(a), OverlapS: float64(len(a)-1) / m.FPS, Joints: make([]JointError, human.NumJoints)}
	c.positions(a, b)
	c.angles(a, b)
	c.root(a, b)
	c.dynamics(a, b, m.FPS)
	c.contacts(a, b)
	c.Limbs = limbs(a, b)
	return c, nil
}

const mm = 1000

func (c *Comparison) positions(a, b []human.Pose) {
	n := float64(len(a))
	offset, exchanged := floorOffset(a, b), 0
	for t := range a {
		pa, pb := a[t].Positions[:], b[t].Positions[:]
		sum, mirrored, global := 0.0, 0.0, 0.0
		for j := range human.NumJoints {
			q := pb[j].Sub(pb[human.Pelvis])
			e := pa[j].Sub(pa[human.Pelvis]).Sub(q).Norm()
			sum += e
			c.Joints[j].MPJPEMm += mm * e / n
			mirrored += pa[human.Joint(j).Mirror()].Sub(pa[human.Pelvis]).Sub(q).Norm()
			global += pa[j].Sub(offset).Sub(pb[j]).Norm()
		}
		k := mm / (n * float64(human.NumJoints))
		c.MPJPEMm += k * sum
		c.GMPJPEMm += k * global
		c.NMPJPEMm += mm / n * alignScale(pa, pb)
		c.PAMPJPEMm += mm / n * alignSimilarity(pa, pb)
		if mirrored < sum {
			exchanged++
		}
	}
	c.SideErrorShare = rate.Rate{Hits: exchanged, Trials: len(a)}.Share()
	for j := range c.Joints {
		c.Joints[j].Joint = human.Joint(j).String()
	}
}

// floorOffset is the mean difference of the pelvis positions on the floor.
func floorOffset(a, b []human.Pose) spatial.Vec3 {
	var o spatial.Vec3
	for t := range a {
		o = o.Add(a[t].Positions[human.Pelvis].Sub(b[t].Positions[human.Pelvis]))
	}
	o = o.Scale(1 / float64(len(a)))
	o[2] = 0
	return o
}

func (c *Comparison) angles(a, b []human.Pose) {
	n := float64(len(a))
	all := make([]float64, 0, len(a)*len(angleJoints))
	zAxis := spatial.Vec3{0, 0, 1}
	for t := range a {
		for _, j := range angleJoints {
			ra := a[t].Rotations[j.Parent()].Inv().Mul(a[t].Rotations[j])
			rb := b[t].Rotations[j.Parent()].Inv().Mul(b[t].Rotations[j])
			e := deg(ra.Inv().Mul(rb).Log().Norm())
			s := deg(angleBetween(ra.Rotate(zAxis), rb.Rotate(zAxis)))
			all = append(all, e)
			c.Joints[j].AngleDeg += e / n
			c.Joints[j].SwingDeg += s / n
			c.JointAngleMeanDeg += e / (n * float64(len(angleJoints)))
			c.JointSwingMeanDeg += s / (n * float64(len(angleJoints)))
		}
		for _, j := range [4]human.Joint{human.LElbow, human.RElbow, human.LKnee, human.RKnee} {
			c.FlexionMeanDeg += deg(math.Abs(bend(&a[t], j)-bend(&b[t], j))) / (4 * n)
		}
		qa, qb := a[t].Rotations[human.Pelvis], b[t].Rotations[human.Pelvis]
		c.PelvisTiltMeanDeg += deg(angleBetween(qa.Rotate(zAxis), qb.Rotate(zAxis))) / n
		c.HeadingMeanDeg += deg(math.Abs(math.Remainder(qa.YawRad()-qb.YawRad(), 2*math.Pi))) / n
	}
	c.JointAngleP95Deg = share(all, 0.95)
}

// bend is the angle between the bones before and after joint j, from positions.
func bend(p *human.Pose, j human.Joint) float64 {
	return angleBetween(p.Positions[j].Sub(p.Positions[j-1]), p.Positions[j+1].Sub(p.Positions[j]))
}

func angleBetween(a, b spatial.Vec3) float64 {
	return math.Atan2(a.Cross(b).Norm(), a.Dot(b))
}

func (c *Comparison) root(a, b []human.Pose) {
	n := float64(len(a))
	offset := floorOffset(a, b)
	for t := range a {
		d := a[t].Positions[human.Pelvis].Sub(b[t].Positions[human.Pelvis]).Sub(offset)
		c.RootMeanM += d.Norm() / n
		c.RootRMSM += d.Dot(d) / n
		c.RootMaxM = math.Max(c.RootMaxM, d.Norm())
		c.RootHeightMeanM += math.Abs(d[2]) / n
		c.RootHeightBiasM += d[2] / n
		c.RootAcrossMeanM += math.Abs(d[1]) / n
		c.RootDepthMeanM += math.Abs(d[0]) / n
	}
	c.RootRMSM = math.Sqrt(c.RootRMSM)
}

func (c *Comparison) dynamics(a, b []human.Pose, fps float64) {
	if len(a) < 3 {
		return
	}
	rel := func(p []human.Pose, t, j int) spatial.Vec3 {
		return p[t].Positions[j].Sub(p[t].Positions[human.Pelvis])
	}
	accel := func(p []human.Pose, t, j int) spatial.Vec3 {
		return rel(p, t-1, j).Add(rel(p, t+1, j)).Sub(rel(p, t, j).Scale(2)).Scale(fps * fps)
	}
	n := float64((len(a) - 2) * (human.NumJoints - 1))
	for t := 1; t+1 < len(a); t++ {
		for j := 1; j < human.NumJoints; j++ {
			c.AccelErrorMPerS2 += accel(a, t, j).Sub(accel(b, t, j)).Norm() / n
		}
	}
}

func (c *Comparison) contacts(a, b []human.Pose) {
	agree, invented, missed := 0, 0, 0
	for t := range a {
		for side := range 2 {
			switch x, y := stands(&a[t], side), stands(&b[t], side); {
			case x == y:
				agree++
			case x:
				invented++
			default:
				missed++
			}
		}
	}
	of := func(hits int) float64 { return rate.Rate{Hits: hits, Trials: 2 * len(a)}.Share() }
	c.ContactAgreement, c.ContactFalseShare, c.ContactMissedShare = of(agree), of(invented), of(missed)
}
