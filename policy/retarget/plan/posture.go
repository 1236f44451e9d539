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
		yaw := feet + curve.Clamp(curve.AngleDiff(in.Heading, feet), -maxTwistRad, maxTwistRad)
		q := spatial.FromYaw(yaw)
		lean := spatial.Between(up, in.Tilt)
		tg.RootRot = q.Mul(lean)
		tg.ChestRot = q.Mul(in.Chest)
		tg.HeadRot = q.Mul(in.Head)
		if r.HasWaist {
			tg.RootRot = q.Mul(spatial.Exp(lean.Log().Scale(0.4)))
		}
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
