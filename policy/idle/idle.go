// Package idle finds the stance in which a robot that only stands heats its motors least.
//
// A servo that holds a torque turns i^2 R into heat and nothing into work. Near the standing pose there is a stance
// with straighter knees and the hips over the ankles that holds the same robot with a part of it. [Find] minimises the
// sum of i^2 R over all joints while the soles stay where they are, the centre of mass stays over the middle of the
// feet, and no joint goes far or near its limit ([Bounds]).
//
// A robot on two feet is statically indeterminate: its legs can press against each other and nobody sees it. Taken is
// what a robot does that was set down straight: each foot carries its share by where the pressure point lies between
// them (half, where the robot is symmetric), straight down. What servos of a real robot add by pressing against each
// other is not known, and comes on top in either stance. Friction in the gears, which holds a part for nothing, is left
// out. Currents follow from the catalogue's stall torque and stall current.
//
// Not here: temperatures (actuators/energy), moving the robot there. Functions are pure and may run concurrently.
package idle

import (
	"errors"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/body"
)

// ErrNone is wrapped where no stance is better without the robot touching itself, or where nothing is known of a motor.
var ErrNone = errors.New("no idle stance")

// Bounds are how far a stance may go.
type Bounds struct {
	TurnRad      float64 // each joint, from the standing pose
	MarginRad    float64 // that a joint keeps from its limits
	LeastBendRad float64 // of the knees: a straight leg can neither balance nor be bent safely under load
	// CentreShare is how far the centre of mass may lie from the middle of the feet, as a share of half a sole's length
	// and width. Where the standing pose has it farther off, so far.
	CentreShare float64
}

// Defaults are 15 degrees, 3 degrees, 5 degrees, and three tenths.
func Defaults() Bounds {
	return Bounds{TurnRad: rad(15), MarginRad: rad(3), LeastBendRad: rad(5), CentreShare: 0.3}
}

func rad(deg float64) float64 { return deg * math.Pi / 180 }

// Load is what a joint holds.
type Load struct {
	AngleRad float64 `json:"angle_rad"`
	TorqueNm float64 `json:"torque_nm"`
	CurrentA float64 `json:"current_a"`
	HeatW    float64 `json:"heat_w"`
}

// Joint is one joint in both stances.
type Joint struct {
	Name  string `json:"name"`
	Stand Load   `json:"stand"`
	Idle  Load   `json:"idle"`
}

// Stance is the result. Joints are in the description's order.
type Stance struct {
	Joints []Joint `json:"joints"`
	StandW float64 `json:"stand_w"` // of all joints
	IdleW  float64 `json:"idle_w"`
	RiseM  float64 `json:"rise_m"` // of the trunk
	// QPos are the positions of the robot's model (NQ), as a keyframe has them.
	QPos []float64 `json:"qpos"`
	// LegsOnly says that arms, waist and neck stay: moving them too would have made the robot touch itself.
	LegsOnly bool `json:"legs_only"`
}

// Find returns the stance of least heat of a humanoid whose servos are in the catalogue. It is never worse than the
// standing pose.
func Find(b *body.Body, bounds Bounds) (*Stance, error) {
	p, err := newProblem(b, bounds)
	if err != nil {
		return nil, err
	}
	for _, legsOnly := range []bool{false, true} {
		q, err := p.solve(legsOnly)
		if err != nil {
			return nil, fmt.Errorf("idle: robot %s: %w", b.Desc.Name, err)
		}
		if p.touches(q) {
			continue
		}
		s := p.tell(q)
		s.LegsOnly = legsOnly
		return s, nil
	}
	return nil, fmt.Errorf("idle: robot %s: %w: the robot would touch itself", b.Desc.Name, ErrNone)
}

// tell describes the stance q beside the standing one.
func (p *problem) tell(q []float64) *Stance {
	s := &Stance{QPos: q, RiseM: q[p.b.Root.QPos+2] - p.stand[p.b.Root.QPos+2]}
	before, after := p.loads(p.stand), p.loads(q)
	for k := range p.b.Joints {
		s.Joints = append(s.Joints, Joint{Name: p.b.Desc.Joints[k].Name, Stand: before[k], Idle: after[k]})
		s.StandW += before[k].HeatW
		s.IdleW += after[k].HeatW
	}
	return s
}

// loads is what every joint holds in a stance.
func (p *problem) loads(q []float64) []Load {
	tau := p.check.Torques(q, p.still, p.still, [2]bool{true, true})
	out := make([]Load, len(p.b.Joints))
	for k := range out {
		j := &p.b.Joints[k]
		a := math.Abs(tau[j.QVel]) / p.motors[k].nmPerA
		out[k] = Load{AngleRad: q[j.QPos], TorqueNm: tau[j.QVel], CurrentA: a, HeatW: a * a * p.motors[k].ohm}
	}
	return out
}
