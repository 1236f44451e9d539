package worlds

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/rollout"
)

// Step implements rollout.Env.
func (e *Env) Step(targets, rows []float64) error {
	if len(targets) != len(e.worlds)*e.layout.Joints || len(rows) != len(e.worlds)*e.layout.RowLen() {
		panic("worlds: targets and rows must hold every world")
	}
	e.alive = e.alive[:0]
	for w := range e.worlds {
		if e.worlds[w].Dead || e.worlds[w].Parked {
			continue
		}
		e.alive = append(e.alive, w)
		e.command(w, targets[w*e.layout.Joints:(w+1)*e.layout.Joints])
		e.push(w)
	}
	if len(e.alive) > 0 {
		if err := e.period.Run(e.alive); err != nil && !e.anyFailed() {
			return fmt.Errorf("worlds: %w", err)
		}
	}
	for _, w := range e.alive {
		wd := &e.worlds[w]
		wd.Step++
		if e.batch.Failed(w) || e.batch.Diverged(w) {
			// The engine has put the world back to its default state, where it stays.
			wd.Dead = true
			e.rest(w)
		}
		e.remember(w)
	}
	for w := range e.worlds {
		if !e.worlds[w].Parked {
			e.write(w, e.layout.Row(rows, w))
		}
	}
	return nil
}

// anyFailed reports whether the engine raised an error in some world that ran;
// such a world is reported in its row and the others go on.
func (e *Env) anyFailed() bool {
	for _, w := range e.alive {
		if e.batch.Failed(w) {
			return true
		}
	}
	return false
}

// rest makes the state of a world that broke down a legal one: standing, still.
func (e *Env) rest(w int) {
	row, m := e.row(w), e.scene.Model
	clear(row[e.at.qvel : e.at.qvel+m.NV])
	clear(row[e.at.warm : e.at.warm+m.NV])
	copy(row[e.at.qpos:], e.scene.StandQPos)
	nu := m.NU
	clear(e.period.TorqueNm[w*nu : (w+1)*nu])
	clear(e.period.TorqueSqNm2[w*nu : (w+1)*nu])
	clear(e.period.TorqueSat[w*nu : (w+1)*nu])
	for _, v := range [][]float64{e.period.FootForceN, e.period.FootSlideMPerS} {
		clear(v[w*rollout.Feet : (w+1)*rollout.Feet])
	}
	for _, v := range [][]float64{e.period.FootPosM, e.period.FootVelMPerS} {
		clear(v[w*3*rollout.Feet : (w+1)*3*rollout.Feet])
	}
}

// command puts the target into the delay line and gives the engine the two
// targets that are in force during the coming period.
func (e *Env) command(w int, target []float64) {
	wd := &e.worlds[w]
	nj := e.layout.Joints
	line := e.targets[w*e.slots*nj : (w+1)*e.slots*nj]
	slot := func(step int64) []float64 {
		k := int((step + int64(e.slots)) % int64(e.slots))
		return line[k*nj : (k+1)*nj]
	}
	copy(slot(wd.Step), target)
	whole, part := wd.DelaySub/int64(e.sub), wd.DelaySub%int64(e.sub)
	before, now := slot(wd.Step-whole-1), slot(wd.Step-whole)
	nu := e.scene.Model.NU
	for j, at := range e.scene.Joints {
		z := e.zero[w*nj+j]
		e.period.CtrlOld[w*nu+at.Actuator] = before[j] - z
		e.period.CtrlNew[w*nu+at.Actuator] = now[j] - z
	}
	e.period.SwitchAt[w] = int32(part)
}

// push kicks the root when it is time.
func (e *Env) push(w int) {
	wd := &e.worlds[w]
	if wd.Ranges.PushEveryS[1] <= 0 || float64(wd.Step)*e.layout.PeriodS < wd.NextPushS-1e-9 {
		return
	}
	speed, heading := wd.Pushes.in(wd.Ranges.PushSpeedMPerS), 2*math.Pi*wd.Pushes.unit()
	v := e.row(w)[e.at.qvel+e.scene.RootDof:]
	v[0] += speed * math.Cos(heading)
	v[1] += speed * math.Sin(heading)
	wd.NextPushS += wd.Pushes.in(wd.Ranges.PushEveryS)
}

// sample writes what ideal sensors would say now: joint positions and speeds,
// angular velocity and gravity in the root frame.
func (e *Env) sample(w int, dst []float64) {
	row, sc, nj := e.row(w), e.scene, e.layout.Joints
	qpos, qvel := row[e.at.qpos:], row[e.at.qvel:]
	for j, at := range sc.Joints {
		dst[j] = qpos[at.QPos] + e.zero[w*nj+j]
		dst[nj+j] = qvel[at.Dof]
	}
	copy(dst[2*nj:2*nj+3], qvel[sc.RootDof+3:sc.RootDof+6])
	q := spatial.Quat(qpos[sc.RootQPos+3 : sc.RootQPos+7])
	g := q.Inv().Rotate(e.worlds[w].Down)
	copy(dst[2*nj+3:], g[:])
}

func (e *Env) sensorSlot(w int, step int64) []float64 {
	n := 2*e.layout.Joints + 6
	k := int((step + int64(e.slots)) % int64(e.slots))
	return e.sensed[(w*e.slots+k)*n : (w*e.slots+k+1)*n]
}

// fillSensors makes the past of a new episode equal its first instant.
func (e *Env) fillSensors(w int) {
	first := e.sensorSlot(w, 0)
	e.sample(w, first)
	for k := 1; k < e.slots; k++ {
		copy(e.sensorSlot(w, int64(k)), first)
	}
}

func (e *Env) remember(w int) { e.sample(w, e.sensorSlot(w, e.worlds[w].Step)) }

// write packs world w's row. Sensor values between two periods are interpolated.
func (e *Env) write(w int, out rollout.Row) {
	wd, nj := &e.worlds[w], e.layout.Joints
	periods := wd.SensorDelayS / e.layout.PeriodS
	whole := math.Floor(periods)
	f := periods - whole
	now, before := e.sensorSlot(w, wd.Step-int64(whole)), e.sensorSlot(w, wd.Step-int64(whole)-1)
	v := e.noise
	for i := range v {
		v[i] = (1-f)*now[i] + f*before[i]
	}
	e.addNoise(w, v)
	copy(out.JointPosRad, v[:nj])
	copy(out.JointVelRadPerS, v[nj:2*nj])
	copy(out.GyroRadPerS, v[2*nj:2*nj+3])
	g := spatial.Vec3(v[2*nj+3:]).Unit(spatial.Vec3{0, 0, -1})
	copy(out.Gravity, g[:])

	row, sc, p := e.row(w), e.scene, e.period
	qpos, qvel := row[e.at.qpos:], row[e.at.qvel:]
	copy(out.RootPosM, qpos[sc.RootQPos:sc.RootQPos+3])
	copy(out.RootQuat, qpos[sc.RootQPos+3:sc.RootQPos+7])
	copy(out.RootLinVelMPerS, qvel[sc.RootDof:sc.RootDof+3])
	copy(out.RootAngVelRadPerS, qvel[sc.RootDof+3:sc.RootDof+6])
	nu := sc.Model.NU
	for j, at := range sc.Joints {
		out.TrueJointPosRad[j], out.TrueJointVelRadPerS[j] = qpos[at.QPos], qvel[at.Dof]
		out.TorqueNm[j] = p.TorqueNm[w*nu+at.Actuator]
	}
	copy(out.FootForceN, p.FootForceN[w*rollout.Feet:])
	copy(out.FootPosM, p.FootPosM[w*3*rollout.Feet:])
	copy(out.FootVelMPerS, p.FootVelMPerS[w*3*rollout.Feet:])
	out.Diverged[0] = 0
	if wd.Dead {
		out.Diverged[0] = 1
	}
	copy(out.Params, wd.Params[:])
}

// addNoise disturbs the sensor values by white noise; v is joint positions,
// speeds, gyro, gravity.
func (e *Env) addNoise(w int, v []float64) {
	wd, nj := &e.worlds[w], e.layout.Joints
	r := &wd.Ranges
	if r.NoiseJointRad == 0 && r.NoiseJointRadPerS == 0 && r.NoiseGyroRadPerS == 0 && r.NoiseGravity == 0 {
		return
	}
	var pair [2]float64
	add := func(part []float64, sigma float64) {
		for i := 0; i < len(part); i += 2 {
			wd.Noise.normals(pair[:])
			part[i] += sigma * pair[0]
			if i+1 < len(part) {
				part[i+1] += sigma * pair[1]
			}
		}
	}
	add(v[:nj], r.NoiseJointRad)
	add(v[nj:2*nj], r.NoiseJointRadPerS)
	add(v[2*nj:2*nj+3], r.NoiseGyroRadPerS)
	add(v[2*nj+3:], r.NoiseGravity)
}
