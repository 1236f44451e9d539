package rollout

// Feet is the number of feet in a row: left, then right.
const Feet = 2

// Params is the number of drawn dynamics values at the end of a row, for a critic that may know them: friction, mean
// mass scale, mean gain scale, torque scale, command delay in s, sensor delay in s.
const Params = 6

// Layout says how the packed rows of an Env are cut.
type Layout struct {
	Worlds, Joints int
	PeriodS        float64 // one Step
}

// RowLen is the number of float64 in a row.
func (l Layout) RowLen() int { return 5*l.Joints + 6 + 13 + Feet + 3*Feet + 3*Feet + 1 + Params }

// Row is a view of one world's packed state; its slices alias the packed array, in this order.
type Row struct {
	// What the robot's own sensors say, with delay, noise and zero error.
	JointPosRad, JointVelRadPerS []float64
	GyroRadPerS                  []float64 // angular velocity of the root, root frame
	Gravity                      []float64 // unit vector of gravity (down) in the root frame; (0,0,-1) upright
	// The truth.
	RootPosM, RootQuat                   []float64 // world; quaternion worldFromRoot, wxyz
	RootLinVelMPerS                      []float64 // world frame
	RootAngVelRadPerS                    []float64 // root frame
	TrueJointPosRad, TrueJointVelRadPerS []float64
	TorqueNm                             []float64 // of each servo, averaged over the step or at its end
	FootForceN                           []float64 // normal force on each foot
	FootPosM, FootVelMPerS               []float64 // of each sole's centre, world frame
	Diverged                             []float64 // one number; not 0 when the physics broke down
	Params                               []float64
}

// Row cuts world w's row out of the packed rows.
func (l Layout) Row(rows []float64, w int) Row {
	n := l.RowLen()
	rest := rows[w*n : (w+1)*n : (w+1)*n]
	cut := func(k int) []float64 {
		s := rest[:k:k]
		rest = rest[k:]
		return s
	}
	var r Row
	r.JointPosRad, r.JointVelRadPerS, r.GyroRadPerS, r.Gravity = cut(l.Joints), cut(l.Joints), cut(3), cut(3)
	r.RootPosM, r.RootQuat, r.RootLinVelMPerS, r.RootAngVelRadPerS = cut(3), cut(4), cut(3), cut(3)
	r.TrueJointPosRad, r.TrueJointVelRadPerS, r.TorqueNm = cut(l.Joints), cut(l.Joints), cut(l.Joints)
	r.FootForceN, r.FootPosM, r.FootVelMPerS = cut(Feet), cut(3*Feet), cut(3*Feet)
	r.Diverged, r.Params = cut(1), cut(Params)
	return r
}
