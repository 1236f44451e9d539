package kin

import "github.com/mitori-robotics/mitori/models/spatial"

// Derivatives fills vel and acc (each len(q) vectors of length NV) with centred differences of the positions q, taken
// fps times a second; at both ends the motion is taken to be at rest before and after.
func (m *Model) Derivatives(vel, acc, q [][]float64, fps float64) {
	if len(vel) != len(q) || len(acc) != len(q) {
		panic("kin: Derivatives: vel, acc and q differ in length")
	}
	last := len(q) - 1
	for t := range q {
		before, after := q[max(t-1, 0)], q[min(t+1, last)]
		m.Difference(vel[t], before, q[t])
		m.Difference(acc[t], q[t], after)
		for i := range vel[t] {
			a, b := vel[t][i]*fps, acc[t][i]*fps
			vel[t][i], acc[t][i] = (a+b)/2, (b-a)*fps
		}
	}
}

// GroundReaction returns the force (N, world axes) and the point of the floor z = floorM that the world must push at
// to give the generalized forces tau of InverseDynamics, for a robot whose body root has the free joint. ok is false
// where the floor would have to pull.
func (m *Model) GroundReaction(d *Data, root int, tau []float64, floorM float64) (cop, force spatial.Vec3, ok bool) {
	i := m.Tree.Joints[m.Tree.Bodies[root].Joints[0]].QVel
	force = spatial.Vec3{tau[i], tau[i+1], tau[i+2]}
	moment := d.BodyRot[root].Rotate(spatial.Vec3{tau[i+3], tau[i+4], tau[i+5]})
	cop, ok = CenterOfPressure(d.BodyPos[root], force, moment, floorM)
	return cop, force, ok
}
