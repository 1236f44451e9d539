package plan

import (
	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// posture fills in trunk, hip height and arm directions.
func (pl *planner) posture() {
	o, r := pl.out, pl.r
	k := len(pl.person.Intents)
	up := spatial.Vec3{0, 0, 1}
	for t := range o.Targets {
		in, tg := pl.out.Intent(t), &o.Targets[t]
		feet := (tg.Foot[0].Yaw + tg.Foot[1].Yaw) / 2
		twist := curve.Clamp(curve.AngleDiff(in.Heading, feet), -maxTwistRad, maxTwistRad)
		// Over legs that stand still the hips do, too: a waist may turn and lean, nothing else.
		free := 1 - in.Still
		if r.HasWaist {
			free = 1
		}
		q := spatial.FromYaw(feet + free*twist)
		lean := spatial.Between(up, in.Tilt).Log()
		if r.HasWaist {
			lean = lean.Scale(0.4)
		}
		tg.RootRot = spatial.FromYaw(feet + (1-in.Still)*twist).Mul(spatial.Exp(lean.Scale(1 - in.Still)))
		tg.ChestRot = q.Mul(in.Chest)
		tg.HeadRot = q.Mul(in.Head)
		tg.ArmDoubt = in.ArmDoubt
		for s := range tg.Upper {
			tg.Upper[s], tg.Fore[s] = q.Rotate(in.Upper[s]), q.Rotate(in.Fore[s])
			if !r.An.Arms[s].HasElbow {
				tg.Upper[s] = q.Rotate(in.Reach[s])
			}
		}
		ankle := r.An.Legs[anatomy.Left].AnkleHeightM
		tg.HipM = ankle + in.Hip*(r.StandHipM-ankle)
		var w float64 // 1 at quiet standing
		end := Place{}
		switch {
		case t < pl.lead[0]:
			w = 1 - curve.MinJerk(float64(t-pl.frames(HoldS))/float64(pl.lead[0]-pl.frames(HoldS)))
		case t >= pl.lead[0]+k:
			w = curve.MinJerk(float64(t-pl.lead[0]-k+1) / float64(pl.lead[1]-pl.frames(HoldS)))
			end = o.End
		}
		if w > 0 {
			tg.Lead = w
			tg.RootRot = tg.RootRot.Slerp(spatial.FromYaw(end.Yaw).Mul(r.StandRoot), w)
			tg.ChestRot = tg.ChestRot.Slerp(spatial.FromYaw(end.Yaw).Mul(r.StandChest), w)
			tg.HeadRot = tg.HeadRot.Slerp(spatial.FromYaw(end.Yaw).Mul(r.StandHead), w)
			tg.HipM = tg.HipM*(1-w) + r.StandHipM*w
		}
	}
}
