// Package human describes what a person did: a time series of joint positions
// and segment rotations in metres, and its file format (*.human.npz).
//
// World frame: z up; x points from the scene towards the camera, so a person
// facing the camera faces +x; y is to the left of a person facing +x; the
// origin lies on the floor under the pelvis in the first frame.
//
// Rest pose: upright, facing +x, arms hanging, palms towards the thighs. In the
// rest pose every rotation is the identity. Rotations[t][j] is worldFromSegment
// of the segment that starts at joint j (for a hand, foot or head: of that end
// segment).
//
// A Motion is read-only after load and may be shared.
package human

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Joint indexes a point of the human skeleton.
type Joint int

// The joints in file order. Left is the person's left.
const (
	Pelvis Joint = iota // mid-hip; root of the skeleton
	Chest               // mid-shoulder; its segment is the rib cage
	Head                // between the ears
	Nose
	LShoulder
	LElbow
	LWrist
	LHand // knuckle of the middle finger
	RShoulder
	RElbow
	RWrist
	RHand
	LHip
	LKnee
	LAnkle
	LHeel
	LToe
	RHip
	RKnee
	RAnkle
	RHeel
	RToe
	NumJoints int = iota
)

var jointNames = [NumJoints]string{
	"pelvis", "chest", "head", "nose",
	"l_shoulder", "l_elbow", "l_wrist", "l_hand",
	"r_shoulder", "r_elbow", "r_wrist", "r_hand",
	"l_hip", "l_knee", "l_ankle", "l_heel", "l_toe",
	"r_hip", "r_knee", "r_ankle", "r_heel", "r_toe",
}

var parents = [NumJoints]Joint{
	-1, Pelvis, Chest, Head,
	Chest, LShoulder, LElbow, LWrist,
	Chest, RShoulder, RElbow, RWrist,
	Pelvis, LHip, LKnee, LAnkle, LAnkle,
	Pelvis, RHip, RKnee, RAnkle, RAnkle,
}

// String returns the joint's name in files.
func (j Joint) String() string { return jointNames[j] }

// Parent returns the joint one step towards the pelvis, or -1 for the pelvis.
func (j Joint) Parent() Joint { return parents[j] }

// Mirror returns the joint on the other side of the body (itself on the mid-line).
func (j Joint) Mirror() Joint {
	switch {
	case j >= LShoulder && j <= LHand, j >= LHip && j <= LToe:
		if j <= LHand {
			return j + 4
		}
		return j + 5
	case j >= RShoulder && j <= RHand:
		return j - 4
	case j >= RHip && j <= RToe:
		return j - 5
	}
	return j
}

// JointNames returns the names in file order.
func JointNames() []string { return append([]string(nil), jointNames[:]...) }

// Contact indexes the four floor contacts of a frame.
type Contact int

// The contacts in file order.
const (
	LHeelContact Contact = iota
	LToeContact
	RHeelContact
	RToeContact
	NumContacts int = iota
)

// Pose is one instant: positions in metres (world), segment rotations.
type Pose struct {
	Positions  [NumJoints]spatial.Vec3
	Rotations  [NumJoints]spatial.Quat
	Confidence [NumJoints]float64   // 0 = invented (gap filled), 1 = certain
	Contacts   [NumContacts]float64 // probability of touching the floor, 0..1
}

// Meta travels with the motion as JSON.
type Meta struct {
	Schema         int     `json:"schema"`        // 1
	Source         string  `json:"source"`        // base name of the video or "demonstrator:wave"
	SourceSHA256   string  `json:"source_sha256"` // of the video file, empty if rendered
	StartS         float64 `json:"start_s"`       // time of frame 0 in the source
	SubjectHeightM float64 `json:"subject_height_m"`
	HeightAssumed  bool    `json:"height_assumed"` // true: nobody measured the height
	Model          string  `json:"model"`          // e.g. "blazepose-full", "truth"
	Runtime        string  `json:"runtime"`
	Tool           string  `json:"tool"`
	FramesMissed   int     `json:"frames_missed"` // frames without a detected person, filled in
	// Verdict on the extraction: good, doubtful or refused; empty where there was
	// none. Unseen and Warnings go with it.
	Verdict  string   `json:"verdict,omitempty"`
	Unseen   []Unseen `json:"unseen,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Unseen is a part of the body that the camera did not see for a while: what it
// does then is invented.
type Unseen struct {
	Part  string  `json:"part"`   // "left leg", "legs", "feet", "person", ...
	FromS float64 `json:"from_s"` // seconds of the source
	ToS   float64 `json:"to_s"`
}

// String reads "legs: 1.0 to 2.5 s".
func (u Unseen) String() string { return fmt.Sprintf("%s: %.1f to %.1f s", u.Part, u.FromS, u.ToS) }

// Motion is a human motion of len(Frames) frames at a constant rate.
type Motion struct {
	FPS    float64
	Frames []Pose
	Meta   Meta
}

// Seconds returns the time from the first to the last frame.
func (m *Motion) Seconds() float64 { return float64(max(0, len(m.Frames)-1)) / m.FPS }

// Part returns the frames from fromS to toS (s after the first frame, both
// included) as a motion that shares them. It fails if they are fewer than two.
func (m *Motion) Part(fromS, toS float64) (*Motion, error) {
	from, to := max(0, int(math.Ceil(fromS*m.FPS-1e-6))), min(len(m.Frames)-1, int(math.Floor(toS*m.FPS+1e-6)))
	if math.IsNaN(fromS) || math.IsNaN(toS) || to-from < 1 {
		return nil, fmt.Errorf("human: %g to %g s is no part of a motion of %.2f s; legal: at least two frames within it", fromS, toS, m.Seconds())
	}
	out := *m
	out.Frames = m.Frames[from : to+1]
	out.Meta.StartS += float64(from) / m.FPS
	return &out, nil
}

// Bounds of a motion's time base, against files that claim days or centuries:
// whatever works on a motion takes memory and time in proportion to its seconds.
const (
	MinFPS, MaxFPS = 1.0, 1000.0
	MaxSeconds     = 3600.0
)

// checkTime reports a frame rate or a length that is out of bounds.
func checkTime(fps float64, frames int) error {
	switch {
	case !(fps >= MinFPS && fps <= MaxFPS):
		return fmt.Errorf("human: fps is %g; legal: %g to %g", fps, MinFPS, MaxFPS)
	case frames < 2:
		return fmt.Errorf("human: %d frames; at least 2 are needed", frames)
	case float64(frames-1)/fps > MaxSeconds:
		return fmt.Errorf("human: %.0f s of motion; legal: at most %.0f", float64(frames-1)/fps, MaxSeconds)
	}
	return nil
}

// Validate reports the first thing that makes the motion unusable.
func (m *Motion) Validate() error {
	if err := checkTime(m.FPS, len(m.Frames)); err != nil {
		return err
	}
	for t := range m.Frames {
		p := &m.Frames[t]
		for j := range p.Positions {
			for _, v := range p.Positions[j] {
				if math.IsNaN(v) || math.Abs(v) > 1e3 {
					return fmt.Errorf("human: frame %d, %s: position %v is not finite or farther than 1 km", t, Joint(j), p.Positions[j])
				}
			}
			if n := p.Rotations[j].Dot(p.Rotations[j]); math.IsNaN(n) || math.Abs(n-1) > 1e-3 {
				return fmt.Errorf("human: frame %d, %s: rotation %v is not a unit quaternion (w, x, y, z)", t, Joint(j), p.Rotations[j])
			}
			if c := p.Confidence[j]; math.IsNaN(c) || math.IsInf(c, 0) {
				return fmt.Errorf("human: frame %d, %s: confidence %g is not finite", t, Joint(j), c)
			}
		}
		for c, v := range p.Contacts {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("human: frame %d: contact %d is %g, not finite", t, c, v)
			}
		}
	}
	return nil
}

// Save writes the motion as *.human.npz, completely or not at all.
func (m *Motion) Save(name string) error {
	if err := m.Validate(); err != nil {
		return err
	}
	t := len(m.Frames)
	pos, rot := make([]float64, 0, t*NumJoints*3), make([]float64, 0, t*NumJoints*4)
	conf, con := make([]float64, 0, t*NumJoints), make([]float64, 0, t*NumContacts)
	for i := range m.Frames {
		p := &m.Frames[i]
		for j := range NumJoints {
			pos = append(pos, p.Positions[j][:]...)
			rot = append(rot, p.Rotations[j][:]...)
		}
		conf = append(conf, p.Confidence[:]...)
		con = append(con, p.Contacts[:]...)
	}
	meta := m.Meta
	meta.Schema = 1
	js, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	return npz.Save(name, npz.Archive{
		"fps":         npz.Scalar(m.FPS),
		"positions":   npz.Floats(pos, t, NumJoints, 3),
		"rotations":   npz.Floats(rot, t, NumJoints, 4),
		"confidence":  npz.Floats(conf, t, NumJoints),
		"contacts":    npz.Floats(con, t, NumContacts),
		"joint_names": npz.Strings(jointNames[:]),
		"meta":        npz.String(string(js)),
	})
}

// Load reads a *.human.npz file. Joints are found by name, so their order in
// the file may differ; every joint must be there. A file that holds no usable
// motion is infile.ErrUnusable.
func Load(name string) (*Motion, error) {
	a, err := npz.Load(name, "fps", "joint_names", "positions", "rotations", "confidence", "contacts", "meta")
	if err != nil {
		return nil, err
	}
	m, err := decode(a)
	if err != nil {
		return nil, infile.Refuse(name, err)
	}
	return m, nil
}

func decode(a npz.Archive) (*Motion, error) {
	fps, err := a.Get("fps")
	if err != nil {
		return nil, err
	}
	columns, k, err := columnsOf(a)
	if err != nil {
		return nil, err
	}
	pos, err := a.Get("positions", -1, k, 3)
	if err != nil {
		return nil, err
	}
	t := pos.Shape[0]
	if err := checkTime(fps.Data[0], t); err != nil {
		return nil, err
	}
	rot, err := a.Get("rotations", t, k, 4)
	if err != nil {
		return nil, err
	}
	conf, err := a.Get("confidence", t, k)
	if err != nil {
		return nil, err
	}
	con, err := a.Get("contacts", t, NumContacts)
	if err != nil {
		return nil, err
	}
	m := &Motion{FPS: fps.Data[0], Frames: make([]Pose, t)}
	if m.Meta, err = metaOf(a); err != nil {
		return nil, err
	}
	for i := range t {
		p := &m.Frames[i]
		for j, s := range columns {
			copy(p.Positions[j][:], pos.Data[(i*k+s)*3:])
			copy(p.Rotations[j][:], rot.Data[(i*k+s)*4:])
			p.Confidence[j] = conf.Data[i*k+s]
		}
		copy(p.Contacts[:], con.Data[i*NumContacts:])
	}
	return m, m.Validate()
}

// columnsOf finds the column of each joint, and how many columns there are.
func columnsOf(a npz.Archive) (columns [NumJoints]int, width int, err error) {
	names, err := a.GetText("joint_names", -1)
	if err != nil {
		return columns, 0, err
	}
	at := map[string]int{}
	for i, n := range names {
		if _, twice := at[n]; twice {
			return columns, 0, fmt.Errorf("human: joint_names has %.40q twice", n)
		}
		at[n] = i
	}
	for j := range columns {
		var ok bool
		if columns[j], ok = at[jointNames[j]]; !ok {
			return columns, 0, fmt.Errorf("human: joint %q is missing; present: %.400q", jointNames[j], names)
		}
	}
	return columns, len(names), nil
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
		return m, fmt.Errorf("human: meta is not JSON: %w", err)
	}
	if m.Schema != 1 {
		return m, fmt.Errorf("human: schema %d is unknown; legal: 1", m.Schema)
	}
	return m, nil
}
