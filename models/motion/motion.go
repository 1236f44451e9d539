// Package motion describes what a robot shall do: a reference motion, the time
// series of its root and joints, and its file format (*.motion.npz).
//
// The file has the keys of mjlab / whole_body_tracking (fps, joint_pos,
// joint_vel, body_pos_w, body_quat_w wxyz, body_lin_vel_w, body_ang_vel_w), and
// mjlab loads it as it is; Isaac Lab numbers joints in another order, so that
// whole_body_tracking needs the columns sorted by joint_names and body_names
// first. Body 0 is the root. Beside them stand joint_names, body_names and meta
// (JSON).
//
// A Clip is read-only after load and may be shared.
package motion

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Frame is one instant of a reference motion. All vectors are in world axes.
type Frame struct {
	JointPosRad     []float64 // len = number of joints, order of Clip.JointNames
	JointVelRadPerS []float64
	BodyPosM        []spatial.Vec3 // len = number of bodies, order of Clip.BodyNames; 0 = root
	BodyQuat        []spatial.Quat // worldFromBody
	BodyVelMPerS    []spatial.Vec3 // linear velocity of the body origin
	BodyAngVel      []spatial.Vec3 // rad/s, world axes
	Contacts        [2]float64     // left, right foot on the floor, 0..1
}

// Meta travels with the clip as JSON.
type Meta struct {
	Schema       int             `json:"schema"` // 1
	Robot        string          `json:"robot"`
	RobotHash    string          `json:"robot_hash"`
	Source       string          `json:"source"` // what was retargeted
	SourceSHA256 string          `json:"source_sha256"`
	LeadInS      float64         `json:"lead_in_s"`          // from the standing pose to the motion
	LeadOutS     float64         `json:"lead_out_s"`         // and back
	SourceS      []float64       `json:"source_s,omitempty"` // by frame: time in the source, s, held in the leads
	Tool         string          `json:"tool"`
	Report       json.RawMessage `json:"report,omitempty"` // retarget report
}

// Clip is a reference motion at a constant rate.
type Clip struct {
	FPS        float64
	JointNames []string
	BodyNames  []string
	Frames     []Frame
	Meta       Meta
}

// Seconds returns the time from the first to the last frame.
func (c *Clip) Seconds() float64 { return float64(max(0, len(c.Frames)-1)) / c.FPS }

// Bounds of a clip's time base, against files that claim days or centuries:
// whatever works on a clip takes memory and time in proportion to its seconds.
const (
	MinFPS, MaxFPS = 1.0, 1000.0
	MaxSeconds     = 3600.0
)

// checkSize reports a frame rate, a length or a robot that is out of bounds.
func checkSize(fps float64, frames, joints, bodies int) error {
	switch {
	case !(fps >= MinFPS && fps <= MaxFPS):
		return fmt.Errorf("motion: fps is %g; legal: %g to %g", fps, MinFPS, MaxFPS)
	case frames < 2:
		return fmt.Errorf("motion: %d frames; at least 2 are needed", frames)
	case float64(frames-1)/fps > MaxSeconds:
		return fmt.Errorf("motion: %.0f s; legal: at most %.0f", float64(frames-1)/fps, MaxSeconds)
	case joints == 0 || bodies == 0:
		return fmt.Errorf("motion: %d joints, %d bodies; at least one of each is needed", joints, bodies)
	}
	return nil
}

// Validate reports the first thing that makes the clip unusable.
func (c *Clip) Validate() error {
	nj, nb := len(c.JointNames), len(c.BodyNames)
	if err := checkSize(c.FPS, len(c.Frames), nj, nb); err != nil {
		return err
	}
	for t := range c.Frames {
		f := &c.Frames[t]
		if len(f.JointPosRad) != nj || len(f.JointVelRadPerS) != nj || len(f.BodyPosM) != nb ||
			len(f.BodyQuat) != nb || len(f.BodyVelMPerS) != nb || len(f.BodyAngVel) != nb {
			return fmt.Errorf("motion: frame %d does not have %d joints and %d bodies", t, nj, nb)
		}
		for j := range nj {
			if bad(f.JointPosRad[j]) || bad(f.JointVelRadPerS[j]) {
				return fmt.Errorf("motion: frame %d, joint %s: position %g rad, speed %g rad/s: not finite", t, c.JointNames[j], f.JointPosRad[j], f.JointVelRadPerS[j])
			}
		}
		for b := range nb {
			if bad(f.BodyPosM[b].Norm()) || bad(f.BodyVelMPerS[b].Norm()) || bad(f.BodyAngVel[b].Norm()) {
				return fmt.Errorf("motion: frame %d, body %s: not finite", t, c.BodyNames[b])
			}
			if n := f.BodyQuat[b].Dot(f.BodyQuat[b]); math.IsNaN(n) || math.Abs(n-1) > 1e-3 {
				return fmt.Errorf("motion: frame %d, body %s: %v is not a unit quaternion (w, x, y, z)", t, c.BodyNames[b], f.BodyQuat[b])
			}
		}
		if bad(f.Contacts[0]) || bad(f.Contacts[1]) {
			return fmt.Errorf("motion: frame %d: contacts %v are not finite", t, f.Contacts)
		}
	}
	return nil
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// Save writes the clip as *.motion.npz, completely or not at all. Numbers are
// stored in double precision.
func (c *Clip) Save(name string) error {
	a, err := c.Archive()
	if err != nil {
		return err
	}
	return npz.Save(name, a)
}

// Archive returns the clip in file form.
func (c *Clip) Archive() (npz.Archive, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	t, nj, nb := len(c.Frames), len(c.JointNames), len(c.BodyNames)
	var jp, jv, bp, bq, bv, bw, con []float64
	for i := range c.Frames {
		f := &c.Frames[i]
		jp, jv = append(jp, f.JointPosRad...), append(jv, f.JointVelRadPerS...)
		for b := range nb {
			bp, bq = append(bp, f.BodyPosM[b][:]...), append(bq, f.BodyQuat[b][:]...)
			bv, bw = append(bv, f.BodyVelMPerS[b][:]...), append(bw, f.BodyAngVel[b][:]...)
		}
		con = append(con, f.Contacts[:]...)
	}
	meta := c.Meta
	meta.Schema = 1
	js, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	return npz.Archive{
		"fps":            npz.Floats([]float64{c.FPS}, 1), // a list, as whole_body_tracking writes and reads it
		"joint_pos":      npz.Floats(jp, t, nj),
		"joint_vel":      npz.Floats(jv, t, nj),
		"body_pos_w":     npz.Floats(bp, t, nb, 3),
		"body_quat_w":    npz.Floats(bq, t, nb, 4),
		"body_lin_vel_w": npz.Floats(bv, t, nb, 3),
		"body_ang_vel_w": npz.Floats(bw, t, nb, 3),
		"contacts":       npz.Floats(con, t, 2),
		"joint_names":    npz.Strings(c.JointNames),
		"body_names":     npz.Strings(c.BodyNames),
		"meta":           npz.String(string(js)),
	}, nil
}

// Load reads a *.motion.npz file. A file that holds no usable clip is
// infile.ErrUnusable.
func Load(name string) (*Clip, error) {
	a, err := npz.Load(name, members[:]...)
	if err != nil {
		return nil, err
	}
	c, err := FromArchive(a)
	if err != nil {
		return nil, infile.Refuse(name, err)
	}
	return c, nil
}

// Read is Load for a file in memory.
func Read(data []byte) (*Clip, error) {
	a, err := npz.Read(data, members[:]...)
	if err != nil {
		return nil, err
	}
	return FromArchive(a)
}

// members of the file that are read.
var members = [...]string{
	"fps", "joint_names", "body_names", "joint_pos", "joint_vel", "body_pos_w", "body_quat_w",
	"body_lin_vel_w", "body_ang_vel_w", "contacts", "meta",
}

// FromArchive decodes a clip.
func FromArchive(a npz.Archive) (*Clip, error) {
	var err error
	get := func(name string, shape ...int) npz.Array {
		var arr npz.Array
		if err == nil {
			arr, err = a.Get(name, shape...)
		}
		if err != nil {
			return npz.Array{Data: make([]float64, 1), Shape: make([]int, 2)}
		}
		return arr
	}
	names := func(name string) []string {
		if err != nil {
			return nil
		}
		var text []string
		text, err = a.GetText(name, -1)
		return text
	}
	c := &Clip{FPS: get("fps", rateShape(a)...).Data[0], JointNames: names("joint_names"), BodyNames: names("body_names")}
	nj, nb := len(c.JointNames), len(c.BodyNames)
	jp := get("joint_pos", -1, nj)
	if err != nil {
		return nil, err
	}
	t := jp.Shape[0]
	if err := checkSize(c.FPS, t, nj, nb); err != nil {
		return nil, err
	}
	jv := get("joint_vel", t, nj)
	bp, bq := get("body_pos_w", t, nb, 3), get("body_quat_w", t, nb, 4)
	bv, bw := get("body_lin_vel_w", t, nb, 3), get("body_ang_vel_w", t, nb, 3)
	con := get("contacts", t, 2)
	if err != nil {
		return nil, err
	}
	if c.Meta, err = metaOf(a); err != nil {
		return nil, err
	}
	c.Frames = make([]Frame, t)
	for i := range c.Frames {
		f := NewFrame(nj, nb)
		copy(f.JointPosRad, jp.Data[i*nj:(i+1)*nj])
		copy(f.JointVelRadPerS, jv.Data[i*nj:(i+1)*nj])
		for b := range nb {
			copy(f.BodyPosM[b][:], bp.Data[(i*nb+b)*3:])
			copy(f.BodyQuat[b][:], bq.Data[(i*nb+b)*4:])
			copy(f.BodyVelMPerS[b][:], bv.Data[(i*nb+b)*3:])
			copy(f.BodyAngVel[b][:], bw.Data[(i*nb+b)*3:])
		}
		copy(f.Contacts[:], con.Data[i*2:])
		c.Frames[i] = f
	}
	return c, c.Validate()
}

// metaOf reads the member meta; it may be absent.
func metaOf(a npz.Archive) (Meta, error) {
	var m Meta
	if _, ok := a["meta"]; !ok {
		return m, nil
	}
	text, err := a.GetText("meta")
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal([]byte(text[0]), &m); err != nil {
		return m, fmt.Errorf("motion: meta is not JSON: %w", err)
	}
	if m.Schema != 1 {
		return m, fmt.Errorf("motion: schema %d is unknown; legal: 1", m.Schema)
	}
	return m, nil
}

// rateShape is that of fps: a list of one, or a scalar in files of earlier versions.
func rateShape(a npz.Archive) []int {
	if len(a["fps"].Shape) == 1 {
		return []int{1}
	}
	return nil
}

// NewFrame allocates a frame for nj joints and nb bodies.
func NewFrame(nj, nb int) Frame {
	return Frame{
		JointPosRad: make([]float64, nj), JointVelRadPerS: make([]float64, nj),
		BodyPosM: make([]spatial.Vec3, nb), BodyQuat: make([]spatial.Quat, nb),
		BodyVelMPerS: make([]spatial.Vec3, nb), BodyAngVel: make([]spatial.Vec3, nb),
	}
}
