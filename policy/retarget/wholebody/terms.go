package wholebody

import (
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/retarget/lsq"
	"github.com/mitori-robotics/mitori/policy/retarget/physique"
	"github.com/mitori-robotics/mitori/policy/retarget/plan"
)

// What the wishes weigh, per leg length squared or rad squared, so the numbers compare directly: feet and balance
// come first, then the trunk, then the arms, and the standing pose decides what is left open. Tuned on kata20 and the
// built-in demonstrations: steps of ten between what must hold and what should.
const (
	FootGain     = 10000 // place of a standing foot
	FootTurnGain = 1000
	SwingGain    = 1000 // place of a foot in the air
	ComGain      = 1000
	HipGain      = 30 // height of the hips
	RootTurnGain = 3
	ChestGain    = 2
	HeadGain     = 0.3
	UpperGain    = 1 // direction of an upper arm
	ForeGain     = 0.6
	restGain     = 2e-3 // towards the standing pose
	stayGain     = 2e-2 // towards the frame before: decides where the pose is singular
	leadGain     = 30   // towards the blended joint angles in lead-in and lead-out, and known arms
)

// Damping of the equations where the targets are met, and by a share of the error where not: no jumps where targets are
// out of reach (Sugihara, Solvability-unconcerned inverse kinematics, IEEE T-RO 27(5), 2011). Tuned on kata20.
const (
	damping   = 1e-5
	dampError = 0.1
)

// bodyTerms are the wishes about everything but the arms.
func bodyTerms(r *physique.Robot, tg *plan.Target) []lsq.Term {
	perM, m := 1/r.An.LegLengthM(), r.Kin
	out := make([]lsq.Term, 0, 9)
	for s := range tg.Foot {
		ft, leg := &tg.Foot[s], &r.An.Legs[s]
		out = append(out,
			lsq.Place{Model: m, Body: leg.Foot, Local: r.FootPoint[s], Want: ft.At, PerM: perM,
				Gain: SwingGain + (FootGain-SwingGain)*ft.Grip},
			lsq.Rotation{Model: m, Body: leg.Foot, Local: leg.FootFromSole, Want: spatial.FromYaw(ft.Yaw),
				Gain: FootTurnGain * ft.Level * ft.Level * (0.05 + 0.95*ft.Grip)})
	}
	out = append(out, lsq.Rotation{Model: m, Body: r.An.Root, Local: spatial.Identity(), Want: tg.RootRot,
		Gain: RootTurnGain})
	if r.HasWaist {
		out = append(out, lsq.Rotation{Model: m, Body: r.An.Chest, Local: r.ChestFromBody, Want: tg.ChestRot,
			Gain: ChestGain * (1 - tg.Lead)})
	}
	if len(r.An.Neck) > 0 {
		out = append(out, lsq.Rotation{Model: m, Body: r.An.Head, Local: r.HeadFromBody, Want: tg.HeadRot,
			Gain: HeadGain * (1 - tg.Lead)})
	}
	return append(out,
		lsq.Height{Model: m, Body: r.An.Root, Local: r.HipMid, WantM: tg.HipM, PerM: perM, Gain: HipGain},
		lsq.CentreOfMass{Model: m, Active: r.Active, Want: tg.Com, PerM: perM, Gain: ComGain})
}

// armTerms are the wishes about the arms; none where there are none or the robot stands.
func armTerms(r *physique.Robot, tg *plan.Target) (out []lsq.Term) {
	if !r.An.HasArms || tg.Lead >= 1 {
		return nil
	}
	for a := range r.An.Arms {
		arm := &r.An.Arms[a]
		for _, t := range ArmSegments(r, arm, tg.Upper[a], tg.Fore[a]) {
			t.Around = true
			t.Gain *= (1 - tg.ArmDoubt[a]) * (1 - tg.Lead)
			out = append(out, t)
		}
	}
	return out
}

// ArmSegments are the wishes that upper arm and forearm point somewhere.
func ArmSegments(r *physique.Robot, arm *anatomy.Arm, upper, fore spatial.Vec3) []lsq.Segment {
	out := []lsq.Segment{{Model: r.Kin, From: arm.Shoulder, To: arm.Elbow,
		Limb: armPath(r, arm.Elbow.Body), Want: upper, Gain: UpperGain}}
	if arm.HasElbow {
		out = append(out, lsq.Segment{Model: r.Kin, From: arm.Elbow, To: arm.End,
			Limb: armPath(r, arm.End.Body), Want: fore, Gain: ForeGain})
	}
	return out
}

// armPath is the part of the path to a body that is of the arm.
func armPath(r *physique.Robot, body int) []int {
	path := r.Kin.Path(body)
	for len(path) > 0 && !r.IsArm[path[0]] {
		path = path[1:]
	}
	return path
}
