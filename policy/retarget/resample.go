package retarget

import (
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// at returns the performance at other moments: at[k] counts in frames of pf. What the person does, and on which feet,
// has been decided at the person's own pace and does not change with the robot's: a touch of the floor that is too short
// to be a stance does not become one by being slowed down. overlap is how many frames both feet stand while the weight
// goes over.
func (pf *perform) at(at []float64, overlap int) *perform {
	out := *pf
	out.intents = make([]intent, len(at))
	last := len(pf.intents) - 1
	for k, u := range at {
		i := min(max(int(u), 0), max(last-1, 0))
		c := cubic{f: u - float64(i)}
		for j := range c.in {
			c.in[j] = &pf.intents[min(max(i+j-1, 0), last)]
		}
		c.write(&out.intents[k])
		out.intents[k].on = pf.intents[min(max(int(math.Round(u)), 0), last)].on
	}
	out.overlap(overlap)
	return &out
}

// cubic goes through four intents with a continuous speed (Catmull and Rom): it is a fraction f of the way from the
// second to the third.
type cubic struct {
	in [4]*intent
	f  float64
}

func (c *cubic) number(get func(*intent) float64) float64 {
	var v [4]float64
	for j := range v {
		v[j] = get(c.in[j])
	}
	f := c.f
	return v[1] + f/2*(v[2]-v[0]+f*(2*v[0]-5*v[1]+4*v[2]-v[3]+f*(3*(v[1]-v[2])+v[3]-v[0])))
}

func (c *cubic) vector(get func(*intent) *spatial.Vec3) (out spatial.Vec3) {
	for k := range out {
		out[k] = c.number(func(in *intent) float64 { return get(in)[k] })
	}
	return out
}

func (c *cubic) direction(get func(*intent) *spatial.Vec3) spatial.Vec3 {
	return c.vector(get).Unit(*get(c.in[1]))
}

func (c *cubic) rotation(get func(*intent) *spatial.Quat) spatial.Quat {
	first := *get(c.in[1])
	var out spatial.Quat
	for k := range out {
		out[k] = c.number(func(in *intent) float64 {
			q := *get(in)
			return q[k] * math.Copysign(1, q.Dot(first))
		})
	}
	return out.Normalize()
}

func (c *cubic) write(out *intent) {
	out.heading = c.number(func(in *intent) float64 { return in.heading })
	out.hip = c.number(func(in *intent) float64 { return in.hip })
	out.tilt = c.direction(func(in *intent) *spatial.Vec3 { return &in.tilt })
	out.chest = c.rotation(func(in *intent) *spatial.Quat { return &in.chest })
	out.head = c.rotation(func(in *intent) *spatial.Quat { return &in.head })
	out.com = c.vector(func(in *intent) *spatial.Vec3 { return &in.com })
	for s := range out.foot {
		out.upper[s] = c.direction(func(in *intent) *spatial.Vec3 { return &in.upper[s] })
		out.arm[s] = c.direction(func(in *intent) *spatial.Vec3 { return &in.arm[s] })
		out.reach[s] = c.direction(func(in *intent) *spatial.Vec3 { return &in.reach[s] })
		out.thigh[s] = c.direction(func(in *intent) *spatial.Vec3 { return &in.thigh[s] })
		out.shank[s] = c.direction(func(in *intent) *spatial.Vec3 { return &in.shank[s] })
		out.foot[s] = c.vector(func(in *intent) *spatial.Vec3 { return &in.foot[s] })
		out.footYaw[s] = c.number(func(in *intent) float64 { return in.footYaw[s] })
	}
}
