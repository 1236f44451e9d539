package solve

import (
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// The network marks points on the surface of a body, not its joints: shoulders too
// high, ears above the ear holes, elbows, wrists and knuckles too near to the trunk,
// and hips and knees that move with the bend of the leg, so that a thigh which points
// at the camera looks too long by a tenth. The fit therefore looks for joints and
// knows where their marks are.
//
// Offsets of the marks in the axes of the bones at the joint, as shares of stature.
// Fitted to the marks of rendered clips of known pose (33 clips, five motions, cameras
// 0.4 to 2 m high, from before, aside and behind); they take the error in the picture
// from 12 to 7 mm at the hips, from 12 to 8 at the knees and 18 to 11 at the elbows.
// Marks of ankles, heels and toes: see ankleSeenHeight.
const (
	hipMarkUp, hipMarkAhead, hipMarkDown = 0.0128, 0.0064, 0.0151 // of the pelvis; of the thigh's front; along the thigh
	hipMarkOut                           = 0.0058
	kneeMarkThighUp, kneeMarkThighBack   = 0.0064, 0.0093 // along the thigh; behind its front
	kneeMarkShankUp, kneeMarkShankAhead  = 0.0047, 0.0105
	shoulderMarkAhead, shoulderMarkIn    = 0.0041, 0.0041
	shoulderMarkUp                       = 0.0050
	elbowMarkUp, elbowMarkDown           = 0.0215, 0.0110 // towards the shoulder; towards the wrist
	wristMarkUp, handMarkUp              = 0.0116, 0.0203
	earMarkUp                            = 0.0120 // along the neck
)

// limbAxes are the directions at one leg that the marks of hip and knee depend on.
type limbAxes struct{ thigh, thighFront, shank, shankFront spatial.Vec3 }

// legAxes finds them; left is the pelvis's.
func legAxes(thighDir, shankDir, left spatial.Vec3) limbAxes {
	front := func(d spatial.Vec3) spatial.Vec3 {
		return d.Cross(left).Unit(spatial.Vec3{0, 0, -1})
	}
	return limbAxes{thighDir, front(thighDir), shankDir, front(shankDir)}
}

// hipMark and kneeMark are the marks of a leg as seen from its joints, m.
func (a *limbAxes) hipMark(up spatial.Vec3, heightM float64) spatial.Vec3 {
	return up.Scale(hipMarkUp * heightM).Add(a.thighFront.Scale(hipMarkAhead * heightM)).
		Add(a.thigh.Scale(hipMarkDown * heightM))
}

func (a *limbAxes) kneeMark(heightM float64) spatial.Vec3 {
	return a.thigh.Scale(-kneeMarkThighUp * heightM).Sub(a.thighFront.Scale(kneeMarkThighBack * heightM)).
		Sub(a.shank.Scale(kneeMarkShankUp * heightM)).Add(a.shankFront.Scale(kneeMarkShankAhead * heightM))
}

// markJoints finds where the marks of all joints are if the bones point along dir.
func (p *problem) markJoints(dir *[len(bones)]spatial.Vec3, out *[numFree]spatial.Vec3) {
	h := p.heightM
	up, left := dir[boneIndex(trunk, 0)], dir[boneIndex(hipWidth, 0)]
	broad := dir[boneIndex(shoulderWidth, 0)]
	ahead := broad.Cross(up).Unit(spatial.Vec3{0, 0, -1})
	out[freeIndex[human.Head]] = dir[boneIndex(neck, 0)].Scale(earMarkUp * h)
	for side, sign := range [2]float64{1, -1} {
		arm, leg := human.LShoulder+human.Joint(4*side), hipJoints[side]
		upper, fore := dir[boneIndex(upperArm, side)], dir[boneIndex(forearm, side)]
		out[freeIndex[arm]] = ahead.Scale(shoulderMarkAhead * h).Add(up.Scale(shoulderMarkUp * h)).
			Sub(broad.Scale(sign * shoulderMarkIn * h))
		out[freeIndex[arm+1]] = fore.Scale(elbowMarkDown * h).Sub(upper.Scale(elbowMarkUp * h))
		out[freeIndex[arm+2]] = fore.Scale(-wristMarkUp * h)
		out[freeIndex[arm+3]] = fore.Scale(-handMarkUp * h)
		a := legAxes(dir[boneIndex(thigh, side)], dir[boneIndex(shank, side)], left)
		out[freeIndex[leg]] = a.hipMark(up, h).Add(left.Scale(sign * hipMarkOut * h))
		out[freeIndex[leg+1]] = a.kneeMark(h)
	}
}

// markAsStarted places the marks by the directions from which the fit starts.
func (p *problem) markAsStarted() {
	for t := range p.n {
		p.markJoints(&p.direction[t], &p.mark[t])
	}
}

// markAsSolved places the marks by the solution.
func (p *problem) markAsSolved() {
	for t := range p.n {
		var dir [len(bones)]spatial.Vec3
		for i, b := range bones {
			dir[i] = unitOr(p.joint(t, b.b).Sub(p.joint(t, b.a)))
		}
		p.markJoints(&dir, &p.mark[t])
	}
}
