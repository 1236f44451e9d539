package seebench

import (
	"math"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// Failed is the verdict of a row from which no motion came out.
const Failed = "failed"

// Result is what one row measured. Figures are those of this motion, whatever its verdict;
// they are zero where there is none.
type Result struct {
	Row     string   `json:"row"`
	Verdict string   `json:"verdict"`
	Right   bool     `json:"right"`
	Missing []string `json:"missing,omitempty"` // parts that should have been named unseen
	Error   string   `json:"error,omitempty"`

	MPJPEMm      float64 `json:"mpjpe_mm"`
	PAMm         float64 `json:"pa_mm"`
	SwingDeg     float64 `json:"swing_deg"` // directions of bones, mean
	AngleP95Deg  float64 `json:"angle_p95_deg"`
	KneeBiasDeg  float64 `json:"knee_bias_deg"`
	ElbowBiasDeg float64 `json:"elbow_bias_deg"`
	FootDeg      float64 `json:"foot_deg"`    // median
	Lift         float64 `json:"lift"`        // of the foot that is seen worse: 1 is right
	ContactF1    float64 `json:"contact_f1"`  //
	RootM        float64 `json:"root_m"`      // mean distance of the pelvis' path
	HeadingDeg   float64 `json:"heading_deg"` //
	GravityDeg   float64 `json:"gravity_deg"` // up found against the camera's own, its first picture
	FPS          float64 `json:"fps"`         // frames tracked a second; of this machine
	CausalMm     float64 `json:"causal_mm"`   // MPJPE picture by picture; 0: not run
	P50Ms        float64 `json:"p50_ms"`      // from a picture to its pose
	P95Ms        float64 `json:"p95_ms"`      //
	SeenShare    float64 `json:"seen_share"`  // of the joints, by geometry
}

// measure fills in the figures of an extraction.
func (r *Result) measure(e *extract.Result, truth *human.Motion, take *demonstrator.Take) error {
	c, err := metrics.Compare(e.Motion, truth)
	if err != nil {
		return err
	}
	r.MPJPEMm, r.PAMm, r.SwingDeg, r.AngleP95Deg = c.MPJPEMm, c.PAMPJPEMm, c.JointSwingMeanDeg, c.JointAngleP95Deg
	r.KneeBiasDeg, r.ElbowBiasDeg, r.FootDeg, r.ContactF1 = c.KneeBiasDeg, c.ElbowBiasDeg, c.FootMedianDeg, c.ContactF1
	r.Lift = c.FootLift[0]
	if math.Abs(c.FootLift[1]-1) > math.Abs(r.Lift-1) {
		r.Lift = c.FootLift[1]
	}
	r.RootM, r.HeadingDeg, r.FPS = c.RootMeanM, c.HeadingMeanDeg, e.FPS()
	up := take.Pictures[0].Camera.WorldFromCamera.Inv().Rotate(spatial.Vec3{0, 0, 1})
	r.GravityDeg = up.AngleRad(e.Report.UpInCamera) * 180 / math.Pi
	return nil
}

func (r *Result) seen(take *demonstrator.Take) {
	n := 0.0
	for i := range take.Pictures {
		for _, v := range take.Pictures[i].Visible {
			if v {
				n++
			}
		}
	}
	r.SeenShare = n / float64(max(1, len(take.Pictures)*human.NumJoints))
}

// round leaves the digits that mean something: two runs on two machines differ in the rest.
func (r *Result) round() {
	to := func(step float64, all ...*float64) {
		for _, v := range all {
			*v = math.Round(*v/step) * step
			*v = math.Round(*v*1e6) / 1e6 // what the multiplication adds behind
		}
	}
	to(0.1, &r.MPJPEMm, &r.PAMm, &r.SwingDeg, &r.AngleP95Deg, &r.KneeBiasDeg, &r.ElbowBiasDeg, &r.FootDeg, &r.HeadingDeg,
		&r.GravityDeg, &r.CausalMm, &r.P50Ms, &r.P95Ms)
	to(0.001, &r.Lift, &r.ContactF1, &r.RootM, &r.SeenShare)
	to(1, &r.FPS)
}

// figure is one number of a result that can be better or worse.
type figure struct {
	Name string
	At   func(r *Result) *float64
	// Noise is the difference that means nothing: rounding of other processors and
	// threads moves results by about that much, never by more where nothing changed.
	Noise float64
	// Off is how far a value is from the best one.
	Off func(v float64) float64
	// Rare figures are measured in some rows; they are 0 in the others.
	Rare bool
}

func small(v float64) float64 { return math.Abs(v) }
func toOne(v float64) float64 { return math.Abs(v - 1) }

// figures lists what is compared.
func figures() []figure {
	return []figure{
		{"MPJPE mm", func(r *Result) *float64 { return &r.MPJPEMm }, 2, small, false},
		{"PA-MPJPE mm", func(r *Result) *float64 { return &r.PAMm }, 2, small, false},
		{"bone directions deg", func(r *Result) *float64 { return &r.SwingDeg }, 0.5, small, false},
		{"joint angles p95 deg", func(r *Result) *float64 { return &r.AngleP95Deg }, 2, small, false},
		{"knee bias deg", func(r *Result) *float64 { return &r.KneeBiasDeg }, 1, small, false},
		{"elbow bias deg", func(r *Result) *float64 { return &r.ElbowBiasDeg }, 1, small, false},
		{"feet deg", func(r *Result) *float64 { return &r.FootDeg }, 1.5, small, false},
		{"foot lift", func(r *Result) *float64 { return &r.Lift }, 0.05, toOne, false},
		{"contact F1", func(r *Result) *float64 { return &r.ContactF1 }, 0.02, toOne, false},
		{"root m", func(r *Result) *float64 { return &r.RootM }, 0.01, small, false},
		{"heading deg", func(r *Result) *float64 { return &r.HeadingDeg }, 1, small, false},
		{"gravity deg", func(r *Result) *float64 { return &r.GravityDeg }, 0.5, small, false},
		{"causal MPJPE mm", func(r *Result) *float64 { return &r.CausalMm }, 3, small, true},
	}
}

// speeds are the machine's, so they are summed up and not compared.
func speeds() []figure {
	return []figure{
		{Name: "frames/s", At: func(r *Result) *float64 { return &r.FPS }},
		{Name: "p50 ms", At: func(r *Result) *float64 { return &r.P50Ms }, Rare: true},
		{Name: "p95 ms", At: func(r *Result) *float64 { return &r.P95Ms }, Rare: true},
	}
}
