package observe

import (
	"math"

	"github.com/mitori-robotics/mitori/models/curve"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// At returns the performance at other moments: at[k] counts in frames of this one. What the person does, and on which
// feet, has been decided at the person's own pace and does not change with the robot's: a touch of the floor that is
// too short to be a stance does not become one by being slowed down. overlap is how many frames both feet stand while
// the weight goes over.
func (perf *Performance) At(at []float64, overlap int) *Performance {
	out := *perf
	out.Intents = make([]Intent, len(at))
	last := len(perf.Intents) - 1
	for k, u := range at {
		i := min(max(int(u), 0), max(last-1, 0))
		c := cubic{f: u - float64(i)}
		for j := range c.in {
			c.in[j] = &perf.Intents[min(max(i+j-1, 0), last)]
		}
		c.write(&out.Intents[k])
		out.Intents[k].LegLost = perf.Intents[min(max(int(math.Round(u)), 0), last)].LegLost
		out.Intents[k].On = perf.Intents[min(max(int(math.Round(u)), 0), last)].On
	}
	out.overlap(overlap)
	return &out
}

// cubic goes through four intents with a continuous speed (Catmull and Rom): it is a fraction f of the way from the
// second to the third.
type cubic struct {
	in [4]*Intent
	f  float64
}

func (c *cubic) number(get func(*Intent) float64) float64 {
	var v [4]float64
	for j := range v {
		v[j] = get(c.in[j])
	}
	f := c.f
	return v[1] + f/2*(v[2]-v[0]+f*(2*v[0]-5*v[1]+4*v[2]-v[3]+f*(3*(v[1]-v[2])+v[3]-v[0])))
}

func (c *cubic) vector(get func(*Intent) *spatial.Vec3) (out spatial.Vec3) {
	for k := range out {
		out[k] = c.number(func(in *Intent) float64 { return get(in)[k] })
	}
	return out
}

func (c *cubic) direction(get func(*Intent) *spatial.Vec3) spatial.Vec3 {
	return c.vector(get).Unit(*get(c.in[1]))
}

func (c *cubic) rotation(get func(*Intent) *spatial.Quat) spatial.Quat {
	first := *get(c.in[1])
	var out spatial.Quat
	for k := range out {
		out[k] = c.number(func(in *Intent) float64 {
			q := *get(in)
			return q[k] * math.Copysign(1, q.Dot(first))
		})
	}
	return out.Normalize()
}

func (c *cubic) write(out *Intent) {
	out.Heading = c.number(func(in *Intent) float64 { return in.Heading })
	out.Still = curve.Clamp(c.number(func(in *Intent) float64 { return in.Still }), 0, 1)
	out.Hip = c.number(func(in *Intent) float64 { return in.Hip })
	out.Tilt = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Tilt })
	out.Chest = c.rotation(func(in *Intent) *spatial.Quat { return &in.Chest })
	out.Head = c.rotation(func(in *Intent) *spatial.Quat { return &in.Head })
	out.Com = c.vector(func(in *Intent) *spatial.Vec3 { return &in.Com })
	for s := range out.Foot {
		out.Upper[s] = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Upper[s] })
		out.Fore[s] = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Fore[s] })
		out.Reach[s] = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Reach[s] })
		out.Thigh[s] = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Thigh[s] })
		out.Shank[s] = c.direction(func(in *Intent) *spatial.Vec3 { return &in.Shank[s] })
		out.Foot[s] = c.vector(func(in *Intent) *spatial.Vec3 { return &in.Foot[s] })
		out.ArmDoubt[s] = curve.Clamp(c.number(func(in *Intent) float64 { return in.ArmDoubt[s] }), 0, mostDoubt)
		out.FootYaw[s] = c.number(func(in *Intent) float64 { return in.FootYaw[s] })
	}
}
