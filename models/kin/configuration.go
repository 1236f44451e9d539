package kin

import (
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Integrate writes into dst the positions reached from qpos by moving at the velocities step for one second. dst may
// be qpos.
func (m *Model) Integrate(dst, qpos, step []float64) {
	for i := range m.Tree.Joints {
		j := &m.Tree.Joints[i]
		p, v := j.QPos, j.QVel
		if j.Kind != mjcf.Free {
			dst[p] = qpos[p] + step[v]
			continue
		}
		rot := spatial.Quat{qpos[p+3], qpos[p+4], qpos[p+5], qpos[p+6]}.Normalize()
		rot = rot.Mul(spatial.Exp(spatial.Vec3{step[v+3], step[v+4], step[v+5]})).Normalize()
		for k := 0; k < 3; k++ {
			dst[p+k] = qpos[p+k] + step[v+k]
		}
		copy(dst[p+3:p+7], rot[:])
	}
}

// Difference writes into dst (length NV) the velocities that lead from positions a to b in one second: the inverse of
// Integrate.
func (m *Model) Difference(dst, a, b []float64) {
	for i := range m.Tree.Joints {
		j := &m.Tree.Joints[i]
		p, v := j.QPos, j.QVel
		if j.Kind != mjcf.Free {
			dst[v] = b[p] - a[p]
			continue
		}
		qa := spatial.Quat{a[p+3], a[p+4], a[p+5], a[p+6]}
		qb := spatial.Quat{b[p+3], b[p+4], b[p+5], b[p+6]}
		w := qa.Inv().Mul(qb).Normalize().Log()
		for k := 0; k < 3; k++ {
			dst[v+k] = b[p+k] - a[p+k]
			dst[v+3+k] = w[k]
		}
	}
}
