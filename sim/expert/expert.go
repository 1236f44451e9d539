// Package expert makes a teacher for imitation: a time-varying linear-quadratic regulator (TVLQR) around a reference
// motion, which knows the robot's true state, place in the room included.
//
// A kinematic reference cannot be linearised about as it stands: its feet float or sink by fractions of a millimetre,
// and where nothing touches the floor nothing can balance. So the reference is first played on the servos in the
// engine with an invisible hand on the root, a soft spring towards the reference; the states of that run have true
// contacts. The engine's derivatives there, and what the hand had done (it appears as a known disturbance), give the
// regulator by the Riccati recursion, backwards from a last pose held for a second.
//
// Not here: learning from it (policy/train). A TVLQR is read-only once made and may be shared.
package expert

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/policy/obs"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/sim/mujoco"
	"github.com/mitori-robotics/mitori/sim/scene"
)

// TVLQR is the regulator of one robot along the references of one task.
type TVLQR struct {
	joints   []scene.Joint
	rootDof  int
	nv, nu   int
	scaleRad float64
	refs     []*obs.Reference
	paths    [][]point
}

// point is one policy step of a path.
type point struct {
	root       spatial.Vec3
	quat       spatial.Quat
	qpos, qvel []float64  // joints in canonical order; qvel: the engine's, all degrees of freedom
	a, b       *mat.Dense // over one policy period: tangent state (2 nv) and commands (nu)
	drift      *mat.VecDense
	gain       *mat.Dense // nu x 2 nv
	feed       *mat.VecDense
}

// Weights of the quadratic cost, squared error and squared command in SI units. A cheap command looks fine and fails
// under noise; see the cost of command.
const (
	rootPosCost   = 100.0 // m
	rootRotCost   = 30.0  // rad
	jointCost     = 2.0   // rad
	rootVelCost   = 3.0   // m/s
	rootSpinCost  = 0.5   // rad/s
	jointVelCost  = 0.01  // rad/s
	commandCost   = 20.0  // rad
	subSteps      = 4     // engine steps a policy period
	difference    = 1e-2  // of the finite differences: wide enough to smooth over the edge of contact; 1e-3 fails on one leg
	handNPerM     = 500.0
	handNsPerM    = 60.0
	handNmPerRad  = 20.0
	handNmsPerRad = 1.5
	maxAction     = 4.0 // in units of the action map
)

// New computes the regulator; it takes a few seconds a reference.
func New(b *body.Body, task *rollout.Task) (*TVLQR, error) {
	sc, err := scene.Compile(b, task.Spec.PeriodS/subSteps)
	if err != nil {
		return nil, err
	}
	defer sc.Close()
	data, err := mujoco.NewData(sc.Model)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	t := &TVLQR{joints: sc.Joints, rootDof: sc.RootDof, nv: sc.Model.NV, nu: sc.Model.NU, scaleRad: task.Spec.Action.ScaleRad, refs: task.Refs}
	for i, ref := range task.Refs {
		path, err := t.follow(sc, data, ref, task.HoldSteps)
		if err != nil {
			return nil, fmt.Errorf("expert: reference %d: %w", i, err)
		}
		if err := t.regulate(path); err != nil {
			return nil, fmt.Errorf("expert: reference %d: %w", i, err)
		}
		t.paths = append(t.paths, path)
	}
	return t, nil
}

// follow plays the reference with the hand and linearises every step.
func (t *TVLQR) follow(sc *scene.Scene, d *mujoco.Data, ref *obs.Reference, hold int) ([]point, error) {
	if err := d.Reset(-1); err != nil {
		return nil, err
	}
	f := ref.At(0)
	copy(d.QPos, sc.StandQPos)
	copy(d.QPos[sc.RootQPos:], f.RootPosM[:])
	copy(d.QPos[sc.RootQPos+3:], f.RootQuat[:])
	for j, at := range sc.Joints {
		d.QPos[at.QPos] = f.JointPosRad[j]
	}
	for range settleSteps { // into the floor's contact
		if err := t.advance(sc, d, ref, 0, true); err != nil {
			return nil, err
		}
	}
	path := make([]point, len(ref.Frames)+hold)
	state := make([]float64, sc.Model.StateSize(mujoco.StateIntegration))
	var free point // where the previous period would have led without the hand
	for k := range path {
		path[k] = t.read(sc, d)
		if k > 0 {
			path[k-1].drift = mat.NewVecDense(2*t.nv, t.difference(&path[k], &free, nil))
		}
		d.State(state, mujoco.StateIntegration)
		if err := t.linearise(sc, d, ref, k, &path[k]); err != nil {
			return nil, err
		}
		d.SetState(state, mujoco.StateIntegration)
		if err := t.advance(sc, d, ref, k, false); err != nil {
			return nil, err
		}
		free = t.read(sc, d)
		d.SetState(state, mujoco.StateIntegration)
		if err := t.advance(sc, d, ref, k, true); err != nil {
			return nil, err
		}
	}
	last := t.read(sc, d)
	path[len(path)-1].drift = mat.NewVecDense(2*t.nv, t.difference(&last, &free, nil))
	return path, nil
}

const settleSteps = 25

func (t *TVLQR) command(d *mujoco.Data, ref *obs.Reference, k int) {
	for j, at := range t.joints {
		d.Ctrl[at.Actuator] = ref.At(k).JointPosRad[j]
	}
}

// advance plays one period of the reference's commands from step k, with or without the hand.
func (t *TVLQR) advance(sc *scene.Scene, d *mujoco.Data, ref *obs.Reference, k int, hand bool) error {
	t.command(d, ref, k)
	now, next := ref.At(k), ref.At(k+1)
	for s := range subSteps {
		clear(d.QFrcApplied)
		if hand {
			share := float64(s+1) / subSteps
			pos := vec(d.QPos[sc.RootQPos:])
			q := quat(d.QPos[sc.RootQPos+3:])
			want := now.RootQuat.Slerp(next.RootQuat, share)
			force := now.RootPosM.Lerp(next.RootPosM, share).Sub(pos).Scale(handNPerM)
			// The free joint's velocity and force: linear in the world's axes, angular in the body's.
			turn := q.Inv().Mul(want).Log().Scale(handNmPerRad)
			moving := 1.0
			if ref.Resting(k) {
				moving = 0
			}
			for i := range 3 {
				d.QFrcApplied[sc.RootDof+i] = force[i] + handNsPerM*(moving*now.RootLinVelMPerS[i]-d.QVel[sc.RootDof+i])
				d.QFrcApplied[sc.RootDof+3+i] = turn[i] + handNmsPerRad*(moving*now.RootAngVelRadPerS[i]-d.QVel[sc.RootDof+3+i])
			}
		}
		if err := d.Step(1); err != nil {
			return err
		}
	}
	clear(d.QFrcApplied)
	return nil
}

func (t *TVLQR) read(sc *scene.Scene, d *mujoco.Data) point {
	p := point{root: vec(d.QPos[sc.RootQPos:]), quat: quat(d.QPos[sc.RootQPos+3:]),
		qpos: make([]float64, len(t.joints)), qvel: append([]float64(nil), d.QVel...)}
	for j, at := range t.joints {
		p.qpos[j] = d.QPos[at.QPos]
	}
	return p
}

// linearise fills a and b over one period, taking the derivatives at its start to hold throughout.
func (t *TVLQR) linearise(sc *scene.Scene, d *mujoco.Data, ref *obs.Reference, k int, p *point) error {
	n := 2 * t.nv
	fa, fb := make([]float64, n*n), make([]float64, n*sc.Model.NU)
	t.command(d, ref, k)
	clear(d.QFrcApplied)
	if err := d.TransitionFD(fa, fb, difference, true); err != nil {
		return err
	}
	a1, b1 := mat.NewDense(n, n, fa), mat.NewDense(n, len(t.joints), nil)
	for j, at := range t.joints { // commands in canonical order
		for i := range n {
			b1.Set(i, j, fb[i*sc.Model.NU+at.Actuator])
		}
	}
	p.a, p.b = mat.DenseCopyOf(a1), mat.DenseCopyOf(b1)
	for range subSteps - 1 {
		var a, b mat.Dense
		a.Mul(a1, p.a)
		b.Mul(a1, p.b)
		b.Add(&b, b1)
		p.a, p.b = &a, &b
	}
	return nil
}

// difference is to - from in the engine's tangent space at from: positions, then velocities.
func (t *TVLQR) difference(from, to *point, dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, 2*t.nv)
	}
	dp := to.root.Sub(from.root)
	dr := from.quat.Inv().Mul(to.quat).Log()
	for i := range 3 {
		dst[t.rootDof+i], dst[t.rootDof+3+i] = dp[i], dr[i]
	}
	for j, at := range t.joints {
		dst[at.Dof] = to.qpos[j] - from.qpos[j]
	}
	for i, v := range to.qvel {
		dst[t.nv+i] = v - from.qvel[i]
	}
	return dst
}

// regulate runs the Riccati recursion backwards along the path. With V(x) = x'Px + 2 p'x and x+ = A x + B u + drift,
// the best command is u = -gain x - feed.
func (t *TVLQR) regulate(path []point) error {
	n, m := 2*t.nv, len(t.joints)
	q := mat.NewDiagDense(n, t.costs())
	value, slope := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	value.Copy(q)
	for k := len(path) - 1; k >= 0; k-- {
		p := &path[k]
		var pb, h, closed, next mat.Dense
		pb.Mul(value, p.b) // P is symmetric: B'P = pb'
		h.Mul(p.b.T(), &pb)
		for i := range m {
			h.Set(i, i, h.At(i, i)+commandCost)
		}
		var ahead, bs mat.VecDense
		ahead.MulVec(value, p.drift)
		ahead.AddVec(&ahead, slope)
		bs.MulVec(p.b.T(), &ahead)
		var bpa mat.Dense
		bpa.Mul(pb.T(), p.a)
		p.gain, p.feed = new(mat.Dense), new(mat.VecDense)
		if err := p.gain.Solve(&h, &bpa); err != nil {
			return fmt.Errorf("step %d: no regulator: %w", k, err)
		}
		if err := p.feed.SolveVec(&h, &bs); err != nil {
			return fmt.Errorf("step %d: no regulator: %w", k, err)
		}
		closed.Mul(p.b, p.gain)
		closed.Sub(p.a, &closed)
		var pc mat.Dense
		pc.Mul(value, &closed)
		next.Mul(p.a.T(), &pc)
		next.Add(&next, q)
		var s mat.VecDense
		s.MulVec(closed.T(), &ahead)
		for i := range n { // rounding must not break the symmetry
			for j := range n {
				value.Set(i, j, (next.At(i, j)+next.At(j, i))/2)
			}
		}
		slope.CopyVec(&s)
		p.a, p.b, p.drift = nil, nil, nil
		if v := mat.Max(value); math.IsNaN(v) || v > 1e12 {
			return fmt.Errorf("step %d: the cost grows without bound", k)
		}
	}
	return nil
}

func (t *TVLQR) costs() []float64 {
	q := make([]float64, 2*t.nv)
	for i := range 3 {
		q[t.rootDof+i], q[t.rootDof+3+i] = rootPosCost, rootRotCost
		q[t.nv+t.rootDof+i], q[t.nv+t.rootDof+3+i] = rootVelCost, rootSpinCost
	}
	for _, at := range t.joints {
		q[at.Dof], q[t.nv+at.Dof] = jointCost, jointVelCost
	}
	return q
}

// Label writes what the regulator would do in every world now, in network units, worlds x joints.
func (t *TVLQR) Label(dst []float32, r *rollout.Runner) error {
	n := len(t.joints)
	now := point{qpos: make([]float64, n), qvel: make([]float64, t.nv)}
	x := make([]float64, 2*t.nv)
	var u mat.VecDense
	for w := range r.Worlds() {
		clip, step := r.Where(w)
		row, path := r.Row(w), t.paths[clip]
		p := &path[min(max(step, 0), len(path)-1)]
		now.root, now.quat = vec(row.RootPosM), quat(row.RootQuat)
		copy(now.qpos, row.TrueJointPosRad)
		copy(now.qvel, p.qvel) // degrees of freedom beside root and joints count as where they should be
		for i := range 3 {
			now.qvel[t.rootDof+i], now.qvel[t.rootDof+3+i] = row.RootLinVelMPerS[i], row.RootAngVelRadPerS[i]
		}
		for j, at := range t.joints {
			now.qvel[at.Dof] = row.TrueJointVelRadPerS[j]
		}
		u.MulVec(p.gain, mat.NewVecDense(len(x), t.difference(p, &now, x)))
		u.AddVec(&u, p.feed)
		for j := range n {
			a := -u.AtVec(j) / t.scaleRad
			dst[w*n+j] = float32(min(max(a, -maxAction), maxAction))
		}
	}
	return nil
}

func vec(x []float64) spatial.Vec3  { return spatial.Vec3{x[0], x[1], x[2]} }
func quat(x []float64) spatial.Quat { return spatial.Quat{x[0], x[1], x[2], x[3]} }
